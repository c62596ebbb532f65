import type { specification as german } from "../de/specification";

export const specification: typeof german = {
  title: "Specification",
  english: "What a station says, word for word.",
  reason: "What the specification says about it",
  table: "Table {number}: {column}",
};
