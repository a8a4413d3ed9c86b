// The scrolling list of posts or messages: day headings, the unread line, and reports of what has been read.
//
// It scrolls both ways; near an end, more items are loaded. Of all loaded items only a window is in the page: those on the
// screen and about two screens on either side. Live changes of the others show when they come back, since they are made
// from the stream again. A player that plays is set aside rather than removed, so that it plays on.
//
// What the user looks at stays in place when items come in above, when something is loaded, and when the list is resized.
// After a landing (the first unread item, a link to a post) the target stays in place until the user scrolls. The list stays
// at its end when it was there.
//
// One item at a time is in the order of the Tab key, with its controls: the one that has the focus or had it last, otherwise
// the first unread one, otherwise what is on the screen. The arrow keys move from one to the next.
//
// An item that is visible is reported as read, upwards only. An item that was visible long enough is also reported as seen.

import { session } from "../client/session.js";
import { t } from "../texts.js";
import { h, reconcile, uniqueId } from "../ui/dom.js";
import { count, day, dayKey } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { attempt, notice } from "../ui/overlay.js";
import { Announcer } from "./announcer.js";

const LOAD_WITHIN = 600; // pixels from an end
const AT_END_WITHIN = 60; // pixels from the end
/** Screens of items beyond the visible ones: more are rendered below the first number, removed above the second. */
const FILL_BELOW = 1.25;
const TRIM_ABOVE = 3;
const TRIM_TO = 2;
const STEP = 12; // items that are rendered at once
const LANDING_MARGIN = 16; // pixels above an item that is taller than the window
/** Visible shares of an item at which to look again. An item taller than the window never shows half of itself. */
const THRESHOLDS = Array.from({ length: 21 }, (_, step) => step / 20);
const REPORT_READ_EVERY = 500; // milliseconds
const SEEN_AFTER = 700; // milliseconds on the screen
const UNFOLDS_WITHIN = 1000; // milliseconds after a click
const HIGHLIGHT_FOR = 2500; // milliseconds
const CONTROLS = "a[href], button, input, textarea, select, summary, audio, video, iframe";
/** The controls of an item that keys use (`items.js`, `reactions.js`). */
const CONTROL_OF = {
  react: ".chip.add",
  reply: "[data-reply]:not([hidden])",
  menu: ".meta button:not([hidden])",
};

export class History {
  /** @param {App.HistoryOptions} options */
  constructor({ stream, readSeq, unread, renderItem, onRead, onSeen = null }) {
    this.#stream = stream;
    this.#renderItem = renderItem;
    this.#onRead = onRead;
    this.#onSeen = onSeen;
    this.#lineAfterSeq = unread > 0 ? readSeq : null;
    this.#readSeq = readSeq ?? Infinity;
    this.#announcedSeq = stream.headSeq;
    this.#list = h("ol.items", { "aria-label": t("history.label") });
    this.#start = h("p.start.soft", { hidden: true }, t("history.start"));
    this.#empty = h("p.empty", { hidden: true }, t("history.empty"));
    this.#scroller = h(
      "div.scroller",
      {
        tabindex: "-1",
        role: "region",
        "aria-label": t("history.label"),
        on: {
          scroll: () => this.#onScroll(),
          keydown: (event) => this.#onKey(event),
          focusin: (event) => this.#onFocus(event),
          click: (event) => this.#onClick(event),
        },
      },
      this.#start,
      this.#empty,
      this.#list,
    );
    this.#toNewestButton = h(
      "button.to-newest",
      { type: "button", hidden: true, on: { click: () => this.focusNewest() } },
      icon("down"),
      this.#newCount,
    );
    this.element = h("div.history", {}, this.#scroller, this.#toNewestButton, this.#aside, this.#announcer.element);
    this.#observer = new IntersectionObserver((entries) => this.#onIntersect(entries), {
      root: this.#scroller,
      threshold: THRESHOLDS,
    });
    this.#sizes = new ResizeObserver(() => this.#keepPlace());
    this.#list.addEventListener("controls", (event) => this.#onControls(event));
    stream.addEventListener("change", this.#onChange);
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  #stream;
  #renderItem;
  #onRead;
  #onSeen;
  #announcer = new Announcer();
  #announcedSeq;
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
  /** Holds items outside the window whose sound or film plays. */
  #aside = h("div", { hidden: true });
  #observer;
  #sizes;
  /** The seqs between which items are in the page. */
  #from = 0;
  #to = 0;
  #reachesFirst = true; // whether the window begins with the first loaded item
  #reachesLast = true;
  /** @type {Map<number, { item: App.Item | null; element: HTMLElement }>} */
  #rendered = new Map(); // by seq: the item and its element
  /** @type {Map<string, HTMLElement>} */
  #days = new Map(); // by day: its heading
  /** @type {HTMLElement | null} */
  #unreadLine = null;
  /** What stays in place: the end, or an element (by seq where it has one) at this distance from the top. */
  #anchor = /** @type {"end" | { seq: number | null; top: number }} */ ("end");
  /** The item that was clicked last, where it was, and when. @type {{ seq: number; top: number; at: number } | null} */
  #clicked = null;
  #ownTop = 0; // where this class has scrolled to; elsewhere is where the user has
  /** @type {number | null} */
  #currentSeq = null; // of the item that is in the order of the Tab key
  #isOpen = false;
  #isLoading = false;

  close() {
    clearTimeout(this.#readTimer);
    clearTimeout(this.#seenTimer);
    this.#announcer.close();
    this.#observer.disconnect();
    this.#sizes.disconnect();
    this.#stream.removeEventListener("change", this.#onChange);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#stream.close();
  }

  // --- places

  /**
   * Shows a position that `position` returned before, otherwise the unread line, otherwise the end. Call it once, when the
   * element is on the page.
   * @param {App.ReadingPosition | null} [position]
   */
  open(position = null) {
    const items = this.#stream.inOrder();
    const unread = this.#lineAfterSeq === null ? undefined : items.find(({ seq }) => seq > (this.#lineAfterSeq ?? 0));
    const kept = position !== null && this.#stream.items.has(position.seq) ? position : null;
    const target = kept?.seq ?? unread?.seq;
    if (target === undefined) this.#windowAtEnd(items);
    else this.#windowAround(items, target);
    this.#currentSeq = kept?.current ?? target ?? this.#stream.last;
    this.render();
    this.#isOpen = true;
    if (kept) this.#hold(kept.seq, kept.top);
    else if (this.#unreadLine?.isConnected) this.#holdUnreadLine(this.#unreadLine);
    else this.scrollToEnd();
    this.#keepPlace();
    this.#afterScroll();
    this.#sizes.observe(this.#list);
    this.#sizes.observe(this.#scroller);
  }

  /**
   * Where the reader is now; null at the end.
   * @returns {Omit<App.ReadingPosition, "conversationId"> | null}
   */
  get position() {
    if (this.#isAtEnd && !this.#stream.hasNewer) return null;
    const element = this.#topmostVisible();
    if (!element) return null;
    const { top } = element.getBoundingClientRect();
    return {
      seq: Number(element.dataset.seq),
      top: top - this.#scroller.getBoundingClientRect().top,
      current: this.#currentSeq,
    };
  }

  scrollToEnd() {
    this.#anchor = "end";
    if (!this.#reachesLast) {
      this.#windowAtEnd(this.#stream.inOrder());
      this.render();
    }
    this.#scrollTo(this.#scroller.scrollHeight);
  }

  /**
   * Scrolls to an item, moves the focus there and highlights it for a moment. Loads the items around it if needed. Says so
   * when there is no such item, and shows the newest ones.
   * @param {number} seq
   */
  async jumpTo(seq) {
    if (!(await attempt(() => this.#stream.loadAround(seq)))) return;
    const item = this.#stream.items.get(seq);
    if (!item) {
      notice(t("history.missing"), { isBad: true });
      return this.focusNewest();
    }
    if (item.recalled_at) notice(t("post.deleted"));
    if (!this.#show(seq)) return;
    const element = /** @type {HTMLElement} */ (this.#rendered.get(seq)?.element);
    const room = this.#scroller.clientHeight - element.offsetHeight;
    this.#hold(seq, room < 2 * LANDING_MARGIN ? LANDING_MARGIN : room / 2);
    this.#keepPlace();
    this.#afterScroll();
    this.#focus(seq);
    for (const other of this.#list.querySelectorAll(".highlighted")) other.classList.remove("highlighted");
    element.classList.add("highlighted");
    setTimeout(() => element.classList.remove("highlighted"), HIGHLIGHT_FOR);
  }

  /**
   * Shows a position that `position` returned before, if its item is still there.
   * @param {App.ReadingPosition} position
   */
  async returnTo({ seq, top, current }) {
    if (!(await attempt(() => this.#stream.loadAround(seq))) || !this.#show(seq)) return;
    this.#hold(seq, top);
    this.#keepPlace();
    this.#afterScroll();
    this.#keepCurrent(current);
  }

  /** Scrolls to the newest item, which may have to be loaded, and moves the focus there. */
  async focusNewest() {
    if (this.#stream.hasNewer || !this.#stream.items.size)
      if (!(await attempt(() => this.#stream.loadNewest()))) return;
    this.#currentSeq = this.#stream.last;
    this.scrollToEnd();
    this.#afterScroll();
    this.#focus(this.#stream.last);
  }

  /** Scrolls to the first item that the user had not read when this was opened; to the newest one without such. */
  focusUnread() {
    const line = this.#lineAfterSeq;
    return line === null || line >= this.#stream.headSeq ? this.focusNewest() : this.jumpTo(line + 1);
  }

  /** The item that has the focus or had it last, and its element. */
  get current() {
    const found = this.#currentSeq === null ? undefined : this.#rendered.get(this.#currentSeq);
    const item = this.#currentSeq === null ? undefined : this.#stream.items.get(this.#currentSeq);
    return found && item ? { seq: item.seq, item, element: found.element } : null;
  }

  /**
   * The control of the current item that does this; null where the user may not.
   * @param {keyof typeof CONTROL_OF} name
   */
  control(name) {
    const found = this.current?.element.querySelector(CONTROL_OF[name]);
    return found instanceof HTMLElement ? found : null;
  }

  /** Moves the focus to the current item, for keys that work from anywhere in the view. */
  focusCurrent() {
    if (this.#currentSeq !== null) this.#focus(this.#currentSeq);
  }

  /**
   * Starts to report what is read, after the reader has become a member.
   * @param {number} readSeq
   */
  startReporting(readSeq) {
    if (this.#readSeq === Infinity) this.#readSeq = readSeq;
  }

  /** Reports everything as read, however far the user has scrolled. */
  markAllRead() {
    if (this.#readSeq >= this.#stream.headSeq) return;
    this.#readSeq = this.#stream.headSeq;
    this.#onRead(this.#readSeq);
    this.#showToNewest();
  }

  // --- rendering

  /** Renders every item again, because something that all of them show has changed. */
  renderAgain() {
    for (const [seq, rendered] of this.#rendered) this.#rendered.set(seq, { ...rendered, item: null });
    this.render();
  }

  #onChange = () => {
    this.#announce();
    this.render();
  };

  #announce() {
    const { headSeq } = this.#stream;
    if (headSeq <= this.#announcedSeq) return;
    let number = 0;
    let last = null;
    for (let seq = Math.max(this.#announcedSeq + 1, headSeq - 1000); seq <= headSeq; seq += 1) {
      const item = this.#stream.items.get(seq);
      if (item && (item.author_id ?? item.sender_id) === session.userId) continue;
      number += 1;
      last = item ?? null;
    }
    this.#announcedSeq = headSeq;
    if (this.#isOpen && number) this.#announcer.add(number, last);
  }

  render() {
    const items = this.#stream.inOrder();
    const staysAtEnd = this.#isOpen && this.#isAtEnd && !this.#stream.hasNewer;
    const wasCurrentLast = this.#currentSeq === this.#to;
    const lastSeq = this.#to;
    this.#moveWindow(items);
    const { first, last } = this.#windowIn(items);
    /** @type {HTMLElement[]} */
    const wanted = [];
    /** @type {Map<string, HTMLElement>} */
    const days = new Map();
    let lastDay = null;
    for (let index = first; index <= last; index += 1) {
      const item = items[index];
      const key = dayKey(item.created_at);
      if (key !== lastDay) {
        const heading = this.#days.get(key) ?? h("li.day", {}, h("span", {}, day(item.created_at)));
        days.set(key, heading);
        wanted.push(heading);
      }
      lastDay = key;
      if (this.#isFirstUnread(items, index)) wanted.push(this.#unreadLineElement());
      wanted.push(this.#element(item));
    }
    this.#days = days;
    const isFocused = this.#list.contains(document.activeElement);
    this.#removeOthers();
    reconcile(this.#list, wanted);
    this.#start.hidden = this.#stream.hasOlder || !wanted.length || !this.#reachesFirst;
    this.#empty.hidden = wanted.length > 0;
    this.#keepCurrent(staysAtEnd && wasCurrentLast && !isFocused ? this.#to : null);
    // The item with the focus has scrolled away: the list keeps the focus, and the arrow keys go on from what is visible.
    if (isFocused && !this.#list.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
    if (!this.#isOpen) return;
    if (staysAtEnd) this.#follow(lastSeq);
    else this.#keepPlace();
    this.#afterScroll();
  }

  /**
   * Stays at the end when something new has come, but never skips anything: when it does not fit on the screen, it is shown
   * from its beginning.
   * @param {number} lastSeq
   */
  #follow(lastSeq) {
    if (this.#reachesLast) this.scrollToEnd();
    const next = this.#itemElements().find((element) => Number(element.dataset.seq) > lastSeq);
    if (!next || (this.#reachesLast && this.#topOf(next) >= 0)) return;
    this.#hold(Number(next.dataset.seq), LANDING_MARGIN);
    this.#keepPlace();
  }

  /**
   * The indexes of the first and last item of the window.
   * @param {App.Item[]} items
   */
  #windowIn(items) {
    const first = items.findIndex(({ seq }) => seq >= this.#from);
    const last = items.findLastIndex(({ seq }) => seq <= this.#to);
    return first < 0 || last < first ? { first: 0, last: -1 } : { first, last };
  }

  /**
   * After a change of the stream: keeps the window where it is, with some of what is new behind its end. When its items are
   * gone, the window is at the end.
   * @param {App.Item[]} items
   */
  #moveWindow(items) {
    const reachedLast = this.#reachesLast;
    const { first, last } = this.#windowIn(items);
    if (last < first) this.#windowAtEnd(items);
    else this.#setWindow(items, first, reachedLast ? last + STEP : last);
  }

  /** @param {App.Item[]} items */
  #windowAtEnd(items) {
    this.#setWindow(items, items.length - 2 * STEP, items.length - 1);
  }

  /**
   * @param {App.Item[]} items
   * @param {number} seq
   */
  #windowAround(items, seq) {
    const index = items.findIndex((item) => item.seq >= seq);
    this.#setWindow(items, index - STEP, index + STEP);
  }

  /**
   * Chooses which items are in the page, by index. What is out of range is cut off.
   * @param {App.Item[]} items
   * @param {number} first
   * @param {number} last
   */
  #setWindow(items, first, last) {
    const begin = Math.max(0, first);
    const end = Math.min(items.length - 1, last);
    this.#from = items[begin]?.seq ?? 0;
    this.#to = items[end]?.seq ?? 0;
    this.#reachesFirst = begin === 0;
    this.#reachesLast = end === items.length - 1;
  }

  /** Renders more where the screen comes near an end of the window, and removes what is far away. */
  #fit() {
    const screen = this.#scroller.clientHeight;
    const children = this.#itemElements();
    if (!screen || !children.length) return;
    const view = this.#scroller.getBoundingClientRect();
    const above = view.top - children[0].getBoundingClientRect().top;
    const below = children[children.length - 1].getBoundingClientRect().bottom - view.bottom;
    const isRight = (/** @type {number} */ beyond, /** @type {boolean} */ isEnd) =>
      (isEnd || beyond >= FILL_BELOW * screen) && beyond <= TRIM_ABOVE * screen;
    if (isRight(above, this.#reachesFirst) && isRight(below, this.#reachesLast)) return;
    const items = this.#stream.inOrder();
    let { first, last } = this.#windowIn(items);
    const before = `${first} ${last}`;
    if (above < FILL_BELOW * screen) first -= STEP;
    else if (above > TRIM_ABOVE * screen)
      first += children.findIndex((child) => view.top - child.getBoundingClientRect().bottom < TRIM_TO * screen);
    if (below < FILL_BELOW * screen) last += STEP;
    else if (below > TRIM_ABOVE * screen)
      last -=
        children.length -
        1 -
        children.findLastIndex((child) => child.getBoundingClientRect().top - view.bottom < TRIM_TO * screen);
    first = Math.max(0, first);
    last = Math.min(items.length - 1, last);
    if (`${first} ${last}` === before) return;
    this.#setWindow(items, first, last);
    // It looks again by itself.
    this.render();
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
      nameByContent(element);
    }
    this.#rendered.set(item.seq, { item, element });
    setTabbable(element, item.seq === this.#currentSeq);
    return element;
  }

  /** Forgets the items outside the window. One whose sound or film plays is set aside. */
  #removeOthers() {
    for (const [seq, { element }] of this.#rendered) {
      const isLoaded = this.#stream.items.has(seq);
      if (isLoaded && seq >= this.#from && seq <= this.#to) continue;
      this.#onScreen.delete(seq);
      if (isLoaded && plays(element)) {
        // Moved within the page and not removed from it, since a removed player stops.
        if (element.parentElement !== this.#aside) this.#aside.append(element);
        continue;
      }
      this.#observer.unobserve(element);
      element.remove();
      this.#rendered.delete(seq);
    }
  }

  /**
   * The unread line is above the first unread item, and not above the first loaded one when there are unread ones before.
   * @param {App.Item[]} items
   * @param {number} index
   */
  #isFirstUnread(items, index) {
    const after = this.#lineAfterSeq;
    if (after === null || items[index].seq <= after) return false;
    if (index > 0) return items[index - 1].seq <= after;
    return !this.#stream.hasOlder || items[0].seq === after + 1;
  }

  #unreadLineElement() {
    const after = this.#lineAfterSeq ?? 0;
    const n = Math.max(this.#stream.last, this.#stream.headSeq) - after;
    this.#unreadLine ??= h("li.unread-line", {}, h("span", {}, t("history.unread", { n })));
    return this.#unreadLine;
  }

  #showToNewest() {
    const n = this.#readSeq === Infinity ? 0 : this.#stream.headSeq - Math.max(this.#visibleSeq, this.#readSeq);
    this.#toNewestButton.hidden = this.#isAtEnd && !this.#stream.hasNewer;
    this.#newCount.textContent = n > 0 ? t("history.new", { n }) : "";
    this.#toNewestButton.setAttribute("aria-label", n > 0 ? t("history.new", { n }) : t("history.newest"));
    this.#toNewestButton.dataset.count = count(Math.max(0, n));
  }

  // --- scrolling

  get #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return this.#reachesLast && scrollHeight - scrollTop - clientHeight < AT_END_WITHIN;
  }

  #itemElements() {
    return /** @type {HTMLElement[]} */ ([...this.#list.children]).filter((child) => child.dataset.seq !== undefined);
  }

  #topmostVisible() {
    const { top } = this.#scroller.getBoundingClientRect();
    return this.#itemElements().find((child) => child.getBoundingClientRect().bottom > top) ?? null;
  }

  /** @param {number} top */
  #scrollTo(top) {
    this.#scroller.scrollTop = top;
    this.#ownTop = this.#scroller.scrollTop;
  }

  /**
   * From now on, this item stays at this distance from the top.
   * @param {number} seq
   * @param {number} top
   */
  #hold(seq, top) {
    this.#anchor = { seq, top };
  }

  /** @param {HTMLElement} line */
  #holdUnreadLine(line) {
    line.scrollIntoView({ block: "start" });
    this.#ownTop = this.#scroller.scrollTop;
    this.#anchor = { seq: null, top: this.#topOf(line) };
  }

  /** @param {HTMLElement} element */
  #topOf(element) {
    return element.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
  }

  #holdWhatIsVisible() {
    const element = this.#topmostVisible();
    if ((this.#isAtEnd && !this.#stream.hasNewer) || !element) this.#anchor = "end";
    else this.#hold(Number(element.dataset.seq), this.#topOf(element));
  }

  /** Scrolls so that what is held is where it was. */
  #keepPlace() {
    if (!this.#isOpen) return;
    this.#holdClicked();
    const anchor = this.#anchor;
    if (anchor === "end") {
      if (!this.#stream.hasNewer && this.#reachesLast) this.#scrollTo(this.#scroller.scrollHeight);
      return;
    }
    const element = anchor.seq === null ? this.#unreadLine : this.#rendered.get(anchor.seq)?.element;
    if (!element || !this.#list.contains(element)) return this.#holdWhatIsVisible();
    const moved = this.#topOf(element) - anchor.top;
    if (Math.abs(moved) >= 0.5) this.#scrollTo(this.#scroller.scrollTop + moved);
  }

  /** An item at the end that unfolds at a click stays where it is, rather than with its end on the screen. */
  #holdClicked() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const hasGrown = scrollHeight - scrollTop - clientHeight > AT_END_WITHIN;
    if (this.#anchor !== "end" || !this.#clicked || !hasGrown) return;
    if (performance.now() - this.#clicked.at < UNFOLDS_WITHIN) this.#hold(this.#clicked.seq, this.#clicked.top);
  }

  #onScroll() {
    if (!this.#isOpen) return;
    if (Math.abs(this.#scroller.scrollTop - this.#ownTop) > 1) {
      this.#ownTop = this.#scroller.scrollTop;
      this.#holdWhatIsVisible();
      if (!this.#list.contains(document.activeElement)) this.#setCurrent(this.#seqOnScreen() ?? this.#currentSeq);
    }
    this.#afterScroll();
  }

  #afterScroll() {
    if (!this.#isOpen) return;
    this.#fit();
    this.#showToNewest();
    this.#loadMore();
  }

  async #loadMore() {
    if (this.#isLoading) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    let load = null;
    if (scrollTop < LOAD_WITHIN && this.#reachesFirst && this.#stream.hasOlder) load = () => this.#stream.loadOlder();
    else if (scrollHeight - scrollTop - clientHeight < LOAD_WITHIN && this.#reachesLast && this.#stream.hasNewer)
      load = () => this.#stream.loadNewer();
    if (!load) return;
    this.#isLoading = true;
    const isDone = await attempt(load);
    this.#isLoading = false;
    if (isDone) this.#afterScroll();
  }

  /**
   * Puts the item into the window, if it is loaded; returns whether it is.
   * @param {number} seq
   */
  #show(seq) {
    if (!this.#stream.items.has(seq)) return false;
    if (seq < this.#from || seq > this.#to) {
      this.#windowAround(this.#stream.inOrder(), seq);
      this.#anchor = { seq, top: LANDING_MARGIN };
      this.render();
    }
    return this.#rendered.has(seq);
  }

  // --- the keyboard

  /**
   * Makes an item the one in the order of the Tab key.
   * @param {number | null} seq
   */
  #setCurrent(seq) {
    if (seq === this.#currentSeq) return;
    const before = this.#currentSeq === null ? undefined : this.#rendered.get(this.#currentSeq);
    this.#currentSeq = seq;
    if (before) setTabbable(before.element, false);
    const after = seq === null ? undefined : this.#rendered.get(seq);
    if (after) setTabbable(after.element, true);
  }

  /**
   * The current item is always one that is in the page: `wanted`, the one that it was, or one on the screen.
   * @param {number | null} wanted
   */
  #keepCurrent(wanted) {
    const seq = wanted ?? this.#currentSeq;
    const isShown = seq !== null && seq >= this.#from && seq <= this.#to && this.#rendered.has(seq);
    this.#setCurrent(isShown ? seq : (this.#seqOnScreen() ?? (this.#to || null)));
  }

  /** The seq of the item to go on with: the newest one at the end, else the first one that begins on the screen. */
  #seqOnScreen() {
    if (this.#isAtEnd) return this.#to || null;
    const { top, bottom } = this.#scroller.getBoundingClientRect();
    const elements = this.#itemElements();
    const found =
      elements.find((child) => {
        const rect = child.getBoundingClientRect();
        return rect.top >= top - 1 && rect.top < bottom;
      }) ?? this.#topmostVisible();
    return found ? Number(found.dataset.seq) : null;
  }

  /** @param {number} seq */
  #focus(seq) {
    this.#setCurrent(seq);
    this.#rendered.get(seq)?.element.focus({ preventScroll: true });
  }

  /** @param {FocusEvent} event */
  #onFocus(event) {
    const element = event.target instanceof Element ? event.target.closest("[data-seq]") : null;
    if (element instanceof HTMLElement) this.#setCurrent(Number(element.dataset.seq));
  }

  /**
   * An item has got controls after it was rendered.
   * @param {Event} event
   */
  #onControls({ target }) {
    const element = target instanceof Element ? target.closest("[data-seq]") : null;
    if (!(element instanceof HTMLElement)) return;
    nameByContent(element);
    setTabbable(element, Number(element.dataset.seq) === this.#currentSeq);
  }

  /** @param {Event} event */
  #onClick(event) {
    const element = event.target instanceof Element ? event.target.closest("[data-seq]") : null;
    if (!(element instanceof HTMLElement)) return;
    this.#clicked = { seq: Number(element.dataset.seq), top: this.#topOf(element), at: performance.now() };
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { target } = event;
    // Fields, players and pickers have uses of their own for these keys.
    if (!(target instanceof HTMLElement) || target.closest("input, textarea, select, audio, video, [role='dialog']"))
      return;
    if (event.key === "End" && !target.closest("button, a")) this.focusNewest();
    else if (event.key === "ArrowDown") this.#step(1);
    else if (event.key === "ArrowUp") this.#step(-1);
    else return;
    event.preventDefault();
  }

  /**
   * Moves the focus to the next item, or scrolls on in one that does not fit on the screen.
   * @param {1 | -1} by
   */
  #step(by) {
    const view = this.#scroller.getBoundingClientRect();
    const elements = this.#itemElements();
    const index = elements.findIndex((element) => element.dataset.seq === String(this.#currentSeq));
    const current = elements[index]?.getBoundingClientRect();
    const isVisible = current && current.bottom > view.top && current.top < view.bottom;
    const isFocused = this.#list.contains(document.activeElement);
    if (!isVisible || !isFocused) {
      const seq = isVisible ? this.#currentSeq : this.#seqOnScreen();
      if (seq !== null) this.#focus(seq);
      return;
    }
    const hidden = by > 0 ? current.bottom - view.bottom : view.top - current.top;
    if (hidden > 1 && current.height > view.height)
      this.#scrollTo(this.#scroller.scrollTop + by * Math.min(hidden + LANDING_MARGIN, 0.8 * view.height));
    else {
      const next = elements[index + by];
      if (!next) return this.#scrollTo(by > 0 ? this.#scroller.scrollHeight : 0);
      const rect = next.getBoundingClientRect();
      const room = view.height - 2 * LANDING_MARGIN;
      const [over, under] = [view.top + LANDING_MARGIN - rect.top, rect.bottom - view.bottom + LANDING_MARGIN];
      if (rect.height > room) this.#scrollTo(this.#scroller.scrollTop + (by > 0 ? -over : under));
      else if (over > 0) this.#scrollTo(this.#scroller.scrollTop - over);
      else if (under > 0) this.#scrollTo(this.#scroller.scrollTop + under);
      this.#focus(Number(next.dataset.seq));
    }
    this.#holdWhatIsVisible();
    this.#afterScroll();
  }

  // --- what has been read

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

/**
 * Puts the item and its controls into the order of the Tab key, or takes them out. A click still reaches them.
 * @param {HTMLElement} element
 * @param {boolean} isTabbable
 */
function setTabbable(element, isTabbable) {
  element.tabIndex = isTabbable ? 0 : -1;
  for (const control of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(CONTROLS))) {
    if (isTabbable && control.dataset.untabbed !== undefined) {
      control.removeAttribute("tabindex");
      delete control.dataset.untabbed;
    } else if (!isTabbable && !control.hasAttribute("tabindex")) {
      control.tabIndex = -1;
      control.dataset.untabbed = "";
    }
  }
}

/**
 * Lets screen readers say who wrote what, and when, where the focus moves to an item.
 * @param {HTMLElement} element
 */
function nameByContent(element) {
  const parts = [...element.querySelectorAll(".sender, .post-body, .poll-question, .meta time")];
  for (const part of parts) part.id ||= uniqueId("item");
  element.setAttribute("aria-labelledby", parts.map(({ id }) => id).join(" "));
}

/** @param {HTMLElement} element */
function plays(element) {
  const players = /** @type {NodeListOf<HTMLMediaElement>} */ (element.querySelectorAll("audio, video"));
  return [...players].some((player) => !player.paused && !player.ended);
}
