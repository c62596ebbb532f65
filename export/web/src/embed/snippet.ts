// The line of HTML that embeds a card or a map in another site.
import { copyable } from "../copyable";
import { h } from "../dom";
import { language, t } from "../language";

// heights are those in px that each kind of page needs at a width of 320 px.
const heights: Record<string, number> = { map: 460, cell: 480, district: 320, station: 270, city: 320 };

// year is what the query of a look back has more, which needs yearHeight at a width of 320 px.
export const year = "show=year";
const yearHeight = 560;

// html returns the line for a path below /embed/, such as cell/CRS3035RES1000mN3096000E4107000, with more for the query.
export const html = (origin: string, path: string, quantity: string, lang: string, title: string, more = ""): string =>
  frame(origin, path, `quantity=${encodeURIComponent(quantity)}${more && `&${more}`}`, lang, title);

function frame(origin: string, path: string, query: string, lang: string, title: string): string {
  const height = query.endsWith(year) ? yearHeight : (heights[path.split("/")[0] ?? ""] ?? 300);
  const address = `${origin}/embed/${path}?${query ? `${query}&` : ""}lang=${lang}`.replaceAll("&", "&amp;");
  return `<iframe src="${address}" title="${title}" width="100%" height="${height}" style="border:0" loading="lazy"></iframe>`;
}

// line returns the line of HTML for a path with a query of its own.
export const line = (path: string, query: string): string => frame(location.origin, path, query, language(), t("embed.title"));

// snippet makes a fold with the line to copy.
export function snippet(path: string, quantity: string, label = t("embed.offer"), more = ""): HTMLElement {
  const text = html(location.origin, path, quantity, language(), t("embed.title"), more);
  const see = h(
    "a",
    { href: `/embed/${path}?quantity=${encodeURIComponent(quantity)}${more && `&${more}`}`, "data-key": `see-${path}` },
    t("embed.see"),
  );
  return h(
    "details",
    { class: "snippet" },
    h("summary", { "data-key": `embed-${path}` }, label),
    copyable(text, label, true, path),
    h("p", {}, see),
  );
}
