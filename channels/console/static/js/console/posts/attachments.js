// The files of a post that is being written: chosen, dropped or pasted, checked, uploaded with progress, tried again.
//
// Promises: every file that was given is either shown here or refused in words. An upload that fails stays, with its reason,
// until it is tried again or removed; one that failed because the server could not be reached is tried again as soon as
// the connection is back. Uploads go on while other views are shown.

import { asProblem, client } from "../../client/api.js";
import { session } from "../../client/session.js";
import { t } from "../../texts.js";
import { fill, h } from "../../ui/dom.js";
import { refusalOf } from "./file_rules.js";
import { Upload } from "./upload.js";

const AT_ONCE = 3; // uploads; the server takes more, but they would only slow each other down

/**
 * By channel: the files of its unfinished post, while some of them are not uploaded.
 * @type {Map<string, Attachments>}
 */
const unfinished = new Map();

session.addEventListener("signedout", () => {
  for (const attachments of unfinished.values()) attachments.cancelAll();
  unfinished.clear();
});

/**
 * The files of a channel's post: those that are still being uploaded for it, if there are any.
 * @param {string} channelId
 */
export function attachmentsOf(channelId) {
  const attachments = unfinished.get(channelId) ?? new Attachments();
  unfinished.set(channelId, attachments);
  return attachments;
}

/**
 * The view is closed: what is not uploaded yet goes on.
 * @param {string} channelId
 */
export function leaveAttachments(channelId) {
  const attachments = unfinished.get(channelId);
  if (!attachments) return;
  attachments.onChange = () => {};
  if (!attachments.holdsFiles) {
    attachments.close();
    unfinished.delete(channelId);
  }
}

class Attachments {
  constructor() {
    client.socket.addEventListener("ready", this.#onReady);
  }

  /** Called when a file is added, uploaded or removed. */
  onChange = () => {};
  #list = h("ul.attachments");
  #status = h("p.soft", { role: "status" });
  #refusals = h("div.error.attach-refusals", { role: "alert" });
  element = h("div.attachments-part", {}, this.#list, this.#refusals, this.#status);
  /** @type {Upload[]} */
  #uploads = [];

  get isEmpty() {
    return !this.#uploads.length;
  }

  get isUploading() {
    return this.#uploads.some(({ state }) => state === "waiting" || state === "sending");
  }

  get hasFailed() {
    return this.#uploads.some(({ state }) => state === "failed");
  }

  /** Whether a file would be lost with the page. */
  get holdsFiles() {
    return this.#uploads.some(({ state, hasFile }) => state !== "done" && hasFile);
  }

  /** How the post carries its files; null when there are none. */
  get kind() {
    return this.#uploads[0]?.kind ?? null;
  }

  /** The uploaded files, as the server described them. */
  get media() {
    return this.#uploads.flatMap(({ media }) => media ?? []);
  }

  /**
   * Adds these files, each as `kind` or as what it is. Those that the post does not take are refused in words.
   * @param {Iterable<File> | null | undefined} files
   * @param {{ kind?: Api.MediaKind | null; hasPlace?: boolean; kindOf: (file: File) => Api.MediaKind }} options
   */
  add(files, { kind = null, hasPlace = false, kindOf }) {
    const refusals = [];
    for (const file of files ?? []) {
      const wanted = kind ?? kindOf(file);
      const refusal = refusalOf(file, wanted, { kind: this.kind, count: this.#uploads.length, hasPlace });
      if (refusal === null) this.#append(new Upload({ file, kind: wanted, name: file.name, handlers: this.#handlers }));
      else refusals.push(refusal);
    }
    this.refuse(refusals);
    this.#changed();
    this.#sendSome();
  }

  /**
   * Shows why something was not added, in place of earlier reasons.
   * @param {string[]} reasons
   */
  refuse(reasons) {
    fill(
      this.#refusals,
      reasons.map((reason) => h("p", { dir: "auto" }, reason)),
    );
  }

  /**
   * Puts these uploaded files in place of all others and returns those, for `restore`. Their uploads go on.
   * @param {Api.MediaKind | null} [kind]
   * @param {Api.MediaResponse[]} [media]
   */
  replace(kind = null, media = []) {
    const before = this.#uploads;
    this.#uploads = media.map(
      (one) => new Upload({ media: one, kind: kind ?? one.kind, name: one.name, handlers: this.#handlers }),
    );
    this.refuse([]);
    this.#status.textContent = "";
    this.#changed();
    return before;
  }

  /** @param {Upload[]} uploads */
  restore(uploads) {
    this.#uploads = uploads;
    this.#changed();
    this.#sendSome();
  }

  /**
   * The server does not know this upload any more: it keeps one that no post uses for a day.
   * @param {string | undefined} mediaId
   */
  markGone(mediaId) {
    for (const upload of this.#uploads) if (upload.media?.media_id === mediaId) upload.fail("gone", t("attach.gone"));
    this.#changed();
  }

  cancelAll() {
    for (const upload of this.#uploads) upload.cancel();
    this.close();
  }

  close() {
    client.socket.removeEventListener("ready", this.#onReady);
  }

  /** @type {App.UploadHandlers} */
  #handlers = {
    onRemove: (upload) => {
      this.#uploads = this.#uploads.filter((other) => other !== upload);
      this.refuse([]);
      this.#status.textContent = t("attach.removed", { name: upload.name });
      this.#changed();
      this.#sendSome();
    },
    onRetry: (upload) => {
      upload.wait();
      this.#changed();
      this.#sendSome();
    },
    onMove: (upload, by) => {
      const from = this.#uploads.indexOf(upload);
      const [moved] = this.#uploads.splice(from, 1);
      this.#uploads.splice(Math.max(0, from + by), 0, moved);
      this.#changed();
    },
  };

  /** @param {Upload} upload */
  #append(upload) {
    this.#uploads.push(upload);
  }

  #sendSome() {
    const free = AT_ONCE - this.#uploads.filter(({ state }) => state === "sending").length;
    const waiting = this.#uploads.filter(({ state }) => state === "waiting");
    for (const upload of waiting.slice(0, Math.max(0, free))) this.#send(upload);
  }

  /** @param {Upload} upload */
  async #send(upload) {
    try {
      const media = await upload.send();
      if (media) this.#accept(upload, media);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code !== "aborted") {
        upload.fail(problem.code, problem.userMessage);
        this.#status.textContent = t("attach.failed", { name: upload.name, reason: problem.userMessage });
      }
    }
    this.#changed();
    this.#sendSome();
  }

  /**
   * The server says by the bytes what the file is. A file that is no picture after all cannot stand among pictures.
   * @param {Upload} upload
   * @param {Api.MediaResponse} media
   */
  #accept(upload, media) {
    if (upload.kind !== "file" && media.kind !== upload.kind) {
      if (this.#uploads.length > 1) return upload.fail("wrong_kind", t("attach.wrongKind"));
      if (media.kind === "file") this.refuse([t("attach.becameFile", { name: upload.name })]);
      upload.kind = media.kind;
    }
    upload.finish(media);
    this.#status.textContent = t("attach.done", { name: upload.name });
    return null;
  }

  #onReady = () => {
    for (const upload of this.#uploads) if (upload.state === "failed" && upload.reason === "offline") upload.wait();
    this.#changed();
    this.#sendSome();
  };

  #changed() {
    const focused = document.activeElement;
    fill(
      this.#list,
      this.#uploads.map((upload, index) => upload.show(index, this.#uploads.length)),
    );
    // An element that is moved loses the focus.
    if (focused instanceof HTMLElement && focused.isConnected && document.activeElement !== focused) focused.focus();
    this.#list.hidden = this.isEmpty;
    this.onChange();
  }
}
