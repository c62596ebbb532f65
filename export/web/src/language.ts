// Which language the page speaks, and its words, numbers and times.
import { de, type Key, type Messages } from "./messages/de";
import { en } from "./messages/en";

export type Language = "de" | "en";
export const languages: Record<Language, { name: string; messages: Messages; locale: string }> = {
  de: { name: "Deutsch", messages: de, locale: "de-DE" },
  en: { name: "English", messages: en, locale: "en-GB" },
};

const remembered = "stadtluft.language";

const isLanguage = (text: string | null | undefined): text is Language => text === "de" || text === "en";

// ?lang= wins, then what was chosen before, then the browser's first language that we speak.
export function choose(search: string, stored: string | null, browser: readonly string[]): Language {
  const asked = new URLSearchParams(search).get("lang");
  if (isLanguage(asked)) return asked;
  if (isLanguage(stored)) return stored;
  return browser.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "de";
}

let current: Language = "de";

export function start(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(remembered);
  } catch {
    // storage is forbidden: the choice lasts as long as the page
  }
  use(choose(location.search, stored, navigator.languages));
  return current;
}

export function use(language: Language): void {
  current = language;
  if (typeof document !== "undefined") document.documentElement.lang = language;
}

export function remember(language: Language): void {
  use(language);
  try {
    localStorage.setItem(remembered, language);
  } catch {
    // as above
  }
}

export const language = (): Language => current;

// t is a message with its {placeholders} filled.
export function t(key: Key, values: Record<string, string> = {}): string {
  return languages[current].messages[key].replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

// name is a quantity's name; its own key when a newer server has one that this page does not know.
export function name(quantity: string): string {
  return (languages[current].messages as Record<string, string>)[quantity] ?? quantity;
}

// flagWords puts flags into words.
export function flagWords(flags: readonly string[]): string {
  const words = languages[current].messages as Record<string, string>;
  return flags.map((flag) => words[`flag_${flag}`] ?? flag).join(", ");
}

export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(languages[current].locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

// percent has a decimal only where a whole number would say nothing.
export function percent(share: number): string {
  const digits = share > 0 && share < 0.01 ? 1 : 0;
  return new Intl.NumberFormat(languages[current].locale, { style: "percent", maximumFractionDigits: digits }).format(share);
}

// amount is a value with its unit, with as many decimals as the quantity deserves.
export function amount(value: number, quantity: string, unit: string): string {
  return unit === "1" ? number(value, digitsOf(quantity)) : `${number(value, digitsOf(quantity))} ${unit}`;
}

export function digitsOf(quantity: string): number {
  return quantity === "humidity" || quantity === "co2" || quantity === "noise_laeq" ? 0 : 1;
}

// clock is a time of day in the city's zone, with the date when it is not today.
export function clock(iso: string, zone: string, seconds = false, now = new Date()): string {
  const locale = languages[current].locale;
  const at = new Date(iso);
  const day = (d: Date) => d.toLocaleDateString("en-CA", { timeZone: zone });
  const time = at.toLocaleTimeString(locale, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" as const } : {}),
  });
  if (day(at) === day(now)) return time;
  return `${at.toLocaleDateString(locale, { timeZone: zone, day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}
