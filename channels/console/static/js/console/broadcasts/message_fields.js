// The message of a broadcast while it is being written: a text, files, links and buttons.

import { asProblem } from "../../client/api.js";
import { limits } from "../../client/limits.js";
import { t } from "../../texts.js";
import { h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { field } from "../form.js";
import { attachmentsOf, leaveAttachments } from "../posts/attachments.js";
import { ACCEPTED, kindOf } from "../posts/file_rules.js";
import { LinkFields } from "../posts/link_fields.js";
import { ButtonFields } from "../self_service/button_fields.js";

/** @type {[Api.MediaKind, App.IconName][]} */
const FILES = [
  ["image", "image"],
  ["video", "video"],
  ["audio", "sound"],
  ["file", "file"],
];

export class MessageFields {
  /** @param {{ channelId: string; onChange: () => unknown }} options */
  constructor({ channelId, onChange }) {
    this.#place = `broadcast ${channelId}`;
    this.#attachments = attachmentsOf(this.#place);
    this.#attachments.onChange = onChange;
    this.#links = new LinkFields({ onChange });
    this.#buttons = new ButtonFields({ channelId, onChange });
    this.text = field({
      name: "text",
      label: t("broadcasts.text"),
      hint: t("broadcasts.text.hint"),
      limit: limits.message_body_bytes,
      rows: 4,
      on: { input: onChange },
    });
    this.element = h(
      "div.form",
      { on: { paste: (event) => this.#paste(event) } },
      this.text.element,
      h(
        "fieldset.plain-set.attach-set",
        {},
        h("legend", {}, t("attach.title")),
        this.#attachments.element,
        h(
          "div.attach-buttons",
          {},
          FILES.map(([kind, name]) => this.#fileButton(kind, name)),
        ),
      ),
      this.#links.element,
      this.#buttons.element,
    );
  }

  #place;
  #attachments;
  #links;
  #buttons;

  close() {
    leaveAttachments(this.#place);
  }

  /** Whether a file would be lost with the page. */
  get holdsFiles() {
    return this.#attachments.holdsFiles;
  }

  /** Texts and uploaded files, as `content` takes them again. @returns {App.Written} */
  get raw() {
    const { kind, media } = this.#attachments;
    return {
      text: this.text.value,
      links: this.#links.raw,
      media: kind && media.length ? { kind, items: media } : null,
      button_fields: this.#buttons.raw,
    };
  }

  /** @param {App.Written} written */
  set raw({ text, links, media, button_fields: buttons }) {
    this.text.input.value = text ?? "";
    this.#links.values = links ?? [];
    this.#buttons.write(buttons ?? []);
    this.#attachments.replace(media?.kind ?? null, media?.items ?? []);
  }

  /** Shows what was kept, and the files that are still being uploaded. @param {App.Written} written */
  restore(written) {
    const uploads = this.#attachments.isEmpty ? null : this.#attachments.replace();
    this.raw = written;
    if (uploads) this.#attachments.restore(uploads);
  }

  get isEmpty() {
    return !this.text.value.trim() && !this.#attachments.media.length;
  }

  /** What hinders sending, in words, empty where a field says it; null: nothing. Moves the focus there. */
  check() {
    if (!this.text.check()) {
      this.text.input.focus();
      return "";
    }
    if (!this.#links.check() || !this.#buttons.check()) return "";
    if (this.#attachments.isUploading) return t("compose.uploading");
    if (this.#attachments.hasFailed) return t("compose.uploadFailed");
    if (!this.isEmpty) return null;
    this.text.input.focus();
    return t("broadcasts.nothing");
  }

  /** As the API takes it. */
  get content() {
    const text = this.text.value.trim();
    const links = this.#links.values;
    const buttons = this.#buttons.value;
    const { media } = this.#attachments;
    const kind = media.length ? this.#attachments.kind : null;
    const ids = media.map(({ media_id: id }) => id);
    const poster = kind === "video" ? media[0].poster_id : null;
    /** @type {Api.Kind} */
    const shape = kind === "image" && text ? "text_and_image" : (kind ?? "text");
    return {
      kind: shape,
      ...(text && { text }),
      ...(kind === "image" ? { images: ids } : kind && { [kind]: ids[0] }),
      ...(poster && { poster }),
      ...(links.length && { links }),
      ...(buttons.length && { buttons }),
    };
  }

  /** The server refused it. @param {unknown} error */
  explain(error) {
    const problem = asProblem(error);
    if (problem.code === "media_not_found") this.#attachments.markGone(problem.details.media_id);
  }

  /**
   * @param {Api.MediaKind} kind
   * @param {App.IconName} name
   */
  #fileButton(kind, name) {
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "file",
      accept: ACCEPTED[kind] || null,
      multiple: kind === "image",
      hidden: true,
      data: { kind },
      on: {
        change: () => {
          this.#attachments.add([...(input.files ?? [])], { kind: kind === "file" ? "file" : null, kindOf });
          input.value = "";
        },
      },
    });
    const click = () => input.click();
    return [h("button.plain", { type: "button", on: { click } }, icon(name), t(`attach.${kind}`)), input];
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = event.clipboardData?.files;
    // Programs that copy formatted text put a picture of it beside the text.
    if (!files?.length || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    this.#attachments.add(files, { kindOf });
  }
}
