// Whether the server answers, for the banner and for views that could not be loaded.
//
// While somebody looks at the page and uses it, the connection is watched closely: a server that stands still is noticed
// within 8 seconds, and one that is back within 5. Otherwise it is watched at the usual pace, which costs less.
// Fires `change` when `state` is another one, and `back` when the server answers again: then a failed call may be tried again.

import { client } from "./api.js";
import { session } from "./session.js";

const CLOSELY = { pingEvery: 4000, silentAfter: 3500, maxPause: 5000 }; // milliseconds
const UNUSED_AFTER = 120_000; // milliseconds
const LOST_AFTER = 700; // milliseconds; shorter disconnects are not shown
const USES = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

export const connection = new (class extends /** @type {App.TargetClass<App.ConnectionEvents>} */ (EventTarget) {
  /**
   * "lost": there is no connection. "silent": there is one, but the server does not answer. "replaced": the user opened too
   * many windows.
   * @type {App.ConnectionState}
   */
  state = "online";
  #lostTimer = 0;
  #unusedTimer = 0;
  #isCloselyWatched = false;
  #usedAt = 0;

  constructor() {
    super();
    client.socket.addEventListener("state", () => this.#look());
    client.socket.addEventListener("ready", () => this.dispatchEvent(new Event("back")));
    for (const type of ["online", "offline"]) addEventListener(type, () => this.#look());
    document.addEventListener("visibilitychange", () => this.#use());
    for (const type of USES) addEventListener(type, () => this.#use(), { capture: true, passive: true });
    this.#use();
  }

  #use() {
    const now = Date.now();
    const isFresh = this.#isCloselyWatched && now - this.#usedAt < 1000 && document.visibilityState === "visible";
    if (isFresh) return;
    this.#usedAt = now;
    this.#watch(document.visibilityState === "visible");
  }

  /** @param {boolean} isClosely */
  #watch(isClosely) {
    clearTimeout(this.#unusedTimer);
    if (isClosely) this.#unusedTimer = setTimeout(() => this.#watch(false), UNUSED_AFTER);
    if (isClosely === this.#isCloselyWatched) return;
    this.#isCloselyWatched = isClosely;
    client.socket.setPace(isClosely ? CLOSELY : null);
  }

  #look() {
    clearTimeout(this.#lostTimer);
    const { socket } = client;
    if (!session.token) this.#set("online");
    else if (!navigator.onLine) this.#set("offline");
    else if (socket.isSilent) this.#set("silent");
    else if (socket.isOpen) this.#set("online");
    else this.#lostTimer = setTimeout(() => this.#set(socket.isReplaced ? "replaced" : "lost"), LOST_AFTER);
  }

  /** @param {App.ConnectionState} state */
  #set(state) {
    if (state === this.state) return;
    const wasAway = this.state === "silent" || this.state === "offline";
    this.state = state;
    this.dispatchEvent(new Event("change"));
    if (state === "online" && wasAway) this.dispatchEvent(new Event("back"));
  }
})();
