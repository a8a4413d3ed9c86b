// A channel's posts as those who run it see them: the composer with its preview, below it what is not out yet, and what
// was posted, live: how many saw it, and what marks it.

import { del, get, part, put } from "../api.js";
import { arrange, fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { attempt, menu, notice, sure } from "../overlay.js";
import { nameOf } from "../reader/people.js";
import { forwardEntry } from "../reader/forward.js";
import { postElement } from "../reader/items.js";
import { Stream } from "../reader/stream.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { Composer } from "./composer.js";
import { Drafts } from "./drafts.js";
import { showReactors } from "./reactors.js";
import { may } from "../rights.js";

export class Posts {
  constructor({ channel }) {
    this.#channel = channel;
    this.#stream = new Stream("channel", channel.channel_id, channel.head_seq);
    if (may(channel, "post") || may(channel, "edit_posts")) this.#composer = new Composer({ channel, stream: this.#stream, onDrafts: () => this.#drafts?.load() });
    // Who may not post has no drafts to read.
    if (may(channel, "post")) {
      this.#drafts = new Drafts({ channel, onEdit: (draft) => this.#composer.editDraft(draft), onPost: (item) => this.#stream.add(item) });
    }
    this.#list = h("ol.items.newest-first", { "aria-label": t("posts.title") });
    this.#told = h("p.empty", { role: "status" }, t("app.loading"));
    this.#more = h("button.plain.wide", { type: "button", hidden: true, on: { click: () => attempt(() => this.#stream.older()) } }, t("app.more"));
    this.element = h("div.panels", {}, this.#composer?.element, this.#drafts?.element, h("section.posted", {}, h("h2", {}, t("posts.title")), this.#told, this.#list, this.#more));
    this.#stream.addEventListener("change", () => this.#render());
    attempt(() => this.#stream.toNewest());
  }

  #channel;
  #stream;
  #composer = null;
  #drafts = null;
  #list;
  #told;
  #more;
  #drawn = new Map();

  close() {
    this.#stream.close();
    this.#composer?.close();
    this.#drafts?.close();
  }

  #render() {
    const wanted = this.#stream.inOrder().reverse().map((item) => this.#element(item));
    arrange(this.#list, wanted);
    this.#told.textContent = wanted.length ? "" : t("posts.none");
    this.#more.hidden = !this.#stream.hasOlder;
  }

  #element(item) {
    const drawn = this.#drawn.get(item.seq);
    if (drawn?.item === item) return drawn.element;
    const react = this.#channel.subscribed_at === null ? null : (seq, emoji, isOn) => attempt(() => this.#stream.react(seq, emoji, isOn));
    const by = item.author_id ? t("post.by", { name: nameOf(item.author_id, () => this.#redraw(item.seq)) }) : null;
    const element = postElement(item, { channel: this.#channel, react, by, more: (one, anchor) => this.#openMenu(one, anchor) }, drawn?.element);
    element.dataset.seq = item.seq;
    showMarks(element, item);
    this.#drawn.set(item.seq, { item, element });
    return element;
  }

  #redraw(seq) {
    const drawn = this.#drawn.get(seq);
    if (!drawn) return;
    this.#drawn.set(seq, { ...drawn, item: null });
    if (this.#stream.items.has(seq)) this.#element(this.#stream.items.get(seq));
  }

  #openMenu(item, anchor) {
    const mayDo = (grant) => may(this.#channel, grant);
    const isOwn = item.author_id === session.userId;
    // Only what the composer can show whole can be changed in it: the rest would lose what it does not know.
    const canEdit = (mayDo("edit_posts") || (isOwn && mayDo("post"))) && ["text", "image", "text_and_image"].includes(item.kind) && item.custom === null;
    const entries = [
      item.reactions.total > 0 ? { label: t("reactors.title"), icon: "smile", act: () => showReactors(this.#stream, item) } : null,
      mayDo("pin_posts") ? { label: t(item.pinned ? "posts.unpin" : "posts.pin"), icon: "pin", act: () => this.#mark(item, "pin", !item.pinned) } : null,
      mayDo(isOwn ? "post" : "edit_posts") ? { label: t(item.reactions_frozen ? "posts.unfreeze" : "posts.freeze"), icon: "lock", act: () => this.#mark(item, "reactions-freeze", !item.reactions_frozen) } : null,
      this.#channel.settings.protect_content ? null : forwardEntry({ channel_id: this.#channel.channel_id, seq: item.seq }),
      canEdit ? { label: t("post.edit"), icon: "pen", act: () => this.#composer.edit(item) } : null,
      isOwn || mayDo("delete_posts") ? { label: t("post.recall"), icon: "trash", isDangerous: true, act: () => this.#recall(item) } : null,
    ].filter(Boolean);
    if (entries.length) menu(anchor, entries);
  }

  /** Pin it or freeze its reactions, or undo that. */
  #mark(item, what, isOn) {
    const path = `${this.#stream.path}/${part(item.seq)}`;
    return attempt(async () => {
      if (isOn) return this.#stream.add(await put(`${path}/${what}`));
      await del(`${path}/${what}`);
      return this.#stream.add(await get(path));
    });
  }

  async #recall(item) {
    if (!(await sure({ title: t("post.recall"), text: t("post.recall.sure"), action: t("post.recall") }))) return;
    if (await attempt(() => this.#stream.recall(item.seq))) notice(t("compose.recalled"));
  }
}

/** Below the post: what its readers do not see, or not so. */
function showMarks(element, item) {
  const line = element.querySelector(".post-marks") ?? element.appendChild(h("p.post-marks.soft"));
  const marks = [
    item.pinned ? h("span.post-mark", {}, icon("pin"), t("posts.pinned")) : null,
    item.reactions_frozen ? h("span.post-mark", {}, icon("lock"), t("posts.frozen")) : null,
    item.silent ? h("span", {}, t("posts.silent")) : null,
    item.signature ? h("span", { dir: "auto" }, t("posts.signed", { name: item.signature })) : null,
    h("span", {}, t("posts.views", { n: item.views ?? 0 })),
    h("span", {}, t("posts.reactions", { n: item.reactions?.total ?? 0 })),
  ];
  fill(line, marks);
  line.hidden = Boolean(item.recalled_at);
}
