// The comments of a channel that readers reported, for its owner and the admins who may delete comments.
//
// They delete the comment or dismiss the reports, which resolves the case. Nothing here says who reported.

import { get, part, post as send } from "../../client/api.js";
import { personOf } from "../../client/people.js";
import { commentsPath } from "../../router.js";
import { t } from "../../texts.js";
import { contentElements } from "../../ui/content.js";
import { fill, h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { reasonsElement } from "./reasons.js";

const PAGE = 30;
const STATES = /** @type {const} */ (["open", "resolved"]);

export class ReportedComments {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#id = channel.channel_id;
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h("p.soft", {}, t("reported.lead")),
        h(
          "div.log-filters",
          {},
          h("div.field", {}, h("label", { for: "reported-state" }, t("cases.state")), this.#state),
        ),
        this.#cases.elements,
      ),
    );
    this.#cases.reload();
  }

  #id;
  /** @type {HTMLSelectElement} */
  #state = h(
    "select",
    { id: "reported-state", on: { change: () => this.#cases.reload() } },
    STATES.map((key) => h("option", { value: key }, t(`cases.state.${key}`))),
  );
  /** @type {PagedList<Api.ReportCaseResponse>} */
  #cases = new PagedList({
    list: h("ul.cases", { "aria-label": t("console.tab.reports") }),
    fetchPage: (cursor) =>
      get(`/v1/channels/${part(this.#id)}/reports`, {
        state: STATES.find((name) => name === this.#state.value) ?? "open",
        limit: PAGE,
        cursor,
      }),
    renderRow: (one) => this.#row(one),
    emptyText: () => t(this.#state.value === "open" ? "cases.empty.open" : "cases.empty"),
  });

  /** @param {Api.ReportCaseResponse} one */
  #row(one) {
    const post = one.target.post_seq ?? 0;
    const seq = one.target.seq ?? 0;
    const author = h("p.soft", { dir: "auto" });
    const showAuthor = () => {
      if (one.author_id) author.textContent = t("case.author", { name: personOf(one.author_id, showAuthor).name });
    };
    showAuthor();
    return h(
      "li.reported-comment",
      {},
      h(
        "a",
        { href: commentsPath(this.#id, post, seq), "data-inside": true },
        h("strong", {}, t("reported.what", { seq, post })),
      ),
      one.content ? h("blockquote.case-content", {}, contentElements(one.content)) : null,
      author,
      reasonsElement(one),
      h(
        "p.soft",
        { title: exact(one.last_at) },
        `${t("cases.count", { n: one.count })} · ${t("cases.last", { when: ago(one.last_at) })}`,
      ),
      one.state === "open" ? this.#actions(one, post, seq) : resolvedMark(one),
    );
  }

  /**
   * @param {Api.ReportCaseResponse} one
   * @param {number} post
   * @param {number} seq
   */
  #actions(one, post, seq) {
    /**
     * @param {"delete" | "dismiss"} action
     * @param {{ title: string; text: string; done: string }} words
     */
    const resolve = async (action, { title, text, done }) => {
      if (!(await confirmDialog({ title, text, action: title }))) return;
      const resolution = () => send(`/v1/reports/${part(one.report_id)}/resolution`, { action });
      if (!(await attempt(resolution))) return;
      notice(done);
      const mark = h("p.role", { tabindex: "-1" }, action === "delete" ? t("list.deleted") : t("cases.state.resolved"));
      fill(actions, mark);
      mark.focus();
    };
    const deleting = { title: t("reported.delete"), text: t("reported.delete.confirm"), done: t("reported.deleted") };
    const dismissing = { title: t("case.dismiss"), text: t("case.dismiss.text"), done: t("cases.state.resolved") };
    const actions = h(
      "div.case-actions",
      {},
      h("button.plain", { type: "button", on: { click: () => resolve("dismiss", dismissing) } }, dismissing.title),
      h(
        "button.danger-plain",
        {
          type: "button",
          "aria-label": t("reported.delete.label", { seq, post }),
          on: { click: () => resolve("delete", deleting) },
        },
        deleting.title,
      ),
    );
    return actions;
  }
}

/** @param {Api.ReportCaseResponse} one */
function resolvedMark({ resolution }) {
  const isDeleted = resolution?.action === "delete";
  return h("span.role", { data: { status: "off" } }, t(isDeleted ? "list.deleted" : "cases.state.resolved"));
}
