// A field for several tags: each one that is added stands below it with a button to remove it. Enter or a comma adds what was
// typed. Tags that are in use already are offered.

import { t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";

const MOST = 20;
const MOST_CHARACTERS = 64;
const SEPARATORS = /[,،，]/;

/** Works as an `App.Field` in `submitForm`. */
export class TagField {
  /** @param {{ name: string; label: string; hint?: string; onChange?: () => unknown }} options */
  constructor({ name, label, hint = "", onChange = () => {} }) {
    this.name = name;
    this.#onChange = onChange;
    this.#field = field({
      name,
      label,
      hint,
      spellcheck: "false",
      autocapitalize: "none",
      list: this.#offered.id,
      on: {
        keydown: (event) => this.#onKey(event),
        input: () => {
          if (SEPARATORS.test(this.input.value) && !this.#isComposing) this.#add();
        },
        compositionstart: () => {
          this.#isComposing = true;
        },
        compositionend: () => {
          this.#isComposing = false;
        },
        // What stands there when the field is left is meant as a tag.
        change: () => this.#add(),
      },
    });
    this.input = this.#field.input;
    this.element = h("div.tag-field", {}, this.#field.element, this.#offered, this.#list);
  }

  /** @type {string[]} */
  #tags = [];
  #onChange;
  #field;
  #isComposing = false;
  #offered = h("datalist", { id: uniqueId("tags") });
  #list = h("ul.tag-list", { hidden: true });

  get tags() {
    return this.#tags;
  }

  set tags(tags) {
    this.#tags = [...tags];
    this.#show();
  }

  /** What is typed and is no tag yet. */
  get value() {
    return this.input.value;
  }

  /** @param {string | null} reason */
  showError(reason) {
    this.#field.showError(reason);
  }

  /** Takes what is typed as a tag. Whether all tags are valid; shows why not. */
  check() {
    return this.#add();
  }

  /**
   * Offers these tags while one is typed.
   * @param {string[]} tags
   */
  offer(tags) {
    fill(
      this.#offered,
      tags.map((tag) => h("option", { value: tag })),
    );
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || !this.input.value.trim()) return;
    if (event.key !== "Enter") return;
    // Not the form that it stands in.
    event.preventDefault();
    this.#add();
  }

  /** Adds what is typed. Returns false, and says why, where it cannot be a tag. */
  #add() {
    const typed = this.input.value.split(SEPARATORS).map((tag) => tag.trim());
    const tags = [...new Set([...this.#tags, ...typed])].filter(Boolean);
    const isTooLong = typed.some((tag) => [...tag].length > MOST_CHARACTERS);
    const isTooMany = tags.length > MOST;
    const reason = isTooLong
      ? t("subscriberTags.tooLong", { n: MOST_CHARACTERS })
      : isTooMany
        ? t("subscriberTags.tooMany", { n: MOST })
        : null;
    this.showError(reason);
    if (reason !== null) return false;
    this.input.value = "";
    if (tags.length > this.#tags.length) {
      this.#tags = tags;
      this.#show();
    }
    return true;
  }

  /** @param {string} tag */
  #remove(tag) {
    const index = this.#tags.indexOf(tag);
    this.#tags = this.#tags.filter((other) => other !== tag);
    this.#show();
    const buttons = this.#list.querySelectorAll("button");
    (buttons[Math.min(index, buttons.length - 1)] ?? this.input).focus();
  }

  #show() {
    fill(
      this.#list,
      this.#tags.map((tag) =>
        h(
          "li.tag-chip",
          {},
          h("span", { dir: "auto" }, tag),
          h(
            "button.quiet.square.small",
            {
              type: "button",
              "aria-label": t("subscriberTags.remove", { tag }),
              on: { click: () => this.#remove(tag) },
            },
            icon("close"),
          ),
        ),
      ),
    );
    this.#list.hidden = !this.#tags.length;
    this.#onChange();
  }
}
