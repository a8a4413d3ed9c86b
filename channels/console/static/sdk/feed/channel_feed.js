// `<channel-feed>`: a channel in any page, live.
//
//   <script type="module" src="https://channels.example.org/sdk/channel-feed.js"></script>
//   <channel-feed channel="harbour"></channel-feed>
//
// Attributes: `channel`; `base-url` (the server that this script came from); `token`; `limit` (posts at first, and for each
// "older"; 20); `lang`; `theme` (`light` or `dark`, else that of the device). Properties: `getToken` for short-lived tokens,
// `client` to share a `ChannelsClient`, `texts`. Without any token it shows what anyone may read: public channels.
// Fires `feed-load`, `feed-post` (detail: a new post) and `feed-error` (detail: an `ApiError`).
//
// Promises: it needs nothing of the page, and changes nothing outside of itself. What users wrote never becomes markup. What
// only a signed-in user needs is loaded for one alone (`signed_in_source.js`).

import { ApiError, Http } from "../core/http.js";
import { make, PostView } from "./post_view.js";
import { PublicSource } from "./public_source.js";
import { styles } from "./styles.js";
import { ENGLISH, Words } from "./texts.js";

/** @import { SignedInSource, SocketClient } from "./signed_in_source.js" */
/** @import { Key, Texts } from "./texts.js" */
/** @import * as Sdk from "../types/channels.js" */

const LIMIT = 20;
const LARGEST_LIMIT = 100;
const LOST_AFTER = 1500; // milliseconds; shorter disconnects are not shown
const FIRST_RETRY = 3000;
const LONGEST_RETRY = 60_000;
const ORIGIN = new URL(import.meta.url).origin;

export class ChannelFeed extends HTMLElement {
  static observedAttributes = ["base-url", "channel", "token", "limit", "lang"];
  /**
   * Texts by language, for all feeds of the page.
   * @type {{ [lang: string]: Texts }}
   */
  static texts = { en: ENGLISH };

  /** @type {Sdk.ClientOptions["getToken"]} */
  #getToken = null;
  /** @type {SocketClient | null} */
  #givenClient = null;
  /** @type {Texts | undefined} */
  #givenTexts = undefined;
  #isQueued = false;
  #starts = 0;
  /** @type {SignedInSource | PublicSource | null} */
  #source = null;
  #words = new Words("en", []);
  /** @type {Map<number, PostView>} */
  #views = new Map();
  #newest = 0;
  #isLoaded = false;
  #retries = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lostTimer;
  #head = make("h2", { class: "head", part: "heading", dir: "auto" });
  #state = make("p", { class: "state", part: "state", role: "status" });
  #error = make("p", { class: "error", part: "error", role: "alert", hidden: "" });
  #retry = make("button", { type: "button", part: "retry", hidden: "" });
  #posts = make("div", { class: "posts", part: "posts", role: "feed" });
  #older = make("button", { type: "button", class: "older", part: "older", hidden: "" });
  #spoken = make("p", { class: "hidden", role: "status" });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const inside = [this.#head, this.#state, this.#error, this.#retry, this.#posts, this.#older, this.#spoken];
    root.append(make("div", { class: "root", part: "root" }, ...inside));
    this.#retry.addEventListener("click", () => this.#start());
    this.#older.addEventListener("click", () => this.#loadOlder());
    this.#posts.addEventListener("keydown", this.#onKey);
  }

  /** Returns a token; called when one is needed, about to expire, or refused. */
  get getToken() {
    return this.#getToken;
  }

  set getToken(getToken) {
    this.#getToken = getToken;
    this.#startSoon();
  }

  /** A client to share among feeds, with one socket for all. It replaces `base-url`, `token` and `getToken`. */
  get client() {
    return this.#givenClient;
  }

  set client(client) {
    this.#givenClient = client;
    this.#startSoon();
  }

  /** Texts of this feed, by key; see `feed/texts.js`. */
  get texts() {
    return this.#givenTexts;
  }

  set texts(texts) {
    this.#givenTexts = texts;
    this.#startSoon();
  }

  connectedCallback() {
    // What a page set before this script was loaded.
    for (const name of /** @type {const} */ (["getToken", "client", "texts"])) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      Reflect.set(this, name, value);
    }
    this.#startSoon();
  }

  disconnectedCallback() {
    this.#stop();
  }

  attributeChangedCallback() {
    this.#startSoon();
  }

  /** Once for all that a page sets in one go. */
  #startSoon() {
    if (this.#isQueued || !this.isConnected) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      if (this.isConnected) this.#start();
    });
  }

  #stop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#lostTimer);
    this.#starts += 1;
    this.#source?.close();
    this.#source = null;
    this.#isLoaded = false;
  }

  async #start() {
    this.#stop();
    const start = this.#starts;
    const lang = this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    this.#words = this.#wordsIn(lang);
    this.#views.clear();
    this.#posts.replaceChildren();
    this.#newest = 0;
    const channelId = this.getAttribute("channel");
    this.#showError(null);
    this.#older.hidden = true;
    this.#older.textContent = this.#words.say("older");
    this.#retry.textContent = this.#words.say("retry");
    this.#state.textContent = "";
    if (!channelId) return;
    this.#state.textContent = this.#words.say("loading");
    this.#posts.setAttribute("aria-busy", "true");
    let source;
    try {
      source = await this.#makeSource(channelId);
    } catch (error) {
      if (start === this.#starts) this.#fail(error);
      return;
    }
    // Another start may have overtaken this one.
    if (start !== this.#starts) return;
    this.#source = source;
    source.addEventListener("change", () => this.#show(source));
    source.addEventListener("state", () => this.#showConnection(source));
    source.addEventListener("failed", ({ detail }) => this.#fail(detail));
    try {
      await source.start();
    } catch (error) {
      if (source === this.#source) this.#fail(error);
      return;
    }
    if (source !== this.#source) return;
    this.#retries = 0;
    this.#isLoaded = true;
    this.#state.textContent = "";
    this.#show(source);
    this.dispatchEvent(new CustomEvent("feed-load"));
  }

  /**
   * Raises: ApiError where the files for a signed-in user cannot be loaded now.
   * @param {string} channelId
   */
  async #makeSource(channelId) {
    const limit = Math.max(1, Math.min(LARGEST_LIMIT, Number(this.getAttribute("limit")) || LIMIT));
    const options = {
      baseUrl: this.getAttribute("base-url") || ORIGIN,
      token: this.getAttribute("token"),
      getToken: this.#getToken,
    };
    const given = this.#givenClient;
    if (given === null && options.getToken === null && options.token === null) {
      return new PublicSource(new Http(options), channelId, limit);
    }
    const { OwnClient, SignedInSource } = await import("./signed_in_source.js").catch(() => {
      throw new ApiError(0, "offline", "A file of the feed cannot be loaded.");
    });
    /** @type {SocketClient} */
    const client =
      given ??
      new OwnClient({
        ...options,
        // The first load fails by itself.
        onUnauthenticated: (error) => {
          if (client === this.#source?.client && this.#isLoaded) this.#fail(error);
        },
      });
    return new SignedInSource(client, channelId, limit);
  }

  /** @param {string} lang */
  #wordsIn(lang) {
    const { texts } = ChannelFeed;
    try {
      return new Words(lang, [this.#givenTexts, texts[lang], texts[lang.split("-")[0]]]);
    } catch {
      return new Words("en", [this.#givenTexts]); // the page's language is not a tag
    }
  }

  /** @param {SignedInSource | PublicSource} source */
  #show(source) {
    if (source !== this.#source) return;
    const { channel, posts } = source;
    this.#head.textContent = channel.name;
    this.#posts.setAttribute("aria-label", this.#words.say("feed", { name: channel.name }));
    this.#posts.setAttribute("aria-busy", "false");
    const wasEmpty = this.#newest === 0;
    const arrived = posts.filter((post) => post.seq > this.#newest);
    const kept = new Set(posts.map((post) => post.seq));
    for (const [seq, view] of this.#views) {
      if (kept.has(seq)) continue;
      view.element.remove();
      this.#views.delete(seq);
    }
    let next = this.#posts.firstElementChild;
    for (const [index, post] of posts.entries()) {
      const view = this.#views.get(post.seq) ?? this.#newView(source, post.seq, post.seq > this.#newest && !wasEmpty);
      view.update(post, channel);
      view.element.setAttribute("aria-posinset", String(index + 1));
      view.element.setAttribute("aria-setsize", source.hasOlder ? "-1" : String(posts.length));
      if (view.element === next) next = next.nextElementSibling;
      else this.#posts.insertBefore(view.element, next);
    }
    this.#newest = Math.max(this.#newest, ...posts.map((post) => post.seq));
    this.#older.hidden = !source.hasOlder;
    if (!posts.length) this.#state.textContent = this.#words.say("empty");
    else if (this.#state.textContent === this.#words.say("empty")) this.#state.textContent = "";
    if (wasEmpty || !arrived.length) return;
    this.#spoken.textContent = this.#words.say("new", { n: arrived.length });
    for (const post of arrived.reverse()) this.dispatchEvent(new CustomEvent("feed-post", { detail: post }));
  }

  /**
   * @param {SignedInSource | PublicSource} source
   * @param {number} seq
   * @param {boolean} isNew
   */
  #newView(source, seq, isNew) {
    const view = new PostView(source.client, this.#words, (at, emoji, isOn) => this.#react(at, emoji, isOn));
    if (isNew) view.element.classList.add("new");
    this.#views.set(seq, view);
    return view;
  }

  /**
   * @param {number} seq
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async #react(seq, emoji, isOn) {
    this.#showError(null);
    try {
      await this.#source?.react(seq, emoji, isOn);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#showError("error.react");
      this.dispatchEvent(new CustomEvent("feed-error", { detail: error }));
    }
  }

  async #loadOlder() {
    this.#older.disabled = true;
    this.#posts.setAttribute("aria-busy", "true");
    try {
      await this.#source?.loadOlder();
      this.#showError(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#showError(textOf(error));
    } finally {
      this.#older.disabled = false;
      this.#posts.setAttribute("aria-busy", "false");
    }
  }

  /** @param {SignedInSource | PublicSource} source */
  #showConnection(source) {
    clearTimeout(this.#lostTimer);
    const lost = this.#words.say("lost");
    if (source.isConnected) {
      if (this.#state.textContent === lost) this.#state.textContent = "";
      return;
    }
    this.#lostTimer = setTimeout(() => {
      if (source === this.#source && !source.isConnected && this.#error.hidden) this.#state.textContent = lost;
    }, LOST_AFTER);
  }

  /** @param {unknown} error */
  #fail(error) {
    if (!(error instanceof ApiError)) throw error;
    this.#stop();
    this.#state.textContent = "";
    this.#posts.setAttribute("aria-busy", "false");
    const key = textOf(error);
    this.#showError(key);
    this.dispatchEvent(new CustomEvent("feed-error", { detail: error }));
    if (key === "error.missing") {
      // What may not be read any more is not shown any more.
      this.#views.clear();
      this.#posts.replaceChildren();
      this.#older.hidden = true;
    }
    if (error.status !== 0 && (key === "error.token" || key === "error.missing")) return;
    this.#retry.hidden = false;
    this.#retryTimer = setTimeout(() => this.#start(), Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#retries));
    this.#retries += 1;
  }

  /** @param {Key | null} key */
  #showError(key) {
    this.#error.hidden = key === null;
    this.#error.textContent = key === null ? "" : this.#words.say(key);
    this.#retry.hidden = true;
  }

  /**
   * Page Up and Page Down move from post to post, as in every feed.
   * @param {KeyboardEvent} event
   */
  #onKey = (event) => {
    const step = event.key === "PageDown" ? 1 : event.key === "PageUp" ? -1 : 0;
    const at = event.target instanceof Element ? event.target.closest("article") : null;
    if (step === 0 || at === null) return;
    const other = step > 0 ? at.nextElementSibling : at.previousElementSibling;
    if (!(other instanceof HTMLElement)) return;
    event.preventDefault();
    other.focus();
  };
}

/**
 * @param {ApiError} error
 * @returns {Key}
 */
function textOf({ status, code }) {
  if (status === 401 || code === "no_token") return "error.token";
  if (status === 403 || status === 404) return "error.missing";
  return status === 0 ? "error.offline" : "error.failed";
}

if (!customElements.get("channel-feed")) customElements.define("channel-feed", ChannelFeed);
