// Events without gaps: those of the socket, and what was missed while it was closed.
//
// Promises: every post and message of the user's conversations comes once, in the order of its stream, also those that were
// sent while the socket was closed; changes of them come as they are in the end. What was missed is read after each `ready`
// of the socket, and where the numbers of an event show a gap. Reactions, reads and profiles come as the socket sends them.

import { pause, segment } from "./core/http.js";
import { Sync } from "./core/sync.js";

/** @import { Connection } from "./core/connection.js" */
/** @import * as Sdk from "./types/channels.js" */
/** @import * as Api from "./types/api.js" */

const PAGE = 100;
const AGAIN_SECONDS = 5;
/** Counts and names, which are no part of what happened. */
const NOT_IN_EVENTS = new Set([
  "reactions",
  "views",
  "comment_count",
  "comments_open",
  "channel_name",
  "sender_name",
  "sender_face_url",
]);

/** The stream of events without gaps: `for await (const event of client.events())`. */
export class LiveEvents {
  /**
   * @param {Connection} client
   * @param {AbortSignal | null} [signal] Ends it.
   */
  constructor(client, signal = null) {
    this.#client = client;
    this.#signal = signal;
    this.#sync = new Sync(client);
  }

  #client;
  #signal;
  #sync;
  /** @type {Map<string, ReturnType<typeof startOf>>} */
  #known = new Map(); // by conversation: up to where its events were given
  /** @type {Sdk.Event[]} */
  #ready = []; // to be given
  /** @type {Sdk.Event[]} */
  #held = []; // arrived while the gap before them is read
  #isReading = false;
  #mustPull = false;
  #wake = () => {};

  /** @returns {AsyncGenerator<Sdk.Event, void, void>} */
  async *[Symbol.asyncIterator]() {
    const { socket } = this.#client;
    const end = () => this.#wake();
    socket.addEventListener("event", this.#onEvent);
    socket.addEventListener("ready", this.#onReady);
    this.#signal?.addEventListener("abort", end);
    if (socket.isOpen) this.#onReady();
    else socket.start();
    try {
      while (!this.#signal?.aborted) {
        const event = this.#ready.shift();
        if (event) yield event;
        else
          await new Promise((resolve) => {
            this.#wake = () => resolve(null);
          });
      }
    } finally {
      socket.removeEventListener("event", this.#onEvent);
      socket.removeEventListener("ready", this.#onReady);
      this.#signal?.removeEventListener("abort", end);
    }
  }

  #onReady = () => {
    this.#mustPull = true;
    this.#read();
  };

  /** @param {CustomEvent<Sdk.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (this.#isReading) this.#held.push(event);
    else if (this.#isNext(event)) this.#give(event);
    else this.#repair(event);
  };

  /** @param {Sdk.Event} event */
  #give(event) {
    this.#ready.push(event);
    this.#wake();
  }

  /**
   * Whether nothing is missing before the event. Counts on if so, and leaves out what was given already.
   * @param {Sdk.Event} event
   */
  #isNext(event) {
    const id = event.conversation_id;
    if (id === undefined || !("seq" in event)) {
      if (event.type === "conversation.ended" && id !== undefined) this.#known.delete(id);
      return true;
    }
    let known = this.#known.get(id);
    if (known === undefined) {
      // It began a moment ago.
      known = startOf(0, 0);
      this.#known.set(id, known);
    }
    if (event.type === "message.posted") {
      if (known.hasPosted && event.seq !== known.seq + 1) return false;
      known.hasPosted = true;
      known.seq = event.seq;
    } else if (event.version !== undefined) {
      if (known.hasChanged && event.version !== known.version + 1) return false;
      known.hasChanged = true;
      known.version = event.version;
    }
    return true;
  }

  /**
   * Drops an event that was given already, and reads what is missing before a later one.
   * @param {Sdk.Event} event
   */
  #repair(event) {
    if (this.#isOld(event)) return;
    this.#held.push(event);
    this.#mustPull = true;
    this.#read();
  }

  /** @param {Sdk.Event} event */
  #isOld(event) {
    const known = this.#known.get(event.conversation_id ?? "");
    if (known === undefined) return false;
    return event.type === "message.posted" ? event.seq <= known.seq : (event.version ?? Infinity) <= known.version;
  }

  /** Reads what was missed, then gives the events that arrived meanwhile. Tries until it succeeds. */
  async #read() {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#mustPull && !this.#signal?.aborted) {
      this.#mustPull = false;
      try {
        await this.#catchUp();
      } catch {
        this.#mustPull = true;
        await pause(AGAIN_SECONDS);
      }
    }
    this.#isReading = false;
    const held = this.#held;
    this.#held = [];
    for (const event of held) {
      const isNext = this.#isNext(event);
      if (!isNext && this.#isOld(event)) continue;
      // What is still missing before it was read just now, and is not visible to the user.
      if (!isNext) this.#skipTo(event);
      this.#give(event);
    }
  }

  /** @param {Sdk.Event} event */
  #skipTo(event) {
    const known = this.#known.get(event.conversation_id ?? "");
    if (known === undefined) return;
    if (event.type === "message.posted") known.seq = event.seq;
    else known.version = event.version ?? known.version;
  }

  async #catchUp() {
    const isFirst = this.#known.size === 0 && this.#sync.token === null;
    /** @type {Set<string> | null} */
    let listed = null;
    /** @type {(Api.SyncConversation | Api.SyncEnd)[]} */
    const items = [];
    await this.#sync.pull((page, isStart) => {
      if (isStart) listed ??= new Set();
      for (const item of page.items) {
        listed?.add(item.conversation_id);
        items.push(item);
      }
    });
    for (const item of items) {
      if ("ended" in item) this.#end(item.conversation_id);
      else if (isFirst) this.#known.set(item.conversation_id, startOf(item.head_seq, item.version));
      else await this.#readMissed(item);
    }
    const left = /** @type {Set<string> | null} */ (listed);
    if (left) for (const id of [...this.#known.keys()]) if (!left.has(id)) this.#end(id);
  }

  /** @param {string} id */
  #end(id) {
    if (!this.#known.delete(id)) return;
    const at = new Date().toISOString();
    this.#give({ type: "conversation.ended", at, stream_id: null, conversation_id: id, caught_up: true });
  }

  /** @param {Api.SyncConversation} item */
  async #readMissed(item) {
    const id = item.conversation_id;
    // What came before the user joined is not missing.
    const known = this.#known.get(id) ?? startOf(item.read_seq, item.version);
    this.#known.set(id, known);
    known.hasPosted = known.hasChanged = true;
    const group = item.group_id === null ? "" : segment(item.group_id);
    const path = item.is_channel
      ? `/v1/channels/${group}/posts`
      : item.type === "group"
        ? `/v1/groups/${group}/messages`
        : `/v1/conversations/${segment(id)}/messages`;
    let headSeq = item.head_seq;
    while (known.version < item.version) {
      /** @type {{ items: Sdk.Item[]; version: number; next_cursor: string | null }} */
      const page = await this.#client.request("GET", path, { query: { changed_since: known.version, limit: PAGE } });
      for (const changed of page.items)
        if (changed.seq <= known.seq) this.#give(eventOf(item, changed, changed.recalled_at ? "recalled" : "edited"));
        // Posted since the sync. The version covers its changes, and its event would bring it as it was before.
        else headSeq = Math.max(headSeq, changed.seq);
      if (page.version <= known.version) break;
      known.version = page.version;
    }
    while (known.seq < headSeq) {
      /** @type {{ items: Sdk.Item[] }} */
      const page = await this.#client.request("GET", path, { query: { after_seq: known.seq, limit: PAGE } });
      const posted = page.items.sort((one, other) => one.seq - other.seq);
      for (const each of posted) this.#give(eventOf(item, each, "posted"));
      // The rest is not visible to the user.
      known.seq = posted.at(-1)?.seq ?? headSeq;
    }
  }
}

/**
 * Where a conversation stood at the start. What is read then may hold a message whose event is still on its way. So the
 * first event of each kind is taken as it comes, and the next ones have to follow it.
 * @param {number} seq
 * @param {number} version
 */
const startOf = (seq, version) => ({ seq, version, hasPosted: false, hasChanged: false });

/**
 * The event that would have come over the socket.
 * @param {Api.SyncConversation} conversation
 * @param {Sdk.Item} item
 * @param {"posted" | "edited" | "recalled"} what
 * @returns {Sdk.Event}
 */
function eventOf({ conversation_id: id, is_channel: isChannel, group_id: groupId }, item, what) {
  const fields = Object.entries(item).filter(([name]) => !NOT_IN_EVENTS.has(name));
  const content = /** @type {Sdk.EventItem} */ (Object.fromEntries(fields));
  return {
    type: `message.${what}`,
    at: (what === "posted" ? item.created_at : (item.recalled_at ?? item.edited_at)) ?? item.created_at,
    stream_id: groupId === null ? null : id,
    conversation_id: id,
    ...(groupId === null ? {} : isChannel ? { channel_id: groupId } : { group_id: groupId }),
    seq: item.seq,
    version: item.version,
    [isChannel ? "post" : "message"]: content,
    caught_up: true,
  };
}
