// A poll in a post or message: the question, the answers with their counts, and voting. Loaded when the first poll is shown.
//
// Voting takes a button, so that the arrow keys can move through the answers without a vote for each. It is updated in
// place: an answer that is being chosen stays chosen while counts change, and the focus stays where it is.
//
// Who may not see the counts yet reads when they will be shown. The server says whether a poll is closed; when its time is
// over, the post is loaded again, each window a little later than the others.

import "./texts.js";
import { t } from "../texts.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { ago, exact, share } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { attempt } from "../ui/overlay.js";
import { loadStyle } from "../ui/style_sheet.js";

await loadStyle("css/polls.css");

const LONGEST_TIMER = 24 * 3600 * 1000; // milliseconds
const CLOSED_AFTER = 500; // milliseconds behind the closing time
const SPREAD = 4000; // milliseconds in which the windows of all readers load a closed poll
const AGAIN_AFTER = 10_000; // milliseconds longer with each try, while the server does not say yet that it is closed
const MOST_TRIES = 5;

/** @typedef {{ row: HTMLElement; input: HTMLInputElement; tick: HTMLElement; count: HTMLElement; bar: HTMLElement; filled: HTMLElement }} Option */

export class PollBox {
  /**
   * The poll of one post or message. Without `vote`, it only shows the results.
   * @param {App.PollActions} actions
   */
  constructor({ vote, reload, showVoters, isPreview }) {
    this.#vote = vote;
    this.#reload = reload;
    this.#showVoters = showVoters;
    this.#isPreview = isPreview;
    this.#votersButton.hidden = true;
    this.element = h(
      "fieldset.poll",
      { tabindex: "-1" },
      this.#question,
      this.#list,
      this.#about,
      h(
        "div.poll-actions",
        {},
        this.#voteButton,
        this.#cancelButton,
        this.#changeButton,
        this.#takeBackButton,
        this.#votersButton,
      ),
      this.#said,
    );
  }

  #vote;
  #reload;
  #showVoters;
  /** Whether it shows its author what readers will see, who cannot vote in it yet. */
  #isPreview;
  #name = uniqueId("poll");
  #question = h("legend.poll-question", { dir: "auto" });
  #list = h("ul.poll-options");
  #about = h("p.poll-about.soft");
  #voteButton = h("button.primary", { type: "button", on: { click: () => this.#send() } }, t("poll.vote"));
  #cancelButton = h("button.plain", { type: "button", on: { click: () => this.#setChanging(false) } }, t("app.cancel"));
  /** @type {HTMLButtonElement} */
  #changeButton = h("button.plain", { type: "button", on: { click: () => this.#setChanging(true) } }, t("poll.change"));
  #takeBackButton = h("button.plain", { type: "button", on: { click: () => this.#takeBack() } }, t("poll.takeBack"));
  #votersButton = h(
    "button.quiet",
    { type: "button", on: { click: () => this.#poll && this.#showVoters?.(this.#poll) } },
    icon("people"),
    t("poll.voters.show"),
  );
  /** Says what the user's own vote has done, and nothing of the votes of others. */
  #said = h("p.unseen", { role: "status" });
  /** @type {Option[]} */
  #options = [];
  /** @type {App.Poll | null} */
  #poll = null;
  #json = "";
  #isChanging = false;
  #isSending = false;
  #closeTimer = 0;
  #tries = 0;

  /** @param {App.Poll} poll */
  update(poll) {
    const json = JSON.stringify(poll);
    if (json === this.#json) return;
    const { multiple } = this.#poll ?? {};
    this.#json = json;
    this.#poll = poll;
    if (poll.closed) this.#isChanging = false;
    if (poll.options.length !== this.#options.length || multiple !== poll.multiple) this.#makeOptions(poll);
    this.#show();
    this.#awaitClosing(poll);
  }

  /** @param {App.Poll} poll */
  #makeOptions(poll) {
    this.#options = poll.options.map(() => {
      const id = uniqueId("option");
      const input = h("input", {
        type: poll.multiple ? "checkbox" : "radio",
        name: this.#name,
        id,
        disabled: this.#isPreview,
        "aria-describedby": `${id}-count`,
        on: { change: () => this.#showButtons() },
      });
      const tick = h(
        "span.poll-tick",
        { role: "img", "aria-label": t("poll.mine"), title: t("poll.mine") },
        icon("check"),
      );
      const count = h("span.poll-count.soft", { id: `${id}-count` });
      const filled = h("span");
      const bar = h("span.poll-bar", { "aria-hidden": "true" }, filled);
      const text = h("label.poll-text", { for: id, dir: "auto" });
      const row = h("li.poll-option", {}, h("span.poll-line", {}, input, tick, text, count), bar);
      return { row, input, tick, count, bar, filled };
    });
    fill(
      this.#list,
      this.#options.map(({ row }) => row),
    );
  }

  get #mayVote() {
    return (this.#vote !== null || this.#isPreview) && this.#poll !== null && !this.#poll.closed;
  }

  /** Whether answers can be chosen now. */
  get #isChoosing() {
    return this.#mayVote && (this.#isChanging || !this.#poll?.mine.length);
  }

  #show() {
    const poll = /** @type {App.Poll} */ (this.#poll);
    const isChoosing = this.#isChoosing;
    this.#question.textContent = poll.question;
    const most = Math.max(0, ...poll.options.map(({ votes }) => votes ?? 0));
    for (const [index, { text, votes }] of poll.options.entries()) {
      const { row, input, tick, count, bar, filled } = this.#options[index];
      const isMine = poll.mine.includes(index);
      const part = poll.voters ? (votes ?? 0) / poll.voters : 0;
      const label = /** @type {HTMLElement} */ (row.querySelector("label"));
      label.textContent = text;
      if (input.hidden && isChoosing) input.checked = isMine;
      input.hidden = !isChoosing;
      tick.hidden = !isMine || isChoosing;
      row.classList.toggle("mine", isMine);
      row.classList.toggle("leading", poll.closed && votes !== null && votes > 0 && votes === most);
      count.textContent = votes === null ? "" : t("poll.count", { n: votes, share: share(part) });
      bar.hidden = votes === null;
      filled.style.setProperty("inline-size", `${Math.round(1000 * part) / 10}%`);
    }
    fill(
      this.#about,
      this.#aboutTexts(poll).map((one) => h("span", {}, one)),
    );
    this.#votersButton.hidden = !this.#showVoters || !poll.voters;
    this.#showButtons();
  }

  /**
   * How one votes, until when, what it takes to see the results, and who sees the votes.
   * @param {App.Poll} poll
   */
  #aboutTexts({ voters, multiple, closes_at: closesAt, closed, results, mine, options }) {
    const hidden = options.some(({ votes }) => votes === null);
    const texts = [];
    if (this.#isChoosing) texts.push(t(multiple ? "poll.several" : "poll.one"));
    if (voters !== null) texts.push(voters ? t("poll.voted", { n: voters }) : t("poll.voted.none"));
    if (closed) texts.push(t("poll.closed"));
    else if (closesAt) texts.push(t("poll.closes", { when: exact(closesAt), ago: ago(closesAt) }));
    if (hidden && results === "after_close") texts.push(t("poll.hidden.close"));
    else if (hidden && !this.#mayVote) texts.push(t("poll.hidden.voters"));
    else if (hidden && !mine.length) texts.push(t("poll.hidden.vote"));
    if (this.#isChoosing) texts.push(t(this.#showVoters ? "poll.isOpen" : "poll.isSecret"));
    return texts;
  }

  #showButtons() {
    const isChoosing = this.#isChoosing;
    const hasVoted = Boolean(this.#poll?.mine.length);
    this.#voteButton.hidden = !isChoosing || this.#isPreview;
    this.#voteButton.disabled = this.#isSending || !this.#chosen.length;
    this.#cancelButton.hidden = !isChoosing || !hasVoted;
    this.#changeButton.hidden = this.#takeBackButton.hidden = isChoosing || !this.#mayVote || !hasVoted;
    this.#changeButton.disabled = this.#takeBackButton.disabled = this.#isSending;
  }

  /** The indexes of the chosen answers. */
  get #chosen() {
    return this.#options.flatMap(({ input }, index) => (input.checked ? [index] : []));
  }

  /** @param {boolean} isChanging */
  #setChanging(isChanging) {
    this.#isChanging = isChanging;
    this.#show();
    const first = this.#options.find(({ input }) => input.checked) ?? this.#options[0];
    this.#focusOn(isChanging ? first.input : this.#changeButton);
  }

  #send() {
    return this.#submit(this.#chosen, t("poll.said.voted"));
  }

  #takeBack() {
    return this.#submit([], t("poll.said.takenBack"));
  }

  /**
   * @param {number[]} chosen
   * @param {string} said
   */
  async #submit(chosen, said) {
    if (this.#vote === null || this.#isSending) return;
    const hadFocus = this.element.contains(document.activeElement);
    this.#isSending = true;
    this.#said.textContent = "";
    this.#showButtons();
    const isDone = await attempt(() => this.#vote?.(chosen));
    this.#isSending = false;
    if (isDone) {
      this.#isChanging = false;
      if (!chosen.length) for (const { input } of this.#options) input.checked = false;
      this.#said.textContent = said;
    } else {
      // It may have been closed meanwhile.
      await this.#reload()?.catch(() => {});
    }
    this.#show();
    if (!hadFocus || this.element.contains(document.activeElement)) return;
    this.#focusOn(isDone && chosen.length ? this.#changeButton : this.#options[0].input);
  }

  /** @param {HTMLElement} element Or the poll, where it cannot be used. */
  #focusOn(element) {
    (element.hidden ? this.element : element).focus({ preventScroll: true });
  }

  /**
   * Loads a poll again whose time is over, and one that is closed and whose counts are not known yet.
   * @param {App.Poll} poll
   */
  #awaitClosing({ closed, closes_at: closesAt, options }) {
    clearTimeout(this.#closeTimer);
    if (this.#isPreview) return;
    const lacksCounts = closed && options.some(({ votes }) => votes === null);
    if (!lacksCounts && (closed || !closesAt)) return;
    const left = lacksCounts ? 0 : Date.parse(closesAt ?? "") - Date.now();
    if (left > LONGEST_TIMER) return;
    const wait = Math.max(left, 0) + CLOSED_AFTER + Math.random() * SPREAD;
    this.#closeTimer = setTimeout(() => this.#onClosing(), wait + this.#tries * AGAIN_AFTER);
  }

  async #onClosing() {
    // One that has left the page is made anew when it comes back.
    if (!this.element.isConnected || this.#tries > MOST_TRIES) return;
    this.#tries += 1;
    const before = this.#json;
    await this.#reload()?.catch(() => {});
    if (this.#poll && this.#json === before) this.#awaitClosing(this.#poll);
  }
}
