// The part of one stream that is on the screen: posts of a channel, messages of a group or between two, by seq, without hole.
//
// Promises: what is held is one gapless run of seqs, each once. An event that continues the run is added; one that would
// leave a hole has the hole read first. When the socket begins to watch after something was read (a slow start, a reconnect),
// what is held is read again and the run on to the head: edits, recalls and reactions may have been missed too. Fires `change`.
//
// Counts of reactions are told live and name nobody, so what I did in another window is not among them: my own mark there
// is read again when this window gets the focus. Asking at each change would cost a call for every reader of a hot post.

import { del, get, part, patch, post, put } from "../api.js";
import { conversationOf } from "../inbox.js";
import { link } from "../socket.js";

const PAGE = 30;
const LARGEST_PAGE = 100;
/** How much is shown above the first unread one. */
const CONTEXT = 8;

/** What a channel, a chat group and a one-to-one chat (`id` is the conversation's then) call the same things. */
export const PLACES = {
  channel: { calls: "channels", items: "posts", field: "post" },
  chat: { calls: "groups", items: "messages", field: "message" },
  dialogue: { calls: "conversations", items: "messages", field: "message" },
};

export class Stream extends EventTarget {
  items = new Map();
  head = 0;
  hasOlder = false;
  #loading = null;
  #isOpened = false;
  #meanwhile = []; // events heard while a page was on its way, which may be older than they are
  #again = false;
  #mayDiffer = false; // somebody reacted, who may be me elsewhere

  constructor(kind, id, head) {
    super();
    this.place = PLACES[kind];
    this.id = id;
    this.conversationId = kind === "dialogue" ? id : conversationOf(id);
    this.path = `/v1/${this.place.calls}/${part(id)}/${this.place.items}`;
    this.head = head;
    link.addEventListener("event", this.#onEvent);
    link.addEventListener("watching", this.#onWatching);
    addEventListener("focus", this.#onFocus);
    // Between two there is nothing to watch: from the first word of the socket on, every event comes.
    if (kind === "dialogue") link.addEventListener("ready", this.#onReady);
    else link.watch(this.conversationId);
  }

  close() {
    removeEventListener("focus", this.#onFocus);
    link.removeEventListener("event", this.#onEvent);
    link.removeEventListener("watching", this.#onWatching);
    link.removeEventListener("ready", this.#onReady);
    link.unwatch(this.conversationId);
  }

  get first() {
    return this.#ends()[0];
  }

  get last() {
    return this.#ends()[1];
  }

  get hasNewer() {
    return this.last < this.head;
  }

  #ends() {
    let first = Infinity;
    let last = 0;
    for (const seq of this.items.keys()) {
      if (seq < first) first = seq;
      if (seq > last) last = seq;
    }
    return [first, last];
  }

  inOrder() {
    return [...this.items.values()].sort((one, other) => one.seq - other.seq);
  }

  /** Begin at the newest, or where reading stopped when much has come since. */
  async open(readSeq = null) {
    const unread = readSeq === null ? 0 : this.head - readSeq;
    if (unread > PAGE - CONTEXT) {
      await this.#read({ after_seq: Math.max(0, readSeq - CONTEXT), limit: PAGE }, () => {
        this.hasOlder = readSeq > CONTEXT;
      });
    } else {
      await this.toNewest();
    }
  }

  /** Drop what is held and begin again at the newest. */
  async toNewest() {
    await this.#read({ limit: PAGE }, (page, more) => {
      this.items.clear();
      this.hasOlder = more;
      for (const item of page) this.head = Math.max(this.head, item.seq);
    });
    // Posted while the page was on its way.
    if (this.hasNewer) await this.#follow();
  }

  /** Have this one among what is held: where it is not, drop what is held and begin again around it. */
  async around(seq) {
    if (this.items.has(seq)) return;
    const after = Math.max(0, seq - CONTEXT - 1);
    await this.#read({ after_seq: after, limit: PAGE }, (page) => {
      this.items.clear();
      this.hasOlder = after > 0;
      for (const item of page) this.head = Math.max(this.head, item.seq);
    });
    if (!this.items.size) await this.toNewest();
  }

  older() {
    if (!this.hasOlder) return null;
    return this.#read({ before_seq: this.first, limit: PAGE }, (page, more) => {
      this.hasOlder = more && page.length > 0;
    });
  }

  newer() {
    if (!this.hasNewer) return null;
    return this.#read({ after_seq: this.last, limit: LARGEST_PAGE }, (page) => {
      // The head was told wrong, or what is behind it is not for me: no endless asking.
      if (!page.length) this.head = this.last;
    });
  }

  /** One call at a time: a page that is asked for twice would be shown twice as late, not twice. */
  async #read(query, settle) {
    this.#isOpened = true;
    while (this.#loading) await this.#loading;
    const reading = (async () => {
      this.#meanwhile = [];
      const page = await get(this.path, query);
      settle(page.items, page.next_cursor !== null);
      for (const item of page.items) {
        // Read again and the same, it stays the object that is drawn.
        if (JSON.stringify(item) !== JSON.stringify(this.items.get(item.seq))) this.items.set(item.seq, item);
      }
      for (const event of this.#meanwhile) this.#takeChange(event);
    })();
    this.#loading = reading.catch(() => {}).finally(() => {
      this.#loading = null;
    });
    await reading;
    this.#changed();
  }

  // --- what I do

  async react(seq, emoji, isOn) {
    const change = isOn ? put : del;
    const tally = await change(`${this.path}/${seq}/reactions/${part(emoji)}`);
    this.#update(seq, { reactions: tally });
  }

  async write(body, key) {
    this.add(await post(this.path, body, key));
  }

  async edit(seq, body) {
    this.add(await patch(`${this.path}/${seq}`, body));
  }

  async recall(seq) {
    await del(`${this.path}/${seq}`);
    this.add(await get(`${this.path}/${seq}`));
  }

  /** Take in one item that is known to be true now. */
  add(item) {
    if (item.seq > this.head) this.head = item.seq;
    if (this.items.has(item.seq) || item.seq === this.last + 1) {
      this.items.set(item.seq, item);
      this.#changed();
    } else if (item.seq > this.last) {
      this.#follow();
    }
  }

  /** Take in how many have seen some posts. */
  viewed(counts) {
    for (const { seq, views } of counts) {
      if (this.items.has(seq) && this.items.get(seq).views !== views) this.#update(seq, { views });
    }
  }

  // --- what others do

  #onEvent = ({ detail: event }) => {
    if (event.conversation_id !== this.conversationId) return;
    if (event.type === "message.posted") {
      // Read back to the end, the next one is shown as it comes; else it waits behind the button.
      const wasAtEnd = !this.hasNewer;
      this.head = Math.max(this.head, event.seq);
      if (this.items.has(event.seq)) return;
      if (wasAtEnd && event.seq === this.last + 1) this.items.set(event.seq, { ...event[this.place.field], reactions: { counts: {}, total: 0, mine: [] } });
      else if (wasAtEnd) return this.#follow();
      this.#changed();
    } else {
      if (this.#loading) this.#meanwhile.push(event);
      this.#takeChange(event);
    }
  };

  /** Take in a change of an item; one that is told twice is the same. */
  #takeChange(event) {
    if (event.type === "message.edited" || event.type === "message.recalled") {
      this.#update(event.seq, event[this.place.field]);
    } else if (event.type === "reactions.changed") {
      // Between two each side is told its own; to many nobody's is.
      this.#mayDiffer ||= event.mine === undefined;
      const mine = event.mine ?? (this.items.get(event.seq)?.reactions?.mine ?? []).filter((emoji) => event.counts[emoji]);
      this.#update(event.seq, { reactions: { counts: event.counts, total: event.total, mine } });
    }
  }

  #onFocus = () => {
    if (!this.#mayDiffer) return;
    this.#mayDiffer = false;
    this.catchUp().catch(() => {});
  };

  #onReady = () => {
    if (this.#isOpened) this.catchUp().catch(() => {});
  };

  #onWatching = ({ detail: conversationId }) => {
    if (conversationId === this.conversationId && this.#isOpened) this.catchUp().catch(() => {});
  };

  /** Read what was missed: what is held anew and, where it reached the head, on to the head of now. */
  async catchUp() {
    while (this.#loading) await this.#loading;
    const until = this.hasNewer ? this.last : Infinity;
    let after = this.items.size ? this.first - 1 : 0;
    for (let isMore = true; isMore && after < until; ) {
      await this.#read({ after_seq: after, limit: Math.min(LARGEST_PAGE, until - after) }, (page, more) => {
        isMore = more && page.length > 0;
        for (const { seq } of page) after = Math.max(after, seq);
      });
    }
    this.head = Math.max(this.head, this.last);
    this.#changed();
  }

  /** Close the hole before the head, once at a time. */
  async #follow() {
    if (this.#again) return;
    this.#again = true;
    try {
      while (this.hasNewer) await this.newer();
    } catch {
      // Shown as "newer ones are there"; the next event or scroll tries again.
      this.#changed();
    } finally {
      this.#again = false;
    }
  }

  #update(seq, changes) {
    const item = this.items.get(seq);
    if (!item) return;
    this.items.set(seq, { ...item, ...changes });
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
