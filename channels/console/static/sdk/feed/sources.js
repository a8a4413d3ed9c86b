// Where the posts of a feed come from: the API and the socket for who is signed in, the public feed for everyone else.
//
// Both fire `change` when posts or the channel changed, `state` when the connection was opened or lost, and `failed`
// (detail: the error) when updates ended. Their posts are the newest first.

import { ApiError, segment } from "../core/http.js";

/** @import { Connection } from "../core/connection.js" */
/** @import * as Sdk from "../types/channels.js" */
/** @import * as Api from "../types/api.js" */

/**
 * The fields of a post that both sources have.
 * @typedef {Pick<Api.PostResponse, "seq" | "created_at" | "edited_at" | "reactions"> & Partial<Api.PostResponse>} Post
 */
/** @typedef {{ name: string; canReact: boolean; policy: Api.SettingsResponse["reactions"] }} ShownChannel */
/** @typedef {{ change: Event; state: Event; failed: CustomEvent<ApiError> }} SourceEvents */

/** A channel that the user is not in sends them no events, and neither does the public feed: it is asked now and then. */
const POLL_EVERY = 60_000;
const FIRST_SEQ = 1;

/**
 * Runs `work` about once a minute while the page is visible. Randomized, so that pages do not ask in step.
 * @param {() => Promise<unknown>} work
 */
function poll(work) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const next = () => {
    timer = setTimeout(
      async () => {
        if (document.visibilityState === "visible") await work().catch(() => {});
        if (!isEnded) next();
      },
      POLL_EVERY * (1 + Math.random() / 10),
    );
  };
  let isEnded = false;
  next();
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

/** The posts as a signed-in user sees them, live. */
export class SignedInSource extends /** @type {Sdk.TargetClass<SourceEvents>} */ (EventTarget) {
  /**
   * @param {Connection} client
   * @param {string} channelId
   * @param {number} limit
   */
  constructor(client, channelId, limit) {
    super();
    this.#client = client;
    this.#channelId = channelId;
    this.#limit = limit;
  }

  #client;
  #channelId;
  #limit;
  /** @type {Api.ChannelResponse | null} */
  #channel = null;
  /** @type {Sdk.MessageStream | null} */
  #stream = null;
  #isClosed = false;
  #endPolling = () => {};

  /** @returns {ShownChannel} */
  get channel() {
    const channel = this.#channel;
    if (channel === null) return { name: "", canReact: false, policy: "none" };
    const policy = channel.settings.reactions;
    return { name: channel.name, canReact: channel.role !== null && policy !== "none", policy };
  }

  /** @returns {Post[]} */
  get posts() {
    return /** @type {Post[]} */ (this.#stream?.inOrder().reverse() ?? []);
  }

  get hasOlder() {
    return this.#stream?.hasOlder ?? false;
  }

  get isConnected() {
    return this.#client.socket.isOpen;
  }

  /** Loads the newest posts. Raises: ApiError. */
  async start() {
    this.#client.socket.start();
    const channel = await this.#client.request("GET", `/v1/channels/${segment(this.#channelId)}`);
    if (this.#isClosed) return;
    this.#channel = channel;
    const stream = this.#client.postStream(channel.channel_id, { headSeq: channel.head_seq, pageSize: this.#limit });
    this.#stream = stream;
    stream.addEventListener("change", this.#onChange);
    this.#client.socket.addEventListener("event", this.#onEvent);
    this.#client.socket.addEventListener("state", this.#onState);
    await stream.open();
    if (channel.role === null) this.#endPolling = poll(() => stream.catchUp());
  }

  async loadOlder() {
    await this.#stream?.loadOlder();
  }

  /**
   * @param {number} seq
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async react(seq, emoji, isOn) {
    await this.#stream?.react(seq, emoji, isOn);
  }

  close() {
    this.#isClosed = true;
    this.#endPolling();
    this.#stream?.removeEventListener("change", this.#onChange);
    this.#stream?.close();
    this.#client.socket.removeEventListener("event", this.#onEvent);
    this.#client.socket.removeEventListener("state", this.#onState);
  }

  #onChange = () => this.dispatchEvent(new Event("change"));
  #onState = () => this.dispatchEvent(new Event("state"));

  /** @param {CustomEvent<Sdk.Event>} event */
  #onEvent = ({ detail: event }) => {
    const channel = this.#channel;
    if (channel === null || event.channel_id !== channel.channel_id) return;
    if (event.type === "channel.deleted") {
      this.dispatchEvent(new CustomEvent("failed", { detail: new ApiError(404, "channel_not_found", "") }));
    } else if (event.type.startsWith("channel.")) {
      this.#reload().catch(() => {});
    }
  };

  async #reload() {
    this.#channel = await this.#client.request("GET", `/v1/channels/${segment(this.#channelId)}`);
    this.#onChange();
  }
}

/** The posts of a public channel, as anyone may read them: the JSON feed of its public page. */
export class PublicSource extends /** @type {Sdk.TargetClass<SourceEvents>} */ (EventTarget) {
  /**
   * @param {Connection} client Without a token.
   * @param {string} channelId
   * @param {number} limit
   */
  constructor(client, channelId, limit) {
    super();
    this.#client = client;
    this.#path = `/c/${segment(channelId)}/feed.json`;
    this.#limit = limit;
    this.#shown = limit;
  }

  #client;
  #path;
  #limit;
  #shown;
  #name = "";
  /** @type {Map<number, Post>} */
  #posts = new Map();
  /** @type {string | null} */
  #older = null; // the `before_seq` of the next page
  #endPolling = () => {};
  #isClosed = false;

  /** @returns {ShownChannel} */
  get channel() {
    return { name: this.#name, canReact: false, policy: "none" };
  }

  get posts() {
    return this.#newestFirst().slice(0, this.#shown);
  }

  get hasOlder() {
    return this.#older !== null || this.#posts.size > this.#shown;
  }

  get isConnected() {
    return true;
  }

  /** Loads the newest posts. Raises: ApiError, 404 also where public pages are switched off. */
  async start() {
    await this.#refresh();
    if (!this.#isClosed) this.#endPolling = poll(() => this.#refresh());
  }

  async loadOlder() {
    this.#shown += this.#limit;
    while (this.#posts.size < this.#shown && this.#older !== null) {
      const page = await this.#load(this.#older);
      for (const post of page.posts) if (!this.#posts.has(post.seq)) this.#posts.set(post.seq, post);
      this.#older = page.older;
    }
    this.dispatchEvent(new Event("change"));
  }

  async react() {}

  close() {
    this.#isClosed = true;
    this.#endPolling();
  }

  #newestFirst() {
    return [...this.#posts.values()].sort((one, other) => other.seq - one.seq);
  }

  /** Takes the newest page: new posts, changed ones, and those that are missing in it because they were deleted. */
  async #refresh() {
    const page = await this.#load(null);
    const oldest = Math.min(...page.posts.map((post) => post.seq), Infinity);
    const newestKnown = this.#newestFirst()[0]?.seq ?? 0;
    const isGap = page.older !== null && oldest > newestKnown + FIRST_SEQ;
    if (isGap || page.older === null) {
      this.#posts.clear();
      this.#older = page.older;
    }
    for (const seq of this.#posts.keys()) if (seq >= oldest) this.#posts.delete(seq);
    for (const post of page.posts) this.#posts.set(post.seq, post);
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string | null} before */
  async #load(before) {
    // Revalidated: browsers keep it for a minute, and the server answers 304 while nothing changed.
    const response = await this.#client.send("GET", this.#path, { query: { before_seq: before }, cache: "no-cache" });
    /** @type {{ title: string; next_url?: string; items: { _post: Post }[] }} */
    const feed = await response.json();
    this.#name = feed.title;
    const older = feed.next_url && new URL(feed.next_url, this.#client.baseUrl).searchParams.get("before_seq");
    return { posts: feed.items.map((item) => item._post), older: older || null };
  }
}
