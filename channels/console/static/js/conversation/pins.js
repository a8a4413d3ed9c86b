// The pinned posts of a channel: one line above the posts that leads to one after another, and a menu of all.

import { asProblem, client, get, part } from "../client/api.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { menu, menuButton } from "../ui/overlay.js";
import { contentPreview } from "../ui/previews.js";

export class PinStrip {
  /**
   * Fills `element`, and hides it when nothing is pinned. `onOpen(seq)` shows a post.
   * @param {{ channelId: string; element: HTMLElement; onOpen: (seq: number) => unknown }} options
   */
  constructor({ channelId, element, onOpen }) {
    this.#channelId = channelId;
    this.#element = element;
    this.#onOpen = onOpen;
    element.classList.add("pins");
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", t("pins.label"));
    this.#open = h(
      "button.pin-open",
      { type: "button", on: { click: () => this.#openNext() } },
      icon("pin"),
      this.#text,
      this.#count,
    );
    this.#all = menuButton({ label: t("pins.all"), style: "quiet.square.small", open: () => this.#openMenu() });
    fill(element, this.#open, this.#all);
    client.socket.addEventListener("ready", this.load);
  }

  #channelId;
  #element;
  #onOpen;
  #open;
  #all;
  #text = h("span.pin-text", { dir: "auto" });
  #count = h("span.soft.pin-count");
  /** @type {Api.PostResponse[]} */
  #pins = [];
  #index = 0; // of the pin that is shown
  #loads = 0;

  close() {
    client.socket.removeEventListener("ready", this.load);
  }

  /**
   * Called with the events of the channel. Posts are pinned and unpinned by an edit.
   * @param {App.Event} event
   */
  onEvent(event) {
    if (event.type !== "message.edited" && event.type !== "message.recalled") return;
    if (event.post?.pinned || this.#pins.some((pin) => pin.seq === event.seq)) this.load();
  }

  /** Loads the pins. Keeps the known ones when that fails, since the posts are readable without them. */
  load = async () => {
    this.#loads += 1;
    const load = this.#loads;
    try {
      const page = await get(`/v1/channels/${part(this.#channelId)}/pins`);
      if (load !== this.#loads) return; // a later one tells what is pinned now
      this.#pins = page.items;
      this.#index = 0;
      this.#show();
    } catch (error) {
      asProblem(error);
    }
  };

  #show() {
    const pins = this.#pins;
    this.#element.hidden = !pins.length;
    if (!pins.length) return;
    const text = contentPreview(pins[this.#index]);
    this.#text.textContent = text;
    this.#count.textContent = pins.length > 1 ? t("pins.position", { n: this.#index + 1, of: pins.length }) : "";
    this.#open.setAttribute("aria-label", t("pins.open", { text }));
    this.#all.hidden = pins.length < 2;
  }

  #openNext() {
    const { seq } = this.#pins[this.#index];
    this.#index = (this.#index + 1) % this.#pins.length;
    this.#show();
    this.#onOpen(seq);
  }

  #openMenu() {
    menu(
      this.#all,
      this.#pins.map((pin) => ({ label: contentPreview(pin), icon: "pin", act: () => this.#onOpen(pin.seq) })),
    );
  }
}
