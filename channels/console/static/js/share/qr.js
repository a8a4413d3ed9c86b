// A QR code in a dialog, and the link that saves it.

import { t } from "../texts.js";
import { h } from "../ui/dom.js";

/**
 * The elements for an SVG document of the server.
 * @param {string} svg
 * @param {Element} body Inside of the dialog; the picture is freed when that is closed.
 */
export function qrCode(svg, body) {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  // The dialog leaves the page when it is closed.
  body.closest("dialog")?.addEventListener("close", () => URL.revokeObjectURL(address));
  return [
    h("img.qr", { src: address, alt: t("share.qr"), width: "220", height: "220" }),
    h("a.button.plain", { href: address, download: "qr.svg" }, t("share.qr.save")),
  ];
}
