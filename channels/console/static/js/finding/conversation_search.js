// The search inside an open channel or chat.
//
// Beside the conversation where there is room: the results stay while one jumps between them. In a narrow window it covers the
// conversation, and becomes a bar above it once a result is opened, with the way to the next one and back to the results.

import { go, searchPath } from "../router.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { SearchField } from "../ui/search_field.js";
import { queryOf, SearchFilters } from "./filters.js";
import { ResultList } from "./result_list.js";
import { markWords, unmarkWords } from "./word_marks.js";

/** @typedef {import("../conversation/conversation_view.js").ConversationView<App.Info>} ConversationView */

/** @type {ConversationSearch | null} */
let current = null;

/** The search that is open, null when there is none. */
export const openSearch = () => (current?.element.isConnected ? current : null);

/**
 * Opens the search in a conversation, or moves the focus to it where it is open. `q` replaces its words.
 * @param {ConversationView} view
 * @param {App.CommandContext} context
 * @param {string} [q]
 */
export function openConversationSearch(view, { main }, q = "") {
  const open = openSearch();
  if (open) return open.focus(q);
  current = new ConversationSearch(view);
  main.append(current.element);
  current.focus(q);
}

class ConversationSearch {
  /** @param {ConversationView} view */
  constructor(view) {
    this.#view = view;
    const { name } = view.identity;
    this.#field = new SearchField({ label: t("search.here", { name }), onSearch: () => this.#search() });
    this.#field.input.dir = "auto";
    this.#field.input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !event.isComposing && this.#results.focusRow()) event.preventDefault();
    });
    this.#filters = new SearchFilters({ hasPlaces: false, onChange: () => this.#search() });
    const close = { type: "button", "aria-label": t("search.close"), on: { click: () => this.close() } };
    this.#newer = h(
      "button.quiet.square.found-newer",
      { type: "button", "aria-label": t("search.newer"), on: { click: () => this.#step(-1) } },
      icon("down"),
    );
    this.#older = h(
      "button.quiet.square",
      { type: "button", "aria-label": t("search.older"), on: { click: () => this.#step(1) } },
      icon("down"),
    );
    const back = h("button.plain", { type: "button", on: { click: () => this.#showList() } }, t("search.back"));
    this.element = h(
      "search.found-here",
      { "aria-label": t("search.here", { name }), on: { keydown: (event) => this.#onKey(event) } },
      h("div.found-head", {}, this.#field.element, h("button.quiet.square", close, icon("close"))),
      h("div.found-body", {}, this.#filters.element, this.#results.element, this.#everywhere),
      h(
        "div.found-bar",
        {},
        back,
        this.#position,
        this.#newer,
        this.#older,
        h("button.quiet.square.found-bar-close", { ...close }, icon("close")),
      ),
    );
  }

  #view;
  #field;
  #filters;
  #newer;
  #older;
  #position = h("span.found-position.soft", { role: "status" });
  #everywhere = h(
    "button.plain.wide",
    { type: "button", hidden: true, on: { click: () => go(searchPath({ q: this.#field.words })) } },
    t("search.everywhere"),
  );
  #results = new ResultList({
    isOfOnePlace: true,
    hint: t("search.hint.here"),
    onOpen: (_, index) => {
      this.#jump(index);
      return true;
    },
  });

  /**
   * Moves the focus to the field, with these words if there are any.
   * @param {string} [q]
   */
  focus(q = "") {
    this.element.classList.remove("has-jumped");
    if (q && q !== this.#field.words) {
      this.#field.input.value = q;
      this.#search();
    }
    this.#field.input.focus();
    this.#field.input.select();
  }

  close() {
    unmarkWords();
    const hadFocus = this.element.contains(document.activeElement);
    this.element.remove();
    current = null;
    if (hadFocus) /** @type {HTMLElement | null} */ (this.#view.element.querySelector("h1[tabindex]"))?.focus();
  }

  #search() {
    const q = this.#field.words;
    this.#everywhere.hidden = !q;
    this.#results.search({
      q,
      ...queryOf(this.#filters.chosen),
      conversation_id: this.#view.conversationId,
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  /** @param {number} by */
  async #step(by) {
    const index = this.#results.currentIndex + by;
    if (index >= this.#results.items.length) await this.#results.loadMore();
    if (this.#results.items[index]) this.#jump(index);
  }

  /** @param {number} index */
  async #jump(index) {
    const found = this.#results.items[index];
    const { length } = this.#results.items;
    this.#results.setCurrent(index);
    this.element.classList.add("has-jumped");
    this.#position.textContent = t(this.#results.hasMore ? "search.position.more" : "search.position", {
      n: index + 1,
      of: length,
    });
    this.#newer.disabled = index === 0;
    this.#older.disabled = index === length - 1 && !this.#results.hasMore;
    await this.#view.history?.jumpTo(found.message.seq);
    markWords(this.#view.element, found);
  }

  #showList() {
    this.element.classList.remove("has-jumped");
    if (!this.#results.focusRow()) this.#field.input.focus();
  }
}
