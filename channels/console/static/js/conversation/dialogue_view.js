// An open one-to-one chat: with a person, or with a channel, whose admins answer in its name.

import { client, del, get, Problem, part, put } from "../client/api.js";
import { blocks } from "../client/blocks.js";
import { conversations, dialogueConversationId, isChannelId } from "../client/conversations.js";
import { dialogueMessages } from "../client/message_stream.js";
import { session } from "../client/session.js";
import { broadcastsEntry } from "../reader/broadcasts_entry.js";
import { businessNote } from "../reader/business.js";
import { subscribeButton } from "../reader/subscribe.js";
import { reportEntry } from "../reports/report_entry.js";
import { restrictionNotice } from "../reports/sanctions.js";
import { channelPath, queryNumber } from "../router.js";
import { t } from "../texts.js";
import { fill, h } from "../ui/dom.js";
import { icon } from "../ui/icons.js";
import { attempt, confirmDialog, dialog, notice } from "../ui/overlay.js";
import { contentPreview } from "../ui/previews.js";
import { acceptsMessages } from "./channel_view.js";
import { ChatView } from "./chat_view.js";

const MAX_QUOTE = 80; // characters

/** @extends {ChatView<App.Peer>} */
export class DialogueView extends ChatView {
  /** @param {string} peerId */
  constructor(peerId) {
    super(peerId, dialogueConversationId(peerId));
    this.element.classList.add("dialogue");
    blocks.addEventListener("change", this.#onBlocks);
    this.load();
  }

  close() {
    super.close();
    blocks.removeEventListener("change", this.#onBlocks);
  }

  #onBlocks = () => {
    if (!this.history) return;
    this.showFooter();
    this.history.renderAgain();
  };

  async fetchInfo() {
    // The conversation says whether the channel may write, also before there is a message.
    const accepting = this.#isChannel ? conversations.find(this.conversationId) : null;
    const [peer] = await Promise.all([this.#fetchPeer(), blocks.load(), accepting]);
    return peer;
  }

  /** @returns {Promise<App.Peer>} */
  async #fetchPeer() {
    if (this.#isChannel) {
      const channel = (await client.byIds("/v1/channels", "channel_id", [this.id])).get(this.id);
      if (channel) return { name: channel.name || this.id, face_url: channel.face_url, head_seq: 0, channel };
    } else {
      const user = (await client.byIds("/v1/users", "user_id", [this.id])).get(this.id);
      if (user) {
        const isBusiness = user.account_kind === "business";
        return { name: user.name || this.id, face_url: user.face_url, isBusiness, head_seq: 0 };
      }
    }
    // A user without a profile can be written to, and a channel that the user can no longer see may still answer.
    const conversation = await conversations.find(this.conversationId);
    if (this.#isChannel && conversation === null) throw new Problem(404, "channel_not_found", "");
    return { name: conversation?.title ?? this.id, face_url: conversation?.face_url ?? "", head_seq: 0 };
  }

  /** @param {number} headSeq */
  createStream(headSeq) {
    return dialogueMessages(this.conversationId, headSeq, { isWithUser: !this.#isChannel });
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

  /** @returns {App.Identity} */
  get identity() {
    return {
      id: this.id,
      name: this.#isSelf ? t("dialogue.self") : this.info.name,
      url: this.info.face_url,
      shape: this.#isChannel ? "tile" : "round",
    };
  }

  get subtitle() {
    if (this.#isChannel) return t("dialogue.private");
    if (this.#isSelf) return t("dialogue.self.lead");
    return this.info.name === this.id ? null : this.id;
  }

  headerTools() {
    return this.info.channel
      ? h(
          "a.quiet.square",
          {
            href: channelPath(this.id),
            "data-inside": true,
            "aria-label": t("dialogue.channel"),
            title: t("dialogue.channel"),
          },
          icon("reader"),
        )
      : null;
  }

  /** @returns {App.MenuEntry[]} */
  leavingEntries() {
    if (this.#isSelf) return [];
    const { name } = this.identity;
    const isOff = this.#isSwitchedOff;
    /** @type {App.MenuEntry[]} */
    const accepting = this.#isChannel
      ? [
          ...(session.isBusiness ? [] : [broadcastsEntry(this.id, name)]),
          { label: t(isOff ? "accept.on" : "accept.off", { name }), icon: "mute", act: () => this.#accept(isOff) },
        ]
      : [];
    const blocking = this.#blockingEntry(name);
    const reporting = reportEntry(
      this.#isChannel ? { type: "channel", channel_id: this.id } : { type: "user", user_id: this.id },
    );
    return [...accepting, blocking, reporting];
  }

  /** Whether the user gets no messages of this channel. */
  get #isSwitchedOff() {
    return conversations.byId.get(this.conversationId)?.accept === false;
  }

  /** @param {boolean} isOn */
  async #accept(isOn) {
    const { name } = this.identity;
    if (!(await attempt(() => conversations.change(this.conversationId, { accept: isOn })))) return;
    notice(t(isOn ? "accept.wasOn" : "accept.wasOff", { name }));
    this.showFooter();
  }

  /**
   * @param {string} name
   * @returns {App.MenuEntry}
   */
  #blockingEntry(name) {
    return blocks.has(this.id)
      ? { label: t("block.undo", { name }), icon: "block", act: () => this.#block(false) }
      : { label: t("block.do", { name }), icon: "block", isDangerous: true, act: () => this.#block(true) };
  }

  /** @param {boolean} isOn */
  async #block(isOn) {
    const { name } = this.identity;
    if (
      isOn &&
      !(await confirmDialog({ title: t("block.do", { name }), text: t("block.confirm", { name }), action: t("block") }))
    )
      return;
    const path = /** @type {const} */ (`/v1/blocks/${part(this.id)}`);
    const isDone = await attempt(async () => {
      await (isOn ? put(path) : del(path));
      blocks.set(this.id, isOn);
    });
    if (isDone) notice(t(isOn ? "block.done" : "block.undone", { name }));
  }

  get menuChannel() {
    return this.maySend ? (this.info.channel ?? null) : null;
  }

  showProfile() {
    dialog({ title: this.identity.name, className: "profile", build: () => h("div.sheet-body", {}, this.profile()) });
  }

  /** @returns {App.Child[]} */
  profile() {
    return this.info.channel?.introduction
      ? [super.profile(), h("p.text", { dir: "auto" }, this.info.channel.introduction)]
      : super.profile();
  }

  get maySend() {
    const { channel, isBusiness } = this.info;
    if (!this.mayWrite || isBusiness) return false;
    return !blocks.has(this.id) && (!this.#isChannel || !channel || acceptsMessages(channel));
  }

  /** @returns {App.ReactionPolicy} */
  get reactionPolicy() {
    return "all";
  }

  get mayReact() {
    return this.maySend;
  }

  /** @returns {App.Buttons | null} */
  get buttons() {
    if (!this.#isChannel) return null;
    const press = this.mayReact
      ? (/** @type {number} */ seq, /** @type {number} */ index) => this.press(seq, index)
      : null;
    return { channelId: this.id, channelName: this.info.name, press, isInChat: true };
  }

  get forwardSource() {
    return this.info.channel?.settings.protect_content ? null : { conversation_id: this.conversationId };
  }

  /** @param {App.Item} item @returns {Api.TargetBody} */
  reportTarget({ seq }) {
    return { type: "message", conversation_id: this.conversationId, seq };
  }

  renderFooter() {
    const { name } = this.identity;
    if (this.maySend) {
      const hint = this.#isSwitchedOff ? h("p.soft", { dir: "auto" }, t("accept.isOff", { name })) : null;
      fill(this.footer, hint, this.writerElement());
    } else if (session.isBusiness) {
      fill(this.footer, businessNote());
    } else if (!this.mayWrite) {
      fill(this.footer, restrictionNotice());
    } else if (this.info.isBusiness) {
      fill(this.footer, this.readOnlyElement(t("dialogue.business", { name })));
    } else if (blocks.has(this.id)) {
      fill(
        this.footer,
        h(
          "div.join",
          {},
          h("p", { dir: "auto" }, t("block.is", { name })),
          h("button.plain", { type: "button", on: { click: () => this.#block(false) } }, t("block.undo.short")),
        ),
      );
    } else if (this.info.channel?.settings.accept_messages === "subscribers") {
      fill(
        this.footer,
        h(
          "div.join",
          {},
          h("p", { dir: "auto" }, t("dialogue.subscribersOnly", { name })),
          subscribeButton(this.info.channel, null, () => this.reload()),
        ),
      );
    } else {
      fill(this.footer, this.readOnlyElement(t("dialogue.closed", { name })));
    }
  }

  onOpened() {
    this.#quotePost();
  }

  onAddress() {
    super.onAddress();
    this.#quotePost();
  }

  /** Sends a link to the post in the address along with the next message, so that the channel's admins can find it. */
  async #quotePost() {
    const seq = queryNumber("about");
    if (seq === null || !this.info.channel || !this.maySend) return;
    await attempt(async () => {
      const post = await get(`/v1/channels/${part(this.id)}/posts/${seq}`);
      if (post.recalled_at || this.isClosed) return;
      const title = [...contentPreview(post)].slice(0, MAX_QUOTE).join("");
      this.writer?.setLink({ title, url: location.origin + channelPath(this.id, seq) });
    });
  }

  /** @param {App.Event} event */
  onEvent(event) {
    if (!this.history) return;
    if (event.conversation_id === this.conversationId && event.type === "conversation.ended")
      this.showProblem({ status: 404 });
    // The channel's settings say whether it accepts messages.
    else if (
      event.channel_id === this.id &&
      ["channel.updated", "channel.subscribed", "channel.unsubscribed"].includes(event.type)
    )
      this.reload();
  }
}
