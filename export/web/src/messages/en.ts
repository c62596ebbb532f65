export * from "./en/frame";
export * from "./en/names";
export * from "./en/map";
export * from "./en/plot";
export * from "./en/embed";
