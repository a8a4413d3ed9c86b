// Whether the application has restricted the user, who then reads and writes nothing.
//
// The app's start says so (`conversations.js`), and afterwards an event or a refused call. Fires `change`.

import { client } from "./api.js";
import { session } from "./session.js";

/** @typedef {Pick<Api.RestrictionResponse, "until" | "reason">} Restriction */

const MAX_TIMER = 2 ** 31 - 1; // milliseconds; `setTimeout` holds 31 bits

export const restriction = new (class extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {Restriction | null} */
  #current = null;
  #timer = 0;

  constructor() {
    super();
    client.socket.addEventListener("event", ({ detail: event }) => {
      if (event.type === "user.restricted" && event.user_id === session.userId) this.learn(event);
      if (event.type === "user.unrestricted" && event.user_id === session.userId) this.learn(null);
    });
    session.addEventListener("signedout", () => this.learn(null));
    // A refused call, of which `asProblem` tells.
    addEventListener("app-restricted", (event) => this.learn(/** @type {CustomEvent<Restriction>} */ (event).detail));
  }

  /** Until when (null: without an end) and why; null while the user may write. */
  get current() {
    const until = this.#current?.until;
    return until && Date.parse(until) <= Date.now() ? null : this.#current;
  }

  /** @param {Restriction | null} current As the server tells it. */
  learn(current) {
    clearTimeout(this.#timer);
    const wasSet = this.#current !== null;
    this.#current = current;
    if (current?.until) {
      const left = Date.parse(current.until) - Date.now();
      this.#timer = setTimeout(() => this.learn(this.current), Math.max(0, Math.min(left, MAX_TIMER)));
    }
    if (wasSet || current !== null) this.dispatchEvent(new Event("change"));
  }
})();
