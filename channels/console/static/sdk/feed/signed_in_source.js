// Where the posts of a feed come from for a signed-in user: the API and the socket. Loaded when there is one.
//
// It fires the events of `public_source.js`, whose promises it shares.

import { ApiError, Http, segment } from "../core/http.js";
import { postStream } from "../core/message_stream.js";
import { Socket } from "../core/socket.js";
import { poll } from "./public_source.js";

/** @import { Post, ShownChannel, SourceEvents } from "./public_source.js" */
/** @import * as Sdk from "../types/channels.js" */
/** @import * as Api from "../types/api.js" */

/** @typedef {Http & { socket: Sdk.Socket }} SocketClient */

/** The client of one feed, and all of it that a feed needs. A page gives one of its own to share it among feeds. */
export class OwnClient extends Http {
  socket = new Socket(this);
}

/** The posts as a signed-in user sees them, live. */
export class SignedInSource extends /** @type {Sdk.TargetClass<SourceEvents>} */ (EventTarget) {
  /**
   * @param {SocketClient} client
   * @param {string} channelId
   * @param {number} limit
   */
  constructor(client, channelId, limit) {
    super();
    this.client = client;
    this.#channelId = channelId;
    this.#limit = limit;
  }

  #channelId;
  #limit;
  /** @type {Api.ChannelResponse | null} */
  #channel = null;
  /** @type {Sdk.MessageStream | null} */
  #stream = null;
  #isClosed = false;
  #endPolling = () => {};

  /** @returns {ShownChannel} */
  get channel() {
    const channel = this.#channel;
    if (channel === null) return { name: "", canReact: false, policy: "none" };
    const policy = channel.settings.reactions;
    return { name: channel.name, canReact: channel.role !== null && policy !== "none", policy };
  }

  /** @returns {Post[]} */
  get posts() {
    return /** @type {Post[]} */ (this.#stream?.inOrder().reverse() ?? []);
  }

  get hasOlder() {
    return this.#stream?.hasOlder ?? false;
  }

  get isConnected() {
    return this.client.socket.isOpen;
  }

  /** Loads the newest posts. Raises: ApiError. */
  async start() {
    this.client.socket.start();
    const channel = await this.client.request("GET", `/v1/channels/${segment(this.#channelId)}`);
    if (this.#isClosed) return;
    this.#channel = channel;
    const options = { headSeq: channel.head_seq, pageSize: this.#limit };
    const stream = postStream(this.client, channel.channel_id, options);
    this.#stream = stream;
    stream.addEventListener("change", this.#onChange);
    this.client.socket.addEventListener("event", this.#onEvent);
    this.client.socket.addEventListener("state", this.#onState);
    await stream.open();
    if (channel.role === null) this.#endPolling = poll(() => stream.catchUp());
  }

  async loadOlder() {
    await this.#stream?.loadOlder();
  }

  /**
   * @param {number} seq
   * @param {string} emoji
   * @param {boolean} isOn
   */
  async react(seq, emoji, isOn) {
    await this.#stream?.react(seq, emoji, isOn);
  }

  close() {
    this.#isClosed = true;
    this.#endPolling();
    this.#stream?.removeEventListener("change", this.#onChange);
    this.#stream?.close();
    this.client.socket.removeEventListener("event", this.#onEvent);
    this.client.socket.removeEventListener("state", this.#onState);
    if (this.client instanceof OwnClient) this.client.socket.stop();
  }

  #onChange = () => this.dispatchEvent(new Event("change"));
  #onState = () => this.dispatchEvent(new Event("state"));

  /** @param {CustomEvent<Sdk.Event>} event */
  #onEvent = ({ detail: event }) => {
    const channel = this.#channel;
    if (channel === null || event.channel_id !== channel.channel_id) return;
    if (event.type === "channel.deleted") {
      this.dispatchEvent(new CustomEvent("failed", { detail: new ApiError(404, "channel_not_found", "") }));
    } else if (event.type.startsWith("channel.")) {
      this.#reload().catch(() => {});
    }
  };

  async #reload() {
    this.#channel = await this.client.request("GET", `/v1/channels/${segment(this.#channelId)}`);
    this.#onChange();
  }
}
