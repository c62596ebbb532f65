// Which page answers for which address. The server knows the same addresses (export/api/pages.go).

// Route is a page's folder and the parts of the address that stand where the pattern has a {name}.
export interface Route {
  folder: string;
  parts: Record<string, string>;
}

// patterns lead to the folder whose page.ts holds the page.
export const patterns: readonly [pattern: string, folder: string][] = [
  ["/", "map"],
  ["/register", "register"],
  ["/stations/{id}", "station"],
  ["/coverage", "coverage"],
  ["/data", "data"],
  ["/about", "about"],
  ["/school", "school"],
  ["/admin", "admin"],
  ["/embed/{kind}/{id}", "embed"],
  ["/embed/{kind}", "embed"],
];

const segments = (path: string): string[] => path.split("/").slice(1);

// find is the route of an address; null where there is no page.
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

// decode leaves alone what is not well encoded; nothing will be found by it.
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
