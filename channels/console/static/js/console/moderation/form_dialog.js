// A dialog that asks before a decision, with the fields that it needs.

import { t } from "../../texts.js";
import { h, submitting } from "../../ui/dom.js";
import { dialog } from "../../ui/overlay.js";
import { submitForm } from "../form.js";

/**
 * Resolves with whether `work` was done. An error is shown beside its field.
 * @param {{ title: string; text?: string; elements: Element[]; fields: App.Field[]; action: string; isDangerous?: boolean; work: () => unknown }} options
 */
export function formDialog({ title, text, elements, fields, action, isDangerous = true, work }) {
  /** @type {Promise<boolean | null>} */
  const done = dialog({
    title,
    build: (close) => {
      const error = h("p.error", { role: "alert", hidden: true });
      const button = h(isDangerous ? "button.danger" : "button.primary", { type: "submit" }, action);
      const submit = submitting(async () => {
        if (await submitForm({ fields, error, button, work })) close(true);
      });
      return h(
        "form.sheet-body.form",
        { novalidate: true, on: { submit } },
        text ? h("p", {}, text) : null,
        elements,
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
  return done.then(Boolean);
}
