// Line and bar charts as SVG, drawn for the width that they have. A point is read with the mouse, a finger or the arrow
// keys; each chart also has its numbers in a table.
//
// The page's security policy forbids inline styles, so sizes are attributes and colours are classes.

import { t } from "../../texts.js";
import { fill, h, uniqueId } from "../../ui/dom.js";
import { count, number } from "../../ui/format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const MARGIN = { top: 12, end: 8, bottom: 28, start: 44 };
const LABEL_WIDTH = 62; // pixels that a label of the axis takes, with the space beside it
const TIP_SPACE = 10; // pixels between a point and what is written about it

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
 * A figure with its legend, and its numbers in a table.
 * @param {App.ChartOptions} options
 */
export function chart(options) {
  const { title, summary, head, labels, series } = options;
  return h(
    "figure.chart-figure.panel",
    {},
    h("figcaption", {}, h("h2", {}, title), h("p.soft", {}, summary)),
    series.length > 1
      ? h(
          "ul.legend",
          {},
          series.map(({ name, isPast }, index) => h(`li.legend-${isPast ? "past" : index}`, {}, name)),
        )
      : null,
    new Stage(options).element,
    table({ title, head, labels, series }),
  );
}

/** The drawing, and the cursor that reads one of its points. */
class Stage {
  /** @param {App.ChartOptions} options */
  constructor(options) {
    this.#options = options;
    this.#scale = scaleOf(options.series.flatMap((one) => one.values));
    // A slider is what screen readers know of things that the arrow keys move along.
    this.#reader = h("div.chart-reader", {
      role: "slider",
      tabindex: "0",
      "aria-label": t("insights.read", { title: options.title }),
      "aria-valuemin": "0",
      "aria-valuemax": String(options.labels.length - 1),
      on: {
        keydown: (event) => this.#onKey(event),
        focus: () => this.#read(this.#index ?? options.labels.length - 1),
        blur: () => this.#stopReading(),
        pointermove: (event) => this.#readAt(event),
        pointerdown: (event) => this.#readAt(event),
        pointerleave: (event) => {
          if (event.pointerType === "mouse" && document.activeElement !== this.#reader) this.#stopReading();
        },
      },
    });
    this.#say(options.labels.length - 1);
    this.element = h("div.chart-stage", {}, this.#picture, this.#tip, this.#reader);
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  #options;
  #scale;
  #reader;
  #picture = svg("svg", { class: "chart", role: "img", height: HEIGHT });
  #cursor = svg("g", { class: "chart-cursor", "aria-hidden": "true" });
  #tip = h("div.chart-tip", { hidden: true, "aria-hidden": "true" });
  #width = 0;
  /** @type {number | null} */
  #index = null; // of the point that is read

  get #isRtl() {
    return getComputedStyle(this.element).direction === "rtl";
  }

  /** The width that each label has. */
  get #slot() {
    return (this.#width - MARGIN.start - MARGIN.end) / this.#options.labels.length;
  }

  /** @param {number} distance From the side where reading begins. */
  #fromStart(distance) {
    return this.#isRtl ? this.#width - distance : distance;
  }

  /** @param {number} index */
  #x = (index) => this.#fromStart(MARGIN.start + this.#slot * (index + 0.5));

  /** @param {number} value */
  #y = (value) => {
    const [low, high] = this.#scale;
    return MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (value - low) / (high - low));
  };

  #draw() {
    const width = Math.round(this.element.clientWidth);
    if (!width || width === this.#width) return;
    this.#width = width;
    const { title, summary, labels, series, kind, isFromFirst } = this.#options;
    const [low, high, step] = this.#scale;
    const id = uniqueId("chart");
    const picture = this.#picture;
    picture.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    picture.setAttribute("width", String(width));
    picture.setAttribute("aria-labelledby", id);
    fill(picture, svg("title", { id }, `${title}. ${summary}`));
    for (let value = low; value <= high + step / 2; value += step) {
      picture.append(
        svg("line", {
          x1: this.#fromStart(MARGIN.start),
          x2: this.#fromStart(width - MARGIN.end),
          y1: this.#y(value),
          y2: this.#y(value),
          class: value === 0 ? "axis" : "grid",
        }),
        svg(
          "text",
          { x: this.#fromStart(MARGIN.start - 8), y: this.#y(value) + 4, class: "tick end", "aria-hidden": "true" },
          count(value),
        ),
      );
    }
    const fitting = Math.max(2, Math.floor((width - MARGIN.start - MARGIN.end) / LABEL_WIDTH));
    const every = Math.ceil(labels.length / fitting);
    const last = labels.length - 1;
    labels.forEach((label, index) => {
      if ((isFromFirst ? index : last - index) % every) return;
      const isCut = this.#slot * (last - index + 0.5) + MARGIN.end < LABEL_WIDTH / 2;
      const x = isCut ? this.#fromStart(width - MARGIN.end) : this.#x(index);
      const style = isCut ? "tick end" : "tick middle";
      picture.append(svg("text", { x, y: HEIGHT - 6, class: style, "aria-hidden": "true" }, label));
    });
    const present = series.filter((one) => !one.isPast);
    for (const one of series) {
      const index = present.indexOf(one);
      if (one.isPast) picture.append(...line(one.values, this.#x, this.#y, "past"));
      else if (kind === "line") picture.append(...line(one.values, this.#x, this.#y, `series-${index}`));
      else picture.append(...bars(one.values, { x: this.#x, y: this.#y, slot: this.#slot, index, of: present.length }));
    }
    picture.append(this.#cursor);
    if (this.#index !== null) this.#read(this.#index);
  }

  /** @param {PointerEvent} event */
  #readAt(event) {
    const { left } = this.element.getBoundingClientRect();
    const across = this.#fromStart(event.clientX - left) - MARGIN.start;
    this.#read(Math.floor(across / this.#slot));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const last = this.#options.labels.length - 1;
    const index = this.#index ?? last;
    const forward = this.#isRtl ? -1 : 1;
    /** @type {{ [key: string]: number }} */
    const moves = {
      ArrowRight: index + forward,
      ArrowLeft: index - forward,
      ArrowUp: index + 1,
      ArrowDown: index - 1,
      PageUp: index + 7,
      PageDown: index - 7,
      Home: 0,
      End: last,
    };
    if (event.key === "Escape") return this.#stopReading();
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.#read(moves[event.key]);
  }

  /**
   * Shows what the point says.
   * @param {number} wanted
   */
  #read(wanted) {
    const { labels, series } = this.#options;
    const index = Math.max(0, Math.min(labels.length - 1, wanted));
    this.#index = index;
    this.#say(index);
    const x = this.#x(index);
    fill(
      this.#cursor,
      svg("line", { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
      ...series.flatMap(({ values, isPast }) => {
        const value = values[index];
        return value === null || isPast ? [] : [svg("circle", { cx: x, cy: this.#y(value), r: 4 })];
      }),
    );
    fill(
      this.#tip,
      h("strong", {}, labels[index]),
      series.map(({ name, values }) => h("span", {}, t("insights.point", { name, value: valueText(values[index]) }))),
    );
    this.#tip.hidden = false;
    // Beside the point, on the side with more room.
    const room = this.#tip.offsetWidth + TIP_SPACE;
    const left = x < this.#width / 2 ? x + TIP_SPACE : x - room;
    this.#tip.style.setProperty("left", `${Math.max(0, Math.min(left, this.#width - this.#tip.offsetWidth))}px`);
  }

  #stopReading() {
    this.#index = null;
    this.#tip.hidden = true;
    fill(this.#cursor);
  }

  /** @param {number} index */
  #say(index) {
    const { labels, series } = this.#options;
    const points = series.map(({ name, values }) => t("insights.point", { name, value: valueText(values[index]) }));
    this.#reader.setAttribute("aria-valuenow", String(index));
    this.#reader.setAttribute("aria-valuetext", [labels[index], ...points].join(". "));
  }
}

/** @param {number | null} value */
const valueText = (value) => (value === null ? t("insights.unknown") : number(value));

/**
 * Unknown values interrupt the line.
 * @param {App.Series["values"]} values
 * @param {(index: number) => number} x
 * @param {(value: number) => number} y
 * @param {string} style
 */
function line(values, x, y, style) {
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
          class: `line ${style}`,
        })
      : svg("circle", { cx: points[0][0], cy: points[0][1], r: 3.5, class: `dot ${style}` }),
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
                    series.map(({ values }) => h("td", {}, valueText(values[index]))),
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
