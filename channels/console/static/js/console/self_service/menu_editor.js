// The editor of a channel's menu: up to three entries, each of which does something or holds up to five others.

import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { ActionFields, asWritten, KINDS } from "./action_fields.js";

const MOST = 3;
const MOST_BELOW = 5;

/** @typedef {import("./action_fields.js").Written & { entries: import("./action_fields.js").Written[] }} Written */

/** A list of entries, each with its fields. */
class Entries {
  /** @param {{ channelId: string; most: number; below: number; label: string; onChange: () => unknown }} options */
  constructor({ channelId, most, below, label, onChange }) {
    this.#channelId = channelId;
    this.#most = most;
    this.#below = below;
    this.#onChange = onChange;
    this.#list = h("ol.button-fields", { "aria-label": label });
    this.element = h("div.form", {}, this.#list, this.#addButton);
  }

  #channelId;
  #most;
  #below;
  #onChange;
  #list;
  #addButton = h(
    "button.plain",
    { type: "button", on: { click: () => this.#addNew() } },
    icon("plus"),
    t("menu.entry.add"),
  );
  /** @type {{ row: HTMLElement; fields: ActionFields; below: Entries | null }[]} */
  #entries = [];

  /** @returns {Written[]} */
  get raw() {
    return this.#entries.map(({ fields, below }) => ({ ...fields.raw, entries: below?.raw ?? [] }));
  }

  /** @returns {Api.EntryBody[]} */
  get value() {
    return this.#entries.map(({ fields, below }) => {
      const entries = /** @type {Api.SubEntryBody[]} */ (below?.value ?? []); // they hold no others
      return { ...fields.value, ...(fields.kind === "entries" && { entries }) };
    });
  }

  get length() {
    return this.#entries.length;
  }

  /** @param {(import("./action_fields.js").Written & { entries?: import("./action_fields.js").Written[] })[]} written */
  write(written) {
    for (const { row } of this.#entries) row.remove();
    this.#entries = [];
    for (const one of written) this.#add(one);
    this.#number();
  }

  /** @returns {boolean} */
  check() {
    return this.#entries.every(({ fields, below }) => {
      if (!fields.check()) return false;
      if (fields.kind !== "entries" || !below) return true;
      if (!below.length) below.#addNew(); // an entry that opens nothing
      return below.check();
    });
  }

  focus() {
    if (this.#entries.length) this.#entries[0].fields.focus();
    else this.#addButton.focus();
  }

  #addNew() {
    this.#add(null).focus();
    this.#number();
    this.#onChange();
  }

  /** @param {(import("./action_fields.js").Written & { entries?: import("./action_fields.js").Written[] }) | null} written */
  #add(written) {
    const below = this.#below
      ? new Entries({
          channelId: this.#channelId,
          most: this.#below,
          below: 0,
          label: t("menu.entries.below"),
          onChange: this.#onChange,
        })
      : null;
    const place = below && h("div.sub-entries", {}, below.element);
    const fields = new ActionFields({
      channelId: this.#channelId,
      kinds: below ? [...KINDS, "entries"] : KINDS,
      onChange: this.#onChange,
      onRemove: () => this.#remove(fields),
      onKind: (kind) => {
        if (place) place.hidden = kind !== "entries";
      },
    });
    if (written) fields.write(written);
    below?.write(written?.entries ?? []);
    const row = h("li", {}, fields.element, place);
    this.#entries.push({ row, fields, below });
    this.#list.append(row);
    return fields;
  }

  /** @param {ActionFields} fields */
  #remove(fields) {
    const index = this.#entries.findIndex((one) => one.fields === fields);
    this.#entries[index].row.remove();
    this.#entries.splice(index, 1);
    this.#number();
    const next = this.#entries[Math.min(index, this.#entries.length - 1)];
    if (next) next.fields.focus();
    else this.#addButton.focus();
    this.#onChange();
  }

  #number() {
    for (const [index, { row, fields }] of this.#entries.entries()) {
      row.setAttribute("aria-label", t("menu.entry", { n: index + 1 }));
      fields.removeButton.setAttribute("aria-label", t("menu.entry.remove", { n: index + 1 }));
    }
    this.#addButton.hidden = this.#entries.length >= this.#most;
  }
}

export class MenuEditor {
  /** @param {string} channelId */
  constructor(channelId) {
    this.#entries = new Entries({
      channelId,
      most: MOST,
      below: MOST_BELOW,
      label: t("menu.title"),
      onChange: () => this.onChange(),
    });
    this.element = h("div.form", {}, this.#entries.element, this.#error);
  }

  #entries;
  #error = h("p.error", { role: "alert", hidden: true });
  /** @type {() => unknown} */
  onChange = () => {};

  get raw() {
    return this.#entries.raw;
  }

  get value() {
    return this.#entries.value;
  }

  /** @param {Written[] | null} written */
  write(written) {
    this.#entries.write(written ?? []);
    this.#error.hidden = true;
  }

  check() {
    const isEmpty = !this.#entries.length;
    this.#error.textContent = isEmpty ? t("menu.empty") : "";
    this.#error.hidden = !isEmpty;
    if (isEmpty) this.#entries.focus();
    return !isEmpty && this.#entries.check();
  }
}

/**
 * A menu, as the fields show it.
 * @param {Api.EntryResponse[]} entries
 * @returns {Written[]}
 */
export const menuAsWritten = (entries) =>
  entries.map((entry) => ({ ...asWritten(entry), entries: (entry.entries ?? []).map(asWritten) }));
