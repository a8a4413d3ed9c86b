// The fields of a form as its editor shows them: what each asks, of which kind the answer is, how long it may be, and whether
// there has to be one.
//
// The name by which the application knows a field is made from its place, unless it has one already.

import { t } from "../../texts.js";
import { h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";

const KINDS = /** @type {const} */ (["text", "long_text", "number", "choice", "date", "phone", "email"]);
const MOST_FIELDS = 10;
const MOST_OPTIONS = 20;
const LABEL_BYTES = 150;
const MOST_CHARACTERS = 2000;
/** The characters of an answer whose field says nothing else. */
const USUAL_CHARACTERS = { short: 200, long: 2000 };
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** @typedef {{ row: HTMLElement; label: App.Field; name: App.Field; kind: HTMLSelectElement; options: App.Field; length: App.Field; required: HTMLInputElement; remove: HTMLElement }} Row */

export class FormFieldList {
  /** @param {Api.FormFieldResponse[]} given */
  constructor(given) {
    this.element = h("fieldset.plain-set", {}, h("legend", {}, t("forms.fields")), this.#list, this.#addButton);
    for (const one of given) this.#add(one);
    if (!given.length) this.#add(null);
    this.#number();
  }

  #list = h("ol.form-fields.button-fields", { "aria-label": t("forms.fields") });
  #addButton = h(
    "button.plain",
    { type: "button", on: { click: () => this.#addNew() } },
    icon("plus"),
    t("forms.field.add"),
  );
  /** @type {Row[]} */
  #rows = [];

  /** @returns {Api.FormFieldBody[]} */
  get value() {
    return this.#rows.map(({ label, name, kind, options, length, required }) => {
      const body = {
        name: name.value.trim(),
        label: label.value.trim(),
        kind: kind.value,
        required: required.checked,
        ...(kind.value === "choice" && { options: optionsOf(options) }),
        ...(isText(kind.value) && length.value && { max_length: Number(length.value) }),
      };
      return /** @type {Api.FormFieldBody} */ (body);
    });
  }

  check() {
    const names = this.#rows.map(({ name }) => name.value.trim());
    for (const [index, { label, name, kind, options, length }] of this.#rows.entries()) {
      const wrong = [label, name, ...(kind.value === "choice" ? [options] : [])].find((one) => !one.check());
      if (wrong) return refuse(wrong);
      if (!NAME.test(names[index])) return refuse(name, t("forms.name.wrong"));
      if (names.indexOf(names[index]) < index) return refuse(name, t("forms.field.name.twice"));
      if (kind.value === "choice" && optionsOf(options).length > MOST_OPTIONS)
        return refuse(options, t("forms.field.options.tooMany", { n: MOST_OPTIONS }));
      if (isText(kind.value) && !isLength(length))
        return refuse(length, t("forms.field.length.wrong", { n: MOST_CHARACTERS }));
    }
    return true;
  }

  #addNew() {
    this.#add(null).label.input.focus();
    this.#number();
  }

  /** @param {Api.FormFieldResponse | null} one */
  #add(one) {
    const known = new Set(this.#rows.map((other) => other.name.value));
    let n = this.#rows.length + 1;
    while (known.has(`field${n}`)) n += 1;
    const label = field({
      name: "label",
      label: t("forms.field.label"),
      value: one?.label ?? "",
      limit: LABEL_BYTES,
      required: true,
    });
    const name = field({
      name: "field_name",
      label: t("forms.field.name"),
      hint: t("forms.field.name.hint"),
      value: one?.name ?? `field${n}`,
      required: true,
      spellcheck: "false",
      autocapitalize: "none",
      dir: null,
    });
    const options = field({
      name: "options",
      label: t("forms.field.options"),
      hint: t("forms.field.options.hint"),
      value: (one?.options ?? []).join("\n"),
      rows: 3,
      required: true,
    });
    const length = field({
      name: "max_length",
      label: t("forms.field.length"),
      hint: t("forms.field.length.hint", USUAL_CHARACTERS),
      value: String(one?.max_length ?? ""),
      type: "number",
      inputmode: "numeric",
      min: "1",
      max: String(MOST_CHARACTERS),
      dir: null,
      on: { input: () => length.showError(null) },
    });
    const kindId = uniqueId("kind");
    const kind = h(
      "select",
      { id: kindId, on: { change: () => showFields() } },
      KINDS.map((key) => h("option", { value: key, selected: key === one?.kind }, t(`forms.kind.${key}`))),
    );
    const showFields = () => {
      options.element.hidden = kind.value !== "choice";
      length.element.hidden = !isText(kind.value);
    };
    showFields();
    const requiredId = uniqueId("required");
    const required = h("input", { type: "checkbox", id: requiredId, checked: one?.required ?? true });
    const remove = h("button.quiet.square", { type: "button", on: { click: () => this.#remove(row) } }, icon("close"));
    const element = h(
      "li",
      {},
      h(
        "div.action-line",
        {},
        label.element,
        h("div.field", {}, h("div.field-top", {}, h("label", { for: kindId }, t("forms.field.kind"))), kind),
        remove,
      ),
      options.element,
      length.element,
      h("div.choice-line", {}, required, h("label", { for: requiredId }, t("forms.field.required"))),
      name.element,
    );
    /** @type {Row} */
    const row = { row: element, label, name, kind, options, length, required, remove };
    this.#rows.push(row);
    this.#list.append(element);
    return row;
  }

  /** @param {Row} row */
  #remove(row) {
    const index = this.#rows.indexOf(row);
    row.row.remove();
    this.#rows.splice(index, 1);
    this.#number();
    this.#rows[Math.min(index, this.#rows.length - 1)].label.input.focus();
  }

  /** One field stays. Each is named by its number. */
  #number() {
    for (const [index, { row, remove }] of this.#rows.entries()) {
      row.setAttribute("aria-label", t("forms.field", { n: index + 1 }));
      remove.setAttribute("aria-label", t("forms.field.remove", { n: index + 1 }));
      remove.hidden = this.#rows.length === 1;
    }
    this.#addButton.hidden = this.#rows.length >= MOST_FIELDS;
  }
}

/** Whether answers of this kind are texts, whose length can be bounded. @param {string} kind */
const isText = (kind) => kind === "text" || kind === "long_text";

/** Whether the field holds a length, or nothing. @param {App.Field} one */
function isLength({ input, value }) {
  const length = Number(value);
  // What is no number at all has the value "".
  if (value === "") return /** @type {HTMLInputElement} */ (input).validity.valid;
  return Number.isInteger(length) && length >= 1 && length <= MOST_CHARACTERS;
}

/** The lines of the field, each once. @param {App.Field} options */
const optionsOf = (options) => [
  ...new Set(
    options.value
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];

/**
 * @param {App.Field} one
 * @param {string} [reason]
 */
function refuse(one, reason) {
  if (reason !== undefined) one.showError(reason);
  one.input.focus();
  return false;
}
