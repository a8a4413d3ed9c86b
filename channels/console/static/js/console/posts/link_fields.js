// The fields for the links of a post: the text and the address of each.

import { t } from "../../texts.js";
import { webAddress } from "../../ui/content.js";
import { h, reconcile } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";

export class LinkFields {
  /** @param {{ onChange: () => unknown }} options */
  constructor({ onChange }) {
    this.#onChange = onChange;
    this.#list = h("ul.link-fields");
    this.element = h(
      "fieldset.plain-set",
      {},
      h("legend", {}, t("compose.links")),
      this.#list,
      h(
        "button.plain",
        { type: "button", on: { click: () => this.#add("", "", true) } },
        icon("link"),
        t("compose.link.add"),
      ),
    );
  }

  #onChange;
  #list;
  /** @type {{ title: App.Field; url: App.Field; element: HTMLElement }[]} */
  #links = [];

  /** The values of the fields as they are, unfinished ones too. */
  get raw() {
    return this.#links.map((one) => ({ title: one.title.value, url: one.url.value }));
  }

  /** The links to post. A link without a text shows its address. */
  get values() {
    return this.raw
      .map(({ title, url }) => ({ title: title.trim(), url: url.trim() }))
      .filter((one) => one.title || one.url)
      .map((one) => ({ ...one, title: one.title || one.url }));
  }

  set values(links) {
    this.#links = [];
    reconcile(this.#list, []);
    for (const { title, url } of links ?? []) this.#add(title, url);
  }

  /** Whether every address is a web address. Marks the first invalid one and moves the focus there. */
  check() {
    for (const one of this.#links) {
      const isEmpty = !one.url.value.trim() && !one.title.value.trim();
      const isValid = isEmpty || webAddress(one.url.value.trim()) !== null;
      one.url.showError(isValid ? null : t("error.link"));
      if (isValid) continue;
      one.url.input.focus();
      return false;
    }
    return true;
  }

  /**
   * @param {string} title
   * @param {string} url
   * @param {boolean} [isNew]
   */
  #add(title, url, isNew = false) {
    const on = { input: () => this.#onChange() };
    const fields = {
      title: field({ name: "title", label: t("compose.link.title"), value: title, on }),
      url: field({ name: "url", label: t("compose.link.url"), value: url, type: "url", inputmode: "url", on }),
    };
    const remove = () => {
      this.#links = this.#links.filter((other) => other !== one);
      one.element.remove();
      this.#onChange();
    };
    const element = h(
      "li",
      {},
      fields.title.element,
      fields.url.element,
      h(
        "button.quiet.square",
        {
          type: "button",
          "aria-label": t("compose.link.remove", { n: this.#links.length + 1 }),
          on: { click: remove },
        },
        icon("close"),
      ),
    );
    const one = { ...fields, element };
    this.#links.push(one);
    this.#list.append(one.element);
    if (isNew) one.title.input.focus();
  }
}
