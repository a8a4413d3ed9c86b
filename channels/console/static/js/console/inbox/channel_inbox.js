// The threads of a channel's inbox, last active first, kept up to date by events. The channel's staff shares the read state.
//
// Fires `change`, and `missed` when messages may have been missed because this user gets no events of the inbox.

import { client, get, part, post } from "../../client/api.js";
import { everyWhileVisible } from "../../ui/dom.js";
import { lineOf } from "../../ui/previews.js";

const PAGE = 30;
export const POLL_EVERY = 4000; // milliseconds

export class ChannelInbox extends /** @type {App.TargetClass<{ change: Event; missed: Event }>} */ (EventTarget) {
  /** @type {Map<string, Api.ThreadResponse>} */
  byUserId = new Map();
  hasMore = false;
  isLoaded = false;
  /** Only the threads with this tag are loaded; null for all. @type {string | null} */
  tag = null;
  /** @type {`${App.ChannelPath}/inbox`} */
  #path;
  /** @type {string | null} */
  #cursor = null;
  #requests = 0;
  #timer = 0;

  /**
   * `getsEvents`: whether the socket delivers the inbox's events to this user, as to the channel's staff. If not, it polls.
   * @param {string} channelId
   * @param {{ getsEvents: boolean }} options
   */
  constructor(channelId, { getsEvents }) {
    super();
    this.channelId = channelId;
    this.#path = `/v1/channels/${part(channelId)}/inbox`;
    if (!getsEvents) this.#timer = everyWhileVisible(POLL_EVERY, () => this.#poll().catch(() => {}));
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#onReady);
  }

  close() {
    clearInterval(this.#timer);
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.#onReady);
  }

  inOrder() {
    return [...this.byUserId.values()].sort(
      (one, other) =>
        (other.last_message?.at ?? "").localeCompare(one.last_message?.at ?? "") ||
        one.user_id.localeCompare(other.user_id),
    );
  }

  /** Loads the first page again, in place of all that is loaded. */
  async load() {
    const request = ++this.#requests;
    const page = await get(this.#path, { limit: PAGE, tag: this.tag });
    if (request !== this.#requests) return;
    // An event that arrived while the page was loading is newer.
    const before = this.byUserId;
    this.byUserId = new Map(
      page.items.map((thread) => {
        const known = before.get(thread.user_id);
        return [thread.user_id, known !== undefined && known.head_seq > thread.head_seq ? known : thread];
      }),
    );
    this.#onPage(page);
  }

  async loadMore() {
    const request = ++this.#requests;
    const page = await get(this.#path, { limit: PAGE, tag: this.tag, cursor: this.#cursor });
    if (request !== this.#requests) return;
    // A thread that an event has changed meanwhile is newer than on this page.
    for (const thread of page.items) if (!this.byUserId.has(thread.user_id)) this.byUserId.set(thread.user_id, thread);
    this.#onPage(page);
  }

  /** @param {App.Page<Api.ThreadResponse>} page */
  #onPage(page) {
    this.#cursor = page.next_cursor;
    this.hasMore = page.next_cursor !== null;
    this.isLoaded = true;
    this.#changed();
  }

  /** The path of a thread's tags. @param {string} userId */
  tagsPath(userId) {
    return /** @type {const} */ (`${this.#path}/${part(userId)}/tags`);
  }

  /** The tags that threads of this inbox have: at most as many as fit on a page. */
  async tags() {
    return (await get(`${this.#path}/tags`, { limit: 100 })).items.map(({ tag }) => tag);
  }

  /**
   * A thread has other tags now.
   * @param {string} userId
   * @param {string[]} tags
   */
  setTags(userId, tags) {
    const thread = this.byUserId.get(userId);
    if (thread) this.byUserId.set(userId, { ...thread, tags });
    this.#changed();
    if (this.tag !== null && tags.includes(this.tag) !== Boolean(thread)) this.load().catch(() => {});
  }

  async #poll() {
    await this.load();
    this.dispatchEvent(new Event("missed"));
  }

  /**
   * Marks a thread as read up to this message, for the whole staff.
   * @param {string} userId
   * @param {number} seq
   */
  async markRead(userId, seq) {
    if (!this.byUserId.get(userId)?.unread_count) return;
    this.#setRead(await post(`${this.#path}/${part(userId)}/read`, { seq }));
  }

  /** @param {{ user_id: string; read_seq: number; unread_count: number }} read */
  #setRead({ user_id: userId, read_seq: readSeq, unread_count: unread }) {
    const thread = this.byUserId.get(userId);
    // Events may arrive out of order. The read position only moves forward.
    if (!thread || readSeq < thread.read_seq) return;
    this.byUserId.set(userId, { ...thread, read_seq: readSeq, unread_count: unread });
    this.#changed();
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    // The threads of an inbox are in no admin's list, so their events name no conversation.
    if (event.channel_id !== this.channelId || event.conversation_id || !event.user_id) return;
    if (event.type === "inbox.read") this.#setRead(event);
    else if (event.type === "inbox.tagged") this.setTags(event.user_id, event.tags);
    else if (event.seq === undefined || !event.message) return;
    else if (event.type === "message.posted") this.#onPosted(event.user_id, event.seq, event.message);
    else this.#onChanged(event.user_id, event.seq, event.message);
  };

  /**
   * @param {string} userId
   * @param {number} seq
   * @param {App.EventItem} message
   */
  #onPosted(userId, seq, message) {
    const thread = this.byUserId.get(userId);
    // The event does not carry the name of the user of a new thread.
    if (!thread) return this.load().catch(() => {});
    if (seq <= thread.head_seq) return null;
    const last = {
      seq,
      from_channel: Boolean(message.from_channel),
      at: message.created_at,
      ...lineOf(message),
    };
    const unread = message.from_channel ? 0 : thread.unread_count + 1;
    this.byUserId.set(userId, { ...thread, head_seq: seq, last_message: last, unread_count: unread });
    return this.#changed();
  }

  /**
   * A message was edited or deleted.
   * @param {string} userId
   * @param {number} seq
   * @param {App.EventItem} message
   */
  #onChanged(userId, seq, message) {
    const thread = this.byUserId.get(userId);
    if (thread?.last_message?.seq !== seq) return;
    this.byUserId.set(userId, {
      ...thread,
      last_message: { ...thread.last_message, ...lineOf(message) },
    });
    this.#changed();
  }

  #onReady = () => {
    if (this.isLoaded) this.load().catch(() => {});
  };

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
