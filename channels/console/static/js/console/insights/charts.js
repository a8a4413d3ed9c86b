// Line and bar charts as SVG, each with its numbers in a table for people who cannot see it.
//
// The page's security policy forbids inline styles, so sizes are attributes and colours are classes.

import { t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { count, number } from "../../ui/format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 480;
const BROAD_WIDTH = 1000;
const HEIGHT = 200;
const MARGIN = { top: 12, right: 8, bottom: 28, left: 46 };
const MAX_LABELS = 5;

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} tag
 * @param {{ [name: string]: string | number }} attributes
 * @param {(Node | string)[]} children
 * @returns {SVGElementTagNameMap[Name]}
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A figure, with its numbers in a table.
 * @param {App.ChartOptions} options
 */
export function chart({ title, summary, head, labels, series, kind, isBroad = false }) {
  const across = isBroad && matchMedia("(min-width: 901px)").matches ? BROAD_WIDTH : WIDTH;
  const id = uniqueId("chart");
  const [low, high, step] = scaleOf(series.flatMap((one) => one.values));
  const inner = { width: across - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  /** @param {number} value */
  const y = (value) => MARGIN.top + inner.height * (1 - (value - low) / (high - low));
  const slot = inner.width / labels.length;
  /** @param {number} index */
  const x = (index) => MARGIN.left + slot * (index + 0.5);
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${across} ${HEIGHT}`, role: "img", "aria-labelledby": id, class: "chart" },
    svg("title", { id }, `${title}. ${summary}`),
  );
  for (let value = low; value <= high + step / 2; value += step) {
    picture.append(
      svg("line", {
        x1: MARGIN.left,
        x2: across - MARGIN.right,
        y1: y(value),
        y2: y(value),
        class: value === 0 ? "axis" : "grid",
      }),
      svg("text", { x: MARGIN.left - 8, y: y(value) + 4, class: "tick end", "aria-hidden": "true" }, count(value)),
    );
  }
  const every = Math.ceil(labels.length / MAX_LABELS);
  labels.forEach((label, index) => {
    if (index % every === 0)
      picture.append(svg("text", { x: x(index), y: HEIGHT - 6, class: "tick middle", "aria-hidden": "true" }, label));
  });
  series.forEach(({ values }, index) => {
    if (kind === "line") picture.append(...line(values, x, y, index));
    else picture.append(...bars(values, { x, y, slot, index, of: series.length }));
  });
  return h(
    "figure.chart-figure.panel",
    {},
    h("figcaption", {}, h("h2", {}, title), h("p.soft", {}, summary)),
    series.length > 1
      ? h(
          "ul.legend",
          {},
          series.map(({ name }, index) => h(`li.legend-${index}`, {}, name)),
        )
      : null,
    h("div.chart-stage", {}, picture),
    table({ title, head, labels, series }),
  );
}

/**
 * Unknown values interrupt the line.
 * @param {App.Series["values"]} values
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} seriesIndex
 */
function line(values, x, y, seriesIndex) {
  /** @type {[x: number, y: number][][]} */
  const runs = [];
  /** @type {[x: number, y: number][] | null} */
  let run = null;
  values.forEach((value, index) => {
    if (value === null) run = null;
    else {
      if (!run) {
        run = [];
        runs.push(run);
      }
      run.push([x(index), y(value)]);
    }
  });
  return runs.map((points) =>
    points.length > 1
      ? svg("polyline", {
          points: points.map((point) => point.map((part) => part.toFixed(1)).join(",")).join(" "),
          class: `line series-${seriesIndex}`,
        })
      : svg("circle", { cx: points[0][0], cy: points[0][1], r: 3.5, class: `dot series-${seriesIndex}` }),
  );
}

/**
 * @param {App.Series["values"]} values
 * @param {App.BarOptions} options
 */
function bars(values, { x, y, slot, index: seriesIndex, of }) {
  const width = Math.max(1, Math.min(26, (slot * 0.76) / of));
  return values.map((value, index) => {
    const [top, foot] = [y(Math.max(0, value ?? 0)), y(Math.min(0, value ?? 0))];
    const start = x(index) + (seriesIndex - of / 2) * width;
    const name = (value ?? 0) < 0 ? "negative" : `series-${seriesIndex}`;
    return svg("rect", {
      x: start.toFixed(1),
      y: top.toFixed(1),
      width: (width * 0.92).toFixed(1),
      height: Math.max(0, foot - top).toFixed(1),
      rx: Math.min(3, width / 4),
      class: `column ${name}`,
    });
  });
}

/**
 * [low, high, step] of an axis that holds all values. A step is at least 1, since counts are whole numbers.
 * @param {App.Series["values"]} values
 * @returns {[low: number, high: number, step: number]}
 */
function scaleOf(values) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const rough = Math.max(1, (high - low) / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((part) => part * power).find((size) => size >= rough) ?? 10 * power;
  return [Math.floor(low / step) * step, Math.max(step, Math.ceil(high / step) * step), step];
}

/**
 * The same numbers as a table, built when it is opened.
 * @param {Pick<App.ChartOptions, "title" | "head" | "labels" | "series">} options
 */
function table({ title, head, labels, series }) {
  const scroller = h("div.table-scroll", { tabindex: "0", role: "region", "aria-label": title });
  const details = h(
    "details.numbers",
    {
      on: {
        toggle: () => {
          if (!details.open || scroller.childElementCount) return;
          fill(
            scroller,
            h(
              "table",
              {},
              h(
                "thead",
                {},
                h(
                  "tr",
                  {},
                  h("th", { scope: "col" }, head),
                  series.map(({ name }) => h("th", { scope: "col" }, name)),
                ),
              ),
              h(
                "tbody",
                {},
                labels.map((label, index) =>
                  h(
                    "tr",
                    {},
                    h("th", { scope: "row" }, label),
                    series.map(({ values }) => h("td", {}, values[index] === null ? "–" : number(values[index]))),
                  ),
                ),
              ),
            ),
          );
        },
      },
    },
    h("summary", {}, t("insights.numbers")),
    scroller,
  );
  return details;
}
