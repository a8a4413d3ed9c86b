// Keyboard shortcuts: which key means which command, and which of them are taken from the browser.
//
// It is loaded after the first view. A key is decided on at once, since the browser waits for no import; the commands are
// loaded when the first one is used (`commands.js`). Nothing happens while a dialog or menu is open, nor during the input of composed characters.
// Single characters do nothing while the user writes, and the user can switch them off (WCAG 2.1.4).

import { isMac } from "../ui/dom.js";
import { KEYS, singleKeys } from "./key_table.js";

/** Work while the user writes. The others would be part of the text, or belong to the field. */
const WHILE_WRITING = /^(Mod|Alt)\+/;
/** May be held down. */
const REPEATED = new Set(["nextUnread", "previousUnread", "next", "previous", "nextItem", "previousItem"]);
const WRITTEN_IN = "textarea, [contenteditable], input:not([type=checkbox], [type=radio], [type=button])";
const HAS_OWN_KEYS = "dialog, [role=dialog], [role=menu], [role=listbox], audio, video, select, input[type=date]";
/** The others would leave the console, where something may be half written, or have nothing to act on there. */
const IN_CONSOLE = new Set(["palette", "searchAll", "help"]);

/**
 * The command of a key; null when the key is not ours.
 * @param {KeyboardEvent} event
 * @param {App.CommandContext} context
 * @returns {App.Command | null}
 */
function commandOf(event, context) {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return null;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(HAS_OWN_KEYS)) return null;
  const name = nameOf(event);
  const command = KEYS[name];
  if (!command || (event.repeat && !REPEATED.has(command))) return null;
  if (target.closest(WRITTEN_IN) && !WHILE_WRITING.test(name)) return null;
  if (name.length === 1 && !singleKeys.areOn) return null;
  if (location.pathname.startsWith("/console") && !IN_CONSOLE.has(command)) return null;
  // Where nothing is open to search in, and at the second press, the browser's own search opens.
  if (command === "searchHere" && (!context.view?.conversationId || target.closest(".found-here"))) return null;
  return command;
}

/**
 * As in `KEYS`. On keyboards with other letters, Ctrl counts with the key at the place of the Latin letter.
 * @param {KeyboardEvent} event
 */
function nameOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  const isMod = isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey;
  if ((ctrlKey || metaKey) && !isMod) return "";
  const latin = /^Key([A-Z])$/.exec(code)?.[1] ?? "";
  const typed = key.length === 1 && key > "\u024f" && latin ? latin : key;
  // Only keys that are no characters tell the Shift key apart. Which characters need it depends on the keyboard.
  const isCharacter = typed.length === 1;
  const shift = shiftKey && (!isCharacter || isMod) ? "Shift+" : "";
  return `${isMod ? "Mod+" : ""}${altKey ? "Alt+" : ""}${shift}${isCharacter ? typed.toLowerCase() : typed}`;
}

/** @param {App.CommandContext} context */
export function startShortcuts(context) {
  document.addEventListener("keydown", (event) => {
    if (!context.isSignedIn) return;
    const command = commandOf(event, context);
    if (command === null) return;
    // Left to the page, where there is nothing to close: Escape also ends full screen, and stops loading.
    if (command !== "close") event.preventDefault();
    runCommand(command, context);
  });
}

/**
 * Runs a command, whose module is loaded when it is first needed.
 * @param {App.Command} command
 * @param {App.CommandContext} context
 */
export async function runCommand(command, context) {
  // Without its module there is nothing to do: the server cannot be reached, which the banner says.
  const module = await import("./commands.js").catch(() => null);
  await module?.run(command, context);
}
