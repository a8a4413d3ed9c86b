// A badge: how many threads of a channel's inbox hold something unread, the same for all who read it.

import { get, part } from "../api.js";
import { everySeen, h } from "../dom.js";
import { count } from "../format.js";
import { link } from "../socket.js";
import { t } from "../texts.js";
import { ASK_EVERY } from "./threads.js";

export class InboxBadge {
  element = h("span.badge", { role: "img", hidden: true });
  /** Settles when it is shown for the first time, or not. */
  shown;

  /** `isTold`: whether the socket tells its events to me; `isAlone`: it stands where nothing says what it counts. */
  constructor(channelId, { isTold, isAlone = false }) {
    this.#id = channelId;
    this.#text = isAlone ? "inbox.unread" : "nav.unread";
    link.addEventListener("event", this.#onEvent);
    link.addEventListener("ready", this.load);
    // A list of many is not asked about again and again.
    if (!isTold && !isAlone) this.#timer = everySeen(ASK_EVERY, this.load);
    this.shown = this.load();
  }

  #id;
  #text;
  #timer = 0;

  close() {
    clearInterval(this.#timer);
    link.removeEventListener("event", this.#onEvent);
    link.removeEventListener("ready", this.load);
  }

  load = async () => {
    // Without it the page is as good as before; the next one is told by an event.
    const unread = await get(`/v1/channels/${part(this.#id)}/inbox/unread`).catch(() => null);
    if (unread) this.#show(unread);
  };

  #onEvent = ({ detail: event }) => {
    if (event.type === "inbox.unread" && event.channel_id === this.#id) this.#show(event);
  };

  #show({ unread_threads: n }) {
    this.element.textContent = count(n);
    this.element.setAttribute("aria-label", t(this.#text, { n }));
    this.element.title = n ? t(this.#text, { n }) : "";
    this.element.hidden = n === 0;
  }
}
