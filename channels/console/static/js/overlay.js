// What lies over the page: dialogs, menus and short notices. Focus goes in, stays in, and comes back.

import { fill, freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";

const NOTICE_MILLISECONDS = 5000;

/**
 * Show a dialog; `build(close)` gives its content. Resolves with what `close` was called with, null when dismissed.
 */
export function dialog({ title, className = "", build }) {
  return new Promise((resolve) => {
    const id = freshId("dialog");
    const element = h(`dialog.sheet`, { "aria-labelledby": id });
    if (className) element.classList.add(className);
    let result = null;
    const close = (value = null) => {
      result = value;
      element.close();
    };
    // Focus went back by itself as it closed: this comes later, when the user may have gone on.
    element.addEventListener("close", () => {
      element.remove();
      resolve(result);
    });
    element.addEventListener("click", (event) => {
      if (event.target === element) close();
    });
    fill(
      element,
      h("header.sheet-head", {},
        h("h2", { id }, title),
        h("button.quiet.square", { type: "button", "aria-label": t("app.close"), on: { click: () => close() } }, icon("close")),
      ),
      build(close),
    );
    document.body.append(element);
    element.showModal();
    element.querySelector("[autofocus]")?.focus();
  });
}

/** Ask before something that cannot be undone; whether it was confirmed. */
export function sure({ title, text, action, isDangerous = true }) {
  return dialog({
    title,
    build: (close) =>
      h("form.sheet-body", { method: "dialog", on: { submit: (event) => (event.preventDefault(), close(true)) } },
        h("p", { dir: "auto" }, text),
        h("div.actions", {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          h(isDangerous ? "button.danger" : "button.primary", { type: "submit", autofocus: true }, action),
        ),
      ),
  }).then(Boolean);
}

/** Ask for a line of text; null when dismissed. `check` may refuse it with a reason, or do the work itself. */
export function ask({ title, label, value = "", action, check }) {
  return dialog({
    title,
    build: (close) => {
      const id = freshId("ask");
      const reason = h("p.wrong", { id: `${id}-wrong`, role: "alert", hidden: true });
      const input = h("input", { id, value, autofocus: true, autocomplete: "off", dir: "auto", "aria-describedby": `${id}-wrong` });
      const submit = async (event) => {
        event.preventDefault();
        const refused = await check(input.value);
        if (refused === null) return close(input.value);
        reason.textContent = refused;
        reason.hidden = false;
        input.setAttribute("aria-invalid", "true");
        input.focus();
      };
      return h("form.sheet-body", { on: { submit } },
        h("label", { for: id }, label), input, reason,
        h("div.actions", {},
          h("button.plain", { type: "button", on: { click: () => close() } }, t("app.cancel")),
          h("button.primary", { type: "submit" }, action),
        ),
      );
    },
  });
}

let openMenu = null;

/** Close the menu that is open, if one is. */
export function closeMenu() {
  openMenu?.();
}

/**
 * A menu at `anchor`. Entries are {label, act, icon?, checked?, isDangerous?}; null draws a line. Arrow keys, Home, End,
 * first letters and Escape work as in menus everywhere.
 */
export function menu(anchor, entries, { at } = {}) {
  closeMenu();
  const items = [];
  const list = h("div.menu", { role: "menu", tabindex: "-1" });
  for (const entry of entries) {
    if (entry === null) {
      list.append(h("hr"));
      continue;
    }
    const isChoice = entry.checked !== undefined;
    const item = h("button.menu-item", {
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
    }, entry.icon ? icon(entry.icon) : h("span.icon"), h("span", { dir: "auto" }, entry.label));
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
  const outside = (event) => {
    if (!list.contains(event.target)) close();
  };
  list.addEventListener("keydown", (event) => {
    const place = items.indexOf(document.activeElement);
    const moves = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) items[(moves[event.key] + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key.length === 1 && event.key !== " ") {
      const from = [...items.slice(place + 1), ...items.slice(0, place + 1)];
      from.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Inside a dialog that is open nothing else can be reached; and what is in no landmark is lost to those who go by them.
  (anchor.closest("dialog") ?? document.querySelector("main") ?? document.body).append(list);
  place(list, at ? new DOMRect(at.x, at.y, 0, 0) : anchor.getBoundingClientRect());
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  addEventListener("resize", close);
  openMenu = close;
  items[0]?.focus();
}

/** Put a fixed element below or above a rectangle, their ends (or starts) in line, inside the window. */
export function place(element, rect, { atStart = false } = {}) {
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

let board = null;

/** Tell something that needs no answer; also to a screen reader. */
export function notice(text, { isBad = false } = {}) {
  board ??= document.body.appendChild(h("div.notices", { role: "status", "aria-live": "polite" }));
  const element = h("p.notice", { dir: "auto" }, text);
  if (isBad) element.classList.add("bad");
  board.append(element);
  setTimeout(() => element.remove(), NOTICE_MILLISECONDS);
}

/** Do it; tell a refusal as a notice. Whether it was done. */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (problem) {
    if (problem.code === undefined) throw problem;
    notice(problem.shown, { isBad: true });
    return false;
  }
}
