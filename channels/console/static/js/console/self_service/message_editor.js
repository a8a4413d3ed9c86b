// The editor of a message that the channel sends by itself: a text, and buttons below it.

import { limits } from "../../client/limits.js";
import { h } from "../../ui/dom.js";
import { field } from "../form.js";
import { ButtonFields, buttonsAsWritten } from "./button_fields.js";

/** @typedef {{ text: string; buttons: App.WrittenButton[] }} Written */

export class MessageEditor {
  /** @param {{ channelId: string; label: string }} options */
  constructor({ channelId, label }) {
    const onChange = () => this.onChange();
    this.#text = field({
      name: "text",
      label,
      limit: limits.message_body_bytes,
      rows: 3,
      required: true,
      on: { input: onChange },
    });
    this.#buttons = new ButtonFields({ channelId, onChange });
    this.element = h("div.form", {}, this.#text.element, this.#buttons.element);
  }

  #text;
  #buttons;
  /** @type {() => unknown} */
  onChange = () => {};

  /** @returns {Written} */
  get raw() {
    return { text: this.#text.value, buttons: this.#buttons.raw };
  }

  get value() {
    const buttons = this.#buttons.value;
    return { text: this.#text.value.trim(), ...(buttons.length && { buttons }) };
  }

  /** @param {Written | null} written */
  write(written) {
    this.#text.input.value = written?.text ?? "";
    this.#text.showError(null);
    this.#buttons.write(written?.buttons ?? []);
  }

  check() {
    if (this.#text.check()) return this.#buttons.check();
    this.#text.input.focus();
    return false;
  }
}

/**
 * A message, as the fields show it.
 * @param {{ text: string | null; buttons: Api.ButtonResponse[][] | Api.ButtonBody[][] | null }} message
 * @returns {Written}
 */
export const messageAsWritten = ({ text, buttons }) => ({ text: text ?? "", buttons: buttonsAsWritten(buttons) });
