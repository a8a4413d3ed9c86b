// The statistics of a channel: growth, views, reactions and busy hours in a range of days, and the reach of each post; also
// as CSV files.

import { get, getFile, part } from "../../client/api.js";
import { t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { dayLabel, exact, number, share } from "../../ui/format.js";
import { attempt } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { chart } from "./charts.js";

const RANGES = [7, 30, 90, 365];
const DAY = 86_400_000;
const PAGE = 20;

export class Insights {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/insights`;
    const id = uniqueId("range");
    this.#range = h(
      "select",
      { id, on: { change: () => this.#load() } },
      RANGES.map((days) =>
        h("option", { value: String(days), selected: days === 30 }, t("insights.days", { n: days })),
      ),
    );
    this.#body = h("div.insights", { "aria-live": "off" }, h("p.empty", { role: "status" }, t("app.loading")));
    this.element = h(
      "div.insights-part",
      {},
      h(
        "div.insights-head",
        {},
        h("label", { for: id }, t("insights.range")),
        this.#range,
        h(
          "div.insights-files",
          {},
          /** @type {const} */ (["days", "hours"]).map((table) =>
            h(
              "button.plain",
              { type: "button", on: { click: () => this.#download(table) } },
              t(`insights.csv.${table}`),
            ),
          ),
        ),
      ),
      this.#body,
      this.#reach(),
    );
    this.#load();
  }

  /** @type {`${App.ChannelPath}/insights`} */
  #path;
  #range;
  #body;
  #requests = 0;

  get #query() {
    const to = new Date();
    /** @param {Date} date */
    const iso = (date) => date.toISOString().slice(0, 10);
    return { from: iso(new Date(to.getTime() - (Number(this.#range.value) - 1) * DAY)), to: iso(to) };
  }

  async #load() {
    const request = ++this.#requests;
    const isDone = await attempt(async () => {
      const insights = await get(this.#path, this.#query);
      if (request === this.#requests) this.#show(insights);
    });
    if (!isDone && request === this.#requests)
      fill(
        this.#body,
        h("p.empty", { role: "alert" }, t("app.failed")),
        h("button.plain", { type: "button", on: { click: () => this.#load() } }, t("app.retry")),
      );
  }

  /** @param {Api.InsightsResponse} insights */
  #show({ days, hours, muted }) {
    /** @param {Exclude<keyof Api.DayResponse, "day" | "subscribers">} name */
    const sum = (name) => days.reduce((before, one) => before + one[name], 0);
    /** @param {Exclude<keyof Api.DayResponse, "day">} name */
    const values = (name) => days.map((one) => one[name]);
    const known = values("subscribers").filter((one) => one !== null);
    const now = known.at(-1) ?? 0;
    const net = sum("net");
    const labels = days.map(({ day }) => dayLabel(day));
    /**
     * @param {"growth" | "net.chart" | "views" | "reactions"} name
     * @param {App.ChartOptions["kind"]} kind
     * @param {App.Series[]} series
     * @param {string} summary
     */
    const byDay = (name, kind, series, summary) =>
      chart({ title: t(`insights.${name}`), summary, head: t("insights.day"), labels, series, kind });
    const busiest = hours.reduce(
      (best, one) => (one.views + one.reactions > best.views + best.reactions ? one : best),
      hours[0],
    );
    /** @param {Api.HourResponse} hour */
    const clock = ({ hour }) => `${String(hour).padStart(2, "0")}:00`;
    const isQuiet = busiest.views + busiest.reactions === 0;
    fill(
      this.#body,
      h(
        "dl.totals",
        {},
        total("subscribers", number(now)),
        total("net", signed(net)),
        total("posts", number(sum("posts"))),
        total("views", number(sum("views"))),
        total("reactions", number(sum("reactions"))),
        total("muted", t("insights.muted.value", { n: muted.count, share: share(muted.share) })),
      ),
      byDay(
        "growth",
        "line",
        [{ name: t("insights.subscribers"), values: values("subscribers") }],
        known.length ? t("insights.growth.sum", { from: known[0], to: now }) : t("insights.none"),
      ),
      byDay(
        "net.chart",
        "bars",
        [{ name: t("insights.net"), values: values("net") }],
        t("insights.net.sum", { joined: sum("joined"), left: sum("left"), removed: sum("removed") }),
      ),
      byDay(
        "views",
        "bars",
        [{ name: t("insights.views"), values: values("views") }],
        t("insights.views.sum", { n: sum("views") }),
      ),
      byDay(
        "reactions",
        "bars",
        [{ name: t("insights.reactions"), values: values("reactions") }],
        t("insights.reactions.sum", { n: sum("reactions") }),
      ),
      chart({
        title: t("insights.hours"),
        head: t("insights.hour"),
        kind: "bars",
        labels: hours.map(clock),
        isBroad: true,
        summary: isQuiet ? t("insights.none") : t("insights.hours.sum", { hour: clock(busiest) }),
        series: /** @type {const} */ (["views", "reactions"]).map((name) => ({
          name: t(`insights.${name}`),
          values: hours.map((one) => one[name]),
        })),
      }),
    );
  }

  // --- post by post

  #reach() {
    const posts = new PagedList({
      list: h("tbody"),
      fetchPage: (cursor) => get(`${this.#path}/posts`, { limit: PAGE, cursor }),
      renderRow: (post) =>
        h(
          "tr",
          {},
          h("th.reach-preview", { scope: "row", dir: "auto" }, post.preview),
          h("td", {}, h("time", { datetime: post.created_at }, exact(post.created_at))),
          h("td", {}, number(post.views)),
          h("td", {}, number(post.reactions)),
        ),
      emptyText: () => t("posts.empty"),
    });
    const [rows, ...others] = posts.elements;
    const name = t("insights.reach");
    posts.reload();
    return h(
      "section.panel.reach",
      {},
      h(
        "div.reach-head",
        {},
        h("h2", {}, name),
        h("button.plain", { type: "button", on: { click: () => this.#downloadPosts() } }, t("insights.csv.posts")),
      ),
      h(
        "div.table-scroll.all",
        { tabindex: "0", role: "region", "aria-label": name },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              /** @type {const} */ (["post", "posted", "views", "reactions"]).map((column) =>
                h("th", { scope: "col" }, t(`insights.${column}`)),
              ),
            ),
          ),
          rows,
        ),
      ),
      others,
    );
  }

  // --- CSV files

  /** @param {"days" | "hours"} table */
  #download(table) {
    return attempt(async () => {
      const { blob } = await getFile(this.#path, { ...this.#query, format: "csv", table });
      save(blob, `insights-${table}.csv`);
    });
  }

  /** All pages in one file, with the column names of the first page only. */
  #downloadPosts() {
    return attempt(async () => {
      /** @type {string[]} */
      const parts = [];
      /** @type {string | null} */
      let cursor = null;
      do {
        /** @type {{ blob: Blob; nextCursor: string | null }} */
        const { blob, nextCursor } = await getFile(`${this.#path}/posts`, {
          format: /** @type {const} */ ("csv"),
          limit: 100,
          cursor,
        });
        const text = await blob.text();
        parts.push(parts.length ? text.slice(text.indexOf("\n") + 1) : text);
        cursor = nextCursor;
      } while (cursor);
      save(new Blob(parts, { type: "text/csv" }), "insights-posts.csv");
    });
  }
}

/**
 * @param {"subscribers" | "net" | "posts" | "views" | "reactions" | "muted"} name
 * @param {string} value
 */
function total(name, value) {
  return h("div.total", {}, h("dt", {}, t(`insights.${name}`)), h("dd", {}, value));
}

/** @param {number} value */
function signed(value) {
  return value > 0 ? `+${number(value)}` : number(value);
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = h("a", { href: url, download: name, hidden: true });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the download has begun by then
}
