// Calls to the HTTP API. A call that fails throws a `Problem`, whose code and details come from the server (problem+json).

import { hasText, t } from "../texts.js";
import { session } from "./session.js";

const MAX_TRIES = 3;
const IDS_PER_CALL = 50;
const LARGEST_PAGE = 100;
const MAX_WAIT_SECONDS = 4;

/** The server refused a call, or could not be reached (`code` is "offline" then). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {App.Details} [details]
   */
  constructor(status, code, detail, details = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** What to show to the user. */
  get userMessage() {
    if (this.code === "offline") return t("error.offline");
    if (this.code === "rate_limited" || this.code === "unavailable") return t("error.busy");
    const key = `error.${this.code}`;
    if (hasText(key)) return t(key, { limit: this.details.limit_bytes });
    return this.message || t("error.unexpected", { code: this.code });
  }

  /**
   * [name, reason] of each invalid field; empty when the error is about no field.
   * @returns {[name: string, reason: string][]}
   */
  get fields() {
    if (this.code === "field_too_long") return [[fieldName(this.details.field), this.userMessage]];
    return (this.details.errors ?? []).map((error) => [fieldName(error.field), error.reason]);
  }
}

/**
 * The error, if the server refused a call or could not be reached. Throws any other, which is a mistake of ours.
 * @param {unknown} error
 */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  throw error;
}

/**
 * The last name in a path such as `post.links.0.url`.
 * @param {string | undefined} path
 */
function fieldName(path) {
  const names = String(path ?? "")
    .split(".")
    .filter((name) => !/^\d+$/.test(name));
  return names.at(-1) ?? "";
}

/**
 * Encodes an id as one segment of a path.
 * @type {(id: string) => Api.Part}
 */
export const part = /** @type {never} */ (encodeURIComponent);

/** @type {App.Get} */
export const get = (path, query) => call("GET", path + queryOf(query));
/** @type {App.Put} */
export const put = (path, body) => call("PUT", path, { body });
/** @type {App.Patch} */
export const patch = (path, body) => call("PATCH", path, { body });
/** @type {App.Delete} */
export const del = (path, query) => call("DELETE", path + queryOf(query));

/** A new idempotency key. Does not use `crypto.randomUUID`, which browsers do not have on plain HTTP. */
export function newIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * POSTs with an idempotency key, so a retry with the same key has no second effect.
 * @type {App.Post}
 */
export const post = (path, body, key = newIdempotencyKey()) => call("POST", path, { body, key });

/** @param {object | undefined} query */
function queryOf(query) {
  const pairs = Object.entries(query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

/**
 * A map from id to item, without the ids that the API does not return. `field` is the item's field that holds the id.
 * @type {App.FetchByIds}
 */
export async function fetchByIds(path, field, ids) {
  const found = new Map();
  /** @param {any} item Whatever the path lists. */
  const take = (item) => {
    if (!item.error) found.set(item[field], item);
  };
  // Ids in a list are separated by commas, so an id that contains a comma needs a call of its own.
  const listed = ids.filter((id) => !id.includes(","));
  const alone = ids.filter((id) => id.includes(","));
  const calls = alone.map((id) =>
    get(`${path}/${part(id)}`).then(take, (problem) => {
      if (problem.status !== 404) throw problem;
    }),
  );
  for (let from = 0; from < listed.length; from += IDS_PER_CALL) {
    const query = { ids: listed.slice(from, from + IDS_PER_CALL).join(",") };
    calls.push(get(path, query).then((page) => page.items.forEach(take)));
  }
  await Promise.all(calls);
  return found;
}

/**
 * All items of a list, page after page.
 * @type {App.GetAll}
 */
export async function getAll(path, query) {
  const items = [];
  let cursor = null;
  do {
    const page = await call("GET", path + queryOf({ ...query, limit: LARGEST_PAGE, cursor }));
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

/**
 * A file that the API returns, and the cursor of its next page, null at the end.
 * @template {keyof Api.GetCalls & string} Path
 * @param {Path} path
 * @param {App.Query<Api.GetCalls[Path]>} query
 */
export async function getFile(path, query) {
  const response = await request("GET", path + queryOf(query));
  return { blob: await response.blob(), nextCursor: response.headers.get("X-Next-Cursor") };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown; key?: string }} [options]
 * @returns {Promise<any>} JSON, typed by the callers.
 */
async function call(method, path, options) {
  const response = await request(method, path, options);
  return response.status === 204 ? null : response.json();
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown; key?: string }} [options]
 */
async function request(method, path, { body, key } = {}) {
  /** @type {{ [name: string]: string }} */
  const headers = { Authorization: `Bearer ${session.token}` };
  if (key !== undefined) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  /** @type {RequestInit} */
  const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" };
  for (let tries = 1; ; tries += 1) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      throw new Problem(0, "offline", "");
    }
    if (response.ok) return response;
    // Every call may be repeated, because POSTs carry an idempotency key.
    if ((response.status === 429 || response.status === 503) && tries < MAX_TRIES) {
      const wait = Math.min(Number(response.headers.get("Retry-After")) || 1, MAX_WAIT_SECONDS);
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
      continue;
    }
    throw await problemFrom(response);
  }
}

/** @param {Response} response */
async function problemFrom(response) {
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) session.signOut(body.code === "wrong_account_kind" ? "kind" : "expired");
  return newProblem(response.status, body);
}

/**
 * @param {number} status
 * @param {Partial<Api.Problem>} body
 */
const newProblem = (status, body) => new Problem(status, body.code ?? String(status), body.detail ?? "", body.details);

/**
 * Uploads a file. `onProgress(share)` is called with the share that is sent, from 0 to 1.
 * @param {File} file
 * @param {(share: number) => void} onProgress
 * @param {AbortSignal} [signal]
 * @returns {Promise<Api.MediaResponse>}
 */
export function upload(file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    // `fetch` does not report upload progress.
    const xhr = new XMLHttpRequest();
    xhr.open("POST", "/v1/media");
    xhr.setRequestHeader("Authorization", `Bearer ${session.token}`);
    xhr.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    xhr.responseType = "json";
    xhr.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    xhr.addEventListener("load", () => {
      const body = xhr.response ?? {};
      if (xhr.status === 201) resolve(body);
      else reject(newProblem(xhr.status, body));
    });
    xhr.addEventListener("error", () => reject(new Problem(0, "offline", "")));
    xhr.addEventListener("abort", () => reject(new Problem(0, "aborted", "")));
    signal?.addEventListener("abort", () => xhr.abort());
    xhr.send(file);
  });
}
