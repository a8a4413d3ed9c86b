// What chat groups and one-to-one chats share: messages with senders, and writing, editing and deleting them.

import { conversations } from "../client/conversations.js";
import { limits } from "../client/limits.js";
import { session } from "../client/session.js";
import { reportEntry } from "../reports/report_entry.js";
import { t } from "../texts.js";
import { h } from "../ui/dom.js";
import { attempt, confirmDialog, menu, notice } from "../ui/overlay.js";
import { ConversationView } from "./conversation_view.js";
import { forwardEntry } from "./forward_entry.js";
import { messageElement } from "./items.js";
import { MessageWriter } from "./message_writer.js";
import { Quotes } from "./quotes.js";

const SAME_BLOCK_WITHIN = 600_000; // milliseconds between messages that are shown as one block
const EDITABLE_KINDS = new Set(["text", "text_and_image", "image"]);

/**
 * @template {App.Info} Info
 * @extends {ConversationView<Info>}
 */
export class ChatView extends ConversationView {
  /** @type {MessageWriter | null} */
  writer = null;
  /** @type {Quotes | null} */
  #quotes = null;

  // --- what subclasses define

  /**
   * Which reactions are allowed: "all", "basic", "none" or a list of emoji.
   * @returns {App.ReactionPolicy}
   */
  get reactionPolicy() {
    return "none";
  }
  get mayReact() {
    return false;
  }
  get maySend() {
    return true;
  }
  /** Whether the user may delete messages of others, and their own ones at any time. */
  get isStaff() {
    return false;
  }
  /**
   * The sender; null when it is clear who that is.
   * @param {App.Item} _item
   * @returns {App.Sender | null}
   */
  senderOf(_item) {
    return null;
  }
  /**
   * Where its messages are, for forwarding one; null where forwarding is not allowed.
   * @returns {App.ForwardSource | null}
   */
  get forwardSource() {
    return null;
  }
  /**
   * The message as a report names it; null where it cannot be reported.
   * @param {App.Item} _item
   * @returns {Api.TargetBody | null}
   */
  reportTarget(_item) {
    return null;
  }

  /**
   * What the user may do in polls; null where there are none.
   * @returns {App.Polls | null}
   */
  get polls() {
    return null;
  }
  /**
   * What the user may do with the buttons of messages; null where there are none.
   * @returns {App.Buttons | null}
   */
  get buttons() {
    return null;
  }

  /**
   * Confirms that the user has read a message that asks for it; null for those who are not asked.
   * @returns {App.Acknowledge | null}
   */
  get acknowledge() {
    return null;
  }

  /** Whether a message of the user may ask its readers to confirm that they have read it. */
  get mayAskToAcknowledge() {
    return false;
  }

  /**
   * Shows who confirmed that they have read a message; null where the user may not see that.
   * @type {((seq: number) => unknown) | null}
   */
  get showAcknowledgements() {
    return null;
  }

  /**
   * Called with the button of the writer that begins a poll; null where there are no polls.
   * @type {(() => unknown) | null}
   */
  onPoll = null;
  /**
   * Whether the user wrote the message.
   * @param {App.Item} item
   */
  isOwn(item) {
    return item.sender_id === session.userId;
  }

  close() {
    super.close();
    this.#quotes?.close();
    this.writer?.saveDraft();
  }

  writerElement() {
    this.writer ??= new MessageWriter({
      send: (body, key) => this.send(body, key),
      dropTarget: this.element,
      draft: this.keptDraft,
      onDraft: (draft) => this.keepDraft(draft),
      onPoll: this.onPoll,
      mayAsk: () => this.mayAskToAcknowledge,
      hasLinkPreview: this.hasLinkPreview,
      label: this.writerLabel,
    });
    return this.writer.element;
  }

  /**
   * @param {Api.NewChatMessage} body
   * @param {string} key
   */
  send(body, key) {
    return this.stream.post(body, key);
  }

  get hasLinkPreview() {
    return true;
  }

  get writerLabel() {
    return t("write.placeholder");
  }

  get keptDraft() {
    return this.conversation?.draft ?? "";
  }

  /** @param {string} draft */
  keepDraft(draft) {
    // A draft belongs to a conversation, which exists from the first message on.
    if (this.conversation) conversations.change(this.conversationId, { draft }).catch(() => {});
  }

  /** @param {string} text */
  readOnlyElement(text) {
    return h("p.soft.read-only", {}, text);
  }

  /**
   * @param {App.Item} item
   * @param {HTMLElement | null} old
   */
  renderItem(item, old) {
    const isOwn = this.isOwn(item);
    const before = this.stream.items.get(item.seq - 1);
    const isFirst =
      !before ||
      before.sender_id !== item.sender_id ||
      Date.parse(item.created_at) - Date.parse(before.created_at) > SAME_BLOCK_WITHIN;
    // An element is made for a user who may react or for one who may not, and cannot change that.
    const mayReact = String(this.mayReact);
    const element = messageElement(
      item,
      {
        policy: this.reactionPolicy,
        react: this.mayReact ? (seq, emoji, isOn) => attempt(() => this.stream.react(seq, emoji, isOn)) : null,
        polls: this.polls,
        buttons: this.buttons,
        acknowledge: this.acknowledge,
        sender: isOwn ? null : this.senderOf(item),
        isOwn,
        isFirst,
        quote: this.quoteOf(item),
        openMenu: this.entries(item).length ? (message, anchor) => this.#openMenu(message, anchor) : null,
      },
      old?.dataset.mayReact === mayReact ? old : null,
    );
    element.dataset.mayReact = mayReact;
    return element;
  }

  /**
   * What a message shows of the one that it quotes; null where it quotes none.
   * @param {App.Item} item
   * @returns {App.Quote | null}
   */
  quoteOf({ quoted_seq: seq }) {
    if (!seq) return null;
    this.#quotes ??= new Quotes(this.stream, () => this.history?.renderAgain());
    return this.#quotes.show(
      seq,
      (quoted) => this.#nameOf(quoted),
      () => this.history?.jumpTo(seq),
    );
  }

  /** @param {App.Item} item */
  #nameOf(item) {
    if (this.isOwn(item)) return t("quote.you");
    return this.senderOf(item)?.name || this.identity.name;
  }

  /** @param {App.Item} item */
  #mayReply(item) {
    return this.maySend && this.writer !== null && !item.recalled_at;
  }

  /**
   * Quotes the message in the writer, which gets the focus. Does nothing where the user may not write, or the message is deleted.
   * @param {App.Item} item
   */
  reply(item) {
    if (this.#mayReply(item)) this.writer?.quote(item, this.#nameOf(item));
  }

  /**
   * @param {App.Item} item
   * @returns {App.MenuEntry[]}
   */
  entries(item) {
    const isOwn = this.isOwn(item);
    /** @type {App.MenuEntry[]} */
    const entries = [];
    if (this.#mayReply(item)) entries.push({ label: t("quote.do"), icon: "reply", act: () => this.reply(item) });
    if (this.forwardSource) entries.push(forwardEntry({ ...this.forwardSource, seq: item.seq }));
    if (this.mayEdit(item) && EDITABLE_KINDS.has(item.kind ?? "")) {
      entries.push({
        label: t("post.edit"),
        icon: "pen",
        act: () => this.writer?.edit(item, (body) => this.stream.edit(item.seq, body)),
      });
    }
    const target = isOwn || item.recalled_at ? null : this.reportTarget(item);
    if (target) entries.push(reportEntry(target));
    const showConfirmed = item.acknowledge ? this.showAcknowledgements : null;
    if (showConfirmed)
      entries.push({ label: t("message.acknowledgements"), icon: "check", act: () => showConfirmed(item.seq) });
    if (this.#mayClosePoll(item, isOwn))
      entries.push({ label: t("poll.close"), icon: "lock", act: () => this.#closePoll(item) });
    if (this.mayDelete(item, isOwn))
      entries.push({ label: t("message.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(item) });
    return entries;
  }

  /**
   * @param {App.Item} item
   * @param {HTMLElement} anchor
   */
  #openMenu(item, anchor) {
    const entries = this.entries(item);
    if (entries.length) menu(anchor, entries);
    else notice(t("error.recall_too_late"));
  }

  /**
   * @param {App.Item} item
   * @param {boolean} isOwn
   */
  mayDelete(item, isOwn) {
    if (this.isStaff) return true;
    // Do not offer what the server would refuse.
    return isOwn && Date.now() - Date.parse(item.created_at) < limits.recall_seconds * 1000;
  }

  /** @param {App.Item} item */
  mayEdit(item) {
    return this.isOwn(item) && this.maySend;
  }

  /**
   * @param {App.Item} item
   * @param {boolean} isOwn
   */
  #mayClosePoll({ poll, recalled_at: recalledAt }, isOwn) {
    return Boolean(poll && !poll.closed && !recalledAt) && isOwn && this.maySend;
  }

  /** @param {App.Item} item */
  async #closePoll(item) {
    const texts = { title: t("poll.close"), text: t("poll.close.confirm"), action: t("poll.close") };
    if (await confirmDialog(texts)) await attempt(() => this.stream.closePoll(item.seq));
  }

  /** @param {App.Item} item */
  async #delete(item) {
    const isSure = await confirmDialog({
      title: t("message.delete"),
      text: t("message.delete.confirm"),
      action: t("message.delete"),
    });
    if (isSure) await attempt(() => this.stream.recall(item.seq));
  }
}
