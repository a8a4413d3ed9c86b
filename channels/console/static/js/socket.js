// The socket: events as they happen, and word of when there may be a gap.
//
// Fires `event` (detail: the event), `ready` (from here on every event comes; what was read before may miss some),
// `watching` (detail: the conversation whose reactions come from here on) and `state`. A `behind` frame (we read too slowly,
// and events of a conversation were left out) is like a short absence: it fires `watching` and, once for many, `ready`. Reconnects by itself, at once when the browser comes back, else after a growing pause.

import { session } from "./session.js";

const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 15_000;
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;
const BEHIND_PAUSE = 500;
const TOKEN_EXPIRED = 4001;
const BAD_TOKEN = 4500; // from here on: do not come back by oneself
const REPLACED = 4502; // the user has opened too many windows, and this was the oldest

export const link = new (class extends EventTarget {
  isOpen = false;
  isReplaced = false;
  #socket = null;
  #failures = 0;
  #timer = 0;
  #heart = 0;
  #behind = 0;
  #watched = new Set();

  /** Connect, and stay connected until `stop`. */
  start() {
    this.#failures = 0;
    addEventListener("online", this.#hurry);
    document.addEventListener("visibilitychange", this.#hurry);
    this.#connect();
  }

  stop() {
    removeEventListener("online", this.#hurry);
    document.removeEventListener("visibilitychange", this.#hurry);
    clearTimeout(this.#timer);
    this.#watched.clear();
    const socket = this.#socket;
    this.#socket = null;
    this.#lost();
    // Ended before it is there, a browser complains of it and holds the next one back.
    if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener("open", () => socket.close());
    else socket?.close();
  }

  /** Have the reactions of this conversation told, also after a reconnect. */
  watch(conversationId) {
    this.#watched.add(conversationId);
    this.#tell({ type: "watch", conversation_id: conversationId });
  }

  unwatch(conversationId) {
    if (this.#watched.delete(conversationId)) this.#tell({ type: "unwatch", conversation_id: conversationId });
  }

  #hurry = () => {
    if (!this.#socket && session.token && document.visibilityState === "visible") {
      clearTimeout(this.#timer);
      this.#connect();
    }
  };

  #tell(frame) {
    if (this.isOpen) this.#socket.send(JSON.stringify(frame));
  }

  #connect() {
    const address = new URL("/v1/socket", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (socket === this.#socket) socket.send(JSON.stringify({ type: "auth", token: session.token }));
    });
    socket.addEventListener("message", (message) => {
      if (socket === this.#socket) this.#hear(JSON.parse(message.data));
    });
    socket.addEventListener("close", (closed) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.isReplaced = closed.code === REPLACED;
      this.#lost();
      if (closed.code === TOKEN_EXPIRED || closed.code === BAD_TOKEN) session.end("expired");
      else if (closed.code < BAD_TOKEN) this.#later();
    });
  }

  #hear(frame) {
    if (frame.type === "event") {
      this.dispatchEvent(new CustomEvent("event", { detail: frame.event }));
    } else if (frame.type === "ready") {
      this.isOpen = true;
      this.isReplaced = false;
      this.#failures = 0;
      for (const id of this.#watched) this.#tell({ type: "watch", conversation_id: id });
      this.#beat();
      this.dispatchEvent(new Event("ready"));
      this.dispatchEvent(new Event("state"));
    } else if (frame.type === "watching") {
      this.dispatchEvent(new CustomEvent("watching", { detail: frame.conversation_id }));
    } else if (frame.type === "behind") {
      this.dispatchEvent(new CustomEvent("watching", { detail: frame.conversation_id }));
      this.#behind ||= setTimeout(() => {
        this.#behind = 0;
        if (this.isOpen) this.dispatchEvent(new Event("ready"));
      }, BEHIND_PAUSE);
    } else if (frame.type === "pong") {
      this.#beat();
    }
  }

  /** A connection that dies without a word is found by asking. */
  #beat() {
    clearTimeout(this.#heart);
    this.#heart = setTimeout(() => {
      this.#tell({ type: "ping" });
      this.#heart = setTimeout(() => this.#socket?.close(), PONG_WITHIN);
    }, PING_EVERY);
  }

  #lost() {
    clearTimeout(this.#heart);
    this.isOpen = false;
    this.dispatchEvent(new Event("state"));
  }

  #later() {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    // Spread, so that a restarted server is not stormed by everybody at once.
    this.#timer = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }
})();
