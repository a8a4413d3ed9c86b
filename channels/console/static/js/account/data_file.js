// All data of a user as one file: JSON Lines, as `GET /v1/users/{user_id}/export` sends them.
//
// Promises: the file is complete, or there is none. A connection that breaks is made again, and the server goes on after the
// last line `{"type": "cursor"}` that arrived; what came behind it is dropped, since the server sends it again. The lines
// between two cursors are joined into blobs, which browsers need not keep in memory. Cursors are of no use in the file, so
// they are left out.

import { ApiError, pause } from "../../sdk/core/http.js";
import { asProblem, client } from "../client/api.js";

const MOST_FAILURES = 6; // in a row, without a line in between
const SECONDS = { first: 1, most: 20 };
/** The status of an error that comes behind the first lines, when the answer has its status already. */
const UNAVAILABLE = 503;

/** @typedef {`/v1/users/${Api.Part}/export` | "/v1/users/me/export"} ExportPath */

/**
 * Reads everything. `onProgress` gets the number of lines so far. Raises: ApiError, and what `signal` was aborted with.
 * @param {ExportPath} path
 * @param {{ onProgress: (lines: number) => unknown; signal: AbortSignal }} options
 */
export async function readData(path, { onProgress, signal }) {
  const file = new DataFile(onProgress);
  for (let failures = 0; ; ) {
    const before = file.lines;
    try {
      const response = await client.send("GET", path, { query: { cursor: file.cursor }, signal });
      await file.read(response, signal);
      if (file.isComplete) return new Blob(file.parts, { type: "application/x-ndjson" });
    } catch (error) {
      signal.throwIfAborted();
      // A body that breaks off is a `TypeError` of the browser; all others are the server's.
      if (!(error instanceof TypeError) && !(error instanceof ApiError)) throw error;
      if (error instanceof ApiError && !isPassing(error)) throw error;
      // Another one runs, perhaps in another tab. What goes on behind a cursor does not wait for it.
      if (error instanceof ApiError && error.code === "export_running" && file.cursor === null) throw error;
      if (failures + 1 >= MOST_FAILURES) throw error instanceof ApiError ? error : brokenOff();
    }
    failures = file.lines > before ? 0 : failures + 1;
    if (failures >= MOST_FAILURES) throw brokenOff();
    file.goBack();
    await pause(Math.min(SECONDS.first * 2 ** failures, SECONDS.most));
    signal.throwIfAborted();
  }
}

const brokenOff = () => new ApiError(0, "offline", "the data broke off");

/** Whether the server may answer later: it could not be reached, or has no time now. @param {ApiError} error */
const isPassing = (error) => asProblem(error).status === 0 || error.status === 429 || error.status >= 500;

/** What has arrived. */
class DataFile {
  /** @param {(lines: number) => unknown} onProgress */
  constructor(onProgress) {
    this.#onProgress = onProgress;
  }

  /** @type {Blob[]} */
  parts = [];
  /** The lines in `parts`. */
  lines = 0;
  /** @type {string | null} */
  cursor = null;
  isComplete = false;
  #onProgress;
  /** Behind the last cursor. @type {string[]} */
  #pending = [];

  /** Forgets what came behind the last cursor. */
  goBack() {
    this.#pending = [];
  }

  /**
   * Takes the lines of an answer until it ends.
   * @param {Response} response
   * @param {AbortSignal} signal
   */
  async read(response, signal) {
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) if (line) this.#take(line);
      if (done) return;
    }
  }

  /** @param {string} line */
  #take(line) {
    const { type, data, error } = JSON.parse(line);
    if (error) throw new ApiError(UNAVAILABLE, error.code, error.detail);
    if (type === "cursor") this.cursor = data.cursor;
    else this.#pending.push(`${line}\n`);
    if (type !== "cursor" && type !== "end") return;
    this.isComplete ||= type === "end";
    this.parts.push(new Blob(this.#pending));
    this.lines += this.#pending.length;
    this.#pending = [];
    this.#onProgress(this.lines);
  }
}
