// The links of a post that is being written: what each says, and its address.

import { arrange, h } from "../dom.js";
import { icon } from "../icons.js";
import { t } from "../texts.js";
import { webAddress } from "../content.js";
import { field } from "./fields.js";

export class LinkFields {
  constructor({ onChange }) {
    this.#onChange = onChange;
    this.#list = h("ul.link-fields");
    this.element = h("fieldset.plain-set", {}, h("legend", {}, t("compose.links")), this.#list,
      h("button.plain", { type: "button", on: { click: () => this.#add("", "", true) } }, icon("link"), t("compose.link.add")));
  }

  #onChange;
  #list;
  #links = []; // {title, url, element}

  /** As they stand in the fields, unfinished ones too. */
  get raw() {
    return this.#links.map((one) => ({ title: one.title.value, url: one.url.value }));
  }

  /** As they are posted: a link without words says its address. */
  get values() {
    return this.raw.map(({ title, url }) => ({ title: title.trim(), url: url.trim() })).filter((one) => one.title || one.url)
      .map((one) => ({ ...one, title: one.title || one.url }));
  }

  set values(links) {
    this.#links = [];
    arrange(this.#list, []);
    for (const { title, url } of links ?? []) this.#add(title, url);
  }

  /** Whether each is an address of the web; the first that is not is told and gets the focus. */
  check() {
    for (const one of this.#links) {
      const isEmpty = !one.url.value.trim() && !one.title.value.trim();
      const isFine = isEmpty || webAddress(one.url.value.trim()) !== null;
      one.url.tell(isFine ? null : t("error.link"));
      if (isFine) continue;
      one.url.input.focus();
      return false;
    }
    return true;
  }

  #add(title, url, isNew = false) {
    const on = { input: () => this.#onChange() };
    const one = {
      title: field({ name: "title", label: t("compose.link.title"), value: title, on }),
      url: field({ name: "url", label: t("compose.link.url"), value: url, type: "url", inputmode: "url", on }),
    };
    const remove = () => {
      this.#links = this.#links.filter((other) => other !== one);
      one.element.remove();
      this.#onChange();
    };
    one.element = h("li", {}, one.title.element, one.url.element,
      h("button.quiet.square", { type: "button", "aria-label": t("compose.link.remove", { n: this.#links.length + 1 }), on: { click: remove } }, icon("close")));
    this.#links.push(one);
    this.#list.append(one.element);
    if (isNew) one.title.input.focus();
  }
}
