// Whom I block, read once when it is first asked for and kept in step by the socket. Fires `change`.

import { get } from "../api.js";
import { session } from "../session.js";
import { link } from "../socket.js";

const PAGE = 100;

export const blocks = new (class extends EventTarget {
  #ids = new Set();
  #of = null; // whose they are
  #loading = null;

  constructor() {
    super();
    link.addEventListener("event", ({ detail: event }) => {
      if (event.type === "block.changed") this.set(event.user_id, event.blocked);
    });
    // Some may have been missed.
    link.addEventListener("ready", () => {
      if (this.#of === session.userId) this.#read().catch(() => {});
    });
  }

  has(peerId) {
    return this.#ids.has(peerId);
  }

  set(peerId, isBlocked) {
    if (this.#ids.has(peerId) === isBlocked) return;
    if (isBlocked) this.#ids.add(peerId);
    else this.#ids.delete(peerId);
    this.dispatchEvent(new Event("change"));
  }

  /** Have them here. */
  async load() {
    if (this.#of === session.userId) return;
    this.#loading ??= this.#read().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  async #read() {
    const of = session.userId;
    const ids = new Set();
    let cursor = null;
    do {
      const page = await get("/v1/blocks", { limit: PAGE, cursor });
      for (const block of page.items) ids.add(block.user_id);
      cursor = page.next_cursor;
    } while (cursor !== null);
    this.#ids = ids;
    this.#of = of;
    this.dispatchEvent(new Event("change"));
  }
})();
