// Which page belongs to which address. The server has the same list (export/api/pages.go).

// Route is the folder of a page and the values of the {name}s in its pattern.
export interface Route {
  folder: string;
  parts: Record<string, string>;
}

// patterns are the addresses, each with the folder of its page.ts.
export const patterns: readonly [pattern: string, folder: string][] = [
  ["/", "map"],
  ["/register", "register"],
  ["/stations/{id}", "station"],
  ["/coverage", "coverage"],
  ["/comparison", "comparison"],
  ["/data", "data"],
  ["/about", "about"],
  ["/school", "school"],
  ["/mine", "mine"],
  ["/specification", "specification"],
  ["/admin", "admin"],
  ["/notices/{action}/{id}/{token}", "notices"],
  ["/embed/{kind}/{id}", "embed"],
  ["/embed/{kind}", "embed"],
];

const segments = (path: string): string[] => path.split("/").slice(1);

// findRoute returns the route of an address; null where there is no page.
export function findRoute(path: string): Route | null {
  for (const [pattern, folder] of patterns) {
    const parts = match(segments(pattern), segments(path));
    if (parts) return { folder, parts };
  }
  return null;
}

function match(wanted: string[], given: string[]): Record<string, string> | null {
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const text = given[i] ?? "";
    if (!segment.startsWith("{")) {
      if (segment !== text) return null;
    } else if (text === "") return null;
    else parts[segment.slice(1, -1)] = decode(text);
  }
  return parts;
}

// decode returns text that is not well encoded as it is; nothing is found by it then.
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
