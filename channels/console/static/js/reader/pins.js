// What a channel has pinned: one line above its posts, which leads to one after the other, and a list of all.

import { get, part } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { previewOf } from "../inbox.js";
import { menu } from "../overlay.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { shownPreview } from "./previews.js";

export class PinStrip {
  /** Fills `element`, and hides it where nothing is pinned; `onOpen(seq)` is asked to show a post. */
  constructor({ channelId, element, onOpen }) {
    this.#channelId = channelId;
    this.#element = element;
    this.#onOpen = onOpen;
    element.classList.add("pins");
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", t("pins.label"));
    this.#text = h("span.pin-text", { dir: "auto" });
    this.#count = h("span.soft.pin-count");
    this.#open = h("button.pin-open", { type: "button", on: { click: () => this.#next() } }, icon("pin"), this.#text, this.#count);
    this.#all = h("button.quiet.square.small", { type: "button", "aria-label": t("pins.all"), "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => this.#list() } }, icon("more"));
    fill(element, this.#open, this.#all);
    link.addEventListener("ready", this.load);
  }

  #channelId;
  #element;
  #onOpen;
  #open;
  #text;
  #count;
  #all;
  #pins = [];
  #at = 0;

  close() {
    link.removeEventListener("ready", this.load);
  }

  hear(event) {
    if (event.type !== "message.edited" && event.type !== "message.recalled") return;
    if (event.post.pinned || this.#pins.some((pin) => pin.seq === event.seq)) this.load();
  }

  /** Ask for them; where that fails, what was known stays. */
  load = async () => {
    try {
      const page = await get(`/v1/channels/${part(this.#channelId)}/pins`);
      this.#pins = page.items;
      this.#at = 0;
      this.#show();
    } catch (problem) {
      // The posts are here without it.
      if (problem.code === undefined) throw problem;
    }
  };

  #show() {
    const pins = this.#pins;
    this.#element.hidden = !pins.length;
    if (!pins.length) return;
    const text = lineOf(pins[this.#at]);
    this.#text.textContent = text;
    this.#count.textContent = pins.length > 1 ? t("pins.place", { n: this.#at + 1, of: pins.length }) : "";
    this.#open.setAttribute("aria-label", t("pins.open", { text }));
    this.#all.hidden = pins.length < 2;
  }

  #next() {
    const { seq } = this.#pins[this.#at];
    this.#at = (this.#at + 1) % this.#pins.length;
    this.#show();
    this.#onOpen(seq);
  }

  #list() {
    menu(this.#all, this.#pins.map((pin) => ({ label: lineOf(pin), icon: "pin", act: () => this.#onOpen(pin.seq) })));
  }
}

const lineOf = (post) => shownPreview({ preview: previewOf(post) });
