// The pictures of a post or message that is being written: chosen, pasted or dropped, uploaded at once, shown with progress.

import { asProblem, client, Problem } from "../../client/api.js";
import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { localPicture } from "../avatar.js";
import { fill, h } from "../dom.js";
import { share } from "../format.js";
import { icon } from "../icons.js";
import { notice } from "../overlay.js";

export class PictureShelf {
  /**
   * `onChange()` is called when a picture is added, uploaded or removed.
   * @param {{ onChange: () => unknown }} options
   */
  constructor({ onChange }) {
    this.#onChange = onChange;
    this.input = h("input", {
      type: "file",
      accept: "image/*",
      multiple: true,
      hidden: true,
      on: {
        change: () => {
          this.add(this.input.files);
          this.input.value = "";
        },
      },
    });
  }

  element = h("ul.picture-shelf", { hidden: true });
  #onChange;
  /** @type {App.Picture[]} */
  #pictures = [];

  /** The uploaded pictures, as the server described them. */
  get media() {
    return this.#pictures.flatMap(({ media }) => media ?? []);
  }

  get isUploading() {
    return this.#pictures.some((picture) => !picture.media);
  }

  get isEmpty() {
    return !this.#pictures.length;
  }

  /**
   * Puts these uploaded pictures in place of all others and returns those, for `restore`. Uploads go on meanwhile.
   * @param {Api.MediaResponse[]} [media]
   */
  replace(media = []) {
    const before = this.#pictures;
    this.#pictures = media.map((one) => this.#picture(one.name || t("kind.image"), one));
    this.#show();
    return before;
  }

  /** @param {App.Picture[]} pictures */
  restore(pictures) {
    this.#pictures = pictures;
    this.#show();
  }

  /** Opens the browser's dialog to choose files. */
  choose() {
    this.input.click();
  }

  /**
   * Adds the files that are dropped on this element.
   * @param {HTMLElement} target
   */
  acceptDrops(target) {
    target.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      target.classList.add("over");
    });
    target.addEventListener("dragleave", () => target.classList.remove("over"));
    target.addEventListener("drop", (event) => {
      target.classList.remove("over");
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
    });
  }

  /**
   * Uploads these files. Files that are not pictures, and pictures beyond the limit, are left out.
   * @param {Iterable<File> | null} files
   */
  add(files) {
    for (const file of files ?? []) {
      if (file.type.startsWith("image/") && this.#pictures.length < limits.images_per_message) this.#upload(file);
    }
  }

  close() {
    for (const { abort } of this.#pictures) abort?.();
  }

  /** @param {File} file */
  async #upload(file) {
    const controller = new AbortController();
    const picture = this.#picture(file.name, null, () => controller.abort());
    this.#pictures.push(picture);
    this.#show();
    try {
      const media = await client.upload(file, { onProgress: picture.showProgress, signal: controller.signal });
      if (media.kind !== "image") throw new Problem(0, "not_an_image", t("profile.picture.not"));
      picture.media = media;
      picture.showImage();
      this.#onChange();
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code !== "aborted") notice(`${file.name}: ${problem.userMessage}`, { isBad: true });
      this.#remove(picture);
    }
  }

  /**
   * @param {string} name
   * @param {Api.MediaResponse | null} media
   * @param {(() => void) | null} [abort]
   */
  #picture(name, media, abort = null) {
    const bar = h("progress", { max: "1" });
    const frame = h("span.shelf-frame", {}, bar);
    const remove = () => {
      abort?.();
      this.#remove(picture);
    };
    /** @type {App.Picture} */
    const picture = {
      name,
      media,
      abort,
      element: h(
        "li",
        {},
        frame,
        h("span.shelf-name", { dir: "auto" }, name),
        h(
          "button.quiet.square.small",
          { type: "button", "aria-label": t("picture.remove", { name }), on: { click: remove } },
          icon("close"),
        ),
      ),
      showProgress: (sent) => {
        bar.value = sent;
        bar.setAttribute("aria-label", t("picture.progress", { name, percent: share(sent) }));
      },
      showImage: () => fill(frame, h("img", { src: localPicture(picture.media?.url), alt: "" })),
    };
    if (media) picture.showImage();
    else picture.showProgress(0);
    return picture;
  }

  /** @param {App.Picture} picture */
  #remove(picture) {
    this.#pictures = this.#pictures.filter((other) => other !== picture);
    this.#show();
  }

  #show() {
    fill(
      this.element,
      this.#pictures.map((picture) => picture.element),
    );
    this.element.hidden = this.isEmpty;
    this.#onChange();
  }
}
