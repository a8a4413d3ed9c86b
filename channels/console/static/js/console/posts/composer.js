// The composer for posts: title, text, links and pictures beside a preview. Posts at once, schedules, or saves a draft.
//
// The server renders the preview (`posts/preview`) and the reader's code draws it, so it equals what readers will see. What
// is being written is stored in this tab until it is posted, across other views and a reload, and is deleted at sign-out.

import { asProblem, get, newIdempotencyKey, part, patch, post } from "../../client/api.js";
import { may } from "../../client/grants.js";
import { bytesOf, limits } from "../../client/limits.js";
import { postElement } from "../../conversation/items.js";
import { t } from "../../texts.js";
import { webAddress } from "../../ui/content.js";
import { debounce, fill, h, submitting, uniqueId } from "../../ui/dom.js";
import { ago, exact, share } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { notice } from "../../ui/overlay.js";
import { PictureShelf } from "../../ui/picture_shelf.js";
import { choice, field, submitForm } from "../form.js";
import { LinkFields } from "./link_fields.js";

const STORAGE_PREFIX = "channels.draft."; // followed by the channel's id
const PREVIEW_AFTER = 250; // milliseconds without a key
const HOUR = 3_600_000;

export class Composer {
  /**
   * `onDrafts()` is called when a draft or a scheduled post was created, changed or published.
   * @param {{ channel: Api.ChannelResponse; stream: App.Stream; onDrafts: () => unknown }} options
   */
  constructor({ channel, stream, onDrafts }) {
    this.#channel = channel;
    this.#stream = stream;
    this.#onDrafts = onDrafts;
    const update = () => this.#update();
    this.#title = field({
      name: "title",
      label: t("compose.heading"),
      placeholder: t("compose.heading.hint"),
      on: { input: update },
    });
    this.#text = field({
      name: "text",
      label: t("compose.text"),
      rows: 5,
      on: { input: update, paste: (event) => this.#pictures.add(event.clipboardData?.files ?? null) },
    });
    const previewId = uniqueId("preview");
    this.element = h(
      "form.panel.composer",
      { novalidate: true, on: { submit: submitting(() => this.#submit()) } },
      h(
        "div.form",
        {},
        this.#heading,
        this.#title.element,
        this.#text.element,
        this.#pictureFields(),
        this.#links.element,
        this.#publishing,
        this.#count,
        this.#error,
        this.#audience,
        h("div.actions", {}, this.#cancel, this.#saveButton, this.#button),
      ),
      h(
        "section.preview-side",
        { "aria-labelledby": previewId },
        h("h2", { id: previewId }, t("compose.preview")),
        this.#preview,
      ),
    );
    this.#stream.addEventListener("change", this.#showAudience);
    this.#showAudience();
    this.#loadMutedCount();
    this.#restore();
    this.#showPreview();
    this.#update();
    this.#showIfMayPost();
  }

  #channel;
  #stream;
  #onDrafts;
  #heading = h("h2", {}, t("compose.title"));
  #title;
  #text;
  #links = new LinkFields({ onChange: () => this.#update() });
  #pictures = new PictureShelf({ onChange: () => this.#update() });
  #silent = h("input", { type: "checkbox", id: uniqueId("silent"), on: { change: () => this.#update() } });
  #publishAt = field({
    name: "publish_at",
    label: t("compose.publishAt"),
    type: "datetime-local",
    dir: null,
    on: { input: () => this.#update() },
  });
  /** @type {App.Choice<"now" | "later">} */
  #when = choice({
    name: "when",
    label: t("compose.when"),
    value: "now",
    options: [
      ["now", t("compose.when.now")],
      ["later", t("compose.when.later")],
    ],
    on: (key) => {
      const nextFullHour = new Date(Math.ceil((Date.now() + HOUR / 2) / HOUR) * HOUR);
      if (key === "later" && !this.#publishAt.value) this.#publishAt.input.value = localTime(nextFullHour);
      this.#update();
    },
  });
  /** Silent, and when. */
  #publishing = h(
    "div.publishing",
    {},
    h("div.choice-line", {}, this.#silent, h("label", { for: this.#silent.id }, t("compose.silent"))),
    this.#when.element,
    this.#publishAt.element,
  );
  #count = h("p.count", { role: "status" });
  #error = h("p.error", { role: "alert", hidden: true });
  #audience = h("p.soft.audience");
  #button = h("button.primary", { type: "submit", disabled: true }, t("compose.post"));
  #saveButton = h(
    "button.plain",
    { type: "button", disabled: true, on: { click: () => this.#saveAsDraft() } },
    t("compose.saveDraft"),
  );
  #cancel = h(
    "button.plain",
    { type: "button", hidden: true, on: { click: () => this.#stopEditing() } },
    t("app.cancel"),
  );
  #preview = h("div.preview-stage");
  /** @type {Api.MutedResponse | null} */
  #muted = null; // of the subscribers who muted the channel
  /** @type {App.Item | null} */
  #post = null; // the post that is edited
  /** @type {Api.DraftResponse | null} */
  #draft = null; // the draft that is edited
  #idempotencyKey = newIdempotencyKey();
  #previewRequests = 0;

  close() {
    this.#stream.removeEventListener("change", this.#showAudience);
    this.#pictures.close();
  }

  /** @param {App.Item} item */
  editPost(item) {
    this.#startEditing(item, t("compose.edit", { seq: item.seq }), () => {
      this.#post = item;
    });
  }

  /**
   * Edits a draft or a scheduled post.
   * @param {Api.DraftResponse} draft
   */
  editDraft(draft) {
    this.#startEditing(
      { ...draft.post, publish_at: draft.publish_at },
      t(draft.publish_at ? "compose.edit.scheduled" : "compose.edit.draft"),
      () => {
        this.#draft = draft;
      },
    );
  }

  /**
   * @param {App.Written} content
   * @param {string} heading
   * @param {() => void} remember
   */
  #startEditing(content, heading, remember) {
    // What is being written stays stored until the edit is saved or cancelled.
    const stored = sessionStorage.getItem(this.#storageKey);
    this.#clear();
    if (stored !== null) sessionStorage.setItem(this.#storageKey, stored);
    remember();
    this.#heading.textContent = heading;
    this.#cancel.hidden = false;
    this.element.hidden = false;
    this.#setContent(content);
    this.element.scrollIntoView({ block: "start" });
    this.#text.input.focus();
  }

  #stopEditing() {
    const stored = sessionStorage.getItem(this.#storageKey);
    this.#clear();
    if (stored === null) return;
    sessionStorage.setItem(this.#storageKey, stored);
    this.#restore();
  }

  get #isEditing() {
    return this.#post !== null || this.#draft !== null;
  }

  /** An admin who may only edit posts of others sees the composer only while editing. */
  #showIfMayPost() {
    this.element.hidden = !may(this.#channel, "post");
  }

  // --- what is being written

  get #storageKey() {
    return STORAGE_PREFIX + this.#channel.channel_id;
  }

  #restore() {
    const stored = JSON.parse(sessionStorage.getItem(this.#storageKey) ?? "null");
    if (stored) this.#setContent(stored);
  }

  #store() {
    if (this.#isEditing) return;
    const content = {
      title: this.#title.value,
      text: this.#text.value,
      links: this.#links.raw,
      images: this.#pictures.media,
      silent: this.#silent.checked,
    };
    const isEmpty = !content.title && !content.text && !content.links.length && !content.images.length;
    if (isEmpty) sessionStorage.removeItem(this.#storageKey);
    else sessionStorage.setItem(this.#storageKey, JSON.stringify(content));
  }

  /** @param {App.Written} content */
  #setContent({ title, text, links, images, silent, publish_at: publishAt }) {
    // Set in this order because links and pictures store everything when they change.
    this.#silent.checked = Boolean(silent);
    this.#title.input.value = title ?? "";
    this.#text.input.value = text ?? "";
    this.#when.value = publishAt ? "later" : "now";
    this.#publishAt.input.value = publishAt ? localTime(new Date(publishAt)) : "";
    this.#links.values = links ?? [];
    this.#pictures.replace(images ?? []);
    this.#update();
  }

  #clear() {
    this.#post = this.#draft = null;
    this.#idempotencyKey = newIdempotencyKey();
    this.#heading.textContent = t("compose.title");
    this.#cancel.hidden = true;
    this.#error.hidden = true;
    for (const one of [this.#title, this.#text, this.#publishAt]) one.showError(null);
    this.#showIfMayPost();
    this.#setContent({});
  }

  #update() {
    const isTooLong = this.#showSize();
    this.#store();
    const { text, images } = this.#body();
    const isEmpty = !text && !images;
    this.#button.disabled = this.#saveButton.disabled = isTooLong || isEmpty || this.#pictures.isUploading;
    this.#button.textContent = t(
      this.#post ? "compose.saveChanges" : this.#isLater ? "compose.schedule" : "compose.post",
    );
    this.#saveButton.textContent = t(
      this.#draft && !this.#draft.publish_at ? "compose.saveChanges" : "compose.saveDraft",
    );
    this.#saveButton.hidden = this.#publishing.hidden = this.#post !== null;
    this.#publishAt.element.hidden = !this.#isLater;
    this.#previewRequests += 1; // a preview that is being loaded is out of date
    this.#showPreviewSoon();
  }

  // --- pictures, and when to publish

  #pictureFields() {
    const zone = h(
      "div.drop-zone",
      {},
      icon("image"),
      h("span.soft", {}, t("compose.images.hint", { n: limits.images_per_message })),
      h("button.plain", { type: "button", on: { click: () => this.#pictures.choose() } }, t("compose.images.choose")),
      this.#pictures.input,
    );
    this.#pictures.acceptDrops(zone);
    return h("fieldset.plain-set", {}, h("legend", {}, t("compose.images")), zone, this.#pictures.element);
  }

  get #isLater() {
    return this.#post === null && this.#when.value === "later";
  }

  // --- the post as the API takes it

  /** @returns {App.ChannelPath} */
  get #path() {
    return `/v1/channels/${part(this.#channel.channel_id)}`;
  }

  #body() {
    const title = this.#title.value.trim();
    const text = this.#text.value.trim();
    const images = this.#pictures.media.map((media) => media.media_id);
    const links = this.#links.values;
    /** @type {Api.Kind} */
    const kind = images.length ? (text ? "text_and_image" : "image") : "text";
    return {
      kind,
      ...(title && { title }),
      ...(text && { text }),
      ...(images.length && { images }),
      ...(links.length && { links }),
    };
  }

  /** Shows the size of all fields together, as the server counts it (`Content.size_bytes`). Returns whether it is too large. */
  #showSize() {
    const { title, text, images = [], links = [] } = this.#body();
    const texts = [title, text, ...images, ...links.flatMap((link) => [link.title, link.url])];
    const n = texts.reduce((sum, one) => sum + bytesOf(one ?? ""), 0);
    const limit = limits.message_body_bytes;
    const isOver = n > limit;
    this.#count.textContent = isOver ? t("count.over", { n, limit, over: n - limit }) : t("count.bytes", { n, limit });
    this.#count.classList.toggle("bad", isOver);
    return isOver;
  }

  #showPreviewSoon = debounce(PREVIEW_AFTER, () => this.#showPreview());

  async #showPreview() {
    const request = this.#previewRequests;
    const body = this.#body();
    if (!body.text && !body.images) {
      fill(this.#preview, h("p.empty", {}, t("compose.preview.empty")));
      return;
    }
    // A link that is still being typed must not hide the preview.
    if (body.links) body.links = body.links.filter((one) => webAddress(one.url) !== null);
    try {
      const preview = await post(`${this.#path}/posts/preview`, body);
      if (request === this.#previewRequests)
        fill(this.#preview, h("ol.items", {}, postElement(preview, { channel: this.#channel, react: null })));
    } catch (error) {
      const problem = asProblem(error);
      const reason = problem.fields[0]?.[1] ?? problem.userMessage;
      if (request === this.#previewRequests)
        fill(this.#preview, h("p.error", {}, t("compose.preview.refused", { reason })));
    }
  }

  // --- how many people it reaches

  #showAudience = () => {
    const newest = this.#stream.items.get(this.#stream.last);
    const muted =
      this.#muted &&
      (this.#muted.count
        ? t("compose.audience.muted", { n: this.#muted.count, share: share(this.#muted.share) })
        : t("compose.audience.unmuted"));
    const last = newest
      ? t("compose.audience.last", { when: ago(newest.created_at) })
      : this.#stream.headSeq
        ? null
        : t("compose.audience.first");
    this.#audience.textContent = [t("compose.audience", { n: this.#channel.subscriber_count }), muted, last]
      .filter(Boolean)
      .join(" ");
  };

  async #loadMutedCount() {
    if (!may(this.#channel, "see_insights")) return;
    const today = new Date().toISOString().slice(0, 10);
    const insights = await get(`${this.#path}/insights`, { from: today, to: today }).catch((error) => {
      asProblem(error);
      return null; // the sentence about it is left out
    });
    this.#muted = insights?.muted ?? null;
    this.#showAudience();
  }

  // --- posting, scheduling, saving

  async #submit() {
    if (this.#button.disabled) {
      if (this.#pictures.isUploading) notice(t("compose.uploading"));
      return;
    }
    if (!this.#links.check()) return;
    const publishAt = this.#isLater ? this.#readPublishAt() : null;
    if (publishAt === undefined) return;
    const done = this.#post
      ? t("compose.changed")
      : publishAt
        ? t("compose.scheduled", { when: exact(publishAt) })
        : t("compose.posted");
    await this.#finish(() => this.#publish(publishAt), done, {
      changesDrafts: this.#draft !== null || publishAt !== null,
    });
  }

  /** The time as the API takes it; undefined, with an error beside the field, when there is none. */
  #readPublishAt() {
    const at = new Date(this.#publishAt.value);
    const isValid = !Number.isNaN(at.getTime());
    this.#publishAt.showError(isValid ? null : t("compose.publishAt.missing"));
    if (!isValid) this.#publishAt.input.focus();
    return isValid ? at.toISOString() : undefined;
  }

  /** @param {string | null} publishAt */
  async #publish(publishAt) {
    const body = this.#body();
    const silent = this.#silent.checked;
    if (this.#post) return this.#stream.edit(this.#post.seq, body);
    if (!this.#draft && publishAt === null) return this.#stream.post({ ...body, silent }, this.#idempotencyKey);
    await this.#saveDraft({ ...body, silent }, publishAt);
    // If publishing fails, the draft is saved and can be published again.
    if (publishAt === null && this.#draft)
      this.#stream.add(await post(`${this.#path}/drafts/${part(this.#draft.draft_id)}/publish`));
    return null;
  }

  async #saveAsDraft() {
    if (!this.#links.check()) return;
    const save = () => this.#saveDraft({ ...this.#body(), silent: this.#silent.checked }, null);
    await this.#finish(save, t("compose.draftSaved"), { changesDrafts: true });
  }

  /**
   * @param {Api.DraftPost} body
   * @param {string | null} publishAt
   */
  #saveDraft(body, publishAt) {
    if (this.#draft)
      return patch(`${this.#path}/drafts/${part(this.#draft.draft_id)}`, { post: body, publish_at: publishAt });
    return post(`${this.#path}/drafts`, { post: body, publish_at: publishAt }, this.#idempotencyKey);
  }

  /**
   * @param {() => unknown} work
   * @param {string} doneText
   * @param {{ changesDrafts: boolean }} options
   */
  async #finish(work, doneText, { changesDrafts }) {
    const isDone = await submitForm({
      fields: [this.#title, this.#text, this.#publishAt],
      error: this.#error,
      button: this.#button,
      work,
    });
    if (!isDone) return;
    notice(doneText);
    if (this.#isEditing) this.#stopEditing();
    else this.#clear();
    this.#text.input.focus();
    if (changesDrafts) this.#onDrafts();
  }
}

/**
 * The value of a `datetime-local` field: local time, to the minute.
 * @param {Date} date
 */
function localTime(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
