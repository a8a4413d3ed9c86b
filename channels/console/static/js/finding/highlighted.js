// Text with some of its ranges marked, and short passages around the first mark.

import { h } from "../ui/dom.js";

/** @typedef {{ start: number; end: number }} Range */

const BEFORE = 40; // code units before the first mark of a passage
const LENGTH = 180; // code units of a passage

/**
 * The text with the ranges in `<mark>`. Ranges count UTF-16 code units; what is out of order or beyond the text is left out.
 * @param {string} text
 * @param {Range[]} ranges
 * @returns {App.Child[]}
 */
export function highlighted(text, ranges) {
  /** @type {App.Child[]} */
  const parts = [];
  let end = 0;
  for (const range of ranges) {
    if (range.start < end || range.end > text.length || range.end <= range.start) continue;
    parts.push(text.slice(end, range.start), h("mark", {}, text.slice(range.start, range.end)));
    end = range.end;
  }
  parts.push(text.slice(end));
  return parts;
}

/**
 * The passage of a long text that contains the first mark, and its ranges. No character is cut in two.
 * @param {string} text
 * @param {Range[]} ranges
 */
export function passage(text, ranges) {
  const first = ranges[0]?.start ?? 0;
  const from = first <= BEFORE ? 0 : wholeCharacter(text, wordStart(text, first - BEFORE, first));
  const to = from + LENGTH >= text.length ? text.length : wholeCharacter(text, from + LENGTH);
  const before = from > 0 ? "… " : "";
  const shift = from - before.length;
  return {
    text: before + text.slice(from, to) + (to < text.length ? "…" : ""),
    ranges: ranges
      .filter((range) => range.start >= from && range.end <= to)
      .map((range) => ({ start: range.start - shift, end: range.end - shift })),
  };
}

/**
 * The start of the next word, or `at` itself in a script without spaces.
 * @param {string} text
 * @param {number} at
 * @param {number} limit
 */
function wordStart(text, at, limit) {
  const space = text.slice(at, limit).search(/\s/);
  return space < 0 ? at : at + space + 1;
}

/**
 * @param {string} text
 * @param {number} at
 */
function wholeCharacter(text, at) {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at + 1 : at;
}
