// One delivery of a webhook: the event, what became of it, and its attempts. What the receiver answered is shown as text.

import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { ago, exact, precise } from "../../ui/format.js";

/**
 * @param {Api.DeliveryResponse} delivery
 * @param {() => unknown} replay
 */
export function deliveryRow(delivery, replay) {
  const { attempts, event_at: at, event_type: type, next_attempt_at: next, status } = delivery;
  const last = attempts.at(-1);
  return h(
    "li.log-entry.delivery",
    {},
    h(
      "p.log-line",
      {},
      h("span.role", { data: { status } }, t(`deliveries.${status}`)),
      h("strong", { dir: "ltr" }, type),
      h("time.soft", { datetime: at, title: exact(at) }, ago(at)),
    ),
    h(
      "div.delivery-line",
      {},
      h(
        "p.soft",
        {},
        last ? outcomeText(last) : t("deliveries.notYet"),
        next ? [" · ", h("time", { datetime: next, title: exact(next) }, nextText(next))] : null,
      ),
      h(
        "button.plain.small",
        {
          type: "button",
          "aria-label": t("deliveries.replay.label", { type, when: exact(at) }),
          on: { click: replay },
        },
        t(status === "waiting" ? "deliveries.now" : "deliveries.replay"),
      ),
    ),
    h(
      "details",
      {},
      h("summary.soft", {}, t("deliveries.attempts", { n: delivery.attempts_made })),
      h("p.soft.delivery-id", {}, t("deliveries.eventId"), " ", h("code", { dir: "ltr" }, delivery.event_id)),
      delivery.attempts_made > attempts.length
        ? h("p.soft", {}, t("deliveries.lastOnes", { n: attempts.length }))
        : null,
      h("ol.attempts", { "aria-label": t("deliveries.attemptList", { type }) }, attempts.map(attemptRow)),
    ),
  );
}

/** @param {string} next */
const nextText = (next) =>
  Date.parse(next) <= Date.now() ? t("deliveries.due") : t("deliveries.next", { when: exact(next) });

/**
 * What became of an attempt, in one line.
 * @param {Api.AttemptResponse} attempt
 */
export function outcomeText({ error, latency_ms: ms, response_status: status }) {
  if (status === null) return t("deliveries.noAnswer", { reason: error ?? "", ms });
  return t("deliveries.answer", { status: String(status), ms });
}

/** @param {Api.AttemptResponse} attempt */
function attemptRow(attempt) {
  const { at, response_body: body } = attempt;
  return h(
    "li",
    {},
    h("p", {}, h("time", { datetime: at }, precise(at)), ": ", outcomeText(attempt)),
    body ? h("pre.answer-body", { dir: "auto", tabindex: "0", "aria-label": t("deliveries.body") }, body) : null,
  );
}
