// The time at which a post is published: the field for it, what is wrong with a time, and the dialog that changes it.
//
// Times are those of the device's time zone, which is named beside them.

import { asProblem } from "../../client/api.js";
import { limits } from "../../client/limits.js";
import { locale, t } from "../../texts.js";
import { h, submitting } from "../../ui/dom.js";
import { exact } from "../../ui/format.js";
import { dialog } from "../../ui/overlay.js";
import { field } from "../form.js";

const HOUR = 3_600_000;
const YEAR_SECONDS = 365 * 86_400;

/** The device's time zone, such as "Europe/Berlin (GMT+1)". */
function zoneName() {
  const format = new Intl.DateTimeFormat(locale(), { timeZoneName: "shortOffset" });
  const offset = format.formatToParts(new Date()).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const { timeZone } = format.resolvedOptions();
  return timeZone === offset ? timeZone : `${timeZone} (${offset})`;
}

/** In which time zone the times are. */
export const zoneText = () => t("time.zone", { zone: zoneName() });

/**
 * The value of a `datetime-local` field: local time, to the minute.
 * @param {Date} date
 */
export function localTime(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The next full hour, at least half an hour ahead. */
export const nextFullHour = () => new Date(Math.ceil((Date.now() + HOUR / 2) / HOUR) * HOUR);

/**
 * What is wrong with this time for a post; null when it can be published then.
 * @param {Date} at
 */
export function publishTimeError(at) {
  const seconds = (at.getTime() - Date.now()) / 1000;
  if (Number.isNaN(seconds)) return t("compose.publishAt.missing");
  if (seconds > 0 && seconds <= limits.schedule_ahead_seconds) return null;
  if (limits.schedule_ahead_seconds === YEAR_SECONDS) return t("error.bad_publish_at");
  return t("compose.publishAt.until", { until: exact(Date.now() + limits.schedule_ahead_seconds * 1000) });
}

/** The field for the time. @param {App.Listeners} [on] */
export const publishTimeField = (on = {}) =>
  field({ name: "publish_at", label: t("compose.publishAt"), hint: zoneText(), type: "datetime-local", dir: null, on });

/**
 * The time in the field as the API takes it; undefined, with the reason beside the field, when it is none for a post.
 * @param {App.Field} one
 */
export function readPublishTime(one) {
  const at = new Date(one.value);
  const error = publishTimeError(at);
  one.showError(error);
  if (error === null) return at.toISOString();
  one.input.focus();
  return undefined;
}

/**
 * Asks for another time and calls `move` with it, as the API takes it. A refusal is shown in the dialog.
 * @param {string} publishAt
 * @param {(publishAt: string) => unknown} move
 */
export function askPublishTime(publishAt, move) {
  return dialog({
    title: t("schedule.move"),
    build: (close) => {
      const time = publishTimeField();
      time.input.value = localTime(new Date(publishAt));
      time.input.setAttribute("autofocus", "");
      const submit = submitting(async () => {
        const at = readPublishTime(time);
        if (at === undefined) return;
        try {
          await move(at);
          close();
        } catch (error) {
          time.showError(asProblem(error).userMessage);
          time.input.focus();
        }
      });
      return h(
        "form.sheet-body",
        { novalidate: true, on: { submit } },
        time.element,
        h(
          "div.actions",
          {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          h("button.primary", { type: "submit" }, t("schedule.move.do")),
        ),
      );
    },
  });
}
