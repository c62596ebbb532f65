// Sharing what a page shows: its address, a picture, and the line that embeds it.
import type { City } from "../api";
import { errorText } from "../client";
import { copyable } from "../copyable";
import { openDialog } from "../dialog";
import { h } from "../dom";
import { line } from "../embed/snippet";
import { t } from "../language";
import { button } from "../parts";
import "../parts.css";
import type { Shared } from "./button";
import { download, fileName, png, type Plate } from "./picture";

export function open(s: Shared, city: City | null): void {
  const plate = s.picture();
  openDialog(
    `${t("share.open")}: ${s.title}`,
    h("h3", {}, t("share.link")),
    copyable(s.address, t("share.link"), false, "share-link"),
    ...(canShare()
      ? [
          h(
            "p",
            {},
            button(t("share.send"), () => void send(s), true),
          ),
        ]
      : []),
    ...(plate && city ? pictureParts(plate, city) : []),
    h("h3", {}, t("embed.heading")),
    copyable(line(s.embed, s.query), t("embed.offer"), true, "share-embed"),
  );
}

const canShare = (): boolean => typeof navigator.share === "function";

// send opens the device's own list of ways to share; closing it is no error.
const send = ({ title, address }: { title: string; address: string }): Promise<void> =>
  navigator.share({ title, url: address }).catch(() => {});

function pictureParts(plate: Plate, city: City): HTMLElement[] {
  const said = h("p", { class: "trouble", role: "alert", hidden: true });
  const make = async (): Promise<void> => {
    try {
      download(await png(plate, city), fileName(`${plate.title} ${plate.time}`, "png"));
    } catch (e) {
      said.textContent = errorText(e);
      said.hidden = false;
    }
  };
  return [
    h("h3", {}, t("share.picture")),
    h("p", { class: "quiet" }, t("share.pictureWhat")),
    h(
      "p",
      { class: "row" },
      button(t("share.pictureDo"), () => void make(), true),
    ),
    said,
  ];
}
