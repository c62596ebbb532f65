// The frame of all pages: header, navigation, language switch, status line, footer. A page fills `main`.
import * as api from "./api";
import type { City } from "./api";
import { errorText } from "./client";
import { update, h } from "./dom";
import { language, languages, rememberLanguage, t, type Key, type Language } from "./language";
import type { Route } from "./routes";

const retryAfter = 5000; // milliseconds after a failed request

// Open puts a page into a frame's main. It is called once.
export type Open = (frame: Frame) => Page;

// Page is an open page.
export interface Page {
  title(): string; // of the document, without the city's name; empty for the map
  render(): void; // called at the start and after a change of language
}

// Frame is what a page can use of the frame.
export interface Frame {
  readonly main: HTMLElement;
  readonly parts: Record<string, string>; // parameters of the address, such as id in /stations/{id}
  readonly city: Promise<City>; // requested again until it comes
  setStatus(text: string, trouble?: boolean): void; // sets the status line, which screen readers announce; empty clears it
  show(page: Page): void;
}

const navigation: readonly [path: string, key: Key][] = [
  ["/", "frame.map"],
  ["/register", "frame.register"],
  ["/coverage", "frame.coverage"],
  ["/data", "frame.data"],
  ["/about", "frame.about"],
];

// build makes the frame of a route. Embedded pages have no header and no footer.
export function build(route: Route | null): Frame {
  const withoutFrame = route?.folder === "embed";
  const main = h("main", { id: "main", tabindex: "-1", class: `page-${route?.folder ?? "missing"}` });
  const status = h("p", { class: "status", role: "status" });
  const top = h("div", { class: "top" });
  const bottom = h("footer", {});
  let city: City | null = null;
  let page: Page | null = null;

  const render = (): void => {
    const brand = t("frame.title", { city: city?.properties.name ?? "" }).trim();
    const title = page?.title();
    document.title = title ? `${title} · ${brand}` : brand;
    if (!withoutFrame) update(top, ...header(brand, city, switchLanguage));
    if (!withoutFrame) update(bottom, ...footer(city));
    page?.render();
  };
  const switchLanguage = (code: Language): void => {
    rememberLanguage(code);
    render();
  };
  const setStatus = (text: string, trouble = false): void => {
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle("trouble", trouble);
  };

  document.documentElement.classList.toggle("bare", withoutFrame);
  document.getElementById("app")?.replaceChildren(...(withoutFrame ? [status, main] : [top, status, main, bottom]));
  render();
  return {
    main,
    parts: route?.parts ?? {},
    setStatus,
    city: untilAnswered(api.city, setStatus).then((known) => {
      city = known;
      render();
      return known;
    }),
    show(opened) {
      page = opened;
      render();
    },
  };
}

// untilAnswered repeats a request until it is answered; meanwhile the status line says why it has failed.
async function untilAnswered<T>(request: () => Promise<T>, setStatus: (text: string, trouble?: boolean) => void): Promise<T> {
  for (;;) {
    try {
      const answer = await request();
      setStatus("");
      return answer;
    } catch (e) {
      setStatus(t("frame.failed", { detail: errorText(e) }), true);
      await new Promise((wake) => setTimeout(wake, retryAfter));
    }
  }
}

function header(brand: string, city: City | null, choose: (code: Language) => void): HTMLElement[] {
  const link = ([path, key]: readonly [string, Key]) =>
    h("li", {}, h("a", { href: path, "data-key": path, "aria-current": path === location.pathname ? "page" : null }, t(key)));
  return [
    h("a", { class: "skip", href: "#main", "data-key": "skip" }, t("frame.skip")),
    h(
      "header",
      {},
      city?.properties.demo ? h("p", { class: "demo" }, t("frame.demo")) : null,
      h("a", { class: "brand", href: "/", "data-key": "brand" }, h("img", { src: "/icon.svg", alt: "", width: 28, height: 28 }), brand),
      h("nav", { "aria-label": t("frame.pages") }, h("ul", {}, ...navigation.map(link))),
      languageSwitch(choose),
    ),
  ];
}

function languageSwitch(choose: (code: Language) => void): HTMLElement {
  const button = (code: Language) =>
    h(
      "button",
      { type: "button", lang: code, "data-key": code, "aria-pressed": String(code === language()), click: () => choose(code) },
      languages[code].name,
    );
  return h(
    "div",
    { class: "languages", role: "group", "aria-label": t("frame.language") },
    ...(Object.keys(languages) as Language[]).map(button),
  );
}

function footer(city: City | null): HTMLElement[] {
  return [
    h("p", { class: "notice" }, t("frame.notice")),
    ...(city ? [h("p", {}, t("frame.licence", { attribution: city.attribution, licence: city.licence }))] : []),
    ...(city?.properties.sketch ? [h("p", {}, t("frame.sketch"))] : []),
    ...(city?.properties.geonames ? [h("p", {}, t("frame.geonames"))] : []),
    ...(city?.properties.contact ? [h("p", {}, contact(city.properties.contact))] : []),
    h("p", {}, h("a", { href: "/mine", "data-key": "/mine" }, t("mine.heading"))),
    h("p", {}, h("a", { href: "/school", "data-key": "/school" }, t("frame.school"))),
  ];
}

// contact makes a link to an e-mail address or a page.
const contact = (to: string): HTMLElement => h("a", { href: to.includes("@") ? `mailto:${to}` : to }, t("frame.contact"));

// notFound is the page for addresses without one.
export function notFound(frame: Frame): Page {
  return {
    title: () => t("frame.missing"),
    render: () =>
      update(
        frame.main,
        h(
          "div",
          { class: "text" },
          h("h1", {}, t("frame.missing")),
          h("p", {}, t("frame.missingDo", { path: location.pathname })),
          h("p", {}, h("a", { href: "/" }, t("frame.toMap"))),
        ),
      ),
  };
}
