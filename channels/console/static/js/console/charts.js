// Charts as plain SVG: a line, or bars, with the same numbers as a table for whoever does not see them.
//
// Nothing of them is styled in place (the page's policy forbids it): measures are attributes, colours are classes.

import { fill, freshId, h } from "../dom.js";
import { count, number } from "../format.js";
import { t } from "../texts.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 480;
const BROAD = 1000;
const HEIGHT = 200;
const INSIDE = { top: 12, right: 8, bottom: 28, left: 46 };
const MOST_LABELS = 5;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A figure: `labels` along the foot, `series` of {name, values} (null: not known) as `kind` "line" or "bars". `summary`
 * says in words what it shows; `head` names the labels in the table. `isBroad`: it has the whole width where there is much.
 */
export function chart({ title, summary, head, labels, series, kind, isBroad = false }) {
  const across = isBroad && matchMedia("(min-width: 901px)").matches ? BROAD : WIDTH;
  const id = freshId("chart");
  const [low, high, step] = scaleOf(series.flatMap((one) => one.values));
  const inner = { width: across - INSIDE.left - INSIDE.right, height: HEIGHT - INSIDE.top - INSIDE.bottom };
  const y = (value) => INSIDE.top + inner.height * (1 - (value - low) / (high - low));
  const slot = inner.width / labels.length;
  const x = (index) => INSIDE.left + slot * (index + 0.5);
  const picture = svg("svg", { viewBox: `0 0 ${across} ${HEIGHT}`, role: "img", "aria-labelledby": id, class: "chart" }, svg("title", { id }, `${title}. ${summary}`));
  for (let value = low; value <= high + step / 2; value += step) {
    picture.append(
      svg("line", { x1: INSIDE.left, x2: across - INSIDE.right, y1: y(value), y2: y(value), class: value === 0 ? "axis" : "grid" }),
      svg("text", { x: INSIDE.left - 8, y: y(value) + 4, class: "tick end", "aria-hidden": "true" }, count(value)),
    );
  }
  const every = Math.ceil(labels.length / MOST_LABELS);
  labels.forEach((label, index) => {
    if (index % every === 0) picture.append(svg("text", { x: x(index), y: HEIGHT - 6, class: "tick middle", "aria-hidden": "true" }, label));
  });
  series.forEach(({ values }, place) => {
    if (kind === "line") picture.append(...line(values, x, y, place));
    else picture.append(...bars(values, { x, y, slot, place, of: series.length }));
  });
  return h("figure.chart-figure.panel", {},
    h("figcaption", {}, h("h2", {}, title), h("p.soft", {}, summary)),
    series.length > 1 ? h("ul.legend", {}, series.map(({ name }, place) => h(`li.legend-${place}`, {}, name))) : null,
    h("div.chart-stage", {}, picture),
    table({ title, head, labels, series }),
  );
}

function line(values, x, y, place) {
  const runs = [];
  let run = null;
  values.forEach((value, index) => {
    if (value === null) run = null;
    else {
      if (!run) runs.push((run = []));
      run.push([x(index), y(value)]);
    }
  });
  return runs.map((points) => points.length > 1
    ? svg("polyline", { points: points.map((point) => point.map((part) => part.toFixed(1)).join(",")).join(" "), class: `line series-${place}` })
    : svg("circle", { cx: points[0][0], cy: points[0][1], r: 3.5, class: `dot series-${place}` }));
}

function bars(values, { x, y, slot, place, of }) {
  const width = Math.max(1, Math.min(26, (slot * 0.76) / of));
  return values.map((value, index) => {
    const [top, foot] = [y(Math.max(0, value ?? 0)), y(Math.min(0, value ?? 0))];
    const start = x(index) + (place - of / 2) * width;
    const name = value < 0 ? "negative" : `series-${place}`;
    return svg("rect", { x: start.toFixed(1), y: top.toFixed(1), width: (width * 0.92).toFixed(1), height: Math.max(0, foot - top).toFixed(1), rx: Math.min(3, width / 4), class: `column ${name}` });
  });
}

/** Round ends and steps that hold all the values; counts have no halves, so a step is 1 at least. */
function scaleOf(values) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  const rough = Math.max(1, (high - low) / 4);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((part) => part * power).find((size) => size >= rough);
  return [Math.floor(low / step) * step, Math.max(step, Math.ceil(high / step) * step), step];
}

/** The same in numbers, built when it is opened. */
function table({ title, head, labels, series }) {
  const place = h("div.table-place", { tabindex: "0", role: "region", "aria-label": title });
  const details = h("details.numbers", { on: { toggle: () => {
    if (!details.open || place.childElementCount) return;
    fill(place, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, head), series.map(({ name }) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, labels.map((label, index) => h("tr", {}, h("th", { scope: "row" }, label),
        series.map(({ values }) => h("td", {}, values[index] === null ? "–" : number(values[index])))))),
    ));
  } } }, h("summary", {}, t("insights.numbers")), place);
  return details;
}
