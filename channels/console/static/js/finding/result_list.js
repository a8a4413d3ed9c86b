// The results of a search for messages: rows with the words marked, page by page, and a line that says how many there are.
//
// The rows are links in one tab stop: arrow keys, Home and End move between them. A newer search replaces the answer of an
// older one, whichever comes first.

import { asProblem, get } from "../client/api.js";
import { session } from "../client/session.js";
import { t } from "../texts.js";
import { avatar, verifiedMark } from "../ui/avatar.js";
import { fill, h } from "../ui/dom.js";
import { day, exact, share, shortTime } from "../ui/format.js";
import { notice } from "../ui/overlay.js";
import { contentPreview } from "../ui/previews.js";
import { RovingFocus } from "../ui/roving_focus.js";
import { highlighted, passage } from "./highlighted.js";
import { identityOf, pathOf } from "./open_conversations.js";

const PAGE = 30;
/** Pages without a result that are asked for at a time. */
const MOST_EMPTY = 8;

/** @typedef {{ q: string; conversation_id?: string | null; kind?: Api.Kind | null; from?: string | null; to?: string | null }} Filters */
/** @typedef {{ filters: Filters; items: App.Found[]; page: Api.MessageSearchPage; currentIndex: number }} Loaded */

/**
 * The conversation of a result. What is posted in a channel has the channel in place of a group.
 * @param {App.Found} found
 */
const placeOf = (found) => ({ ...found, group_id: found.channel_id ?? found.group_id });

export class ResultList {
  /**
   * `onOpen` is called for the result of a row that is opened; it returns whether it has done what the link would do.
   * @param {{ isOfOnePlace: boolean; hint: string; onOpen: (found: App.Found, index: number) => boolean }} options
   */
  constructor({ isOfOnePlace, hint, onOpen }) {
    this.#isOfOnePlace = isOfOnePlace;
    this.#hint = hint;
    this.#onOpen = onOpen;
    this.#more = h(
      "button.plain.wide",
      { type: "button", hidden: true, on: { click: () => this.loadMore() } },
      t("app.more"),
    );
    this.#focus = new RovingFocus(this.#list, "a.found-row");
    this.element = h("div.found", {}, this.#status, this.#list, this.#empty, this.#note, this.#more);
    this.#showEmpty();
  }

  /** @type {App.Found[]} */
  items = [];
  /** The result that was opened last; -1 for none. */
  currentIndex = -1;
  #isOfOnePlace;
  #hint;
  #onOpen;
  #focus;
  #list = h("ol.found-list");
  #status = h("p.found-count.soft", { role: "status" });
  #note = h("p.found-note.soft");
  #empty = h("div.empty");
  #more;
  /** @type {Filters | null} */
  #filters = null;
  /** @type {Api.MessageSearchPage | null} */
  #page = null; // the last one
  #requests = 0;

  get hasMore() {
    return (this.#page?.next_cursor ?? null) !== null;
  }

  /** What is loaded, to be shown again by `restore`. @returns {Loaded | null} */
  get loaded() {
    if (this.#filters === null || this.#page === null || !this.items.length) return null;
    return { filters: this.#filters, items: this.items, page: this.#page, currentIndex: this.currentIndex };
  }

  /** @param {Loaded} loaded */
  restore({ filters, items, page, currentIndex }) {
    this.#requests += 1;
    this.#filters = filters;
    this.items = items;
    this.#page = page;
    this.currentIndex = currentIndex;
    this.#render();
  }

  /**
   * Searches, in place of what is shown. No words show the hint. Never throws; a failure is shown with a retry button.
   * @param {Filters} filters
   */
  async search(filters) {
    this.#filters = filters;
    this.currentIndex = -1;
    if (filters.q) return this.#load(filters, null);
    this.#requests += 1;
    this.items = [];
    this.#page = null;
    this.#render();
  }

  async loadMore() {
    const cursor = this.#page?.next_cursor;
    if (this.#filters && cursor && !this.#more.disabled) await this.#load(this.#filters, cursor);
  }

  /**
   * @param {Filters} filters
   * @param {string | null} cursor null for a new search
   */
  async #load(filters, cursor) {
    const request = ++this.#requests;
    this.#more.disabled = true;
    this.element.setAttribute("aria-busy", "true");
    try {
      // The rows of the last search stay until there are others.
      let items = cursor === null ? [] : this.items;
      let next = cursor;
      const before = items.length;
      for (let pages = 0; pages < MOST_EMPTY; pages += 1) {
        const page = await this.#fetch(filters, next);
        if (request !== this.#requests) return;
        items = [...items, ...page.items];
        next = page.next_cursor ?? null;
        this.#page = page;
        if (items.length > before || next === null) break;
      }
      this.items = items;
      this.#render();
    } catch (error) {
      const problem = asProblem(error);
      if (request === this.#requests) this.#showFailure(problem.userMessage, cursor === null);
    } finally {
      if (request === this.#requests) {
        this.#more.disabled = false;
        this.element.removeAttribute("aria-busy");
      }
    }
  }

  /** Moves the focus to the row that was opened last, or to the first one. Returns whether there is one. */
  focusRow() {
    return this.#focus.focusAt(Math.max(0, this.currentIndex));
  }

  /** @param {number} index */
  setCurrent(index) {
    this.currentIndex = index;
    this.#showCurrent();
  }

  /**
   * @param {Filters} filters
   * @param {string | null} cursor
   * @returns {Promise<Api.MessageSearchPage>}
   */
  #fetch(filters, cursor) {
    return get("/v1/search/messages", { ...filters, limit: PAGE, cursor });
  }

  #render() {
    fill(
      this.#list,
      this.items.map((found, index) => this.#row(found, index)),
    );
    this.#focus.refresh();
    this.#showCurrent();
    this.#more.hidden = !this.hasMore;
    const n = this.items.length;
    this.#status.textContent = n ? t(this.hasMore ? "search.shown.more" : "search.shown", { n }) : "";
    this.#showNote();
    this.#showEmpty();
  }

  /** What was not searched, or not yet. */
  #showNote() {
    const page = this.#page;
    let text = "";
    if (page?.searched_until && this.hasMore) text = t("search.until", { date: day(page.searched_until) });
    else if (page && page.indexed < 1) text = t("search.indexing", { percent: share(page.indexed) });
    else if (page && !page.is_complete) text = t("search.incomplete");
    this.#note.textContent = text;
  }

  #showEmpty() {
    this.#empty.hidden = this.items.length > 0;
    const q = this.#filters?.q;
    if (!q) fill(this.#empty, h("p", {}, this.#hint));
    else if (this.hasMore) fill(this.#empty, h("p", { role: "status" }, t("search.none.yet", { q })));
    else fill(this.#empty, h("p", { role: "status" }, t("search.none", { q })), h("p", {}, t("search.none.hint")));
  }

  /**
   * @param {string} text
   * @param {boolean} isOfAll whether there is nothing else to show
   */
  #showFailure(text, isOfAll) {
    if (!isOfAll) return notice(text, { isBad: true });
    const retry = () => this.#filters && this.search(this.#filters);
    this.items = [];
    this.#page = null;
    this.#render();
    fill(
      this.#empty,
      h("p", { role: "alert" }, text),
      h("button.plain", { type: "button", on: { click: retry } }, t("app.retry")),
    );
  }

  #showCurrent() {
    [...this.#list.querySelectorAll("a.found-row")].forEach((row, index) => {
      if (index === this.currentIndex) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }

  /**
   * @param {App.Found} found
   * @param {number} index
   */
  #row(found, index) {
    const place = placeOf(found);
    const identity = identityOf(place);
    const { message } = found;
    const sender = senderOf(found);
    /** @param {Event} event */
    const click = (event) => {
      this.setCurrent(index);
      if (this.#onOpen(found, index)) event.preventDefault();
    };
    // Within a channel, its name says nothing: the title of the post stands in its place.
    const heading = sender ?? (this.#isOfOnePlace && message.title ? message.title : identity.name);
    const shown = passage(message.text ?? "", found.highlights);
    return h(
      "li",
      {},
      h(
        "a.found-row",
        { href: pathOf(place, message.seq), "data-inside": true, tabindex: "-1", on: { click } },
        this.#isOfOnePlace ? null : avatar({ ...identity, size: "small" }),
        h(
          "span.found-text",
          {},
          h(
            "span.row-top",
            {},
            this.#isOfOnePlace
              ? h("span.row-title", { dir: "auto" }, heading)
              : h("span.row-title", { dir: "auto" }, identity.name, verifiedMark(place)),
            h(
              "time.soft",
              { datetime: message.created_at, title: exact(message.created_at) },
              shortTime(message.created_at),
            ),
          ),
          sender && !this.#isOfOnePlace ? h("span.found-sender.soft", { dir: "auto" }, sender) : null,
          message.title && !(this.#isOfOnePlace && sender === null)
            ? h("strong.found-title", { dir: "auto" }, message.title)
            : null,
          shown.text
            ? h("span.found-passage", { dir: "auto" }, highlighted(shown.text, shown.ranges))
            : message.title
              ? null
              : h("span.found-passage.soft", {}, contentPreview(message)),
        ),
      ),
    );
  }
}

/**
 * Who wrote it, where that is not the channel itself.
 * @param {App.Found} found
 */
function senderOf({ is_channel: isChannel, message }) {
  if (isChannel) return null;
  if (message.sender_id === session.userId) return t("search.you");
  return message.sender_name || null;
}
