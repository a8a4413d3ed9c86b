// The filters of a search for messages: where, kind and time.

import { conversations } from "../client/conversations.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { identityOf, listed } from "./open_conversations.js";

const DAY = 86_400_000; // milliseconds
/** Photos that words can find have a text. */
const KINDS = /** @type {const} */ (["text", "text_and_image", "video", "audio", "file", "location", "poll"]);
/** Days of the times that count back from now. */
const TIMES = /** @type {const} */ ({ day: 1, week: 7, month: 30, year: 365 });
const DATES = "dates";

/**
 * As in the address. Empty texts do not filter.
 * @typedef {{ where: string; kind: string; time: string; from: string; to: string }} Chosen
 */

/**
 * The filters as the API takes them. Dates are days of this device's time zone; `to` is included.
 * @param {Chosen} chosen
 */
export function queryOf({ where, kind, time, from, to }) {
  const days = TIMES[/** @type {keyof typeof TIMES} */ (time)];
  const isByDates = time === DATES;
  return {
    conversation_id: where || null,
    kind: KINDS.find((known) => known === kind) ?? null,
    from: days ? instant(Date.now() - days * DAY) : isByDates ? startOf(from, 0) : null,
    to: isByDates ? startOf(to, 1) : null,
  };
}

/** @param {number} milliseconds */
const instant = (milliseconds) => new Date(milliseconds).toISOString();

/**
 * The start of a day, or of one after it; null when the text is no date.
 * @param {string} date
 * @param {number} days
 */
function startOf(date, days) {
  const [year, month, day] = date.split("-").map(Number);
  const start = new Date(year, month - 1, day + days);
  return Number.isNaN(start.getTime()) ? null : start.toISOString();
}

export class SearchFilters {
  /**
   * @param {{ hasPlaces: boolean; onChange: () => unknown }} options
   */
  constructor({ hasPlaces, onChange }) {
    this.#onChange = onChange;
    this.#where = hasPlaces ? select(t("search.where"), [["", t("search.where.all")]], () => this.#changed()) : null;
    this.#kind = select(
      t("search.kind"),
      [["", t("search.kind.all")], ...KINDS.map((kind) => option(kind, t(`search.kind.${kind}`)))],
      () => this.#changed(),
    );
    const times = /** @type {(keyof typeof TIMES)[]} */ (Object.keys(TIMES));
    this.#time = select(
      t("search.time"),
      [
        ["", t("search.time.any")],
        ...times.map((time) => option(time, t(`search.time.${time}`))),
        [DATES, t("search.time.dates")],
      ],
      () => this.#changed(),
    );
    this.#from = this.#date(t("search.from"));
    this.#to = this.#date(t("search.to"));
    this.#dates = h("div.found-dates", { hidden: true }, this.#from.element, this.#to.element);
    this.element = h(
      "div.found-filters",
      { role: "group", "aria-label": t("search.filters") },
      this.#where,
      this.#kind,
      this.#time,
      this.#dates,
    );
  }

  #onChange;
  #where;
  #kind;
  #time;
  #from;
  #to;
  #dates;

  /** @returns {Chosen} */
  get chosen() {
    const isByDates = this.#time.value === DATES;
    return {
      where: this.#where?.value ?? "",
      kind: this.#kind.value,
      time: this.#time.value,
      from: isByDates ? this.#from.input.value : "",
      to: isByDates ? this.#to.input.value : "",
    };
  }

  /** @param {Chosen} chosen */
  show({ where, kind, time, from, to }) {
    if (this.#where) this.#showPlaces(this.#where, where);
    this.#kind.value = kind;
    this.#time.value = time;
    this.#from.input.value = from;
    this.#to.input.value = to;
    this.#dates.hidden = time !== DATES;
  }

  #changed() {
    this.#dates.hidden = this.#time.value !== DATES;
    this.#onChange();
  }

  /**
   * @param {HTMLSelectElement} element
   * @param {string} chosen
   */
  #showPlaces(element, chosen) {
    const all = listed();
    /** @param {Api.ConversationResponse} one */
    const place = (one) => h("option", { value: one.conversation_id }, identityOf(one).name);
    /**
     * @param {App.TextKey} label
     * @param {boolean} isChannel
     */
    const group = (label, isChannel) => {
      const own = all.filter((one) => one.is_channel === isChannel).sort(byTitle);
      return own.length ? h("optgroup", { label: t(label) }, own.map(place)) : "";
    };
    element.replaceChildren(
      h("option", { value: "" }, t("search.where.all")),
      group("nav.channels", true),
      group("nav.chats", false),
    );
    // One that is not loaded yet still filters.
    if (chosen && !conversations.byId.has(chosen)) element.append(h("option", { value: chosen }, chosen));
    element.value = chosen;
  }

  /** @param {string} label */
  #date(label) {
    const input = h("input", { type: "date", on: { change: () => this.#changed() } });
    return { input, element: h("label.found-date", {}, h("span", {}, label), input) };
  }
}

/**
 * @param {Api.ConversationResponse} one
 * @param {Api.ConversationResponse} other
 */
const byTitle = (one, other) => one.title.localeCompare(other.title);

/**
 * @param {string} value
 * @param {string} text
 * @returns {[value: string, text: string]}
 */
const option = (value, text) => [value, text];

/**
 * @param {string} label
 * @param {[value: string, text: string][]} options
 * @param {() => unknown} change
 */
const select = (label, options, change) =>
  h(
    "select",
    { "aria-label": label, title: label, on: { change } },
    options.map(([value, text]) => h("option", { value }, text)),
  );
