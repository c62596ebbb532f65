export * from "./en/frame";
export * from "./en/names";
export * from "./en/map";
export * from "./en/register";
export * from "./en/station";
export * from "./en/admin";
