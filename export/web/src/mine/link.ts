// Passing a management link on, to another device or another person.
import { copyable } from "../copyable";
import { openDialog } from "../dialog";
import { h } from "../dom";
import { t } from "../language";
import { button } from "../parts";
import "../parts.css";
import { qr } from "../qr";
import { managementLink, type Kept } from "./kept";

// openLink shows a management link in a dialog: to copy, as QR code, and with the device's own list of ways to share.
export function openLink(kept: Kept): void {
  const url = managementLink(kept);
  const send = (): void => void navigator.share({ title: kept.name, url }).catch(() => {}); // closing the list is no error
  openDialog(
    `${t("mine.link")}: ${kept.name}`,
    h("p", { class: "trouble" }, t("mine.linkIsKey")),
    copyable(url, t("register.link"), false, "mine-link"),
    ...(typeof navigator.share === "function" ? [h("p", {}, button(t("share.send"), send, true))] : []),
    h("p", {}, t("register.linkPhone")),
    qr(url, t("register.link")),
  );
}
