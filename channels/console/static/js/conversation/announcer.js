// Tells screen readers of new posts or messages: politely, one by its text, several at once by their number.

import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { contentPreview } from "../ui/previews.js";

const COLLECT_FOR = 1500; // milliseconds
const CLEAR_AFTER = 8000; // milliseconds; what was said must not be found again by somebody who reads the page

export class Announcer {
  element = h("p.unseen", { role: "status" });
  #count = 0;
  #text = "";
  #timer = 0;

  /**
   * Announces `count` more of them, soon. `item` is the last one, where it is loaded.
   * @param {number} count
   * @param {App.Item | null} item
   */
  add(count, item) {
    this.#count += count;
    this.#text = item ? textOf(item) : "";
    if (this.#timer && !this.element.textContent) return;
    clearTimeout(this.#timer);
    this.element.textContent = "";
    this.#timer = setTimeout(() => this.#say(), COLLECT_FOR);
  }

  #say() {
    const isOne = this.#count === 1 && this.#text !== "";
    this.element.textContent = isOne ? this.#text : t("history.arrived", { n: this.#count });
    this.#count = 0;
    this.#timer = setTimeout(() => {
      this.element.textContent = "";
      this.#timer = 0;
    }, CLEAR_AFTER);
  }

  close() {
    clearTimeout(this.#timer);
  }
}

/** @param {App.Item} item */
function textOf(item) {
  const text = contentPreview(item);
  return item.sender_name
    ? t("history.arrivedFrom", { name: item.sender_name, text })
    : t("history.arrivedOne", { text });
}
