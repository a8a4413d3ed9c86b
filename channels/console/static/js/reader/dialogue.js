// A one-to-one chat, open: with a person, or in private with a channel, which any of its admins answers in its name.

import { Problem, del, get, lookUp, part, put } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { dialogueOf, inbox, isChannelId, previewOf } from "../inbox.js";
import { attempt, dialog, notice, sure } from "../overlay.js";
import { asked, channelPath } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { blocks } from "./blocks.js";
import { takesMessages } from "./channel.js";
import { subscribeButton } from "./directory.js";
import { MessageTalk } from "./messages.js";
import { shownPreview } from "./previews.js";

const LONGEST_QUOTE = 80; // characters

export class DialogueTalk extends MessageTalk {
  constructor(peerId) {
    super("dialogue", peerId, dialogueOf(peerId), dialogueOf(peerId));
    this.element.classList.add("between-two");
    blocks.addEventListener("change", this.#onBlocks);
    this.load();
  }

  close() {
    super.close();
    blocks.removeEventListener("change", this.#onBlocks);
  }

  #onBlocks = () => {
    if (!this.history) return;
    this.showFoot();
    this.history.redraw();
  };

  /** The channel, or the person, as far as they show themselves; and whom I block. */
  async fetch() {
    const [shown] = await Promise.all([this.#fetchPeer(), blocks.load()]);
    return { head_seq: 0, ...shown };
  }

  async #fetchPeer() {
    const kind = this.#isChannel ? ["/v1/channels", "channel_id"] : ["/v1/users", "user_id"];
    const shown = (await lookUp(...kind, [this.id])).get(this.id);
    if (shown) return { name: shown.name || this.id, face_url: shown.face_url, channel: this.#isChannel ? shown : undefined };
    // Nobody needs to have told a name to be written to; and a channel that is closed to me goes on answering.
    const row = await inbox.find(this.conversationId);
    if (this.#isChannel && row === null) throw new Problem(404, "channel_not_found", "");
    return { name: row?.title ?? this.id, face_url: row?.face_url ?? "" };
  }

  get #isChannel() {
    return isChannelId(this.id);
  }

  get #isSelf() {
    return this.id === session.userId;
  }

  get goneText() {
    return t(this.#isChannel ? "channel.gone" : "dialogue.gone");
  }

  get face() {
    return { id: this.id, name: this.#isSelf ? t("dialogue.self") : this.place.name, url: this.place.face_url, shape: this.#isChannel ? "tile" : "round" };
  }

  get subtitle() {
    if (this.#isChannel) return t("dialogue.private");
    if (this.#isSelf) return t("dialogue.self.lead");
    return this.place.name === this.id ? null : this.id;
  }

  tools() {
    return this.place.channel
      ? h("a.quiet.square", { href: channelPath(this.id), "data-inside": true, "aria-label": t("dialogue.channel"), title: t("dialogue.channel") }, icon("reader"))
      : null;
  }

  lastEntries() {
    if (this.#isSelf) return [];
    const { name } = this.face;
    return blocks.has(this.id)
      ? [{ label: t("block.lift", { name }), icon: "block", act: () => this.#block(false) }]
      : [{ label: t("block.do", { name }), icon: "block", isDangerous: true, act: () => this.#block(true) }];
  }

  async #block(isOn) {
    const { name } = this.face;
    if (isOn && !(await sure({ title: t("block.do", { name }), text: t("block.sure", { name }), action: t("block") }))) return;
    const path = `/v1/blocks/${part(this.id)}`;
    const done = await attempt(async () => {
      await (isOn ? put(path) : del(path));
      blocks.set(this.id, isOn);
    });
    if (done) notice(t(isOn ? "block.done" : "block.lifted", { name }));
  }

  showProfile() {
    dialog({ title: this.face.name, className: "profile", build: () => h("div.sheet-body", {}, this.profile()) });
  }

  profile() {
    return this.place.channel?.introduction ? [super.profile(), h("p.text", { dir: "auto" }, this.place.channel.introduction)] : super.profile();
  }

  get maySend() {
    const { channel } = this.place;
    return !blocks.has(this.id) && (!this.#isChannel || !channel || takesMessages(channel));
  }

  get reactions() {
    return "all";
  }

  get react() {
    return this.maySend ? (seq, emoji, isOn) => attempt(() => this.stream.react(seq, emoji, isOn)) : null;
  }

  get forwardable() {
    return this.place.channel?.settings.protect_content ? null : { conversation_id: this.conversationId };
  }

  fillFoot() {
    const { name } = this.face;
    if (this.maySend) {
      fill(this.foot, this.writerElement());
    } else if (blocks.has(this.id)) {
      fill(this.foot, h("div.join", {}, h("p", { dir: "auto" }, t("block.is", { name })),
        h("button.plain", { type: "button", on: { click: () => this.#block(false) } }, t("block.lift.short"))));
    } else if (this.place.channel.settings.accept_messages === "subscribers") {
      fill(this.foot, h("div.join", {}, h("p", { dir: "auto" }, t("dialogue.subscribers", { name })), subscribeButton(this.place.channel, null, () => this.reload())));
    } else {
      fill(this.foot, this.cannot(t("dialogue.closed", { name })));
    }
  }

  shown() {
    this.#quote();
  }

  moved() {
    super.moved();
    this.#quote();
  }

  /** What is written now is about that post: it goes along as a link, by which those who answer find it. */
  async #quote() {
    const seq = asked("about");
    if (seq === null || !this.place.channel || !this.maySend) return;
    await attempt(async () => {
      const post = await get(`/v1/channels/${part(this.id)}/posts/${seq}`);
      if (post.recalled_at || this.isClosed) return;
      const title = [...shownPreview({ preview: previewOf(post) })].slice(0, LONGEST_QUOTE).join("");
      this.writer?.about({ title, url: location.origin + channelPath(this.id, seq) });
    });
  }

  hear(event) {
    if (!this.history) return;
    if (event.conversation_id === this.conversationId && event.type === "conversation.ended") this.showRefusal({ status: 404 });
    // The channel itself, whose settings say whether it takes messages.
    else if (event.channel_id === this.id && ["channel.updated", "channel.subscribed", "channel.unsubscribed"].includes(event.type)) this.reload();
  }
}
