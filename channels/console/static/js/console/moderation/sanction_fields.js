// The fields of a suspension and of a restriction: how far it goes, until when, and why.

import { t } from "../../texts.js";
import { h, uniqueId } from "../../ui/dom.js";
import { choice, field } from "../form.js";
import { localTime } from "../posts/publish_time.js";

const DAY = 86_400_000; // milliseconds
/** By choice: for how many milliseconds from now on. */
const TERMS = /** @type {{ [key: string]: number }} */ ({ day: DAY, week: 7 * DAY, month: 30 * DAY });
export const NOTE_BYTES = 500;

/** Whether a suspended channel stays readable. @param {Api.SuspensionMode} [value] */
export const modeChoice = (value = "readable") =>
  choice({
    name: "mode",
    label: t("suspension.mode"),
    options: [
      ["readable", t("suspension.mode.readable")],
      ["hidden", t("suspension.mode.hidden")],
    ],
    value,
  });

/**
 * Why. `isShown`: those whom it concerns read it.
 * @param {string} name Of the field.
 * @param {boolean} isShown
 */
export const noteField = (name, isShown) =>
  field({
    name,
    label: t(isShown ? "case.note.shown" : "case.note"),
    hint: t(isShown ? "case.note.shown.hint" : "case.note.hint"),
    limit: NOTE_BYTES,
    rows: 2,
  });

/** Until when: without an end, for some time, or until a time of the device's time zone. */
export function untilField() {
  const time = field({ name: "until", label: t("restriction.until.time"), type: "datetime-local", dir: null });
  const id = uniqueId("until");
  /** @type {HTMLSelectElement} */
  const select = h(
    "select",
    { id, on: { change: () => show() } },
    h("option", { value: "forever" }, t("restriction.until.forever")),
    h("option", { value: "day" }, t("restriction.until.day")),
    h("option", { value: "week" }, t("restriction.until.week")),
    h("option", { value: "month" }, t("restriction.until.month")),
    h("option", { value: "at" }, t("restriction.until.at")),
  );
  const show = () => {
    time.element.hidden = select.value !== "at";
    if (!time.value) time.input.value = localTime(new Date(Date.now() + DAY));
  };
  show();
  time.check = () => {
    const isWrong = select.value === "at" && !(new Date(time.value).getTime() > Date.now());
    time.showError(isWrong ? t("restriction.until.past") : null);
    return !isWrong;
  };
  return {
    field: time,
    element: h(
      "div.link-expiry",
      {},
      h("div.field", {}, h("label", { for: id }, t("restriction.until")), select),
      time.element,
    ),
    /** Null is without an end. */
    get value() {
      if (select.value === "forever") return null;
      const term = TERMS[select.value];
      return (term === undefined ? new Date(time.value) : new Date(Date.now() + term)).toISOString();
    },
  };
}
