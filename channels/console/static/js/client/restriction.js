// Whether the application has restricted the user, who then reads and writes nothing.
//
// An event or a refused call says so. It is remembered on this device, and only then the server is asked at the next start: all
// others pay nothing for it. Fires `change`.

import { client } from "./api.js";
import { session } from "./session.js";

/** @typedef {Pick<Api.RestrictionResponse, "until" | "reason">} Restriction */

const STORAGE_KEY = "channels.restricted"; // the id of the user who was restricted when the app last knew
const MAX_TIMER = 2 ** 31 - 1; // milliseconds; `setTimeout` holds 31 bits

export const restriction = new (class extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {Restriction | null} */
  #current = null;
  #timer = 0;

  constructor() {
    super();
    client.socket.addEventListener("event", ({ detail: event }) => {
      if (event.type === "user.restricted" && event.user_id === session.userId) this.#show(event);
      if (event.type === "user.unrestricted" && event.user_id === session.userId) this.#show(null);
    });
    client.socket.addEventListener("ready", () => this.#ask());
    session.addEventListener("signedout", () => this.#show(null));
    // A refused call, of which `asProblem` tells.
    addEventListener("app-restricted", (event) => this.#show(/** @type {CustomEvent<Restriction>} */ (event).detail));
  }

  /** Until when (null: without an end) and why; null while the user may write. */
  get current() {
    const until = this.#current?.until;
    return until && Date.parse(until) <= Date.now() ? null : this.#current;
  }

  /** Events may have been missed before the socket was ready. */
  async #ask() {
    if (localStorage.getItem(STORAGE_KEY) !== session.userId) return;
    try {
      this.#show(await client.request("GET", "/v1/users/me/restriction"));
    } catch (error) {
      if (error instanceof Error && "status" in error && error.status === 404) this.#show(null);
    }
  }

  /** @param {Restriction | null} current As the server tells it. */
  #show(current) {
    if (current && session.userId) localStorage.setItem(STORAGE_KEY, session.userId);
    else localStorage.removeItem(STORAGE_KEY);
    this.#set(current);
  }

  /** @param {Restriction | null} current */
  #set(current) {
    clearTimeout(this.#timer);
    const wasSet = this.#current !== null;
    this.#current = current;
    if (current?.until) {
      const left = Date.parse(current.until) - Date.now();
      this.#timer = setTimeout(() => this.#set(this.current), Math.max(0, Math.min(left, MAX_TIMER)));
    }
    if (wasSet || current !== null) this.dispatchEvent(new Event("change"));
  }
})();
