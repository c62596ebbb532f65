import { beforeEach, expect, test } from "vitest";
import { setLanguage } from "../language";
import { choose, firstShown, type AdminStation, type Shown } from "./stations";

beforeEach(() => setLanguage("de"));

const station = (id: string, status: string, name: string, last: string | null, good: number, flags: number): AdminStation =>
  ({
    id,
    email: `${name}@example.org`,
    values_24h: 100,
    good_24h: good,
    flags_24h: { range: flags, stuck: 1 },
    properties: { status, state: "ok", name, last_seen: last },
  }) as never;

const all = [
  station("AAAAAAA", "active", "Zoo", "2026-05-01T12:00:00Z", 90, 7),
  station("BBBBBBB", "pending", "Ärztehaus", null, 50, 0),
  station("CCCCCCC", "active", "Bahnhof", "2026-05-01T10:00:00Z", 99, 900),
];

test.each([
  [{ order: "status" }, "BAC"],
  [{ order: "name" }, "BCA"],
  [{ order: "last" }, "BCA"],
  [{ order: "good" }, "BAC"],
  [{ order: "flags" }, "CAB"],
  [{ status: "active", order: "name" }, "CA"],
  [{ text: "zoo@" }, "A"],
  [{ text: "ccc" }, "C"],
] as [Partial<Shown>, string][])("%o shows %s", (part, want) => {
  const list = choose(all, { ...firstShown(), ...part });
  expect(list.map((s) => s.id[0]).join("")).toBe(want);
});
