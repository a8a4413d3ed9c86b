// A picker of all emoji: search, groups, skin tones, the recent ones first. It is loaded when it is opened.
//
// Each emoji is a button with its name. Arrow keys move over the grid, Enter chooses, Escape closes and gives the focus
// back. Names are in the language of the app; where there are none (`NAMES`), or they do not load, they are English.

import { locale, t } from "../../texts.js";
import { fill, h } from "../dom.js";
import { positionAt } from "../overlay.js";
import table from "./table.js";

const TONES = ["", "🏻", "🏼", "🏽", "🏾", "🏿"];
const SAMPLE = "👋";
const MOST_RECENT = 24;
const MOST_FOUND = 120;

/** @typedef {{ emoji: string; hasTones: boolean; name: string; words: string[] }} Entry */

const english = () => import("./names_en.js");
/** @type {{ [language: string]: () => Promise<{ default: string }> }} */
const NAMES = { de: () => import("./names_de.js"), "zh-Hans": () => import("./names_zh-Hans.js") };

const lines = (await (NAMES[locale()] ?? english)().catch(english)).default.trim().split("\n");

/**
 * @param {string} marked
 * @param {number} index
 * @returns {Entry}
 */
function entryOf(marked, index) {
  const [name, words = ""] = lines[index].split("|");
  const hasTones = marked.endsWith("+");
  return { emoji: marked.replace("+", ""), hasTones, name, words: `${name} ${words}`.toLowerCase().split(" ") };
}

/** All emoji, by group. @type {[group: keyof typeof table, entries: Entry[]][]} */
const groups = [];
let place = 0; // of a group's first emoji among the names
for (const group of /** @type {(keyof typeof table)[]} */ (Object.keys(table))) {
  const marked = table[group].split(" ");
  const start = place;
  groups.push([group, marked.map((each, index) => entryOf(each, start + index))]);
  place += marked.length;
}
const entries = groups.flatMap(([, of]) => of);
const byEmoji = new Map(entries.map((entry) => [entry.emoji, entry]));

/**
 * Whether a word begins with this part; in Chinese, which has no spaces between words, whether it holds it.
 * @param {string} word
 * @param {string} part
 */
const isFoundBy = (word, part) => (/\p{Script=Han}/u.test(part) ? word.includes(part) : word.startsWith(part));

/**
 * The emoji with a skin tone.
 * @param {Entry} entry
 * @param {string} tone
 */
function toned({ emoji, hasTones }, tone) {
  if (!hasTones || !tone) return emoji;
  const [first, ...rest] = emoji;
  return first + tone + rest.join("").replace(/^\ufe0f/, "");
}

/** A browser may keep nothing. @param {string} key */
function remembered(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then the next window does not know it.
  }
}

const recent = () => remembered("emoji.recent").split(" ").filter(Boolean);

/**
 * Opens the picker at `anchor`. `choose` gets the emoji; the picker is closed then.
 * @param {HTMLElement} anchor
 * @param {{ label: string; choose: (emoji: string) => unknown }} options
 */
export function openEmojiPicker(anchor, { label, choose }) {
  let tone = TONES.includes(remembered("emoji.tone")) ? remembered("emoji.tone") : "";
  const list = h("div.emoji-list", { on: { keydown: (event) => onArrow(event) } });
  const status = h("p.hidden", { role: "status" });
  const search = h("input", {
    type: "search",
    placeholder: t("emoji.search"),
    "aria-label": t("emoji.search"),
    autocomplete: "off",
    on: { input: () => show() },
  });
  const tones = h(
    "select",
    {
      "aria-label": t("emoji.tone"),
      on: {
        change: () => {
          tone = tones.value;
          remember("emoji.tone", tone);
          show();
        },
      },
    },
    TONES.map((value) => h("option", { value, selected: value === tone }, SAMPLE + value)),
  );
  const box = h(
    "div.picker.emoji-picker",
    { role: "dialog", "aria-label": label },
    h("div.emoji-head", {}, search, tones),
    status,
    list,
  );

  const close = () => {
    box.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
  };
  /** @param {Event} event */
  const outside = (event) => {
    if (!(event.target instanceof Node && box.contains(event.target))) close();
  };
  /** @param {string} emoji */
  const pick = (emoji) => {
    remember("emoji.recent", [emoji, ...recent().filter((other) => other !== emoji)].slice(0, MOST_RECENT).join(" "));
    close();
    anchor.focus();
    choose(emoji);
  };

  /**
   * @param {string} emoji
   * @param {string} name
   */
  const button = (emoji, name) =>
    h(
      "button.choice",
      { type: "button", tabindex: "-1", "aria-label": name, title: name, on: { click: () => pick(emoji) } },
      emoji,
    );
  /**
   * @param {string} title
   * @param {HTMLElement[]} buttons
   */
  const section = (title, buttons) =>
    h("section", { "aria-label": title }, h("h3", { "aria-hidden": "true" }, title), h("div.choices", {}, buttons));
  /** @param {string} emoji */
  const nameOf = (emoji) => byEmoji.get(emoji)?.name ?? emoji;

  const show = () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length) {
      const found = entries
        .filter(({ emoji, words }) =>
          wanted.every((part) => part === emoji || words.some((word) => isFoundBy(word, part))),
        )
        .slice(0, MOST_FOUND);
      fill(
        list,
        found.length
          ? section(
              t("emoji.found"),
              found.map((entry) => button(toned(entry, tone), entry.name)),
            )
          : h("p.soft", {}, t("emoji.none")),
      );
      status.textContent = t("emoji.count", { n: found.length });
    } else {
      status.textContent = "";
      const last = recent();
      fill(
        list,
        last.length
          ? section(
              t("emoji.recent"),
              last.map((emoji) => button(emoji, nameOf(emoji))),
            )
          : null,
        groups.map(([group, of]) =>
          section(
            t(`emoji.group.${group}`),
            of.map((entry) => button(toned(entry, tone), entry.name)),
          ),
        ),
      );
    }
    // One of them is reached by Tab, the others by arrow keys.
    list.querySelector("button")?.setAttribute("tabindex", "0");
    list.scrollTop = 0;
  };

  /** @param {KeyboardEvent} event */
  const onArrow = (event) => {
    const from = document.activeElement;
    if (!(from instanceof HTMLButtonElement) || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("button")];
    const to = neighbour(buttons, from, event.key);
    if (to) move(from, to);
    else if (event.key === "ArrowUp") search.focus();
  };
  /**
   * @param {HTMLButtonElement} from
   * @param {HTMLButtonElement} to
   */
  const move = (from, to) => {
    list.querySelector('button[tabindex="0"]')?.setAttribute("tabindex", "-1");
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  };

  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      anchor.focus();
    } else if (event.target === search && event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (search.value.trim()) list.querySelector("button")?.click();
    } else if (event.target === search && event.key === "ArrowDown") {
      event.preventDefault();
      list.querySelector("button")?.focus();
    }
  });
  box.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !box.contains(event.relatedTarget)) close();
  });
  show();
  (anchor.closest("dialog") ?? document.body).append(box);
  positionAt(box, anchor.getBoundingClientRect(), { atStart: true });
  document.addEventListener("pointerdown", outside, true);
  anchor.setAttribute("aria-expanded", "true");
  search.focus();
}

/**
 * The button beside this one, or in the row above or below at the same place.
 * @param {HTMLButtonElement[]} buttons
 * @param {HTMLButtonElement} from
 * @param {string} key
 */
function neighbour(buttons, from, key) {
  const at = buttons.indexOf(from);
  const isRtl = getComputedStyle(from).direction === "rtl";
  if (key === "ArrowRight" || key === "ArrowLeft") return buttons[at + ((key === "ArrowRight") === isRtl ? -1 : 1)];
  const { left, top } = from.getBoundingClientRect();
  const step = key === "ArrowDown" ? 1 : -1;
  /** @type {{ button: HTMLButtonElement; top: number; distance: number } | null} */
  let best = null;
  for (let next = at + step; next >= 0 && next < buttons.length; next += step) {
    const rect = buttons[next].getBoundingClientRect();
    if (rect.top === top) continue;
    if (best && rect.top !== best.top) break;
    const distance = Math.abs(rect.left - left);
    if (!best || distance < best.distance) best = { button: buttons[next], top: rect.top, distance };
  }
  return best?.button ?? null;
}
