// The user's conversations, unread totals and folders, kept up to date by events.
//
// One call starts it (`GET /v1/sync`), and the same call with a token brings what was missed while the socket was closed.
// Totals are never computed here. They are loaded again whenever they may have changed, so a badge shows what the server
// knows. Fires `change`.

import { throttle } from "../ui/dom.js";
import { lineOf } from "../ui/previews.js";
import { client, del, get, Problem, part, patch, post, put } from "./api.js";
import { keptOnDevice } from "./offline.js";
import { restriction } from "./restriction.js";
import { session } from "./session.js";

const PAGE = 100;
const SCOPES = /** @type {const} */ (["channels", "chats"]);
const LOAD_TOTALS_EVERY = 400; // milliseconds
const KEEP_AFTER = 4000; // milliseconds
const KEPT_CONVERSATIONS = 200;
const SECOND = 1000;
const DAY = 24 * 3600 * SECOND; // a timer takes no more than 24 of these
const OF_GROUP = "group_";

/**
 * The conversation of a group or channel.
 * @param {string} groupId
 */
export const groupConversationId = (groupId) => `${OF_GROUP}${groupId}`;
/**
 * The one-to-one conversation with a user or a channel.
 * @param {string} peerId
 */
export const dialogueConversationId = (peerId) => `c2c_${peerId}`;
/**
 * Whether this is the id of a channel. A user whose id starts with @ cannot have one-to-one messages.
 * @param {string} id
 */
export const isChannelId = (id) => id.startsWith("@");

/**
 * The folder's name, undefined for the two tabs.
 * @param {App.Scope} scope
 */
export const folderOf = (scope) => (typeof scope === "object" ? scope.folder : undefined);
/** @param {App.Scope} scope */
const nameOf = (scope) => (typeof scope === "object" ? scope.folder : scope);

/**
 * Whether there is no message yet: the user only switched off the messages of a channel.
 * @param {Api.ConversationResponse} conversation
 */
const isUnbegun = (conversation) => conversation.type === "c2c" && conversation.head_seq === 0;

/** Events after which a channel has to be loaded again. */
const CHANGES_CHANNEL = new Set([
  "channel.updated",
  "channel.subscribed",
  "channel.unsubscribed",
  "channel.deleted",
  "member.changed",
]);

export const conversations = new (class extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {Map<string, Api.ConversationResponse>} */
  byId = new Map();
  /** @type {Api.UnreadResponse} */
  unread = { total: 0, channels: 0, chats: 0, conversation_groups: {} };
  /** @type {string[]} */
  folders = [];
  /** @type {App.Invitation[]} */
  invitations = [];
  isReady = false;
  #wasLoaded = false;
  #unmuteTimer = 0;
  /** @type {Map<string, string | null>} */
  #cursors = new Map(); // by scope: the cursor of the next page, null at the end
  /** @type {Api.UserResponse | null} */
  #user = null;
  #keepTimer = 0;
  #sync = client.sync();
  /** @type {Map<string, { channel: Api.ChannelResponse; at: number }>} */
  #channels = new Map(); // by id: the user's channels as they were last loaded, until an event changes one

  constructor() {
    super();
    client.socket.addEventListener("event", ({ detail }) => this.#onEvent(detail));
    // Events before the socket was ready have been missed.
    client.socket.addEventListener("ready", () => {
      if (this.#wasLoaded) this.load().catch(() => this.#loadTotalsSoon());
    });
  }

  forget() {
    clearTimeout(this.#unmuteTimer);
    clearTimeout(this.#keepTimer);
    this.#keepTimer = 0;
    this.byId.clear();
    this.#cursors.clear();
    this.#channels.clear();
    this.folders = [];
    this.invitations = [];
    this.unread = { total: 0, channels: 0, chats: 0, conversation_groups: {} };
    this.isReady = false;
    this.#wasLoaded = false;
    this.#user = null;
    this.#sync.forget();
  }

  /**
   * Shows the list that is kept on this device, until the server can be reached. Returns the user's profile, null where
   * nothing is kept.
   * @returns {Promise<Api.UserResponse | null>}
   */
  async restore() {
    const list = await (await keptOnDevice())?.list();
    if (!list || list.user.user_id !== session.userId) return null;
    this.byId = new Map(list.conversations.map((one) => [one.conversation_id, one]));
    this.#channels = new Map(list.channels.map((channel) => [channel.channel_id, { channel, at: list.at }]));
    for (const scope of SCOPES) this.#cursors.set(scope, null);
    this.folders = list.folders;
    this.unread = list.unread;
    this.isReady = true;
    this.#wasLoaded = true;
    this.#changed();
    return list.user;
  }

  /** Keeps the list on this device: soon, and not while the app starts. What is shown of a kept list is kept already. */
  #keepSoon() {
    if (this.#keepTimer || this.#user === null) return;
    this.#keepTimer = setTimeout(() => {
      this.#keepTimer = 0;
      this.#keep();
    }, KEEP_AFTER);
  }

  async #keep() {
    const user = this.#user;
    if (user === null) return;
    const newest = [...this.byId.values()].sort(inOrder).slice(0, KEPT_CONVERSATIONS);
    const channels = newest.flatMap(({ group_id: id }) => this.#channels.get(id ?? "")?.channel ?? []);
    const { folders, unread } = this;
    await (await keptOnDevice())?.saveList({ user, conversations: newest, channels, folders, unread, at: Date.now() });
  }

  /**
   * Loads what the list needs, or what changed since it was last loaded, and returns the user's profile. Called again after
   * a reconnect; one load follows another. Null when the user signed out meanwhile.
   * @returns {Promise<Api.UserResponse | null>}
   */
  load() {
    this.#wasLoaded = true;
    return this.#load();
  }

  async #load() {
    /** @type {Map<string, Api.ConversationResponse> | null} */
    let before = null;
    const first = await this.#sync.pull(
      (page, isStart) => {
        if (isStart && before === null) {
          before = this.byId;
          this.byId = new Map();
          this.#cursors.clear();
          this.#channels.clear();
        }
        this.#take(page, before ?? this.byId);
      },
      { firstOnly: true },
    );
    // Where the first page has not all of them, each tab goes on with its own.
    if (before !== null)
      for (const scope of SCOPES) {
        if (first?.next_cursor === null) this.#cursors.set(scope, null);
        else this.loadMore(scope).catch(() => {});
      }
    if (first?.user) restriction.learn(first.user.restriction);
    this.#user = first?.user ?? this.#user;
    this.#keepSoon();
    return this.#user;
  }

  /**
   * @param {Api.SyncResponse} page
   * @param {Map<string, Api.ConversationResponse>} before
   */
  #take(page, before) {
    const at = Date.now();
    for (const item of page.items) {
      if ("ended" in item) {
        this.byId.delete(item.conversation_id);
        if (item.conversation_id.startsWith(OF_GROUP)) this.#forgetKept(item.conversation_id.slice(OF_GROUP.length));
        continue;
      }
      const { channel, ...conversation } = item;
      if (channel) this.#channels.set(channel.channel_id, { channel, at });
      this.#add(conversation, before);
    }
    this.unread = page.unread;
    this.#setFolders(page.conversation_groups);
    if (page.invitations) this.invitations = page.invitations.items;
    this.isReady = true;
    this.#changed();
  }

  /**
   * A channel of the user as it was last loaded, and when; undefined where it may have changed since.
   * @param {string} channelId
   */
  knownChannel(channelId) {
    return this.#channels.get(channelId);
  }

  /**
   * The conversations of a scope ("channels", "chats", or {folder}), in the order in which they are listed.
   * @param {App.Scope} scope
   */
  list(scope) {
    /** @param {Api.ConversationResponse} conversation */
    const isInScope = (conversation) =>
      typeof scope === "object"
        ? conversation.conversation_groups.includes(scope.folder)
        : conversation.is_channel === (scope === "channels");
    return [...this.byId.values()]
      .filter((conversation) => !conversation.hidden && !isUnbegun(conversation) && isInScope(conversation))
      .sort(inOrder);
  }

  /** @param {App.Scope} scope */
  hasMore(scope) {
    const name = nameOf(scope);
    return this.#cursors.get(name) !== null;
  }

  /** @param {App.Scope} scope */
  async loadMore(scope) {
    const name = nameOf(scope);
    this.#addPage(name, await this.#fetchPage(name, this.#cursors.get(name) ?? null));
    this.#changed();
  }

  /**
   * Loads all remaining pages of a scope.
   * @param {App.Scope} scope
   */
  async loadAll(scope) {
    while (this.hasMore(scope)) await this.loadMore(scope);
  }

  /**
   * A conversation, loaded if needed; null when the user does not have it.
   * @param {string} conversationId
   */
  async find(conversationId) {
    if (!this.byId.has(conversationId)) {
      const conversation = (await client.byIds("/v1/conversations", "conversation_id", [conversationId])).get(
        conversationId,
      );
      if (conversation) {
        this.#add(conversation, this.byId);
        this.#changed();
      }
    }
    return this.byId.get(conversationId) ?? null;
  }

  /**
   * @param {string} conversationId
   * @param {Api.UpdateConversation} changes
   */
  async change(conversationId, changes) {
    this.#add(await patch(`/v1/conversations/${part(conversationId)}`, changes), this.byId);
    this.#changed();
    this.#loadTotalsSoon();
  }

  /**
   * @param {string} conversationId
   * @param {number} [seq]
   */
  async markRead(conversationId, seq) {
    const cursor = await post(`/v1/conversations/${part(conversationId)}/read`, seq === undefined ? {} : { seq });
    this.#setRead(cursor);
    if (!client.socket.isOpen) this.#loadTotalsSoon(); // otherwise an event brings them
  }

  /** @param {App.Scope} scope */
  async markAllRead(scope) {
    await post("/v1/read", { scope: nameOf(scope) });
    await this.load();
  }

  // --- folders

  /** @param {string} name */
  async createFolder(name) {
    await put(`/v1/conversation-groups/${part(name)}`);
    await this.#loadTotals();
  }

  /**
   * @param {string} name
   * @param {string} newName
   */
  async renameFolder(name, newName) {
    await patch(`/v1/conversation-groups/${part(name)}`, { name: newName });
    this.#renameFolder(name, newName);
    await this.#loadTotals();
  }

  /** @param {string} name */
  async deleteFolder(name) {
    await del(`/v1/conversation-groups/${part(name)}`);
    this.#renameFolder(name, null);
    await this.#loadTotals();
  }

  /**
   * Adds a conversation to a folder, or removes it.
   * @param {string} conversationId
   * @param {string} folder
   * @param {boolean} isIn
   */
  async setInFolder(conversationId, folder, isIn) {
    const change = { [isIn ? "add" : "remove"]: [conversationId] };
    const answer = await post(`/v1/conversation-groups/${part(folder)}/conversations`, change);
    const error = answer.results.find((item) => item.error)?.error;
    if (error) throw new Problem(200, error.code, error.detail);
    this.#changeFolder(folder, isIn ? [conversationId] : [], isIn ? [] : [conversationId]);
    this.#loadTotalsSoon();
  }

  // --- internal

  /**
   * @param {string} scope
   * @param {string | null} cursor
   */
  #fetchPage(scope, cursor) {
    return get("/v1/conversations", { conversation_group: scope, limit: PAGE, cursor });
  }

  /**
   * @param {string} scope
   * @param {App.Page<Api.ConversationResponse>} page
   */
  #addPage(scope, page) {
    for (const conversation of page.items) this.#add(conversation, this.byId);
    this.#cursors.set(scope, page.next_cursor);
  }

  /**
   * @param {Api.ConversationResponse} conversation
   * @param {Map<string, Api.ConversationResponse>} before
   */
  #add(conversation, before) {
    // An event, or the answer to a later call, may have arrived before this one.
    const previous = before.get(conversation.conversation_id);
    const isOlder = previous !== undefined && previous.head_seq > conversation.head_seq;
    this.byId.set(conversation.conversation_id, isOlder ? previous : conversation);
  }

  /**
   * @param {Api.UnreadResponse} unread
   * @param {App.Page<Api.ConversationGroupResponse>} folders
   */
  #setTotals(unread, folders) {
    this.unread = unread;
    this.#setFolders(folders.items);
  }

  /** @param {Api.ConversationGroupResponse[]} folders */
  #setFolders(folders) {
    this.folders = folders.filter((folder) => !folder.built_in).map((folder) => folder.name);
  }

  async #loadTotals() {
    const [unread, folders] = await Promise.all([get("/v1/unread"), get("/v1/conversation-groups")]);
    this.#setTotals(unread, folders);
    this.#changed();
  }

  #loadTotalsSoon = throttle(LOAD_TOTALS_EVERY, () => {
    if (session.token) this.#loadTotals().catch(() => {});
  });

  /** @param {Api.ConversationResponse} conversation */
  #replace(conversation) {
    this.byId.set(conversation.conversation_id, conversation);
    this.#changed();
  }

  /** @param {{ conversation_id: string; read_seq: number }} mark */
  #setRead({ conversation_id: id, read_seq: readSeq }) {
    const conversation = this.byId.get(id);
    if (conversation && readSeq >= conversation.read_seq) {
      // The known head may be newer than the one that the server counted with. Messages before one joined never count.
      const unread = Math.min(conversation.unread_count, Math.max(0, conversation.head_seq - readSeq));
      this.#replace({ ...conversation, read_seq: readSeq, unread_count: unread });
    }
  }

  /**
   * @param {string} name
   * @param {string | null} newName
   */
  #renameFolder(name, newName) {
    for (const [id, conversation] of this.byId) {
      if (!conversation.conversation_groups.includes(name)) continue;
      const others = conversation.conversation_groups.filter((other) => other !== name);
      this.byId.set(id, { ...conversation, conversation_groups: newName === null ? others : [...others, newName] });
    }
    this.#changed();
  }

  /**
   * @param {string} folder
   * @param {string[]} added
   * @param {string[]} removed
   */
  #changeFolder(folder, added, removed) {
    for (const id of [...added, ...removed]) {
      const conversation = this.byId.get(id);
      if (!conversation) continue;
      const others = conversation.conversation_groups.filter((name) => name !== folder);
      this.byId.set(id, { ...conversation, conversation_groups: added.includes(id) ? [...others, folder] : others });
    }
    this.#changed();
  }

  /** @param {string} conversationId */
  async #reload(conversationId) {
    this.byId.delete(conversationId);
    await this.find(conversationId).catch(() => {});
    this.#changed();
    this.#loadTotalsSoon();
  }

  /** @param {string} conversationId */
  async #loadDraft(conversationId) {
    const loaded = await get(`/v1/conversations/${part(conversationId)}`).catch(() => null);
    const conversation = this.byId.get(conversationId);
    if (loaded && conversation) this.#replace({ ...conversation, draft: loaded.draft });
  }

  /** @param {App.Event} event */
  #onEvent(event) {
    // Events of a channel's inbox go to its staff. They are in none of the staff's own conversations.
    if (!event.conversation_id && event.channel_id !== undefined) return;
    const id = event.conversation_id ?? ""; // folders and blocks are of no conversation
    const conversation = this.byId.get(id);
    if (event.channel_id && CHANGES_CHANNEL.has(event.type)) this.#channels.delete(event.channel_id);
    switch (event.type) {
      case "message.posted": {
        if (!conversation) return void this.#reload(id);
        if (event.seq <= conversation.head_seq) return;
        const item = event.post ?? event.message;
        if (!item) return;
        const last = {
          seq: event.seq,
          sender_id: item.sender_id ?? null,
          at: item.created_at,
          ...lineOf(item),
        };
        const unread = conversation.unread_count + (event.seq - conversation.head_seq);
        this.#replace({
          ...conversation,
          head_seq: event.seq,
          last_message: last,
          unread_count: unread,
          hidden: false,
        });
        return this.#loadTotalsSoon();
      }
      case "message.edited":
      case "message.recalled":
        if (conversation?.last_message?.seq === event.seq) {
          const item = event.post ?? event.message;
          if (item) this.#replace({ ...conversation, last_message: { ...conversation.last_message, ...lineOf(item) } });
        }
        return;
      case "conversation.read":
        return this.#setRead(event); // the totals follow
      case "unread.changed": {
        const { total, channels, chats, conversation_groups } = event;
        this.unread = { total, channels, chats, conversation_groups };
        return this.#changed();
      }
      case "conversation.updated":
        if (conversation) {
          const { draft, ...changed } = event.changed;
          this.#replace({ ...conversation, ...changed, draft: draft ?? conversation.draft });
          // Events do not carry a draft's text, so it has to be loaded.
          if (draft === null) this.#loadDraft(id);
        } else this.#reload(id);
        return this.#loadTotalsSoon();
      case "channel.updated":
      case "group.updated":
        if (conversation)
          this.#replace({
            ...conversation,
            title: event.changed.name ?? conversation.title,
            face_url: event.changed.face_url ?? conversation.face_url,
            verified: event.changed.verified ?? conversation.verified,
          });
        return;
      case "channel.subscribed":
      case "group.joined":
        if (event.user_id === session.userId) this.#reload(id);
        return;
      case "channel.unsubscribed":
      case "group.left":
        if (event.user_id !== session.userId) return;
        if (event.channel_id) this.#forgetKept(event.channel_id);
        this.byId.delete(id);
        this.#changed();
        return this.#loadTotalsSoon();
      case "channel.deleted":
      case "group.disbanded":
      case "conversation.ended":
        if (event.channel_id) this.#forgetKept(event.channel_id);
        this.byId.delete(id);
        this.#changed();
        return this.#loadTotalsSoon();
      case "conversation_group.created":
        this.#changeFolder(event.name, event.conversation_ids, []);
        return this.#loadTotalsSoon();
      case "conversation_group.renamed":
        this.#renameFolder(event.name, event.new_name);
        return this.#loadTotalsSoon();
      case "conversation_group.deleted":
        this.#renameFolder(event.name, null);
        return this.#loadTotalsSoon();
      case "conversation_group.changed":
        this.#changeFolder(event.name, event.added, event.removed);
        return this.#loadTotalsSoon();
    }
  }

  /** @param {string} channelId */
  async #forgetKept(channelId) {
    await (await keptOnDevice())?.forgetChannel(channelId);
  }

  #changed() {
    this.#awaitUnmute();
    this.#keepSoon();
    this.dispatchEvent(new Event("change"));
  }

  /** Loads conversations again when they are muted no more. No event says so. */
  #awaitUnmute() {
    clearTimeout(this.#unmuteTimer);
    const muted = [...this.byId.values()].filter((conversation) => conversation.muted_until !== null);
    if (!muted.length) return;
    /** @param {Api.ConversationResponse} conversation */
    const endOf = (conversation) => Date.parse(conversation.muted_until ?? "");
    // At least a second, since the server's clock may be behind.
    const wait = Math.max(SECOND, Math.min(DAY, Math.min(...muted.map(endOf)) - Date.now()));
    this.#unmuteTimer = setTimeout(() => {
      for (const each of muted) if (endOf(each) <= Date.now()) this.#reload(each.conversation_id);
      this.#awaitUnmute();
    }, wait);
  }
})();

/**
 * Pinned ones first, the last pinned on top; then by last message.
 * @param {Api.ConversationResponse} one
 * @param {Api.ConversationResponse} other
 */
function inOrder(one, other) {
  if (one.pinned_at || other.pinned_at) {
    return (other.pinned_at ?? "").localeCompare(one.pinned_at ?? "");
  }
  return (
    (other.last_message?.at ?? "").localeCompare(one.last_message?.at ?? "") || one.title.localeCompare(other.title)
  );
}
