// Every text of the app, by key. The texts are in `texts/`, one file for each area; a translation has the same keys.
//
// `{name}` in a text is replaced by a value. An object holds the plural forms for `{n}`. The console adds its texts when it
// is opened.

import app from "./texts/app.js";
import reader from "./texts/reader.js";

const texts = { ...app, ...reader };

const language = "en";
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The language of texts, dates and numbers. */
export function locale() {
  return language;
}

/** Adds texts. */
export function addTexts(more) {
  Object.assign(texts, more);
}

/** The text of a key with its values. Numbers are formatted; `n` also selects the plural form. */
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  if (typeof text === "object") text = text[plurals.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? numbers.format(value) : String(value);
  });
}

/** Whether the key has a text: for keys that are made from a code of the API. */
export function hasText(key) {
  return key in texts;
}
