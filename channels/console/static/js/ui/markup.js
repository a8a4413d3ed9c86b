// The elements of a text with marks (`sdk/core/markup.js`), and links.
//
// Texts become text nodes. Links lead to http, https and mailto only, and tell nothing of the page that they are on. Nothing
// is loaded. A long text is cut off, with a button that shows the rest.

import { parseMarkup } from "../../sdk/core/markup.js";
import { t } from "../texts.js";
import { h } from "./dom.js";

/** @import { MarkupBlock, MarkupInline, MarkupList } from "../../sdk/types/channels.js" */

// A text is long by what it says, not by its height on the page: so nothing has to be measured, and an element that is made
// anew is as tall as the one before.
const LONG_CHARACTERS = 1400;
const LONG_LINES = 24;

/** The ids of the posts and messages whose long text is shown whole. @type {Set<string>} */
const shownWhole = new Set();

/**
 * The address if it is an http(s) one, otherwise null.
 * @param {string} text
 */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * A link. Addresses of channels on this server open in the app, all others in a new tab.
 * @param {string} url
 * @param {App.Child[]} children
 */
export function linkTo(url, ...children) {
  const { origin, pathname, search } = new URL(url);
  if (origin === window.location.origin && pathname.startsWith("/channels/"))
    return h("a", { href: pathname + search, "data-inside": true }, ...children);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/**
 * The element of a text. `id` is that of its post or message: a long text that was shown whole stays so.
 * @param {string} text
 * @param {string | null} [id]
 */
export function textElement(text, id = null) {
  const blocks = parseMarkup(text);
  const [first] = blocks;
  const element =
    blocks.length === 1 && first.type === "text"
      ? h("p.text", { dir: "auto" }, inline(first.children))
      : h("div.text", {}, blocks.map(blockElement));
  return isLong(text) ? cutOff(element, id) : element;
}

/** @param {string} text */
function isLong(text) {
  return text.length > LONG_CHARACTERS || text.split("\n", LONG_LINES + 1).length > LONG_LINES;
}

/**
 * @param {HTMLElement} element
 * @param {string | null} id
 */
function cutOff(element, id) {
  const button = h("button.quiet.small.read-more", { type: "button", on: { click: () => show(!isWhole()) } });
  const box = h("div.long-text", {}, element, button);
  const isWhole = () => !element.classList.contains("cut");
  /** @param {boolean} whole */
  const show = (whole) => {
    element.classList.toggle("cut", !whole);
    button.textContent = t(whole ? "text.less" : "text.more");
    button.setAttribute("aria-expanded", String(whole));
    if (id !== null && whole) shownWhole.add(id);
    else if (id !== null) shownWhole.delete(id);
    // The end of the text was in sight, and would be above the window now.
    if (!whole && box.isConnected && box.getBoundingClientRect().top < 0) box.scrollIntoView({ block: "start" });
  };
  // A link in the hidden part has got the focus.
  element.addEventListener("focusin", () => show(true));
  show(id !== null && shownWhole.has(id));
  return box;
}

/**
 * @param {MarkupBlock} block
 * @returns {HTMLElement}
 */
function blockElement(block) {
  switch (block.type) {
    case "text":
      return h("p", { dir: "auto" }, inline(block.children));
    case "code":
      return h("pre", { dir: "ltr" }, h("code", {}, block.text));
    case "quote":
      return h("blockquote", {}, block.children.map(blockElement));
    case "list":
      return listElement(block);
  }
}

/**
 * @param {MarkupList} list
 * @returns {HTMLElement}
 */
function listElement({ start, items }) {
  const children = items.map(({ children: inside, lists }) =>
    h("li", { dir: "auto" }, inline(inside), lists.map(listElement)),
  );
  return start === null ? h("ul", {}, children) : h("ol", { start: start === 1 ? null : start }, children);
}

const TAGS = /** @type {const} */ ({ bold: "strong", italic: "em", strike: "s" });

/**
 * @param {MarkupInline[]} children
 * @returns {App.Child[]}
 */
function inline(children) {
  return children.map((child) => {
    if (typeof child === "string") return child;
    if (child.type === "code") return h("code", {}, child.text);
    if (child.type !== "link") return h(TAGS[child.type], {}, inline(child.children));
    if (child.url.toLowerCase().startsWith("mailto:")) return h("a", { href: child.url }, inline(child.children));
    // A few hosts are none to a browser, such as `http://1.2.3.4.5`.
    const url = webAddress(child.url);
    if (url === null) return inline(child.children);
    const element = linkTo(url, inline(child.children));
    element.dataset.counted = child.url;
    return element;
  });
}
