// Requests to the HTTP API: tokens, errors and retries.
//
// Promises: every call may be repeated without a second effect, because POSTs carry an idempotency key and all other calls
// say how things shall be. So a call is repeated when the server is busy (429, 502, 503, 504) or the network fails. A call
// that fails for good throws an `ApiError`. A refused token is replaced once, if the client was given `getToken`. With
// `answerWithin`, a call ends when the server gives no sign of life for so long, on this call, another one or the socket. So
// a slow line ends no call, and a server that stands still ends all.

/** @import * as Sdk from "../types/channels.js" */
/** @import * as Api from "../types/api.js" */

const MAX_TRIES = 3;
const FIRST_PAUSE_SECONDS = 0.5;
const MAX_PAUSE_SECONDS = 4;
const REPEATED = new Set([429, 502, 503, 504]);
/** A token is replaced this long before it expires. */
const RENEW_BEFORE_SECONDS = 60;
const OFFLINE = "offline";
const TIMEOUT = "timeout";
const NO_TOKEN = "no_token";

/**
 * The server refused a call (`status`, `code`, `details`). With `status` 0 there was no answer: the server could not be
 * reached (`code` "offline"), did not answer in time ("timeout"), or `getToken` failed ("no_token").
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {{ [name: string]: any }} [details]
   * @param {string | null} [requestId]
   */
  constructor(status, code, message, details = {}, requestId = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    /** Stable, in snake_case. The texts may change, the codes do not. */
    this.code = code;
    this.details = details;
    /** Names the request in the server's log. */
    this.requestId = requestId;
  }
}

/** A new idempotency key. Does not use `crypto.randomUUID`, which browsers do not have on plain HTTP. */
export function newIdempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {number} seconds */
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/**
 * Encodes an id as one segment of a path.
 * @param {string | number} id
 */
export const segment = (id) => encodeURIComponent(id);

/**
 * A query string. Values that are null, undefined or empty are left out.
 * @param {object | undefined} query
 */
export function queryOf(query) {
  const pairs = Object.entries(query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

/**
 * The claims of a JWT, which only the server can verify; null when it is none.
 * @param {string} token
 * @returns {{ sub?: unknown; exp?: unknown; scope?: unknown } | null}
 */
export function claimsOf(token) {
  const middle = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token)?.[1];
  if (middle === undefined) return null;
  try {
    const bytes = atob(middle.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    const claims = JSON.parse(text);
    return typeof claims === "object" ? claims : null;
  } catch {
    return null;
  }
}

/** The token of the user: given, or asked for by `getToken` and kept until shortly before it expires. */
class TokenKeeper {
  /** @param {Pick<Sdk.ClientOptions, "token" | "getToken">} options */
  constructor({ token = null, getToken = null }) {
    this.#token = token;
    this.#getToken = getToken;
  }

  #token;
  #getToken;
  /** @type {Promise<string | null> | null} */
  #asking = null;

  get canRenew() {
    return this.#getToken !== null;
  }

  /** When the token expires, in milliseconds since 1970; Infinity when that is not known. */
  get expiresAt() {
    const expires = this.#token === null ? null : claimsOf(this.#token)?.exp;
    return typeof expires === "number" ? expires * 1000 : Infinity;
  }

  /** @param {string | null} token */
  set(token) {
    this.#token = token;
  }

  /** The kept token, or a new one where it is about to expire. */
  async get() {
    const isGood = this.#token !== null && this.expiresAt - Date.now() > RENEW_BEFORE_SECONDS * 1000;
    if (this.#getToken === null || isGood) return this.#token;
    return this.#ask(this.#token === null ? "start" : "expires");
  }

  /**
   * Another token than this one, which the server refused or will soon refuse; null if there is no other.
   * @param {string | null} old
   * @param {Sdk.TokenReason} reason
   */
  async renew(old, reason) {
    // Another call may have renewed it meanwhile.
    const token = this.#token !== old ? this.#token : await this.#ask(reason);
    return token === old ? null : token;
  }

  /** @param {Sdk.TokenReason} reason */
  async #ask(reason) {
    const getToken = this.#getToken;
    if (getToken === null) return this.#token;
    // One call, however many wait for it.
    this.#asking ??= (async () => {
      try {
        this.#token = await getToken(reason);
        return this.#token;
      } catch (error) {
        throw new ApiError(0, NO_TOKEN, `getToken failed: ${error instanceof Error ? error.message : error}`);
      } finally {
        this.#asking = null;
      }
    })();
    return this.#asking;
  }
}

/** Makes requests for one user of one server. */
export class Http {
  /** @param {Sdk.ClientOptions} options */
  constructor({
    baseUrl,
    token = null,
    getToken = null,
    onUnauthenticated = null,
    maxTries = MAX_TRIES,
    answerWithin = null,
  }) {
    /** The address of the server, without a slash at its end. */
    this.baseUrl = baseUrl.replace(/\/+$/, "");
    this.tokens = new TokenKeeper({ token, getToken });
    this.#onUnauthenticated = onUnauthenticated;
    this.#maxTries = maxTries;
    this.#answerWithin = answerWithin;
  }

  #onUnauthenticated;
  #maxTries;
  #answerWithin;
  #lastSignAt = 0;
  #isSilent = false;

  /** The server gave a sign of life: an answer, or a frame of the socket. */
  noteSign() {
    this.#lastSignAt = Date.now();
    this.#isSilent = false;
  }

  /** The server did not answer the socket. Until it gives a sign, calls wait for a quarter of `answerWithin`. */
  noteSilence() {
    this.#isSilent = true;
  }

  /**
   * The address of a path of the server, and any other address as it is.
   * @param {string} path
   */
  url(path) {
    return new URL(path, `${this.baseUrl}/`).href;
  }

  /**
   * Makes a call and returns its JSON; null where the answer is empty.
   * @param {string} method
   * @param {string} path
   * @param {Sdk.RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, options) {
    const response = await this.send(method, path, options);
    return response.status === 204 ? null : response.json();
  }

  /**
   * Makes a call and returns the response, whose status is a success. Raises: ApiError; AbortError.
   * @param {string} method
   * @param {string} path
   * @param {Sdk.RequestOptions} [options]
   * @returns {Promise<Response>}
   */
  async send(method, path, { query, body, key, headers: others, signal, cache = "no-store" } = {}) {
    /** @type {{ [name: string]: string }} */
    const headers = { ...others };
    if (method === "POST") headers["Idempotency-Key"] = key ?? newIdempotencyKey();
    const isRaw = typeof body === "string" || body instanceof Blob;
    if (body !== undefined && !isRaw) headers["Content-Type"] = "application/json";
    const content = isRaw || body === undefined ? /** @type {any} */ (body) : JSON.stringify(body);
    let isRenewed = false;
    for (let tries = 1; ; tries += 1) {
      const token = await this.tokens.get();
      if (token !== null) headers.Authorization = `Bearer ${token}`;
      const url = this.baseUrl + path + queryOf(query);
      let response;
      try {
        response = await this.#answered(
          (ending) => fetch(url, { method, headers, body: content, cache, signal: ending }),
          signal,
        );
      } catch (failure) {
        signal?.throwIfAborted();
        if (failure instanceof ApiError) throw failure;
        // A browser that knows that it is offline need not try again.
        if (tries < this.#maxTries && globalThis.navigator?.onLine !== false) {
          await pause(FIRST_PAUSE_SECONDS * tries);
          continue;
        }
        throw unreachable(this.baseUrl);
      }
      if (response.ok) return response;
      if (REPEATED.has(response.status) && tries < this.#maxTries) {
        await pause(Math.min(Number(response.headers.get("Retry-After")) || 1, MAX_PAUSE_SECONDS));
        continue;
      }
      const error = errorOf(response.status, await response.json().catch(() => ({})));
      if (error.status === 401) {
        if (!isRenewed && (await this.#isRenewed(token))) {
          isRenewed = true;
          tries -= 1;
          continue;
        }
        this.#onUnauthenticated?.(error);
      }
      throw error;
    }
  }

  /**
   * The answer to a request, whose `ending` signal ends it when the server gives no sign for too long. Raises: ApiError.
   * @param {(ending: AbortSignal | undefined) => Promise<Response>} ask
   * @param {AbortSignal | undefined} signal
   */
  async #answered(ask, signal) {
    if (this.#answerWithin === null) return ask(signal);
    const ending = new AbortController();
    const watch = this.watchForSigns(() => ending.abort());
    try {
      const response = await ask(signal ? AbortSignal.any([signal, ending.signal]) : ending.signal);
      this.noteSign();
      return response;
    } catch (error) {
      throw ending.signal.aborted ? unanswered() : error;
    } finally {
      watch.end();
    }
  }

  /**
   * Calls `onSilence` when there was no sign of life for `answerWithin` milliseconds, from now on. `note` notes a sign that
   * only this call knows.
   * @param {() => void} onSilence
   */
  watchForSigns(onSilence) {
    const within = (this.#answerWithin ?? Infinity) / (this.#isSilent ? 4 : 1);
    let signAt = Date.now();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const look = () => {
      const left = Math.max(signAt, this.#lastSignAt) + within - Date.now();
      if (left <= 0) onSilence();
      else if (left < Infinity) timer = setTimeout(look, left);
    };
    const note = () => {
      signAt = Date.now();
    };
    look();
    return { note, end: () => clearTimeout(timer) };
  }

  /** @param {string | null} token */
  async #isRenewed(token) {
    return this.tokens.canRenew && (await this.tokens.renew(token, "refused").catch(() => null)) !== null;
  }

  /**
   * Calls `onUnauthenticated`: the token was refused, and there is no other.
   * @param {ApiError} error
   */
  reportUnauthenticated(error) {
    this.#onUnauthenticated?.(error);
  }
}

/** The error of a call whose server gave no sign of life for too long. */
export const unanswered = () => new ApiError(0, TIMEOUT, "The server does not answer.");

/**
 * The error of a call without an answer.
 * @param {string} baseUrl
 */
export function unreachable(baseUrl) {
  // A browser does not say why it refuses to call another origin, so the text names the usual reason.
  const isForeign = globalThis.location !== undefined && new URL(baseUrl, location.href).origin !== location.origin;
  const reason = isForeign ? ` If it runs, CHANNELS_ALLOWED_ORIGINS there may not name ${location.origin}.` : "";
  return new ApiError(0, OFFLINE, `The server cannot be reached.${reason}`);
}

/**
 * The error of a call that the server refused.
 * @param {number} status
 * @param {Partial<Api.Problem>} body
 */
export function errorOf(status, body) {
  return new ApiError(status, body.code ?? String(status), body.detail ?? "", body.details, body.request_id ?? null);
}
