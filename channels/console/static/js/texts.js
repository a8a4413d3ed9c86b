// Every text of the app, by key, in the user's language. `first_paint.js` has chosen the language; another one is chosen by
// loading the page anew.
//
// English texts are modules in `js/texts/`, one for each area of the app, and are the source: scripts are checked against
// their keys. The other languages are data that translators edit: `texts/<language>/<area>.json`, with the same keys. An
// area is loaded in one language. English is loaded beside it only if the translation lacks a key, which the page says.
//
// `{name}` in a text is replaced by a value. An object holds the plural forms for `{n}`, those that the language has.

const SOURCE = "en";
const language = document.documentElement.lang || SOURCE;
/** @type {{ [key: string]: App.Text }} */
const texts = {};
/** @type {HTMLMetaElement | null} */
const meta = document.querySelector('meta[name="channels-languages"]');
/**
 * By language, the areas whose translation lacks a key.
 * @type {{ [language: string]: string[] }}
 */
const translations = JSON.parse(meta?.content ?? "{}");

/** All languages of the app. */
export const languages = [SOURCE, ...Object.keys(translations)];

const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const isRightToLeft = document.documentElement.dir === "rtl";
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;

/** The language of texts, dates and numbers. */
export function locale() {
  return language;
}

/**
 * Loads the texts of areas, such as "reader" or "console/posts". The modules of a view do it before they use `t`.
 * @param {string[]} areas
 */
export async function loadTexts(...areas) {
  for (const found of await Promise.all(areas.map(load))) Object.assign(texts, found);
}

/**
 * @param {string} area
 * @returns {Promise<{ [key: string]: App.Text }>}
 */
async function load(area) {
  if (language === SOURCE) return english(area);
  const translated = fetch(new URL(`../texts/${language}/${area}.json`, import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`no texts of ${area} in ${language}: ${answer.status}`);
    return answer.json();
  });
  if (translations[language]?.includes(area)) {
    const [own, source] = await Promise.all([translated.catch(() => ({})), english(area)]);
    return { ...source, ...own };
  }
  return translated.catch(() => english(area)); // a page in English is better than none
}

/**
 * @param {string} area
 * @returns {Promise<{ [key: string]: App.Text }>}
 */
async function english(area) {
  return (await import(`./texts/${area}.js`)).default;
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
  return text.replace(/\{(\w+)\}/g, (_, name, position) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? numbers.format(value) : isolated(String(value), position === 0);
  });
}

/**
 * A value that may be written in the other direction, such as a name, so that it does not change the order of the words around
 * it: between U+2068 and U+2069. At the start of a text, a mark before it says the direction of the text, which elements
 * with `dir="auto"` follow.
 * @param {string} value
 * @param {boolean} isFirst
 */
function isolated(value, isFirst) {
  const isOther = isRightToLeft ? /\p{Letter}/u.test(value) : RIGHT_TO_LEFT.test(value);
  if (!isOther) return value;
  const direction = isRightToLeft ? "\u200f" : "\u200e";
  return `${isFirst ? direction : ""}\u2068${value}\u2069`;
}

/**
 * Whether the key has a text: for keys that are made from a code of the API.
 * @param {string} key
 * @returns {key is App.TextKey}
 */
export function hasText(key) {
  return key in texts;
}

await loadTexts("app", "reader");
