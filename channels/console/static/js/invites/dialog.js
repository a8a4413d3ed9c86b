// The invite links of a group, in a dialog of the reader.

import "./texts.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";
import { InviteLinks } from "./links.js";

/** @param {App.Place} place */
export async function showInvites(place) {
  const links = new InviteLinks(place, { hasHeading: false });
  await dialog({
    title: t("links.title"),
    className: "invites",
    build: () => h("div.sheet-body", {}, links.element),
  });
  links.close();
}
