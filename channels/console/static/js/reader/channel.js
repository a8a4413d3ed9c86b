// A channel, open: posts, what is pinned, how one subscribes, and the way to write to it in private.

import { get, part } from "../api.js";
import { verifiedMark } from "../avatar.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { dialogueOf, inbox } from "../inbox.js";
import { attempt, dialog, menu, notice, sure } from "../overlay.js";
import { consolePath, go, publicPath, withPath } from "../router.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { subscribeButton, unsubscribe } from "./directory.js";
import { forwardEntry } from "./forward.js";
import { postElement } from "./items.js";
import { PinStrip } from "./pins.js";
import { Talk } from "./talk.js";
import { tellSeen } from "./views.js";

/** Whether the channel takes private messages from me, as far as its setting says. */
export function takesMessages({ settings, subscribed_at: subscribedAt }) {
  return settings.accept_messages === "everyone" || (settings.accept_messages === "subscribers" && subscribedAt !== null);
}

export class ChannelTalk extends Talk {
  #pins;

  constructor(id) {
    super("channel", id);
    this.#pins = new PinStrip({ channelId: id, element: this.above, onOpen: (seq) => this.history.jumpTo(seq) });
    this.load();
  }

  async fetch() {
    // Together, so that the posts have their place from the beginning.
    const [channel] = await Promise.all([get(`/v1/channels/${part(this.id)}`), this.#pins.load()]);
    return channel;
  }

  get isMember() {
    return this.place.subscribed_at !== null;
  }

  get #isStaff() {
    return this.place.role === "owner" || this.place.role === "admin" || session.isAdmin;
  }

  get goneText() {
    return t("channel.gone");
  }

  get face() {
    return { id: this.id, name: this.place.name, url: this.place.face_url, shape: "tile" };
  }

  get subtitle() {
    return t("channel.subscribers", { n: this.place.subscriber_count });
  }

  marks() {
    return verifiedMark(this.place);
  }

  /** Those who run it answer in the console; to others it is open where it takes messages, or where one has talked. */
  get #mayWrite() {
    const isSpoken = inbox.rows.has(dialogueOf(this.id));
    return !this.#isStaff && (isSpoken || this.place.settings.accept_messages !== "nobody");
  }

  tools() {
    return this.#mayWrite
      ? h("a.quiet.square", { href: withPath(this.id), "data-inside": true, "aria-label": t("dialogue.write"), title: t("dialogue.write") }, icon("letter"))
      : null;
  }

  entries() {
    return this.#isStaff ? [[{ label: t("channel.manage"), icon: "pen", act: () => go(consolePath(this.id)) }]] : [];
  }

  lastEntries() {
    if (!this.isMember || this.place.role === "owner") return [];
    return [{ label: t("channel.unsubscribe"), icon: "out", isDangerous: true, act: () => this.#leave() }];
  }

  async #leave() {
    const { name } = this.place;
    const isSure = await sure({ title: t("channel.unsubscribe"), text: t("channel.unsubscribe.sure", { name }), action: t("channel.unsubscribe") });
    if (!isSure || !(await unsubscribe(this.id))) return;
    notice(t("channel.unsubscribed", { name }));
    go("/", { replace: true });
  }

  showProfile() {
    const address = publicPath(this.place);
    dialog({
      title: this.place.name,
      className: "profile",
      build: () => h("div.sheet-body", {}, this.profile(),
        address ? h("a", { href: address, target: "_blank", rel: "noopener" }, t("channel.public")) : null),
    });
  }

  fillFoot() {
    const { place } = this;
    fill(this.foot, this.isMember ? null : h("div.join", {}, h("p", { dir: "auto" }, place.introduction), subscribeButton(place, null, () => this.reload())));
  }

  close() {
    super.close();
    this.#pins.close();
  }

  onSeen = async (seqs) => this.stream.viewed(await tellSeen(this.id, seqs));

  draw(item, old) {
    const react = this.isMember ? (seq, emoji, isOn) => attempt(() => this.stream.react(seq, emoji, isOn)) : null;
    const reply = this.#mayWrite && takesMessages(this.place) ? withPath(this.id, item.seq) : null;
    // What asks apps not to offer it is not offered; the server refuses it too.
    const more = this.place.settings.protect_content ? null : (post, anchor) => menu(anchor, [forwardEntry({ channel_id: this.id, seq: post.seq })]);
    // Whether one may react is fixed when an element is made.
    const isFor = old?.dataset.member === String(this.isMember) ? old : null;
    const element = postElement(item, { channel: this.place, react, reply, more }, isFor);
    element.dataset.member = String(this.isMember);
    return element;
  }

  hear(event) {
    if (event.conversation_id !== this.conversationId || !this.history) return;
    this.#pins.hear(event);
    const isMe = event.user_id === session.userId;
    if (event.type === "channel.updated") this.reload();
    else if (event.type === "channel.deleted") this.showRefusal({ status: 404 });
    else if (isMe && ["channel.unsubscribed", "channel.subscribed", "member.changed"].includes(event.type)) this.reload();
  }
}
