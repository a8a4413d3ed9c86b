// What the signed-in user last saw, kept on this device to be read without a network: the list of conversations, and the
// newest posts of the channels that were opened.
//
// Promises: the records are encrypted by a key that is made of the user's token, and name the user. So nothing can be read
// without the very token with which it was kept, not even by somebody with access to the browser's files, and nothing of one
// user is shown to another. Signing out deletes all records of the user; those of tokens that have expired are deleted when
// the app starts. At most 40 channels with 50 posts each, and 256 KiB a record. Nothing here throws: what cannot be
// kept is not kept.
//
// Browsers encrypt on `https` and on this machine only, where they also have service workers, which keep the app itself.

import { session } from "../client/session.js";
import { hasWorkers } from "./service_worker.js";

const DATABASE = "channels.kept";
const RECORDS = "records";
const BY_USE = "by_use";
const LIST = "list";
const POSTS = 50;
const CHANNELS = 40;
const RECORD_BYTES = 256 * 1024;

/** @typedef {{ cipher: CryptoKey; id: string; user: string; expiresAt: number }} Keeper */
/** @typedef {{ key: string; user: string; keeper: string; at: number; expiresAt: number; iv: Uint8Array<ArrayBuffer>; data: ArrayBuffer }} Stored */

export const kept = new (class {
  /** @type {{ token: string; keeper: Promise<Keeper> } | null} */
  #current = null;
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;

  /**
   * Keeps the list of conversations.
   * @param {App.KeptList} list
   */
  saveList(list) {
    return this.#save(LIST, JSON.stringify(list));
  }

  /**
   * The list as it was last kept, null where there is none.
   * @returns {Promise<App.KeptList | null>}
   */
  list() {
    return this.#load(LIST);
  }

  /**
   * Keeps the newest of these posts, which are in their order and without gaps.
   * @param {string} channelId
   * @param {App.Item[]} posts
   * @param {boolean} hasOlder Whether there are older ones before the first.
   */
  async savePosts(channelId, posts, hasOlder) {
    let newest = posts.slice(-POSTS);
    const text = () => JSON.stringify({ posts: newest, hasOlder: hasOlder || newest.length < posts.length });
    while (newest.length > 1 && text().length > RECORD_BYTES) newest = newest.slice(Math.ceil(newest.length / 2));
    await this.#save(nameOf(channelId), text());
  }

  /**
   * The posts of a channel that were kept, null where there are none.
   * @param {string} channelId
   * @returns {Promise<App.KeptPosts | null>}
   */
  posts(channelId) {
    return this.#load(nameOf(channelId));
  }

  /**
   * Deletes what was kept of a channel that the user may read no more.
   * @param {string} channelId
   */
  async forgetChannel(channelId) {
    const { userId } = session;
    if (userId !== null) await this.#run("readwrite", (records) => records.delete(keyOf(userId, nameOf(channelId))));
  }

  /**
   * Deletes all that was kept for a user.
   * @param {string} userId
   */
  forget(userId) {
    return this.#delete((record) => record.user === userId);
  }

  /** Deletes what nobody can read any more: of tokens that expired, and of earlier tokens of this user. */
  async tidy() {
    const keeper = await this.#keeper();
    const now = Date.now();
    await this.#delete(
      ({ expiresAt, user, keeper: by }) => expiresAt < now || (user === keeper?.user && by !== keeper.id),
    );
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  async #save(name, text) {
    const keeper = await this.#keeper();
    if (keeper === null || text.length > RECORD_BYTES * 4) return;
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, keeper.cipher, new TextEncoder().encode(text));
    // Signed out meanwhile: what belonged to the user is deleted already.
    if (session.userId !== keeper.user) return;
    const { user, id, expiresAt } = keeper;
    const record = { key: keyOf(user, name), user, keeper: id, at: Date.now(), expiresAt, iv, data };
    await this.#run("readwrite", (records) => {
      records.put(record);
      this.#dropUnused(records, user);
    });
  }

  /**
   * Deletes the channels that were read longest ago, beyond the number that is kept.
   * @param {IDBObjectStore} records
   * @param {string} user
   */
  #dropUnused(records, user) {
    const range = IDBKeyRange.bound([user, 0], [user, Infinity]);
    const all = records.index(BY_USE).getAllKeys(range);
    all.addEventListener("success", () => {
      const channels = all.result.filter((key) => key !== keyOf(user, LIST));
      for (const key of channels.slice(0, Math.max(0, channels.length - CHANNELS))) records.delete(key);
    });
  }

  /** @param {string} name */
  async #load(name) {
    const keeper = await this.#keeper();
    if (keeper === null) return null;
    const record = await this.#run("readonly", (records) => records.get(keyOf(keeper.user, name)));
    if (!record || record.keeper !== keeper.id) return null;
    try {
      const { iv, data } = /** @type {Stored} */ (record);
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, keeper.cipher, data);
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      return null;
    }
  }

  /** @param {(record: Stored) => boolean} isOver */
  #delete(isOver) {
    return this.#run("readwrite", (records) => {
      const cursor = records.openCursor();
      cursor.addEventListener("success", () => {
        if (!cursor.result) return;
        if (isOver(cursor.result.value)) cursor.result.delete();
        cursor.result.continue();
      });
    });
  }

  /**
   * Runs `work` in a transaction of its own. Resolves with the result of the request that it returns, undefined where that
   * cannot be done.
   * @param {IDBTransactionMode} mode
   * @param {(records: IDBObjectStore) => IDBRequest | void} work
   */
  async #run(mode, work) {
    if (!hasWorkers()) return undefined;
    try {
      this.#database ??= opened();
      const database = await this.#database;
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(RECORDS, mode);
        const request = work(transaction.objectStore(RECORDS));
        transaction.addEventListener("complete", () => resolve(request?.result));
        transaction.addEventListener("abort", () => reject(transaction.error));
      });
    } catch {
      this.#database = null;
      return undefined;
    }
  }

  /** The key of the signed-in user's token; null while nobody is signed in. */
  async #keeper() {
    const { token, userId } = session;
    if (token === null || userId === null || !hasWorkers()) return null;
    if (this.#current?.token !== token) this.#current = { token, keeper: keeperOf(token, userId) };
    return this.#current.keeper;
  }
})();

/**
 * @param {string} token
 * @param {string} user
 * @returns {Promise<Keeper>}
 */
async function keeperOf(token, user) {
  // The token is signed, so it holds more chance than a key needs. Two digests, so that the name tells nothing of the key.
  /** @param {string} purpose */
  const digest = (purpose) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${purpose}\0${token}`));
  const cipher = await crypto.subtle.importKey("raw", await digest("key"), "AES-GCM", false, ["encrypt", "decrypt"]);
  const id = Array.from(new Uint8Array(await digest("name")).slice(0, 12), (byte) => byte.toString(16)).join(".");
  return { cipher, id, user, expiresAt: session.expiresAt };
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore(RECORDS, { keyPath: "key" }).createIndex(BY_USE, ["user", "at"]);
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

/** @param {string} channelId */
const nameOf = (channelId) => `channel ${channelId}`;
/**
 * @param {string} user
 * @param {string} name
 */
const keyOf = (user, name) => JSON.stringify([user, name]);
