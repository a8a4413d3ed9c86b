// Where messages are written: text, pictures by button, paste or drop, Enter sends. What was written can be changed here
// too: until that is done or given up, what was being written waits.

import { freshKey, upload } from "../api.js";
import { fill, h, settled } from "../dom.js";
import { share } from "../format.js";
import { icon } from "../icons.js";
import { bytesOf, limits } from "../limits.js";
import { attempt, notice } from "../overlay.js";
import { t } from "../texts.js";

const DRAFT_AFTER = 1000; // milliseconds without a key

export class Writer {
  /**
   * `send(body, key)` posts it; while it is on its way nothing else is sent. `draft` is what was being written, and
   * `onDraft(text)` hears what is, now and then.
   */
  constructor({ send, dropTarget, draft = "", onDraft = () => {} }) {
    this.#send = send;
    this.#draft = draft;
    this.#onDraft = onDraft;
    this.#text = h("textarea", { rows: "1", placeholder: t("write.placeholder"), "aria-label": t("write.placeholder"), dir: "auto", on: {
      input: () => {
        this.#show();
        this.#keepSoon();
      },
      blur: () => this.keep(),
      keydown: (event) => this.#key(event),
      paste: (event) => this.#add(event.clipboardData.files),
    } });
    this.#files = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, on: { change: () => {
      this.#add(this.#files.files);
      this.#files.value = "";
    } } });
    this.#shelf = h("ul.shelf", { hidden: true });
    this.#strip = h("div.strip", { hidden: true });
    this.#count = h("p.count.bad", { role: "status", hidden: true });
    this.#button = h("button.primary.square", { type: "submit", "aria-label": t("write.send"), disabled: true }, icon("send"));
    const attach = h("button.quiet.square", { type: "button", "aria-label": t("write.attach"), on: { click: () => this.#files.click() } }, icon("image"));
    this.element = h("form.writer", { on: { submit: (event) => (event.preventDefault(), this.#submit()) } },
      this.#strip, this.#shelf, this.#count, h("div.writer-line", {}, attach, this.#files, this.#text, this.#button));
    this.#text.value = draft;
    dropTarget.addEventListener("dragover", (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    });
    dropTarget.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.#add(event.dataTransfer.files);
    });
  }

  #send;
  #draft;
  #onDraft;
  #text;
  #files;
  #shelf;
  #strip;
  #editing = null; // {change, kept, waiting}: what is done with it, what stays of it, what waits meanwhile
  #link = null; // what it is about
  #count;
  #button;
  #pictures = []; // {name, media, element}
  #key_ = null;
  #isSending = false;

  /** Have the draft kept if it has changed. */
  keep() {
    if (this.#editing) return;
    const text = this.#text.value;
    if (text === this.#draft || bytesOf(text) > limits.draft_bytes) return;
    this.#draft = text;
    this.#onDraft(text);
  }

  #keepSoon = settled(DRAFT_AFTER, () => this.keep());

  /** Change this message instead of writing a new one; `change(body)` stores it. */
  edit(item, change) {
    this.keep();
    const waiting = this.#editing?.waiting ?? { text: this.#text.value, pictures: this.#pictures, link: this.#link };
    const kept = { ...(item.title && { title: item.title }), ...(item.links?.length && { links: item.links }) };
    this.#editing = { change, kept, waiting };
    this.#link = null;
    this.#text.value = item.text ?? "";
    this.#pictures = [];
    for (const media of item.images ?? []) this.#shelve({ name: media.name || t("kind.image"), media, stop: () => {} });
    this.#showStrip("pen", t("write.editing"), item.text ?? t("kind.image"), () => this.#leaveEdit());
    this.#show();
    this.#text.focus();
  }

  #leaveEdit() {
    const { text, pictures, link } = this.#editing.waiting;
    this.#editing = null;
    this.#text.value = text;
    this.#pictures = pictures;
    this.about(link);
    this.#show();
    this.#text.focus();
  }

  /** The next message is about what this link ({title, url}) leads to, and carries it; null: about nothing. */
  about(link) {
    this.#link = link;
    if (link === null) this.#strip.hidden = true;
    else this.#showStrip("link", t("write.about"), link.title, () => this.about(null));
    this.#show();
  }

  #showStrip(name, label, text, end) {
    fill(this.#strip, icon(name),
      h("span.strip-text", {}, h("strong", {}, label), h("span.soft", { dir: "auto" }, text)),
      h("button.quiet.square.small", { type: "button", "aria-label": t("write.end", { what: label }), on: { click: end } }, icon("close")));
    this.#strip.hidden = false;
  }

  #key(event) {
    if (event.key === "Escape" && this.#editing) {
      event.preventDefault();
      event.stopPropagation();
      this.#leaveEdit();
    }
    // Enter belongs to the input method while it composes.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    }
  }

  #add(files) {
    for (const file of files) {
      if (!file.type.startsWith("image/") || this.#pictures.length >= limits.images_per_message) continue;
      this.#upload(file);
    }
  }

  async #upload(file) {
    const stop = new AbortController();
    const bar = h("progress", { max: "1", "aria-label": t("write.progress", { name: file.name, percent: share(0) }) });
    bar.value = 0;
    const { picture, remove } = this.#shelve({ name: file.name, media: null, stop: () => stop.abort(), bar });
    this.#show();
    try {
      picture.media = await upload(file, (part) => {
        bar.value = part;
        bar.setAttribute("aria-label", t("write.progress", { name: file.name, percent: share(part) }));
      }, stop.signal);
      bar.remove();
    } catch (problem) {
      if (problem.code !== "aborted") notice(`${file.name}: ${problem.shown}`, { isBad: true });
      remove();
    }
    this.#show();
  }

  #shelve({ name, media, stop, bar = null }) {
    const picture = { name, media, element: null };
    const remove = () => {
      stop();
      this.#pictures = this.#pictures.filter((other) => other !== picture);
      this.#show();
    };
    picture.element = h("li", {}, h("span", { dir: "auto" }, name), bar, h("button.quiet.square.small", { type: "button", "aria-label": t("write.remove", { name }), on: { click: remove } }, icon("close")));
    this.#pictures.push(picture);
    return { picture, remove };
  }

  #show() {
    this.#key_ = null; // other words are another message
    fill(this.#shelf, this.#pictures.map((picture) => picture.element));
    this.#shelf.hidden = !this.#pictures.length;
    this.#text.style.setProperty("height", "auto");
    this.#text.style.setProperty("height", `${Math.min(this.#text.scrollHeight, 180)}px`);
    const over = bytesOf(this.#text.value) - limits.message_body_bytes;
    this.#count.hidden = over <= 0;
    this.#count.textContent = over > 0 ? t("count.over", { n: over + limits.message_body_bytes, limit: limits.message_body_bytes, over }) : "";
    const isUploading = this.#pictures.some((picture) => !picture.media);
    const isEmpty = !this.#text.value.trim() && !this.#pictures.length;
    this.#button.disabled = this.#isSending || isUploading || isEmpty || over > 0;
  }

  async #submit() {
    if (this.#button.disabled) return;
    const text = this.#text.value.trim();
    const images = this.#pictures.map((picture) => picture.media.media_id);
    const kind = images.length ? (text ? "text_and_image" : "image") : "text";
    this.#key_ ??= freshKey(); // pressing again after a lost answer sends it once
    const key = this.#key_;
    this.#isSending = this.#button.disabled = true;
    const editing = this.#editing;
    const links = this.#link ? { links: [this.#link] } : {};
    const body = { kind, ...(editing ? editing.kept : links), ...(text && { text }), ...(images.length && { images }) };
    const done = await attempt(() => (editing ? editing.change(body) : this.#send(body, key)));
    this.#isSending = false;
    if (done && editing) {
      if (this.#editing === editing) this.#leaveEdit();
    } else if (done) {
      this.about(null);
      this.#text.value = "";
      this.#pictures = [];
      this.#show();
      this.keep();
    } else {
      this.#button.disabled = false;
    }
    this.#text.focus();
  }
}
