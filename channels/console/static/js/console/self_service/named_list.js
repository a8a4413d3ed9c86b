// A panel with a list of what a channel has several of by name, such as its forms. Each is edited in a dialog.

import { t } from "../../texts.js";
import { fill, h, submitting } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, confirmDialog, dialog, notice } from "../../ui/overlay.js";
import { submitForm } from "../form.js";

/**
 * The fields of the dialog. `fields` are those that errors of the API are shown at.
 * @template Body
 * @typedef {{ elements: App.Child[]; fields: App.Field[]; check(): boolean; readonly name: string; readonly value: Body }} Fields
 */

/** @template {{ name: string }} One, Body */
export class NamedList {
  /**
   * `titleOf` and `aboutOf` are what a row says. `fieldsOf` makes the fields, of null for a new one. `save` returns what is
   * stored then.
   * @param {{ title: string; lead: string; empty: string; newText: string; editTitle: string; items: One[]; titleOf: (one: One) => string; aboutOf: (one: One) => string; fieldsOf: (one: One | null) => Fields<Body>; save: (name: string, body: Body) => Promise<One>; remove: (name: string) => Promise<unknown>; removal: (one: One) => { title: string; text: string } }} options
   */
  constructor(options) {
    this.#options = options;
    const { title, lead, newText, items } = options;
    this.#items = items;
    this.#newButton = h(
      "button.plain",
      { type: "button", on: { click: () => this.#edit(null) } },
      icon("plus"),
      newText,
    );
    this.element = h(
      "section.panel.form",
      { "aria-label": title },
      h("h2", {}, title),
      h("p.soft", {}, lead),
      this.#list,
      this.#empty,
      h("div.actions", {}, this.#newButton),
    );
    this.#show();
  }

  #options;
  /** @type {One[]} */
  #items;
  #newButton;
  #list = h("ul");
  #empty = h("p.empty");

  #show() {
    this.#items = [...this.#items].sort((one, other) => one.name.localeCompare(other.name));
    fill(
      this.#list,
      this.#items.map((one) => this.#row(one)),
    );
    this.#list.hidden = !this.#items.length;
    this.#empty.hidden = Boolean(this.#items.length);
    this.#empty.textContent = this.#options.empty;
  }

  /** @param {One} one */
  #row(one) {
    const { titleOf, aboutOf } = this.#options;
    const name = titleOf(one);
    return h(
      "li.service-row",
      {},
      h("span.service-text", {}, h("strong", { dir: "auto" }, name), h("span.soft", { dir: "auto" }, aboutOf(one))),
      h(
        "button.quiet.square",
        { type: "button", "aria-label": t("service.change.label", { name }), on: { click: () => this.#edit(one) } },
        icon("pen"),
      ),
      h(
        "button.quiet.square",
        { type: "button", "aria-label": t("service.delete.label", { name }), on: { click: () => this.#remove(one) } },
        icon("trash"),
      ),
    );
  }

  /** @param {One} one */
  async #remove(one) {
    const { removal, remove } = this.#options;
    const { title, text } = removal(one);
    if (!(await confirmDialog({ title, text, action: title })) || !(await attempt(() => remove(one.name)))) return;
    this.#items = this.#items.filter(({ name }) => name !== one.name);
    this.#show();
    this.#newButton.focus();
    notice(t("service.deleted"));
  }

  /** @param {One | null} one */
  #edit(one) {
    const { newText, editTitle, fieldsOf, save } = this.#options;
    return dialog({
      title: one ? editTitle : newText,
      className: "self-service-sheet",
      build: (close) => {
        const made = fieldsOf(one);
        const error = h("p.error", { role: "alert", hidden: true });
        const button = h("button.primary", { type: "submit" }, t("app.save"));
        const submit = submitting(async () => {
          if (button.disabled || !made.check()) return;
          const { name } = made;
          const work = async () => {
            const saved = await save(name, made.value);
            this.#items = [...this.#items.filter((other) => other.name !== saved.name), saved];
          };
          if (!(await submitForm({ fields: made.fields, error, button, work }))) return;
          this.#show();
          close();
          notice(t("app.saved"));
        });
        return h(
          "form.sheet-body.form",
          { novalidate: true, on: { submit } },
          made.elements,
          error,
          h(
            "div.actions",
            {},
            h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
            button,
          ),
        );
      },
    });
  }
}
