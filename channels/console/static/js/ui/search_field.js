// A search field with its icon.

import { debounce, h } from "./dom.js";
import { icon } from "./icons.js";

const SEARCH_AFTER = 200; // milliseconds without a key

export class SearchField {
  /** @param {App.SearchOptions} options */
  constructor({ label, onSearch, ...attributes }) {
    this.input = h("input", {
      type: "search",
      placeholder: label,
      "aria-label": label,
      autocomplete: "off",
      maxlength: "100",
      ...attributes,
      on: { input: debounce(SEARCH_AFTER, onSearch) },
    });
    this.element = h("div.search", {}, icon("search"), this.input);
  }

  get words() {
    return this.input.value.trim();
  }
}
