// The queue of reports: a case for each thing that was reported, filtered by state and by what it is about.

import { get } from "../../client/api.js";
import { moderationPath } from "../../router.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { ago, exact } from "../../ui/format.js";
import { PagedList } from "../../ui/paged_list.js";
import { contentPreview } from "../../ui/previews.js";
import { reasonsElement } from "./reasons.js";
import { loadNames, targetText } from "./targets.js";

const PAGE = 30;
const STATES = /** @type {const} */ (["open", "resolved"]);
const TYPES = /** @type {const} */ (["all", "post", "message", "comment", "channel", "group", "user"]);

export class ReportQueue {
  constructor() {
    this.element = h(
      "div.panels",
      {},
      h(
        "section.panel",
        {},
        h(
          "div.log-filters",
          {},
          h("div.field", {}, h("label", { for: "cases-state" }, t("cases.state")), this.#state),
          h("div.field", {}, h("label", { for: "cases-type" }, t("cases.type")), this.#type),
        ),
        this.#cases.elements,
      ),
    );
    this.#cases.reload();
  }

  /** @type {HTMLSelectElement} */
  #state = h(
    "select",
    { id: "cases-state", on: { change: () => this.#cases.reload() } },
    STATES.map((key) => h("option", { value: key }, t(`cases.state.${key}`))),
  );
  /** @type {HTMLSelectElement} */
  #type = h(
    "select",
    { id: "cases-type", on: { change: () => this.#cases.reload() } },
    TYPES.map((key) => h("option", { value: key }, t(`cases.type.${key}`))),
  );
  /** @type {PagedList<Api.ReportCaseResponse>} */
  #cases = new PagedList({
    list: h("ul.cases", { "aria-label": t("moderation.tab.reports") }),
    fetchPage: (cursor) => this.#fetchPage(cursor),
    renderRow: caseRow,
    emptyText: () => t(this.#state.value === "open" && this.#type.value === "all" ? "cases.empty.open" : "cases.empty"),
  });

  /** @param {string | null} cursor */
  async #fetchPage(cursor) {
    const state = STATES.find((name) => name === this.#state.value) ?? "open";
    const type = TYPES.find((name) => name === this.#type.value) ?? "all";
    const page = await get("/v1/reports", {
      state,
      type: type === "all" ? null : type,
      limit: PAGE,
      cursor,
    });
    await loadNames(page.items);
    return page;
  }
}

/** A line of what was reported. @param {Api.ReportCaseResponse} one */
function previewOf({ content, profile }) {
  return content ? contentPreview(content) : profile?.introduction;
}

/** @param {Api.ReportCaseResponse} one */
function caseRow(one) {
  const what = h("strong", { dir: "auto" });
  const anchor = h("a.case-row", { href: moderationPath("reports", one.report_id), "data-inside": true });
  const show = () => {
    what.textContent = targetText(one, show);
  };
  show();
  anchor.append(
    what,
    h("span.case-preview", { dir: "auto" }, previewOf(one) || t("cases.noText")),
    reasonsElement(one),
    h(
      "span.soft",
      { title: exact(one.last_at) },
      `${t("cases.count", { n: one.count })} · ${t("cases.last", { when: ago(one.last_at) })}`,
    ),
    one.state === "resolved" ? h("span.role", { data: { status: "off" } }, t("cases.state.resolved")) : "",
  );
  return h("li", {}, anchor);
}
