// What was and is to be sent to a webhook, newest events first; each of them, or all since an instant, can be sent again.

import { get, part, post } from "../../client/api.js";
import { t } from "../../texts.js";
import { h, submitting, uniqueId } from "../../ui/dom.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { field, submitForm } from "../form.js";
import { deliveryRow, outcomeText } from "./delivery_rows.js";

const PAGE = 30;
/** @type {Api.DeliveryStatus[]} */
const STATUSES = ["waiting", "succeeded", "failed"];
const ASK_EVERY = 500; // milliseconds
const ASK_TIMES = 20;

export class Deliveries {
  /** @param {{ path: App.WebhooksPath; webhook: Api.WebhookResponse; onBack: () => unknown }} options */
  constructor({ path, webhook, onBack }) {
    this.#path = /** @type {const} */ (`${path}/${part(webhook.webhook_id)}`);
    this.heading = h("h2", { tabindex: "-1" }, t("deliveries.title"));
    const id = uniqueId("status");
    this.#status = h(
      "select",
      { id, on: { change: () => this.#list.reload() } },
      h("option", { value: "" }, t("deliveries.all")),
      STATUSES.map((name) => h("option", { value: name }, t(`deliveries.${name}`))),
    );
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel.form",
        {},
        h(
          "div.panel-head",
          {},
          this.heading,
          h("button.plain", { type: "button", on: { click: onBack } }, t("deliveries.back")),
        ),
        h("p.soft.webhook-url", { dir: "ltr" }, webhook.url),
        h(
          "div.delivery-tools",
          {},
          h("label", { for: id }, t("deliveries.status")),
          this.#status,
          h("button.plain", { type: "button", on: { click: () => this.#list.reload() } }, t("deliveries.refresh")),
        ),
        h("div", {}, this.#list.elements),
      ),
      this.#replayForm(),
    );
    this.#list.reload();
  }

  #path;
  #status;
  /** @type {PagedList<Api.DeliveryResponse>} */
  #list = new PagedList({
    list: h("ol.log", { "aria-label": t("deliveries.title") }),
    fetchPage: (cursor) => {
      const status = STATUSES.find((name) => name === this.#status.value);
      return get(`${this.#path}/deliveries`, { status, limit: PAGE, cursor });
    },
    renderRow: (delivery) => this.#row(delivery),
    emptyText: () => t(this.#status.value ? "deliveries.noMatch" : "deliveries.empty"),
  });

  /** @param {Api.DeliveryResponse} delivery */
  #row(delivery) {
    /** @type {HTMLElement} */
    const element = deliveryRow(delivery, () => this.#replay(delivery, element));
    return element;
  }

  /**
   * Sends a delivery again, and shows in its row what becomes of it.
   * @param {Api.DeliveryResponse} delivery
   * @param {HTMLElement} row
   */
  async #replay(delivery, row) {
    await attempt(async () => {
      const path = /** @type {const} */ (`${this.#path}/deliveries/${part(delivery.delivery_id)}`);
      await post(`${path}/replay`);
      notice(t("deliveries.replayed", { type: delivery.event_type }));
      const sent = await answered(this.#path, delivery);
      const hadFocus = row.contains(document.activeElement);
      const renewed = this.#row(sent);
      row.replaceWith(renewed);
      if (hadFocus) renewed.querySelector("button")?.focus();
      announceOutcome(sent);
    });
  }

  #replayForm() {
    const since = field({
      name: "since",
      label: t("deliveries.since"),
      hint: t("deliveries.since.hint"),
      required: true,
      type: "datetime-local",
      step: "1",
    });
    const error = h("p.error", { role: "alert", hidden: true });
    const button = h("button.plain", { type: "submit" }, t("deliveries.replaySince"));
    const work = async () => {
      const text = t("deliveries.replaySince.confirm");
      const action = t("deliveries.replaySince");
      if (!(await confirmDialog({ title: t("deliveries.replaySince.title"), text, action }))) return;
      let replayed = 0;
      /** @type {string | null} */
      let from = new Date(since.value).toISOString();
      // One call replays a part of many.
      while (from !== null) {
        /** @type {Api.ReplayedResponse} */
        const done = await post(`${this.#path}/replay`, { since: from });
        replayed += done.replayed;
        from = done.next_since === from ? null : done.next_since;
      }
      notice(t("deliveries.replayedSince", { n: replayed }));
      this.#list.reload();
    };
    return h(
      "form.panel.form",
      { novalidate: true, on: { submit: submitting(() => submitForm({ fields: [since], error, button, work })) } },
      h("h2", {}, t("deliveries.replaySince.title")),
      since.element,
      error,
      h("div.actions", {}, button),
    );
  }
}

/**
 * The delivery once it was attempted again, or as it is after ten seconds.
 * @param {`${App.WebhooksPath}/${Api.Part}`} path The webhook's.
 * @param {Api.DeliveryResponse} before
 */
export async function answered(path, before) {
  let delivery = before;
  for (let times = 0; times < ASK_TIMES && delivery.attempts_made === before.attempts_made; times += 1) {
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
    delivery = await get(`${path}/deliveries/${part(before.delivery_id)}`);
  }
  return delivery;
}

/**
 * Says what the receiver answered last.
 * @param {Api.DeliveryResponse} delivery
 */
export function announceOutcome({ attempts, event_type: type, status }) {
  const last = attempts.at(-1);
  if (!last) return notice(t("deliveries.stillWaiting", { type }), { isBad: true });
  notice(t("deliveries.outcome", { type, outcome: outcomeText(last) }), { isBad: status !== "succeeded" });
}
