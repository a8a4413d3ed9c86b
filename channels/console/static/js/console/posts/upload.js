// One file of a post: its state, its upload, and its row with a picture, progress, and buttons to cancel and to try again.

import { client } from "../../client/api.js";
import { t } from "../../texts.js";
import { localPicture } from "../../ui/avatar.js";
import { fill, h } from "../../ui/dom.js";
import { duration, share, size } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { videoFacts } from "./video_facts.js";

const BUSY = ["rate_limited", "unavailable"];
const MAX_TRIES = 3;
const PAUSE = 2000; // milliseconds before a busy server is asked again

/** @typedef {Api.MediaResponse & { poster_url?: string | null; poster_id?: string | null }} Media */

/** @type {{ [Kind in Api.MediaKind]: App.IconName }} */
const ICONS = { image: "image", video: "video", audio: "sound", file: "file" };

export class Upload {
  /**
   * A `file` that will be uploaded, or `media` that already is.
   * @param {{ file?: File | null; media?: Api.MediaResponse | null; kind: Api.MediaKind; name: string; handlers: App.UploadHandlers }} options
   */
  constructor({ file = null, media = null, kind, name, handlers }) {
    this.#file = file;
    this.media = media;
    this.kind = kind;
    this.name = name || t(`kind.${kind}`);
    this.state = media ? "done" : "waiting";
    this.#retry.addEventListener("click", () => handlers.onRetry(this));
    this.#remove.addEventListener("click", () => {
      this.cancel();
      handlers.onRemove(this);
    });
    this.#earlier.addEventListener("click", () => handlers.onMove(this, -1));
    this.#later.addEventListener("click", () => handlers.onMove(this, 1));
    this.#bar.setAttribute("aria-label", t("attach.progress", { name: this.name }));
    this.#showFrame();
    if (file && kind === "video") this.#readingFacts = this.#readVideo(file);
  }

  #file;
  /** @type {"waiting" | "sending" | "done" | "failed"} */
  state;
  /** Why it failed: a code of the API, or "gone" or "wrong_kind". @type {string | null} */
  reason = null;
  /** @type {import("./video_facts.js").VideoFacts | null} */
  #facts = null;
  /** Whether this browser cannot play the video; others may not either. */
  #isUnplayable = false;
  /** Settled when the browser has read the facts of a video. @type {Promise<unknown>} */
  #readingFacts = Promise.resolve();
  /** @type {AbortController | null} */
  #controller = null;
  #sent = 0;
  #picture = "";
  #frame = h("span.attachment-frame");
  #details = h("span.soft");
  #bar = h("progress", { max: "1" });
  #retry = h("button.plain", { type: "button" }, t("app.retry"));
  #earlier = h("button.quiet.square.small", { type: "button" }, icon("back"));
  #later = h("button.quiet.square.small.turned", { type: "button" }, icon("back"));
  #remove = h("button.quiet.square.small", { type: "button" }, icon("close"));
  #name = h("strong.file-name", { dir: "auto" });
  #element = h(
    "li.attachment",
    {},
    this.#frame,
    h("div.attachment-text", {}, this.#name, this.#details, this.#bar),
    h("div.attachment-buttons", {}, this.#retry, this.#earlier, this.#later, this.#remove),
  );

  /** Whether this page holds the file itself. */
  get hasFile() {
    return this.#file !== null;
  }

  /** It will be uploaded, again if it has failed. */
  wait() {
    if (!this.#file) return;
    this.state = "waiting";
    this.reason = null;
  }

  /**
   * Uploads the file, and a frame of a video whose file has no picture of itself. Asks again when the server is busy.
   * Resolves with null when it was cancelled meanwhile.
   * @returns {Promise<Api.MediaResponse | null>}
   */
  async send() {
    const file = this.#file;
    if (!file) return this.media;
    this.state = "sending";
    this.#sent = 0;
    const controller = new AbortController();
    this.#controller = controller;
    this.#showState();
    for (let tries = 1; ; tries += 1) {
      try {
        const media = await client.upload(file, {
          signal: controller.signal,
          onProgress: (sent) => {
            this.#sent = sent;
            this.#showState();
          },
        });
        return await this.#withPoster(media, controller.signal);
      } catch (error) {
        const isBusy = BUSY.includes(/** @type {{ code?: string }} */ (error).code ?? "");
        if (!isBusy || tries === MAX_TRIES || controller.signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        if (controller.signal.aborted) return null;
      }
    }
  }

  /**
   * A video without a poster still shows its first frame, so nothing is said when there is none.
   * @param {Media} media
   * @param {AbortSignal} signal
   * @returns {Promise<Api.MediaResponse>}
   */
  async #withPoster(media, signal) {
    if (media.kind !== "video" || media.poster_url !== null) return media;
    await this.#readingFacts;
    const poster = this.#facts?.poster;
    if (!poster) return media;
    try {
      const { media_id: id, url } = await client.upload(poster, { name: t("attach.poster"), signal });
      return /** @type {Api.MediaResponse} */ ({ ...media, poster_id: id, poster_url: url });
    } catch (error) {
      if (signal.aborted) throw error;
      return media;
    }
  }

  /** @param {Api.MediaResponse} media */
  finish(media) {
    this.media = media;
    this.state = "done";
    this.#showFrame();
  }

  /**
   * @param {string} reason
   * @param {string} text
   */
  fail(reason, text) {
    this.media = null;
    this.state = "failed";
    this.reason = reason;
    this.#failure = text;
  }

  #failure = "";

  cancel() {
    this.#controller?.abort();
    this.#showLocal(null);
  }

  /**
   * The row, as it is now.
   * @param {number} index
   * @param {number} count
   */
  show(index, count) {
    const { name } = this;
    const isAmongPictures = this.kind === "image" && count > 1;
    this.#element.dataset.state = this.state;
    this.#name.textContent = name;
    this.#earlier.hidden = !isAmongPictures || index === 0;
    this.#later.hidden = !isAmongPictures || index === count - 1;
    this.#earlier.setAttribute("aria-label", t("attach.earlier", { name }));
    this.#later.setAttribute("aria-label", t("attach.later", { name }));
    this.#retry.setAttribute("aria-label", t("attach.retry", { name }));
    this.#remove.setAttribute(
      "aria-label",
      t(this.state === "done" || this.state === "failed" ? "attach.remove" : "attach.cancel", { name }),
    );
    this.#showState();
    return this.#element;
  }

  #showState() {
    this.#bar.hidden = this.state !== "sending" && this.state !== "waiting";
    this.#bar.value = this.state === "sending" ? this.#sent : 0;
    this.#retry.hidden = this.state !== "failed" || !this.#file || this.reason === "wrong_kind";
    this.#details.classList.toggle("error", this.state === "failed");
    // Each part keeps its direction, also in a language that is written from right to left.
    const parts = this.#parts.map((one) => h("bdi", {}, one));
    fill(
      this.#details,
      parts.flatMap((one, index) => (index ? [" · ", one] : [one])),
    );
  }

  get #parts() {
    const bytes = size(this.media?.size_bytes ?? this.#file?.size ?? 0);
    if (this.state === "failed") return [this.#failure];
    if (this.state === "waiting") return [t("attach.waiting", { size: bytes })];
    if (this.state === "sending") {
      // All of it is sent; the server redraws a picture, or stores the rest.
      if (this.#sent === 1) return [t("attach.storing", { size: bytes })];
      return [t("attach.sending", { percent: share(this.#sent), size: bytes })];
    }
    const seconds = this.media?.duration_seconds ?? this.#facts?.seconds ?? null;
    const width = this.media?.width ?? this.#facts?.width ?? null;
    const height = this.media?.height ?? this.#facts?.height ?? null;
    return [
      seconds === null ? null : duration(seconds),
      width === null || height === null ? null : t("attach.pixels", { width: String(width), height: String(height) }),
      bytes,
      this.#isUnplayable && this.kind === "video" ? t("attach.unplayable") : null,
    ].filter((part) => part !== null);
  }

  /** @param {File} file */
  async #readVideo(file) {
    this.#facts = await videoFacts(file);
    this.#isUnplayable = this.#facts === null;
    if (this.#facts?.poster) this.#showLocal(this.#facts.poster);
    this.#showFrame();
    this.#showState();
  }

  /**
   * A picture that the browser has, in place of the one it had.
   * @param {Blob | null} blob
   */
  #showLocal(blob) {
    if (this.#picture) URL.revokeObjectURL(this.#picture);
    this.#picture = blob ? URL.createObjectURL(blob) : "";
  }

  #showFrame() {
    if (!this.#picture && this.#file && this.kind === "image") this.#showLocal(this.#file);
    const { url, poster_url: poster = null } = /** @type {Partial<Media>} */ (this.media ?? {});
    const source = this.#picture || localPicture(this.kind === "image" ? url : poster);
    fill(this.#frame, source ? h("img", { src: source, alt: "" }) : icon(ICONS[this.kind]));
  }
}
