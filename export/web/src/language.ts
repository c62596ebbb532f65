// The language of the page: its messages, numbers and times.
import * as de from "./messages/de";
import * as en from "./messages/en";

// Messages are the sections of a language, each with its messages by key.
export type Messages = typeof de;
// Key names a message as "section.key".
export type Key = { [S in keyof Messages]: `${S}.${keyof Messages[S] & string}` }[keyof Messages];

export type Language = "de" | "en";
export const languages: Record<Language, { name: string; messages: Messages; locale: string }> = {
  de: { name: "Deutsch", messages: de, locale: "de-DE" },
  en: { name: "English", messages: en, locale: "en-GB" },
};

const storageKey = "stadtluft.language";

const isLanguage = (text: string | null | undefined): text is Language => text === "de" || text === "en";

// chooseLanguage prefers ?lang=, then the stored choice, then the browser's first language that we have.
export function chooseLanguage(search: string, stored: string | null, browser: readonly string[]): Language {
  const requested = new URLSearchParams(search).get("lang");
  if (isLanguage(requested)) return requested;
  if (isLanguage(stored)) return stored;
  return browser.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "de";
}

let current: Language = "de";

export function start(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(storageKey);
  } catch {
    // storage is forbidden: the choice is forgotten with the page
  }
  setLanguage(chooseLanguage(location.search, stored, navigator.languages));
  return current;
}

export function setLanguage(language: Language): void {
  current = language;
  if (typeof document !== "undefined") document.documentElement.lang = language;
}

export function rememberLanguage(language: Language): void {
  setLanguage(language);
  try {
    localStorage.setItem(storageKey, language);
  } catch {
    // as above
  }
}

export const language = (): Language => current;

// messageOf returns a message that may be missing, such as the name of something that only a newer server knows.
function messageOf(section: keyof Messages, key: string): string | undefined {
  return (languages[current].messages[section] as Record<string, string>)[key];
}

// t returns a message with its {placeholders} filled.
export function t(key: Key, values: Record<string, string> = {}): string {
  const [section, name] = key.split(".") as [keyof Messages, string];
  return (messageOf(section, name) ?? key).replace(/\{(\w+)\}/g, (whole, place: string) => values[place] ?? whole);
}

// name returns the name of a quantity.
export const name = (quantity: string): string => messageOf("quantity", quantity) ?? quantity;

// flagText returns the names of flags.
export const flagText = (flags: readonly string[]): string => flags.map((flag) => messageOf("flag", flag) ?? flag).join(", ");

// Formatters are kept, because making one takes longer than using it a hundred times.
const numberFormats = new Map<string, Intl.NumberFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function cached<T>(formats: Map<string, T>, options: object, locale: string, make: new (locale: string, options: object) => T): T {
  const key = locale + JSON.stringify(options);
  const format = formats.get(key) ?? new make(locale, options);
  formats.set(key, format);
  return format;
}

const formatted = (value: number, options: Intl.NumberFormatOptions): string =>
  cached(numberFormats, options, languages[current].locale, Intl.NumberFormat).format(value);
const dated = (at: Date, options: Intl.DateTimeFormatOptions, locale = languages[current].locale): string =>
  cached(timeFormats, options, locale, Intl.DateTimeFormat).format(at);

export const number = (value: number, digits = 1): string =>
  formatted(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });

// percent has a decimal only below 1 %.
export const percent = (share: number): string =>
  formatted(share, { style: "percent", maximumFractionDigits: share > 0 && share < 0.01 ? 1 : 0 });

// amount returns a value with its unit and the decimals of its quantity.
export function amount(value: number, quantity: string, unit: string): string {
  return unit === "1" ? number(value, digitsOf(quantity)) : `${number(value, digitsOf(quantity))} ${unit}`;
}

export function digitsOf(quantity: string): number {
  return quantity === "humidity" || quantity === "co2" || quantity === "noise_laeq" ? 0 : 1;
}

// clock returns a time of day in a time zone, with the date when it is not today.
export function clock(iso: string, zone: string, seconds = false, now = new Date()): string {
  const at = new Date(iso);
  const day = (d: Date) => dated(d, { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  const time = dated(at, { timeZone: zone, hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" as const } : {}) });
  return day(at) === day(now) ? time : `${dated(at, { timeZone: zone, day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}
