// What a plot says at a moment: the means of that hour or day, and the single reading nearest to it.
import { amount, language, languages, t } from "../language";
import { corrects, starts, windowSeconds } from "./lines";
import type { Readings, Series } from "./series";
import type { Plotted } from "./state";

const near = 150; // seconds from a single reading within which it is meant

// windowAt returns which window a moment lies in, or the nearest one.
export function windowAt(s: Series, at: number): number {
  const first = starts(s)[0] ?? 0;
  return Math.min(s.start.length - 1, Math.max(0, Math.floor((at - first) / windowSeconds(s))));
}

// middleOf returns the middle of a window in Unix seconds.
export const middleOf = (s: Series, i: number): number => (starts(s)[i] ?? 0) + windowSeconds(s) / 2;

// readout returns the values of a window as a sentence, with the single reading near a moment where there are any.
export function readout({ series: s, readings: r, official }: Plotted, i: number, zone: string, at?: number): string {
  const say = (v: number): string => amount(v, s.quantity, s.unit);
  const [measured, corrected, neighbours] = [s.measured[i] ?? null, s.corrected[i] ?? null, s.neighbours[i] ?? null];
  const own =
    corrects(s) && corrected !== null && measured !== null ? t("series.own", { value: say(corrected), raw: say(measured) }) : null;
  const parts = [
    own ?? (measured === null ? t("series.nothing") : say(measured)),
    neighbours === null ? "" : t("series.around", { value: say(neighbours) }),
    official?.values[i] == null ? "" : t("series.official", { name: official.name, value: say(official.values[i]) }),
    r && at !== undefined ? readingNear(r, at, say) : "",
  ];
  return t("series.at", { time: windowText(s, i, zone), values: parts.filter(Boolean).join("; ") });
}

function readingNear(r: Readings, at: number, say: (v: number) => string): string {
  let best = -1;
  r.at.forEach((time, i) => {
    const value = r.counted[i] ?? r.excluded[i] ?? null;
    if (value !== null && Math.abs(time - at) <= near && (best < 0 || Math.abs(time - at) < Math.abs((r.at[best] ?? 0) - at))) best = i;
  });
  const [counted, excluded] = [r.counted[best] ?? null, r.excluded[best] ?? null];
  if (counted !== null) return t("series.reading", { value: say(counted) });
  return excluded === null ? "" : t("series.flagged", { value: say(excluded) });
}

// windowText returns a window as text: "Tue 24 Nov, 10:00–11:00", or a date.
function windowText(s: Series, i: number, zone: string): string {
  const { locale } = languages[language()];
  const start = new Date(s.start[i] ?? 0);
  const day = (at: Date) => at.toLocaleDateString(locale, { timeZone: zone, weekday: "short", day: "numeric", month: "short" });
  if (s.window !== "1h") return start.toLocaleDateString(locale, { timeZone: zone, dateStyle: "full" });
  const time = (at: Date) => at.toLocaleTimeString(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  return `${day(start)}, ${time(start)}–${time(new Date(start.getTime() + 3600_000))}`;
}
