// The tab of a channel's console for broadcasts: one message to many subscribers, each of whom gets it as a private message.
// A form for a new one, and those there are, with their progress.

import "./texts.js";
import { client, get, part } from "../../client/api.js";
import { isStaff } from "../../client/grants.js";
import { t } from "../../texts.js";
import { everyWhileVisible, h } from "../../ui/dom.js";
import { PagedList } from "../../ui/paged_list.js";
import { loadStyle } from "../../ui/style_sheet.js";
import { BroadcastRow } from "./broadcast_row.js";
import { NewBroadcast } from "./new_broadcast.js";

const PAGE = 20;
const LOOK = 3000; // milliseconds between two looks how far they are, for those who get no events

export class Broadcasts {
  /** @param {{ channel: Api.ChannelResponse }} options */
  constructor({ channel }) {
    loadStyle("css/broadcasts.css");
    this.#channelId = channel.channel_id;
    this.#form = new NewBroadcast({ channelId: channel.channel_id, onCreate: () => this.#list.reload() });
    this.element = h(
      "div.panels",
      {},
      this.#form.element,
      h("section.panel", {}, h("h2", {}, t("broadcasts.title")), this.#list.elements),
    );
    client.socket.addEventListener("event", this.#onEvent);
    client.socket.addEventListener("ready", this.#onReady);
    if (!isStaff(channel)) this.#timer = everyWhileVisible(LOOK, () => this.#look());
    this.#list.reload();
  }

  #channelId;
  #form;
  #timer = 0;
  /** @type {Map<string, BroadcastRow>} */
  #rows = new Map();
  /** @type {PagedList<Api.BroadcastResponse>} */
  #list = new PagedList({
    list: h("ul.broadcasts"),
    fetchPage: (cursor) => get(`/v1/channels/${part(this.#channelId)}/broadcasts`, { limit: PAGE, cursor }),
    renderRow: (broadcast) => {
      const row = new BroadcastRow(broadcast);
      this.#rows.set(row.id, row);
      return row.element;
    },
    emptyText: () => t("broadcasts.empty"),
  });

  close() {
    clearInterval(this.#timer);
    client.socket.removeEventListener("event", this.#onEvent);
    client.socket.removeEventListener("ready", this.#onReady);
    this.#form.close();
  }

  /** Those that are shown. */
  get #shown() {
    return [...this.#rows.values()].filter(({ element }) => element.isConnected);
  }

  #look() {
    for (const row of this.#shown) if (row.isGoing) row.reload().catch(() => {});
  }

  #onReady = () => this.#look();

  /** @param {CustomEvent<App.Event>} event */
  #onEvent = ({ detail: event }) => {
    if (event.channel_id !== this.#channelId) return;
    if (event.type !== "broadcast.started" && event.type !== "broadcast.changed" && event.type !== "broadcast.ended")
      return;
    const row = this.#rows.get(event.broadcast_id);
    if (!row?.element.isConnected) {
      // Another admin has made it.
      if (event.type === "broadcast.started") this.#list.reload();
      return;
    }
    const { state, total, sent, not_reached, start_at, failure } = event;
    row.learn({ state, total, sent, not_reached, start_at, failure });
  };
}
