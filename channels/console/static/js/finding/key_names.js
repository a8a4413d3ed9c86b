// The keys of commands as they are printed on the keyboard.

import { t } from "../texts.js";
import { h, isMac } from "../ui/dom.js";
import { KEYS } from "./key_table.js";

/** What the Mac prints on its keys. */
const MAC = new Map([
  ["Mod", "⌘"],
  ["Alt", "⌥"],
  ["Shift", "⇧"],
]);

/** @param {string} key */
function keyName(key) {
  const onMac = isMac ? MAC.get(key) : undefined;
  if (onMac) return onMac;
  switch (key) {
    case "Mod":
      return t("keys.ctrl");
    case "Alt":
      return t("keys.alt");
    case "Shift":
      return t("keys.shift");
    case "Escape":
      return t("keys.escape");
    case "End":
      return t("keys.end");
    case "Home":
      return t("keys.home");
    case "Enter":
      return t("keys.enterKey");
    case "ArrowDown":
      return "↓";
    case "ArrowUp":
      return "↑";
    default:
      return key.toUpperCase();
  }
}

/**
 * A key, such as `Mod+k`, as `<kbd>` elements.
 * @param {string} key
 */
export function keyElement(key) {
  // The key may be a plus itself.
  const parts = key === "+" ? ["+"] : key.split("+");
  return h("span.keys", { dir: "ltr" }, ...parts.map((part) => h("kbd", {}, keyName(part))));
}

/**
 * The key of a command; null where it has none.
 * @param {App.Command} command
 */
export function keyElements(command) {
  const key = Object.keys(KEYS).find((name) => KEYS[name] === command);
  return key === undefined ? null : keyElement(key);
}
