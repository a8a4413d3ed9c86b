// The theme and the language, which this browser stores and `first_paint.js` applies before anything is drawn.

import { choice } from "../console/form.js";
import { languages, t } from "../texts.js";
import { h, submitting, uniqueId } from "../ui/dom.js";

const THEME = "channels.theme";
const LANGUAGE = "channels.language";
const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/**
 * @param {string} key
 * @param {string | null} value Null removes it.
 */
function store(key, value) {
  if (value === null) localStorage.removeItem(key);
  else localStorage.setItem(key, value);
}

/** A choice of colours, applied at once in all windows. */
export function themePanel() {
  const stored = localStorage.getItem(THEME);
  return choice({
    name: "theme",
    label: t("me.theme"),
    options: THEMES.map((theme) => [theme, t(`me.theme.${theme}`)]),
    value: THEMES.find((theme) => theme === stored) ?? "system",
    on: (theme) => {
      store(THEME, theme === "system" ? null : theme);
      dispatchEvent(new Event("channels-theme"));
    },
  }).element;
}

/** A choice of the language, each by its own name. Saving it loads the page anew, so that every text is in one language. */
export function languagePanel() {
  const id = uniqueId("language");
  const stored = localStorage.getItem(LANGUAGE);
  /** @type {HTMLSelectElement} */
  const select = h(
    "select",
    { id, "aria-describedby": `${id}-hint` },
    h("option", { value: "" }, t("me.language.browser")),
    languages.map((language) =>
      h("option", { value: language, lang: language, selected: language === stored }, ownName(language)),
    ),
  );
  const save = submitting(() => {
    store(LANGUAGE, select.value || null);
    location.reload();
  });
  return h(
    "form.field",
    { on: { submit: save } },
    h("label", { for: id }, t("me.language")),
    h("div.line", {}, select, h("button.plain", { type: "submit" }, t("app.save"))),
    h("p.hint.soft", { id: `${id}-hint` }, t("me.language.hint")),
  );
}

/**
 * The name of a language in this language, such as Deutsch.
 * @param {string} language
 */
function ownName(language) {
  return new Intl.DisplayNames(language, { type: "language" }).of(language) ?? language;
}
