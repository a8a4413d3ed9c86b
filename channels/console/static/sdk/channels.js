// The JavaScript SDK of the channel server: `import { ChannelsClient } from "https://…/sdk/channels.js"`.
//
// It runs in pages of any origin and, where `fetch` and `WebSocket` are, outside of browsers. It needs no page, no text of
// an app, and nothing but this folder. The web app of the server is built on it. The types are in `channels.d.ts`.

import { Connection, Paged } from "./core/connection.js";
import { ApiError, claimsOf, newIdempotencyKey, segment } from "./core/http.js";
import { parseMarkup, plainText } from "./core/markup.js";
import { MessageStream } from "./core/message_stream.js";
import { Socket } from "./core/socket.js";
import { Sync } from "./core/sync.js";
import { LiveEvents } from "./live_events.js";
import {
  Acknowledgements,
  Channels,
  Comments,
  Conversations,
  Devices,
  Groups,
  Inbox,
  Media,
  Polls,
  Posts,
  Reactions,
  Unread,
  Users,
  Webhooks,
} from "./resources.js";

/** @import * as Sdk from "./types/channels.js" */

export {
  ApiError,
  Connection,
  claimsOf,
  MessageStream,
  newIdempotencyKey,
  Paged,
  parseMarkup,
  plainText,
  Socket,
  Sync,
  segment,
};

/** A user of one server. */
export class ChannelsClient extends Connection {
  /**
   * Give a `token`, or `getToken` for an app whose tokens are short-lived. It is called when a token is needed, about to
   * expire, or refused; its answer is kept meanwhile. Without a token, only calls that need none succeed.
   * @param {Sdk.ClientOptions} options
   */
  constructor(options) {
    super(options);
    this.channels = new Channels(this);
    this.posts = new Posts(this);
    this.reactions = new Reactions(this);
    this.polls = new Polls(this);
    this.acknowledgements = new Acknowledgements(this);
    this.comments = new Comments(this);
    this.conversations = new Conversations(this);
    this.unread = new Unread(this);
    this.inbox = new Inbox(this);
    this.groups = new Groups(this);
    this.users = new Users(this);
    this.media = new Media(this);
    this.devices = new Devices(this);
    this.webhooks = new Webhooks(this);
  }

  /**
   * All events from now on, without gaps also after a lost connection. Starts the socket.
   * @param {{ signal?: AbortSignal }} [options]
   */
  events({ signal } = {}) {
    return new LiveEvents(this, signal ?? null);
  }
}
