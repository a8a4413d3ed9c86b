// The dialog that lists the keyboard shortcuts, with the switch for those of a single character.

import { t } from "../texts.js";
import { h, isMac, uniqueId } from "../ui/dom.js";
import { dialog } from "../ui/overlay.js";
import { keyElement, keyElements } from "./key_names.js";
import { singleKeys } from "./key_table.js";

/** @type {[heading: App.TextKey, commands: App.Command[]][]} */
const SECTIONS = [
  ["keys.everywhere", ["palette", "searchAll", "search", "nextUnread", "previousUnread", "next", "previous", "help"]],
  ["keys.conversation", ["searchHere", "nextItem", "previousItem", "newest", "react", "reply", "markRead", "close"]],
];
/** Of lists and menus, which are no commands. @type {[text: App.TextKey, keys: string[]][]} */
const IN_LISTS = [
  ["keys.arrows", ["ArrowDown", "ArrowUp"]],
  ["keys.ends", ["Home", "End"]],
  ["keys.enter", ["Enter"]],
];

/** Shows the shortcuts. Resolves when the dialog is closed. */
export function showKeys() {
  const id = uniqueId("keys");
  const single = h("input", {
    id,
    type: "checkbox",
    checked: singleKeys.areOn,
    "aria-describedby": `${id}-hint`,
  });
  single.addEventListener("change", () => singleKeys.set(single.checked));
  return dialog({
    title: t("keys.title"),
    className: "keys-dialog",
    build: () =>
      h(
        "div.sheet-body",
        {},
        h(
          "div.key-columns",
          {},
          SECTIONS.map(([heading, commands]) =>
            section(
              heading,
              commands.map((command) => row(t(`keys.${command}`), keyElements(command))),
            ),
          ),
          section(
            "keys.lists",
            IN_LISTS.map(([text, keys]) => row(t(text), ...keys.map(keyElement))),
          ),
        ),
        h("div.choice-line", {}, single, h("label", { for: id }, t("keys.single"))),
        h("p.soft", { id: `${id}-hint` }, t(isMac ? "keys.single.hint.mac" : "keys.single.hint")),
      ),
  });
}

/**
 * @param {App.TextKey} heading
 * @param {Element[]} rows
 */
const section = (heading, rows) => h("section", {}, h("h3", {}, t(heading)), h("dl.key-list", {}, rows));

/**
 * @param {string} text
 * @param {App.Child[]} keys
 */
const row = (text, ...keys) => h("div.key-row", {}, h("dt", {}, text), h("dd", {}, ...keys));
