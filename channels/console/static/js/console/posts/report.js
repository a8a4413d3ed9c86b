// The delivery report of a post: how many it could reach, and how many it did, in a sentence and in figures; and where the
// channel counts them, the clicks on its links.

import { get } from "../../client/api.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { exact, number, share } from "../../ui/format.js";
import { attempt, dialog } from "../../ui/overlay.js";

const FIGURES = /** @type {const} */ (["subscribers", "sockets", "pushed", "rejected", "failed", "views"]);

/**
 * Shows the report of this post.
 * @param {`${App.ChannelPath}/posts`} path
 * @param {App.Item} item
 * @param {boolean} [countsClicks]
 */
export function showReport(path, { seq }, countsClicks = false) {
  return attempt(async () => {
    const [report, clicks] = await Promise.all([
      get(`${path}/${seq}/report`),
      countsClicks ? get(`${path}/${seq}/clicks`) : null,
    ]);
    dialog({ title: t("report.title"), build: () => reportBody(report, clicks?.items ?? []) });
  });
}

/**
 * @param {Api.PostReportResponse} report
 * @param {Api.LinkClicksResponse[]} clicks
 */
function reportBody(report, clicks) {
  const at = report.created_at;
  return h(
    "div.sheet-body",
    {},
    h("p.soft", {}, h("time", { datetime: at }, t("report.posted", { when: exact(at) }))),
    h("p", {}, seenText(report)),
    report.silent ? h("p", {}, t("report.silent")) : null,
    h(
      "dl.report",
      {},
      FIGURES.map((name) =>
        h(
          "div",
          {},
          h("dt", {}, t(`report.${name}`), h("span.soft", {}, t(`report.${name}.hint`))),
          h("dd", {}, figureText(report[name])),
        ),
      ),
    ),
    clicks.length
      ? [
          h("h3", {}, t("report.clicks")),
          h(
            "dl.report",
            {},
            clicks.map((one) => h("div", {}, h("dt", { dir: "ltr" }, one.url), h("dd", {}, number(one.clicks)))),
          ),
        ]
      : null,
    h("p.soft", {}, t("report.note")),
  );
}

/** @param {number | null} value */
const figureText = (value) => (value === null ? t("report.unknown") : number(value));

/** @param {Api.PostReportResponse} report */
function seenText({ views, subscribers }) {
  if (!views) return t("report.seen.none");
  // Readers who do not subscribe count as well, so there may be more views than subscribers.
  if (!subscribers || views > subscribers) return t("posts.views", { n: views });
  return t("report.seen", { views, subscribers, share: share(views / subscribers) });
}
