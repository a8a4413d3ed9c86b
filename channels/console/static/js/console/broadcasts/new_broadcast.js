// The form for a new broadcast: whom it reaches, the message, how fast it is sent, and when it begins.
//
// Promises: what was typed is kept on this device until it is sent, and an attempt whose answer was lost is repeated without
// sending twice.

import { newIdempotencyKey, part, post } from "../../client/api.js";
import { KeptDraft } from "../../client/kept_draft.js";
import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { h, submitting, uniqueId } from "../../ui/dom.js";
import { exact } from "../../ui/format.js";
import { confirmDialog, notice } from "../../ui/overlay.js";
import { choice, field, submitForm } from "../form.js";
import { localTime, nextFullHour, publishTimeField, readPublishTime } from "../posts/publish_time.js";
import { MessageFields } from "./message_fields.js";
import { SegmentFields } from "./segment_fields.js";

export class NewBroadcast {
  /**
   * `onCreate` gets the broadcast.
   * @param {{ channelId: string; onCreate: (broadcast: Api.BroadcastResponse) => unknown }} options
   */
  constructor({ channelId, onCreate }) {
    this.#path = /** @type {const} */ (`/v1/channels/${part(channelId)}/broadcasts`);
    this.#onCreate = onCreate;
    this.#kept = new KeptDraft(`broadcast ${channelId}`);
    this.#segment = new SegmentFields({ channelId });
    this.#message = new MessageFields({ channelId, onChange: () => this.#keep() });
    this.#publishAt.element.hidden = true;
    this.element = h(
      "form.panel.form",
      { novalidate: true, on: { submit: submitting(() => this.#submit()) } },
      h("h2", {}, t("broadcasts.new")),
      h("p.soft", {}, t("broadcasts.lead")),
      this.#segment.element,
      this.#message.element,
      h("div.choice-line", {}, this.#silent, h("label", { for: this.#silent.id }, t("broadcasts.silent"))),
      this.#rate.element,
      this.#when.element,
      this.#publishAt.element,
      this.#error,
      h("div.actions", {}, this.#button),
    );
    addEventListener("beforeunload", this.#onLeave);
    this.#message.restore(this.#kept.value.post ?? {});
  }

  #path;
  #onCreate;
  #kept;
  #segment;
  #message;
  #silent = h("input", { type: "checkbox", id: uniqueId("silent") });
  #rate = field({
    name: "rate",
    label: t("broadcasts.rate"),
    hint: t("broadcasts.rate.hint", { n: limits.broadcast_rate }),
    type: "number",
    inputmode: "numeric",
    min: "1",
    max: String(limits.broadcast_rate),
    dir: null,
  });
  #publishAt = publishTimeField();
  /** @type {App.Choice<"now" | "later">} */
  #when = choice({
    name: "when",
    label: t("broadcasts.when"),
    value: "now",
    options: [
      ["now", t("broadcasts.when.now")],
      ["later", t("broadcasts.when.later")],
    ],
    on: (key) => {
      this.#publishAt.element.hidden = key === "now";
      if (!this.#publishAt.value) this.#publishAt.input.value = localTime(nextFullHour());
    },
  });
  #error = h("p.error", { role: "alert", hidden: true });
  #button = h("button.primary", { type: "submit" }, t("broadcasts.send"));

  close() {
    removeEventListener("beforeunload", this.#onLeave);
    this.#message.close();
  }

  /** @param {BeforeUnloadEvent} event */
  #onLeave = (event) => {
    if (this.#message.holdsFiles || !this.#kept.isStored) event.preventDefault();
  };

  #keep() {
    const written = this.#message.raw;
    this.#kept.update({ post: isSomething(written) ? written : undefined });
    if (!this.#error.hidden && !this.#message.isEmpty) this.#error.hidden = true;
  }

  /** The rate; null for the fastest one; undefined, with the reason beside the field, when it is none. */
  #readRate() {
    const { input, value } = this.#rate;
    const rate = Number(value);
    const isWrong = value.trim() !== "" && !(Number.isInteger(rate) && rate >= 1 && rate <= limits.broadcast_rate);
    this.#rate.showError(isWrong ? t("broadcasts.rate.wrong", { n: limits.broadcast_rate }) : null);
    if (isWrong) input.focus();
    return isWrong ? undefined : value.trim() ? rate : null;
  }

  /** @param {string | null} reason */
  #showError(reason) {
    this.#error.textContent = reason ?? "";
    this.#error.hidden = reason === null;
  }

  async #submit() {
    if (!this.#segment.check()) return;
    const reason = this.#message.check();
    this.#showError(reason || null);
    if (reason !== null) return;
    const rate = this.#readRate();
    const startAt = this.#when.value === "later" ? readPublishTime(this.#publishAt) : null;
    if (rate === undefined || startAt === undefined) return;
    const body = {
      segment: this.#segment.value,
      ...this.#message.content,
      silent: this.#silent.checked,
      rate,
      start_at: startAt,
    };
    const isSure = await confirmDialog({
      title: t(startAt ? "broadcasts.schedule.title" : "broadcasts.send.title"),
      text: (await this.#segment.count()) ?? t("broadcasts.audience.unknown"),
      action: t(startAt ? "broadcasts.schedule" : "broadcasts.send"),
    });
    if (!isSure) return;
    const fields = [this.#message.text, this.#rate, this.#publishAt];
    const work = async () => {
      try {
        this.#onCreate(await post(this.#path, body, this.#keyFor(body)));
      } catch (error) {
        this.#message.explain(error);
        throw error;
      }
    };
    if (!(await submitForm({ fields, error: this.#error, button: this.#button, work }))) return;
    notice(startAt ? t("broadcasts.scheduled", { when: exact(startAt) }) : t("broadcasts.begun"));
    this.#kept.update({ post: undefined, attempt: undefined });
    this.#message.raw = {};
    this.#segment.clear();
  }

  /**
   * The same key for the same broadcast, so that an attempt whose answer was lost is repeated and not made twice.
   * @param {object} body
   */
  #keyFor(body) {
    const json = JSON.stringify(body);
    const last = this.#kept.value.attempt;
    if (last?.json === json) return last.key;
    const key = newIdempotencyKey();
    this.#kept.update({ attempt: { json, key } });
    return key;
  }
}

/** @param {App.Written} written */
const isSomething = ({ text, links, media, button_fields: buttons }) =>
  Boolean(text || links?.length || media || buttons?.length);
