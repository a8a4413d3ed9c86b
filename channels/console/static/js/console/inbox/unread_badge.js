// A badge with the number of unread threads in a channel's inbox, the same for the channel's whole staff.

import { client, get, part } from "../../client/api.js";
import { everyWhileVisible, h } from "../../ui/dom.js";
import { showBadge } from "../../ui/list_row.js";
import { POLL_EVERY } from "./channel_inbox.js";

export class UnreadBadge {
  element = h("span.badge", { hidden: true });
  /** Settles when the number has been loaded for the first time. */
  loaded;

  /**
   * `getsEvents`: whether the socket delivers the inbox's events to this user. If not, the badge polls, except in a list of
   * channels (`isInList`), where nothing else says what it counts and where there may be many of them.
   * @param {string} channelId
   * @param {{ getsEvents: boolean; isInList?: boolean }} options
   */
  constructor(channelId, { getsEvents, isInList = false }) {
    this.#channelId = channelId;
    this.#textKey = isInList ? "inbox.unread" : "nav.unread";
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#load);
    if (!getsEvents && !isInList) this.#timer = everyWhileVisible(POLL_EVERY, this.#load);
    this.loaded = this.#load();
  }

  #channelId;
  /** @type {"inbox.unread" | "nav.unread"} */
  #textKey;
  #timer = 0;

  close() {
    clearInterval(this.#timer);
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.#load);
  }

  #load = async () => {
    // After a failure, the next event brings the number.
    const unread = await get(`/v1/channels/${part(this.#channelId)}/inbox/unread`).catch(() => null);
    if (unread) this.#show(unread);
  };

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (event.type === "inbox.unread" && event.channel_id === this.#channelId) this.#show(event);
  };

  /** @param {{ unread_threads: number }} unread */
  #show({ unread_threads: n }) {
    showBadge(this.element, n, this.#textKey);
    this.element.title = (n && this.element.getAttribute("aria-label")) || "";
  }
}
