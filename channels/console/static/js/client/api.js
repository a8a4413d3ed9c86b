// The app's client of the API: the SDK with the session's token, and with texts for what may go wrong.
//
// A call that fails throws an `ApiError` of the SDK; `asProblem` gives it the words that the user sees.

import { Connection } from "../../sdk/core/connection.js";
import { ApiError, newIdempotencyKey, segment } from "../../sdk/core/http.js";
import { hasText, loadTexts, locale, t } from "../texts.js";
import { session } from "./session.js";

export { newIdempotencyKey };

/** A call ends after so many milliseconds without a sign of life of the server, so that the user sees it within 10 seconds. */
const ANSWER_WITHIN = 8000;

export const client = new Connection({
  baseUrl: location.origin,
  answerWithin: ANSWER_WITHIN,
  onUnauthenticated: (error) => session.signOut(error.code === "wrong_account_kind" ? "kind" : "expired"),
});
session.addEventListener("token", () => client.setToken(session.token));

// Not awaited: no view needs them to be shown, and an error before they are there is shown in the server's words.
loadTexts("errors").catch(() => {});

/** What went wrong, in the words of the app. */
export class Problem extends ApiError {
  /** What to show to the user. */
  get userMessage() {
    if (this.code === "offline") return t("error.offline");
    if (this.code === "rate_limited" || this.code === "unavailable") return t("error.busy");
    const key = `error.${this.code}`;
    if (hasText(key)) return t(key);
    return this.message || t("error.unexpected", { code: this.code });
  }

  /**
   * [name, reason] of each invalid field; empty when the error is about no field.
   * @returns {[name: string, reason: string][]}
   */
  get fields() {
    if (this.code === "field_too_long") return [[fieldName(this.details.field), this.userMessage]];
    const { errors = [] } = /** @type {App.Details} */ (this.details);
    // The server's reasons are English.
    const reason = (/** @type {string} */ given) => (locale() === "en" ? given : t("error.field"));
    return errors.map((error) => [fieldName(error.field), reason(error.reason)]);
  }
}

/**
 * The error, if the server refused a call or could not be reached. Throws any other, which is a mistake of ours.
 * @param {unknown} error
 */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  if (!(error instanceof ApiError)) throw error;
  // Views that offer to write show something else from now on (`restriction.js`).
  if (error.code === "user_restricted") {
    const { until, reason } = error.details;
    dispatchEvent(new CustomEvent("app-restricted", { detail: { until: until || null, reason } }));
  }
  return new Problem(error.status, error.code, error.message, error.details);
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
export const part = /** @type {never} */ (segment);

/** @type {App.Get} */
export const get = (path, query) => client.request("GET", path, { query });
/** @type {App.Put} */
export const put = (path, body) => client.request("PUT", path, { body });
/** @type {App.Patch} */
export const patch = (path, body) => client.request("PATCH", path, { body });
/** @type {App.Delete} */
export const del = (path, query) => client.request("DELETE", path, { query });
/** @type {App.Post} */
export const post = (path, body, key) => client.request("POST", path, { body, key });

/**
 * All items of a list, page after page.
 * @type {App.GetAll}
 */
export const getAll = (path, query) => client.list(path, query).all();

/**
 * A file that the API returns, and the cursor of its next page, null at the end.
 * @template {keyof Api.GetCalls & string} Path
 * @param {Path} path
 * @param {App.Query<Api.GetCalls[Path]>} query
 */
export async function getFile(path, query) {
  const response = await client.send("GET", path, { query });
  return { blob: await response.blob(), nextCursor: response.headers.get("X-Next-Cursor") };
}
