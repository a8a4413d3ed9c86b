// Sets the language, the direction and the colours of the page before the browser paints it. A classic script, which the page
// loads before its body: a module would run after the first paint, and the page would be seen to change.
//
// The language is the one that the user chose in the app, or else the first one of the browser's that the app has, or else
// English. It also starts to load the first texts in this language, which `texts.js` asks for only once it runs.

(() => {
  const root = document.documentElement;
  /** @type {HTMLScriptElement} */
  const script = /** @type {never} */ (document.currentScript);
  /** @type {HTMLMetaElement | null} */
  const meta = document.querySelector('meta[name="channels-languages"]');
  const translated = Object.keys(JSON.parse(meta?.content ?? "{}"));

  /** @param {string} name */
  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // the browser stores nothing for this page
    }
  };

  /**
   * Whether one language is read by readers of the other: `zh-CN` of `zh-Hans`, `en-GB` of `en`, `zh-TW` of none.
   * @param {string} wanted
   * @param {string} known
   */
  const isFor = (wanted, known) => {
    try {
      const [a, b] = [wanted, known].map((tag) => new Intl.Locale(tag).maximize());
      return a.language === b.language && a.script === b.script;
    } catch {
      return false; // not a language tag
    }
  };

  const languages = ["en", ...translated];
  const wishes = [stored("channels.language") ?? "", ...navigator.languages];
  const language =
    wishes.map((wish) => languages.find((known) => isFor(wish, known))).find((found) => found !== undefined) ?? "en";
  root.lang = language;
  root.dir = /^(ar|fa|he|ur)\b/.test(language) ? "rtl" : "ltr";

  const showTheme = () => {
    const theme = stored("channels.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    // The bars of the browser have the colour of the page.
    /** @type {NodeListOf<HTMLMetaElement>} */
    const bars = document.querySelectorAll('meta[name="theme-color"]');
    for (const bar of bars) {
      const own = bar.dataset.theme ?? "";
      bar.media = root.dataset.theme ? (own === theme ? "all" : "not all") : `(prefers-color-scheme: ${own})`;
    }
  };
  showTheme();
  // The choice is made in another window, or in this one by the view of the user's settings.
  addEventListener("storage", showTheme);
  addEventListener("channels-theme", showTheme);

  for (const area of ["app", "reader"]) {
    const link = document.createElement("link");
    if (language === "en") {
      link.rel = "modulepreload";
      link.href = new URL(`texts/${area}.js`, script.src).href;
    } else {
      link.rel = "preload";
      link.as = "fetch";
      link.crossOrigin = "anonymous";
      link.href = new URL(`../texts/${language}/${area}.json`, script.src).href;
    }
    document.head.append(link);
  }
})();
