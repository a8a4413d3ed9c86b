// One thread of the inbox: the messages between a user and the channel, and a field to answer in the channel's name.

import { threadMessages } from "../../client/message_stream.js";
import { nameOf } from "../../client/people.js";
import { session } from "../../client/session.js";
import { History } from "../../conversation/history.js";
import { messageElement } from "../../conversation/items.js";
import { MessageWriter } from "../../conversation/message_writer.js";
import { Quotes } from "../../conversation/quotes.js";
import { reportEntry } from "../../reports/report_entry.js";
import { t } from "../../texts.js";
import "../broadcasts/texts.js";
import { avatar } from "../../ui/avatar.js";
import { fill, h } from "../../ui/dom.js";
import { icon } from "../../ui/icons.js";
import { attempt, confirmDialog, menu } from "../../ui/overlay.js";
import { CannedReplies } from "./canned_replies.js";
import { tagMarks, tagsButton } from "./thread_tags.js";

export class Thread {
  /**
   * `onBack()` returns to the list, on windows with no room for both.
   * @param {{ inbox: import("./channel_inbox.js").ChannelInbox; userId: string; onBack: () => unknown }} options
   */
  constructor({ inbox, userId, onBack }) {
    this.#inbox = inbox;
    this.#userId = userId;
    const thread = /** @type {Api.ThreadResponse} */ (inbox.byUserId.get(userId));
    this.#known = thread;
    this.#stream = threadMessages(inbox.channelId, userId, thread.head_seq);
    this.#history = new History({
      stream: this.#stream,
      readSeq: thread.read_seq,
      unread: thread.unread_count,
      renderItem: (item, old) => this.#message(item, old),
      onRead: (seq) => inbox.markRead(userId, seq).catch(() => {}),
    });
    this.#quotes = new Quotes(this.#stream, () => this.#history.renderAgain());
    this.#writer = new MessageWriter({ send: (body, key) => this.#answer(body, key), dropTarget: this.element });
    const replies = new CannedReplies({ channelId: inbox.channelId, writer: this.#writer.element });
    fill(
      this.element,
      h(
        "header.thread-head",
        {},
        h(
          "button.quiet.square.thread-back",
          { type: "button", "aria-label": t("inbox.back"), on: { click: onBack } },
          icon("back"),
        ),
        this.#picture,
        this.#name,
        this.#tags,
        tagsButton(inbox, userId),
      ),
      this.#history.element,
      h(
        "footer.thread-foot",
        {},
        h("div.thread-hints", {}, h("p.soft", {}, t("inbox.answersAs")), replies.button),
        this.#writer.element,
      ),
    );
    inbox.addEventListener("change", this.#showHeader);
    inbox.addEventListener("missed", this.#onMissed);
    this.#showHeader();
    attempt(() => this.#open(thread));
  }

  element = h("section.thread");
  #inbox;
  #userId;
  #stream;
  #history;
  #quotes;
  #writer;
  #picture = h("span");
  #name = h("h2.thread-name", { dir: "auto", tabindex: "-1" });
  #tags = h("span.tags");
  #known; // the thread, as the list last had it
  #isClosed = false;

  close() {
    this.#isClosed = true;
    this.#quotes.close();
    this.#history.close();
    this.#inbox.removeEventListener("change", this.#showHeader);
    this.#inbox.removeEventListener("missed", this.#onMissed);
  }

  /** Moves the focus to the name, as a new page would. */
  focus() {
    this.#name.focus({ preventScroll: true });
  }

  /** @param {Api.ThreadResponse} thread */
  async #open({ read_seq: readSeq, unread_count: unread }) {
    await this.#stream.open(unread ? readSeq : null);
    if (!this.#isClosed) this.#history.open();
  }

  get #userName() {
    return this.#known.name || this.#userId;
  }

  #showHeader = () => {
    const thread = this.#inbox.byUserId.get(this.#userId) ?? this.#known;
    this.#known = thread;
    const name = this.#userName;
    fill(this.#tags, tagMarks(thread.tags));
    fill(this.#picture, avatar({ id: this.#userId, name, url: thread.face_url, shape: "round", size: "small" }));
    this.#name.textContent = name;
  };

  /**
   * @param {App.Item} item
   * @param {HTMLElement | null} old
   */
  #message(item, old) {
    // Other admins see who answered; the user does not.
    const isMine = item.author_id === session.userId;
    return messageElement(
      item,
      {
        policy: "all",
        react: (seq, emoji, isOn) => attempt(() => this.#stream.react(seq, emoji, isOn)),
        author: item.author_id
          ? t(item.broadcast_id ? "broadcasts.inThread" : "post.by", {
              name: isMine ? t("inbox.byYou") : nameOf(item.author_id, this.#onNames),
            })
          : null,
        isOwn: Boolean(item.from_channel),
        isFirst: true,
        quote: this.#quoteOf(item),
        openMenu: (message, anchor) => this.#openMenu(message, anchor),
      },
      old,
    );
  }

  /**
   * What a message shows of the one that it answers; null where it answers none.
   * @param {App.Item} item
   * @returns {App.Quote | null}
   */
  #quoteOf({ quoted_seq: seq }) {
    return seq
      ? this.#quotes.show(
          seq,
          (item) => this.#writerOf(item),
          () => this.#history.jumpTo(seq),
        )
      : null;
  }

  /**
   * The name of the admin who answered, or of the user.
   * @param {App.Item} item
   */
  #writerOf(item) {
    if (!item.from_channel) return this.#userName;
    if (!item.author_id || item.author_id === session.userId) return t("quote.you");
    return nameOf(item.author_id, this.#onNames);
  }

  #onNames = () => this.#history.renderAgain();

  /**
   * @param {App.Item} item
   * @param {HTMLElement} anchor
   */
  #openMenu(item, anchor) {
    /** @type {App.MenuEntry[]} */
    const entries = [
      { label: t("quote.do"), icon: "reply", act: () => this.#writer.quote(item, this.#writerOf(item)) },
    ];
    // The channel cannot delete what the user wrote.
    if (!item.from_channel)
      entries.push(
        reportEntry({ type: "message", channel_id: this.#inbox.channelId, user_id: this.#userId, seq: item.seq }),
      );
    else entries.push({ label: t("message.delete"), icon: "trash", isDangerous: true, act: () => this.#delete(item) });
    menu(anchor, entries);
  }

  /** @param {App.Item} item */
  async #delete(item) {
    const isSure = await confirmDialog({
      title: t("message.delete"),
      text: t("message.delete.confirm"),
      action: t("message.delete"),
    });
    if (isSure) await attempt(() => this.#stream.recall(item.seq));
  }

  /**
   * @param {Api.NewMessage} body
   * @param {string} key
   */
  async #answer(body, key) {
    await this.#stream.post(body, key);
    this.#history.scrollToEnd();
  }

  #onMissed = () => this.#stream.catchUp().catch(() => {});
}
