// Where the posts of a feed come from that nobody is signed in to: the JSON feed of a public channel.
//
// A source fires `change` when posts or the channel changed, `state` when the connection was opened or lost, and `failed`
// (detail: the error) when updates ended. Its posts are the newest first. The other source is `signed_in_source.js`.

import { segment } from "../core/http.js";

/** @import { ApiError, Http } from "../core/http.js" */
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
export function poll(work) {
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

/** The posts of a public channel, as anyone may read them: the JSON feed of its public page. */
export class PublicSource extends /** @type {Sdk.TargetClass<SourceEvents>} */ (EventTarget) {
  /**
   * @param {Http} client Without a token.
   * @param {string} channelId
   * @param {number} limit
   */
  constructor(client, channelId, limit) {
    super();
    this.client = client;
    this.#path = `/c/${segment(channelId)}/feed.json`;
    this.#limit = limit;
    this.#shown = limit;
  }

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
    const response = await this.client.send("GET", this.#path, { query: { before_seq: before }, cache: "no-cache" });
    /** @type {{ title: string; next_url?: string; items: { _post: Post }[] }} */
    const feed = await response.json();
    this.#name = feed.title;
    const older = feed.next_url && new URL(feed.next_url, this.client.baseUrl).searchParams.get("before_seq");
    return { posts: feed.items.map((item) => item._post), older: older || null };
  }
}
