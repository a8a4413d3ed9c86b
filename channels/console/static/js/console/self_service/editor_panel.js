// A panel with an editor of one thing that a channel has or has not, such as its greeting: saving and deleting it.
//
// What is not saved is kept while the app runs (`unsaved.js`).

import { asProblem } from "../../client/api.js";
import { t } from "../../texts.js";
import { h, submitting } from "../../ui/dom.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { keepChanges, keepUnsaved, unsavedOf } from "../unsaved.js";

/**
 * What an editor offers: `raw` is what its fields hold, unfinished too, and `value` the same as the API takes it. `write(null)`
 * empties it. `check()` marks what is wrong. `onChange` is called when the user changes something.
 * @template Raw, Body
 * @typedef {{ element: HTMLElement; readonly raw: Raw; readonly value: Body; write(raw: Raw | null): void; check(): boolean; onChange: () => unknown }} Editor
 */

/** @template Raw, Body */
export class EditorPanel {
  /**
   * `stored` is what the channel has, null for none. `save` returns what it has then.
   * @param {{ form: string; title: string; lead: string; editor: Editor<Raw, Body>; stored: Raw | null; save: (body: Body) => Promise<Raw>; remove: () => Promise<unknown>; removal: { title: string; text: string } }} options
   */
  constructor({ form, title, lead, editor, stored, save, remove, removal }) {
    this.#form = form;
    this.#editor = editor;
    this.#save = save;
    this.#remove = remove;
    this.#removal = removal;
    this.#deleteButton = h(
      "button.danger-plain",
      { type: "button", on: { click: () => this.#delete() } },
      removal.title,
    );
    this.element = h(
      "form.panel.form",
      { novalidate: true, "aria-label": title, on: { submit: submitting(() => this.#submit()) } },
      h("h2", {}, title),
      h("p.soft", {}, lead),
      this.#notice,
      editor.element,
      this.#error,
      h("div.actions", {}, this.#deleteButton, this.#button),
    );
    editor.onChange = () => this.#keep();
    const unsaved = unsavedOf(form);
    this.#setStored(stored);
    if (unsaved) editor.write(JSON.parse(unsaved.all));
    this.#keep();
  }

  #form;
  #editor;
  #save;
  #remove;
  #removal;
  #stored = "";
  /** @type {Raw | null} */
  #storedRaw = null;
  #notice = h("div.unsaved", { role: "status", hidden: true });
  #error = h("p.error", { role: "alert", hidden: true });
  #button = h("button.primary", { type: "submit" }, t("app.save"));
  #deleteButton;

  /** @param {Raw | null} stored */
  #setStored(stored) {
    this.#storedRaw = stored;
    this.#editor.write(stored);
    this.#stored = JSON.stringify(this.#editor.raw);
    this.#deleteButton.hidden = stored === null;
    keepUnsaved(this.#form, null);
    this.#keep();
  }

  #keep() {
    keepChanges({
      form: this.#form,
      values: { all: JSON.stringify(this.#editor.raw) },
      stored: { all: this.#stored },
      notice: this.#notice,
      onDiscard: () => {
        this.#setStored(this.#storedRaw);
        this.#button.focus();
      },
    });
  }

  async #submit() {
    this.#error.hidden = true;
    if (this.#button.disabled || !this.#editor.check()) return;
    this.#button.disabled = true;
    try {
      this.#setStored(await this.#save(this.#editor.value));
      notice(t("app.saved"));
    } catch (error) {
      const problem = asProblem(error);
      this.#error.textContent = problem.fields[0]?.[1] ?? problem.userMessage;
      this.#error.hidden = false;
    }
    this.#button.disabled = false;
  }

  async #delete() {
    const { title, text } = this.#removal;
    if (!(await confirmDialog({ title, text, action: title })) || !(await attempt(this.#remove))) return;
    this.#setStored(null);
    notice(t("service.deleted"));
    this.#button.focus();
  }
}
