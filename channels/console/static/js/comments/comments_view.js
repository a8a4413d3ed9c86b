// The comments on a post of a channel: the post above, the comments as in a chat, and the field in which one writes.
//
// Who may write follows the channel's setting and the post, and is said in words where it is nobody, or not the reader.
// Comments of people whom the reader has blocked are folded away. Staff moderates here: deletes, bans from commenting,
// closes the comments of the post. Nothing here counts as unread.

import "./texts.js";
import { plainText } from "../../sdk/core/markup.js";
import { del, get, Problem, part, put } from "../client/api.js";
import { blocks } from "../client/blocks.js";
import { conversations, groupConversationId } from "../client/conversations.js";
import { isStaff, may } from "../client/grants.js";
import { KeptDraft } from "../client/kept_draft.js";
import { commentsConversationId, postComments } from "../client/message_stream.js";
import { personOf } from "../client/people.js";
import { session } from "../client/session.js";
import { ChatView } from "../conversation/chat_view.js";
import { businessNote } from "../reader/business.js";
import { subscribeButton } from "../reader/subscribe.js";
import { restrictionNotice, suspensionNotice } from "../reports/sanctions.js";
import { channelPath, commentsPath, dialoguePath, go } from "../router.js";
import { t } from "../texts.js";
import { fill, h, uniqueId } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, confirmDialog, notice } from "../ui/overlay.js";
import { contentPreview, lastMessageText } from "../ui/previews.js";
import { loadStyle } from "../ui/style_sheet.js";

await loadStyle("css/comments.css");

/** Characters of a post that stand above its comments, as far as they fit into three lines. */
const SHOWN = 400;
/** Events of the channel after which what the user may do here has to be looked at again. */
const CHANGES_RIGHTS = new Set(["channel.updated", "channel.subscribed", "channel.unsubscribed", "member.changed"]);
/** What the server answers where the user may write no comment, and the text that says so from then on. */
const REFUSED = /** @type {{ [code: string]: App.TextKey }} */ ({
  commenting_banned: "comments.banned",
  comments_frozen: "comments.closed",
  comments_off: "comments.off",
  comment_limit_reached: "comments.full",
});

/** @extends {ChatView<App.Commented>} */
export class CommentsView extends ChatView {
  /**
   * @param {string} channelId
   * @param {number} postSeq
   */
  constructor(channelId, postSeq) {
    super(channelId, commentsConversationId(channelId, postSeq));
    this.#postSeq = postSeq;
    this.#draft = new KeptDraft(`${channelId} comments ${postSeq}`);
    this.element.classList.add("comments");
    blocks.addEventListener("change", this.#onNames);
    this.load();
  }

  #postSeq;
  #draft;
  /** Why the server took no comment of the user, until something changes. @type {App.TextKey | null} */
  #refused = null;
  #isAsChannel = false;
  /** Comments of blocked people that the user wanted to see. @type {Set<number>} */
  #unfolded = new Set();
  /** @type {string | null} */
  #problem = null;

  close() {
    super.close();
    blocks.removeEventListener("change", this.#onNames);
  }

  #onNames = () => this.history?.renderAgain();

  // --- what is loaded

  /** @returns {App.ChannelPath} */
  get #channelPath() {
    return `/v1/channels/${part(this.id)}`;
  }

  /** @returns {`${App.ChannelPath}/posts/${number}`} */
  get #postPath() {
    return `${this.#channelPath}/posts/${this.#postSeq}`;
  }

  async fetchInfo() {
    const channel = conversations.knownChannel(this.id)?.channel ?? (await get(this.#channelPath));
    if (channel.settings.comments === "off") throw new Problem(403, "comments_off", "");
    const [post, newest] = await Promise.all([
      get(this.#postPath),
      // A link to a comment loads those around it, which do not tell how many come after them.
      get(`${this.#postPath}/comments`, { limit: 1 }),
      blocks.load().catch(() => {}),
    ]);
    this.#refused = null;
    return { name: channel.name, face_url: channel.face_url, head_seq: newest.items[0]?.seq ?? 0, channel, post };
  }

  /** @param {number} headSeq */
  createStream(headSeq) {
    return postComments(this.id, this.#postSeq, headSeq);
  }

  /** It is in no list of conversations, and nothing in it is unread. */
  get isMember() {
    return false;
  }

  get isSearchable() {
    return false;
  }

  get placeName() {
    return "comment";
  }

  get above() {
    return channelPath(this.id, this.#postSeq);
  }

  /** @returns {App.Identity} */
  get identity() {
    return { id: this.id, name: t("comments.title"), url: this.info.face_url, shape: "tile" };
  }

  get picture() {
    return { ...this.identity, name: this.info.name };
  }

  get subtitle() {
    return this.info.name;
  }

  get goneText() {
    return t(this.#problem === "comments_off" ? "comments.off" : "comments.gone");
  }

  /** @param {App.Failure} problem */
  showProblem(problem) {
    this.#problem = problem.code ?? null;
    super.showProblem(problem);
  }

  onOpened() {
    this.#showPost();
  }

  async reload() {
    await super.reload();
    if (this.history && !this.isClosed) this.#showPost();
  }

  showProfile() {
    go(this.above);
  }

  /** The post, above its comments. */
  #showPost() {
    const { post } = this.info;
    const isText = post.text && !post.title && !post.poll;
    const beginning = isText ? plainText(String(post.text).slice(0, SHOWN)) : contentPreview(post);
    const text = post.recalled_at ? t("post.deleted") : beginning;
    this.banner.hidden = false;
    fill(
      this.banner,
      h(
        "a.comments-post",
        { href: this.above, "data-inside": true, "aria-label": t("comments.toPost", { text }) },
        icon("reader"),
        h("span", { dir: "auto" }, text),
      ),
    );
  }

  // --- who may do what

  /** @param {Api.Grant} grant */
  #may(grant) {
    return may(this.info.channel, grant);
  }

  get isStaff() {
    return this.#may("delete_posts");
  }

  /** Whether the user may comment in the name of the channel. */
  get #mayBeChannel() {
    return isStaff(this.info.channel) && this.#may("post");
  }

  /** Why the user may not comment; null where they may. @returns {App.TextKey | "business" | "subscribe" | null} */
  get #refusal() {
    const { channel, post } = this.info;
    const { comments } = channel.settings;
    if (post.recalled_at) return "comments.postDeleted";
    if (comments === "off") return "comments.off";
    if (post.comments_frozen) return "comments.closed";
    if (session.isBusiness && !this.#mayBeChannel) return "business";
    if (comments === "subscribers" && channel.subscribed_at === null) return "subscribe";
    return this.#refused;
  }

  /** Where the application stopped the channel or the user. */
  #stopped() {
    return suspensionNotice(this.info.channel) ?? restrictionNotice();
  }

  get maySend() {
    return this.#refusal === null && this.#stopped() === null;
  }

  get mayReact() {
    const { channel, post } = this.info;
    const isLetIn = channel.subscribed_at !== null || channel.settings.comments === "everyone";
    return isLetIn && this.mayWrite && !post.recalled_at;
  }

  get reactionPolicy() {
    return this.info.channel.settings.reactions;
  }

  /** @param {App.Item} item */
  mayEdit(item) {
    return this.maySend && (item.is_channel ? this.#mayBeChannel : this.isOwn(item));
  }

  /**
   * One's own at any time.
   * @param {App.Item} item
   * @param {boolean} isOwn
   */
  mayDelete(item, isOwn) {
    return isOwn || item.author_id === session.userId || this.isStaff;
  }

  // --- the comments

  /** @param {App.Item} item */
  senderOf(item) {
    const { channel } = this.info;
    if (item.is_channel) return { name: channel.name, faceUrl: channel.face_url, href: null };
    const id = item.sender_id;
    if (!id) return null;
    // Events carry no names.
    const { name, face_url: faceUrl } = item.sender_name
      ? { name: item.sender_name, face_url: item.sender_face_url ?? "" }
      : personOf(id, this.#onNames);
    return { name, faceUrl, href: session.isBusiness ? null : dialoguePath(id) };
  }

  /**
   * A page carries what its comments quote, so that it need not be loaded.
   * @param {App.Item} item
   */
  quoteOf(item) {
    const { quote } = item;
    if (!quote || this.stream.items.has(quote.seq)) return super.quoteOf(item);
    const name = quote.sender_id === session.userId ? t("quote.you") : quote.sender_name;
    const line = lastMessageText({ preview: quote.preview ?? "", kind: quote.kind, recalled: quote.recalled });
    const open = () => this.history?.jumpTo(quote.seq);
    return { name: quote.recalled ? "" : name, text: line, isMissing: false, open };
  }

  /**
   * @param {App.Item} item
   * @param {HTMLElement | null} old
   */
  renderItem(item, old) {
    const isOfBlocked = blocks.has(item.sender_id ?? "") || Boolean(item.sender_blocked);
    if (!isOfBlocked || this.#unfolded.has(item.seq) || item.recalled_at)
      return super.renderItem(item, old?.dataset.folded ? null : old);
    if (old?.dataset.folded) return old;
    const unfold = () => {
      this.#unfolded.add(item.seq);
      this.history?.renderAgain();
      this.history?.focusCurrent();
    };
    const show = h("button.plain.small", { type: "button", on: { click: unfold } }, t("comments.blocked.show"));
    const line = h("p.soft", {}, t("comments.blocked"));
    return h("li.message.first.folded", { data: { folded: "true" } }, h("div.post-body", {}, line), show);
  }

  /** @param {App.Item} item @returns {Api.TargetBody} */
  reportTarget({ seq }) {
    return { type: "comment", channel_id: this.id, post_seq: this.#postSeq, seq };
  }

  /**
   * @param {App.Item} item
   * @returns {App.MenuEntry[]}
   */
  entries(item) {
    const { sender_id: userId, seq } = item;
    const link = async () => {
      const { showAddress } = await import("../share/share.js");
      showAddress(t("comments.link"), location.origin + commentsPath(this.id, this.#postSeq, seq));
    };
    /** @type {App.MenuEntry[]} */
    const entries = [...super.entries(item), { label: t("comments.link"), icon: "link", act: () => attempt(link) }];
    if (this.#may("manage_subscribers") && userId && userId !== session.userId)
      entries.push({ label: t("comments.ban"), icon: "block", isDangerous: true, act: () => this.#ban(item, userId) });
    return entries;
  }

  /**
   * @param {App.Item} item
   * @param {string} userId
   */
  async #ban(item, userId) {
    const user = this.senderOf(item)?.name ?? userId;
    const texts = { title: t("comments.ban"), text: t("comments.ban.confirm", { user }), action: t("comments.ban") };
    if (!(await confirmDialog(texts))) return;
    if (await attempt(() => put(`${this.#channelPath}/comment-bans/${part(userId)}`)))
      notice(t("comments.ban.done", { user }));
  }

  /** @returns {App.MenuEntry[]} */
  menuEntries() {
    const { post } = this.info;
    const isOwn = post.author_id === session.userId;
    if (post.recalled_at || !this.#may(isOwn ? "post" : "edit_posts")) return [];
    const isClosed = post.comments_frozen;
    const label = t(isClosed ? "comments.reopen" : "comments.close");
    return [{ label, icon: "lock", act: () => this.#setClosed(!isClosed) }];
  }

  /** @param {boolean} isClosed */
  async #setClosed(isClosed) {
    const path = /** @type {const} */ (`${this.#postPath}/comments-freeze`);
    if (await attempt(() => (isClosed ? put(path) : del(path)))) this.#setPost({ comments_frozen: isClosed });
  }

  /** @param {Partial<App.Commented["post"]>} changes */
  #setPost(changes) {
    const { info } = this;
    this.#refused = null;
    this.info = { ...info, post: { ...info.post, ...changes } };
    this.#showPost();
    this.showHeader();
    this.showFooter();
    this.history?.renderAgain();
  }

  // --- writing

  get keptDraft() {
    return this.#draft.value.post?.text ?? "";
  }

  /** @param {string} text On this device: no conversation of the user holds it. */
  keepDraft(text) {
    this.#draft.update({ post: text ? { text } : undefined });
  }

  /** The server refuses links, which comments carry in their text. */
  get hasLinkPreview() {
    return false;
  }

  get writerLabel() {
    return t("comments.first");
  }

  /**
   * @param {Api.NewChatMessage} body
   * @param {string} key
   */
  async send(body, key) {
    const isAsChannel = this.#mayBeChannel && (this.#isAsChannel || session.isBusiness);
    try {
      await this.stream.post(/** @type {never} */ ({ ...body, ...(isAsChannel && { as_channel: true }) }), key);
    } catch (error) {
      const refused = REFUSED[/** @type {{ code?: string }} */ (error).code ?? ""] ?? null;
      if (refused) {
        this.#refused = refused;
        this.showFooter();
      }
      throw error;
    }
  }

  renderFooter() {
    const refusal = this.#refusal;
    const { channel } = this.info;
    const stopped = refusal === null ? this.#stopped() : null;
    if (stopped) fill(this.footer, stopped);
    else if (refusal === null) fill(this.footer, this.writerElement(), this.#authorLine());
    else if (refusal === "business") fill(this.footer, businessNote());
    else if (refusal === "subscribe")
      fill(
        this.footer,
        h(
          "div.join",
          {},
          h("p", {}, t("comments.subscribersOnly")),
          subscribeButton(channel, null, () => this.reload()),
        ),
      );
    else fill(this.footer, this.readOnlyElement(t(refusal)));
  }

  /** In whose name one writes: everybody sees it. Staff may choose. */
  #authorLine() {
    const { name } = this.info.channel;
    const own = personOf(session.userId ?? "", () => this.showFooter()).name;
    if (session.isBusiness) return h("p.comments-author.soft", {}, t("comments.as", { name }));
    if (!this.#mayBeChannel) return h("p.comments-author.soft", {}, t("comments.as", { name: own }));
    const id = uniqueId("author");
    const select = h(
      "select",
      {
        id,
        on: {
          change: () => {
            this.#isAsChannel = select.value === "channel";
          },
        },
      },
      h("option", { value: "self" }, own),
      h("option", { value: "channel", selected: this.#isAsChannel }, name),
    );
    return h("p.comments-author.soft", {}, h("label", { for: id }, t("comments.author")), select);
  }

  // --- events

  /** @param {App.Event} event */
  onEvent(event) {
    if (event.conversation_id !== groupConversationId(this.id) || !this.history) return;
    const isMe = event.user_id === session.userId;
    if (event.type === "channel.deleted") this.showProblem({ status: 404 });
    else if (CHANGES_RIGHTS.has(event.type) && (isMe || event.type === "channel.updated")) this.reload();
    else if (["message.edited", "message.recalled"].includes(event.type) && event.seq === this.#postSeq)
      this.#setPost(/** @type {Partial<App.Commented["post"]>} */ (event.post ?? {}));
  }
}
