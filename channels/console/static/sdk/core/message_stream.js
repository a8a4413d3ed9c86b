// The loaded part of one stream of posts or messages, kept up to date by events.
//
// Promises: the loaded items are one run of seqs without gaps, each once. An event that continues the run is added. When an
// event would leave a gap, the gap is loaded first. When events may have been missed (a slow start, a reconnect), the loaded
// items are loaded again and the run is extended to the head, since edits, recalls and reactions may have been missed too.
// Fires `change`.
//
// Events about reactions in groups and channels carry counts but no names. When the user reacts in another window, this one
// sees the new count but not that the reaction is the user's own. It loads that when it gets the focus: loading it at each
// change would cost one call for every reader of a popular post. The same holds for the counts of a poll that only some may
// see: a reader who sees them loads them again a while after a change, and at another moment than other readers.

import { segment } from "./http.js";

/** @import * as Sdk from "../types/channels.js" */
/** @import * as Api from "../types/api.js" */

const PAGE = 30;
const LARGEST_PAGE = 100;
/** How many items are shown above the first unread one. */
const CONTEXT = 8;
const CONFIRMED_WITHIN = 300; // milliseconds
/** After how long counts that no event carries are loaded again, in milliseconds: at least, and at most so much later. */
const COUNTS_AFTER = { least: 4000, spread: 6000 };
/** What events are about; those of comments are apart, since both may be of one channel. */
const OF_COMMENTS = "comment.";

export class MessageStream extends /** @type {Sdk.TargetClass<{ change: Event }>} */ (EventTarget) {
  /** @type {Map<number, Sdk.Item>} */
  items = new Map();
  hasOlder = false;
  /** @type {Promise<void> | null} */
  #loading = null;
  #isOpened = false;
  /** @type {Sdk.Event[]} */
  #eventsWhileLoading = []; // the page that is being loaded may be older than these
  #isFillingGap = false;
  #isWithUser;
  #isWatching = false;
  /** @type {Map<number, number>} */
  #reloads = new Map(); // by seq: the timer
  #onConfirmed = /** @type {(value?: unknown) => void} */ (() => {});

  /**
   * @param {Sdk.StreamClient} client
   * @param {Sdk.StreamOptions} options
   */
  constructor(
    client,
    { path, isWithUser = false, field = "message", watch = null, isMine, headSeq = 0, pageSize = PAGE },
  ) {
    super();
    this.#client = client;
    this.path = path;
    this.#isWithUser = isWithUser;
    this.headSeq = headSeq;
    this.#field = field;
    this.#watch = watch;
    this.#isMine = isMine;
    this.#pageSize = pageSize;
    const { socket } = client;
    socket.addEventListener("event", this.#onEvent);
    if (watch === null) socket.addEventListener("ready", this.#onReady);
    else {
      socket.addEventListener("watching", this.#onWatching);
      socket.watch(watch);
    }
  }

  #client;
  #field;
  #watch;
  #isMine;
  #pageSize;

  /** Ends the updates. */
  close() {
    const { socket } = this.#client;
    socket.removeEventListener("event", this.#onEvent);
    socket.removeEventListener("watching", this.#onWatching);
    socket.removeEventListener("ready", this.#onReady);
    if (this.#watch !== null) socket.unwatch(this.#watch);
    for (const timer of this.#reloads.values()) clearTimeout(timer);
    this.#reloads.clear();
  }

  /** The lowest loaded seq. */
  get first() {
    return this.#ends()[0];
  }

  /** The highest loaded seq. */
  get last() {
    return this.#ends()[1];
  }

  get hasNewer() {
    return this.last < this.headSeq;
  }

  /** @returns {[first: number, last: number]} */
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

  /**
   * Loads the newest items or, when there are many unread ones, those around the first unread.
   * @param {number | null} [readSeq]
   */
  async open(readSeq = null) {
    if (readSeq !== null && this.headSeq - readSeq > this.#pageSize - CONTEXT) {
      await this.#load({ after_seq: Math.max(0, readSeq - CONTEXT), limit: this.#pageSize }, () => {
        this.hasOlder = readSeq > CONTEXT;
      });
    } else {
      await this.loadNewest();
    }
  }

  /** Drops what is loaded and loads the newest items. */
  async loadNewest() {
    await this.#load({ limit: this.#pageSize }, (page, hasMore) => {
      this.items.clear();
      this.hasOlder = hasMore;
      for (const item of page) this.headSeq = Math.max(this.headSeq, item.seq);
    });
    // Some may have been posted meanwhile.
    if (this.hasNewer) await this.#fillGap();
  }

  /**
   * Makes sure that this item is loaded; returns whether there is such an item. If it was not loaded, drops what is loaded
   * and loads the items around it. If there is none, keeps what is loaded or, if that is nothing, loads the newest items.
   * @param {number} seq
   */
  async loadAround(seq) {
    if (this.items.has(seq)) return true;
    const after = Math.max(0, seq - CONTEXT - 1);
    await this.#load({ after_seq: after, limit: this.#pageSize }, (page) => {
      // Others would leave a gap to what is loaded.
      if (!page.some((item) => item.seq === seq)) return page.splice(0);
      this.items.clear();
      this.hasOlder = after > 0;
      for (const item of page) this.headSeq = Math.max(this.headSeq, item.seq);
    });
    if (!this.items.size) await this.loadNewest();
    return this.items.has(seq);
  }

  loadOlder() {
    if (!this.hasOlder || !this.items.size) return null;
    return this.#load({ before_seq: this.first, limit: this.#pageSize }, (page, hasMore) => {
      this.hasOlder = hasMore && page.length > 0;
    });
  }

  loadNewer() {
    if (!this.hasNewer) return null;
    return this.#load({ after_seq: this.last, limit: LARGEST_PAGE }, (page) => {
      // The head was wrong, or the items before it are not visible to the user. Stop asking for them.
      if (!page.length) this.headSeq = this.last;
    });
  }

  /** Loads what may have been missed: the loaded items again and, if they reached the head, everything newer. */
  async catchUp() {
    while (this.#loading) await this.#loading;
    const until = this.hasNewer ? this.last : Infinity;
    let after = this.items.size ? this.first - 1 : 0;
    for (let isMore = true; isMore && after < until; ) {
      // biome-ignore lint/suspicious/noLoopFunc: it runs before the loop goes on
      await this.#load({ after_seq: after, limit: Math.min(LARGEST_PAGE, until - after) }, (page, hasMore) => {
        isMore = hasMore && page.length > 0;
        for (const { seq } of page) after = Math.max(after, seq);
      });
    }
    this.headSeq = Math.max(this.headSeq, this.last);
    this.#changed();
  }

  /**
   * One call at a time. `apply(items, hasMore)` runs before the items are added, and may change them.
   * @param {{ limit: number; before_seq?: number; after_seq?: number }} query
   * @param {(items: Sdk.Item[], hasMore: boolean) => unknown} apply
   */
  async #load(query, apply) {
    if (!this.#isOpened) await this.#untilWatching();
    this.#isOpened = true;
    while (this.#loading) await this.#loading;
    const loading = (async () => {
      this.#eventsWhileLoading = [];
      const who = this.#isWithUser ? { to: "user" } : {};
      const page = await this.#client.request("GET", this.path, { query: { ...query, ...who } });
      apply(page.items, page.next_cursor !== null);
      for (const item of page.items) {
        // An item that has not changed stays the same object, so it is not rendered again.
        if (JSON.stringify(item) !== JSON.stringify(this.items.get(item.seq))) this.items.set(item.seq, item);
      }
      for (const event of this.#eventsWhileLoading) this.#applyChange(event);
    })();
    this.#loading = loading
      .catch(() => {})
      .finally(() => {
        this.#loading = null;
      });
    await loading;
    this.#changed();
  }

  /** Loads everything up to the head. */
  async #fillGap() {
    if (this.#isFillingGap) return;
    this.#isFillingGap = true;
    try {
      while (this.hasNewer) await this.loadNewer();
    } catch {
      // The view shows that there are newer items; the next event or scroll tries again.
      this.#changed();
    } finally {
      this.#isFillingGap = false;
    }
  }

  // --- what the user does

  /**
   * @param {number} seq
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async react(seq, emoji, isOn) {
    const path = `${this.path}/${seq}/reactions/${segment(emoji)}`;
    const reactions = await this.#client.request(isOn ? "PUT" : "DELETE", path);
    this.#update(seq, { reactions });
  }

  /**
   * @param {Api.NewMessage} body
   * @param {string} [key]
   */
  async post(body, key) {
    // A first message to a user is refused if a channel has an id like theirs, unless it says that the user is meant.
    const query = this.#isWithUser ? { to: "user" } : undefined;
    this.add(await this.#client.request("POST", this.path, { query, body, key }));
  }

  /**
   * @param {number} seq
   * @param {Api.WriteMessage} body
   */
  async edit(seq, body) {
    this.add(await this.#client.request("PATCH", `${this.path}/${seq}`, { body }));
  }

  /** @param {number} seq */
  async recall(seq) {
    await this.#client.request("DELETE", `${this.path}/${seq}`);
    this.add(await this.#client.request("GET", `${this.path}/${seq}`));
  }

  /**
   * Votes in the poll of an item, in place of an earlier vote. Without answers, takes the vote back.
   * @param {number} seq
   * @param {number[]} options The indexes of the answers.
   */
  async vote(seq, options) {
    const path = `${this.path}/${seq}/vote`;
    const poll = options.length
      ? await this.#client.request("PUT", path, { body: { options } })
      : await this.#client.request("DELETE", path);
    this.#update(seq, { poll });
  }

  /**
   * Acknowledges an item that asks for it. It cannot be taken back.
   * @param {number} seq
   */
  async acknowledge(seq) {
    this.#update(seq, { acknowledge: await this.#client.request("PUT", `${this.path}/${seq}/acknowledgement`) });
  }

  /**
   * Ends the poll of an item.
   * @param {number} seq
   */
  async closePoll(seq) {
    this.#update(seq, { poll: await this.#client.request("POST", `${this.path}/${seq}/poll/close`) });
  }

  /**
   * Presses a button of an item.
   * @param {number} seq
   * @param {number} index Over its rows, from 0.
   */
  async press(seq, index) {
    const text = this.items.get(seq)?.buttons?.flat()[index]?.text;
    const path = `${this.path}/${seq}/buttons/${index}/press`;
    const { buttons } = await this.#client.request("PUT", path, { query: { text } });
    this.#update(seq, { buttons });
  }

  /**
   * Loads one item again, if it is loaded.
   * @param {number} seq
   */
  async reload(seq) {
    if (this.items.has(seq)) this.#update(seq, await this.#client.request("GET", `${this.path}/${seq}`));
  }

  /** @param {number} seq */
  #reloadLater(seq) {
    if (this.#reloads.has(seq)) return;
    const { least, spread } = COUNTS_AFTER;
    const load = () => {
      this.#reloads.delete(seq);
      this.reload(seq).catch(() => {});
    };
    this.#reloads.set(seq, setTimeout(load, least + Math.random() * spread));
  }

  /**
   * Adds or replaces one item, as the server has just returned it.
   * @param {Sdk.Item} item
   */
  add(item) {
    if (item.seq > this.headSeq) this.headSeq = item.seq;
    if (this.items.has(item.seq) || item.seq === this.last + 1) {
      this.items.set(item.seq, item);
      this.#changed();
    } else if (item.seq > this.last) {
      this.#fillGap();
    }
  }

  /** @param {{ seq: number; views: number }[]} counts */
  setViewCounts(counts) {
    for (const { seq, views } of counts) {
      const item = this.items.get(seq);
      if (item && item.views !== views) this.#update(seq, { views });
    }
  }

  // --- events

  /** @param {CustomEvent<Sdk.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (!this.#isMine(event)) return;
    if (event.type.startsWith(OF_COMMENTS) !== (this.#field === "comment")) return;
    if (event.type === "message.posted" || event.type === "comment.posted") {
      // With everything loaded up to the head, the new item is shown at once. Otherwise it waits for the user to scroll.
      const wasAtHead = !this.hasNewer;
      this.headSeq = Math.max(this.headSeq, event.seq);
      if (this.items.has(event.seq)) return;
      const item = event[this.#field];
      if (wasAtHead && item && event.seq === this.last + 1) this.items.set(event.seq, itemOfEvent(item));
      else if (wasAtHead) return this.#fillGap();
      this.#changed();
    } else {
      if (this.#loading) this.#eventsWhileLoading.push(event);
      this.#applyChange(event);
    }
  };

  /**
   * Applies a change to an item. Idempotent.
   * @param {Sdk.Event} event
   */
  #applyChange(event) {
    if (CHANGES.has(event.type)) {
      const { seq = 0 } = event;
      const changed = event[this.#field];
      const known = this.items.get(seq);
      const poll = changed?.poll ? { poll: pollInEvent(changed.poll, known?.poll) } : {};
      const buttons = changed?.buttons ? { buttons: buttonsInEvent(changed.buttons, known?.buttons) } : {};
      // The event carries neither the count nor the user's own acknowledgement: what is known of them stays.
      const kept = changed?.acknowledge && known?.acknowledge ? { acknowledge: known.acknowledge } : {};
      this.#update(seq, { ...changed, ...poll, ...buttons, ...kept });
    } else if (event.type === "poll.changed") {
      const known = this.items.get(event.seq)?.poll;
      if (!known) return;
      this.#update(event.seq, { poll: pollAfterVotes(known, event) });
      if (hidesCounts(known, event)) this.#reloadLater(event.seq);
    } else if (event.type === "buttons.changed") {
      const known = this.items.get(event.seq)?.buttons;
      if (known) this.#update(event.seq, { buttons: buttonsAfterPresses(known, event) });
    } else if (event.type === "acknowledgements.changed") {
      const mine = event.mine ?? this.items.get(event.seq)?.acknowledge?.mine ?? false;
      this.#update(event.seq, { acknowledge: { count: event.count, mine } });
    } else if (event.type === "comments.counted") {
      this.#update(event.seq, { comment_count: event.comment_count });
    } else if (event.type === "reactions.changed" || event.type === "comment.reacted") {
      // An event of the user's own reaction, on whichever device, says which are theirs now. Others change only counts.
      const mine =
        event.mine ?? (this.items.get(event.seq)?.reactions?.mine ?? []).filter((emoji) => event.counts[emoji]);
      this.#update(event.seq, { reactions: { counts: event.counts, total: event.total, mine } });
    }
  }

  /**
   * What is loaded before reactions are delivered has to be loaded again. The server confirms within a moment, unless the
   * user may not read here, which the load then tells.
   */
  async #untilWatching() {
    if (this.#watch === null || !this.#client.socket.isOpen || this.#isWatching) return;
    await new Promise((resolve) => {
      this.#onConfirmed = resolve;
      setTimeout(resolve, CONFIRMED_WITHIN);
    });
  }

  #onReady = () => {
    if (this.#isOpened) this.catchUp().catch(() => {});
  };

  /** @param {CustomEvent<string>} event */
  #onWatching = ({ detail: conversationId }) => {
    if (conversationId !== this.#watch) return;
    this.#isWatching = true;
    this.#onConfirmed();
    this.#onReady();
  };

  /**
   * @param {number} seq
   * @param {Partial<Sdk.Item>} changes
   */
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

/**
 * The posts of a channel, kept up to date while the socket is started.
 * @param {Sdk.StreamClient} client
 * @param {string} channelId The whole id.
 * @param {{ headSeq?: number; pageSize?: number }} [options]
 */
export function postStream(client, channelId, options) {
  const conversationId = `group_${channelId}`;
  return new MessageStream(client, {
    path: `/v1/channels/${segment(channelId)}/posts`,
    field: "post",
    watch: conversationId,
    isMine: (event) => event.conversation_id === conversationId,
    ...options,
  });
}

const CHANGES = new Set(["message.edited", "message.recalled", "comment.edited", "comment.recalled"]);

/**
 * A new item as the event of it carries it, with the counts of what is new.
 * @param {Sdk.EventItem} item
 * @returns {Sdk.Item}
 */
function itemOfEvent(item) {
  const poll = item.poll ? { poll: pollInEvent(item.poll, null) } : {};
  const buttons = item.buttons ? { buttons: buttonsInEvent(item.buttons, null) } : {};
  return { ...item, ...poll, ...buttons, reactions: { counts: {}, total: 0, mine: [] } };
}

// Polls in events: they are the same for all readers, so they carry neither counts that some may not see nor the user's own
// vote, and what is known of both stays.

/** @typedef {NonNullable<Sdk.Item["poll"]>} Poll */

/**
 * The poll that an event about its post or message carries, with the counts and the vote that are known.
 * @param {Poll} given
 * @param {Poll | null | undefined} known
 * @returns {Poll}
 */
export function pollInEvent(given, known) {
  // Nobody has voted in one that has just been posted.
  const votes = (/** @type {number} */ index) =>
    known ? (known.options[index]?.votes ?? null) : given.results === "always" ? 0 : null;
  return {
    ...given,
    options: given.options.map((option, index) => ({ ...option, votes: votes(index) })),
    voters: known ? known.voters : votes(0),
    mine: known?.mine ?? [],
  };
}

/**
 * The poll after votes, or after it closed: counts are null where not everybody may see them, and those that are known
 * stay. An event of the user's own vote, on whichever device, says what it is now.
 * @param {Poll} known
 * @param {{ options: number[] | null; voters: number | null; closed?: boolean; mine?: number[] }} event
 * @returns {Poll}
 */
export function pollAfterVotes(known, { options: counts, voters, closed = known.closed, mine = known.mine }) {
  if (counts === null) return { ...known, closed, mine };
  const options = known.options.map((option, index) => ({ ...option, votes: counts[index] ?? option.votes }));
  return { ...known, options, voters, closed, mine };
}

/**
 * Whether the user sees counts that an event does not carry, so that the post has to be read again.
 * @param {Poll} known
 * @param {{ options: number[] | null; mine?: number[] }} event
 */
export const hidesCounts = (known, { options, mine = known.mine }) =>
  options === null && (known.voters !== null || (known.results === "after_vote" && mine.length > 0));

// Buttons in events carry no counts either.

/** @typedef {NonNullable<Sdk.Item["buttons"]>} Buttons */

/**
 * The buttons that an event about their post or message carries, with what is known of each. Another text or action is
 * another button, which nobody has pressed.
 * @param {Buttons} given
 * @param {Buttons | null | undefined} known
 * @returns {Buttons}
 */
export function buttonsInEvent(given, known) {
  const keyOf = (/** @type {Buttons[0][0]} */ { presses: _, pressed: __, ...button }) => JSON.stringify(button);
  const before = new Map((known ?? []).flat().map((button) => [keyOf(button), button]));
  const presses = (/** @type {string} */ kind) => (kind === "reply" || kind === "event" ? 0 : null);
  return given.map((row) =>
    row.map((button) => before.get(keyOf(button)) ?? { ...button, presses: presses(button.kind), pressed: false }),
  );
}

/**
 * The buttons after presses. An event of the user's own press, on whichever device, says which ones they have pressed.
 * @param {Buttons} known
 * @param {{ presses: (number | null)[]; pressed?: number[] }} event
 * @returns {Buttons}
 */
export function buttonsAfterPresses(known, { presses, pressed }) {
  let index = -1;
  return known.map((row) =>
    row.map((button) => {
      index += 1;
      return {
        ...button,
        presses: presses[index] ?? button.presses,
        pressed: pressed?.includes(index) ?? button.pressed,
      };
    }),
  );
}
