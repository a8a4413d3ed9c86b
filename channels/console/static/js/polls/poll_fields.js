// The fields with which a poll is written: the question, 2 to 12 answers, whether several may be chosen, until when, and who
// sees the results. The console's composer and the dialog of group chats use them.
//
// Answers are added and removed one by one; Enter in the last one adds another. What is wrong is said beside its field.

import "./texts.js";
import { limits } from "../client/limits.js";
import { choice, field } from "../console/form.js";
import { localTime } from "../console/posts/publish_time.js";
import { t } from "../texts.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";

const LEAST = 2;
const RESULTS = /** @type {const} */ (["always", "after_vote", "after_close"]);
const DAY = 24 * 3600 * 1000; // milliseconds

/**
 * Answers that differ only in case, accents or spaces are the same, as for the server.
 * @param {string} text
 */
const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();

export class PollFields {
  /**
   * `onRemove()` is called when the user wants no poll after all; without it, there is no button for that.
   * @param {{ onChange?: () => unknown; onRemove?: (() => unknown) | null }} [options]
   */
  constructor({ onChange = () => {}, onRemove = null } = {}) {
    this.#onChange = onChange;
    this.#question = field({
      name: "question",
      label: t("poll.question"),
      limit: limits.poll_question_bytes,
      required: true,
      on: { input: () => onChange() },
    });
    const severalId = uniqueId("several");
    const closesId = uniqueId("closes");
    this.#several = h("input", { type: "checkbox", id: severalId, on: { change: () => onChange() } });
    this.#closes = h("input", { type: "checkbox", id: closesId, on: { change: () => this.#onCloses() } });
    this.#closesAt = field({
      name: "closes_at",
      label: t("poll.closesAt"),
      type: "datetime-local",
      dir: null,
      on: { input: () => onChange() },
    });
    /** @type {App.Choice<Api.PollBody["results"] & string>} */
    this.#results = choice({
      name: "results",
      label: t("poll.results"),
      value: "always",
      options: RESULTS.map((key) => [key, t(`poll.results.${key}`)]),
      on: () => onChange(),
    });
    this.#removeButton = onRemove
      ? h("button.plain", { type: "button", on: { click: () => onRemove() } }, icon("close"), t("poll.remove"))
      : null;
    this.element = h(
      "fieldset.poll-fields",
      {},
      h("legend", {}, t("poll.title")),
      this.#question.element,
      this.#list,
      this.#error,
      this.#addButton,
      h("div.choice-line", {}, this.#several, h("label", { for: severalId }, t("poll.allowSeveral"))),
      h("div.choice-line", {}, this.#closes, h("label", { for: closesId }, t("poll.closesByItself"))),
      this.#closesAt.element,
      this.#results.element,
      this.#fixedNote,
      this.#removeButton,
    );
    this.write(null);
  }

  #onChange;
  #question;
  #several;
  #closes;
  #closesAt;
  #results;
  #removeButton;
  #fixedNote = h("p.soft", { hidden: true }, t("poll.fixed"));
  #list = h("ol.poll-answers", { "aria-label": t("poll.answers") });
  #error = h("p.error", { role: "alert", hidden: true });
  #addButton = h(
    "button.plain",
    { type: "button", on: { click: () => this.#add()?.input.focus() } },
    icon("plus"),
    t("poll.answer.add"),
  );
  /** @type {{ row: HTMLElement; answer: App.Field }[]} */
  #answers = [];
  /** The closing time that the poll has, to the millisecond: it stays while its field, which has minutes, is not changed. */
  #exact = /** @type {string | null} */ (null);

  /** Moves the focus to the question. */
  focus() {
    this.#question.input.focus();
  }

  /** What the fields hold, unfinished too. @returns {App.WrittenPoll} */
  get raw() {
    return {
      question: this.#question.value,
      options: this.#answers.map(({ answer }) => answer.value),
      multiple: this.#several.checked,
      closes_at: this.#closes.checked ? this.#closesAt.value : null,
      closes_exactly: this.#exact,
      results: this.#results.value,
    };
  }

  /**
   * Replaces what the fields hold; null empties them.
   * @param {Partial<App.WrittenPoll> | null} poll
   */
  write(poll) {
    this.#question.input.value = poll?.question ?? "";
    this.#question.showError(null);
    this.#showError(null);
    for (const { row } of this.#answers) row.remove();
    this.#answers = [];
    const options = poll?.options ?? [];
    for (let index = 0; index < Math.max(LEAST, options.length); index += 1) this.#add(options[index], false);
    this.#exact = poll?.closes_exactly ?? null;
    this.#several.checked = Boolean(poll?.multiple);
    this.#closes.checked = Boolean(poll?.closes_at);
    this.#closesAt.input.value = poll?.closes_at ?? "";
    this.#closesAt.element.hidden = !this.#closes.checked;
    this.#closesAt.showError(null);
    this.#results.value = poll?.results ?? "always";
  }

  /**
   * Of a poll that is posted, only the closing time may be changed, and nothing once it is closed. Null lets everything be
   * changed.
   * @param {{ closed: boolean } | null} posted
   */
  set posted(posted) {
    for (const input of this.element.querySelectorAll("input")) input.disabled = posted !== null;
    this.#closes.disabled = this.#closesAt.input.disabled = Boolean(posted?.closed);
    this.#fixedNote.hidden = posted === null;
    this.#showRemovers(posted !== null);
    if (this.#removeButton) this.#removeButton.hidden = posted !== null;
  }

  /**
   * The poll as the API takes it.
   * @returns {Api.PollBody}
   */
  get value() {
    const { question, options, multiple, closes_at: closesAt, results } = this.raw;
    const at = new Date(this.#isSameClosing ? (this.#exact ?? "") : (closesAt ?? ""));
    return {
      question: question.trim(),
      options: options.map((text) => text.trim()).filter(Boolean),
      multiple,
      closes_at: Number.isNaN(at.getTime()) ? null : at.toISOString(),
      results,
    };
  }

  get #isSameClosing() {
    const { closes_at: text } = this.raw;
    return text !== null && this.#exact !== null && localTime(new Date(this.#exact)) === text;
  }

  /** Whether there is enough of it to show: a question and two answers. */
  get isShowable() {
    const { question, options } = this.value;
    return question !== "" && options.length >= LEAST && new Set(options.map(folded)).size === options.length;
  }

  /** Whether it can be posted. Marks what is wrong, and moves the focus to the first such field. */
  check() {
    if (!this.#question.check()) return this.#refuse(this.#question);
    const tooLong = this.#answers.find(({ answer }) => !answer.check());
    if (tooLong) return this.#refuse(tooLong.answer);
    const { options } = this.value;
    if (options.length < LEAST) {
      this.#showError(t("poll.answer.missing", { n: LEAST }));
      return this.#refuse((this.#answers.find(({ answer }) => !answer.value.trim()) ?? this.#answers[0]).answer);
    }
    const repeated = this.#answers.find(({ answer }, index) => {
      const text = folded(answer.value);
      return text && this.#answers.findIndex((other) => folded(other.answer.value) === text) < index;
    });
    this.#showError(repeated ? t("poll.answer.twice") : null);
    if (repeated) return this.#refuse(repeated.answer);
    const { closes_at: closesAt } = this.raw;
    const isLate = closesAt === null || this.#isSameClosing || new Date(closesAt).getTime() > Date.now();
    this.#closesAt.showError(isLate ? null : t(closesAt ? "poll.closesAt.past" : "poll.closesAt.missing"));
    return isLate || this.#refuse(this.#closesAt);
  }

  /** @param {App.Field} one */
  #refuse(one) {
    one.input.focus();
    return false;
  }

  /** @param {string | null} reason */
  #showError(reason) {
    this.#error.hidden = reason === null;
    this.#error.textContent = reason ?? "";
  }

  #onCloses() {
    this.#closesAt.element.hidden = !this.#closes.checked;
    if (this.#closes.checked && !this.#closesAt.value)
      this.#closesAt.input.value = localTime(new Date(Date.now() + DAY));
    this.#closesAt.showError(null);
    this.#onChange();
  }

  /** Adds a field for an answer; returns it, or null where there are as many as there may be. */
  #add(text = "", isChange = true) {
    if (this.#answers.length >= limits.poll_options) return null;
    const answer = field({
      name: "options",
      label: "",
      value: text,
      limit: limits.poll_option_bytes,
      on: {
        input: () => {
          this.#showError(null);
          this.#onChange();
        },
        keydown: (event) => this.#onKey(event, answer),
      },
    });
    const remove = h(
      "button.quiet.square",
      { type: "button", on: { click: () => this.#remove(answer) } },
      icon("close"),
    );
    const row = h("li.poll-answer", {}, answer.element, remove);
    this.#answers.push({ row, answer });
    this.#list.append(row);
    this.#showRemovers();
    if (isChange) this.#onChange();
    return answer;
  }

  /** @param {App.Field} answer */
  #remove(answer) {
    const index = this.#answers.findIndex((one) => one.answer === answer);
    this.#answers[index].row.remove();
    this.#answers.splice(index, 1);
    this.#showError(null);
    this.#showRemovers();
    this.#answers[Math.min(index, this.#answers.length - 1)].answer.input.focus();
    this.#onChange();
  }

  /** Two answers stay. Each is named by its number. */
  #showRemovers(isFixed = false) {
    for (const [index, { row, answer }] of this.#answers.entries()) {
      const n = index + 1;
      const remove = /** @type {HTMLElement} */ (row.querySelector("button"));
      remove.hidden = isFixed || this.#answers.length <= LEAST;
      remove.setAttribute("aria-label", t("poll.answer.remove", { n }));
      fill(/** @type {HTMLElement} */ (answer.element.querySelector("label")), t("poll.answer", { n }));
    }
    this.#addButton.hidden = isFixed || this.#answers.length >= limits.poll_options;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {App.Field} answer
   */
  #onKey(event, answer) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    const index = this.#answers.findIndex((one) => one.answer === answer);
    const next = this.#answers[index + 1]?.answer ?? (answer.value.trim() ? this.#add() : null);
    next?.input.focus();
  }
}

/**
 * A poll as its fields show it.
 * @param {App.Poll | null | undefined} poll
 * @returns {App.WrittenPoll | null}
 */
export const pollAsWritten = (poll) =>
  poll
    ? {
        question: poll.question,
        options: poll.options.map(({ text }) => text),
        multiple: poll.multiple,
        closes_at: poll.closes_at && localTime(new Date(poll.closes_at)),
        closes_exactly: poll.closes_at,
        results: poll.results,
      }
    : null;
