// The field in which messages are written: text, emoji, and pictures by button, paste or drop. Enter sends.
//
// A message may answer another one, which it quotes, and goes along with the preview of its first link.
// A sent message is edited in the same field. What was being written waits until the edit is saved or cancelled.

import { newIdempotencyKey } from "../client/api.js";
import { bytesOf, lengthNote, limits } from "../client/limits.js";
import { t } from "../texts.js";
import { debounce, fill, h, submitting, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { LinkPreview, linkBody } from "../ui/link_preview.js";
import { attempt } from "../ui/overlay.js";
import { PictureShelf } from "../ui/pictures/shelf.js";
import { contentPreview } from "../ui/previews.js";

const SAVE_DRAFT_AFTER = 1000; // milliseconds without a key
const MAX_HEIGHT = 180; // pixels

export class MessageWriter {
  /** @param {App.WriterOptions} options */
  constructor({
    send,
    dropTarget,
    draft = "",
    onDraft = () => {},
    onPoll = null,
    mayAsk = () => false,
    hasLinkPreview = true,
    label = t("write.placeholder"),
  }) {
    this.#send = send;
    this.#hasLinkPreview = hasLinkPreview;
    this.#draft = draft;
    this.#onDraft = onDraft;
    this.#mayAsk = mayAsk;
    this.#text = h("textarea", {
      rows: "1",
      placeholder: label,
      "aria-label": label,
      dir: "auto",
      on: {
        input: () => {
          this.#update();
          this.#saveDraftSoon();
        },
        blur: () => this.saveDraft(),
        keydown: (event) => this.#onKey(event),
        paste: (event) => this.#pictures.add(event.clipboardData?.files ?? null),
      },
    });
    this.#strip = h("div.strip", { hidden: true });
    this.#count = h("p.count.bad", { role: "status", hidden: true });
    this.#button = h(
      "button.primary.square",
      { type: "submit", "aria-label": t("write.send"), disabled: true },
      icon("send"),
    );
    const attach = h(
      "button.quiet.square",
      { type: "button", "aria-label": t("write.attach"), on: { click: () => this.#pictures.choose() } },
      icon("image"),
    );
    /** @type {HTMLButtonElement} */
    const emoji = h(
      "button.quiet.square",
      {
        type: "button",
        "aria-label": t("emoji.choose"),
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        on: { click: () => this.#chooseEmoji(emoji) },
      },
      icon("smile"),
    );
    const poll = onPoll
      ? h(
          "button.quiet.square",
          { type: "button", "aria-label": t("write.poll"), title: t("write.poll"), on: { click: () => onPoll() } },
          icon("poll"),
        )
      : null;
    this.element = h(
      "form.writer",
      { on: { submit: submitting(() => this.#submit()) } },
      this.#strip,
      this.#pictures.element,
      this.#preview.element,
      this.#count,
      this.#ask,
      h("div.writer-line", {}, attach, poll, emoji, this.#pictures.input, this.#text, this.#button),
    );
    this.#text.value = draft;
    this.#pictures.acceptDrops(dropTarget);
  }

  #send;
  #hasLinkPreview;
  #draft;
  #onDraft;
  #mayAsk;
  #text;
  #strip;
  #count;
  #button;
  #asks = h("input", { type: "checkbox", id: uniqueId("ask"), on: { change: () => this.#forgetKey() } });
  /** Asks the readers of the next message to confirm that they have read it. Shown beside what is being written. */
  #ask = h(
    "div.choice-line.writer-ask",
    { hidden: true },
    this.#asks,
    h("label", { for: this.#asks.id }, t("write.acknowledge")),
  );
  #pictures = new PictureShelf({ onChange: () => this.#update() });
  /** @type {App.Editing | null} */
  #editing = null; // {save, kept, waiting}: stores the edit; what stays of the message; what was being written before
  /** @type {App.Link | null} */
  #link = null; // {title, url}: goes along with the next message
  /** @type {{ seq: number; name: string; text: string } | null} */
  #quoted = null; // the message that the next one answers
  #preview = new LinkPreview({ onChange: () => this.#forgetKey() });
  /** @type {string | null} */
  #idempotencyKey = null;
  #isSending = false;

  /** Stores the draft if it has changed. */
  saveDraft() {
    if (this.#editing) return;
    const text = this.#text.value;
    if (text === this.#draft || bytesOf(text) > limits.draft_bytes) return;
    this.#draft = text;
    this.#onDraft(text);
  }

  #saveDraftSoon = debounce(SAVE_DRAFT_AFTER, () => this.saveDraft());

  /**
   * Edits this message. `save(body)` stores it.
   * @param {App.Item} item
   * @param {App.Editing["save"]} save
   */
  edit(item, save) {
    this.saveDraft();
    const before = { text: this.#text.value, link: this.#link, pictures: this.#pictures.replace(item.images ?? []) };
    const waiting = this.#editing?.waiting ?? before;
    const links = item.links?.map(linkBody);
    const kept = { ...(item.title && { title: item.title }), ...(links?.length && { links }) };
    this.#editing = { save, kept, waiting };
    this.#link = null;
    this.#text.value = item.text ?? "";
    this.#showStrip("pen", t("write.editing"), item.text ?? t("kind.image"), t("write.editing.cancel"), () =>
      this.#stopEditing(),
    );
    this.#update();
    this.#text.focus();
  }

  #stopEditing() {
    if (!this.#editing) return;
    const { text, pictures, link } = this.#editing.waiting;
    this.#editing = null;
    this.#text.value = text;
    this.#pictures.restore(pictures);
    this.setLink(link);
    this.#text.focus();
  }

  /**
   * Lets the next message answer this one. `name` is its author's.
   * @param {App.Item} item
   * @param {string} name
   */
  quote(item, name) {
    this.#stopEditing();
    this.#quoted = { seq: item.seq, name, text: contentPreview(item) };
    this.#showContext();
    this.#update();
    this.#text.focus();
  }

  #stopQuoting() {
    this.#quoted = null;
    this.#showContext();
    this.#update();
    this.#text.focus();
  }

  /** Shows what the next message goes along with: the message that it answers, or a link. */
  #showContext() {
    const [quoted, link] = [this.#quoted, this.#link];
    if (quoted)
      this.#showStrip("reply", t("quote.to", { name: quoted.name }), quoted.text, t("quote.cancel"), () =>
        this.#stopQuoting(),
      );
    else if (link)
      this.#showStrip("link", t("write.about"), link.title, t("write.about.remove"), () => this.setLink(null));
    else this.#strip.hidden = true;
  }

  /** @param {HTMLElement} button */
  async #chooseEmoji(button) {
    const { openEmojiPicker } = await import("../ui/emoji/picker.js");
    const choose = (/** @type {string} */ emoji) => {
      this.#text.setRangeText(emoji, this.#text.selectionStart, this.#text.selectionEnd, "end");
      this.#update();
      this.#saveDraftSoon();
      this.#text.focus();
    };
    openEmojiPicker(button, { label: t("emoji.choose"), choose });
  }

  /**
   * Sends this link ({title, url}) along with the next message; null sends none.
   * @param {App.Link | null} link
   */
  setLink(link) {
    this.#link = link;
    this.#showContext();
    this.#update();
  }

  /**
   * @param {App.IconName} name
   * @param {string} label
   * @param {string} text
   * @param {string} endLabel
   * @param {() => unknown} end
   */
  #showStrip(name, label, text, endLabel, end) {
    fill(
      this.#strip,
      icon(name),
      h("span.strip-text", {}, h("strong", {}, label), h("span.soft", { dir: "auto" }, text)),
      h("button.quiet.square.small", { type: "button", "aria-label": endLabel, on: { click: end } }, icon("close")),
    );
    this.#strip.hidden = false;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Escape" && (this.#editing || this.#quoted)) {
      event.preventDefault();
      event.stopPropagation();
      if (this.#editing) this.#stopEditing();
      else this.#stopQuoting();
    }
    // While an input method composes, Enter belongs to it.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    }
  }

  /** What has changed is another message. */
  #forgetKey() {
    this.#idempotencyKey = null;
  }

  #update() {
    this.#forgetKey();
    // An edited message keeps the links that it has.
    this.#preview.update(this.#editing || !this.#hasLinkPreview ? "" : this.#text.value);
    this.#text.style.setProperty("height", "auto");
    this.#text.style.setProperty("height", `${Math.min(this.#text.scrollHeight, MAX_HEIGHT)}px`);
    const note = lengthNote(this.#text.value, limits.message_body_bytes);
    const isOver = Boolean(note?.isOver);
    this.#count.hidden = note === null;
    this.#count.classList.toggle("bad", isOver);
    this.#count.textContent = note?.text ?? "";
    const isEmpty = !this.#text.value.trim() && this.#pictures.isEmpty;
    this.#ask.hidden = isEmpty || this.#editing !== null || !this.#mayAsk();
    this.#button.disabled = this.#isSending || this.#pictures.isUploading || isEmpty || isOver;
  }

  async #submit() {
    if (this.#button.disabled) return;
    const text = this.#text.value.trim();
    const images = this.#pictures.media.map((media) => media.media_id);
    /** @type {Api.Kind} */
    const kind = images.length ? (text ? "text_and_image" : "image") : "text";
    this.#idempotencyKey ??= newIdempotencyKey(); // kept when the answer is lost, so that a second try sends it once
    const key = this.#idempotencyKey;
    this.#isSending = this.#button.disabled = true;
    const editing = this.#editing;
    const links = [this.#link, this.#preview.link].filter((link) => link !== null);
    const quoted = this.#quoted && { quoted_seq: this.#quoted.seq };
    const asked = !this.#ask.hidden && this.#asks.checked && { acknowledge: true };
    const along = { ...(links.length && { links }), ...quoted, ...asked };
    const body = { kind, ...(editing ? editing.kept : along), ...(text && { text }), ...(images.length && { images }) };
    const isDone = await attempt(() => (editing ? editing.save(body) : this.#send(body, key)));
    this.#isSending = false;
    if (isDone && editing) {
      if (this.#editing === editing) this.#stopEditing();
    } else if (isDone) {
      this.#text.value = "";
      this.#pictures.replace();
      this.#preview.clear();
      this.#quoted = null;
      this.#asks.checked = false;
      this.setLink(null);
      this.saveDraft();
    } else {
      this.#button.disabled = false;
    }
    this.#text.focus();
  }
}
