// Style sheets of parts that are loaded when they are used.

/** @type {Map<string, Promise<unknown>>} */
const loaded = new Map(); // by path

/**
 * Loads a style sheet of the app, once. Resolves when it applies, or when it cannot be loaded.
 * @param {string} path such as `css/console.css`
 */
export function loadStyle(path) {
  const loading = loaded.get(path) ?? load(path);
  loaded.set(path, loading);
  return loading;
}

/** @param {string} path */
function load(path) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(`../../${path}`, import.meta.url).href;
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}
