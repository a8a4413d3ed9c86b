// What is being written in the composer or below the comments on a post, kept on this device until it is posted: it survives
// a reload, a crash, a closed tab and an expired session. Signing out deletes it (`session.js`).
//
// It holds a new post and, beside it, one edit of a post or draft. Uploads are kept by what the server answered; a file
// that is still being uploaded cannot be kept.

import { session } from "./session.js";

/**
 * @typedef {object} Kept
 * @property {App.Written} [post] The new post.
 * @property {{ json: string; key: string }} [attempt] The last attempt to post it, and its idempotency key.
 * @property {{ seq?: number; draft_id?: string; content: App.Written }} [edit]
 */

export class KeptDraft {
  /** @param {string} place The id of the channel, or what names a post's comments. */
  constructor(place) {
    this.#key = `channels.draft.${session.userId}.${place}`;
  }

  #key;
  /** Whether the device has stored the last change. It may be full, or not allow it. */
  isStored = true;

  /** @returns {Kept} */
  get value() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "{}");
    } catch {
      return {};
    }
  }

  /**
   * Replaces parts of it; a part that is undefined is deleted. Does nothing after the user has signed out.
   * @param {Partial<Kept>} change
   */
  update(change) {
    if (session.userId === null) return;
    const kept = { ...this.value, ...change };
    try {
      if (kept.post || kept.edit) localStorage.setItem(this.#key, JSON.stringify(kept));
      else localStorage.removeItem(this.#key);
      this.isStored = true;
    } catch {
      this.isStored = false;
    }
  }
}
