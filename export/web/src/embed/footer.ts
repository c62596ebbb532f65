import type { City } from "../api";
import { h } from "../dom";
import { t } from "../language";

// footer names the city with a link to its page, what the values are worth, and their licence.
export function footer(city: City | null, more = "/"): HTMLElement {
  const demo = city?.properties.demo ? `${t("frame.demo")} ` : "";
  return h(
    "p",
    { class: "foot" },
    h("a", { href: more, target: "_blank", rel: "noopener" }, t("frame.title", { city: city?.properties.name ?? "" }).trim()),
    ` · ${demo}${t("frame.notice")}`,
    city ? ` ${t("frame.licence", { attribution: city.attribution, licence: city.licence })}` : "",
  );
}
