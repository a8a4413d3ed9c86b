// The dialog in which a poll is written for a group chat. Loaded when it is opened.

import "./texts.js";
import { newIdempotencyKey } from "../client/api.js";
import { submitForm } from "../console/form.js";
import { t } from "../texts.js";
import { h, submitting } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";
import { PollFields } from "./poll_fields.js";

await Promise.all([loadStyle("css/console.css"), loadStyle("css/polls.css")]);

/** What was being written when the dialog was dismissed, by conversation. @type {Map<string, App.WrittenPoll>} */
const unfinished = new Map();

/**
 * Asks for a poll and calls `send(body, key)`. A refusal is shown in the dialog, and what was written stays.
 * @param {string} conversationId
 * @param {(body: Api.NewMessage, key: string) => unknown} send
 */
export function askPoll(conversationId, send) {
  const fields = new PollFields({ onChange: () => unfinished.set(conversationId, fields.raw) });
  const known = unfinished.get(conversationId);
  if (known) fields.write(known);
  /** @type {{ json: string; key: string } | null} */
  let attempt = null;
  return dialog({
    title: t("poll.new"),
    className: "new-poll",
    build: (close) => {
      const error = h("p.error", { role: "alert", hidden: true });
      const button = h("button.primary", { type: "submit" }, t("poll.send"));
      const submit = submitting(async () => {
        if (!fields.check()) return;
        const poll = fields.value;
        const json = JSON.stringify(poll);
        // Kept when the answer is lost, so that a second try sends it once.
        if (attempt?.json !== json) attempt = { json, key: newIdempotencyKey() };
        const { key } = attempt;
        const isDone = await submitForm({
          fields: [],
          error,
          button,
          work: () => send({ kind: "poll", poll }, key),
        });
        if (!isDone) return;
        unfinished.delete(conversationId);
        close();
      });
      requestAnimationFrame(() => fields.focus());
      return h(
        "form.sheet-body",
        { novalidate: true, on: { submit } },
        fields.element,
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
