// The user's photo, or their initials: chosen, dropped, or removed. It is uploaded at once and saved with the form around it.

import { client } from "../client/api.js";
import { t } from "../texts.js";
import { avatar } from "../ui/avatar.js";
import { fill, h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, notice } from "../ui/overlay.js";

export class PhotoField {
  /**
   * @param {{ id: string; name: () => string; url: string }} options `name` is shown as initials without a photo.
   */
  constructor({ id, name, url }) {
    this.#id = id;
    this.#name = name;
    /** The address of the photo; empty without one. */
    this.url = url;
  }

  #id;
  #name;
  #picture = h("div");
  #bar = h("progress", { max: "1", hidden: true, "aria-label": t("me.photo") });
  /** @type {HTMLInputElement} */
  #files = h("input", {
    type: "file",
    accept: "image/*",
    hidden: true,
    on: { change: () => this.#upload(this.#files.files?.[0]) },
  });
  #remove = h("button.quiet", { type: "button", on: { click: () => this.#set("") } }, t("me.photo.remove"));
  #choose = h(
    "button.plain",
    { type: "button", on: { click: () => this.#files.click() } },
    icon("image"),
    t("me.photo.choose"),
  );

  element = h(
    "div.picture-drop",
    {
      role: "group",
      "aria-label": t("me.photo"),
      on: {
        dragover: (event) => event.preventDefault(),
        drop: (event) => {
          event.preventDefault();
          this.#upload(event.dataTransfer?.files[0]);
        },
      },
    },
    this.#picture,
    h(
      "div.drop-text",
      {},
      h("strong", {}, t("me.photo")),
      h("p.soft", {}, t("me.photo.hint")),
      h("div.drop-buttons", {}, this.#choose, this.#remove),
      this.#bar,
    ),
    this.#files,
  );

  /** Draws the photo, or the initials of the name as it is now. */
  show() {
    fill(this.#picture, avatar({ id: this.#id, name: this.#name(), url: this.url, shape: "round", size: "huge" }));
    this.#remove.hidden = !this.url;
  }

  /** @param {string} url */
  #set(url) {
    this.url = url;
    this.show();
    // The button that was pressed may be gone.
    this.#choose.focus();
  }

  /** @param {File | undefined} file */
  async #upload(file) {
    if (!file) return;
    this.#bar.hidden = false;
    this.#bar.value = 0;
    await attempt(async () => {
      const onProgress = (/** @type {number} */ share) => {
        this.#bar.value = share;
      };
      const media = await client.upload(file, { onProgress });
      if (media.kind !== "image") notice(t("me.photo.not"), { isBad: true });
      else this.#set(media.thumb_url ?? media.url);
    });
    this.#bar.hidden = true;
    this.#files.value = "";
  }
}
