// The preview of the first link in a text that is being written: found by the server, shown to the author, who may remove it,
// and sent along with the post or message. Does nothing where the server has previews switched off.

import { parseMarkup } from "../../sdk/core/markup.js";
import { newIdempotencyKey, post } from "../client/api.js";
import { limits } from "../client/limits.js";
import { t } from "../texts.js";
import { linkCard } from "./content.js";
import { debounce, fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** @import { MarkupBlock, MarkupInline, MarkupList } from "../../sdk/types/channels.js" */

const ASK_AFTER = 500; // milliseconds without a key

/**
 * What a body takes for a link that a response showed.
 * @param {Api.LinkResponse} link
 * @returns {Api.LinkBody}
 */
export function linkBody({ title, url, description, image }) {
  return { title, url, ...(description && { description }), ...(image && { image: image.media_id }) };
}

/**
 * The first web address that readers would see as a link; null without one.
 * @param {string} text
 */
const firstAddress = (text) => inBlocks(parseMarkup(text));

/**
 * @param {MarkupBlock[]} blocks
 * @returns {string | null}
 */
function inBlocks(blocks) {
  for (const block of blocks) {
    const found =
      block.type === "text"
        ? inInline(block.children)
        : block.type === "quote"
          ? inBlocks(block.children)
          : block.type === "list"
            ? inList(block)
            : null;
    if (found) return found;
  }
  return null;
}

/**
 * @param {MarkupList} list
 * @returns {string | null}
 */
function inList({ items }) {
  for (const { children, lists } of items) {
    const found = inInline(children) ?? inBlocks(lists);
    if (found) return found;
  }
  return null;
}

/**
 * @param {MarkupInline[]} children
 * @returns {string | null}
 */
function inInline(children) {
  for (const child of children) {
    if (typeof child === "string" || child.type === "code") continue;
    if (child.type === "link" && /^https?:/i.test(child.url)) return child.url;
    const found = inInline(child.children);
    if (found) return found;
  }
  return null;
}

export class LinkPreview {
  /** @param {{ onChange?: () => unknown }} [options] */
  constructor({ onChange = () => {} } = {}) {
    this.#onChange = onChange;
  }

  element = h("div.link-preview", { role: "group", "aria-label": t("preview.label"), hidden: true });
  #onChange;
  /** By address: what the server found; null: nothing, or the author removed it. @type {Map<string, Api.LinkResponse | null>} */
  #known = new Map();
  /** @type {string | null} */
  #address = null;
  /** @type {Api.LinkResponse | null} */
  #shown = null;

  /** What goes into the `links` of the body; null without a preview. */
  get link() {
    return this.#shown && linkBody(this.#shown);
  }

  /** The picture of the preview, as the server described it. */
  get media() {
    return this.#shown?.image ?? null;
  }

  /**
   * The text has changed. A link that was removed takes its preview along.
   * @param {string} text
   */
  update(text) {
    if (!limits.link_previews_per_minute) return;
    const address = text.includes("://") ? firstAddress(text) : null;
    if (address === this.#address) return;
    this.#address = address;
    const known = address === null ? null : this.#known.get(address);
    this.#set(known ?? null);
    if (address !== null && known === undefined) this.#askSoon(address);
  }

  /** Forgets everything, also what the author removed. */
  clear() {
    this.#known.clear();
    this.#address = null;
    this.#set(null);
  }

  /**
   * Shows a preview that a post has already.
   * @param {Api.LinkResponse} link
   */
  show(link) {
    this.#address = link.url;
    this.#known.set(link.url, link);
    this.#set(link);
  }

  #askSoon = debounce(
    ASK_AFTER,
    /** @param {string} address */
    async (address) => {
      if (address !== this.#address) return;
      // Whatever the reason, without a preview there is only the link.
      const found = await post("/v1/link-previews", { url: address }, newIdempotencyKey()).catch(() => null);
      this.#known.set(address, found);
      if (address === this.#address) this.#set(found);
    },
  );

  #remove() {
    if (this.#address !== null) this.#known.set(this.#address, null);
    this.#set(null);
  }

  /** @param {Api.LinkResponse | null} link */
  #set(link) {
    if (link === this.#shown) return;
    this.#shown = link;
    const remove = { type: "button", "aria-label": t("preview.remove"), on: { click: () => this.#remove() } };
    fill(this.element, link && [linkCard(link), h("button.quiet.square.small", remove, icon("close"))]);
    this.element.hidden = link === null;
    this.#onChange();
  }
}
