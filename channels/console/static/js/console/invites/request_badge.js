// A badge with the number of open requests to join a channel.

import { client, get, part } from "../../client/api.js";
import "../../invites/texts.js";
import { t } from "../../texts.js";
import { everyWhileVisible, h, throttle } from "../../ui/dom.js";
import { showBadge } from "../../ui/list_row.js";

const POLL_EVERY = 30_000; // milliseconds
const RELOAD_EVERY = 2000; // milliseconds, while people ask
const MOST = 100; // are counted

export class RequestBadge {
  element = h("span.badge", { hidden: true });

  /**
   * `getsEvents`: whether the socket delivers what happens to requests to this user. If not, the badge polls.
   * @param {string} channelId
   * @param {{ getsEvents: boolean }} options
   */
  constructor(channelId, { getsEvents }) {
    this.#channelId = channelId;
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.reload);
    if (!getsEvents) this.#timer = everyWhileVisible(POLL_EVERY, this.reload);
    this.loaded = this.#load();
  }

  #channelId;
  #timer = 0;

  close() {
    clearInterval(this.#timer);
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.reload);
  }

  #load = async () => {
    const path = /** @type {const} */ (`/v1/channels/${part(this.#channelId)}/join-requests`);
    // After a failure, the next event brings the number.
    const page = await get(path, { limit: MOST }).catch(() => null);
    if (page === null) return;
    showBadge(this.element, page.items.length, page.next_cursor === null ? "requests.open" : "requests.open.more");
    if (page.next_cursor !== null) this.element.textContent = t("requests.many", { n: MOST });
    this.element.title = this.element.getAttribute("aria-label") ?? "";
  };

  /** Counts them again, soon. */
  reload = throttle(RELOAD_EVERY, () => this.#load());

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (event.channel_id === this.#channelId && event.type.startsWith("join.")) this.reload();
  };
}
