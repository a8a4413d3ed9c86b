// A form of a channel, filled in a dialog. Loaded when one is opened.
//
// What is wrong is said beside its field, before anything is sent. What was written stays when the dialog is dismissed, and
// an attempt whose answer was lost is repeated without sending it twice.

import "./texts.js";
import { asProblem, get, newIdempotencyKey, part, post } from "../client/api.js";
import { field } from "../console/form.js";
import { dialoguePath } from "../router.js";
import { hasText, t } from "../texts.js";
import { fill, h, submitting, uniqueId } from "../ui/dom.js";
import { textElement } from "../ui/markup.js";
import { dialog } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";

await Promise.all([loadStyle("css/console.css"), loadStyle("css/self_service.css")]);

/** What was being written when the dialog was dismissed, by channel and form. @type {Map<string, Map<string, string>>} */
const unfinished = new Map();
/** As the server checks them. */
const EMAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;
const PHONE = /^\+?[0-9 ()./-]{3,40}$/;
/** The characters of an answer whose field says nothing else. */
const LENGTHS = { text: 200, long_text: 2000 };

/**
 * Opens the form. Resolves when the dialog is closed. Throws what the API refused when it was loaded.
 * @param {{ channelId: string; channelName: string; name: string; isInChat?: boolean }} options
 */
export async function openForm({ channelId, channelName, name, isInChat = false }) {
  const path = /** @type {const} */ (`/v1/channels/${part(channelId)}/forms/${part(name)}`);
  const form = await get(path);
  const key = JSON.stringify([channelId, name]);
  return dialog({
    title: form.title,
    className: "form-sheet",
    build: (close) => new FormDialog({ form, path, channelId, channelName, key, isInChat, close }).element,
  });
}

/** @typedef {{ name: string; element: HTMLElement; value: string; write(value: string): void; focus(): void; showError(reason: string | null): void }} Input */

class FormDialog {
  /** @param {{ form: Api.FormResponse; path: `${App.ChannelPath}/forms/${Api.Part}`; channelId: string; channelName: string; key: string; isInChat: boolean; close: () => void }} options */
  constructor({ form, path, channelId, channelName, key, isInChat, close }) {
    this.#form = form;
    this.#path = path;
    this.#kept = key;
    this.#channelId = channelId;
    this.#isInChat = isInChat;
    this.#close = close;
    this.#inputs = form.fields.map((one) => inputOf(one));
    const known = unfinished.get(key);
    for (const input of this.#inputs) input.write(known?.get(input.name) ?? "");
    this.element = h(
      "form.sheet-body.form",
      {
        novalidate: true,
        on: { submit: submitting(() => this.#send()), input: () => this.#keep(), change: () => this.#keep() },
      },
      form.text ? textElement(form.text) : null,
      this.#inputs.map(({ element }) => element),
      h("p.soft", {}, t("form.goesTo", { name: channelName })),
      this.#error,
      h(
        "div.actions",
        {},
        h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
        this.#button,
      ),
    );
    requestAnimationFrame(() => this.#inputs[0]?.focus());
  }

  #form;
  #path;
  #kept;
  #channelId;
  #isInChat;
  #close;
  #inputs;
  #error = h("p.error", { role: "alert", hidden: true });
  #button = h("button.primary", { type: "submit" }, t("form.send"));
  /** @type {{ json: string; key: string } | null} */
  #attempt = null;

  #keep() {
    unfinished.set(this.#kept, new Map(this.#inputs.map(({ name, value }) => [name, value])));
  }

  /** Whether every answer is right. Says what is wrong, and moves the focus to the first such field. */
  #check() {
    const wrong = this.#form.fields.map((one, index) => wrongWith(one, this.#inputs[index].value));
    for (const [index, reason] of wrong.entries())
      this.#inputs[index].showError(reason && reasonText(reason, this.#form.fields[index]));
    this.#inputs[wrong.findIndex((reason) => reason !== null)]?.focus();
    return wrong.every((reason) => reason === null);
  }

  async #send() {
    this.#error.hidden = true;
    if (this.#button.disabled || !this.#check()) return;
    const answers = Object.fromEntries(
      this.#form.fields.flatMap((one, index) => {
        const value = this.#inputs[index].value.trim();
        return value ? [[one.name, sentAs(one, value)]] : [];
      }),
    );
    const json = JSON.stringify(answers);
    // Kept when the answer is lost, so that a second try sends it once.
    if (this.#attempt?.json !== json) this.#attempt = { json, key: newIdempotencyKey() };
    this.#button.disabled = true;
    try {
      await post(`${this.#path}/answers`, { answers }, this.#attempt.key);
      unfinished.delete(this.#kept);
      this.#thank();
    } catch (error) {
      this.#refuse(asProblem(error));
    }
    this.#button.disabled = false;
  }

  /** @param {import("../client/api.js").Problem} problem */
  #refuse(problem) {
    const index = this.#form.fields.findIndex(({ name }) => name === problem.details.field);
    if (problem.code === "bad_form_answer" && index >= 0) {
      this.#inputs[index].showError(reasonText(String(problem.details.reason), this.#form.fields[index]));
      this.#inputs[index].focus();
      return;
    }
    this.#error.textContent = problem.userMessage;
    this.#error.hidden = false;
  }

  #thank() {
    const done = h("button.primary", { type: "button", on: { click: () => this.#close() } }, t("form.done"));
    const chat = h("a", {
      href: dialoguePath(this.#channelId),
      "data-inside": true,
      on: { click: () => this.#close() },
    });
    const thanks = h(
      "div.sheet-body",
      {},
      h("p", { role: "status", dir: "auto" }, this.#form.confirmation || t("form.sent")),
      this.#isInChat ? null : h("p", {}, fill(chat, t("form.openChat"))),
      h("div.actions", {}, done),
    );
    this.element.replaceWith(thanks);
    done.focus();
  }
}

/**
 * The field of the dialog for a field of the form.
 * @param {Api.FormFieldResponse} one
 * @returns {Input}
 */
function inputOf(one) {
  const label = one.required ? one.label : t("form.optional", { label: one.label });
  if (one.kind === "choice") return choiceInput(one, label);
  const { input, element, showError } = field({
    name: one.name,
    label,
    rows: one.kind === "long_text" ? 4 : 0,
    type: { date: "date", phone: "tel", email: "email" }[/** @type {string} */ (one.kind)] ?? null,
    inputmode: one.kind === "number" ? "decimal" : null,
    autocomplete: { phone: "tel", email: "email" }[/** @type {string} */ (one.kind)] ?? "off",
    "aria-required": one.required,
    dir: one.kind === "date" ? null : "auto",
  });
  return {
    name: one.name,
    element,
    get value() {
      return input.value;
    },
    write(value) {
      input.value = value;
    },
    focus: () => input.focus(),
    showError,
  };
}

/**
 * Radio buttons, one of which takes an answer back where none has to be given.
 * @param {Api.FormFieldResponse} one
 * @param {string} label
 * @returns {Input}
 */
function choiceInput({ name, options, required }, label) {
  const group = uniqueId("choice");
  const error = h("p.error", { id: `${group}-error`, hidden: true });
  const all = [...options.map((option) => [option, option]), ...(required ? [] : [["", t("form.noAnswer")]])];
  const inputs = all.map(([value]) =>
    h("input", { type: "radio", id: uniqueId(group), name: group, value, "aria-describedby": error.id }),
  );
  const element = h(
    "fieldset.choices-list",
    { role: "radiogroup", "aria-required": required },
    h("legend", { dir: "auto" }, label),
    all.map(([, text], index) =>
      h("div.choice-line", {}, inputs[index], h("label", { for: inputs[index].id, dir: "auto" }, text)),
    ),
    error,
  );
  return {
    name,
    element,
    get value() {
      return inputs.find(({ checked }) => checked)?.value ?? "";
    },
    write(value) {
      for (const input of inputs) input.checked = input.value === value && (value !== "" || !required);
    },
    focus: () => inputs[0]?.focus(),
    showError(reason) {
      error.textContent = reason ?? "";
      error.hidden = reason === null;
    },
  };
}

/**
 * The code of what is wrong with an answer; null where nothing is. The server says the last word.
 * @param {Api.FormFieldResponse} one
 * @param {string} given
 */
function wrongWith(one, given) {
  const value = given.trim();
  if (!value) return one.required ? "missing" : null;
  const most = mostOf(one);
  if (most !== null && [...value].length > most) return "too_long";
  if (one.kind === "number" && !Number.isFinite(Number(sentAs(one, value)))) return "not_a_number";
  if (one.kind === "email" && !EMAIL.test(value)) return "bad_email";
  if (one.kind === "phone" && !PHONE.test(value)) return "bad_phone";
  return null;
}

/**
 * A number may be written with a decimal comma.
 * @param {Api.FormFieldResponse} one
 * @param {string} value
 */
const sentAs = ({ kind }, value) => (kind === "number" ? value.replace(",", ".") : value);

/**
 * What is wrong, in words.
 * @param {string} reason
 * @param {Api.FormFieldResponse} one
 */
function reasonText(reason, one) {
  const n = mostOf(one);
  if (reason === "too_long" && n !== null) return t("form.error.too_long", { n });
  if (reason === "missing" && one.kind === "choice") return t("form.error.choose");
  const key = `form.error.${reason}`;
  return hasText(key) ? t(key) : t("error.field");
}

/** How many characters an answer may have; null where its kind says it. @param {Api.FormFieldResponse} one */
function mostOf({ kind, max_length: most }) {
  return kind === "text" || kind === "long_text" ? (most ?? LENGTHS[kind]) : null;
}
