// A connection to one server for one user: requests, lists, uploads, the socket, and what is made of them. All that the web
// app needs of the SDK; `channels.js` adds the calls for each resource.

import { ApiError, errorOf, Http, segment, unanswered, unreachable } from "./http.js";
import { postStream } from "./message_stream.js";
import { Socket } from "./socket.js";
import { Sync } from "./sync.js";

/** @import * as Sdk from "../types/channels.js" */
/** @import * as Api from "../types/api.js" */

const LARGEST_PAGE = 100;
const IDS_PER_CALL = 50;

/** A list: items one by one with `for await`, or page by page. Pages are loaded when they are needed. */
export class Paged {
  /**
   * @param {(cursor: string | null) => Promise<{ items: any[]; next_cursor: string | null }>} load
   */
  constructor(load) {
    this.#load = load;
  }

  #load;

  /**
   * One page: the first one, or that of a cursor.
   * @param {string | null} [cursor]
   */
  page(cursor = null) {
    return this.#load(cursor);
  }

  /** The pages, one after the other. */
  async *pages() {
    /** @type {string | null} */
    let cursor = null;
    do {
      const page = await this.#load(cursor);
      yield page;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) yield* page.items;
  }

  /** All items. */
  async all() {
    const items = [];
    for await (const page of this.pages()) items.push(...page.items);
    return items;
  }
}

/** Makes all calls of one user, and keeps their socket. */
export class Connection extends Http {
  /** Live events. Connects when it is started. */
  socket = new Socket(this);

  /**
   * Takes another token; null signs out, and stops the socket.
   * @param {string | null} token
   */
  setToken(token) {
    this.tokens.set(token);
    if (token === null) this.socket.stop();
  }

  /**
   * Reads what changed, call by call. `token` is that of an earlier `Sync`.
   * @param {string | null} [token]
   */
  sync(token = null) {
    return new Sync(this, token);
  }

  /**
   * The posts of a channel, kept up to date while the socket is started.
   * @param {string} channelId The whole id.
   * @param {{ headSeq?: number; pageSize?: number }} [options]
   */
  postStream(channelId, options) {
    return postStream(this, channelId, options);
  }

  /**
   * A list that is read page by page.
   * @param {string} path
   * @param {object} [query]
   */
  list(path, query) {
    return new Paged((cursor) => this.request("GET", path, { query: { limit: LARGEST_PAGE, ...query, cursor } }));
  }

  /**
   * The objects with these ids, without those that do not exist or are hidden.
   * @param {string} path
   * @param {string} field Holds the id.
   * @param {Iterable<string>} ids
   * @returns {Promise<Map<string, any>>}
   */
  async byIds(path, field, ids) {
    /** @type {Map<string, any>} */
    const found = new Map();
    /** @param {any} item */
    const take = (item) => {
      if (!item.error) found.set(item[field], item);
    };
    // Ids in a list are separated by commas, so an id that contains a comma needs a call of its own.
    const all = [...new Set(ids)];
    const listed = all.filter((id) => !id.includes(","));
    const calls = all
      .filter((id) => id.includes(","))
      .map((id) =>
        this.request("GET", `${path}/${segment(id)}`).then(take, (error) => {
          if (error.status !== 404) throw error;
        }),
      );
    for (let from = 0; from < listed.length; from += IDS_PER_CALL) {
      const query = { ids: listed.slice(from, from + IDS_PER_CALL).join(",") };
      calls.push(this.request("GET", path, { query }).then((page) => page.items.forEach(take)));
    }
    await Promise.all(calls);
    return found;
  }

  /**
   * Uploads a file. `onProgress(share)` is called with the share that is sent, from 0 to 1. Raises: ApiError, with the code
   * "aborted" if the signal ended it.
   * @param {Blob & { name?: string }} file
   * @param {{ name?: string; onProgress?: ((share: number) => void) | null; signal?: AbortSignal | null }} [options]
   * @returns {Promise<Api.MediaResponse>}
   */
  async upload(file, { name = file.name ?? "", onProgress = null, signal = null } = {}) {
    /** @type {{ [name: string]: string }} */
    const headers = name ? { "X-File-Name": encodeURIComponent(name) } : {};
    // `fetch` does not report upload progress; outside of browsers there is nothing else.
    if (typeof XMLHttpRequest === "undefined")
      return this.request("POST", "/v1/media", { body: file, headers, signal: signal ?? undefined });
    const token = await this.tokens.get();
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open("POST", `${this.baseUrl}/v1/media`);
      for (const [header, value] of Object.entries(headers)) xhr.setRequestHeader(header, value);
      xhr.responseType = "json";
      const watch = this.watchForSigns(() => {
        reject(unanswered());
        xhr.abort();
      });
      xhr.addEventListener("loadend", watch.end);
      xhr.upload.addEventListener("progress", (event) => {
        watch.note();
        if (event.lengthComputable) onProgress?.(event.loaded / event.total);
      });
      xhr.addEventListener("load", () => {
        const body = xhr.response ?? {};
        if (xhr.status === 201) resolve(body);
        else reject(errorOf(xhr.status, body));
      });
      xhr.addEventListener("error", () => reject(unreachable(this.baseUrl)));
      xhr.addEventListener("abort", () => reject(new ApiError(0, "aborted", "The upload was aborted")));
      signal?.addEventListener("abort", () => xhr.abort());
      xhr.send(file);
    });
  }
}
