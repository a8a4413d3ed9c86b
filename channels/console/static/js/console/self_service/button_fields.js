// The fields for the buttons of a post, a greeting or an automatic answer: up to five rows of up to three buttons.
//
// They are one list. Each button after the first stands in the row of the one before it, or begins a row.

import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { loadStyle } from "../../ui/style_sheet.js";
import { ActionFields, asWritten } from "./action_fields.js";

/** @typedef {App.WrittenButton} Written */

export class ButtonFields {
  /** @param {{ channelId: string; onChange?: () => unknown }} options */
  constructor({ channelId, onChange = () => {} }) {
    this.#channelId = channelId;
    this.#onChange = onChange;
    this.element = h(
      "fieldset.plain-set",
      {},
      h("legend", {}, t("buttons.title")),
      this.#list,
      this.#error,
      this.#addButton,
    );
  }

  #channelId;
  #onChange;
  #list = h("ol.button-fields", { "aria-label": t("buttons.title") });
  #error = h("p.error", { role: "alert", hidden: true });
  #addButton = h(
    "button.plain",
    { type: "button", on: { click: () => this.#addNew() } },
    icon("buttons"),
    t("buttons.add"),
  );
  /** @type {{ row: HTMLElement; fields: ActionFields; beside: HTMLInputElement; line: HTMLElement }[]} */
  #buttons = [];

  /** What the fields hold, unfinished too. @returns {Written[]} */
  get raw() {
    return this.#buttons.map(({ fields, beside }) => ({ ...fields.raw, isBeside: beside.checked }));
  }

  /** Replaces what the fields hold. @param {Written[]} written */
  write(written) {
    for (const { row } of this.#buttons) row.remove();
    this.#buttons = [];
    for (const one of written) this.#add(one);
    this.#showError(null);
    this.#number();
  }

  /** The rows as the API takes them; those that lack something are left out. @returns {Api.ButtonBody[][]} */
  get value() {
    /** @type {Api.ButtonBody[][]} */
    const rows = [];
    for (const { fields, beside } of this.#buttons) {
      if (!fields.isShowable) continue;
      if (beside.checked && rows.length) rows[rows.length - 1].push(fields.value);
      else rows.push([fields.value]);
    }
    return rows;
  }

  /** Whether they can be saved. Marks what is wrong, and moves the focus there. */
  check() {
    this.#showError(null);
    if (!this.#buttons.every(({ fields }) => fields.check())) return false;
    const rows = this.value;
    const { button_rows: most, buttons_per_row: each } = limits;
    const all = rows.flat().map((one) => JSON.stringify(one));
    if (rows.length > most) this.#showError(t("buttons.rows.tooMany", { n: most }));
    else if (rows.some((row) => row.length > each)) this.#showError(t("buttons.row.tooMany", { n: each }));
    else if (new Set(all).size < all.length) this.#showError(t("buttons.twice"));
    else return true;
    this.#addButton.focus();
    return false;
  }

  /** @param {string | null} reason */
  #showError(reason) {
    this.#error.hidden = reason === null;
    this.#error.textContent = reason ?? "";
  }

  async #addNew() {
    const n = limits.button_rows * limits.buttons_per_row;
    if (this.#buttons.length >= n) return this.#showError(t("buttons.full", { n }));
    this.#add(null).focus();
    this.#number();
    this.#onChange();
    return null;
  }

  /** @param {Written | null} written */
  #add(written) {
    loadStyle("css/self_service.css");
    const fields = new ActionFields({
      channelId: this.#channelId,
      onChange: () => this.#onChange(),
      onRemove: () => this.#remove(fields),
    });
    if (written) fields.write(written);
    const id = uniqueId("beside");
    const beside = h("input", { type: "checkbox", id, checked: written?.isBeside ?? false });
    beside.addEventListener("change", () => this.#onChange());
    const line = h("div.choice-line", {}, beside, h("label", { for: id }, t("buttons.beside")));
    const row = h("li", {}, fields.element, line);
    this.#buttons.push({ row, fields, beside, line });
    this.#list.append(row);
    return fields;
  }

  /** @param {ActionFields} fields */
  #remove(fields) {
    const index = this.#buttons.findIndex((one) => one.fields === fields);
    this.#buttons[index].row.remove();
    this.#buttons.splice(index, 1);
    this.#showError(null);
    this.#number();
    const next = this.#buttons[Math.min(index, this.#buttons.length - 1)];
    if (next) next.fields.focus();
    else this.#addButton.focus();
    this.#onChange();
  }

  /** Each is named by its number, and the first begins a row. */
  #number() {
    for (const [index, { row, fields, line }] of this.#buttons.entries()) {
      const name = t("buttons.one", { n: index + 1 });
      row.setAttribute("aria-label", name);
      fields.removeButton.setAttribute("aria-label", t("buttons.remove", { n: index + 1 }));
      line.hidden = index === 0;
    }
  }
}

/**
 * The rows of a post or message, as the fields show them.
 * @param {Api.ButtonResponse[][] | Api.ButtonBody[][] | null | undefined} rows
 * @returns {Written[]}
 */
export const buttonsAsWritten = (rows) =>
  (rows ?? []).flatMap((row) => row.map((button, index) => ({ ...asWritten(button), isBeside: index > 0 })));
