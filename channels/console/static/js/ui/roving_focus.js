// One tab stop for a list of links: arrow keys, Home and End move the focus between them. In a line, left and right do so too.

export class RovingFocus {
  /**
   * @param {HTMLElement} list
   * @param {string} selector of the link of each row
   * @param {{ tool?: string | null; isLine?: boolean }} [options] `tool`: selector of a button of each row, a tab stop beside
   *   its link
   */
  constructor(list, selector, { tool = null, isLine = false } = {}) {
    this.#list = list;
    this.#selector = selector;
    this.#tool = tool;
    this.#isLine = isLine;
    list.addEventListener("keydown", (event) => this.#onKey(event));
    list.addEventListener("focusin", () => {
      const item = this.#items.find(hasFocus);
      if (item && item !== this.#stop) this.#moveStop(item);
    });
  }

  #list;
  #selector;
  #tool;
  #isLine;
  /** @type {HTMLElement | null} */
  #stop = null;

  /** @returns {HTMLElement[]} */
  get #items() {
    return [...this.#list.querySelectorAll(this.#selector)].filter((item) => item instanceof HTMLElement);
  }

  /** Call it after rows have come, gone or moved. The tab stop stays where it was, else it is the current row or the first. */
  refresh() {
    const items = this.#items;
    const isThere = this.#stop !== null && items.includes(this.#stop);
    this.#stop = (isThere ? this.#stop : (items.find((item) => item.hasAttribute("aria-current")) ?? items[0])) ?? null;
    for (const item of items) this.#setTabIndex(item, item === this.#stop ? 0 : -1);
  }

  /**
   * Returns whether there is such an item.
   * @param {number} index
   */
  focusAt(index) {
    const item = this.#items[index];
    item?.focus();
    return item !== undefined;
  }

  /** @param {HTMLElement} item */
  #moveStop(item) {
    if (this.#stop) this.#setTabIndex(this.#stop, -1);
    this.#setTabIndex(item, 0);
    this.#stop = item;
  }

  /**
   * @param {HTMLElement} item
   * @param {number} tabIndex
   */
  #setTabIndex(item, tabIndex) {
    item.tabIndex = tabIndex;
    const tool = this.#tool === null ? null : item.parentElement?.querySelector(this.#tool);
    if (tool instanceof HTMLElement) tool.tabIndex = tabIndex;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const items = this.#items;
    const at = items.findIndex(hasFocus);
    /** @type {{ [key: string]: number }} */
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (this.#isLine) {
      const step = document.documentElement.dir === "rtl" ? -1 : 1;
      Object.assign(moves, { ArrowRight: at + step, ArrowLeft: at - step });
    }
    if (at < 0 || !(event.key in moves)) return;
    event.preventDefault();
    items[moves[event.key]]?.focus();
  }
}

/**
 * Whether the focus is on the link, or on a button of its row.
 * @param {HTMLElement} item
 */
const hasFocus = (item) => Boolean(item.parentElement?.contains(document.activeElement));
