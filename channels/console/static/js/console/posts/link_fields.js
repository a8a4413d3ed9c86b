// The fields for the links of a post: the text and the address of each.
//
// A link may have more, such as a description of what it leads to. It stays as long as the address does.

import { limits } from "../../client/limits.js";
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
      this.#full,
      h("button.plain", { type: "button", on: { click: () => this.#addNew() } }, icon("link"), t("compose.link.add")),
    );
  }

  #onChange;
  #list;
  #full = h("p.error", { role: "alert", hidden: true });
  /** @type {{ title: App.Field; url: App.Field; element: HTMLElement; link: App.Link }[]} */
  #links = [];

  /** The values of the fields as they are, unfinished ones too. */
  get raw() {
    return this.#links.map((one) => {
      const more = one.url.value === one.link.url ? moreOf(one.link) : {};
      return { ...more, title: one.title.value, url: one.url.value };
    });
  }

  /** The links to post. A link without a text shows its address. */
  get values() {
    return this.raw
      .map((one) => ({ ...one, title: one.title.trim(), url: one.url.trim() }))
      .filter((one) => one.title || one.url)
      .map((one) => ({ ...one, title: one.title || one.url }));
  }

  set values(links) {
    this.#links = [];
    reconcile(this.#list, []);
    for (const link of links ?? []) this.#add(link);
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

  #addNew() {
    const n = limits.links_per_message;
    this.#full.hidden = this.#links.length < n;
    this.#full.textContent = this.#full.hidden ? "" : t("compose.link.full", { n });
    if (this.#full.hidden) this.#add({ title: "", url: "" }, true);
  }

  /**
   * @param {App.Link} link
   * @param {boolean} [isNew]
   */
  #add(link, isNew = false) {
    const { title, url } = link;
    const on = { input: () => this.#onChange() };
    const fields = {
      title: field({ name: "title", label: t("compose.link.title"), value: title, on }),
      url: field({ name: "url", label: t("compose.link.url"), value: url, type: "url", inputmode: "url", on }),
    };
    const remove = () => {
      this.#links = this.#links.filter((other) => other !== one);
      one.element.remove();
      this.#full.hidden = true;
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
    const one = { ...fields, element, link };
    this.#links.push(one);
    this.#list.append(one.element);
    if (isNew) one.title.input.focus();
  }
}

/**
 * What a link has besides its text and its address, as the API takes it. A picture of it is an upload, and is sent by its id.
 * @param {App.Link} link
 */
function moreOf({ title: _title, url: _url, ...more }) {
  const values = Object.entries(more).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    values.map(([name, value]) => [name, typeof value === "object" ? Reflect.get(value, "media_id") : value]),
  );
}
