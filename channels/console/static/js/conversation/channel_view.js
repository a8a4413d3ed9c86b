// An open channel: its posts and pinned posts, subscribing and unsubscribing, and the way to a private message.

import { get, part } from "../client/api.js";
import { conversations, dialogueConversationId } from "../client/conversations.js";
import { isStaff } from "../client/grants.js";
import { channelPosts } from "../client/message_stream.js";
import { reportSeen } from "../client/seen_posts.js";
import { session } from "../client/session.js";
import { businessNote } from "../reader/business.js";
import { subscribeButton, unsubscribe } from "../reader/subscribe.js";
import { reportEntry } from "../reports/report_entry.js";
import { restrictionNotice, suspensionNotice } from "../reports/sanctions.js";
import { commentsPath, consolePath, dialoguePath, go, publicPath } from "../router.js";
import { t } from "../texts.js";
import { verifiedMark } from "../ui/avatar.js";
import { fill, h } from "../ui/dom.js";
import { day } from "../ui/format.js";
import { icon } from "../ui/icons.js";
import { attempt, confirmDialog, dialog, menu, notice } from "../ui/overlay.js";
import { ConversationView } from "./conversation_view.js";
import { forwardEntry } from "./forward_entry.js";
import { postElement } from "./items.js";
import { PinStrip } from "./pins.js";

const FRESH = 60_000; // milliseconds

/**
 * Whether the channel's settings allow the user to send it private messages.
 * @param {Pick<Api.ChannelResponse, "settings" | "subscribed_at">} channel
 */
export function acceptsMessages({ settings, subscribed_at: subscribedAt }) {
  return (
    settings.accept_messages === "everyone" || (settings.accept_messages === "subscribers" && subscribedAt !== null)
  );
}

/** @extends {ConversationView<Api.ChannelResponse>} */
export class ChannelView extends ConversationView {
  #pins;
  #isOld = false;

  /** @param {string} id */
  constructor(id) {
    super(id);
    this.#pins = new PinStrip({ channelId: id, element: this.banner, onOpen: (seq) => this.history?.jumpTo(seq) });
    this.load();
  }

  close() {
    super.close();
    this.#pins.close();
  }

  async fetchInfo() {
    // At first the list of conversations knows the channel. Events say when it has to be loaded again.
    const known = this.info === null ? conversations.knownChannel(this.id) : undefined;
    this.#isOld = known !== undefined && Date.now() - known.at > FRESH;
    // Loaded together, so that the posts do not move when the pins appear.
    const [channel] = await Promise.all([known?.channel ?? this.#fetchChannel(), this.#pins.load()]);
    return channel;
  }

  #fetchChannel() {
    return get(`/v1/channels/${part(this.id)}`);
  }

  /** No event tells how many subscribe. */
  async onOpened() {
    if (!this.#isOld) return;
    const channel = await this.#fetchChannel().catch(() => null);
    if (channel === null || this.isClosed) return;
    this.info = channel;
    this.showHeader();
  }

  /** @param {number} headSeq */
  createStream(headSeq) {
    return channelPosts(this.id, headSeq);
  }

  get isMember() {
    return this.info.subscribed_at !== null;
  }

  get #isStaff() {
    return isStaff(this.info) || session.isAdmin;
  }

  get goneText() {
    return t("channel.gone");
  }

  /** @returns {App.Identity} */
  get identity() {
    return { id: this.id, name: this.info.name, url: this.info.face_url, shape: "tile" };
  }

  get subtitle() {
    return t("channel.subscribers", { n: this.info.subscriber_count });
  }

  nameMarks() {
    return verifiedMark(this.info);
  }

  /** The staff answers in the console. Others may open the chat if the channel accepts messages or they have one already. */
  get #mayOpenChat() {
    const hasChat = conversations.byId.has(dialogueConversationId(this.id));
    return !this.#isStaff && !session.isBusiness && (hasChat || this.info.settings.accept_messages !== "nobody");
  }

  headerTools() {
    return this.#mayOpenChat
      ? h(
          "a.quiet.square",
          {
            href: dialoguePath(this.id),
            "data-inside": true,
            "aria-label": t("dialogue.write"),
            title: t("dialogue.write"),
          },
          icon("letter"),
        )
      : null;
  }

  /** @returns {App.MenuEntry[]} */
  menuEntries() {
    return [
      this.#shareEntry(null),
      ...(this.#isStaff
        ? [/** @type {const} */ ({ label: t("channel.manage"), icon: "pen", act: () => go(consolePath(this.id)) })]
        : []),
    ];
  }

  /** @returns {App.MenuEntry[]} */
  leavingEntries() {
    /** @type {App.MenuEntry[]} */
    const reporting = this.#isStaff ? [] : [reportEntry({ type: "channel", channel_id: this.id })];
    if (!this.isMember || this.info.role === "owner") return reporting;
    return [
      ...reporting,
      { label: t("channel.unsubscribe"), icon: "out", isDangerous: true, act: () => this.#unsubscribe() },
    ];
  }

  async #unsubscribe() {
    const { name } = this.info;
    const isSure = await confirmDialog({
      title: t("channel.unsubscribe"),
      text: t("channel.unsubscribe.confirm", { name }),
      action: t("channel.unsubscribe"),
    });
    if (!isSure || !(await unsubscribe(this.id))) return;
    notice(t("channel.unsubscribed", { name }));
    go("/", { replace: true });
  }

  get menuChannel() {
    return this.info;
  }

  showProfile() {
    const address = publicPath(this.info);
    dialog({
      title: this.info.name,
      className: "profile",
      build: () =>
        h(
          "div.sheet-body",
          {},
          this.profile(),
          address ? h("a", { href: address, target: "_blank", rel: "noopener" }, t("channel.public")) : null,
        ),
    });
  }

  /**
   * Also whether the owner made public what was written before the group became a channel, and whether clicks are counted.
   * @returns {App.Child[]}
   */
  profile() {
    const { history_shared_at: sharedAt } = this.info;
    const shared = sharedAt ? h("p.soft", {}, t("channel.historyShared", { date: day(sharedAt) })) : null;
    const counted = this.info.settings.count_clicks ? h("p.soft", {}, t("channel.clicksCounted")) : null;
    return [...super.profile(), shared, counted];
  }

  renderFooter() {
    const { info } = this;
    if (this.isMember) fill(this.footer, suspensionNotice(info) ?? restrictionNotice());
    else if (session.isBusiness) fill(this.footer, businessNote());
    else
      fill(
        this.footer,
        h(
          "div.join",
          {},
          suspensionNotice(info),
          h("p", { dir: "auto" }, info.introduction),
          subscribeButton(info, null, () => this.reload()),
        ),
      );
  }

  /** @param {number[]} seqs */
  onSeen = async (seqs) => this.stream.setViewCounts(await reportSeen(this.id, seqs));

  /**
   * @param {App.Item} item
   * @param {HTMLElement | null} old
   */
  renderItem(item, old) {
    // The server refuses reactions to what was written before the group became a channel, unless that is public.
    const mayReact = this.isMember && this.mayWrite && item.seq >= this.info.public_from_seq;
    /** @type {App.React | null} */
    const react = mayReact ? (seq, emoji, isOn) => attempt(() => this.stream.react(seq, emoji, isOn)) : null;
    /** @type {App.Polls} */
    const polls = {
      vote: mayReact ? (seq, chosen) => this.stream.vote(seq, chosen) : null,
      reload: (seq) => this.stream.reload(seq),
    };
    /** @type {App.Buttons} */
    const buttons = {
      channelId: this.id,
      channelName: this.info.name,
      press: mayReact ? (seq, index) => this.press(seq, index) : null,
      refusal: this.isMember || session.isBusiness ? null : t("channel.buttonsForMembers"),
    };
    // What an older version kept on this device does not say whether there are comments.
    const hasComments = ["subscribers", "everyone"].includes(this.info.settings.comments);
    const commentsHref = hasComments ? commentsPath(this.id, item.seq) : null;
    const replyHref = this.#mayOpenChat && acceptsMessages(this.info) ? dialoguePath(this.id, item.seq) : null;
    const mayForward = !this.info.settings.protect_content;
    // To others than the staff, posts name their author only where the reader wrote them before, and may delete them.
    const mayDelete = !this.#isStaff && item.author_id === session.userId;
    /** @type {App.OpenItemMenu | null} */
    const openMenu = (post, anchor) =>
      menu(anchor, [
        this.#shareEntry(post.seq),
        ...(mayForward ? [forwardEntry({ channel_id: this.id, seq: post.seq })] : []),
        ...(mayDelete ? [this.#deletingEntry(post.seq)] : []),
        ...(this.#isStaff ? [] : [reportEntry({ type: "post", channel_id: this.id, seq: post.seq })]),
      ]);
    // An element is made for a user who may react or for one who may not, and cannot change that.
    const isMember = String(this.isMember);
    const element = postElement(
      item,
      {
        channel: this.info,
        react,
        polls,
        buttons,
        // The server does not ask the author, whom only the staff know.
        acknowledge: mayReact && item.author_id !== session.userId ? (seq) => this.stream.acknowledge(seq) : null,
        replyHref,
        commentsHref,
        openMenu,
        countsClicksOf: this.info.settings.count_clicks ? this.id : null,
      },
      old?.dataset.isMember === isMember ? old : null,
    );
    element.dataset.isMember = isMember;
    return element;
  }

  /**
   * @param {number | null} seq
   * @returns {App.MenuEntry}
   */
  #shareEntry(seq) {
    const act = async () => (await import("../share/share.js")).share(this.id, seq);
    return { label: t("share.do"), icon: "link", act: () => attempt(act) };
  }

  /**
   * @param {number} seq
   * @returns {App.MenuEntry}
   */
  #deletingEntry(seq) {
    const title = t("message.delete");
    const act = async () => {
      const isSure = await confirmDialog({ title, text: t("message.delete.confirm"), action: title });
      if (isSure) await attempt(() => this.stream.recall(seq));
    };
    return { label: title, icon: "trash", isDangerous: true, act };
  }

  /** @param {App.Event} event */
  onEvent(event) {
    if (event.conversation_id !== this.conversationId || !this.history) return;
    this.#pins.onEvent(event);
    const isMe = event.user_id === session.userId;
    if (["channel.updated", "channel.suspended", "channel.reinstated"].includes(event.type)) this.reload();
    else if (event.type === "channel.deleted") this.showProblem({ status: 404 });
    else if (isMe && ["channel.unsubscribed", "channel.subscribed", "member.changed"].includes(event.type))
      this.reload();
  }
}
