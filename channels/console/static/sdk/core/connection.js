// A connection to one server for one user: requests, the socket, and what is made of both. All that the web app and the
// feed component need of the SDK; `channels.js` adds the calls for each resource.

import { Http, segment } from "./http.js";
import { MessageStream } from "./message_stream.js";
import { Socket } from "./socket.js";
import { Sync } from "./sync.js";

/** @import * as Sdk from "../types/channels.js" */

export class Connection extends Http {
  /** Live events. Connects when it is started. */
  socket = new Socket(this);

  /**
   * Takes another token; null signs out, and stops the socket.
   * @param {string | null} token
   */
  setToken(token) {
    this.tokens.set(token);
    if (token === null) this.socket.stop();
  }

  /**
   * Reads what changed, call by call. `token` is that of an earlier `Sync`.
   * @param {string | null} [token]
   */
  sync(token = null) {
    return new Sync(this, token);
  }

  /**
   * The posts of a channel, kept up to date while the socket is started.
   * @param {string} channelId The whole id.
   * @param {{ headSeq?: number; pageSize?: number }} [options]
   */
  postStream(channelId, options) {
    const conversationId = `group_${channelId}`;
    return new MessageStream(this, {
      path: `/v1/channels/${segment(channelId)}/posts`,
      field: "post",
      watch: conversationId,
      isMine: (event) => event.conversation_id === conversationId,
      ...options,
    });
  }
}
