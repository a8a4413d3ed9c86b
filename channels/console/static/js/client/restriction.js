// Whether the application has restricted the user, who then reads and writes nothing; kept up to date by events.
//
// Fires `change`.

import { client } from "./api.js";
import { session } from "./session.js";

const MAX_TIMER = 2 ** 31 - 1; // milliseconds; `setTimeout` holds 31 bits

export const restriction = new (class extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {Pick<Api.RestrictionResponse, "until" | "reason"> | null} */
  #current = null;
  #timer = 0;

  constructor() {
    super();
    client.socket.addEventListener("event", ({ detail: event }) => {
      if (event.user_id !== session.userId) return;
      if (event.type === "user.restricted") this.show({ until: event.until, reason: event.reason });
      if (event.type === "user.unrestricted") this.show(null);
    });
    session.addEventListener("signedout", () => this.show(null));
  }

  /** Until when (null: without an end) and why; null while the user may write. */
  get current() {
    const until = this.#current?.until;
    return until && Date.parse(until) <= Date.now() ? null : this.#current;
  }

  /** @param {Pick<Api.RestrictionResponse, "until" | "reason"> | null} current As the server tells it. */
  show(current) {
    clearTimeout(this.#timer);
    const wasSet = this.#current !== null;
    this.#current = current;
    if (current?.until) {
      const left = Date.parse(current.until) - Date.now();
      this.#timer = setTimeout(() => this.show(this.current), Math.max(0, Math.min(left, MAX_TIMER)));
    }
    if (wasSet || current !== null) this.dispatchEvent(new Event("change"));
  }
})();
