// Every text of the app, by key. The texts are in `texts/`, one file for each area; a translation has the same keys.
//
// `{name}` in a text is replaced by a value. An object holds the plural forms for `{n}`. The console adds its texts when it
// is opened.

import app from "./texts/app.js";
import reader from "./texts/reader.js";

/** @type {{ [key: string]: App.Text }} */
const texts = { ...app, ...reader };

const language = "en";
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The language of texts, dates and numbers. */
export function locale() {
  return language;
}

/**
 * Adds texts.
 * @param {{ [key: string]: App.Text }} more
 */
export function addTexts(more) {
  Object.assign(texts, more);
}

/**
 * The text of a key with its values. Numbers are formatted; `n` also selects the plural form.
 * @param {App.TextKey} key
 * @param {App.TextValues} [values]
 */
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) throw new Error(`no text ${key}`);
  const text = typeof found === "string" ? found : (found[plurals.select(Number(values.n))] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? numbers.format(value) : String(value);
  });
}

/**
 * Whether the key has a text: for keys that are made from a code of the API.
 * @param {string} key
 * @returns {key is App.TextKey}
 */
export function hasText(key) {
  return key in texts;
}
