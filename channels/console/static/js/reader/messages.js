// What a chat group and a one-to-one chat have in common: messages of people, and writing, editing and taking back.

import { h } from "../dom.js";
import { inbox } from "../inbox.js";
import { limits } from "../limits.js";
import { attempt, menu, notice, sure } from "../overlay.js";
import { session } from "../session.js";
import { t } from "../texts.js";
import { forwardEntry } from "./forward.js";
import { messageElement } from "./items.js";
import { Talk } from "./talk.js";
import { Writer } from "./writer.js";

const SAME_BREATH = 600_000; // milliseconds between messages that stand together
const EDITABLE = new Set(["text", "text_and_image", "image"]);

export class MessageTalk extends Talk {
  writer = null;

  close() {
    super.close();
    this.writer?.keep();
  }

  /** The policy of reactions, and how one reacts; null where nobody does. */
  get reactions() {
    return null;
  }
  get react() {
    return null;
  }
  /** {name, face_url, href} of who wrote; null where that is clear without words. */
  senderOf() {
    return null;
  }
  get maySend() {
    return true;
  }
  /** Whether I may take back what others wrote, and my own at any time. */
  get isStaff() {
    return false;
  }
  /** Where its messages are, for who forwards one; null where nobody may. */
  get forwardable() {
    return null;
  }
  entriesOf() {
    return [];
  }

  /** Where one writes, made once. */
  writerElement() {
    this.writer ??= new Writer({
      send: (body, key) => this.stream.write(body, key),
      dropTarget: this.element,
      draft: this.row?.draft ?? "",
      onDraft: (draft) => {
        // What was never begun has no place to keep it.
        if (this.row) inbox.set(this.conversationId, { draft }).catch(() => {});
      },
    });
    return this.writer.element;
  }

  draw(item, old) {
    const isOwn = item.sender_id === session.userId;
    const before = this.stream.items.get(item.seq - 1);
    const isFirst = before?.sender_id !== item.sender_id || new Date(item.created_at) - new Date(before.created_at) > SAME_BREATH;
    const sender = item.sender_id && !isOwn ? this.senderOf(item) : null;
    // Whether one may react is fixed when an element is made.
    const may = String(this.react !== null);
    const element = messageElement(item, {
      policy: this.reactions,
      react: this.react,
      sender,
      isOwn,
      isFirst,
      more: this.#entries(item).length ? (message, anchor) => this.#openMenu(message, anchor) : null,
    }, old?.dataset.react === may ? old : null);
    element.dataset.react = may;
    return element;
  }

  #entries(item) {
    const isOwn = item.sender_id === session.userId;
    const entries = [...this.entriesOf(item), ...(this.forwardable ? [forwardEntry({ ...this.forwardable, seq: item.seq })] : [])];
    if (isOwn && this.maySend && EDITABLE.has(item.kind)) {
      entries.push({ label: t("post.edit"), icon: "pen", act: () => this.writer?.edit(item, (body) => this.stream.edit(item.seq, body)) });
    }
    if (this.#mayRecall(item, isOwn)) entries.push({ label: t("post.recall"), icon: "trash", isDangerous: true, act: () => this.#recall(item) });
    return entries;
  }

  #openMenu(item, anchor) {
    const entries = this.#entries(item);
    if (entries.length) menu(anchor, entries);
    else notice(t("error.recall_too_late"));
  }

  #mayRecall(item, isOwn) {
    if (this.isStaff) return true;
    // After a while the server refuses; offered is what it would take.
    const window = limits.recall_seconds;
    return isOwn && (window === null || Date.now() - new Date(item.created_at) < window * 1000);
  }

  async #recall(item) {
    const isSure = await sure({ title: t("post.recall"), text: t("post.recall.sure"), action: t("post.recall") });
    if (isSure) await attempt(() => this.stream.recall(item.seq));
  }

  cannot(...children) {
    return h("p.soft.cannot", {}, children);
  }
}
