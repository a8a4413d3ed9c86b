// The fields for the place of a post: its name, its address, and where it is, in degrees.
//
// Degrees may be written with a point or a comma, with N, S, E or W, and in the digits of other scripts. A pair such as
// "52.52, 13.405", as maps give it, may be pasted into either field.

import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";

const DEGREES = /^([+-]?\d{1,3}(?:[.,]\d*)?)°?([NSEW])?$/i;
const PAIR = /^\s*([+\-−]?\d+(?:\.\d+)?°?\s*[NS]?)\s*[,;\s]\s*([+\-−]?\d+(?:\.\d+)?°?\s*[EW]?)\s*$/i;
/** The zeros of Arabic-Indic, Persian and Devanagari digits. */
const ZEROS = [0x0660, 0x06f0, 0x0966];

/**
 * A number of degrees; null when the text is none within the bound.
 * @param {string} text
 * @param {number} bound
 * @param {string} letters For the positive and the negative half.
 */
function degreesOf(text, bound, letters) {
  const plain = westernDigits(text).replaceAll("−", "-").replaceAll("٫", ".").replaceAll(/\s/g, "");
  const found = DEGREES.exec(plain);
  if (!found) return null;
  const letter = found[2]?.toUpperCase();
  if (letter && !letters.includes(letter)) return null;
  const number = Number(found[1].replace(",", ".")) * (letter === letters[1] ? -1 : 1);
  return Math.abs(number) <= bound ? number : null;
}

/** @param {string} text */
function westernDigits(text) {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const code = /** @type {number} */ (digit.codePointAt(0));
    const zero = ZEROS.find((one) => code >= one && code < one + 10);
    return zero === undefined ? digit : String(code - zero);
  });
}

export class PlaceFields {
  /** @param {{ onChange: () => unknown }} options */
  constructor({ onChange }) {
    this.#onChange = onChange;
    const on = { input: () => onChange() };
    const split = { input: () => this.#split() };
    this.#name = field({ name: "name", label: t("place.name"), on });
    this.#address = field({ name: "address", label: t("place.address"), on });
    const number = { inputmode: "text", spellcheck: "false", dir: "ltr" };
    this.#latitude = field({
      name: "latitude",
      label: t("place.latitude"),
      hint: t("place.latitude.hint"),
      on: split,
      ...number,
    });
    this.#longitude = field({
      name: "longitude",
      label: t("place.longitude"),
      hint: t("place.longitude.hint"),
      on: split,
      ...number,
    });
    this.fields = [this.#name, this.#address, this.#latitude, this.#longitude];
    this.element = h(
      "fieldset.place-fields",
      { hidden: true },
      h("legend", {}, t("attach.place")),
      this.fields.map((one) => one.element),
      h("button.plain", { type: "button", on: { click: () => this.close() } }, icon("close"), t("place.remove")),
    );
  }

  #onChange;
  #name;
  #address;
  #latitude;
  #longitude;

  get isOpen() {
    return !this.element.hidden;
  }

  /** Shows the fields and moves the focus there. */
  open() {
    this.element.hidden = false;
    this.#name.input.focus();
    this.#onChange();
  }

  /** Empties and hides the fields. */
  close() {
    this.raw = null;
    this.#onChange();
  }

  /** What the fields hold, unfinished too; null when they are closed. */
  get raw() {
    if (!this.isOpen) return null;
    return {
      name: this.#name.value,
      address: this.#address.value,
      latitude: this.#latitude.value,
      longitude: this.#longitude.value,
    };
  }

  set raw(place) {
    this.element.hidden = place === null;
    this.#name.input.value = place?.name ?? "";
    this.#address.input.value = place?.address ?? "";
    this.#latitude.input.value = String(place?.latitude ?? "");
    this.#longitude.input.value = String(place?.longitude ?? "");
    for (const one of this.fields) one.showError(null);
  }

  /**
   * The place as the API takes it; null while there is none, or one that is not finished.
   * @returns {Api.LocationBody | null}
   */
  get value() {
    const { latitude, longitude } = this.#degrees;
    if (!this.isOpen || latitude === null || longitude === null) return null;
    const [name, address] = [this.#name.value.trim(), this.#address.value.trim()];
    return { latitude, longitude, ...(name && { name }), ...(address && { address }) };
  }

  get #degrees() {
    return {
      latitude: degreesOf(this.#latitude.value, 90, "NS"),
      longitude: degreesOf(this.#longitude.value, 180, "EW"),
    };
  }

  /** Whether the place is complete, or there is none. Marks what is wrong and moves the focus to the first such field. */
  check() {
    if (!this.isOpen) return true;
    const { latitude, longitude } = this.#degrees;
    this.#latitude.showError(latitude === null ? t("place.latitude.bad") : null);
    this.#longitude.showError(longitude === null ? t("place.longitude.bad") : null);
    if (latitude === null) this.#latitude.input.focus();
    else if (longitude === null) this.#longitude.input.focus();
    return latitude !== null && longitude !== null;
  }

  /** A pair that was pasted into one of the fields goes into both. */
  #split() {
    for (const { input } of [this.#latitude, this.#longitude]) {
      const pair = PAIR.exec(input.value);
      if (!pair) continue;
      this.#latitude.input.value = pair[1].trim();
      this.#longitude.input.value = pair[2].trim();
      break;
    }
    const { latitude, longitude } = this.#degrees;
    if (latitude !== null) this.#latitude.showError(null);
    if (longitude !== null) this.#longitude.showError(null);
    this.#onChange();
  }
}
