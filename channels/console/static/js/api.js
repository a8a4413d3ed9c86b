// Calls of the API. A refusal is a `Problem`, whose code and details are the server's (problem+json).

import { session } from "./session.js";
import { hasText, t } from "./texts.js";

const TRIES = 3;
const IDS_PER_CALL = 50;
const LONGEST_WAIT_SECONDS = 4;

/** A call that was refused or did not arrive (`code` "offline"). */
export class Problem extends Error {
  constructor(status, code, detail, details = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** What to tell the user. */
  get shown() {
    if (this.code === "offline") return t("error.offline");
    if (this.code === "rate_limited" || this.code === "unavailable") return t("error.busy");
    const key = `error.${this.code}`;
    if (hasText(key)) return t(key, { limit: this.details.limit_bytes });
    return this.message || t("error.unexpected", { code: this.code });
  }

  /** The field that is to blame and what is wrong with it, for each; empty when no field is. */
  get fields() {
    if (this.code === "field_too_long") return [[last(this.details.field), this.shown]];
    return (this.details.errors ?? []).map((error) => [last(error.field), error.reason]);
  }
}

function last(path) {
  const names = String(path ?? "").split(".").filter((name) => !/^\d+$/.test(name));
  return names.at(-1) ?? "";
}

/** An id as a part of a path. */
export const part = encodeURIComponent;

export const get = (path, query) => call("GET", path + queryOf(query));
export const put = (path, body) => call("PUT", path, { body });
export const patch = (path, body) => call("PATCH", path, { body });
export const del = (path) => call("DELETE", path);

/** A key for a POST that may be repeated. `crypto.randomUUID` is missing where a page came over plain HTTP. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** POST, once: a repeat after a lost answer carries the same key. */
export const post = (path, body, key = freshKey()) => call("POST", path, { body, key });

function queryOf(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

/** What the API shows of each of these ids, by id; of what it does not show, nothing. `field` holds the id in an answer. */
export async function lookUp(path, field, ids) {
  const found = new Map();
  const take = (item) => {
    if (!item.error) found.set(item[field], item);
  };
  // A list of ids is parted by commas, so one that holds a comma is asked for alone.
  const listed = ids.filter((id) => !id.includes(","));
  const alone = ids.filter((id) => id.includes(","));
  const calls = alone.map((id) => get(`${path}/${part(id)}`).then(take, (problem) => {
    if (problem.status !== 404) throw problem;
  }));
  for (let from = 0; from < listed.length; from += IDS_PER_CALL) {
    const query = { ids: listed.slice(from, from + IDS_PER_CALL).join(",") };
    calls.push(get(path, query).then((page) => page.items.forEach(take)));
  }
  await Promise.all(calls);
  return found;
}

/** A file that the API answers with, and the cursor of the next page of it; null at the end. */
export async function file(path, query) {
  const answer = await answerOf("GET", path + queryOf(query));
  return { blob: await answer.blob(), next: answer.headers.get("X-Next-Cursor") };
}

async function call(method, path, sent) {
  const answer = await answerOf(method, path, sent);
  return answer.status === 204 ? null : answer.json();
}

async function answerOf(method, path, { body, key } = {}) {
  const headers = { Authorization: `Bearer ${session.token}` };
  if (key !== undefined) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" };
  for (let tries = 1; ; tries += 1) {
    let answer;
    try {
      answer = await fetch(path, sent);
    } catch {
      throw new Problem(0, "offline", "");
    }
    if (answer.ok) return answer;
    // Each of our calls may be repeated: the POSTs carry a key.
    if ((answer.status === 429 || answer.status === 503) && tries < TRIES) {
      const wait = Math.min(Number(answer.headers.get("Retry-After")) || 1, LONGEST_WAIT_SECONDS);
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
      continue;
    }
    throw await problemOf(answer);
  }
}

async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const problem = new Problem(answer.status, told.code ?? String(answer.status), told.detail ?? "", told.details);
  if (answer.status === 401) session.end("expired");
  return problem;
}

/** Upload a file; `onProgress` hears the share that is sent. */
export function upload(file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    // fetch cannot tell how much of a body is sent.
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/media");
    request.setRequestHeader("Authorization", `Bearer ${session.token}`);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const told = request.response ?? {};
      if (request.status === 201) resolve(told);
      else reject(new Problem(request.status, told.code ?? String(request.status), told.detail ?? "", told.details));
    });
    request.addEventListener("error", () => reject(new Problem(0, "offline", "")));
    request.addEventListener("abort", () => reject(new Problem(0, "aborted", "")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
