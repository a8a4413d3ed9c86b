// What changed since the last call, by `GET /v1/sync`.
//
// Promises: `pull` gives every page of what changed since the last pull, or of everything at the start and after an absence
// that was too long. It keeps its token only when all pages were taken. One pull at a time.

import { ApiError } from "./http.js";

/** @import { Http } from "./http.js" */
/** @import * as Api from "../types/api.js" */

const PAGE = 100;
const SYNC_EXPIRED = 410;

/** Reads what changed. */
export class Sync {
  /**
   * @param {Http} client
   * @param {string | null} [token] Of an earlier pull, as `token` was then.
   */
  constructor(client, token = null) {
    this.#client = client;
    /** Of the last pull; null starts anew. Store it to go on later. */
    this.token = token;
  }

  #client;
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();
  #generation = 0;

  /**
   * Calls `take` with each page. `isStart` says that the pages are not what changed, but the state. Returns the first page.
   * With `firstOnly`, the start reads only the first page. What changes in the rest comes with later pulls all the same.
   * @param {(page: Api.SyncResponse, isStart: boolean) => unknown} take
   * @param {{ firstOnly?: boolean }} [options]
   * @returns {Promise<Api.SyncResponse | null>}
   */
  pull(take, { firstOnly = false } = {}) {
    const pulling = this.#last.then(() => this.#pull(take, firstOnly));
    this.#last = pulling.catch(() => {});
    return pulling;
  }

  /** Forgets the token, for another user: the next pull starts anew, and one that is under way ends with null. */
  forget() {
    this.#generation += 1;
    this.token = null;
  }

  /**
   * @param {(page: Api.SyncResponse, isStart: boolean) => unknown} take
   * @param {boolean} firstOnly
   */
  async #pull(take, firstOnly) {
    if (this.token === null) return this.#pages(take, firstOnly);
    try {
      return await this.#pages(take, firstOnly);
    } catch (error) {
      // Away for longer than the server remembers what ended.
      if (!(error instanceof ApiError) || error.status !== SYNC_EXPIRED) throw error;
      this.token = null;
      return this.#pages(take, firstOnly);
    }
  }

  /**
   * @param {(page: Api.SyncResponse, isStart: boolean) => unknown} take
   * @param {boolean} firstOnly
   */
  async #pages(take, firstOnly) {
    const since = this.token;
    const generation = this.#generation;
    /** @type {Api.SyncResponse | null} */
    let first = null;
    /** @type {string | null} */
    let next = null;
    /** @type {string | null} */
    let cursor = null;
    do {
      /** @type {Api.SyncResponse} */
      const page = await this.#client.request("GET", "/v1/sync", { query: { since, limit: PAGE, cursor } });
      if (this.#generation !== generation) return null;
      await take(page, since === null);
      first ??= page;
      // At the start the first one counts: it is from before the other pages were read.
      next = (since === null ? (next ?? page.sync_token) : (page.sync_token ?? next)) ?? null;
      cursor = firstOnly && since === null ? null : page.next_cursor;
    } while (cursor !== null);
    this.token = next;
    return first;
  }
}
