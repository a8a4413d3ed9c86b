// The statistics of a channel: growth, views, reactions and busy hours in a range of days, compared with as many days
// before, and the reach of each post; also as CSV files.

import { get, getFile, part } from "../../client/api.js";
import { locale, t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { dayLabel, exact, number, share } from "../../ui/format.js";
import { attempt } from "../../ui/overlay.js";
import { PagedList } from "../../ui/paged_list.js";
import { lastMessageText } from "../../ui/previews.js";
import { retryButton } from "../../ui/retry.js";
import { saveFile } from "../save_file.js";
import { chart } from "./charts.js";

const RANGES = [7, 30, 90, 365];
const DAY = 86_400_000;
const PAGE = 20;

export class Insights {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    this.#path = `/v1/channels/${part(channel.channel_id)}/insights`;
    this.#countsClicks = channel.settings.count_clicks;
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
  #countsClicks;
  #range;
  #body;
  #requests = 0;

  /**
   * The days of the range (UTC).
   * @param {number} periodsAgo 0 is the range that is shown, 1 the one before.
   */
  #query(periodsAgo = 0) {
    const days = Number(this.#range.value);
    /** @param {number} daysAgo */
    const iso = (daysAgo) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);
    const last = days * periodsAgo;
    return { from: iso(last + days - 1), to: iso(last) };
  }

  async #load() {
    const request = ++this.#requests;
    const isDone = await attempt(async () => {
      const [insights, before] = await Promise.all([get(this.#path, this.#query()), get(this.#path, this.#query(1))]);
      if (request === this.#requests) this.#show(insights, before);
    });
    if (!isDone && request === this.#requests)
      fill(
        this.#body,
        h("p.empty", { role: "alert" }, t("app.failed")),
        retryButton(() => this.#load()),
      );
  }

  /**
   * @param {Api.InsightsResponse} insights
   * @param {Api.InsightsResponse} past Of the period before.
   */
  #show({ days, hours, muted }, past) {
    // A channel that is younger than both periods has nothing to be compared with.
    const isComparable = past.days.every((one) => one.subscribers !== null);
    /**
     * @param {Sum} name
     * @param {Api.DayResponse[]} [of]
     */
    const sum = (name, of = days) => of.reduce((before, one) => before + one[name], 0);
    const known = days.filter((one) => one.subscribers !== null);
    const now = known.at(-1)?.subscribers ?? 0;
    // A day's number is that of its end, so those who joined on the first day are not among those it began with.
    const atStart = (known[0]?.subscribers ?? 0) - (known[0]?.net ?? 0);
    const labels = days.map(({ day }) => dayLabel(day));
    /**
     * @param {"growth" | "net.chart" | "views" | "reactions" | "clicks"} name
     * @param {App.ChartOptions["kind"]} kind
     * @param {"subscribers" | "net" | "views" | "reactions" | "clicks"} counted
     * @param {string} summary
     */
    const byDay = (name, kind, counted, summary) => {
      const series = [{ name: t(`insights.${counted}`), values: days.map((one) => one[counted]) }];
      const before = { name: t("insights.before"), values: past.days.map((one) => one[counted]), isPast: true };
      return chart({
        title: t(`insights.${name}`),
        summary,
        head: t("insights.day"),
        labels,
        series: isComparable ? [...series, before] : series,
        kind,
      });
    };
    /**
     * A total, and how it compares.
     * @param {"posts" | "views" | "reactions" | "clicks"} name
     */
    const compared = (name) =>
      total(name, number(sum(name)), isComparable ? changeText(sum(name), sum(name, past.days)) : null);
    const busiest = hours.reduce(
      (best, one) => (one.views + one.reactions > best.views + best.reactions ? one : best),
      hours[0],
    );
    // Only channels that count clicks have any.
    const hasClicks = this.#countsClicks || sum("clicks") + sum("clicks", past.days) > 0;
    const isQuiet = busiest.views + busiest.reactions === 0;
    fill(
      this.#body,
      h(
        "dl.totals",
        {},
        total("subscribers", number(now)),
        total(
          "net",
          signed(sum("net")),
          isComparable ? t("insights.before.was", { value: signed(sum("net", past.days)) }) : null,
        ),
        compared("posts"),
        compared("views"),
        compared("reactions"),
        hasClicks ? compared("clicks") : null,
        total("muted", t("insights.muted.value", { n: muted.count, share: share(muted.share) })),
      ),
      h(
        "p.soft.insights-note",
        {},
        isComparable ? t("insights.compared", { n: days.length }) : t("insights.notCompared", { n: days.length }),
      ),
      byDay(
        "growth",
        "line",
        "subscribers",
        known.length ? t("insights.growth.sum", { from: atStart, to: now }) : t("insights.none"),
      ),
      byDay(
        "net.chart",
        "bars",
        "net",
        t("insights.net.sum", { joined: sum("joined"), left: sum("left"), removed: sum("removed") }),
      ),
      byDay("views", "bars", "views", t("insights.views.sum", { n: sum("views") })),
      byDay("reactions", "bars", "reactions", t("insights.reactions.sum", { n: sum("reactions") })),
      hasClicks ? byDay("clicks", "bars", "clicks", t("insights.clicks.sum", { n: sum("clicks") })) : null,
      chart({
        title: t("insights.hours"),
        head: t("insights.hour"),
        kind: "bars",
        labels: hours.map(({ hour }) => clock(hour)),
        isFromFirst: true,
        summary: isQuiet
          ? t("insights.none")
          : t("insights.hours.sum", { from: clock(busiest.hour), to: clock((busiest.hour + 1) % 24) }),
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
          h(
            "th.reach-preview",
            { scope: "row", dir: "auto" },
            lastMessageText({ preview: post.preview, kind: null, recalled: false }),
          ),
          h("td", {}, h("time", { datetime: post.created_at }, exact(post.created_at))),
          h("td", {}, number(post.views)),
          h("td", {}, number(post.reactions)),
          h("td", {}, number(post.clicks)),
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
              /** @type {const} */ (["post", "posted", "views", "reactions", "clicks"]).map((column) =>
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
      const { blob } = await getFile(this.#path, { ...this.#query(), format: "csv", table });
      saveFile(blob, `insights-${table}.csv`);
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
      saveFile(new Blob(parts, { type: "text/csv" }), "insights-posts.csv");
    });
  }
}

/** @typedef {Exclude<keyof Api.DayResponse, "day" | "subscribers">} Sum */

/** @param {number} hour */
const clock = (hour) => `${String(hour).padStart(2, "0")}:00`;

/**
 * @param {"subscribers" | "net" | "posts" | "views" | "reactions" | "clicks" | "muted"} name
 * @param {string} value
 * @param {string | null} [comparison]
 */
function total(name, value, comparison = null) {
  return h(
    "div.total",
    {},
    h("dt", {}, t(`insights.${name}`)),
    h("dd", {}, value, comparison ? h("span.soft.total-change", {}, comparison) : null),
  );
}

/**
 * How a sum compares with that of the period before.
 * @param {number} now
 * @param {number} before
 */
function changeText(now, before) {
  if (!before) return t("insights.before.was", { value: number(before) });
  return t("insights.change", { share: signedShare((now - before) / before), value: number(before) });
}

/** @param {number} value */
const signed = (value) => new Intl.NumberFormat(locale(), { signDisplay: "exceptZero" }).format(value);

/** @param {number} value */
const signedShare = (value) =>
  new Intl.NumberFormat(locale(), { style: "percent", signDisplay: "exceptZero" }).format(value);
