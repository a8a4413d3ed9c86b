// The loaded posts of all channels that the user subscribes to, newest first, kept up to date by events.
//
// New posts are counted and not added by themselves: nothing moves under the reader's eyes until `showNew` is called. The
// reactions of the channels that are on the screen have to be asked for (`watch`). Fires `change`.

import {
  buttonsAfterPresses,
  buttonsInEvent,
  hidesCounts,
  pollAfterVotes,
  pollInEvent,
} from "../../sdk/core/message_stream.js";
import { client, del, get, part, put } from "../client/api.js";
import { conversations, groupConversationId } from "../client/conversations.js";
import { session } from "../client/session.js";

/**
 * `post` also has what events and calls change.
 * @typedef {{ channel: Api.FeedItemResponse["channel"]; post: App.Item }} FeedItem
 */

const PAGE = 20;
/** After how long counts of a poll that no event carries are loaded again, in milliseconds: at least, and at most later. */
const COUNTS_AFTER = { least: 4000, spread: 6000 };
/** Channels whose reactions are asked for at a time; the server allows 100 for a socket. */
const MAX_WATCHED = 20;

/**
 * The same post has the same key.
 * @param {FeedItem} item
 */
export const keyOf = ({ channel, post }) => `${channel.channel_id} ${post.seq}`;

export class FeedPosts extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {FeedItem[]} */
  items = [];
  /** How many posts are newer than those that are shown. */
  newCount = 0;
  isLoaded = false;
  #folder;
  /** @type {string | null} */
  #cursor = null;
  /** @type {Set<string>} */
  #new = new Set(); // the conversation and seq of each post that is not shown yet
  /** @type {Set<string>} */
  #watched = new Set(); // conversation ids, the last seen last
  #isLoading = false;
  /** @type {Map<string, number>} */
  #reloads = new Map(); // by key: the timer

  /** @param {string | null} folder The conversation group whose channels are shown; null for all. */
  constructor(folder) {
    super();
    this.#folder = folder;
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#onReady);
  }

  /** Ends the updates. What is loaded stays. */
  close() {
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.#onReady);
    for (const id of this.#watched) client.socket.unwatch(id);
    this.#watched.clear();
    for (const timer of this.#reloads.values()) clearTimeout(timer);
    this.#reloads.clear();
  }

  /** Begins the updates again, after `close`. */
  reopen() {
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#onReady);
    this.#onReady();
  }

  get hasMore() {
    return this.#cursor !== null;
  }

  /** Loads the newest posts, in place of what is loaded. */
  async load() {
    const page = await this.#fetch(null);
    this.items = page.items;
    this.#cursor = page.next_cursor;
    this.#new.clear();
    this.newCount = 0;
    this.isLoaded = true;
    this.#changed();
  }

  /** Loads older posts. One call at a time. */
  async loadMore() {
    if (this.#isLoading || this.#cursor === null) return;
    this.#isLoading = true;
    try {
      const page = await this.#fetch(this.#cursor);
      const known = new Set(this.items.map(keyOf));
      this.items = [...this.items, ...page.items.filter((item) => !known.has(keyOf(item)))];
      this.#cursor = page.next_cursor;
    } finally {
      this.#isLoading = false;
    }
    this.#changed();
  }

  /** Shows the new posts on top. Where there are more of them than a page, the feed starts anew. */
  async showNew() {
    const page = await this.#fetch(null);
    const known = new Set(this.items.map(keyOf));
    const fresh = page.items.filter((item) => !known.has(keyOf(item)));
    const joins = fresh.length < page.items.length;
    this.items = joins ? [...fresh, ...this.items] : page.items;
    if (!joins) this.#cursor = page.next_cursor;
    this.#new.clear();
    this.newCount = 0;
    this.#changed();
  }

  /**
   * @param {FeedItem} item
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async react({ channel, post }, emoji, isOn) {
    const path = `/v1/channels/${part(channel.channel_id)}/posts/${post.seq}/reactions/${part(emoji)}`;
    const reactions = await client.request(isOn ? "PUT" : "DELETE", path);
    this.#update(channel.channel_id, post.seq, { reactions });
  }

  /**
   * Votes in the poll of a post. Without answers, takes the vote back.
   * @param {FeedItem} item
   * @param {number[]} options The indexes of the answers.
   */
  async vote({ channel, post }, options) {
    const path = /** @type {const} */ (`/v1/channels/${part(channel.channel_id)}/posts/${post.seq}/vote`);
    const poll = options.length ? await put(path, { options }) : await del(path);
    this.#update(channel.channel_id, post.seq, { poll });
  }

  /**
   * Presses a button of a post. One that has changed meanwhile is shown as it is now.
   * @param {FeedItem} item
   * @param {number} index Over its rows.
   */
  async press(item, index) {
    const { channel, post } = item;
    const text = post.buttons?.flat()[index]?.text;
    const path = `/v1/channels/${part(channel.channel_id)}/posts/${post.seq}/buttons/${index}/press`;
    try {
      const { buttons } = await client.request("PUT", path, { query: { text } });
      this.#update(channel.channel_id, post.seq, { buttons });
    } catch (error) {
      await this.reload(item).catch(() => {});
      throw error;
    }
  }

  /**
   * Confirms that the user has read a post that asks for it.
   * @param {FeedItem} item
   */
  async acknowledge({ channel, post }) {
    const path = /** @type {const} */ (`/v1/channels/${part(channel.channel_id)}/posts/${post.seq}/acknowledgement`);
    this.#update(channel.channel_id, post.seq, { acknowledge: await put(path) });
  }

  /**
   * Loads one post again.
   * @param {FeedItem} item
   */
  async reload({ channel, post }) {
    const { channel_id: id } = channel;
    this.#update(id, post.seq, await get(`/v1/channels/${part(id)}/posts/${post.seq}`));
  }

  /**
   * @param {string} channelId
   * @param {{ seq: number; views: number }[]} counts
   */
  setViewCounts(channelId, counts) {
    for (const { seq, views } of counts) this.#update(channelId, seq, { views });
  }

  /**
   * Asks for the reactions of these channels, and no longer for those that were on the screen long ago.
   * @param {Iterable<string>} channelIds
   */
  watch(channelIds) {
    for (const channelId of channelIds) {
      const id = groupConversationId(channelId);
      if (this.#watched.delete(id)) this.#watched.add(id);
      else {
        this.#watched.add(id);
        client.socket.watch(id);
      }
    }
    for (const id of this.#watched) {
      if (this.#watched.size <= MAX_WATCHED) return;
      this.#watched.delete(id);
      client.socket.unwatch(id);
    }
  }

  /**
   * @param {string | null} cursor
   * @returns {Promise<App.Page<FeedItem>>}
   */
  #fetch(cursor) {
    return get("/v1/feed", { conversation_group: this.#folder, limit: PAGE, cursor });
  }

  /** After a lost connection: what changed meanwhile, of the posts that the first page has, and how many are new. */
  #onReady = async () => {
    if (!this.isLoaded) return;
    const page = await this.#fetch(null).catch(() => null);
    for (const { channel, post } of page?.items ?? []) {
      const key = newKey(groupConversationId(channel.channel_id), post.seq);
      if (!this.#update(channel.channel_id, post.seq, post) && this.#isNewer(post)) this.#new.add(key);
    }
    this.#showCount();
  };

  /** @param {{ created_at: string }} post */
  #isNewer(post) {
    return !this.items.length || post.created_at > this.items[0].post.created_at;
  }

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    const { conversation_id: id, channel_id: channelId, seq } = event;
    if (!id || !channelId || id !== groupConversationId(channelId)) return;
    if (event.type === "channel.unsubscribed" && event.user_id === session.userId) return this.#drop(channelId);
    if (event.type === "channel.deleted") return this.#drop(channelId);
    if (seq === undefined) return;
    if (event.type === "message.posted") {
      if (!this.isLoaded || !this.#isListed(id) || this.#find(channelId, seq) >= 0) return;
      this.#new.add(newKey(id, seq));
      this.#showCount();
    } else if (event.type === "message.edited") {
      const known = this.items[this.#find(channelId, seq)]?.post;
      const { poll: given, buttons: rows } = event.post ?? {};
      const poll = given ? { poll: pollInEvent(given, known?.poll) } : {};
      const buttons = rows ? { buttons: buttonsInEvent(rows, known?.buttons) } : {};
      const kept = event.post?.acknowledge && known?.acknowledge ? { acknowledge: known.acknowledge } : {};
      this.#update(channelId, seq, { ...event.post, ...poll, ...buttons, ...kept });
    } else if (event.type === "poll.changed") {
      const item = this.items[this.#find(channelId, seq)];
      const known = item?.post.poll;
      if (!known) return;
      this.#update(channelId, seq, { poll: pollAfterVotes(known, event) });
      if (hidesCounts(known, event)) this.#reloadLater(item);
    } else if (event.type === "buttons.changed") {
      const known = this.items[this.#find(channelId, seq)]?.post.buttons;
      if (known) this.#update(channelId, seq, { buttons: buttonsAfterPresses(known, event) });
    } else if (event.type === "acknowledgements.changed") {
      const known = this.items[this.#find(channelId, seq)];
      const mine = event.mine ?? known?.post.acknowledge?.mine ?? false;
      this.#update(channelId, seq, { acknowledge: { count: event.count, mine } });
    } else if (event.type === "comments.counted") {
      this.#update(channelId, seq, { comment_count: event.comment_count });
    } else if (event.type === "message.recalled") {
      this.#new.delete(newKey(id, seq));
      this.#update(channelId, seq, event.post ?? {});
      this.#showCount();
    } else if (event.type === "reactions.changed") {
      const known = this.items[this.#find(channelId, seq)];
      const mine = event.mine ?? (known?.post.reactions?.mine ?? []).filter((emoji) => event.counts[emoji]);
      this.#update(channelId, seq, { reactions: { counts: event.counts, total: event.total, mine } });
    }
  };

  /** @param {FeedItem} item */
  #reloadLater(item) {
    const key = keyOf(item);
    if (this.#reloads.has(key)) return;
    const load = () => {
      this.#reloads.delete(key);
      this.reload(item).catch(() => {});
    };
    this.#reloads.set(key, setTimeout(load, COUNTS_AFTER.least + Math.random() * COUNTS_AFTER.spread));
  }

  /** @param {string} conversationId */
  #isListed(conversationId) {
    const conversation = conversations.byId.get(conversationId);
    return this.#folder === null || Boolean(conversation?.conversation_groups.includes(this.#folder));
  }

  /** @param {string} channelId */
  #drop(channelId) {
    const id = groupConversationId(channelId);
    this.items = this.items.filter(({ channel }) => channel.channel_id !== channelId);
    for (const key of this.#new) if (key.startsWith(`${id} `)) this.#new.delete(key);
    this.newCount = this.#new.size;
    this.#changed();
  }

  #showCount() {
    if (this.newCount === this.#new.size) return;
    this.newCount = this.#new.size;
    this.#changed();
  }

  /**
   * The index of a post that is loaded; -1 when it is not.
   * @param {string} channelId
   * @param {number} seq
   */
  #find(channelId, seq) {
    return this.items.findIndex(({ channel, post }) => channel.channel_id === channelId && post.seq === seq);
  }

  /**
   * Returns whether there is such a post.
   * @param {string} channelId
   * @param {number} seq
   * @param {Partial<App.Item>} changes
   */
  #update(channelId, seq, changes) {
    const index = this.#find(channelId, seq);
    if (index < 0) return false;
    const item = this.items[index];
    const changed = { ...item.post, ...changes };
    if (JSON.stringify(changed) === JSON.stringify(item.post)) return true;
    this.items = this.items.with(index, { ...item, post: changed });
    this.#changed();
    return true;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * @param {string} conversationId
 * @param {number} seq
 */
const newKey = (conversationId, seq) => `${conversationId} ${seq}`;
