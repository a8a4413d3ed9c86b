// The composer for posts: title, text, files, a place, a poll, links and buttons beside a preview. Posts at once, schedules, or saves a
// draft.
//
// Promises: nothing that was typed is lost. It is kept on this device until it is posted (`client/kept_draft.js`), also when
// posting fails, and an attempt whose answer was lost is repeated without posting twice. Every limit is shown before it is
// reached.

import { asProblem, get, newIdempotencyKey, part, patch, post } from "../../client/api.js";
import { may } from "../../client/grants.js";
import { KeptDraft } from "../../client/kept_draft.js";
import { limits } from "../../client/limits.js";
import { PollFields, pollAsWritten } from "../../polls/poll_fields.js";
import { t } from "../../texts.js";
import { h, submitting, uniqueId } from "../../ui/dom.js";
import { ago, exact, share } from "../../ui/format.js";
import { icon } from "../../ui/icons.js";
import { LinkPreview } from "../../ui/link_preview.js";
import { attempt, confirmDialog, notice } from "../../ui/overlay.js";
import { choice, field, showLength, submitForm } from "../form.js";
import { ButtonFields, buttonsAsWritten } from "../self_service/button_fields.js";
import { attachmentsOf, leaveAttachments } from "./attachments.js";
import { ACCEPTED, kindOf, limitsInWords } from "./file_rules.js";
import { LinkFields } from "./link_fields.js";
import { PlaceFields } from "./place_fields.js";
import { PostPreview } from "./preview.js";
import { localTime, nextFullHour, publishTimeField, readPublishTime } from "./publish_time.js";

/** @type {[Api.MediaKind, App.IconName][]} */
const FILES = [
  ["image", "image"],
  ["video", "video"],
  ["audio", "sound"],
  ["file", "file"],
];

export class Composer {
  /**
   * `onDrafts()` is called when a draft or a scheduled post was created, changed or published. `onCalendar()` shows the
   * calendar of scheduled posts.
   * @param {{ channel: Api.ChannelResponse; stream: App.Stream; onDrafts: () => unknown; onCalendar: () => unknown }} options
   */
  constructor({ channel, stream, onDrafts, onCalendar }) {
    this.#channel = channel;
    this.#stream = stream;
    this.#onDrafts = onDrafts;
    this.#kept = new KeptDraft(channel.channel_id);
    this.#attachments = attachmentsOf(channel.channel_id);
    this.#attachments.onChange = () => this.#update();
    const update = () => this.#update();
    this.#title = field({
      name: "title",
      label: t("compose.heading"),
      placeholder: t("compose.heading.hint"),
      on: { input: update },
    });
    this.#buttons = new ButtonFields({ channelId: channel.channel_id, onChange: update });
    this.#text = field({ name: "text", label: t("compose.text"), rows: 5, on: { input: update } });
    this.#preview = new PostPreview({
      channel,
      read: () => ({ body: this.#isEmpty ? null : { ...this.#body(), ...this.#marks }, content: this.#content() }),
      onGone: (mediaId) => this.#attachments.markGone(mediaId),
    });
    const calendarButton = h(
      "button.plain.calendar-button",
      { type: "button", on: { click: () => onCalendar() } },
      icon("calendar"),
      t("calendar.open"),
    );
    this.#time.append(this.#publishAt.element, calendarButton);
    this.element = h(
      "form.panel.composer",
      { novalidate: true, on: { submit: submitting(() => this.#submit()), paste: (event) => this.#paste(event) } },
      h(
        "div.form",
        {},
        this.#heading,
        this.#title.element,
        this.#text.element,
        h("div.text-tools", {}, this.#emojiButton),
        this.#linkPreview.element,
        this.#attachmentFields(),
        this.#place.element,
        this.#poll.element,
        this.#links.element,
        this.#buttons.element,
        this.#publishing,
        this.#audience,
      ),
      h(
        "div.composer-dock",
        {},
        this.#preview.element,
        h(
          "div.composer-foot",
          {},
          this.#count,
          this.#error,
          h("div.actions", {}, this.#cancel, this.#saveButton, this.#button),
        ),
      ),
    );
    this.#acceptDrops();
    addEventListener("beforeunload", this.#onLeave);
    this.#stream.addEventListener("change", this.#showAudience);
    this.#showAudience();
    this.#loadMutedCount();
    this.#showIfMayPost();
    this.#restore();
  }

  #channel;
  #stream;
  #onDrafts;
  #kept;
  #attachments;
  #heading = h("h2", {}, t("compose.title"));
  #title;
  #text;
  #buttons;
  /** @type {HTMLButtonElement} */
  #emojiButton = h(
    "button.quiet.square",
    {
      type: "button",
      "aria-label": t("emoji.choose"),
      "aria-haspopup": "dialog",
      on: { click: () => this.#chooseEmoji() },
    },
    icon("smile"),
  );
  /** Of the first address in the text; it goes along with the links. */
  #linkPreview = new LinkPreview({ onChange: () => this.#update() });
  #place = new PlaceFields({ onChange: () => this.#update() });
  #poll = new PollFields({ onChange: () => this.#update(), onRemove: () => this.#setPoll(null) });
  #links = new LinkFields({ onChange: () => this.#update() });
  #asks = h("input", { type: "checkbox", id: uniqueId("asks"), on: { change: () => this.#update() } });
  #silent = h("input", { type: "checkbox", id: uniqueId("silent"), on: { change: () => this.#update() } });
  #pollButton = h(
    "button.plain",
    { type: "button", on: { click: () => this.#openPoll() } },
    icon("poll"),
    t("attach.poll"),
  );
  #publishAt = publishTimeField({ input: () => this.#update() });
  #time = h("div.publish-time");
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
      if (key === "later" && !this.#publishAt.value) this.#publishAt.input.value = localTime(nextFullHour());
      this.#update();
    },
  });
  /** Silent, and when. */
  #publishing = h(
    "div.publishing",
    {},
    h("div.choice-line", {}, this.#asks, h("label", { for: this.#asks.id }, t("compose.acknowledge"))),
    h("div.choice-line", {}, this.#silent, h("label", { for: this.#silent.id }, t("compose.silent"))),
    this.#when.element,
    this.#time,
  );
  #count = h("p.count", { role: "status" });
  #error = h("p.error", { role: "alert", hidden: true });
  #audience = h("p.soft.audience");
  #button = h("button.primary", { type: "submit" }, t("compose.post"));
  #saveButton = h("button.plain", { type: "button", on: { click: () => this.#saveAsDraft() } }, t("compose.saveDraft"));
  #cancel = h(
    "button.plain",
    { type: "button", hidden: true, on: { click: () => this.#stopEditing() } },
    t("app.cancel"),
  );
  #preview;
  /** @type {Api.MutedResponse | null} */
  #muted = null; // of the subscribers who muted the channel
  /** @type {App.Item | null} */
  #post = null; // the post that is edited
  /** @type {Api.DraftResponse | null} */
  #draft = null; // the draft that is edited
  /** The application's own data of what is edited, which stays. @type {Api.JsonValue} */
  #custom = null;
  /** What the edited post or draft was, as JSON. */
  #before = "";
  /** The files of the new post, while another one is edited. @type {import("./upload.js").Upload[] | null} */
  #waitingUploads = null;
  #isSetting = false;
  #isClosed = false;

  close() {
    this.#isClosed = true;
    this.#preview.close();
    this.#stream.removeEventListener("change", this.#showAudience);
    removeEventListener("beforeunload", this.#onLeave);
    if (this.#waitingUploads) this.#attachments.restore(this.#waitingUploads);
    leaveAttachments(this.#channel.channel_id);
  }

  /** @param {App.Item} item */
  async editPost(item) {
    if (!(await this.#mayReplaceEdit())) return;
    this.#startEditing(item, t("compose.edit", { seq: item.seq }), () => {
      this.#post = item;
    });
  }

  /**
   * Edits a draft or a scheduled post.
   * @param {Api.DraftResponse} draft
   */
  async editDraft(draft) {
    if (!(await this.#mayReplaceEdit())) return;
    this.#startEditing(
      { ...draft.post, publish_at: draft.publish_at },
      t(draft.publish_at ? "compose.edit.scheduled" : "compose.edit.draft"),
      () => {
        this.#draft = draft;
      },
    );
  }

  /**
   * Begins a new post to be published then, or gives what is being written this time.
   * @param {Date} at
   */
  async scheduleAt(at) {
    if (!(await this.#mayReplaceEdit())) return;
    if (this.#isEditing) this.#stopEditing();
    this.#when.value = "later";
    this.#publishAt.input.value = localTime(at);
    this.#update();
    this.#show();
  }

  /**
   * @param {App.Written} content
   * @param {string} heading
   * @param {() => void} remember
   */
  #startEditing(content, heading, remember) {
    const uploads = this.#isEditing ? this.#waitingUploads : this.#attachments.replace();
    this.#reset();
    this.#waitingUploads = uploads;
    remember();
    this.#custom = content.custom ?? null;
    this.#heading.textContent = heading;
    this.#cancel.hidden = false;
    this.element.hidden = false;
    this.#setContent(content);
    this.#before = JSON.stringify(this.#written());
    this.#keep();
    this.#show();
  }

  /** Whether another edit may begin: an unsaved one is given up only if the user says so. */
  async #mayReplaceEdit() {
    if (!this.#isEditing || JSON.stringify(this.#written()) === this.#before) return true;
    const texts = { title: t("compose.discard"), text: t("compose.discard.confirm"), action: t("compose.discard") };
    return confirmDialog(texts);
  }

  #show() {
    this.element.scrollIntoView({ block: "start" });
    this.#text.input.focus();
  }

  /** Goes back to the new post, as it was. */
  #stopEditing() {
    const uploads = this.#waitingUploads;
    this.#kept.update({ edit: undefined });
    this.#reset();
    this.#setContent(this.#kept.value.post ?? {}, { withFiles: uploads === null });
    if (uploads) this.#attachments.restore(uploads);
  }

  get #isEditing() {
    return this.#post !== null || this.#draft !== null;
  }

  /** An admin who may only edit posts of others sees the composer only while editing. */
  #showIfMayPost() {
    this.element.hidden = !may(this.#channel, "post");
  }

  // --- what is being written

  async #restore() {
    const { post: written, edit } = this.#kept.value;
    this.#setContent(written ?? {}, { withFiles: this.#attachments.isEmpty });
    if (!edit) return;
    const path = this.#path;
    await attempt(async () => {
      try {
        if (edit.seq !== undefined) await this.editPost(await get(`${path}/posts/${edit.seq}`));
        else await this.editDraft(await get(`${path}/drafts/${part(edit.draft_id ?? "")}`));
      } catch (error) {
        if (asProblem(error).status !== 404) throw error;
        // What was edited is gone; what was written becomes a new post, unless there is one.
        if (written) return;
        this.#kept.update({ edit: undefined });
        notice(t("compose.edit.gone"));
      }
      this.#setContent(edit.content);
    });
  }

  /** @returns {App.Written} */
  #written() {
    const { kind, media } = this.#attachments;
    return {
      title: this.#title.value,
      text: this.#text.value,
      links: this.#links.raw,
      media: kind && media.length ? { kind, items: media } : null,
      place: this.#place.raw,
      poll_fields: this.#hasPoll ? this.#poll.raw : null,
      button_fields: this.#buttons.raw,
      silent: this.#silent.checked,
      acknowledge: this.#asks.checked,
      publish_at: this.#isLater ? this.#publishAt.value : null,
    };
  }

  #keep() {
    const content = this.#written();
    if (this.#isEditing) {
      const isChanged = JSON.stringify(content) !== this.#before;
      const which = this.#post ? { seq: this.#post.seq } : { draft_id: this.#draft?.draft_id };
      this.#kept.update({ edit: isChanged ? { ...which, content } : undefined });
    } else {
      const { title, text, links, media, place, poll_fields: poll, button_fields: buttons } = content;
      const hasParts = Boolean(links?.length || buttons?.length) || place !== null || poll !== null;
      const isEmpty = !title && !text && !media && !hasParts;
      this.#kept.update({ post: isEmpty ? undefined : content });
    }
  }

  /**
   * @param {App.Written} content
   * @param {{ withFiles?: boolean }} [options]
   */
  #setContent(content, { withFiles = true } = {}) {
    const { title, text, links, silent, acknowledge, publish_at: publishAt } = content;
    this.#isSetting = true; // each part tells of its change, and only the whole may be kept
    this.#silent.checked = Boolean(silent);
    this.#asks.checked = Boolean(acknowledge);
    this.#title.input.value = title ?? "";
    this.#text.input.value = text ?? "";
    this.#when.value = publishAt ? "later" : "now";
    this.#publishAt.input.value = publishAt ? localTime(new Date(publishAt)) : "";
    // The preview of an address in the text is shown below the text, and not among the links that were written.
    const shown = links?.find(
      (link) =>
        "image" in link && "description" in link && (link.image || link.description) && text?.includes(link.url),
    );
    this.#linkPreview.clear();
    if (shown) this.#linkPreview.show(/** @type {Api.LinkResponse} */ (shown));
    this.#links.values = (links ?? []).filter((link) => link !== shown);
    this.#place.raw = content.place ?? placeOf(content.location);
    this.#buttons.write(content.button_fields ?? buttonsAsWritten(content.buttons));
    this.#setPoll(content.poll_fields ?? pollAsWritten(content.poll));
    if (withFiles) {
      const { kind, items } = content.media ?? filesOf(content);
      this.#attachments.replace(kind, items);
    }
    this.#isSetting = false;
    this.#update();
  }

  /** Forgets what is edited, and what was wrong. */
  #reset() {
    this.#post = this.#draft = this.#custom = this.#waitingUploads = null;
    this.#before = "";
    this.#heading.textContent = t("compose.title");
    this.#cancel.hidden = true;
    this.#error.hidden = true;
    for (const one of [this.#title, this.#text, this.#publishAt]) one.showError(null);
    this.#showIfMayPost();
  }

  #update() {
    if (this.#isSetting || this.#isClosed) return;
    this.#linkPreview.update(this.#text.value);
    this.#showSize();
    this.#keep();
    if (!this.#isEmpty && this.#error.dataset.missing) this.#showMissing(null);
    this.#button.textContent = t(
      this.#post ? "compose.saveChanges" : this.#isLater ? "compose.schedule" : "compose.post",
    );
    this.#saveButton.textContent = t(
      this.#draft && !this.#draft.publish_at ? "compose.saveChanges" : "compose.saveDraft",
    );
    this.#saveButton.hidden = this.#publishing.hidden = this.#post !== null;
    this.#time.hidden = !this.#isLater;
    // Nothing that is posted becomes a poll.
    this.#pollButton.hidden = this.#post !== null;
    this.#buttons.element.hidden = this.#hasPoll;
    this.#preview.update();
  }

  async #chooseEmoji() {
    const { openEmojiPicker } = await import("../../ui/emoji/picker.js");
    const { input } = this.#text;
    /** @param {string} emoji */
    const choose = (emoji) => {
      input.setRangeText(emoji, input.selectionStart ?? 0, input.selectionEnd ?? 0, "end");
      input.dispatchEvent(new Event("input"));
      input.focus();
    };
    openEmojiPicker(this.#emojiButton, { label: t("emoji.choose"), choose });
  }

  // --- files, and when to publish

  #attachmentFields() {
    const buttons = FILES.map(([kind, iconName]) => {
      /** @type {HTMLInputElement} */
      const input = h("input", {
        type: "file",
        accept: ACCEPTED[kind] || null,
        multiple: kind === "image",
        hidden: true,
        data: { kind },
        on: {
          change: () => {
            // A picture whose format cannot be shown is offered by no browser here; dropped, it becomes a file.
            this.#addFiles([...(input.files ?? [])], kind === "file" ? "file" : null);
            input.value = "";
          },
        },
      });
      const button = h(
        "button.plain",
        { type: "button", on: { click: () => input.click() } },
        icon(iconName),
        t(`attach.${kind}`),
      );
      return [button, input];
    });
    const place = h(
      "button.plain",
      { type: "button", on: { click: () => this.#openPlace() } },
      icon("place"),
      t("attach.place"),
    );
    return h(
      "fieldset.plain-set.attach-set",
      {},
      h("legend", {}, t("attach.title")),
      this.#attachments.element,
      h(
        "div.drop-zone",
        {},
        h("div.attach-buttons", {}, buttons, place, this.#pollButton),
        h("p.soft", {}, limitsInWords()),
      ),
    );
  }

  /**
   * @param {File[] | FileList | null | undefined} files
   * @param {Api.MediaKind | null} [kind]
   */
  #addFiles(files, kind = null) {
    this.#attachments.add(files, { kind, hasPlace: this.#place.isOpen || this.#hasPoll, kindOf });
  }

  #openPlace() {
    if (this.#attachments.isEmpty && !this.#hasPoll) this.#place.open();
    else this.#attachments.refuse([t("attach.mixed", { name: t("attach.place") })]);
  }

  #openPoll() {
    if (!this.#attachments.isEmpty || this.#place.isOpen)
      return this.#attachments.refuse([t("attach.mixed", { name: t("attach.poll") })]);
    if (!this.#hasPoll) this.#setPoll({});
    this.#poll.focus();
  }

  get #hasPoll() {
    return !this.#poll.element.hidden;
  }

  /** @param {Partial<App.WrittenPoll> | null} written Null closes the fields. */
  #setPoll(written) {
    this.#poll.write(written);
    this.#poll.posted = this.#post?.poll ?? null;
    this.#poll.element.hidden = written === null;
    this.#update();
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = event.clipboardData?.files;
    // Programs that copy formatted text put a picture of it beside the text.
    if (!files?.length || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    this.#addFiles(files);
  }

  #acceptDrops() {
    const zone = this.element.querySelector(".drop-zone");
    this.element.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone?.classList.add("over");
    });
    this.element.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget)))
        zone?.classList.remove("over");
    });
    this.element.addEventListener("drop", (event) => {
      zone?.classList.remove("over");
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      this.#addFiles(event.dataTransfer.files);
    });
  }

  /** @param {BeforeUnloadEvent} event */
  #onLeave = (event) => {
    // The browser asks. A file that is not uploaded cannot be kept, nor can anything on a device that stores nothing.
    if (this.#attachments.holdsFiles || !this.#kept.isStored) event.preventDefault();
  };

  get #isLater() {
    return this.#post === null && this.#when.value === "later";
  }

  // --- the post as the API takes it

  /** @returns {App.ChannelPath} */
  get #path() {
    return `/v1/channels/${part(this.#channel.channel_id)}`;
  }

  /** Whether there is nothing that makes a post: titles and links need something to go with. */
  get #isEmpty() {
    if (this.#hasPoll) return !this.#poll.isShowable;
    return !this.#text.value.trim() && !this.#attachments.media.length && this.#place.value === null;
  }

  /** @returns {Api.WriteMessage} */
  #body() {
    const title = this.#title.value.trim();
    const text = this.#text.value.trim();
    const links = this.#allLinks;
    const location = this.#place.value;
    const buttons = this.#hasPoll ? [] : this.#buttons.value; // a poll has none
    const ids = this.#attachments.media.map((media) => media.media_id);
    const kind = ids.length ? this.#attachments.kind : null;
    const poll = this.#hasPoll ? this.#poll.value : null;
    return {
      kind: poll ? "poll" : location ? "location" : kind === "image" && text ? "text_and_image" : (kind ?? "text"),
      ...(title && { title }),
      ...(text && { text }),
      ...(kind === "image" ? { images: ids } : kind && { [kind]: ids[0] }),
      ...(kind === "video" && posterOf(this.#attachments.media[0])),
      ...(location && { location }),
      ...(poll && { poll }),
      ...(links.length && { links }),
      ...(buttons.length && { buttons }),
      ...(this.#custom !== null && { custom: this.#custom }),
    };
  }

  /** The links that were written, and the one whose preview is shown. */
  get #allLinks() {
    const links = this.#links.values;
    const found = this.#linkPreview.link;
    return found && !links.some(({ url }) => url === found.url) ? [...links, found] : links;
  }

  /**
   * The same as a post shows it.
   * @returns {App.Content}
   */
  #content() {
    const { kind, title = null, text = null, links = [], buttons = [], location, poll } = this.#body();
    const { media } = this.#attachments;
    /** @param {Api.Kind} one */
    const only = (one) => (kind === one ? media[0] : null);
    return {
      kind,
      title,
      text,
      links: /** @type {Api.LinkResponse[]} */ (links),
      images: kind === "image" || kind === "text_and_image" ? media : null,
      video: only("video"),
      audio: only("audio"),
      file: only("file"),
      location: location ? { name: "", address: "", ...location } : null,
      poll: poll ? emptyPoll(poll) : null,
      buttons: buttons.length ? buttons.map((row) => row.map(unpressed)) : null,
      custom: null,
      silent: this.#silent.checked,
      acknowledge: this.#asks.checked ? { count: 0, mine: false } : null,
      forwarded_from: null,
    };
  }

  /** Shows near the limit how many characters are left, or too many: of all fields together, as the server counts them. */
  #showSize() {
    const {
      title = "",
      text = "",
      images = [],
      video,
      audio,
      file,
      links = [],
      buttons = [],
      location,
      poll,
    } = this.#body();
    const texts = [
      title,
      ...links.flatMap((link) => [link.title, link.url]),
      ...images,
      ...[video, audio, file].map((id) => id ?? ""),
      location?.name ?? "",
      location?.address ?? "",
      poll?.question ?? "",
      ...(poll?.options ?? []),
      ...buttons
        .flat()
        .flatMap(({ text: shown, url, reply, data, form }) => [shown, url ?? reply ?? data ?? form ?? ""]),
      text, // last, since the text is what one shortens
    ];
    return showLength(this.#count, texts.join(""), limits.message_body_bytes);
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

  /** Whether it can be posted or saved. Says what is missing or wrong, and moves the focus there. */
  #isComplete() {
    if (!this.#links.check() || !this.#place.check()) return false;
    if (this.#hasPoll ? !this.#poll.check() : !this.#buttons.check()) return false;
    if (this.#showSize()) {
      this.#text.input.focus();
      return false;
    }
    if (this.#attachments.isUploading) return this.#showMissing("compose.uploading");
    if (this.#attachments.hasFailed) return this.#showMissing("compose.uploadFailed");
    if (!this.#isEmpty) return this.#showMissing(null);
    this.#text.input.focus();
    return this.#showMissing("compose.nothing");
  }

  /**
   * Says what is missing; null: nothing is. Returns whether nothing is.
   * @param {"compose.uploading" | "compose.uploadFailed" | "compose.nothing" | null} key
   */
  #showMissing(key) {
    this.#error.hidden = key === null;
    this.#error.textContent = key === null ? "" : t(key);
    if (key === null) delete this.#error.dataset.missing;
    else this.#error.dataset.missing = key;
    return key === null;
  }

  async #submit() {
    if (this.#button.disabled || !this.#isComplete()) return;
    const publishAt = this.#isLater ? readPublishTime(this.#publishAt) : null;
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

  /** What is said of a post besides its content, and cannot be changed once it is posted. */
  get #marks() {
    return { silent: this.#silent.checked, ...(this.#asks.checked && { acknowledge: true }) };
  }

  /** @param {string | null} publishAt */
  async #publish(publishAt) {
    const body = this.#body();
    const marks = this.#marks;
    if (this.#post) return this.#stream.edit(this.#post.seq, body);
    if (!this.#draft && publishAt === null) {
      const whole = { ...body, ...marks };
      return this.#stream.post(whole, this.#keyFor("post", whole));
    }
    await this.#saveDraft({ ...body, ...marks }, publishAt);
    // If publishing fails, the draft is saved and can be published again.
    if (publishAt === null && this.#draft)
      this.#stream.add(await post(`${this.#path}/drafts/${part(this.#draft.draft_id)}/publish`));
    return null;
  }

  async #saveAsDraft() {
    if (!this.#isComplete()) return;
    const save = () => this.#saveDraft({ ...this.#body(), ...this.#marks }, null);
    await this.#finish(save, t("compose.draftSaved"), { changesDrafts: true });
  }

  /**
   * @param {Api.DraftPost} body
   * @param {string | null} publishAt
   */
  #saveDraft(body, publishAt) {
    const whole = { post: body, publish_at: publishAt };
    if (this.#draft) return patch(`${this.#path}/drafts/${part(this.#draft.draft_id)}`, whole);
    return post(`${this.#path}/drafts`, whole, this.#keyFor("draft", whole));
  }

  /**
   * The same key for the same content, so that an attempt whose answer was lost is repeated and not made twice.
   * @param {string} what
   * @param {object} body
   */
  #keyFor(what, body) {
    const json = what + JSON.stringify(body);
    const last = this.#kept.value.attempt;
    if (last?.json === json) return last.key;
    const key = newIdempotencyKey();
    // Kept as long as what it posts: the tab may be closed before the answer comes.
    this.#kept.update({ attempt: { json, key } });
    return key;
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
      work: async () => {
        try {
          await work();
        } catch (error) {
          const problem = asProblem(error);
          if (problem.code === "media_not_found") this.#attachments.markGone(problem.details.media_id);
          throw error;
        }
      },
    });
    if (!isDone) return;
    notice(doneText);
    if (this.#isEditing) this.#stopEditing();
    else {
      this.#kept.update({ attempt: undefined });
      this.#reset();
      this.#setContent({});
    }
    this.#text.input.focus();
    if (changesDrafts) this.#onDrafts();
  }
}

/**
 * The files of a post or draft, and how it carries them.
 * @param {App.Written} content
 * @returns {{ kind: Api.MediaKind | null; items: Api.MediaResponse[] }}
 */
function filesOf({ images, video, audio, file }) {
  if (images?.length) return { kind: "image", items: images };
  if (video) return { kind: "video", items: [video] };
  if (audio) return { kind: "audio", items: [audio] };
  return file ? { kind: "file", items: [file] } : { kind: null, items: [] };
}

/**
 * The picture that is sent along with a video, if there is one.
 * @param {import("./upload.js").Media} media
 */
const posterOf = ({ poster_id: poster }) => (poster ? { poster } : {});

/**
 * The place of a post or draft as its fields show it.
 * @param {Api.LocationResponse | null | undefined} location
 * @returns {App.WrittenPlace | null}
 */
const placeOf = (location) =>
  location ? { ...location, latitude: String(location.latitude), longitude: String(location.longitude) } : null;

/**
 * A poll without votes, as a post shows it.
 * @param {Api.PollBody} poll
 * @returns {App.Poll}
 */
const emptyPoll = ({ question, options, multiple = false, closes_at: closesAt = null, results = "always" }) => ({
  question,
  options: options.map((text) => ({ text, votes: results === "always" ? 0 : null })),
  voters: results === "always" ? 0 : null,
  multiple,
  closes_at: closesAt,
  closed: false,
  results,
  mine: [],
});

/**
 * A button as a post shows it before anybody has pressed it.
 * @param {Api.ButtonBody} button
 * @returns {Api.ButtonResponse}
 */
const unpressed = ({ text, kind, url = null, reply = null, data = null, form = null }) => ({
  text,
  kind,
  url,
  reply,
  data,
  form,
  presses: kind === "reply" || kind === "event" ? 0 : null,
  pressed: false,
});
