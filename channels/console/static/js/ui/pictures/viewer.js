// A full-window viewer for the pictures of a post: arrow keys, buttons, Escape.

import { t } from "../../texts.js";
import { localPicture } from "../avatar.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";

/**
 * Shows these pictures, starting with the one at the index `start`.
 * @param {Api.MediaResponse[]} images
 * @param {number} start
 */
export function showPictures(images, start) {
  const element = h("dialog.viewer", { "aria-label": t("viewer.label") });
  const stage = h("div.stage");
  const counter = h("p.counter", { "aria-live": "polite" });
  const original = h("a.quiet", { target: "_blank", rel: "noopener" }, t("viewer.original"));
  let current = start;

  /** @param {number} index */
  function show(index) {
    current = (index + images.length) % images.length;
    const image = images[current];
    const label = t("post.image", { n: current + 1, of: images.length });
    fill(
      stage,
      h("img", {
        src: localPicture(image.url, "large"),
        alt: image.name || label,
        width: image.width,
        height: image.height,
      }),
    );
    counter.textContent = label;
    original.href = image.url;
  }

  /**
   * @param {number} by
   * @param {string} name
   * @param {string} label
   */
  const step = (by, name, label) =>
    h(
      `button.quiet.square.${name}`,
      { type: "button", "aria-label": label, hidden: images.length < 2, on: { click: () => show(current + by) } },
      icon("back"),
    );
  const close = h(
    "button.quiet.square",
    { type: "button", "aria-label": t("app.close"), on: { click: () => element.close() } },
    icon("close"),
  );
  element.append(
    h("header", {}, counter, original, close),
    step(-1, "previous", t("viewer.previous")),
    stage,
    step(1, "next", t("viewer.next")),
  );
  element.addEventListener("keydown", (event) => {
    const isRtl = getComputedStyle(element).direction === "rtl";
    if (event.key === "ArrowRight") show(current + (isRtl ? -1 : 1));
    if (event.key === "ArrowLeft") show(current + (isRtl ? 1 : -1));
  });
  element.addEventListener("click", (event) => {
    if (event.target === stage) element.close();
  });
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  show(start);
  element.showModal();
  close.focus();
}
