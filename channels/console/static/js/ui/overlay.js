// What opens over the page: dialogs, menus and notices. Dialogs and menus take the focus, keep it, and give it back.

import { asProblem } from "../client/api.js";
import { t } from "../texts.js";
import { fill, h, submitting, uniqueId } from "./dom.js";
import { icon } from "./icons.js";

const NOTICE_MILLISECONDS = 5000;
const BAD_NOTICE_MILLISECONDS = 9000;
const MOST_NOTICES = 3;

/**
 * Shows a dialog. Resolves with the argument of `close`, null when dismissed.
 * @template Result
 * @param {App.DialogOptions<Result>} options
 * @returns {Promise<Result | null>}
 */
export function dialog({ title, className = "", build }) {
  return new Promise((resolve) => {
    const id = uniqueId("dialog");
    const element = h(`dialog.sheet`, { "aria-labelledby": id });
    if (className) element.classList.add(className);
    /** @type {Result | null} */
    let result = null;
    /** @param {Result | null} [value] */
    const close = (value = null) => {
      result = value;
      element.close();
    };
    // The browser has already given the focus back; this event comes later, when it may be elsewhere.
    element.addEventListener("close", () => {
      element.remove();
      resolve(result);
    });
    element.addEventListener("click", (event) => {
      if (event.target === element) close();
    });
    fill(
      element,
      h(
        "header.sheet-head",
        {},
        h("h2", { id }, title),
        h(
          "button.quiet.square",
          { type: "button", "aria-label": t("app.close"), on: { click: () => close() } },
          icon("close"),
        ),
      ),
      build(close),
    );
    document.body.append(element);
    element.showModal();
    /** @type {HTMLElement | null} */ (element.querySelector("[autofocus]"))?.focus();
  });
}

/**
 * Asks before something that cannot be undone. Resolves with whether the user confirmed.
 * @param {{ title: string; text: string; action: string }} options
 */
export function confirmDialog({ title, text, action }) {
  /** @type {Promise<boolean | null>} */
  const confirmed = dialog({
    title,
    build: (close) =>
      h(
        "form.sheet-body",
        { method: "dialog", on: { submit: submitting(() => close(true)) } },
        h("p", { dir: "auto" }, text),
        h(
          "div.actions",
          {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          h("button.danger", { type: "submit", autofocus: true }, action),
        ),
      ),
  });
  return confirmed.then(Boolean);
}

/**
 * Asks for a line of text; resolves with null when dismissed.
 * @param {App.PromptOptions} options
 * @returns {Promise<string | null>}
 */
export function promptDialog({ title, label, value = "", action, check }) {
  return dialog({
    title,
    build: (close) => {
      const id = uniqueId("ask");
      const error = h("p.error", { id: `${id}-error`, role: "alert", hidden: true });
      const input = h("input", {
        id,
        value,
        autofocus: true,
        autocomplete: "off",
        dir: "auto",
        "aria-describedby": `${id}-error`,
      });
      const submit = submitting(async () => {
        const text = await check(input.value);
        if (text === null) return close(input.value);
        error.textContent = text;
        error.hidden = false;
        input.setAttribute("aria-invalid", "true");
        input.focus();
      });
      return h(
        "form.sheet-body",
        { on: { submit } },
        h("label", { for: id }, label),
        input,
        error,
        h(
          "div.actions",
          {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          h("button.primary", { type: "submit" }, action),
        ),
      );
    },
  });
}

/**
 * A button that opens a menu.
 * @param {App.MenuButtonOptions} options
 */
export function menuButton({ label = null, content = icon("more"), style = "quiet.square", open }) {
  /** @type {HTMLButtonElement} */
  const button = h(
    `button.${style}`,
    {
      type: "button",
      "aria-label": label,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      on: { click: () => open(button) },
    },
    content,
  );
  return button;
}

/** @type {(() => void) | null} */
let openMenu = null;

/** Closes the open menu, if there is one. */
export function closeMenu() {
  openMenu?.();
}

/**
 * Opens a menu at `anchor`, or at the point `at`. Arrow keys, Home, End, first letters and Escape work as in any menu.
 * @param {HTMLElement} anchor
 * @param {App.MenuEntries} entries
 * @param {{ at?: { x: number; y: number } }} [options]
 */
export function menu(anchor, entries, { at } = {}) {
  closeMenu();
  /** @type {HTMLElement[]} */
  const items = [];
  const list = h("div.menu", { role: "menu", tabindex: "-1" });
  for (const entry of entries) {
    if (entry === null) {
      list.append(h("hr"));
      continue;
    }
    const isChoice = entry.checked !== undefined;
    const item = h(
      "button.menu-item",
      {
        type: "button",
        role: isChoice ? "menuitemcheckbox" : "menuitem",
        "aria-checked": isChoice ? String(entry.checked) : null,
        tabindex: "-1",
        on: {
          click: () => {
            close();
            entry.act();
          },
        },
      },
      entry.icon ? icon(entry.icon) : h("span.icon"),
      h("span", { dir: "auto" }, entry.label),
    );
    if (entry.isDangerous) item.classList.add("dangerous");
    items.push(item);
    list.append(item);
  }
  const close = () => {
    openMenu = null;
    document.removeEventListener("pointerdown", outside, true);
    removeEventListener("resize", close);
    list.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (anchor.isConnected) anchor.focus();
  };
  /** @param {Event} event */
  const outside = (event) => {
    if (!(event.target instanceof Node && list.contains(event.target))) close();
  };
  list.addEventListener("keydown", (event) => {
    const index = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @type {{ [key: string]: number }} */
    const moves = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) items[(moves[event.key] + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key.length === 1 && event.key !== " ") {
      const from = [...items.slice(index + 1), ...items.slice(0, index + 1)];
      from.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Only what is inside an open dialog can be reached, and screen readers navigate by landmarks such as `main`.
  (anchor.closest("dialog") ?? document.querySelector("main") ?? document.body).append(list);
  positionAt(list, at ? new DOMRect(at.x, at.y, 0, 0) : anchor.getBoundingClientRect());
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  addEventListener("resize", close);
  openMenu = close;
  items[0]?.focus();
}

/**
 * Places a fixed element below or above a rectangle, aligned at its end (or start), inside the window.
 * @param {HTMLElement} element
 * @param {DOMRect} rect
 * @param {{ atStart?: boolean }} [options]
 */
export function positionAt(element, rect, { atStart = false } = {}) {
  const gap = 6;
  const { width, height } = element.getBoundingClientRect();
  const below = rect.bottom + gap + height <= innerHeight || rect.top < height;
  const top = below ? Math.min(rect.bottom + gap, innerHeight - height - gap) : rect.top - gap - height;
  const isRtl = getComputedStyle(document.documentElement).direction === "rtl";
  const wanted = isRtl !== atStart ? rect.left : rect.right - width;
  const left = Math.max(gap, Math.min(wanted, innerWidth - width - gap));
  element.style.setProperty("top", `${Math.max(gap, top)}px`);
  element.style.setProperty("left", `${left}px`);
}

/** @type {WeakMap<Element, HTMLElement>} */
const boards = new WeakMap();

/**
 * The place for notices: below the app, or at the end of the open dialog, which makes all else unreachable.
 * @returns {HTMLElement}
 */
function noticeBoard() {
  const place = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  let board = boards.get(place);
  if (!board) {
    board = h("div.notices", { role: "status", "aria-live": "polite" });
    boards.set(place, board);
  }
  // Last, also after what a view has added meanwhile. Moving it would announce it again.
  if (!board.isConnected) place.append(board);
  return board;
}

/**
 * Shows a short message for a few seconds. Screen readers announce it. With an address in the app, it leads there.
 * @param {string} text
 * @param {{ isBad?: boolean; href?: string | null }} [options]
 */
export function notice(text, { isBad = false, href = null } = {}) {
  const board = noticeBoard();
  const element = h("p.notice", { dir: "auto" }, href ? h("a", { href, "data-inside": true }, text) : text);
  if (isBad) element.classList.add("bad");
  // A text that is shown already counts anew.
  for (const other of board.querySelectorAll(".notice")) if (other.textContent === text) other.remove();
  board.append(element);
  while (board.childElementCount > MOST_NOTICES) board.firstElementChild?.remove();
  setTimeout(() => element.remove(), isBad ? BAD_NOTICE_MILLISECONDS : NOTICE_MILLISECONDS);
}

/**
 * Runs `work` and shows a notice when the API refuses it. Resolves with whether it was done.
 * @param {() => unknown} work
 */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    notice(asProblem(error).userMessage, { isBad: true });
    return false;
  }
}
