// Form fields with a label, a hint, a live count of bytes and a place for what is wrong; and forms of them.

import { h, freshId } from "../dom.js";
import { bytesOf } from "../limits.js";
import { t } from "../texts.js";

/** Refusals that name no field, and are of one. */
const FIELD_OF = { channel_id_taken: "channel_id", bad_channel_id: "channel_id", bad_emoji: "reactions", member_not_found: "user_id", bad_publish_at: "publish_at" };

/**
 * A field of text. `limit` is in UTF-8 bytes; the count is shown always and turns into a refusal beyond it.
 */
export function field({ name, label, hint = "", value = "", limit = null, rows = 0, required = false, on = {}, ...attributes }) {
  const id = freshId("field");
  const count = limit === null ? null : h("span.count", { id: `${id}-count` });
  const wrong = h("p.wrong", { id: `${id}-wrong`, hidden: true });
  const described = [hint ? `${id}-hint` : "", count ? `${id}-count` : "", `${id}-wrong`].filter(Boolean).join(" ");
  const input = h(rows ? "textarea" : "input", {
    id, name, dir: "auto", rows: rows || null, autocomplete: "off", "aria-describedby": described, "aria-required": required || null, ...attributes,
  });
  input.value = value;
  const self = {
    name,
    input,
    element: h("div.field", {},
      h("div.field-top", {}, h("label", { for: id }, label), count),
      input,
      hint ? h("p.hint.soft", { id: `${id}-hint` }, hint) : null,
      wrong,
    ),
    get value() {
      return input.value;
    },
    /** Tell what is wrong with it, or null: nothing. */
    tell(reason) {
      wrong.textContent = reason ?? "";
      wrong.hidden = !reason;
      if (reason) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    },
    /** Whether it can be sent; tells why not. */
    check() {
      if (required && !input.value.trim()) self.tell(t("error.required"));
      else if (limit !== null && bytesOf(input.value) > limit) self.tell(t("error.field_too_long", { limit }));
      else {
        self.tell(null);
        return true;
      }
      return false;
    },
  };
  const measure = () => {
    if (!count) return;
    const n = bytesOf(input.value);
    const isOver = n > limit;
    count.textContent = isOver ? t("count.over", { n, limit, over: n - limit }) : t("count.bytes", { n, limit });
    count.classList.toggle("bad", isOver);
  };
  input.addEventListener("input", () => {
    measure();
    if (input.hasAttribute("aria-invalid")) self.check();
  });
  for (const [type, listener] of Object.entries(on)) input.addEventListener(type, listener);
  measure();
  return self;
}

/** One of several: radio buttons with a legend. */
export function choice({ name, label, options, value, disabled = false, on = () => {} }) {
  const group = freshId("choice");
  const buttons = options.map(([key, text]) => {
    const id = `${group}-${key}`;
    const input = h("input", { type: "radio", id, name: group, value: key, checked: key === value, disabled, on: { change: () => on(key) } });
    return { input, line: h("div.choice-line", {}, input, h("label", { for: id }, text)) };
  });
  return {
    name,
    element: h("fieldset.choices-list", {}, h("legend", {}, label), buttons.map(({ line }) => line)),
    get value() {
      return buttons.find(({ input }) => input.checked)?.input.value;
    },
    set value(key) {
      for (const { input } of buttons) input.checked = input.value === key;
    },
  };
}

/**
 * Send a form: checks every field, calls `work`, and puts what the server refuses beside the field that is to blame, else
 * into `told`. The first field that is wrong gets the focus. Whether it was done.
 */
export async function send({ fields, told, button, work }) {
  told.hidden = true;
  const wrong = fields.filter((one) => !one.check());
  if (wrong.length) {
    wrong[0].input.focus();
    return false;
  }
  button.disabled = true;
  try {
    await work();
    return true;
  } catch (problem) {
    if (problem.code === undefined) throw problem;
    const blamed = FIELD_OF[problem.code];
    const named = blamed ? [[blamed, problem.shown]] : problem.fields;
    const left = [];
    let first = null;
    for (const [name, reason] of named) {
      const one = fields.find((candidate) => candidate.name === name);
      if (!one) left.push(reason);
      else {
        one.tell(reason);
        first ??= one;
      }
    }
    if (first) first.input.focus();
    if (!named.length) left.push(problem.shown);
    told.textContent = left.join(" ");
    told.hidden = !left.length;
    return false;
  } finally {
    button.disabled = false;
  }
}
