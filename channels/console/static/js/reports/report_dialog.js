// The dialog in which a user reports a post, a message, a channel, a group or a person: a reason, a text, and thanks.

import { asProblem, newIdempotencyKey, post } from "../client/api.js";
import { lengthError, lengthNote } from "../client/limits.js";
import "./texts.js";
import { t } from "../texts.js";
import { h, submitting, uniqueId } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";

/** @type {Api.ReportReason[]} */
export const REASONS = ["spam", "abuse", "violence", "sexual", "illegal", "impersonation", "other"];
const TEXT_BYTES = 500;

/** @param {Api.TargetBody} target */
export function report(target) {
  return dialog({
    title: t(`reporting.title.${target.type}`),
    className: "report-sheet",
    build: (close) => new ReportForm(target, close).element,
  });
}

class ReportForm {
  /**
   * @param {Api.TargetBody} target
   * @param {() => void} close
   */
  constructor(target, close) {
    this.#target = target;
    this.#close = close;
    const id = uniqueId("report");
    this.#error = h("p.error", { id: `${id}-error`, role: "alert", hidden: true });
    this.#reasons = REASONS.map((reason, index) =>
      h("input", { type: "radio", id: `${id}-${reason}`, name: id, value: reason, autofocus: index === 0 }),
    );
    this.#count = h("span.count", { id: `${id}-count`, role: "status" });
    this.#text = h("textarea", {
      id: `${id}-text`,
      rows: "3",
      dir: "auto",
      "aria-describedby": `${id}-count`,
      on: { input: () => this.#showLength() },
    });
    this.element = h(
      "form.sheet-body",
      { novalidate: true, on: { submit: submitting(() => this.#send()) } },
      h("p.soft", {}, t("reporting.lead")),
      h(
        "fieldset.stacked",
        { "aria-describedby": this.#error.id },
        h("legend", {}, t("reporting.reason")),
        this.#reasons.map((input, index) =>
          h("div.choice-line", {}, input, h("label", { for: input.id }, t(`reporting.reason.${REASONS[index]}`))),
        ),
      ),
      h("label", { for: this.#text.id }, t("reporting.text"), " ", this.#count),
      this.#text,
      this.#error,
      h(
        "div.actions",
        {},
        h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
        this.#button,
      ),
    );
  }

  #target;
  #close;
  #error;
  #reasons;
  #count;
  #text;
  #button = h("button.danger", { type: "submit" }, t("reporting.send"));
  #key = newIdempotencyKey();

  #showLength() {
    const note = lengthNote(this.#text.value, TEXT_BYTES);
    this.#count.textContent = note?.text ?? "";
    this.#count.classList.toggle("bad", Boolean(note?.isOver));
    // What has changed is another report.
    this.#key = newIdempotencyKey();
  }

  /** @param {string | null} text */
  #showError(text) {
    this.#error.textContent = text ?? "";
    this.#error.hidden = text === null;
  }

  async #send() {
    const reason = REASONS.find((_, index) => this.#reasons[index].checked);
    const tooLong = lengthError(this.#text.value, TEXT_BYTES);
    this.#showError(reason === undefined ? t("reporting.reason.missing") : tooLong);
    if (reason === undefined) return this.#reasons[0].focus();
    if (tooLong !== null) return this.#text.focus();
    this.#button.disabled = true;
    try {
      const text = this.#text.value.trim();
      await post("/v1/reports", { target: this.#target, reason, ...(text && { text }) }, this.#key);
      this.#thank();
    } catch (error) {
      this.#showError(asProblem(error).userMessage);
      this.#button.disabled = false;
    }
  }

  #thank() {
    const done = h("button.primary", { type: "button", on: { click: () => this.#close() } }, t("reporting.done"));
    const thanks = h(
      "div.sheet-body",
      {},
      h("p", { role: "status" }, h("strong", {}, t("reporting.thanks"))),
      h("p.soft", {}, t("reporting.thanks.lead")),
      h("div.actions", {}, done),
    );
    this.element.replaceWith(thanks);
    done.focus();
  }
}
