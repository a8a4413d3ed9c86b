// The limits of this deployment, which the page carries, and how long a text is for people.
//
// The server counts UTF-8 bytes. People count characters, as they see them: an emoji or a letter with its accents is one.
// So a text is measured in bytes, and what is said about it is in characters, and only near the limit.

import { t } from "../texts.js";

/** @type {HTMLMetaElement | null} */
const meta = document.querySelector('meta[name="channels-limits"]');

/**
 * By name, as `CHANNELS_LIMIT_<NAME>` sets them.
 * @type {Readonly<Api.Limits>}
 */
export const limits = Object.freeze(JSON.parse(meta?.content ?? "{}"));

/** A note is shown when less than this share of the limit is left, but neither for more bytes nor for fewer than these. */
const NEAR_SHARE = 0.1;
const NEAR_BYTES = { least: 20, most: 200 };
/** Texts beyond the limit by more are counted by code points, since finding characters takes long. */
const COUNTED_BYTES = 100_000;

const encoder = new TextEncoder();
/** Older browsers lack it, and count code points. */
const segmenter = Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

/** @param {string} text */
export function bytesOf(text) {
  return encoder.encode(text).length;
}

/**
 * The characters of a text as people count them.
 * @param {string} text
 */
function charactersOf(text) {
  if (!segmenter || text.length > COUNTED_BYTES) return [...text];
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * By how many characters a text is too long: so many fewer at its end, and it fits into `limit` bytes. 0 when it fits.
 * @param {string} text
 * @param {number} limit
 */
function charactersOver(text, limit) {
  let over = bytesOf(text) - limit;
  if (over <= 0) return 0;
  const characters = charactersOf(text);
  let count = 0;
  while (over > 0) {
    count += 1;
    over -= bytesOf(characters[characters.length - count]);
  }
  return count;
}

/**
 * What a field says about the length of its text. Null while there is plenty of room.
 * @param {string} text
 * @param {number} limit In UTF-8 bytes.
 * @returns {{ isOver: boolean; text: string } | null}
 */
export function lengthNote(text, limit) {
  const left = limit - bytesOf(text);
  if (left < 0) return { isOver: true, text: t("length.over", { n: charactersOver(text, limit) }) };
  if (left > Math.min(NEAR_BYTES.most, Math.max(NEAR_BYTES.least, limit * NEAR_SHARE))) return null;
  // How many more fit depends on which ones: the text so far tells what its writer writes.
  const characters = charactersOf(text);
  const bytesEach = characters.length ? Math.ceil(bytesOf(text) / characters.length) : 1;
  return { isOver: false, text: t("length.left", { n: Math.floor(left / bytesEach) }) };
}

/**
 * What is wrong with the length of a text; null when it fits into `limit` bytes.
 * @param {string} text
 * @param {number} limit
 */
export function lengthError(text, limit) {
  const n = charactersOver(text, limit);
  return n ? t("length.over", { n }) : null;
}
