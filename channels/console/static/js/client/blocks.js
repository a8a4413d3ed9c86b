// The users and channels that the user has blocked: loaded when first needed, then kept up to date by events.
//
// Fires `change`.

import { client, getAll } from "./api.js";
import { session } from "./session.js";

export const blocks = new (class extends /** @type {App.TargetClass<App.ChangeEvents>} */ (EventTarget) {
  /** @type {Set<string>} */
  #ids = new Set();
  /** @type {string | null} */
  #userId = null; // whose blocks are loaded
  /** @type {Promise<void> | null} */
  #loading = null;

  constructor() {
    super();
    client.socket.addEventListener("event", ({ detail: event }) => {
      if (event.type === "block.changed") this.set(event.user_id, event.blocked);
    });
    // Events may have been missed before the socket was ready.
    client.socket.addEventListener("ready", () => {
      if (this.#userId === session.userId) this.#fetch().catch(() => {});
    });
  }

  /** @param {string} peerId */
  has(peerId) {
    return this.#ids.has(peerId);
  }

  /**
   * @param {string} peerId
   * @param {boolean} isBlocked
   */
  set(peerId, isBlocked) {
    if (this.#ids.has(peerId) === isBlocked) return;
    if (isBlocked) this.#ids.add(peerId);
    else this.#ids.delete(peerId);
    this.dispatchEvent(new Event("change"));
  }

  /** Loads the blocks unless they are loaded already. */
  async load() {
    if (this.#userId === session.userId) return;
    this.#loading ??= this.#fetch().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  async #fetch() {
    const { userId } = session;
    const items = await getAll("/v1/blocks");
    this.#ids = new Set(items.map((block) => block.user_id));
    this.#userId = userId;
    this.dispatchEvent(new Event("change"));
  }
})();
