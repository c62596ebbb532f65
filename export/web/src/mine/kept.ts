// The stations whose management link was opened in this browser, with their keys. They leave it only to manage the station.

// Kept is a station with the key of its management link.
export interface Kept {
  id: string;
  key: string;
  name: string;
}

const storageKey = "stadtluft.stations";

// keptStations returns them in the order in which they were first opened; none where the browser keeps nothing.
export function keptStations(): Kept[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    return Array.isArray(list) ? list.filter(isKept) : [];
  } catch {
    return []; // storage is forbidden, or something else wrote there
  }
}

const isKept = (k: unknown): k is Kept =>
  typeof k === "object" && k !== null && ["id", "key", "name"].every((name) => typeof (k as Record<string, unknown>)[name] === "string");

// keepStation adds a station, or replaces what was kept of it.
export function keepStation({ id, key, name }: Kept): void {
  const list = keptStations();
  const at = list.findIndex((k) => k.id === id);
  list[at < 0 ? list.length : at] = { id, key, name };
  write(list);
}

export const forgetStation = (id: string): void => write(keptStations().filter((k) => k.id !== id));

export const forgetStations = (): void => write([]);

function write(list: readonly Kept[]): void {
  try {
    if (list.length > 0) localStorage.setItem(storageKey, JSON.stringify(list));
    else localStorage.removeItem(storageKey);
  } catch {
    // storage is forbidden: nothing is kept
  }
}

// managementLink returns the address with the key in its fragment, which browsers do not send.
export const managementLink = ({ id, key }: Pick<Kept, "id" | "key">): string =>
  `${location.origin}/stations/${encodeURIComponent(id)}#manage=${encodeURIComponent(key)}`;
