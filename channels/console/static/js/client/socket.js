// The WebSocket connection: delivers events, and says when some may have been missed.
//
// Fires
//   `event`     detail: the event.
//   `ready`     from now on every event is delivered. Data that was loaded before may be out of date.
//   `watching`  detail: a conversation id, whose reactions are delivered from now on.
//   `state`     the connection was opened or lost.
// A `behind` frame means that this window reads too slowly and events of a conversation were left out. It counts as a short
// disconnect: it fires `watching` and, once for several frames, `ready`. Reconnects by itself: at once when the browser is
// online or visible again, otherwise after a growing pause.

import { session } from "./session.js";

const FIRST_PAUSE = 400;
const MAX_PAUSE = 15_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const BEHIND_PAUSE = 500;
const TOKEN_EXPIRED = 4001;
const BAD_TOKEN = 4500; // this close code and higher ones: do not reconnect
const REPLACED = 4502; // the user has opened too many windows, and this one was the oldest

export const socket = new (class extends /** @type {App.TargetClass<App.SocketEvents>} */ (EventTarget) {
  isOpen = false;
  isReplaced = false;
  /** @type {WebSocket | null} */
  #webSocket = null;
  #failures = 0;
  #reconnectTimer = 0;
  #heartbeatTimer = 0;
  #behindTimer = 0;
  /** @type {Set<string>} */
  #watched = new Set();

  /** Connects, and stays connected until `stop`. */
  start() {
    this.#failures = 0;
    addEventListener("online", this.#reconnectNow);
    document.addEventListener("visibilitychange", this.#reconnectNow);
    this.#connect();
  }

  stop() {
    removeEventListener("online", this.#reconnectNow);
    document.removeEventListener("visibilitychange", this.#reconnectNow);
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
   * Asks for the reactions of this conversation, also after a reconnect.
   * @param {string} conversationId
   */
  watch(conversationId) {
    this.#watched.add(conversationId);
    this.#send({ type: "watch", conversation_id: conversationId });
  }

  /** @param {string} conversationId */
  unwatch(conversationId) {
    if (this.#watched.delete(conversationId)) this.#send({ type: "unwatch", conversation_id: conversationId });
  }

  #reconnectNow = () => {
    if (!this.#webSocket && session.token && document.visibilityState === "visible") {
      clearTimeout(this.#reconnectTimer);
      this.#connect();
    }
  };

  #reconnectLater() {
    const pause = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // Randomized, so that clients of a restarted server do not all reconnect at the same moment.
    this.#reconnectTimer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  /** @param {{ type: string; conversation_id?: string; conversation_ids?: string[] }} frame */
  #send(frame) {
    if (this.isOpen) this.#webSocket?.send(JSON.stringify(frame));
  }

  #connect() {
    const address = new URL("/v1/socket", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const webSocket = new WebSocket(address);
    this.#webSocket = webSocket;
    webSocket.addEventListener("open", () => {
      if (webSocket === this.#webSocket) webSocket.send(JSON.stringify({ type: "auth", token: session.token }));
    });
    webSocket.addEventListener("message", (message) => {
      if (webSocket === this.#webSocket) this.#receive(JSON.parse(message.data));
    });
    webSocket.addEventListener("close", ({ code }) => {
      if (webSocket !== this.#webSocket) return;
      this.#webSocket = null;
      this.isReplaced = code === REPLACED;
      this.#setClosed();
      if (code === TOKEN_EXPIRED || code === BAD_TOKEN) session.signOut("expired");
      else if (code < BAD_TOKEN) this.#reconnectLater();
    });
  }

  /** @param {App.Frame} frame */
  #receive(frame) {
    if (frame.type === "event") {
      this.dispatchEvent(new CustomEvent("event", { detail: frame.event }));
    } else if (frame.type === "ready") {
      this.isOpen = true;
      this.isReplaced = false;
      this.#failures = 0;
      if (this.#watched.size) this.#send({ type: "watch", conversation_ids: [...this.#watched] });
      this.#schedulePing();
      this.dispatchEvent(new Event("ready"));
      this.dispatchEvent(new Event("state"));
    } else if (frame.type === "watching") {
      for (const { conversation_id: id, error } of frame.conversations)
        if (!error) this.dispatchEvent(new CustomEvent("watching", { detail: id }));
    } else if (frame.type === "behind") {
      this.dispatchEvent(new CustomEvent("watching", { detail: frame.conversation_id }));
      this.#behindTimer ||= setTimeout(() => {
        this.#behindTimer = 0;
        if (this.isOpen) this.dispatchEvent(new Event("ready"));
      }, BEHIND_PAUSE);
    } else if (frame.type === "pong") {
      this.#schedulePing();
    }
  }

  /** Finds a connection that died silently: closes it when a ping is not answered. */
  #schedulePing() {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = setTimeout(() => {
      this.#send({ type: "ping" });
      this.#heartbeatTimer = setTimeout(() => this.#webSocket?.close(), PONG_WITHIN);
    }, PING_EVERY);
  }

  #setClosed() {
    clearTimeout(this.#heartbeatTimer);
    this.isOpen = false;
    this.dispatchEvent(new Event("state"));
  }
})();
