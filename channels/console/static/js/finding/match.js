// Matching names against typed words, without case and accents.
//
// Every word of the query has to match somewhere in the name: at the start of a word, within one, or by its letters in order
// ("gdn" finds "Garden"). `matchName` returns how well and where, as ranges of UTF-16 code units of the name. Pure.

/** @typedef {{ score: number; ranges: { start: number; end: number }[] }} Match */

/** What Unicode does not decompose, though people type it without. */
const FOLDS = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["đ", "d"],
  ["ð", "d"],
  ["ł", "l"],
  ["þ", "th"],
  ["ı", "i"],
]);
const MARKS = /\p{M}/gu;
const WORD = /[\p{L}\p{N}]/u;
const MAX_LENGTH = 200; // characters of a name that are compared

/** How well a word matches: at the name's start, at a word's start, within a word, by its letters alone. */
const SCORES = /** @type {const} */ ({ name: 100, word: 60, within: 20, letters: 8 });

/** @param {string} character */
function folded(character) {
  const lower = character.normalize("NFKD").replace(MARKS, "").toLowerCase().replace(MARKS, "");
  return FOLDS.get(lower) ?? lower;
}

/**
 * The text in lower case without accents, and for each of its code units the range of the original character.
 * @param {string} text
 */
function fold(text) {
  let result = "";
  /** @type {{ start: number; end: number }[]} */
  const places = [];
  let at = 0;
  for (const character of text.slice(0, MAX_LENGTH)) {
    const plain = folded(character);
    for (let index = 0; index < plain.length; index += 1) places.push({ start: at, end: at + character.length });
    // A mark that stands alone belongs to the character before it.
    const last = places.at(-1);
    if (!plain && last) last.end = at + character.length;
    result += plain;
    at += character.length;
  }
  return { text: result, places };
}

/**
 * The words of a query, as they are compared.
 * @param {string} query
 */
export const wordsOf = (query) =>
  fold(query)
    .text.split(/\s+/)
    .filter((word) => word);

/**
 * How well the words match a name; null when one of them does not. No words match everything equally.
 * @param {string} name
 * @param {string[]} words
 * @returns {Match | null}
 */
export function matchName(name, words) {
  if (!words.length) return { score: 0, ranges: [] };
  const { text, places } = fold(name);
  let score = 0;
  /** @type {{ start: number; end: number }[]} */
  const ranges = [];
  for (const word of words) {
    const found = matchWord(text, word);
    if (found === null) return null;
    score += found.score;
    for (const [start, end] of found.parts) ranges.push({ start: places[start].start, end: places[end - 1].end });
  }
  // Of equal matches, the one in the shorter name covers more of it.
  const covered = words.reduce((sum, word) => sum + word.length, 0) / Math.max(1, text.length);
  return { score: score / words.length + Math.min(1, covered) * 10, ranges: merged(ranges) };
}

/**
 * @param {string} text
 * @param {string} word
 * @returns {{ score: number; parts: [start: number, end: number][] } | null}
 */
function matchWord(text, word) {
  let within = -1;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    /** @type {[number, number][]} */
    const parts = [[at, at + word.length]];
    if (at === 0) return { score: SCORES.name, parts };
    if (!WORD.test(text[at - 1])) return { score: SCORES.word, parts };
    if (within < 0) within = at;
  }
  if (within >= 0) return { score: SCORES.within, parts: [[within, within + word.length]] };
  const parts = word.length > 1 ? lettersInOrder(text, word) : null;
  return parts && { score: SCORES.letters, parts };
}

/**
 * The letters of the word in this order within one word of the text, which begins with the first of them.
 * @param {string} text
 * @param {string} word
 * @returns {[start: number, end: number][] | null}
 */
function lettersInOrder(text, word) {
  for (let start = text.indexOf(word[0]); start >= 0; start = text.indexOf(word[0], start + 1)) {
    if (start > 0 && WORD.test(text[start - 1])) continue;
    /** @type {[number, number][]} */
    const parts = [];
    let next = 0;
    for (let at = start; at < text.length && WORD.test(text[at]) && next < word.length; at += 1) {
      if (text[at] !== word[next]) continue;
      parts.push([at, at + 1]);
      next += 1;
    }
    if (next === word.length) return parts;
  }
  return null;
}

/**
 * In order, with those that touch as one.
 * @param {{ start: number; end: number }[]} ranges
 */
function merged(ranges) {
  /** @type {{ start: number; end: number }[]} */
  const result = [];
  for (const range of [...ranges].sort((one, other) => one.start - other.start)) {
    const last = result.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else result.push({ ...range });
  }
  return result;
}
