// Formats times, numbers and sizes for people, in the language of the texts: whether a day has 12 or 24 hours, in which order a
// date is written and which digits are used follow the language that the user chose, not the region of the browser.

import { locale, t } from "../texts.js";

const clock = new Intl.DateTimeFormat(locale(), { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale(), { weekday: "short" });
const shortDate = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short" });
const utcDate = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", timeZone: "UTC" });
const fullDate = new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dateAndTime = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" });
const toTheSecond = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" });
const compact = new Intl.NumberFormat(locale(), { notation: "compact", maximumFractionDigits: 1 });
const full = new Intl.NumberFormat(locale());
const twoDigits = new Intl.NumberFormat(locale(), { minimumIntegerDigits: 2 });
const percent = new Intl.NumberFormat(locale(), { style: "percent" });
const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
const DAY = 86_400_000;
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** @param {Date} date */
function daysAgo(date) {
  /** @param {Date} d */
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  return Math.round((midnight(new Date()) - midnight(date)) / DAY);
}

/**
 * 2:05 PM, or 14:05
 * @param {string | number} instant
 */
export function time(instant) {
  return clock.format(new Date(instant));
}

/**
 * For lists: the time today, the weekday in the last week, the date before.
 * @param {string | number} instant
 */
export function shortTime(instant) {
  const date = new Date(instant);
  const days = daysAgo(date);
  if (days <= 0) return clock.format(date);
  return days < 7 ? weekday.format(date) : shortDate.format(date);
}

/**
 * For headings: Today, Yesterday, Monday 3 March 2025.
 * @param {string | number} instant
 */
export function day(instant) {
  const date = new Date(instant);
  const days = daysAgo(date);
  if (days === 0) return t("history.today");
  if (days === 1) return t("history.yesterday");
  return fullDate.format(date);
}

/**
 * A key that is equal for all instants of one local day.
 * @param {string | number} instant
 */
export function dayKey(instant) {
  return new Date(instant).toDateString();
}

/**
 * Date and time, for tooltips.
 * @param {string | number} instant
 */
export function exact(instant) {
  return dateAndTime.format(new Date(instant));
}

/**
 * Date and time to the second, where several follow each other.
 * @param {string | number} instant
 */
export function precise(instant) {
  return toTheSecond.format(new Date(instant));
}

/**
 * 5 minutes ago.
 * @param {string | number} instant
 */
export function ago(instant) {
  const seconds = (new Date(instant).getTime() - Date.now()) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(0, "minute");
}

/**
 * 3 Mar: a day given as YYYY-MM-DD, whatever the time zone.
 * @param {string} date
 */
export function dayLabel(date) {
  return utcDate.format(new Date(`${date}T00:00:00Z`));
}

/**
 * 1,204: a number in full.
 * @param {number} value
 */
export function number(value) {
  return full.format(value);
}

/**
 * 1.2K: for badges.
 * @param {number} value
 */
export function count(value) {
  return compact.format(value);
}

/**
 * 45%
 * @param {number} part
 */
export function share(part) {
  return percent.format(part);
}

/**
 * 1.4 MB
 * @param {number} bytes
 */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: units[step],
    unitDisplay: step ? "short" : "long",
    maximumFractionDigits: 1,
  }).format(bytes / 1000 ** step);
}

/**
 * 1:05, or 1:00:05: how long a sound lasts.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? twoDigits : full).format(part)).join(":");
}
