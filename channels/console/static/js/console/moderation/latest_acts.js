// What holds now, by the admin log of the application: of each channel or user the newest entry. Entries never expire, so this
// is the whole list of those who are suspended or restricted.

import { get } from "../../client/api.js";

const ENTRIES = 100; // a page of the log
const PAGES_AT_ONCE = 5; // are read before the user is asked to go on

/**
 * Reads pages of the log, newest first: the entries with the action `begins` that no later one with `ends` undid.
 */
export class LatestActs {
  /**
   * @param {Api.AdminAction} begins
   * @param {Api.AdminAction} ends
   */
  constructor(begins, ends) {
    this.#begins = begins;
    this.#ends = ends;
  }

  #begins;
  #ends;
  /** @type {Set<string>} */
  #seen = new Set(); // the targets of the pages so far

  /**
   * @param {string | null} cursor Null begins anew.
   * @returns {Promise<App.Page<Api.AdminLogEntryResponse>>}
   */
  async page(cursor) {
    if (cursor === null) this.#seen.clear();
    /** @type {Api.AdminLogEntryResponse[]} */
    const found = [];
    let next = cursor;
    for (let pages = 0; pages < PAGES_AT_ONCE && !found.length; pages += 1) {
      const page = await get("/v1/admin-log", { limit: ENTRIES, cursor: next });
      for (const entry of page.items) {
        const { action, target_id: target } = entry;
        if ((action !== this.#begins && action !== this.#ends) || target === null || this.#seen.has(target)) continue;
        this.#seen.add(target);
        if (action === this.#begins) found.push(entry);
      }
      next = page.next_cursor;
      if (next === null) break;
    }
    return { items: found, next_cursor: next };
  }
}
