// The scrolling list of posts or messages: day headings, the unread line, and reports of what has been read.
//
// It scrolls both ways; near an end, more items are loaded. What the user looks at stays in place when items come in above,
// and the list stays at its end when it was there. An item that is visible is reported as read, upwards only. An item that
// was visible long enough is also reported as seen.

import { t } from "../texts.js";
import { h, reconcile } from "../ui/dom.js";
import { count, day, dayKey } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { attempt } from "../ui/overlay.js";

const LOAD_WITHIN = 600; // pixels from an end
const AT_END_WITHIN = 60; // pixels from the end
/** Visible shares of an item at which to look again. An item taller than the window never shows half of itself. */
const THRESHOLDS = Array.from({ length: 21 }, (_, step) => step / 20);
const REPORT_READ_EVERY = 500; // milliseconds
const SEEN_AFTER = 700; // milliseconds on the screen
const HIGHLIGHT_FOR = 2500; // milliseconds

export class History {
  /** @param {App.HistoryOptions} options */
  constructor({ stream, readSeq, unread, renderItem, onRead, onSeen = null }) {
    this.#stream = stream;
    this.#renderItem = renderItem;
    this.#onRead = onRead;
    this.#onSeen = onSeen;
    this.#lineAfterSeq = unread > 0 ? readSeq : null;
    this.#readSeq = readSeq ?? Infinity;
    this.#list = h("ol.items", { "aria-label": t("history.label") });
    this.#start = h("p.start.soft", { hidden: true }, t("history.start"));
    this.#empty = h("p.empty", { hidden: true }, t("history.empty"));
    this.#scroller = h(
      "div.scroller",
      { tabindex: "0", role: "region", "aria-label": t("history.label"), on: { scroll: () => this.#onScroll() } },
      this.#start,
      this.#empty,
      this.#list,
    );
    this.#toNewestButton = h(
      "button.to-newest",
      { type: "button", hidden: true, on: { click: () => this.#toNewest() } },
      icon("down"),
      this.#newCount,
    );
    this.element = h("div.history", {}, this.#scroller, this.#toNewestButton);
    this.#observer = new IntersectionObserver((entries) => this.#onIntersect(entries), {
      root: this.#scroller,
      threshold: THRESHOLDS,
    });
    stream.addEventListener("change", this.#onChange);
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  #stream;
  #renderItem;
  #onRead;
  #onSeen;
  #readTimer = 0;
  #seenTimer = 0;
  /** @type {Map<number, number>} */
  #onScreen = new Map(); // by seq: since when, until it is reported as seen
  #lineAfterSeq;
  #readSeq;
  #visibleSeq = 0; // the highest one that was visible
  #scroller;
  #list;
  #start;
  #empty;
  #toNewestButton;
  #newCount = h("span");
  #observer;
  /** @type {Map<number, { item: App.Item | null; element: HTMLElement }>} */
  #rendered = new Map(); // by seq: the item and its element
  /** @type {Map<string, HTMLElement>} */
  #days = new Map(); // by day: its heading
  /** @type {HTMLElement | null} */
  #unreadLine = null;
  #isOpen = false;
  #isLoading = false;

  close() {
    clearTimeout(this.#readTimer);
    clearTimeout(this.#seenTimer);
    this.#observer.disconnect();
    this.#stream.removeEventListener("change", this.#onChange);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#stream.close();
  }

  /** Shows the unread line, or the end when nothing is unread. Call it once, when the element is on the page. */
  open() {
    this.render();
    this.#isOpen = true;
    if (this.#unreadLine?.isConnected) this.#unreadLine.scrollIntoView({ block: "start" });
    else this.scrollToEnd();
    this.#onScroll();
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /**
   * Scrolls to an item and highlights it for a moment. Loads the items around it if needed.
   * @param {number} seq
   */
  async jumpTo(seq) {
    if (!(await attempt(() => this.#stream.loadAround(seq)))) return;
    const element = this.#rendered.get(seq)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    for (const other of this.#list.querySelectorAll(".highlighted")) other.classList.remove("highlighted");
    element.classList.add("highlighted");
    setTimeout(() => element.classList.remove("highlighted"), HIGHLIGHT_FOR);
  }

  /**
   * Starts to report what is read, after the reader has become a member.
   * @param {number} readSeq
   */
  startReporting(readSeq) {
    if (this.#readSeq === Infinity) this.#readSeq = readSeq;
  }

  /** Renders every item again, because something that all of them show has changed. */
  renderAgain() {
    for (const [seq, rendered] of this.#rendered) this.#rendered.set(seq, { ...rendered, item: null });
    this.render();
  }

  #onChange = () => this.render();

  render() {
    const staysAtEnd = this.#isOpen && this.#isAtEnd && !this.#stream.hasNewer;
    // The topmost visible item stays in place, whatever is inserted above it.
    const anchor = this.#isOpen ? this.#topmostVisible() : null;
    const top = anchor?.getBoundingClientRect().top ?? 0;
    /** @type {HTMLElement[]} */
    const wanted = [];
    let lastDay = null;
    let hasLine = false;
    for (const item of this.#stream.inOrder()) {
      const key = dayKey(item.created_at);
      if (key !== lastDay) wanted.push(this.#dayHeading(key, item.created_at));
      lastDay = key;
      if (!hasLine && this.#lineAfterSeq !== null && item.seq > this.#lineAfterSeq) {
        hasLine = true;
        wanted.push(this.#unreadLineElement());
      }
      wanted.push(this.#element(item));
    }
    for (const [seq, { element }] of this.#rendered) {
      if (!this.#stream.items.has(seq)) {
        this.#observer.unobserve(element);
        this.#rendered.delete(seq);
      }
    }
    reconcile(this.#list, wanted);
    this.#start.hidden = this.#stream.hasOlder || !wanted.length;
    this.#empty.hidden = wanted.length > 0;
    if (staysAtEnd) this.scrollToEnd();
    else if (anchor?.isConnected) this.#scroller.scrollTop += anchor.getBoundingClientRect().top - top;
    this.#showToNewest();
    // A tall window may have room for more than one page.
    if (this.#isOpen) this.#onScroll();
  }

  get #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < AT_END_WITHIN;
  }

  #topmostVisible() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const child of this.#list.children)
      if (child.getBoundingClientRect().bottom > top && child instanceof HTMLElement && child.dataset.seq) return child;
    return null;
  }

  /** @param {App.Item} item */
  #element(item) {
    const rendered = this.#rendered.get(item.seq);
    if (rendered?.item === item) return rendered.element;
    const element = this.#renderItem(item, rendered?.element ?? null);
    element.dataset.seq = String(item.seq);
    if (element !== rendered?.element) {
      if (rendered) this.#observer.unobserve(rendered.element);
      this.#observer.observe(element);
    }
    this.#rendered.set(item.seq, { item, element });
    return element;
  }

  /**
   * @param {string} key
   * @param {string} instant
   */
  #dayHeading(key, instant) {
    const heading = this.#days.get(key) ?? h("li.day", {}, h("span", {}, day(instant)));
    this.#days.set(key, heading);
    return heading;
  }

  #unreadLineElement() {
    const after = this.#lineAfterSeq ?? 0;
    const loaded = this.#stream.inOrder().filter((item) => item.seq > after).length;
    const n = Math.max(loaded, this.#stream.headSeq - after);
    this.#unreadLine ??= h("li.unread-line", {}, h("span", {}, t("history.unread", { n })));
    return this.#unreadLine;
  }

  #showToNewest() {
    const notLoaded = this.#stream.hasNewer ? this.#stream.headSeq - this.#stream.last : 0;
    const below = [...this.#stream.items.keys()].filter(
      (seq) => seq > Math.max(this.#visibleSeq, this.#readSeq),
    ).length;
    const n = this.#readSeq === Infinity ? 0 : notLoaded + below;
    this.#toNewestButton.hidden = this.#isAtEnd && !this.#stream.hasNewer;
    this.#newCount.textContent = n > 0 ? t("history.new", { n }) : "";
    this.#toNewestButton.setAttribute("aria-label", n > 0 ? t("history.new", { n }) : t("history.newest"));
    this.#toNewestButton.dataset.count = count(n);
  }

  async #toNewest() {
    if (this.#stream.hasNewer) await attempt(() => this.#stream.loadNewest());
    this.scrollToEnd();
    this.#scroller.focus();
  }

  async #onScroll() {
    this.#showToNewest();
    if (this.#isLoading || !this.#isOpen) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    let load = null;
    if (scrollTop < LOAD_WITHIN && this.#stream.hasOlder) load = () => this.#stream.loadOlder();
    else if (scrollHeight - scrollTop - clientHeight < LOAD_WITHIN && this.#stream.hasNewer)
      load = () => this.#stream.loadNewer();
    if (!load) return;
    this.#isLoading = true;
    const isDone = await attempt(load);
    this.#isLoading = false;
    if (isDone) this.#onScroll();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onIntersect(entries) {
    for (const entry of entries) {
      const fillsScreen = entry.intersectionRect.height > this.#scroller.clientHeight / 2;
      const seq = Number(/** @type {HTMLElement} */ (entry.target).dataset.seq);
      if (entry.isIntersecting && (entry.intersectionRatio >= 0.5 || fillsScreen)) {
        this.#visibleSeq = Math.max(this.#visibleSeq, seq);
        if (!this.#onScreen.has(seq)) this.#onScreen.set(seq, performance.now());
      } else {
        this.#onScreen.delete(seq);
      }
    }
    this.#showToNewest();
    this.#reportReadSoon();
    this.#reportSeenSoon();
  }

  #onVisibility = () => {
    // The time for which the window was hidden does not count.
    for (const seq of this.#onScreen.keys()) this.#onScreen.set(seq, performance.now());
    this.#reportReadSoon();
    this.#reportSeenSoon();
  };

  #reportReadSoon() {
    if (document.visibilityState !== "visible" || this.#visibleSeq <= this.#readSeq || this.#readTimer) return;
    this.#readTimer = setTimeout(() => {
      this.#readTimer = 0;
      if (this.#visibleSeq <= this.#readSeq) return;
      this.#readSeq = this.#visibleSeq;
      this.#onRead(this.#readSeq);
      this.#showToNewest();
    }, REPORT_READ_EVERY);
  }

  #reportSeenSoon() {
    if (this.#onSeen === null || this.#seenTimer || !this.#onScreen.size || document.visibilityState !== "visible")
      return;
    this.#seenTimer = setTimeout(() => {
      this.#seenTimer = 0;
      if (document.visibilityState !== "visible") return;
      const until = performance.now() - SEEN_AFTER;
      const seqs = [...this.#onScreen].filter(([, since]) => since <= until).map(([seq]) => seq);
      for (const seq of seqs) this.#onScreen.delete(seq);
      if (seqs.length) this.#onSeen?.(seqs);
      this.#reportSeenSoon();
    }, SEEN_AFTER);
  }
}
