// The search over all channels and chats of the user, at `/search`.
//
// The words and filters are in the address, so that a search can be kept, and the way back from a result leads to it. The
// last results stay in memory with their scroll position: going back to them asks nothing of the server.

import { session } from "../client/session.js";
import { go, searchPath } from "../router.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { SearchField } from "../ui/search_field.js";
import { queryOf, SearchFilters } from "./filters.js";
import { loadRest } from "./open_conversations.js";
import { ResultList } from "./result_list.js";
import { markWordsSoon } from "./word_marks.js";

/** @typedef {import("./result_list.js").Loaded & { address: string; scrollTop: number }} Kept */

/** @type {Kept | null} */
let kept = null;
session.addEventListener("signedout", () => {
  kept = null;
});

export class SearchView {
  constructor() {
    this.#filters = new SearchFilters({ hasPlaces: true, onChange: () => this.#onChange() });
    this.#field = new SearchField({
      label: t("search.field"),
      onSearch: () => this.#onChange(),
      autocapitalize: "none",
    });
    this.#field.input.dir = "auto";
    this.#field.input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && !event.isComposing && this.#results.focusRow()) event.preventDefault();
    });
    this.element = h(
      "section.page",
      {},
      h(
        "div.page-inner",
        {},
        h(
          "header.page-head",
          {},
          h(
            "a.quiet.square.narrow-only",
            { href: "/", "data-inside": true, "aria-label": t("app.back") },
            icon("back"),
          ),
          h("h1", { tabindex: "-1" }, t("search.title")),
        ),
        h("search.found-form", {}, this.#field.element, this.#filters.element),
        this.#results.element,
      ),
    );
    this.#showAddress();
    loadRest(() => {
      if (!this.#isClosed) this.#filters.show(chosenIn(location.search));
      return !this.#isClosed;
    });
    // Once it is on the page.
    setTimeout(() => {
      if (kept?.address === this.#address && this.#restored) {
        this.element.scrollTop = kept.scrollTop;
        this.#results.focusRow();
      } else if (!this.#isClosed) this.#field.input.focus();
    });
  }

  #field;
  #filters;
  #results = new ResultList({ isOfOnePlace: false, hint: t("search.hint"), onOpen: (found) => this.#onOpen(found) });
  #isClosed = false;
  #restored = false;
  #address = "";

  close() {
    this.#isClosed = true;
  }

  onAddress() {
    if (location.search !== this.#address) this.#showAddress();
  }

  #showAddress() {
    this.#address = location.search;
    const q = new URLSearchParams(location.search).get("q") ?? "";
    const chosen = chosenIn(location.search);
    if (this.#field.words !== q) this.#field.input.value = q;
    this.#filters.show(chosen);
    this.#restored = kept?.address === this.#address;
    if (kept && this.#restored) this.#results.restore(kept);
    else this.#results.search({ q, ...queryOf(chosen) });
  }

  #onChange() {
    if (this.#isClosed) return;
    go(searchPath({ q: this.#field.words, ...this.#filters.chosen }), { replace: true });
  }

  /**
   * Before a result is opened by its link.
   * @param {App.Found} found
   */
  #onOpen(found) {
    const { loaded } = this.#results;
    if (this.element.parentElement) markWordsSoon(this.element.parentElement, found);
    if (loaded) kept = { ...loaded, address: this.#address, scrollTop: this.element.scrollTop };
    return false;
  }
}

/** @param {string} search */
function chosenIn(search) {
  const query = new URLSearchParams(search);
  /** @param {string} name */
  const value = (name) => query.get(name) ?? "";
  return { where: value("where"), kind: value("kind"), time: value("time"), from: value("from"), to: value("to") };
}
