// The scrolling history of a channel or chat: days, the unread line, what is at the ends, what has been read.
//
// Scrolls both ways: near an end, more is read. It stays where the eye is when something comes in above, and at the end
// when one was at the end. What was on the screen long enough to be seen is reported as read, once, upwards only; and as
// seen, each by itself.

import { arrange, h } from "../dom.js";
import { count, day, dayKey } from "../format.js";
import { icon } from "../icons.js";
import { attempt } from "../overlay.js";
import { t } from "../texts.js";

const NEAR = 600; // pixels from an end at which more is read
const AT_END = 60;
/** Shares of an item in sight at which to look again: what is taller than the window never shows half of itself. */
const STEPS = Array.from({ length: 21 }, (_, step) => step / 20);
const READ_EVERY = 500; // milliseconds
const SEEN_AFTER = 700; // milliseconds on the screen of a window that is looked at
const POINTED_FOR = 2500; // milliseconds

export class History {
  /**
   * `draw(item, old)` gives an element for an item, or makes the old one show it; `onRead(seq)` hears how far it is read,
   * `onSeen(seqs)` what was really before the eyes.
   */
  constructor({ stream, readSeq, unread, draw, onRead, onSeen = null }) {
    this.#stream = stream;
    this.#draw = draw;
    this.#onRead = onRead;
    this.#onSeen = onSeen;
    this.#lineAfter = unread > 0 ? readSeq : null;
    this.#read = readSeq ?? Infinity;
    this.#list = h("ol.items", { "aria-label": t("history.label") });
    this.#begin = h("p.begin.soft", { hidden: true }, t("history.start"));
    this.#empty = h("p.empty", { hidden: true }, t("history.empty"));
    this.scroller = h("div.scroller", { tabindex: "0", role: "region", "aria-label": t("history.label"), on: { scroll: () => this.#scrolled() } },
      this.#begin, this.#empty, this.#list);
    this.#down = h("button.to-newest", { type: "button", hidden: true, on: { click: () => this.#toNewest() } }, icon("down"), h("span"));
    this.element = h("div.history", {}, this.scroller, this.#down);
    this.#seen = new IntersectionObserver((entries) => this.#saw(entries), { root: this.scroller, threshold: STEPS });
    stream.addEventListener("change", this.#onChange);
    document.addEventListener("visibilitychange", this.#onVisible);
  }

  #stream;
  #draw;
  #onRead;
  #onSeen;
  #seenTimer = 0;
  #onScreen = new Map(); // by seq: since when, until it is reported
  #lineAfter;
  #read;
  #visible = 0;
  #timer = 0;
  #list;
  #begin;
  #empty;
  #down;
  #seen;
  #drawn = new Map(); // by seq: the item and the element that shows it
  #days = new Map();
  #line = null;
  #isPlaced = false;
  #isReading = false;

  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#seenTimer);
    this.#seen.disconnect();
    this.#stream.removeEventListener("change", this.#onChange);
    document.removeEventListener("visibilitychange", this.#onVisible);
    this.#stream.close();
  }

  /** Show it for the first time: the unread line in sight, else the end. */
  placeFirst() {
    this.render();
    this.#isPlaced = true;
    if (this.#line) this.#line.scrollIntoView({ block: "start" });
    else this.#toEnd();
    this.#scrolled();
  }

  #onChange = () => this.render();

  get #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < AT_END;
  }

  #toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  render() {
    const stayAtEnd = this.#isPlaced && this.#isAtEnd && !this.#stream.hasNewer;
    // What is in sight stays where it is, whatever comes above it.
    const anchor = this.#isPlaced ? this.#topmost() : null;
    const top = anchor?.getBoundingClientRect().top;
    const wanted = [];
    let lastDay = null;
    this.#line = null;
    for (const item of this.#stream.inOrder()) {
      const key = dayKey(item.created_at);
      if (key !== lastDay) wanted.push(this.#day(key, item.created_at));
      lastDay = key;
      if (this.#line === null && this.#lineAfter !== null && item.seq > this.#lineAfter) wanted.push((this.#line = this.#unreadLine()));
      wanted.push(this.#element(item));
    }
    for (const [seq, { element }] of this.#drawn) {
      if (!this.#stream.items.has(seq)) {
        this.#seen.unobserve(element);
        this.#drawn.delete(seq);
      }
    }
    arrange(this.#list, wanted);
    this.#begin.hidden = this.#stream.hasOlder || !wanted.length;
    this.#empty.hidden = wanted.length > 0;
    if (stayAtEnd) this.#toEnd();
    else if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - top;
    this.#showDown();
    // A tall window may have room for more than one page.
    if (this.#isPlaced) this.#scrolled();
  }

  #topmost() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const child of this.#list.children) if (child.getBoundingClientRect().bottom > top && child.dataset.seq) return child;
    return null;
  }

  #element(item) {
    let drawn = this.#drawn.get(item.seq);
    if (drawn?.item === item) return drawn.element;
    const element = this.#draw(item, drawn?.element ?? null);
    element.dataset.seq = item.seq;
    if (element !== drawn?.element) {
      if (drawn) this.#seen.unobserve(drawn.element);
      this.#seen.observe(element);
    }
    this.#drawn.set(item.seq, { item, element });
    return element;
  }

  /** Bring this one into sight and mark it for a moment; where it is not held, what is around it is read. */
  async jumpTo(seq) {
    if (!(await attempt(() => this.#stream.around(seq)))) return;
    const element = this.#drawn.get(seq)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    for (const pointed of this.#list.querySelectorAll(".pointed")) pointed.classList.remove("pointed");
    element.classList.add("pointed");
    setTimeout(() => element.classList.remove("pointed"), POINTED_FOR);
  }

  /** Report what is read from here on: the reader has become a subscriber. */
  follow(readSeq) {
    if (this.#read === Infinity) this.#read = readSeq;
  }

  /** Have every item drawn again: something that all show has changed. */
  redraw() {
    for (const [seq, drawn] of this.#drawn) this.#drawn.set(seq, { ...drawn, item: null });
    this.render();
  }

  #day(key, instant) {
    if (!this.#days.has(key)) this.#days.set(key, h("li.day", {}, h("span", {}, day(instant))));
    return this.#days.get(key);
  }

  #unreadLine() {
    const n = this.#stream.inOrder().filter((item) => item.seq > this.#lineAfter).length;
    this.unreadLine ??= h("li.unread-line", {}, h("span", {}, t("history.unread", { n: Math.max(n, this.#stream.head - this.#lineAfter) })));
    return this.unreadLine;
  }

  #showDown() {
    const newer = this.#stream.hasNewer ? this.#stream.head - this.#stream.last : 0;
    const below = [...this.#stream.items.keys()].filter((seq) => seq > Math.max(this.#visible, this.#read)).length;
    const fresh = this.#read === Infinity ? 0 : newer + below;
    this.#down.hidden = this.#isAtEnd && !this.#stream.hasNewer;
    this.#down.lastElementChild.textContent = fresh > 0 ? t("history.new", { n: fresh }) : "";
    this.#down.setAttribute("aria-label", fresh > 0 ? t("history.new", { n: fresh }) : t("history.newest"));
    this.#down.dataset.count = count(fresh);
  }

  async #toNewest() {
    if (this.#stream.hasNewer) await attempt(() => this.#stream.toNewest());
    this.#toEnd();
    this.scroller.focus();
  }

  async #scrolled() {
    this.#showDown();
    if (this.#isReading || !this.#isPlaced) return;
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    let more = null;
    if (scrollTop < NEAR && this.#stream.hasOlder) more = () => this.#stream.older();
    else if (scrollHeight - scrollTop - clientHeight < NEAR && this.#stream.hasNewer) more = () => this.#stream.newer();
    if (!more) return;
    this.#isReading = true;
    const done = await attempt(more);
    this.#isReading = false;
    if (done) this.#scrolled();
  }

  #saw(entries) {
    for (const entry of entries) {
      const fills = entry.intersectionRect.height > this.scroller.clientHeight / 2;
      const seq = Number(entry.target.dataset.seq);
      if (entry.isIntersecting && (entry.intersectionRatio >= 0.5 || fills)) {
        this.#visible = Math.max(this.#visible, seq);
        if (!this.#onScreen.has(seq)) this.#onScreen.set(seq, performance.now());
      } else {
        this.#onScreen.delete(seq);
      }
    }
    this.#showDown();
    this.#report();
    this.#tellSeenSoon();
  }

  #onVisible = () => {
    // Time before eyes that were elsewhere does not count.
    for (const seq of this.#onScreen.keys()) this.#onScreen.set(seq, performance.now());
    this.#report();
    this.#tellSeenSoon();
  };

  #tellSeenSoon() {
    if (this.#onSeen === null || this.#seenTimer || !this.#onScreen.size || document.visibilityState !== "visible") return;
    this.#seenTimer = setTimeout(() => {
      this.#seenTimer = 0;
      if (document.visibilityState !== "visible") return;
      const until = performance.now() - SEEN_AFTER;
      const seqs = [...this.#onScreen].filter(([, since]) => since <= until).map(([seq]) => seq);
      for (const seq of seqs) this.#onScreen.delete(seq);
      if (seqs.length) this.#onSeen(seqs);
      this.#tellSeenSoon();
    }, SEEN_AFTER);
  }

  #report = () => {
    if (document.visibilityState !== "visible" || this.#visible <= this.#read || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.#visible <= this.#read) return;
      this.#read = this.#visible;
      this.#onRead(this.#read);
      this.#showDown();
    }, READ_EVERY);
  };
}
