// The pictures of a post that is being written: dropped, pasted or chosen, uploaded at once, with their progress.

import { upload } from "../api.js";
import { ownPicture } from "../avatar.js";
import { arrange, fill, h } from "../dom.js";
import { share } from "../format.js";
import { icon } from "../icons.js";
import { limits } from "../limits.js";
import { notice } from "../overlay.js";
import { t } from "../texts.js";

export class PictureShelf {
  constructor({ onChange }) {
    this.#onChange = onChange;
    this.#files = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, on: { change: () => {
      this.add(this.#files.files);
      this.#files.value = "";
    } } });
    this.#shelf = h("ul.picture-shelf");
    this.element = h("fieldset.plain-set", {}, h("legend", {}, t("compose.images")), this.#drop(), this.#shelf);
  }

  #onChange;
  #files;
  #shelf;
  #pictures = []; // {name, media, stop}

  /** What is uploaded, as the server described it. */
  get media() {
    return this.#pictures.filter((picture) => picture.media).map((picture) => picture.media);
  }

  set media(list) {
    this.#pictures = [];
    arrange(this.#shelf, []);
    for (const media of list ?? []) this.#shelve({ name: media.name, media, stop: null });
  }

  get isUploading() {
    return this.#pictures.some((picture) => !picture.media);
  }

  close() {
    for (const { stop } of this.#pictures) stop?.abort();
  }

  /** Upload these; what is no picture, and what is too many, is left out. */
  add(files) {
    for (const file of files) {
      if (file.type.startsWith("image/") && this.#pictures.length < limits.images_per_message) this.#upload(file);
    }
  }

  #drop() {
    const zone = h("div.drop-zone", {
      on: {
        dragover: (event) => {
          event.preventDefault();
          zone.classList.add("over");
        },
        dragleave: () => zone.classList.remove("over"),
        drop: (event) => {
          event.preventDefault();
          zone.classList.remove("over");
          this.add(event.dataTransfer.files);
        },
      },
    },
      icon("image"),
      h("span.soft", {}, t("compose.images.hint", { n: limits.images_per_message })),
      h("button.plain", { type: "button", on: { click: () => this.#files.click() } }, t("compose.images.choose")),
      this.#files,
    );
    return zone;
  }

  async #upload(file) {
    const picture = { name: file.name, media: null, stop: new AbortController() };
    this.#shelve(picture);
    try {
      picture.media = await upload(file, (sent) => picture.progress(sent), picture.stop.signal);
      if (picture.media.kind !== "image") throw Object.assign(new Error(), { code: "wrong", shown: t("profile.picture.not") });
      picture.done();
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      if (problem.code !== "aborted") notice(t("compose.images.failed", { name: file.name, reason: problem.shown }), { isBad: true });
      picture.remove();
    }
    this.#onChange();
  }

  #shelve(picture) {
    const bar = h("progress", { max: "1", "aria-label": t("write.progress", { name: picture.name, percent: share(0) }) });
    bar.value = 0;
    const frame = h("span.shelf-frame", {}, bar);
    const element = h("li", {}, frame, h("span.shelf-name", { dir: "auto" }, picture.name),
      h("button.quiet.square.small", { type: "button", "aria-label": t("compose.images.remove", { name: picture.name }), on: { click: () => picture.remove() } }, icon("close")));
    picture.progress = (sent) => {
      bar.value = sent;
      bar.setAttribute("aria-label", t("write.progress", { name: picture.name, percent: share(sent) }));
    };
    picture.done = () => fill(frame, h("img", { src: ownPicture(picture.media.url), alt: "" }));
    picture.remove = () => {
      picture.stop?.abort();
      this.#pictures = this.#pictures.filter((other) => other !== picture);
      element.remove();
      this.#onChange();
    };
    if (picture.media) picture.done();
    this.#pictures.push(picture);
    this.#shelf.append(element);
    this.#onChange();
  }
}
