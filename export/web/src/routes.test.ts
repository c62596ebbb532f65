import { expect, test } from "vitest";
import { findRoute } from "./routes";

test.each([
  ["/", "map", {}],
  ["/stations/K7D2Q9RM4T", "station", { id: "K7D2Q9RM4T" }],
  ["/embed/district/Köln%20Ehrenfeld", "embed", { kind: "district", id: "Köln Ehrenfeld" }],
  ["/embed/city", "embed", { kind: "city" }],
  ["/embed/district/%E0%A4%A", "embed", { kind: "district", id: "%E0%A4%A" }],
])("%s is the page %s", (path, folder, parts) => expect(findRoute(path)).toEqual({ folder, parts }));

test.each(["/nothing", "/stations", "/stations/", "/stations/a/b", "/register/", "/embed", "//"])("%s is no page", (path) =>
  expect(findRoute(path)).toBeNull(),
);
