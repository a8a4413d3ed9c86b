// The editor of a channel's opening hours: the time zone, the hours of each day, days on which it is closed, and the answer
// that is sent while it is closed.

import { locale, t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { MessageEditor, messageAsWritten } from "./message_editor.js";

const DAYS = /** @type {const} */ (["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
const MOST_RANGES = 4; // a day
const MOST_DATES = 100;
const MONDAY = Date.UTC(2024, 0, 1); // any Monday: days are named by dates
const DAY = 24 * 3600 * 1000; // milliseconds
const FIRST = ["09:00", "17:00"];
/** The end of a day, which a field for a time cannot hold. */
const MIDNIGHT = { stored: "24:00", shown: "00:00" };

/** @typedef {(typeof DAYS)[number]} Day */
/** @typedef {{ zone: string; weekly: { [day in Day]?: string[][] }; closed: string[]; enabled: boolean; away: import("./message_editor.js").Written }} Written */
/** @typedef {{ element: HTMLElement; from: HTMLInputElement; to: HTMLInputElement }} Range */

export class OpeningHoursEditor {
  /** @param {string} channelId */
  constructor(channelId) {
    const zoneId = uniqueId("zone");
    this.#zone = h("select", { id: zoneId, on: { change: () => this.onChange() } });
    this.#away = new MessageEditor({ channelId, label: t("hours.away") });
    this.#away.onChange = () => this.onChange();
    const enabledId = uniqueId("enabled");
    this.#enabled = h("input", { type: "checkbox", id: enabledId, on: { change: () => this.onChange() } });
    const dateId = uniqueId("closed");
    this.#date = h("input", { type: "date", id: dateId });
    this.element = h(
      "div.form",
      {},
      h("div.choice-line", {}, this.#enabled, h("label", { for: enabledId }, t("hours.enabled"))),
      h("div.field", {}, h("label", { for: zoneId }, t("hours.zone")), this.#zone),
      h(
        "fieldset",
        {},
        h("legend", {}, t("hours.weekly")),
        this.#days.map(({ element }) => element),
      ),
      this.#error,
      h(
        "div.field",
        {},
        h("label", { for: dateId }, t("hours.closedDates")),
        this.#dates,
        h(
          "div.closed-dates",
          {},
          this.#date,
          h("button.plain", { type: "button", on: { click: () => this.#addDate() } }, t("hours.closedDates.add")),
        ),
      ),
      this.#away.element,
    );
    this.write(null);
  }

  #zone;
  #away;
  #enabled;
  #date;
  #dates = h("ul.closed-dates");
  #error = h("p.error", { role: "alert", hidden: true });
  #days = DAYS.map((day, index) => new DayHours(day, MONDAY + index * DAY, () => this.onChange()));
  /** @type {string[]} */
  #closed = [];
  /** @type {() => unknown} */
  onChange = () => {};

  /** @returns {Written} */
  get raw() {
    return {
      zone: this.#zone.value,
      weekly: Object.fromEntries(this.#days.map(({ day, value }) => [day, value]).filter(([, value]) => value.length)),
      closed: this.#closed,
      enabled: this.#enabled.checked,
      away: this.#away.raw,
    };
  }

  /** @returns {Api.PutOpeningHours} */
  get value() {
    const { zone, weekly, closed, enabled } = this.raw;
    return /** @type {Api.PutOpeningHours} */ ({
      time_zone: zone,
      weekly,
      closed_dates: closed,
      enabled,
      away: this.#away.value,
    });
  }

  /** @param {Written | null} written */
  write(written) {
    const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zone = written?.zone ?? own;
    const zones = new Set([...Intl.supportedValuesOf("timeZone"), own, zone]);
    fill(
      this.#zone,
      [...zones].sort(byText).map((one) => h("option", { value: one, selected: one === zone }, one)),
    );
    this.#enabled.checked = written?.enabled ?? true;
    for (const one of this.#days) one.write(written?.weekly[one.day] ?? []);
    this.#away.write(written?.away ?? null);
    this.#closed = written?.closed ?? [];
    this.#showDates();
    this.#showError(null);
  }

  check() {
    this.#showError(null);
    const wrong = this.#days.find((one) => !one.isRight);
    if (wrong) {
      this.#showError(t("hours.wrong", { day: wrong.name }));
      wrong.focus();
      return false;
    }
    return this.#away.check();
  }

  /** @param {string | null} reason */
  #showError(reason) {
    this.#error.textContent = reason ?? "";
    this.#error.hidden = reason === null;
  }

  #addDate() {
    const { value } = this.#date;
    if (!value) return this.#date.focus();
    this.#date.value = "";
    this.#closed = [...new Set([...this.#closed, value])].sort(byText).slice(0, MOST_DATES);
    this.#showDates();
    return this.onChange();
  }

  #showDates() {
    const format = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeZone: "UTC" });
    fill(
      this.#dates,
      this.#closed.map((date) => {
        const text = format.format(new Date(`${date}T00:00Z`));
        const remove = () => {
          this.#closed = this.#closed.filter((other) => other !== date);
          this.#showDates();
          this.#date.focus();
          this.onChange();
        };
        const label = t("hours.closedDates.remove", { date: text });
        return h(
          "li",
          {},
          text,
          h("button.quiet.square.small", { type: "button", "aria-label": label, on: { click: remove } }, icon("close")),
        );
      }),
    );
    this.#dates.hidden = !this.#closed.length;
  }
}

/** Names of zones, and dates as the API writes them. @param {string} one @param {string} other */
const byText = (one, other) => (one < other ? -1 : Number(one > other));

/** The hours of one day: any number of ranges, none where it is closed. */
class DayHours {
  /**
   * @param {Day} day
   * @param {number} date Any date that is this day of the week.
   * @param {() => unknown} onChange
   */
  constructor(day, date, onChange) {
    this.day = day;
    this.#onChange = onChange;
    this.name = new Intl.DateTimeFormat(locale(), { weekday: "long", timeZone: "UTC" }).format(date);
    this.#addButton = h(
      "button.quiet",
      { type: "button", "aria-label": t("hours.add.label", { day: this.name }), on: { click: () => this.#addNew() } },
      icon("plus"),
      t("hours.add"),
    );
    this.element = h(
      "div.day-hours",
      { role: "group", "aria-label": this.name },
      h("span", {}, this.name),
      h("div.day-ranges", {}, this.#none, this.#list, this.#addButton),
    );
  }

  #onChange;
  #addButton;
  #none = h("span.soft", {}, t("hours.closed"));
  #list = h("div.day-ranges");
  /** @type {Range[]} */
  #ranges = [];

  get value() {
    return this.#ranges.map(({ from, to }) => [from.value, to.value === MIDNIGHT.shown ? MIDNIGHT.stored : to.value]);
  }

  /** Whether each range ends after it begins, and begins after the one before it. */
  get isRight() {
    const times = this.value.flat();
    return times.every(
      (time, index) =>
        time && (index === 0 || time > times[index - 1] || (index % 2 === 0 && time === times[index - 1])),
    );
  }

  focus() {
    (this.#ranges[0]?.from ?? this.#addButton).focus();
  }

  /** @param {string[][]} ranges */
  write(ranges) {
    this.#ranges = [];
    fill(this.#list);
    for (const [from, to] of ranges) this.#add(from, to);
    this.#show();
  }

  #addNew() {
    const [from, to] = this.#ranges.length ? ["", ""] : FIRST;
    this.#add(from, to).from.focus();
    this.#show();
    this.#onChange();
  }

  /**
   * @param {string} begins
   * @param {string} ends
   */
  #add(begins, ends) {
    const on = { change: () => this.#onChange() };
    const from = h("input", { type: "time", value: begins, "aria-label": t("hours.from", { day: this.name }), on });
    const end = ends === MIDNIGHT.stored ? MIDNIGHT.shown : ends;
    const to = h("input", { type: "time", value: end, "aria-label": t("hours.to", { day: this.name }), on });
    const remove = () => {
      this.#ranges = this.#ranges.filter((other) => other !== range);
      range.element.remove();
      this.#show();
      this.#addButton.focus();
      this.#onChange();
    };
    const label = t("hours.remove", { day: this.name });
    const element = h(
      "div.day-range",
      {},
      from,
      h("span", { "aria-hidden": "true" }, "–"),
      to,
      h("button.quiet.square.small", { type: "button", "aria-label": label, on: { click: remove } }, icon("close")),
    );
    const range = { element, from, to };
    this.#ranges.push(range);
    this.#list.append(element);
    return range;
  }

  #show() {
    this.#none.hidden = this.#ranges.length > 0;
    this.#addButton.hidden = this.#ranges.length >= MOST_RANGES;
  }
}

/**
 * Opening hours, as the fields show them.
 * @param {Api.OpeningHoursResponse} hours
 * @returns {Written}
 */
export const hoursAsWritten = ({ time_zone: zone, weekly, closed_dates: closed, away, enabled }) => ({
  zone: zone ?? "",
  weekly: /** @type {Written["weekly"]} */ (weekly),
  closed: [...closed].sort(byText),
  enabled,
  away: messageAsWritten(away ?? { text: "", buttons: null }),
});
