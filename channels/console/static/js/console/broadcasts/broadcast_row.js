// One broadcast in the list: its message, whom it reaches, how far it is, and what can be done with it. It changes in place
// while it is being sent, so that buttons keep their focus.

import { get, part, post } from "../../client/api.js";
import { nameOf } from "../../client/people.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { ago, exact, number } from "../../ui/format.js";
import { attempt, confirmDialog, dialog, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { contentPreview } from "../../ui/previews.js";
import { rowOfUser } from "../people/rows.js";
import { segmentLines } from "./segment_fields.js";

const PAGE = 50;
/** What a button in the row does. @typedef {"stop" | "resume" | "notReached"} Action */

export class BroadcastRow {
  /** @param {Api.BroadcastResponse} broadcast */
  constructor(broadcast) {
    this.#broadcast = broadcast;
    this.#path = /** @type {const} */ (
      `/v1/channels/${part(broadcast.channel_id)}/broadcasts/${part(broadcast.broadcast_id)}`
    );
    const preview = contentPreview(broadcast.content);
    this.#preview = preview;
    const author = h("span.soft");
    const showAuthor = () => {
      const name = nameOf(broadcast.created_by, showAuthor);
      author.textContent = t("broadcasts.by", { name, when: ago(broadcast.created_at) });
    };
    showAuthor();
    author.title = exact(broadcast.created_at);
    this.element = h(
      "li.broadcast",
      {},
      h("p.broadcast-top", {}, h("strong.broadcast-preview", { dir: "auto" }, preview), this.#state),
      h(
        "p.broadcast-facts",
        {},
        author,
        segmentLines(broadcast.segment).map((line) => h("span.soft", { dir: "auto" }, line)),
      ),
      this.#progress,
      h("p.broadcast-facts", {}, this.#sent, this.#notReached),
      this.#failure,
      this.#actions,
    );
    this.#show();
  }

  #broadcast;
  #path;
  #preview;
  #state = h("span.role");
  #progress = h("progress", { hidden: true });
  #sent = h("span");
  #notReached = h("span");
  #failure = h("p.error", { hidden: true });
  #actions = h("div.actions");
  /** @type {Map<Action, HTMLButtonElement>} */
  #buttons = new Map();

  get id() {
    return this.#broadcast.broadcast_id;
  }

  /** Whether it goes on by itself. */
  get isGoing() {
    return this.#broadcast.state === "running" || this.#broadcast.state === "scheduled";
  }

  /**
   * An event says how far it is.
   * @param {Partial<Api.BroadcastResponse>} news
   */
  learn(news) {
    const before = this.#broadcast.state;
    this.#broadcast = { ...this.#broadcast, ...news };
    this.#show();
    const { state } = this.#broadcast;
    if (before === "running" && (state === "done" || state === "failed"))
      notice(t(`broadcasts.now.${state}`, { preview: this.#preview }), { isBad: state === "failed" });
  }

  /** Loads it again. Raises: ApiError. */
  async reload() {
    this.learn(await get(this.#path));
  }

  #show() {
    const { state, total, sent, not_reached: missed, start_at: startAt, failure } = this.#broadcast;
    const missing = Object.values(missed).reduce((sum, n) => sum + n, 0);
    this.#state.dataset.status = state;
    this.#state.textContent =
      state === "scheduled" && startAt
        ? t("broadcasts.state.scheduledFor", { when: exact(startAt) })
        : t(`broadcasts.state.${state}`);
    const isRunning = state === "running" || state === "stopped";
    this.#progress.hidden = !isRunning || !total;
    this.#progress.max = total || 1;
    this.#progress.value = sent + missing;
    this.#progress.setAttribute("aria-label", t("broadcasts.progress", { preview: this.#preview }));
    const said = total === null ? t("broadcasts.sent", { n: sent }) : t("broadcasts.sentOf", { sent, total });
    this.#sent.textContent = state === "scheduled" ? "" : said;
    this.#notReached.textContent = missing ? t("broadcasts.missed", { n: missing }) : "";
    this.#failure.hidden = failure === null;
    this.#failure.textContent = failure ? t("broadcasts.failure", { reason: failure.detail }) : "";
    this.#showActions([
      ...(state === "running" || state === "scheduled" ? [/** @type {const} */ ("stop")] : []),
      ...(state === "stopped" || state === "failed" ? [/** @type {const} */ ("resume")] : []),
      ...(missing ? [/** @type {const} */ ("notReached")] : []),
    ]);
  }

  /** @param {Action[]} names */
  #showActions(names) {
    if (names.join() === [...this.#buttons.keys()].join()) return;
    const focused = [...this.#buttons].find(([, button]) => button === document.activeElement);
    const acts = { stop: () => this.#stop(), resume: () => this.#resume(), notReached: () => this.#showNotReached() };
    this.#buttons = new Map(
      names.map((name) => [
        name,
        this.#buttons.get(name) ??
          h(
            "button.plain",
            {
              type: "button",
              "aria-label": t(`broadcasts.${name}.label`, { preview: this.#preview }),
              on: { click: acts[name] },
            },
            t(`broadcasts.${name}`),
          ),
      ]),
    );
    fill(this.#actions, [...this.#buttons.values()]);
    // A button that is gone has done what it does; the next one is what a keyboard user wants then.
    if (focused) (this.#buttons.get(focused[0]) ?? this.#buttons.values().next().value)?.focus();
  }

  #stop() {
    return attempt(async () => {
      this.learn(await post(`${this.#path}/stop`));
      notice(t("broadcasts.stopped"));
    });
  }

  async #resume() {
    const title = t("broadcasts.resume");
    if (!(await confirmDialog({ title, text: t("broadcasts.resume.confirm"), action: title }))) return;
    await attempt(async () => this.learn(await post(`${this.#path}/resume`)));
  }

  #showNotReached() {
    return dialog({
      title: t("broadcasts.notReached"),
      build: () => {
        const { not_reached: missed } = this.#broadcast;
        /** @type {PagedList<Api.NotReachedResponse>} */
        const people = new PagedList({
          fetchPage: (cursor) => get(`${this.#path}/not-reached`, { limit: PAGE, cursor }),
          renderRow: ({ user_id: id, reason }) =>
            rowOfUser(id, () => ({ atEnd: null, details: h("span.soft", {}, t(`broadcasts.reason.${reason}`)) })),
          emptyText: () => t("broadcasts.notReached.gone"),
        });
        people.reload();
        const counts = Object.entries(missed).filter(([, n]) => n);
        return h(
          "div.sheet-body",
          {},
          h(
            "dl.report",
            {},
            counts.map(([reason, n]) =>
              h(
                "div",
                {},
                h("dt", {}, t(`broadcasts.reason.${/** @type {Api.Reason} */ (reason)}`)),
                h("dd", {}, number(n)),
              ),
            ),
          ),
          people.elements,
        );
      },
    });
  }
}
