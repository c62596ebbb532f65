export * from "./en/frame";
export * from "./en/names";
export * from "./en/map";
