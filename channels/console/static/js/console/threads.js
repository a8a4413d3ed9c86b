// The threads of a channel's inbox, the latest active first, kept in step by events; whoever runs the channel shares what is read.
//
// Fires `change`, `message` (detail: the event) for what was said, changed, taken back or reacted to in one of them, and
// `missed` when there may have been more of that than was told.

import { get, part, post } from "../api.js";
import { everySeen } from "../dom.js";
import { link } from "../socket.js";

const PAGE = 30;
export const ASK_EVERY = 4000; // milliseconds, while the window is seen

export class Threads extends EventTarget {
  rows = new Map(); // by user id
  hasMore = false;
  isLoaded = false;
  #cursor = null;
  #asked = 0;
  #timer = 0;

  /** `isTold`: whether the socket tells its events to me, as to those who run the channel; else they are asked for. */
  constructor(channelId, { isTold }) {
    super();
    this.id = channelId;
    if (!isTold) this.#timer = everySeen(ASK_EVERY, () => this.refresh().catch(() => {}));
    this.path = `/v1/channels/${part(channelId)}/inbox`;
    link.addEventListener("event", this.#onEvent);
    link.addEventListener("ready", this.#onReady);
  }

  close() {
    clearInterval(this.#timer);
    link.removeEventListener("event", this.#onEvent);
    link.removeEventListener("ready", this.#onReady);
  }

  inOrder() {
    return [...this.rows.values()].sort((one, other) => (other.last_message?.at ?? "").localeCompare(one.last_message?.at ?? "") || one.user_id.localeCompare(other.user_id));
  }

  /** Read the newest ones anew; what was shown beyond them is asked for again with `more`. */
  async load() {
    const asked = (this.#asked += 1);
    const page = await get(this.path, { limit: PAGE });
    if (asked !== this.#asked) return;
    this.rows = new Map(page.items.map((row) => [row.user_id, row]));
    this.#take(page);
  }

  /** Read again what may have been missed: the newest threads, and what is open of one. */
  async refresh() {
    await this.load();
    this.dispatchEvent(new Event("missed"));
  }

  async more() {
    const asked = (this.#asked += 1);
    const page = await get(this.path, { limit: PAGE, cursor: this.#cursor });
    if (asked !== this.#asked) return;
    // What an event has brought up meanwhile is newer than its place on this page.
    for (const row of page.items) if (!this.rows.has(row.user_id)) this.rows.set(row.user_id, row);
    this.#take(page);
  }

  #take(page) {
    this.#cursor = page.next_cursor;
    this.hasMore = page.next_cursor !== null;
    this.isLoaded = true;
    this.#changed();
  }

  /** Mark it read up to here, for everyone who reads the inbox. */
  async read(user, seq) {
    if (!this.rows.get(user)?.unread_count) return;
    this.#set(await post(`${this.path}/${part(user)}/read`, { seq }));
  }

  #set({ user_id: user, read_seq: readSeq, unread_count: unread }) {
    const row = this.rows.get(user);
    // Two events may come the wrong way round; reading never goes back.
    if (!row || readSeq < row.read_seq) return;
    this.rows.set(user, { ...row, read_seq: readSeq, unread_count: unread });
    this.#changed();
  }

  #onEvent = ({ detail: event }) => {
    // In nobody's conversation: it is the channel's side.
    if (event.channel_id !== this.id || event.stream_id !== null || !event.user_id) return;
    if (event.type === "inbox.read") this.#set(event);
    if (event.type === "message.posted") this.#posted(event);
    else if (event.message) this.#rewritten(event);
    else if (event.type !== "reactions.changed") return;
    this.dispatchEvent(new CustomEvent("message", { detail: event }));
  };

  #posted({ user_id: user, seq, message }) {
    const row = this.rows.get(user);
    // One that is not loaded has a name that the event does not tell.
    if (!row) return this.load().catch(() => {});
    if (seq <= row.head_seq) return null;
    const last = { seq, from_channel: message.from_channel, preview: previewOf(message), at: message.created_at };
    const unread = message.from_channel ? 0 : row.unread_count + 1;
    this.rows.set(user, { ...row, head_seq: seq, last_message: last, unread_count: unread });
    return this.#changed();
  }

  #rewritten({ user_id: user, seq, message }) {
    const row = this.rows.get(user);
    if (row?.last_message?.seq !== seq) return;
    this.rows.set(user, { ...row, last_message: { ...row.last_message, preview: message.recalled_at ? "" : previewOf(message) } });
    this.#changed();
  }

  #onReady = () => {
    if (this.isLoaded) this.refresh().catch(() => {});
  };

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** As the server writes it (`Content.preview`). */
function previewOf(said) {
  return (said.title || said.text || said.location?.name || `[${said.kind}]`).slice(0, 100);
}
