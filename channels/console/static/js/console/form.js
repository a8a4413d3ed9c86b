// Form fields with a label, a hint, a note on their length and an error text; and submitting a form of them.
//
// A note on the length is shown near the limit only, in characters (`client/limits.js`). It stands in one place with the
// error, and never beside one that says the same.

import { asProblem } from "../client/api.js";
import { lengthError, lengthNote } from "../client/limits.js";
import { hasText, t } from "../texts.js";
import { h, uniqueId } from "../ui/dom.js";

/**
 * The field to blame for errors of the API that do not name one.
 * @type {{ [code: string]: string }}
 */
const FIELD_OF_ERROR = {
  channel_id_taken: "channel_id",
  bad_channel_id: "channel_id",
  bad_emoji: "reactions",
  member_not_found: "user_id",
  bad_publish_at: "publish_at",
  bad_webhook_url: "url",
};

/**
 * A text field.
 * @param {App.FieldOptions} options
 * @returns {App.Field}
 */
export function field({
  name,
  label,
  hint = "",
  value = "",
  limit = null,
  rows = 0,
  required = false,
  on = {},
  ...attributes
}) {
  const id = uniqueId("field");
  const count = limit === null ? null : h("span.count", { id: `${id}-count`, role: "status" });
  const error = h("p.error", { id: `${id}-error`, hidden: true });
  const described = [hint ? `${id}-hint` : "", count ? `${id}-count` : "", `${id}-error`].filter(Boolean).join(" ");
  const input = h(rows ? "textarea" : "input", {
    id,
    name,
    dir: "auto",
    rows: rows || null,
    autocomplete: "off",
    "aria-describedby": described,
    "aria-required": required || null,
    on,
    ...attributes,
  });
  input.value = value;
  const self = {
    name,
    input,
    element: h(
      "div.field",
      {},
      h("div.field-top", {}, h("label", { for: id }, label), count),
      input,
      hint ? h("p.hint.soft", { id: `${id}-hint` }, hint) : null,
      error,
    ),
    get value() {
      return input.value;
    },
    /** Shows what is wrong with the value; null when nothing is. */
    showError(/** @type {string | null} */ reason) {
      error.textContent = reason ?? "";
      error.hidden = !reason;
      if (reason) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      if (count) count.hidden = Boolean(reason);
    },
    /** Whether the value is valid; shows why not. */
    check() {
      const isMissing = required && !input.value.trim();
      const tooLong = limit === null ? null : lengthError(input.value, limit);
      self.showError(isMissing ? missingText(name) : tooLong);
      return !isMissing && tooLong === null;
    },
  };
  const measure = () => {
    if (count && limit !== null) showLength(count, input.value, limit);
  };
  input.addEventListener("input", () => {
    measure();
    if (input.hasAttribute("aria-invalid")) self.check();
  });
  measure();
  return self;
}

/**
 * What to say when this field is empty and must not be.
 * @param {string} name
 */
function missingText(name) {
  const key = `error.required.${name}`;
  return hasText(key) ? t(key) : t("error.required");
}

/**
 * Shows in `element` how many characters are left or too many; nothing while there is plenty of room. Returns whether the
 * text is too long.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {number} limit In UTF-8 bytes.
 */
export function showLength(element, text, limit) {
  const note = lengthNote(text, limit);
  // A status that is set again to what it says would be read again.
  if (element.textContent !== (note?.text ?? "")) element.textContent = note?.text ?? "";
  element.classList.toggle("bad", Boolean(note?.isOver));
  return Boolean(note?.isOver);
}

/**
 * Radio buttons with a legend.
 * @template {string} Value
 * @param {App.ChoiceOptions<Value>} options
 * @returns {App.Choice<Value>}
 */
export function choice({ name, label, options, value, disabled = false, on = () => {} }) {
  const group = uniqueId("choice");
  const buttons = options.map(([key, text]) => {
    const id = `${group}-${key}`;
    const input = h("input", {
      type: "radio",
      id,
      name: group,
      value: key,
      checked: key === value,
      disabled,
      on: { change: () => on(key) },
    });
    return { input, line: h("div.choice-line", {}, input, h("label", { for: id }, text)) };
  });
  return {
    name,
    element: h(
      "fieldset.choices-list",
      {},
      h("legend", {}, label),
      buttons.map(({ line }) => line),
    ),
    get value() {
      return options[buttons.findIndex(({ input }) => input.checked)][0];
    },
    set value(key) {
      for (const { input } of buttons) input.checked = input.value === key;
    },
  };
}

/**
 * Checks every field, runs `work`, and shows each error of the API beside the field to blame, or in the element `error` when
 * there is none. The first invalid field gets the focus. Returns whether it was done.
 * @param {App.SubmitOptions} options
 */
export async function submitForm({ fields, error, button, work }) {
  error.hidden = true;
  const invalid = fields.filter((one) => !one.check());
  if (invalid.length) {
    invalid[0].input.focus();
    return false;
  }
  button.disabled = true;
  try {
    await work();
    return true;
  } catch (refusal) {
    const problem = asProblem(refusal);
    const blamed = FIELD_OF_ERROR[problem.code];
    /** @type {[name: string, reason: string][]} */
    const named = blamed ? [[blamed, problem.userMessage]] : problem.fields;
    /** @type {string[]} */
    const others = [];
    /** @type {App.Field | null} */
    let first = null;
    for (const [name, reason] of named) {
      const one = fields.find((candidate) => candidate.name === name);
      if (!one) others.push(reason);
      else {
        // The server knows its limit, and the form the text.
        const limit = problem.details.limit_bytes;
        one.showError((typeof limit === "number" ? lengthError(one.value, limit) : null) ?? reason);
        first ??= one;
      }
    }
    if (first) first.input.focus();
    if (!named.length) others.push(problem.userMessage);
    error.textContent = others.join(" ");
    error.hidden = !others.length;
    return false;
  } finally {
    button.disabled = false;
  }
}
