// Sharing: a dialog with the link to a channel or post, its QR code, and the lines that show the channel on another site.

import { get, part } from "../client/api.js";
import { t } from "../texts.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { attempt, dialog, notice } from "../ui/overlay.js";

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
 * @param {HTMLElement} body
 * @param {Api.ShareLinkResponse} link
 */
function show(body, link) {
  const code = new Blob([link.qr_svg], { type: "image/svg+xml" });
  const address = URL.createObjectURL(code);
  // The dialog leaves the page when it is closed.
  body.closest("dialog")?.addEventListener("close", () => URL.revokeObjectURL(address));
  const send = () => navigator.share({ title: link.title, url: link.url }).catch(() => undefined);
  fill(
    body,
    h("p.soft", {}, t(link.is_public ? "share.public" : "share.members")),
    copied(t("share.link"), link.url, t("share.copy")),
    "share" in navigator ? h("button.plain", { type: "button", on: { click: send } }, t("share.send")) : null,
    h("img.qr", { src: address, alt: t("share.qr"), width: "220", height: "220" }),
    h("a.button.plain", { href: address, download: "qr.svg" }, t("share.qr.save")),
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
  // On plain HTTP in a private network, browsers have no clipboard that scripts write to.
  const copy = () => {
    field.select();
    if (document.execCommand("copy")) notice(t("share.copied"));
    else notice(t("share.notCopied"), { isBad: true });
  };
  return h(
    "div.field",
    {},
    h("label", { for: id }, label),
    field,
    h("button.primary", { type: "button", on: { click: copy } }, action),
  );
}
