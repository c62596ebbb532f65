// The page behind a link of a mail. Opening it changes nothing, because filters of mail servers open links; its button does.
import { send, errorText } from "../client";
import { update, h } from "../dom";
import { notFound, type Frame, type Page } from "../frame";
import { t } from "../language";

const actions = { confirm: "confirm", unsubscribe: "stop" } as const;

export function open(frame: Frame): Page {
  const { action = "", id = "" } = frame.parts;
  if (action !== "confirm" && action !== "unsubscribe") return notFound(frame);
  const does = actions[action];
  const body = h("div", { class: "text" });
  frame.main.replaceChildren(body);
  let done = false;
  let busy = false;
  let failure: (() => string) | null = null;

  const act = async (): Promise<void> => {
    [busy, failure] = [true, null];
    render();
    try {
      await send("POST", location.pathname);
      done = true;
    } catch (e) {
      failure = () => errorText(e);
    }
    busy = false;
    render();
    body.querySelector<HTMLElement>("[tabindex]")?.focus();
  };
  const ask = (): HTMLElement[] => [
    h("p", {}, t(`notices.${does}Why`, { id })),
    h(
      "p",
      {},
      h("button", { type: "button", class: "button", disabled: busy, "data-key": "act", click: () => void act() }, t(`notices.${does}Do`)),
    ),
    ...(does === "confirm" ? [h("p", { class: "quiet" }, t("notices.confirmNot"))] : []),
  ];
  const render = (): void =>
    update(
      body,
      h("h1", {}, t(`notices.${does}Title`)),
      ...(done ? [h("p", { class: "fine", role: "status", tabindex: "-1" }, t(`notices.${does}Done`, { id }))] : ask()),
      failure && h("p", { class: "trouble", role: "alert", tabindex: "-1" }, failure()),
      h("p", {}, h("a", { href: `/stations/${encodeURIComponent(id)}`, "data-key": "station" }, t("notices.toStation"))),
    );
  return { title: () => t(`notices.${does}Title`), render };
}
