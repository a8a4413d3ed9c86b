// The English texts of the app, found by key: one file per area in `texts/`. To translate, write others with the same keys.
//
// `{name}` is filled in; a value that is an object is chosen by the plural rules of the language for `{n}`. The console's
// texts come with the console, which adds them here.

import app from "./texts/app.js";
import reader from "./texts/reader.js";

const texts = { ...app, ...reader };

const language = "en";
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The language that texts, dates and numbers are in. */
export function locale() {
  return language;
}

/** Know these too. Nothing of them may be asked for before. */
export function addTexts(more) {
  Object.assign(texts, more);
}

/** The text under a key, filled in; `n` chooses the plural and is shown grouped. */
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  if (typeof text === "object") text = text[plurals.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? numbers.format(value) : String(value);
  });
}

/** Whether there is a text under the key: for keys made from a code that the server answered. */
export function hasText(key) {
  return key in texts;
}
