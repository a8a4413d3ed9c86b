// A calendar of scheduled posts: a month as a grid of days, each with the posts of that day.
//
// A post is moved by dragging it to another day, where it keeps its time, or by the dialog of its menu. By keyboard it is a
// grid as ARIA describes it: one day can be reached by Tab; arrows, Home, End, Page Up and Page Down go to others; Enter
// goes into a day, to its posts and to a button for a new one, where arrows go on; Escape goes back to the day.

import { locale, t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { time } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { attempt } from "../../ui/overlay.js";
import { contentPreview } from "../../ui/previews.js";
import { publishTimeError, zoneText } from "./publish_time.js";

const NEW_AT = 9; // the hour of a new post on another day than today
const WEEK = 7;
const DRAGGED = "application/x-channels-draft";

export class Calendar {
  /**
   * `fetchScheduled()` resolves with all scheduled posts. `onNew(at)` begins a new post to be published then.
   * @param {{ fetchScheduled: () => Promise<Api.DraftResponse[]>; actions: import("./draft_actions.js").DraftActions; onNew: (at: Date) => unknown }} options
   */
  constructor({ fetchScheduled, actions, onNew }) {
    this.#fetchScheduled = fetchScheduled;
    this.#actions = actions;
    this.#onNew = onNew;
    this.#title.id = uniqueId("month");
    this.#grid.setAttribute("aria-labelledby", this.#title.id);
    this.#grid.addEventListener("keydown", (event) => this.#onKey(event));
    this.element = h(
      "div.calendar",
      {},
      h(
        "div.calendar-head",
        {},
        this.#step(-1, "calendar.previous"),
        this.#title,
        this.#step(1, "calendar.next"),
        h("button.plain", { type: "button", on: { click: () => this.#goTo(new Date(), false) } }, t("calendar.today")),
      ),
      this.#grid,
      h("p.soft.calendar-zone", {}, zoneText(), " ", t("calendar.help")),
    );
    this.#render();
    this.reload();
  }

  #fetchScheduled;
  #actions;
  #onNew;
  #months = new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric" });
  #days = new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  #numbers = new Intl.NumberFormat(locale());
  #title = h("h3.calendar-month", { "aria-live": "polite" });
  #grid = h("table.calendar-grid", { role: "grid" });
  /** @type {Api.DraftResponse[]} */
  #scheduled = [];
  /** The day that Tab reaches; its month is shown. */
  #day = startOfDay(new Date());

  /** Loads the scheduled posts again. */
  async reload() {
    await attempt(async () => {
      this.#scheduled = await this.#fetchScheduled();
      const hadFocus = this.#grid.contains(document.activeElement);
      this.#render();
      if (hadFocus) this.#focusDay();
    });
  }

  /**
   * @param {number} by
   * @param {"calendar.previous" | "calendar.next"} key
   */
  #step(by, key) {
    const button = h(
      "button.quiet.square",
      { type: "button", "aria-label": t(key), on: { click: () => this.#goTo(addMonths(this.#day, by), false) } },
      icon("back"),
    );
    if (by > 0) button.classList.add("turned");
    return button;
  }

  /**
   * Shows the month of a day, and lets Tab reach that day.
   * @param {Date} day
   * @param {boolean} withFocus
   */
  #goTo(day, withFocus) {
    this.#day = startOfDay(day);
    this.#render();
    if (withFocus) this.#focusDay();
  }

  #focusDay() {
    /** @type {HTMLElement | null} */ (this.#grid.querySelector("[tabindex='0']"))?.focus();
  }

  #render() {
    const month = this.#months.format(this.#day);
    if (this.#title.textContent !== month) this.#title.textContent = month;
    const first = startOfWeek(new Date(this.#day.getFullYear(), this.#day.getMonth(), 1));
    const last = new Date(this.#day.getFullYear(), this.#day.getMonth() + 1, 0);
    const weeks = [];
    for (let start = first; start <= last; start = addDays(start, WEEK)) {
      const days = Array.from({ length: WEEK }, (_, index) => addDays(start, index));
      weeks.push(
        h(
          "tr",
          {},
          days.map((day) => this.#cell(day)),
        ),
      );
    }
    const names = Array.from({ length: WEEK }, (_, index) => addDays(first, index));
    fill(
      this.#grid,
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          names.map((day) =>
            h(
              "th",
              { scope: "col", abbr: weekday(day, "long") },
              h("span", { "aria-hidden": "true" }, weekday(day, "short")),
              h("span.unseen", {}, weekday(day, "long")),
            ),
          ),
        ),
      ),
      h("tbody", {}, weeks),
    );
  }

  /** @param {Date} day */
  #cell(day) {
    const posts = this.#scheduled.filter(({ publish_at: at }) => at && sameDay(new Date(at), day));
    const isChosen = sameDay(day, this.#day);
    const label = t("calendar.day", { n: posts.length, day: this.#days.format(day) });
    /** @type {HTMLElement} */
    const cell = h(
      "td.calendar-day",
      {
        role: "gridcell",
        tabindex: isChosen ? "0" : "-1",
        "aria-label": label,
        "aria-current": sameDay(day, new Date()) ? "date" : null,
        data: { day: dayKey(day) },
        on: {
          focusin: () => this.#choose(cell, day),
          dragover: (event) => {
            if (!event.dataTransfer?.types.includes(DRAGGED)) return;
            event.preventDefault();
            event.dataTransfer.dropEffect = "move";
            cell.classList.add("over");
          },
          dragleave: () => cell.classList.remove("over"),
          drop: (event) => this.#drop(event, day, cell),
        },
      },
      h("span.calendar-number", { "aria-hidden": "true" }, this.#numbers.format(day.getDate())),
      posts.map((draft) => this.#entry(draft)),
      publishTimeError(newTimeOn(day)) === null ? this.#newButton(day) : null,
    );
    cell.classList.toggle("other-month", day.getMonth() !== this.#day.getMonth());
    return cell;
  }

  /** @param {Api.DraftResponse} draft */
  #entry(draft) {
    const at = draft.publish_at ?? "";
    const preview = contentPreview(draft.post);
    /** @type {HTMLButtonElement} */
    const button = h(
      "button.calendar-entry",
      {
        type: "button",
        tabindex: "-1",
        draggable: "true",
        "aria-haspopup": "menu",
        "aria-label": t(draft.failure ? "calendar.failed" : "calendar.post", { time: time(at), preview }),
        title: preview,
        on: {
          click: () => this.#actions.openMenu(draft, button, { withEdit: true }),
          dragstart: (event) => {
            event.dataTransfer?.setData(DRAGGED, draft.draft_id);
            if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
          },
        },
      },
      h("span.calendar-time", {}, time(at)),
      h("span.calendar-text", { dir: "auto" }, preview),
    );
    button.classList.toggle("bad", draft.failure !== null);
    return button;
  }

  /** @param {Date} day */
  #newButton(day) {
    const label = t("calendar.new", { day: this.#days.format(day) });
    return h(
      "button.quiet.square.small.calendar-new",
      { type: "button", tabindex: "-1", "aria-label": label, on: { click: () => this.#onNew(newTimeOn(day)) } },
      icon("plus"),
    );
  }

  /**
   * The day that has the focus is the one that Tab reaches.
   * @param {HTMLElement} cell
   * @param {Date} day
   */
  #choose(cell, day) {
    this.#day = day;
    for (const other of this.#grid.querySelectorAll("[tabindex='0']")) other.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
  }

  /**
   * @param {DragEvent} event
   * @param {Date} day
   * @param {HTMLElement} cell
   */
  #drop(event, day, cell) {
    cell.classList.remove("over");
    const id = event.dataTransfer?.getData(DRAGGED);
    const draft = this.#scheduled.find(({ draft_id: one }) => one === id);
    if (!draft?.publish_at) return null;
    event.preventDefault();
    const at = new Date(draft.publish_at);
    if (sameDay(at, day)) return null;
    // The time of day stays, also where clocks are changed between the two days.
    at.setFullYear(day.getFullYear(), day.getMonth(), day.getDate());
    return this.#actions.moveTo(draft, at);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    /** @type {HTMLElement | null} */
    const cell = target.closest("td");
    if (!cell || event.altKey || event.metaKey) return;
    const isHandled = target === cell ? this.#onDayKey(event, cell) : this.#onEntryKey(event, cell, target);
    if (!isHandled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement} cell
   */
  #onDayKey(event, cell) {
    const isRtl = getComputedStyle(this.#grid).direction === "rtl";
    const weekStart = startOfWeek(this.#day);
    /** @type {{ [key: string]: () => Date }} */
    const moves = {
      ArrowRight: () => addDays(this.#day, isRtl ? -1 : 1),
      ArrowLeft: () => addDays(this.#day, isRtl ? 1 : -1),
      ArrowDown: () => addDays(this.#day, WEEK),
      ArrowUp: () => addDays(this.#day, -WEEK),
      Home: () => weekStart,
      End: () => addDays(weekStart, WEEK - 1),
      PageDown: () => addMonths(this.#day, event.shiftKey ? 12 : 1),
      PageUp: () => addMonths(this.#day, event.shiftKey ? -12 : -1),
    };
    const move = moves[event.key];
    if (move) this.#goTo(move(), true);
    else if (event.key === "Enter" || event.key === "F2" || event.key === " ") cell.querySelector("button")?.focus();
    else return false;
    return true;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement} cell
   * @param {HTMLElement} target
   */
  #onEntryKey(event, cell, target) {
    /** @type {HTMLElement[]} */
    const buttons = [...cell.querySelectorAll("button")];
    const index = buttons.indexOf(target);
    if (event.key === "Escape") cell.focus();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = index + (event.key === "ArrowDown" ? 1 : -1);
      buttons[(next + buttons.length) % buttons.length]?.focus();
    } else return false;
    return true;
  }
}

/**
 * When a new post on this day is published at first: this hour tomorrow is as good as any, and today the next full hour.
 * @param {Date} day
 */
function newTimeOn(day) {
  const now = new Date();
  const hour = sameDay(day, now) ? Math.max(NEW_AT, now.getHours() + 1) : NEW_AT;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour);
}

/**
 * @param {Date} day
 * @param {"long" | "short"} style
 */
const weekday = (day, style) => new Intl.DateTimeFormat(locale(), { weekday: style }).format(day);

/** @param {Date} date */
const startOfDay = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

/** @param {Date} date */
const dayKey = (date) =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((one) => String(one).padStart(2, "0")).join("-");

/**
 * @param {Date} one
 * @param {Date} other
 */
const sameDay = (one, other) => dayKey(one) === dayKey(other);

/**
 * @param {Date} day
 * @param {number} by
 */
const addDays = (day, by) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + by);

/**
 * The same day of another month, or the last one where that month is shorter.
 * @param {Date} day
 * @param {number} by
 */
function addMonths(day, by) {
  const last = new Date(day.getFullYear(), day.getMonth() + by + 1, 0);
  return new Date(last.getFullYear(), last.getMonth(), Math.min(day.getDate(), last.getDate()));
}

/** @param {Date} day */
function startOfWeek(day) {
  const before = (day.getDay() - firstWeekday() + WEEK) % WEEK;
  return addDays(day, -before);
}

/** The first day of the week where the language is spoken, 0 being Sunday; Monday where the browser does not know. */
function firstWeekday() {
  const language = /** @type {any} */ (new Intl.Locale(navigator.language));
  const info = language.getWeekInfo?.() ?? language.weekInfo;
  return (info?.firstDay ?? 1) % WEEK;
}
