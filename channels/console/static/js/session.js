// Who is signed in: a token, kept where this tab (or, if wished, this device) keeps it, and nowhere else.
//
// A token may come in the fragment of the address (`/#token=…`), which browsers never send to a server; it is taken out
// of the address and the history before anything else happens.

const KEY = "channels.token";
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export const session = new (class extends EventTarget {
  token = null;
  userId = null;
  isAdmin = false;
  #timer = 0;
  /** Why nobody is signed in, where the address handed over a token that cannot be used: "expired" or "bad". */
  refused = null;

  /** Take up the token of the address, else the kept one; whether there is one that is still good. */
  begin() {
    const handed = new URLSearchParams(location.hash.slice(1)).get("token");
    if (handed !== null) {
      history.replaceState(null, "", location.pathname + location.search);
      if (this.signIn(handed, false)) return true;
      this.refused = claimsOf(handed.trim()) === null ? "bad" : "expired";
    }
    return this.#take(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "");
  }

  /** Keep the token, on this device or for this tab only; false when it is none or is over. */
  signIn(token, onDevice) {
    if (!this.#take(token.trim())) return false;
    (onDevice ? localStorage : sessionStorage).setItem(KEY, this.token);
    return true;
  }

  /** Forget the token; `why` is told to whoever listens to `end`: "out" or "expired". */
  end(why) {
    if (this.token === null) return;
    clearTimeout(this.#timer);
    this.token = this.userId = null;
    this.isAdmin = false;
    localStorage.removeItem(KEY);
    // All that this tab holds of the user, drafts too.
    sessionStorage.clear();
    this.dispatchEvent(new CustomEvent("end", { detail: why }));
  }

  #take(token) {
    const claims = claimsOf(token);
    if (claims === null) return false;
    const left = claims.exp * 1000 - Date.now();
    if (!(left > 0)) return false;
    this.token = token;
    this.userId = claims.sub;
    this.isAdmin = String(claims.scope ?? "").split(" ").includes("admin");
    clearTimeout(this.#timer);
    // Timers hold 31 bits of milliseconds; who stays for longer hears it from the server.
    this.#timer = setTimeout(() => this.end("expired"), Math.min(left, 2 ** 31 - 1));
    return true;
  }
})();

function claimsOf(token) {
  if (!TOKEN.test(token)) return null;
  try {
    const bytes = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    const claims = JSON.parse(text);
    return typeof claims.sub === "string" && typeof claims.exp === "number" ? claims : null;
  } catch {
    return null;
  }
}
