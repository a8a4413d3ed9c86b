// Writing a post: title, text, links, pictures; beside it the post as its readers will see it; now or at an hour, with
// or without a sound, or kept as a draft.
//
// The preview is the server's own (`posts/preview`), drawn by the same code that draws it for readers, so it equals what
// they get, refusals included. What is being written stays in this tab until it is posted, through other views and a
// reload; it goes with the sign-out.

import { freshKey, get, part, patch, post } from "../api.js";
import { fill, freshId, h, settled } from "../dom.js";
import { ago, exact, share } from "../format.js";
import { bytesOf, limits } from "../limits.js";
import { notice } from "../overlay.js";
import { postElement } from "../reader/items.js";
import { t } from "../texts.js";
import { webAddress } from "../content.js";
import { choice, field, send } from "./fields.js";
import { LinkFields } from "./links.js";
import { PictureShelf } from "./pictures.js";
import { may } from "../rights.js";

const DRAFT = "channels.draft."; // and the channel; `session` clears it
const PREVIEW_AFTER = 250; // milliseconds without a key
const HOUR = 3_600_000;

export class Composer {
  /** `onDrafts()` is called when a draft or a scheduled post is there, or changed. */
  constructor({ channel, stream, onDrafts }) {
    this.#channel = channel;
    this.#stream = stream;
    this.#onDrafts = onDrafts;
    const changed = () => this.#changed();
    this.#title = field({ name: "title", label: t("compose.heading"), placeholder: t("compose.heading.hint"), on: { input: changed } });
    this.#text = field({ name: "text", label: t("compose.text"), rows: 5, on: { input: changed, paste: (event) => this.#pictures.add(event.clipboardData.files) } });
    this.#count = h("p.count", { role: "status" });
    this.#told = h("p.wrong", { role: "alert", hidden: true });
    this.#button = h("button.primary", { type: "submit", disabled: true }, t("compose.post"));
    this.#keep = h("button.plain", { type: "button", disabled: true, on: { click: () => this.#keepDraft() } }, t("compose.keep"));
    this.#cancel = h("button.plain", { type: "button", hidden: true, on: { click: () => this.#leaveEdit() } }, t("app.cancel"));
    this.#heading = h("h2", {}, t("compose.title"));
    this.#preflight = h("p.soft.preflight");
    this.#preview = h("div.preview-stage");
    this.#release = this.#releaseFields();
    const previewId = freshId("preview");
    this.element = h("form.panel.composer", { novalidate: true, on: { submit: (event) => (event.preventDefault(), this.#submit()) } },
      h("div.form", {},
        this.#heading, this.#title.element, this.#text.element, this.#pictures.element, this.#links.element, this.#release,
        this.#count, this.#told, this.#preflight,
        h("div.actions", {}, this.#cancel, this.#keep, this.#button),
      ),
      h("section.preview-side", { "aria-labelledby": previewId }, h("h2", { id: previewId }, t("compose.preview")), this.#preview),
    );
    this.#stream.addEventListener("change", this.#showPreflight);
    this.#showPreflight();
    this.#countMuted();
    this.#restore();
    this.#showPreview();
    this.#changed();
    this.#showIfMine();
  }

  #channel;
  #stream;
  #onDrafts;
  #title;
  #text;
  #links = new LinkFields({ onChange: () => this.#changed() });
  #pictures = new PictureShelf({ onChange: () => this.#changed() });
  #silent;
  #when;
  #hour;
  #release;
  #count;
  #told;
  #button;
  #keep;
  #cancel;
  #heading;
  #preflight;
  #preview;
  #muted = null;
  #edited = null; // the post
  #draft = null; // the draft
  #key = freshKey();
  #asked = 0;

  close() {
    this.#stream.removeEventListener("change", this.#showPreflight);
    this.#pictures.close();
  }

  /** Take up a post that is there already. */
  edit(item) {
    this.#takeUp(item, t("compose.edit", { seq: item.seq }), () => {
      this.#edited = item;
    });
  }

  /** Take up a draft, or a scheduled post. */
  editDraft(draft) {
    this.#takeUp({ ...draft.post, publish_at: draft.publish_at }, t(draft.publish_at ? "compose.edit.scheduled" : "compose.edit.draft"), () => {
      this.#draft = draft;
    });
  }

  /** Who may only change what others wrote sees this while it is being changed. */
  #showIfMine() {
    this.element.hidden = !may(this.#channel, "post");
  }

  #takeUp(content, heading, remember) {
    // What is being written waits in its place until the change is made or given up.
    const kept = sessionStorage.getItem(this.#keptAs);
    this.#clear();
    if (kept !== null) sessionStorage.setItem(this.#keptAs, kept);
    remember();
    this.#heading.textContent = heading;
    this.#cancel.hidden = false;
    this.element.hidden = false;
    this.#put(content);
    this.element.scrollIntoView({ block: "start" });
    this.#text.input.focus();
  }

  // --- what is being written

  get #keptAs() {
    return DRAFT + this.#channel.channel_id;
  }

  get #isEditing() {
    return this.#edited !== null || this.#draft !== null;
  }

  #restore() {
    const kept = JSON.parse(sessionStorage.getItem(this.#keptAs) ?? "null");
    if (kept) this.#put(kept);
  }

  #save() {
    if (this.#isEditing) return;
    const kept = { title: this.#title.value, text: this.#text.value, links: this.#links.raw, images: this.#pictures.media, silent: this.#silent.checked };
    const isEmpty = !kept.title && !kept.text && !kept.links.length && !kept.images.length;
    if (isEmpty) sessionStorage.removeItem(this.#keptAs);
    else sessionStorage.setItem(this.#keptAs, JSON.stringify(kept));
  }

  #put({ title, text, links, images, silent, publish_at: publishAt }) {
    // First what is silent about: the others tell of their change, and what is kept then is all of it.
    this.#silent.checked = Boolean(silent);
    this.#title.input.value = title ?? "";
    this.#text.input.value = text ?? "";
    this.#when.value = publishAt ? "later" : "now";
    this.#hour.input.value = publishAt ? localOf(new Date(publishAt)) : "";
    this.#links.values = links;
    this.#pictures.media = images;
    this.#changed();
  }

  #leaveEdit() {
    const kept = sessionStorage.getItem(this.#keptAs);
    this.#clear();
    if (kept === null) return;
    sessionStorage.setItem(this.#keptAs, kept);
    this.#restore();
  }

  #clear() {
    this.#edited = this.#draft = null;
    this.#key = freshKey();
    this.#heading.textContent = t("compose.title");
    this.#cancel.hidden = true;
    this.#told.hidden = true;
    for (const one of [this.#title, this.#text, this.#hour]) one.tell(null);
    this.#showIfMine();
    this.#put({});
  }

  // --- when and how

  #releaseFields() {
    const id = freshId("silent");
    this.#silent = h("input", { type: "checkbox", id, on: { change: () => this.#changed() } });
    this.#hour = field({ name: "publish_at", label: t("compose.hour"), type: "datetime-local", dir: null, on: { input: () => this.#changed() } });
    this.#when = choice({ name: "when", label: t("compose.when"), value: "now", options: ["now", "later"].map((key) => [key, t(`compose.when.${key}`)]), on: (key) => {
      if (key === "later" && !this.#hour.value) this.#hour.input.value = localOf(new Date(Math.ceil((Date.now() + HOUR / 2) / HOUR) * HOUR));
      this.#changed();
    } });
    return h("div.release", {},
      h("div.choice-line", {}, this.#silent, h("label", { for: id }, t("compose.silent"))),
      this.#when.element, this.#hour.element,
    );
  }

  get #isLater() {
    return this.#edited === null && this.#when.value === "later";
  }

  // --- the post

  #body() {
    const title = this.#title.value.trim();
    const text = this.#text.value.trim();
    const images = this.#pictures.media.map((media) => media.media_id);
    const links = this.#links.values;
    const kind = images.length ? (text ? "text_and_image" : "image") : "text";
    return { kind, ...(title && { title }), ...(text && { text }), ...(images.length && { images }), ...(links.length && { links }) };
  }

  /** What counts against the limit: every field together, as the server counts (`Content.size_bytes`). */
  #bytes(body) {
    const parts = [body.title, body.text, ...(body.images ?? []), ...(body.links ?? []).flatMap((one) => [one.title, one.url])];
    return parts.reduce((sum, one) => sum + bytesOf(one ?? ""), 0);
  }

  #measure() {
    const n = this.#bytes(this.#body());
    const limit = limits.message_body_bytes;
    const isOver = n > limit;
    this.#count.textContent = isOver ? t("count.over", { n, limit, over: n - limit }) : t("count.bytes", { n, limit });
    this.#count.classList.toggle("bad", isOver);
    return isOver;
  }

  #changed() {
    const isOver = this.#measure();
    this.#save();
    const body = this.#body();
    const isEmpty = !body.text && !body.images;
    this.#button.disabled = this.#keep.disabled = isOver || isEmpty || this.#pictures.isUploading;
    this.#button.textContent = t(this.#edited ? "compose.change" : this.#isLater ? "compose.schedule" : "compose.post");
    this.#keep.textContent = t(this.#draft && !this.#draft.publish_at ? "compose.change" : "compose.keep");
    this.#keep.hidden = this.#release.hidden = this.#edited !== null;
    this.#hour.element.hidden = !this.#isLater;
    this.#asked += 1; // an answer about older words is not shown any more
    this.#previewSoon();
  }

  #previewSoon = settled(PREVIEW_AFTER, () => this.#showPreview());

  get #path() {
    return `/v1/channels/${part(this.#channel.channel_id)}`;
  }

  async #showPreview() {
    const asked = this.#asked;
    const body = this.#body();
    if (!body.text && !body.images) {
      fill(this.#preview, h("p.empty", {}, t("compose.preview.empty")));
      return;
    }
    // Half-typed links are no reason to show nothing.
    if (body.links) body.links = body.links.filter((one) => webAddress(one.url) !== null);
    try {
      const shown = await post(`${this.#path}/posts/preview`, body, undefined);
      if (asked === this.#asked) fill(this.#preview, h("ol.items", {}, postElement(shown, { channel: this.#channel, react: null })));
    } catch (problem) {
      if (problem.code === undefined) throw problem;
      if (asked === this.#asked) fill(this.#preview, h("p.wrong", {}, t("compose.preview.refused", { reason: problem.fields[0]?.[1] ?? problem.shown })));
    }
  }

  // --- whom it reaches

  #showPreflight = () => {
    const newest = this.#stream.items.get(this.#stream.last);
    const muted = this.#muted && (this.#muted.count ? t("compose.audience.muted", { n: this.#muted.count, share: share(this.#muted.share) }) : t("compose.audience.unmuted"));
    const last = newest ? t("compose.audience.last", { when: ago(newest.created_at) }) : this.#stream.head ? null : t("compose.audience.first");
    this.#preflight.textContent = [t("compose.audience", { n: this.#channel.subscriber_count }), muted, last].filter(Boolean).join(" ");
  };

  async #countMuted() {
    if (!may(this.#channel, "see_insights")) return;
    const today = new Date().toISOString().slice(0, 10);
    const insights = await get(`${this.#path}/insights`, { from: today, to: today }).catch((problem) => {
      if (problem.code === undefined) throw problem;
      return null; // one sentence less
    });
    this.#muted = insights?.muted ?? null;
    this.#showPreflight();
  }

  // --- letting it go

  async #submit() {
    if (this.#button.disabled) {
      if (this.#pictures.isUploading) notice(t("compose.wait"));
      return;
    }
    if (!this.#links.check()) return;
    const publishAt = this.#isLater ? this.#instant() : null;
    if (publishAt === undefined) return;
    const told = this.#edited ? t("compose.changed") : publishAt ? t("compose.scheduled", { when: exact(publishAt) }) : t("compose.posted");
    await this.#finish(told, () => this.#letGo(publishAt));
  }

  /** The hour as the API takes it; undefined where none is given, which is told. */
  #instant() {
    const at = new Date(this.#hour.value);
    const isFine = !Number.isNaN(at.getTime());
    this.#hour.tell(isFine ? null : t("compose.hour.none"));
    if (!isFine) this.#hour.input.focus();
    return isFine ? at.toISOString() : undefined;
  }

  async #letGo(publishAt) {
    const body = this.#body();
    const silent = this.#silent.checked;
    if (this.#edited) return this.#stream.edit(this.#edited.seq, body);
    if (!this.#draft && publishAt === null) return this.#stream.write({ ...body, silent }, this.#key);
    await this.#saveDraft({ ...body, silent }, publishAt);
    // Where this fails the draft holds what was written, and waits for another try.
    if (publishAt === null) this.#stream.add(await post(`${this.#path}/drafts/${part(this.#draft.draft_id)}/publish`));
    return null;
  }

  async #keepDraft() {
    if (!this.#links.check()) return;
    await this.#finish(t("compose.kept"), () => this.#saveDraft({ ...this.#body(), silent: this.#silent.checked }, null));
  }

  #saveDraft(body, publishAt) {
    if (this.#draft) return patch(`${this.#path}/drafts/${part(this.#draft.draft_id)}`, { post: body, publish_at: publishAt });
    return post(`${this.#path}/drafts`, { post: body, publish_at: publishAt }, this.#key);
  }

  async #finish(told, work) {
    const wasPlain = this.#edited !== null || (!this.#draft && !this.#isLater);
    const done = await send({ fields: [this.#title, this.#text, this.#hour], told: this.#told, button: this.#button, work });
    if (!done) return;
    notice(told);
    if (this.#isEditing) this.#leaveEdit();
    else this.#clear();
    this.#text.input.focus();
    if (!wasPlain || told === t("compose.kept")) this.#onDrafts();
  }
}

/** As a field of this kind takes it: the wall clock here, to the minute. */
function localOf(date) {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
