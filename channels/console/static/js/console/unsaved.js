// What was changed in a form of the console and is not saved yet.
//
// It is kept while the app runs, so that another tab of the console, or a look into the reader, loses nothing. The browser
// asks before the window is closed. Signing out forgets it.

import { session } from "../client/session.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";

/** @typedef {{ [name: string]: string }} Values */

/** @type {Map<string, Values>} */
const unsaved = new Map(); // by the name of the form

session.addEventListener("signedout", () => keepAll([]));
/** @param {BeforeUnloadEvent} event */
const askBeforeClosing = (event) => event.preventDefault();

/**
 * What is not saved of this form.
 * @param {string} form
 * @returns {Values | null}
 */
export const unsavedOf = (form) => unsaved.get(form) ?? null;

/**
 * Keeps the values of the form, null to forget them.
 * @param {string} form
 * @param {Values | null} values
 */
export function keepUnsaved(form, values) {
  const others = [...unsaved].filter(([name]) => name !== form);
  keepAll(values ? [...others, [form, values]] : others);
}

/**
 * Keeps those values of the form that differ from the stored ones, and shows in `notice` that there are any.
 * @param {{ form: string; values: Values; stored: Values; notice: HTMLElement; onDiscard: () => unknown }} options
 */
export function keepChanges({ form, values, stored, notice, onDiscard }) {
  const changed = Object.entries(values).filter(([name, value]) => value !== stored[name]);
  keepUnsaved(form, changed.length ? Object.fromEntries(changed) : null);
  if (Boolean(changed.length) === !notice.hidden) return;
  notice.hidden = !changed.length;
  fill(
    notice,
    changed.length
      ? [
          h("span", {}, t("profile.unsaved")),
          h("button.quiet", { type: "button", on: { click: onDiscard } }, t("profile.discard")),
        ]
      : null,
  );
}

/** @param {[form: string, values: Values][]} entries */
function keepAll(entries) {
  unsaved.clear();
  for (const [form, values] of entries) unsaved.set(form, values);
  // A listener keeps the page out of the browser's cache for going back, so there is one only when it is needed.
  if (unsaved.size) addEventListener("beforeunload", askBeforeClosing);
  else removeEventListener("beforeunload", askBeforeClosing);
}
