// German. Every other language has the same sections and keys: one section a page, and what pages share.
export * from "./de/frame";
export * from "./de/names";
export * from "./de/map";
