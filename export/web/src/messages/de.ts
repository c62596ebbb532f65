// German. Every other language has the same sections and keys: one section a page, and what pages share.
export * from "./de/frame";
export * from "./de/names";
export * from "./de/map";
export * from "./de/register";
export * from "./de/station";
export * from "./de/admin";
export * from "./de/plot";
export * from "./de/embed";
export * from "./de/coverage";
export * from "./de/comparison";
export * from "./de/data";
export * from "./de/about";
export * from "./de/school";
export * from "./de/notices";
