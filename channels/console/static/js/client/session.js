// The signed-in user: an access token, kept in this tab or, if the user wishes, on this device. `other_tabs.js` shares it with
// the other tabs of the browser.
//
// A token may come in the fragment of the address (`/#token=…`), which browsers never send to a server. It is removed from
// the address and the history at once. Fires `token` when there is another token or none, and `signedout` (detail: who was
// signed in, and the reason "out", "expired", "kind" or "deleted").

import { claimsOf } from "../../sdk/core/http.js";

const STORAGE_KEY = "channels.token";
const DRAFTS_PREFIX = "channels.draft."; // of `kept_draft.js`
const MAX_TIMER = 2 ** 31 - 1; // milliseconds; `setTimeout` holds 31 bits

export const session = new (class extends /** @type {App.TargetClass<App.SessionEvents>} */ (EventTarget) {
  /** @type {string | null} */
  token = null;
  /** @type {string | null} */
  userId = null;
  /** Whether the token is the application's admin's, who may manage every channel. */
  isAdmin = false;
  /** Whether the token is a business account's, which runs channels and does nothing as a person. */
  isBusiness = false;
  /** When the token expires, in milliseconds since 1970. */
  expiresAt = 0;
  /**
   * Why the token in the address was not accepted: "expired" or "bad"; null when there was none or it was good.
   * @type {App.SignedOut}
   */
  rejection = null;
  /**
   * Why the session ends if the server refuses the token from now on; null: the token has expired.
   * @type {App.SignedOut}
   */
  endsAs = null;
  #timer = 0;

  /** Uses the token in the address, or else the stored one. Returns whether the user is signed in. */
  restore() {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (given !== null) {
      history.replaceState(null, "", location.pathname + location.search);
      if (this.signIn(given, false)) return true;
      this.rejection = userClaimsOf(given.trim()) === null ? "bad" : "expired";
    }
    return this.#use(sessionStorage.getItem(STORAGE_KEY) ?? localStorage.getItem(STORAGE_KEY) ?? "");
  }

  /**
   * Stores the token on this device, or for this tab only. Returns false when it is malformed or has expired.
   * @param {string} token
   * @param {boolean} onDevice
   */
  signIn(token, onDevice) {
    if (!this.#use(token.trim())) return false;
    (onDevice ? localStorage : sessionStorage).setItem(STORAGE_KEY, token.trim());
    return true;
  }

  /**
   * Forgets the token and everything else that is stored for the user. Unfinished posts outlive a session that expires.
   * @param {App.SignedOut} reason
   */
  signOut(reason) {
    if (this.token === null) return;
    clearTimeout(this.#timer);
    const { userId } = this;
    const why = this.endsAs ?? reason;
    this.token = this.userId = this.endsAs = null;
    this.isAdmin = this.isBusiness = false;
    localStorage.removeItem(STORAGE_KEY);
    sessionStorage.clear();
    if (why === "out" || why === "deleted")
      for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFTS_PREFIX)) localStorage.removeItem(key);
    this.dispatchEvent(new Event("token"));
    this.dispatchEvent(new CustomEvent("signedout", { detail: { reason: why, userId } }));
  }

  /** @param {string} token */
  #use(token) {
    const claims = userClaimsOf(token);
    if (claims === null) return false;
    const left = claims.exp * 1000 - Date.now();
    if (!(left > 0)) return false;
    this.token = token;
    this.userId = claims.sub;
    this.expiresAt = claims.exp * 1000;
    const scopes = String(claims.scope ?? "").split(" ");
    this.isAdmin = scopes.includes("admin");
    this.isBusiness = scopes.includes("business");
    this.dispatchEvent(new Event("token"));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.signOut("expired"), Math.min(left, MAX_TIMER));
    return true;
  }
})();

/**
 * The claims of a token of a user; null when it is malformed.
 * @param {string} token
 * @returns {{ sub: string; exp: number; scope?: unknown } | null}
 */
function userClaimsOf(token) {
  const claims = claimsOf(token);
  if (typeof claims?.sub !== "string" || typeof claims.exp !== "number") return null;
  return { sub: claims.sub, exp: claims.exp, scope: claims.scope };
}
