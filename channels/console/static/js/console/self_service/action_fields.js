// The fields of one button, or of one entry of a menu: its text, what it does, and what that takes.

import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { webAddress } from "../../ui/content.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";
import { formsOf } from "./form_names.js";

/** What a button can do. */
export const KINDS = /** @type {const} */ (["reply", "link", "event", "form"]);
/** Which field of the API holds the value. */
export const VALUE_OF = /** @type {const} */ ({ reply: "reply", link: "url", event: "data", form: "form" });

/** @typedef {(typeof KINDS)[number]} Kind */
/** @typedef {{ text: string; kind: Kind | "entries"; value: string }} Written */

export class ActionFields {
  /**
   * `onKind(kind)` is called with what the button does, at first too. `kinds` are those to choose from.
   * @param {{ channelId: string; kinds?: readonly (Kind | "entries")[]; onChange: () => unknown; onRemove: () => unknown; onKind?: (kind: Kind | "entries") => unknown }} options
   */
  constructor({ channelId, kinds = KINDS, onChange, onRemove, onKind = () => {} }) {
    this.#channelId = channelId;
    this.#onChange = onChange;
    this.#onKind = onKind;
    const on = { input: () => onChange() };
    this.#text = field({
      name: "text",
      label: t("action.text"),
      limit: limits.button_text_bytes,
      required: true,
      on,
    });
    const id = uniqueId("kind");
    this.#kind = h(
      "select",
      { id, on: { change: () => this.#showKind(true) } },
      kinds.map((kind) => h("option", { value: kind }, t(`action.kind.${kind}`))),
    );
    this.#values = {
      reply: field({ name: "reply", label: t("action.reply"), limit: limits.button_data_bytes, required: true, on }),
      link: field({ name: "url", label: t("action.url"), type: "url", inputmode: "url", required: true, on }),
      event: field({
        name: "data",
        label: t("action.data"),
        hint: t("action.data.hint"),
        limit: limits.button_data_bytes,
        spellcheck: "false",
        on,
      }),
    };
    const formId = uniqueId("form");
    this.#form = h("select", { id: formId, on: { change: () => onChange() } });
    this.#formField = h("div.field", {}, h("label", { for: formId }, t("action.form")), this.#form, this.#formError);
    this.removeButton = h("button.quiet.square", { type: "button", on: { click: () => onRemove() } }, icon("close"));
    this.element = h(
      "div.action-fields.form",
      {},
      h(
        "div.action-line",
        {},
        this.#text.element,
        h("div.field", {}, h("div.field-top", {}, h("label", { for: id }, t("action.kind"))), this.#kind),
        this.removeButton,
      ),
      h(
        "div.action-value",
        {},
        Object.values(this.#values).map(({ element }) => element),
        this.#formField,
      ),
    );
    this.write(null);
  }

  #channelId;
  #onChange;
  #onKind;
  #text;
  #kind;
  /** @type {{ [kind in Exclude<Kind, "form">]: App.Field }} */
  #values;
  #form;
  #formField;
  #formError = h("p.error", { hidden: true });
  /** The form that was chosen, also while the list of forms is being loaded. */
  #chosen = "";

  focus() {
    this.#text.input.focus();
  }

  /** What it does. */
  get kind() {
    return /** @type {Kind | "entries"} */ (this.#kind.value);
  }

  /** What the fields hold, unfinished too. @returns {Written} */
  get raw() {
    const { kind } = this;
    const value =
      kind === "entries" ? "" : kind === "form" ? this.#form.value || this.#chosen : this.#values[kind].value;
    return { text: this.#text.value, kind, value };
  }

  /**
   * Replaces what the fields hold; null empties them.
   * @param {Written | null} written
   */
  write(written) {
    this.#text.input.value = written?.text ?? "";
    this.#text.showError(null);
    const kind = written?.kind ?? "reply";
    this.#kind.value = kind;
    for (const one of Object.values(this.#values)) {
      one.input.value = "";
      one.showError(null);
    }
    this.#chosen = kind === "form" ? (written?.value ?? "") : "";
    fill(this.#form);
    if (kind !== "form" && kind !== "entries") this.#values[kind].input.value = written?.value ?? "";
    this.#showKind(false);
  }

  /** As the API takes it; of an entry with others in it, the text only. @returns {Api.ButtonBody} */
  get value() {
    const { text, kind, value } = this.raw;
    const body = { text: text.trim(), ...(kind !== "entries" && { kind, [VALUE_OF[kind]]: value.trim() }) };
    return /** @type {Api.ButtonBody} */ (body);
  }

  /** Whether there is enough of it to show. */
  get isShowable() {
    const { text, kind, value } = this.raw;
    if (!text.trim()) return false;
    if (kind === "link") return webAddress(value.trim()) !== null;
    return kind === "event" || kind === "entries" || Boolean(value.trim());
  }

  /** Whether it can be saved. Marks what is wrong, and moves the focus to the first such field. */
  check() {
    const { kind } = this;
    if (!this.#text.check()) return this.#refuse(this.#text.input);
    if (kind === "entries") return true;
    if (kind === "form") {
      const isMissing = !this.raw.value;
      this.#showFormError(isMissing ? t("action.form.missing") : null);
      return !isMissing || this.#refuse(this.#form);
    }
    const one = this.#values[kind];
    if (!one.check()) return this.#refuse(one.input);
    if (kind !== "link" || webAddress(one.value.trim()) !== null) return true;
    one.showError(t("error.link"));
    return this.#refuse(one.input);
  }

  /** @param {HTMLElement} element */
  #refuse(element) {
    element.focus();
    return false;
  }

  /** @param {string | null} reason */
  #showFormError(reason) {
    this.#formError.textContent = reason ?? "";
    this.#formError.hidden = reason === null;
  }

  /** @param {boolean} isChange */
  #showKind(isChange) {
    const { kind } = this;
    for (const [name, { element }] of Object.entries(this.#values)) element.hidden = name !== kind;
    this.#formField.hidden = kind !== "form";
    if (kind === "form") this.#loadForms();
    this.#onKind(kind);
    if (isChange) this.#onChange();
  }

  async #loadForms() {
    this.#showFormError(null);
    const forms = await formsOf(this.#channelId).catch(() => null);
    const chosen = this.#form.value || this.#chosen;
    /** @type {[name: string, title: string][]} */
    const known = (forms ?? []).map(({ name, title }) => [name, title]);
    // One that was deleted meanwhile stays until another is chosen.
    if (chosen && !known.some(([name]) => name === chosen)) known.push([chosen, chosen]);
    fill(
      this.#form,
      known.map(([name, title]) => h("option", { value: name, selected: name === chosen }, title)),
    );
    if (forms === null) this.#showFormError(t("action.form.failed"));
    else if (!known.length) this.#showFormError(t("action.form.none"));
    else this.#onChange();
  }
}

/**
 * A button, as its fields show it.
 * @param {{ text: string; kind?: string | null; url?: string | null; reply?: string | null; data?: string | null; form?: string | null }} button
 * @returns {Written}
 */
export function asWritten({ text, kind, url, reply, data, form }) {
  const known = KINDS.find((one) => one === kind) ?? "entries";
  return { text, kind: known, value: url ?? reply ?? data ?? form ?? "" };
}
