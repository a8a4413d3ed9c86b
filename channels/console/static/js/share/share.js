// Sharing: a dialog with the link to a channel or post, its QR code, and the lines that show the channel on another site.

import { get, part } from "../client/api.js";
import { t } from "../texts.js";
import { copyFrom } from "../ui/copy.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { attempt, dialog } from "../ui/overlay.js";
import { qrCode } from "./qr.js";

/**
 * Opens the dialog; without `seq` it is about the channel itself.
 * @param {string} channelId
 * @param {number | null} [seq]
 */
export function share(channelId, seq = null) {
  const body = h("div.sheet-body.share", {}, h("p.soft", { role: "status" }, t("app.loading")));
  dialog({ title: t(seq === null ? "share.channel" : "share.post"), className: "share-sheet", build: () => body });
  attempt(async () => show(body, await get(`/v1/channels/${part(channelId)}/share-link`, { seq })));
}

/**
 * Shows an address to copy, which only people with an account can open.
 * @param {string} title
 * @param {string} url
 */
export function showAddress(title, url) {
  const build = () =>
    h("div.sheet-body.share", {}, h("p.soft", {}, t("share.members")), copied(t("share.link"), url, t("share.copy")));
  dialog({ title, className: "share-sheet", build });
}

/**
 * @param {HTMLElement} body
 * @param {Api.ShareLinkResponse} link
 */
function show(body, link) {
  const send = () => navigator.share({ title: link.title, url: link.url }).catch(() => undefined);
  fill(
    body,
    h("p.soft", {}, t(link.is_public ? "share.public" : "share.members")),
    copied(t("share.link"), link.url, t("share.copy")),
    "share" in navigator ? h("button.plain", { type: "button", on: { click: send } }, t("share.send")) : null,
    qrCode(link.qr_svg, body),
    link.embed_html === null ? null : copied(t("share.embed"), link.embed_html, t("share.embed.copy"), true),
  );
}

/**
 * A text to read and copy.
 * @param {string} label
 * @param {string} text
 * @param {string} action
 * @param {boolean} [isLong]
 */
function copied(label, text, action, isLong = false) {
  const id = uniqueId("share");
  const field = isLong
    ? h("textarea", { id, readonly: true, rows: "3", dir: "ltr" }, text)
    : h("input", { id, readonly: true, value: text, dir: "ltr" });
  return h(
    "div.field",
    {},
    h("label", { for: id }, label),
    field,
    h("button.primary", { type: "button", on: { click: () => copyFrom(field) } }, action),
  );
}
