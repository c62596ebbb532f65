// The administrator's page. The token stays in this tab's sessionStorage and goes to the API in a header: without a cookie no other
// site can make the browser use it, it is in no address, and it is forgotten with the tab.
import type { Answer, City, Station } from "../api";
import { send, ApiError, request, errorText } from "../client";
import { copyable } from "../copyable";
import { h } from "../dom";
import type { Frame, Page } from "../frame";
import { clock, language, number, t, type Key } from "../language";
import { button, facts, field, table, tabs } from "../parts";
import { firstShown, stations, type AdminStation } from "./stations";
import { changesTable, type Change } from "../station/changes";
import { detail } from "../station/refusals";
import "./admin.css";

type Status = Answer<"getAdminStatus">;

interface AdminData {
  status: Status;
  stations: AdminStation[];
  refusals: Answer<"getAdminRefusals">["refusals"];
  changes: Change[];
}

const storageKey = "stadtluft.admin";

const chosen = firstShown();

let frame: Frame;
let city: City | null = null;
let token = "";
let data: AdminData | null = null;
let message = "";
let error = "";

export function open(around: Frame): Page {
  frame = around;
  try {
    token = sessionStorage.getItem(storageKey) ?? "";
  } catch {
    // storage is forbidden: the token lasts as long as the page
  }
  void frame.city.then((got) => {
    city = got;
    if (token) void load();
    else render();
  });
  return { title: () => t("frame.admin"), render };
}

const zone = (): string => city?.properties.zone ?? "UTC";

function keepToken(value: string): void {
  token = value;
  try {
    if (value) sessionStorage.setItem(storageKey, value);
    else sessionStorage.removeItem(storageKey);
  } catch {
    // as above
  }
}

const admin = <T>(what: string): Promise<T> => send("GET", `/api/v1/admin/${what}`, undefined, token);

async function load(): Promise<void> {
  try {
    const [status, stations, refusals, changes] = await Promise.all([
      admin<Status>("status"),
      admin<Answer<"getAdminStations">>("stations"),
      admin<Answer<"getAdminRefusals">>("refusals"),
      admin<Answer<"getAdminChanges">>("changes"),
    ]);
    data = { status, stations: stations.stations, refusals: refusals.refusals, changes: changes.changes };
    error = "";
  } catch (e) {
    if (e instanceof ApiError && e.status === 401) keepToken("");
    data = null;
    error = errorText(e);
  }
  render();
}

function render(): void {
  const heading = h("h1", {}, t("frame.admin"));
  if (!city) return frame.main.replaceChildren(h("div", { class: "text" }, heading, h("p", { class: "quiet" }, t("frame.loading"))));
  if (!data) return frame.main.replaceChildren(logIn(heading));
  const at = [...frame.main.querySelectorAll("[role=tab]")].findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  const d = data;
  frame.main.replaceChildren(
    h(
      "div",
      { class: "wide" },
      h("div", { class: "row spread" }, heading, button(t("admin.logOut"), logOut, true)),
      h("p", { class: error ? "trouble" : message ? "fine" : "", role: "status" }, error || message),
      tabs(
        t("frame.admin"),
        [
          { title: `${t("admin.stations")} (${d.stations.length})`, body: stations(d.stations, chosen, zone(), actions) },
          { title: `${t("admin.refusals")} (${d.refusals.length})`, body: [refusalTable(d)] },
          { title: t("manage.changes"), body: [changesTable(d.changes, zone(), true)] },
          {
            title: d.status.problems.length ? `${t("admin.health")} (${d.status.problems.length})` : t("admin.health"),
            body: healthParts(d.status),
          },
          {
            title: t("admin.settings"),
            body: [
              h("p", { class: "quiet" }, t("admin.settingsNote")),
              table(
                t("admin.settings"),
                [t("admin.key"), t("admin.value")],
                d.status.inside.settings.map((s) => [h("code", {}, s.key), s.value || "–"]),
              ),
            ],
          },
          { title: t("admin.backup"), body: backup(d.status.inside.store) },
        ],
        Math.max(at, 0),
      ),
    ),
  );
}

function logIn(heading: HTMLElement): HTMLElement {
  const input = h("input", { type: "password", autocomplete: "current-password" });
  const send = (e: Event): void => {
    e.preventDefault();
    keepToken(input.value.trim());
    void load();
  };
  return h(
    "form",
    { class: "text", novalidate: true, submit: send },
    heading,
    h("p", {}, t("admin.why")),
    field(t("admin.token"), input, t("admin.tokenHint")),
    h("p", { class: error ? "trouble" : "", role: "alert" }, error),
    h("p", { class: "row" }, h("button", { type: "submit", class: "button" }, t("admin.logIn"))),
  );
}

function logOut(): void {
  keepToken("");
  [data, message, error] = [null, "", ""];
  render();
}

function actions(s: AdminStation): HTMLElement[] {
  const { name, status, source } = s.properties;
  const action = (key: Key, press: () => void) => {
    const b = button(t(key), press, true);
    b.setAttribute("aria-label", `${t(key)}: ${name}`);
    return b;
  };
  const route = `/api/v1/stations/${s.id}`;
  const activate = async (): Promise<string> => {
    const now = (await send<Station>("PATCH", route, { status: "active" }, token)).properties.status;
    return status === "pending" ? t("admin.approved", { name }) : t("admin.lifted", { name, status: t(`status.${now}`) });
  };
  const suspend = async (reason: string): Promise<string> => (
    await send("PATCH", route, { status: "suspended", reason }, token),
    t("admin.suspended", { name })
  );
  const link = async (): Promise<string> => {
    const made = await send<Answer<"renewManageToken">>("POST", `${route}/manage-token`, { hand_over: false }, token);
    return `${t("admin.newLink", { name })} ${made.manage_link}`;
  };
  const buttons: HTMLElement[] = [];
  if (["pending", "suspended"].includes(status))
    buttons.push(action(status === "pending" ? "admin.approve" : "admin.lift", () => void perform(activate)));
  if (["pending", "active", "paused"].includes(status))
    buttons.push(action("admin.suspend", () => askReason(name, (reason) => void perform(() => suspend(reason)))));
  if (source === "own" && !["retired", "erased"].includes(status)) buttons.push(action("admin.link", () => void perform(link)));
  return buttons;
}

// askReason asks for the reason of a suspension, which the owner will read.
function askReason(name: string, suspend: (reason: string) => void): void {
  const why = h("textarea", { rows: 3, maxlength: 200, required: true });
  const send = (e: Event): void => {
    e.preventDefault();
    dialog.close();
    suspend(why.value);
  };
  const heading = h("h2", { id: "why" }, t("admin.suspendTitle", { name }));
  const buttons = h(
    "div",
    { class: "row" },
    h("button", { type: "submit", class: "button" }, t("admin.suspend")),
    button(t("admin.cancel"), () => dialog.close(), true),
  );
  const dialog = h(
    "dialog",
    { "aria-labelledby": "why", close: () => dialog.remove() },
    h(
      "form",
      { class: "stack", submit: send },
      heading,
      h("p", {}, t("admin.suspendWhat")),
      field(t("admin.suspendWhy"), why, t("admin.suspendHint")),
      buttons,
    ),
  );
  frame.main.append(dialog);
  dialog.showModal();
}

async function perform(does: () => Promise<string>): Promise<void> {
  try {
    message = await does();
    await load();
  } catch (e) {
    error = errorText(e);
    render();
  }
  frame.main.querySelector("[role=status]")?.scrollIntoView({ block: "nearest" });
}

function refusalTable(d: AdminData): HTMLElement {
  const known = new Set(d.stations.map((s) => s.id));
  return table(
    t("admin.refusals"),
    [t("manage.when"), t("admin.station"), t("admin.reason"), t("admin.detail")],
    d.refusals.map((r) => [
      clock(r.time, zone(), true),
      known.has(r.station) ? h("a", { href: `/stations/${r.station}` }, r.station) : r.station || "–",
      language() === "de" ? r.de : r.en,
      detail(r),
    ]),
  );
}

function healthParts(status: Status): HTMLElement[] {
  const i = status.inside;
  const count = (n: number) => number(n, 0);
  return [
    ...(status.problems.length
      ? status.problems.map((p) =>
          h("div", { class: "trouble", lang: "en" }, h("p", {}, h("strong", {}, `${p.part}: `), p.problem), h("p", {}, p.do)),
        )
      : [h("p", { class: "fine" }, t("admin.fine"))]),
    h(
      "div",
      { class: "panel narrow" },
      facts([
        [t("admin.version"), status.version],
        [t("admin.store"), i.store],
        [t("admin.unwritten"), count(i.journal_unwritten)],
        [t("admin.lag"), `${number(i.journal_lag_seconds, 0)} s`],
        [t("admin.entries"), `${count(i.journal_entries)} (${number(i.journal_bytes / 1048576, 1)} MiB)`],
        [t("admin.undecodable"), count(i.journal_undecodable)],
        [t("admin.connected"), count(i.broker_connected)],
        [t("admin.loginsRefused"), count(i.broker_logins_refused)],
        [t("admin.denied"), count(i.broker_denied)],
      ]),
    ),
  ];
}

function backup(store: string): HTMLElement[] {
  const download = async (): Promise<string> => {
    const response = await request("GET", "/api/v1/admin/backup", { key: token });
    const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "stadtluft-backup.tar.gz";
    const address = URL.createObjectURL(await response.blob());
    h("a", { href: address, download: name }).click();
    window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return t("admin.backedUp", { name });
  };
  return [
    h("p", {}, t("admin.backupWhat")),
    store === "influxdb" ? h("p", { class: "trouble" }, t("admin.backupInflux")) : null,
    h("p", {}, t("admin.backupArchive")),
    h("p", {}, t("admin.backupRestore")),
    h(
      "p",
      { class: "row" },
      button(t("admin.backupDo"), () => void perform(download)),
    ),
    h("p", { class: "quiet" }, t("admin.backupShell")),
    copyable("stadtluft backup stadtluft-backup.tar.gz", t("admin.backup"), true),
  ].filter((part) => part !== null);
}
