// The posts or messages on the page, as keys move between them and use their controls. They are found by their `data-seq`, in
// a conversation as in the feed.

/** @type {{ [name: string]: string }} */
const CONTROLS = { react: ".chip.add", reply: "[data-reply]:not([hidden])" };

/**
 * @param {HTMLElement} main
 * @returns {Pick<App.Timeline, "control">}
 */
export const pageItems = (main) => ({
  control(name) {
    const found = currentItem(main)?.querySelector(CONTROLS[name]);
    return found instanceof HTMLElement ? found : null;
  },
});

/**
 * Moves the focus to the next or previous item; to the current one when it is elsewhere.
 * @param {HTMLElement} main
 * @param {1 | -1} by
 */
export function moveFocus(main, by) {
  const all = items(main);
  const current = currentItem(main);
  const isFocused = current?.contains(document.activeElement);
  const item = current && isFocused ? all[all.indexOf(current) + by] : current;
  if (!item) return;
  if (!item.hasAttribute("tabindex")) item.tabIndex = -1;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

/**
 * The item that has the focus, else the last one that is wholly on the screen.
 * @param {HTMLElement} main
 */
function currentItem(main) {
  const focused = document.activeElement?.closest("[data-seq]");
  if (focused instanceof HTMLElement && main.contains(focused)) return focused;
  const bounds = (main.querySelector(".scroller, .page") ?? main).getBoundingClientRect();
  const onScreen = items(main).filter((item) => {
    const { top, bottom } = item.getBoundingClientRect();
    return bottom > bounds.top && top < bounds.bottom;
  });
  return onScreen.findLast((item) => item.getBoundingClientRect().bottom <= bounds.bottom) ?? onScreen.at(-1) ?? null;
}

/**
 * @param {HTMLElement} main
 * @returns {HTMLElement[]}
 */
const items = (main) => [...main.querySelectorAll("[data-seq]")].filter((item) => item instanceof HTMLElement);
