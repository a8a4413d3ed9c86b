// A row in a list of conversations: picture, title, time, preview and unread badge; and badges by themselves.

import { t } from "../texts.js";
import { fill, h } from "./dom.js";
import { count, exact, shortTime } from "./format.js";
import { icon } from "./icons.js";

/**
 * The children of a row. `last` is the last message, null when there is none; `marks` stand before the badge.
 * @param {App.Row} options
 */
export function rowContent({ picture, title, verified = null, last, preview, marks = [], unread, isMuted = false }) {
  const badge = h("span.badge", { hidden: true });
  badge.classList.toggle("muted", isMuted);
  showBadge(badge, unread);
  return [
    picture,
    h(
      "span.row-text",
      {},
      h(
        "span.row-top",
        {},
        h("span.row-title", { dir: "auto" }, title),
        verified,
        last ? h("time.soft", { datetime: last.at, title: exact(last.at) }, shortTime(last.at)) : null,
      ),
      h("span.row-bottom", {}, h("span.preview.soft", { dir: "auto" }, preview), marks, badge),
    ),
  ];
}

/**
 * A small icon with a meaning of its own, which screen readers announce.
 * @param {App.IconName} name
 * @param {string} label
 */
export function mark(name, label) {
  return h("span.mark", { role: "img", "aria-label": label, title: label }, icon(name));
}

/**
 * Shows a number in a badge, or hides the badge when the number is 0. `key` is the text that says what is counted.
 * @param {HTMLElement} badge
 * @param {number} n
 * @param {"nav.unread" | "inbox.unread" | "requests.open" | "requests.open.more"} [key]
 */
export function showBadge(badge, n, key = "nav.unread") {
  badge.hidden = !(n > 0);
  badge.setAttribute("role", "img");
  fill(badge, n > 0 ? count(n) : null);
  if (n > 0) badge.setAttribute("aria-label", t(key, { n }));
}
