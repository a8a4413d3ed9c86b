// The WebSocket connection: delivers events, and says when some may have been missed.
//
// Fires
//   `event`     detail: the event. One with an `event_id` is delivered once.
//   `ready`     from now on every event is delivered. Data that was loaded before may be out of date.
//   `watching`  detail: a conversation id, whose reactions are delivered from now on.
//   `state`     the connection was opened or lost (`isOpen`), or the server fell silent or spoke again (`isSilent`).
// A `behind` frame means that this client reads too slowly and events of a conversation were left out. It counts as a short
// disconnect: it fires `watching` and, once for several frames, `ready`. Reconnects by itself: at once when the browser is
// online or visible again, otherwise after a growing pause. Asks for another token when its own expires or is refused.
// Pings while nothing else comes; a connection on which no answer comes, or which does not open in time, is replaced.

import { ApiError } from "./http.js";

/** @import { Http } from "./http.js" */
/** @import * as Sdk from "../types/channels.js" */

const FIRST_PAUSE = 400;
const PONG_WITHIN = 10_000;
const OPEN_WITHIN = 12_000;
/**
 * How closely the connection is watched, in milliseconds: how often to ping, after what wait the server counts as silent, and
 * the longest pause between two attempts to connect.
 */
const PACE = { pingEvery: 25_000, silentAfter: PONG_WITHIN, maxPause: 15_000 };
const BEHIND_PAUSE = 500;
const RENEW_BEFORE = 60_000;
const MAX_TIMER = 2 ** 31 - 1; // `setTimeout` holds 31 bits
const KNOWN_EVENTS = 1_000;
const PROTOCOL_ERROR = 1002;
const TOKEN_EXPIRED = 4001;
const BAD_TOKEN = 4500; // this close code and higher ones: do not reconnect
const REPLACED = 4502; // the user has opened too many sockets, and this one was the oldest

export class Socket extends /** @type {Sdk.TargetClass<Sdk.SocketEvents>} */ (EventTarget) {
  isOpen = false;
  /** Whether the server closed it because the user opened too many. It stays closed until the page is visible again. */
  isReplaced = false;
  /** Whether it is open, and the server has not answered the last ping yet. */
  isSilent = false;
  #pace = PACE;
  #isStarted = false;
  #isConnecting = false;
  /** @type {WebSocket | null} */
  #webSocket = null;
  /** @type {string | null} */
  #token = null; // the one that the server has
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reconnectTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #heartbeatTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #openTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #renewTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #behindTimer;
  /** @type {Map<string, number>} */
  #watched = new Map(); // by conversation: how many watch it
  /** @type {Set<string>} */
  #seen = new Set(); // ids of events, the oldest first

  /** @param {Http} http */
  constructor(http) {
    super();
    this.#http = http;
  }

  #http;

  /** Connects, and stays connected until `stop`. Does nothing if it was started. */
  start() {
    if (this.#isStarted && !this.isReplaced) return;
    this.#isStarted = true;
    this.#failures = 0;
    globalThis.addEventListener?.("online", this.#reconnectNow);
    globalThis.document?.addEventListener("visibilitychange", this.#reconnectNow);
    this.#connect();
  }

  /**
   * Watches the connection more closely, for a page that somebody looks at; null returns to the usual pace.
   * @param {typeof PACE | null} pace
   */
  setPace(pace) {
    const isCloser = pace !== null && pace.pingEvery < this.#pace.pingEvery;
    this.#pace = pace ?? PACE;
    if (!this.isOpen || this.isSilent) return;
    if (isCloser) this.#ping();
    else this.#schedulePing();
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    globalThis.removeEventListener?.("online", this.#reconnectNow);
    globalThis.document?.removeEventListener("visibilitychange", this.#reconnectNow);
    clearTimeout(this.#reconnectTimer);
    this.#watched.clear();
    const webSocket = this.#webSocket;
    this.#webSocket = null;
    this.#setClosed();
    // Browsers log an error, and delay the next connection, when one is closed before it is open.
    if (webSocket?.readyState === WebSocket.CONNECTING) webSocket.addEventListener("open", () => webSocket.close());
    else webSocket?.close();
  }

  /**
   * Asks for the reactions of this conversation, also after a reconnect. Each `watch` needs its own `unwatch`.
   * @param {string} conversationId
   */
  watch(conversationId) {
    this.#watched.set(conversationId, (this.#watched.get(conversationId) ?? 0) + 1);
    this.#send({ type: "watch", conversation_id: conversationId });
  }

  /** @param {string} conversationId */
  unwatch(conversationId) {
    const left = (this.#watched.get(conversationId) ?? 0) - 1;
    if (left > 0) this.#watched.set(conversationId, left);
    else if (this.#watched.delete(conversationId)) this.#send({ type: "unwatch", conversation_id: conversationId });
  }

  #reconnectNow = () => {
    if (!this.#isStarted || globalThis.document?.visibilityState === "hidden") return;
    // The network may be another one now.
    if (this.isOpen && !this.isSilent) this.#ping();
    if (!this.#webSocket && !this.#isConnecting) this.#connect();
  };

  #reconnectLater() {
    const wait = Math.min(this.#pace.maxPause, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // Randomized, so that clients of a restarted server do not all reconnect at the same moment.
    this.#reconnectTimer = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  /** @param {{ type: string; token?: string; conversation_id?: string; conversation_ids?: string[] }} frame */
  #send(frame) {
    if (this.isOpen) this.#webSocket?.send(JSON.stringify(frame));
  }

  async #connect() {
    if (this.#isConnecting) return;
    clearTimeout(this.#reconnectTimer);
    this.#isConnecting = true;
    /** @type {string | null} */
    let token = null;
    try {
      token = await this.#http.tokens.get();
    } catch {
      if (this.#isStarted) this.#reconnectLater();
      return;
    } finally {
      this.#isConnecting = false;
    }
    if (!this.#isStarted || this.#webSocket) return;
    if (token === null) return this.#giveUp();
    this.#open(token);
  }

  /** @param {string} token */
  #open(token) {
    const webSocket = new WebSocket(`${this.#http.baseUrl.replace(/^http/, "ws")}/v1/socket`);
    this.#webSocket = webSocket;
    this.#token = token;
    this.isReplaced = false;
    this.#openTimer = setTimeout(() => this.#drop(), OPEN_WITHIN);
    webSocket.addEventListener("open", () => {
      if (webSocket === this.#webSocket) webSocket.send(JSON.stringify({ type: "auth", token }));
    });
    webSocket.addEventListener("message", (message) => {
      if (webSocket !== this.#webSocket) return;
      this.#http.noteSign();
      this.#receive(JSON.parse(message.data));
      if (this.isSilent) this.#setSilent(false);
      if (this.isOpen) this.#schedulePing();
    });
    webSocket.addEventListener("close", ({ code }) => {
      if (webSocket !== this.#webSocket) return;
      this.#webSocket = null;
      this.isReplaced = code === REPLACED;
      this.#setClosed();
      if (code === TOKEN_EXPIRED || code === BAD_TOKEN) this.#replaceToken(token);
      else if (code < BAD_TOKEN && code !== PROTOCOL_ERROR) this.#reconnectLater();
    });
  }

  /**
   * Reconnects with another token, if there is one.
   * @param {string} refused
   */
  async #replaceToken(refused) {
    // `undefined`: the app's back end cannot be reached now.
    const token = await this.#http.tokens.renew(refused, "refused").catch(() => undefined);
    if (!this.#isStarted) return;
    if (token === null) this.#giveUp();
    else this.#reconnectLater();
  }

  #giveUp() {
    this.stop();
    this.#http.reportUnauthenticated(new ApiError(401, "unauthenticated", "The token expired or was refused"));
  }

  /** @param {Sdk.Frame} frame */
  #receive(frame) {
    if (frame.type === "event") {
      if (this.#isNew(frame.event)) this.dispatchEvent(new CustomEvent("event", { detail: frame.event }));
    } else if (frame.type === "ready") {
      this.isOpen = true;
      this.#failures = 0;
      clearTimeout(this.#openTimer);
      if (this.#watched.size) this.#send({ type: "watch", conversation_ids: [...this.#watched.keys()] });
      this.#scheduleRenewal();
      this.dispatchEvent(new Event("ready"));
      this.dispatchEvent(new Event("state"));
    } else if (frame.type === "watching") {
      for (const { conversation_id: id, error } of frame.conversations)
        if (!error) this.dispatchEvent(new CustomEvent("watching", { detail: id }));
    } else if (frame.type === "behind") {
      this.dispatchEvent(new CustomEvent("watching", { detail: frame.conversation_id }));
      this.#behindTimer ??= setTimeout(() => {
        this.#behindTimer = undefined;
        if (this.isOpen) this.dispatchEvent(new Event("ready"));
      }, BEHIND_PAUSE);
    }
  }

  /** @param {Sdk.Event} event */
  #isNew({ event_id: id }) {
    if (id === undefined) return true;
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > KNOWN_EVENTS) this.#seen.delete(oldest);
    return true;
  }

  /** Finds a connection that died silently. Every frame that comes puts the next ping off. */
  #schedulePing() {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = setTimeout(() => this.#ping(), this.#pace.pingEvery);
  }

  #ping() {
    clearTimeout(this.#heartbeatTimer);
    this.#send({ type: "ping" });
    const { silentAfter } = this.#pace;
    this.#heartbeatTimer = setTimeout(() => {
      this.#setSilent(true);
      // On a slow line the answer may still come, so the connection is kept for as long as ever.
      this.#heartbeatTimer = setTimeout(() => this.#drop(), PONG_WITHIN - silentAfter);
    }, silentAfter);
  }

  /** @param {boolean} isSilent */
  #setSilent(isSilent) {
    this.isSilent = isSilent;
    if (isSilent) this.#http.noteSilence();
    this.dispatchEvent(new Event("state"));
  }

  /** Gives a dead connection up. Closing it properly would wait for the other side. */
  #drop() {
    const webSocket = this.#webSocket;
    this.#webSocket = null;
    this.#setClosed();
    webSocket?.close();
    if (this.#isStarted) this.#reconnectLater();
  }

  /** Sends a new token before the old one expires, so that the socket stays open. */
  #scheduleRenewal() {
    clearTimeout(this.#renewTimer);
    const { canRenew, expiresAt } = this.#http.tokens;
    if (!canRenew || expiresAt === Infinity) return;
    const wait = Math.max(1000, Math.min(MAX_TIMER, expiresAt - Date.now() - RENEW_BEFORE));
    this.#renewTimer = setTimeout(async () => {
      const old = this.#token;
      const token = await this.#http.tokens.renew(old, "expires").catch(() => null);
      // Without another one the socket closes when the token expires, and asks once more.
      if (token === null || !this.isOpen || this.#token !== old) return;
      this.#token = token;
      this.#send({ type: "auth", token });
      this.#scheduleRenewal();
    }, wait);
  }

  #setClosed() {
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#openTimer);
    clearTimeout(this.#renewTimer);
    this.isOpen = this.isSilent = false;
    this.dispatchEvent(new Event("state"));
  }
}
