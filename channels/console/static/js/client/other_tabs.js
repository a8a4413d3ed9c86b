// The tabs of one browser share the session of a user: a new tab asks the others for their token, and a user who signs out
// does so in all of them.
//
// Promises: a token goes only to tabs of the same origin, and is stored nowhere but in the session storage of a tab. Of
// several answers the one of the tab that was used last counts, which is the one in which the user opened the new tab.
// Depends on `BroadcastChannel`, which all browsers have, on plain HTTP too.

import { session } from "./session.js";

const NAME = "channels.session";
const FIRST_ANSWER_WITHIN = 250; // milliseconds; a later one still reaches `onLateAnswer`
const OTHER_ANSWERS_WITHIN = 60; // milliseconds after the first
const USES = ["pointerdown", "keydown", "focus"];

let usedAt = 0;
for (const type of USES) addEventListener(type, () => noteUse(), { capture: true, passive: true });

function noteUse() {
  usedAt = Date.now();
}

export const otherTabs = new (class {
  #channel = new BroadcastChannel(NAME);
  /** @type {((answer: { token: string; usedAt: number }) => void) | null} */
  #onAnswer = null;
  /**
   * Called with a token that comes after `ask` gave up: on a busy machine, or from a tab that was asleep.
   * @type {((token: string) => void) | null}
   */
  onLateAnswer = null;

  constructor() {
    this.#channel.addEventListener("message", ({ data }) => this.#receive(data));
  }

  /**
   * The token of a signed-in tab, null when there is none.
   * @returns {Promise<string | null>}
   */
  ask() {
    return new Promise((resolve) => {
      /** @type {{ token: string; usedAt: number } | null} */
      let best = null;
      const end = () => {
        this.#onAnswer = null;
        resolve(best?.token ?? null);
      };
      let timer = setTimeout(end, FIRST_ANSWER_WITHIN);
      this.#onAnswer = (answer) => {
        if (best === null) {
          clearTimeout(timer);
          timer = setTimeout(end, OTHER_ANSWERS_WITHIN);
        }
        if (best === null || answer.usedAt > best.usedAt) best = answer;
      };
      this.#channel.postMessage({ type: "ask" });
    });
  }

  /**
   * Signs this user out in all other tabs.
   * @param {string} userId
   */
  signOut(userId) {
    this.#channel.postMessage({ type: "signout", userId });
  }

  /** @param {{ type?: unknown; token?: unknown; usedAt?: unknown; userId?: unknown }} message */
  #receive({ type, token, usedAt: at, userId }) {
    if (type === "ask" && session.token !== null)
      this.#channel.postMessage({ type: "answer", token: session.token, usedAt });
    else if (type === "answer" && typeof token === "string" && session.token === null)
      if (this.#onAnswer) this.#onAnswer({ token, usedAt: Number(at) });
      else this.onLateAnswer?.(token);
    else if (type === "signout" && session.userId !== null && session.userId === userId) session.signOut("out");
  }
})();
