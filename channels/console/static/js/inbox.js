// My conversations as the API tells them, kept in step by the socket: rows, unread totals, folders.
//
// Totals are never computed here but asked for again whenever something may have changed them, so a badge shows what the
// server knows. Fires `change`.

import { get, lookUp, part, patch, post, put, del } from "./api.js";
import { atMostEvery } from "./dom.js";
import { session } from "./session.js";
import { link } from "./socket.js";

const PAGE = 100;
const TOTALS_EVERY = 400; // milliseconds

/** The conversation of a group or channel. */
export const conversationOf = (groupId) => `group_${groupId}`;
/** The one-to-one conversation with a user, or a private one with a channel. */
export const dialogueOf = (peerId) => `c2c_${peerId}`;
/** Whether this is the id of a channel; users whose id begins so have no one-to-one messages. */
export const isChannelId = (id) => id.startsWith("@");

export const inbox = new (class extends EventTarget {
  rows = new Map();
  unread = { total: 0, channels: 0, chats: 0, conversation_groups: {} };
  folders = [];
  isReady = false;
  #isAsked = false;
  #cursors = new Map(); // by scope: the next page, null when all is here

  constructor() {
    super();
    link.addEventListener("event", ({ detail }) => this.#hear(detail));
    // What was asked for before the socket was there may miss what happened until then.
    link.addEventListener("ready", () => {
      if (this.#isAsked) this.load().catch(() => this.#totalsSoon());
    });
  }

  forget() {
    this.rows.clear();
    this.#cursors.clear();
    this.folders = [];
    this.unread = { total: 0, channels: 0, chats: 0, conversation_groups: {} };
    this.isReady = false;
    this.#isAsked = false;
  }

  /** Load totals, folders and the first page of both tabs; again after a reconnect. */
  async load() {
    this.#isAsked = true;
    const scopes = ["channels", "chats"];
    const [unread, folders, ...pages] = await Promise.all([
      get("/v1/unread"),
      get("/v1/conversation-groups"),
      ...scopes.map((scope) => this.#page(scope, null)),
    ]);
    const before = this.rows;
    this.rows = new Map();
    this.#cursors.clear();
    pages.forEach((page, index) => this.#take(scopes[index], page, before));
    this.#setTotals(unread, folders);
    this.isReady = true;
    this.#changed();
  }

  /** The rows of a scope ("channels", "chats", or a folder as {folder}), in order. */
  list(scope) {
    const admits = scope.folder !== undefined
      ? (row) => row.conversation_groups.includes(scope.folder)
      : (row) => row.is_channel === (scope === "channels");
    return [...this.rows.values()].filter((row) => !row.hidden && admits(row)).sort(inOrder);
  }

  hasMore(scope) {
    const name = scope.folder ?? scope;
    return this.#cursors.get(name) !== null;
  }

  async loadMore(scope) {
    const name = scope.folder ?? scope;
    this.#take(name, await this.#page(name, this.#cursors.get(name) ?? null));
    this.#changed();
  }

  /** Load what is left of a scope. */
  async loadAll(scope) {
    while (this.hasMore(scope)) await this.loadMore(scope);
  }

  /** The row of a conversation, asked for when it is not here; null when it is not mine. */
  async find(conversationId) {
    if (!this.rows.has(conversationId)) {
      const row = (await lookUp("/v1/conversations", "conversation_id", [conversationId])).get(conversationId);
      if (row) {
        this.rows.set(conversationId, row);
        this.#changed();
      }
    }
    return this.rows.get(conversationId) ?? null;
  }

  async set(conversationId, changes) {
    this.#replace(await patch(`/v1/conversations/${part(conversationId)}`, changes));
    this.#totalsSoon();
  }

  async read(conversationId, seq) {
    const mark = await post(`/v1/conversations/${part(conversationId)}/read`, seq === undefined ? {} : { seq });
    this.#mark(mark);
  }

  async readAll(scope) {
    await post("/v1/read", { scope: scope.folder ?? scope });
    await this.load();
  }

  // --- folders

  async makeFolder(name) {
    await put(`/v1/conversation-groups/${part(name)}`);
    await this.#totals();
  }

  async renameFolder(name, newName) {
    await patch(`/v1/conversation-groups/${part(name)}`, { name: newName });
    this.#renamed(name, newName);
    await this.#totals();
  }

  async deleteFolder(name) {
    await del(`/v1/conversation-groups/${part(name)}`);
    this.#renamed(name, null);
    await this.#totals();
  }

  /** Put a conversation into a folder, or take it out. */
  async file(conversationId, folder, isIn) {
    const change = { [isIn ? "add" : "remove"]: [conversationId] };
    const filed = await post(`/v1/conversation-groups/${part(folder)}/conversations`, change);
    const refused = filed.results.find((item) => item.error);
    if (refused) throw Object.assign(new Error(refused.error.detail), { code: refused.error.code, shown: refused.error.detail });
    this.#filed(folder, isIn ? [conversationId] : [], isIn ? [] : [conversationId]);
    this.#totalsSoon();
  }

  // --- inside

  #page(scope, cursor) {
    return get("/v1/conversations", { conversation_group: scope, limit: PAGE, cursor });
  }

  #take(scope, page, before = this.rows) {
    for (const row of page.items) {
      // An event that came while the page was on its way knows more.
      const known = before.get(row.conversation_id);
      this.rows.set(row.conversation_id, known && known.head_seq > row.head_seq ? known : row);
    }
    this.#cursors.set(scope, page.next_cursor);
  }

  #setTotals(unread, folders) {
    this.unread = unread;
    this.folders = folders.items.filter((folder) => !folder.built_in).map((folder) => folder.name);
  }

  async #totals() {
    const [unread, folders] = await Promise.all([get("/v1/unread"), get("/v1/conversation-groups")]);
    this.#setTotals(unread, folders);
    this.#changed();
  }

  #totalsSoon = atMostEvery(TOTALS_EVERY, () => {
    if (session.token) this.#totals().catch(() => {});
  });

  #replace(row) {
    this.rows.set(row.conversation_id, row);
    this.#changed();
  }

  #mark({ conversation_id: id, read_seq: readSeq }) {
    const row = this.rows.get(id);
    if (row && readSeq >= row.read_seq) {
      // By the head that we know, which may be beyond the one that was counted with; never what came before one joined.
      const unread = Math.min(row.unread_count, Math.max(0, row.head_seq - readSeq));
      this.#replace({ ...row, read_seq: readSeq, unread_count: unread });
    }
    this.#totalsSoon();
  }

  #renamed(name, newName) {
    for (const [id, row] of this.rows) {
      if (!row.conversation_groups.includes(name)) continue;
      const others = row.conversation_groups.filter((other) => other !== name);
      this.rows.set(id, { ...row, conversation_groups: newName === null ? others : [...others, newName] });
    }
    this.#changed();
  }

  #filed(folder, added, removed) {
    for (const id of [...added, ...removed]) {
      const row = this.rows.get(id);
      if (!row) continue;
      const others = row.conversation_groups.filter((name) => name !== folder);
      this.rows.set(id, { ...row, conversation_groups: added.includes(id) ? [...others, folder] : others });
    }
    this.#changed();
  }

  async #reload(conversationId) {
    this.rows.delete(conversationId);
    await this.find(conversationId).catch(() => {});
    this.#changed();
    this.#totalsSoon();
  }

  async #readDraft(conversationId) {
    const read = await get(`/v1/conversations/${part(conversationId)}`).catch(() => null);
    const row = this.rows.get(conversationId);
    if (read && row) this.#replace({ ...row, draft: read.draft });
  }

  #hear(event) {
    // What comes into a channel's inbox is told to those who run it, and is in no conversation of theirs.
    if (event.stream_id === null && event.channel_id !== undefined) return;
    const row = this.rows.get(event.conversation_id);
    switch (event.type) {
      case "message.posted": {
        if (!row) return void this.#reload(event.conversation_id);
        if (event.seq <= row.head_seq) return;
        const said = event.post ?? event.message;
        const last = { seq: event.seq, sender_id: said.sender_id ?? null, preview: previewOf(said), at: said.created_at };
        const unread = row.unread_count + (event.seq - row.head_seq);
        this.#replace({ ...row, head_seq: event.seq, last_message: last, unread_count: unread, hidden: false });
        return this.#totalsSoon();
      }
      case "message.edited":
      case "message.recalled":
        if (row?.last_message?.seq === event.seq) {
          const said = event.post ?? event.message;
          this.#replace({ ...row, last_message: { ...row.last_message, preview: said.recalled_at ? "" : previewOf(said) } });
        }
        return;
      case "conversation.read":
        return this.#mark(event);
      case "conversation.updated":
        if (!row) this.#reload(event.conversation_id);
        else if (event.changed.draft !== null) this.#replace({ ...row, ...event.changed });
        else {
          // A new draft's text is in no event: the row keeps the old one until the new one is read.
          this.#replace({ ...row, ...event.changed, draft: row.draft });
          this.#readDraft(event.conversation_id);
        }
        return this.#totalsSoon();
      case "channel.updated":
      case "group.updated":
        if (row) this.#replace({ ...row, title: event.changed.name ?? row.title, face_url: event.changed.face_url ?? row.face_url, verified: event.changed.verified ?? row.verified });
        return;
      case "channel.subscribed":
      case "group.joined":
        if (event.user_id === session.userId) this.#reload(event.conversation_id);
        return;
      case "channel.unsubscribed":
      case "group.left":
        if (event.user_id !== session.userId) return;
        this.rows.delete(event.conversation_id);
        this.#changed();
        return this.#totalsSoon();
      case "channel.deleted":
      case "group.disbanded":
      case "conversation.ended":
        this.rows.delete(event.conversation_id);
        this.#changed();
        return this.#totalsSoon();
      case "conversation_group.created":
        this.#filed(event.name, event.conversation_ids, []);
        return this.#totalsSoon();
      case "conversation_group.renamed":
        this.#renamed(event.name, event.new_name);
        return this.#totalsSoon();
      case "conversation_group.deleted":
        this.#renamed(event.name, null);
        return this.#totalsSoon();
      case "conversation_group.changed":
        this.#filed(event.name, event.added, event.removed);
        return this.#totalsSoon();
    }
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
})();

/** What a line shows of a message, as the server writes it (`Content.preview`). */
export function previewOf(said) {
  return (said.title || said.text || said.location?.name || `[${said.kind}]`).slice(0, 100);
}

/** Pinned first, the latest pinned on top; then by last activity. */
function inOrder(one, other) {
  if (one.pinned_at || other.pinned_at) {
    return (other.pinned_at ?? "").localeCompare(one.pinned_at ?? "");
  }
  return (other.last_message?.at ?? "").localeCompare(one.last_message?.at ?? "") || one.title.localeCompare(other.title);
}
