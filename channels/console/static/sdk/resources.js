// The calls for each kind of resource. Fields, permissions and errors of each call are in the reference of the API.
//
// Each method is one call, or one list (`Paged`). Ids are given as they are, and encoded here.

import { segment } from "./core/http.js";

/** @import { Connection } from "./core/connection.js" */
/** @import * as Sdk from "./types/channels.js" */

class Resource {
  /** @param {Connection} http */
  constructor(http) {
    this.http = http;
  }

  /**
   * @param {string} path
   * @param {object} [query]
   * @returns {Promise<any>}
   */
  read(path, query) {
    return this.http.request("GET", path, { query });
  }

  /**
   * @param {string} path
   * @param {object} [query]
   */
  paged(path, query) {
    return this.http.list(path, query);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {Sdk.Once} [once]
   * @returns {Promise<any>}
   */
  write(method, path, body, once) {
    return this.http.request(method, path, { body, key: once?.key });
  }
}

/** @param {string} id */
const channel = (id) => `/v1/channels/${segment(id)}`;
/** @param {string} id */
const group = (id) => `/v1/groups/${segment(id)}`;
/** @param {string} id */
const conversation = (id) => `/v1/conversations/${segment(id)}`;

export class Channels extends Resource {
  /**
   * The directory, or with `{ subscribed: true }` and `{ owned: true }` the user's own.
   * @type {Sdk.Channels["list"]}
   */
  list = (query) => this.paged("/v1/channels", query);
  /** @type {Sdk.Channels["get"]} */
  get = (id) => this.read(channel(id));
  /** @type {Sdk.Channels["getMany"]} */
  getMany = (ids) => this.http.byIds("/v1/channels", "channel_id", ids);
  /** @type {Sdk.Channels["create"]} */
  create = (body, once) => this.write("POST", "/v1/channels", body, once);
  /** @type {Sdk.Channels["update"]} */
  update = (id, changes) => this.write("PATCH", channel(id), changes);
  /** @type {Sdk.Channels["delete"]} */
  delete = (id) => this.write("DELETE", channel(id));
  /** @type {Sdk.Channels["subscribe"]} */
  subscribe = (id) => this.write("PUT", `${channel(id)}/subscription`);
  /** @type {Sdk.Channels["unsubscribe"]} */
  unsubscribe = (id) => this.write("DELETE", `${channel(id)}/subscription`);
  /** @type {Sdk.Channels["subscribers"]} */
  subscribers = (id, query) => this.paged(`${channel(id)}/subscribers`, query);
  /** @type {Sdk.Channels["removeSubscriber"]} */
  removeSubscriber = (id, userId, { ban = false } = {}) =>
    this.http.request("DELETE", `${channel(id)}/subscribers/${segment(userId)}`, { query: ban ? { ban } : {} });
  /** @type {Sdk.Channels["admins"]} */
  admins = (id) => this.paged(`${channel(id)}/admins`);
  /** @type {Sdk.Channels["appoint"]} */
  appoint = (id, userId, grants) => this.write("PUT", `${channel(id)}/admins/${segment(userId)}`, { grants });
  /** @type {Sdk.Channels["dismiss"]} */
  dismiss = (id, userId) => this.write("DELETE", `${channel(id)}/admins/${segment(userId)}`);
}

export class Posts extends Resource {
  /**
   * The newest first; `before_seq`, `after_seq` and others choose.
   * @type {Sdk.Posts["list"]}
   */
  list = (id, query) => this.paged(`${channel(id)}/posts`, query);
  /**
   * The posts of all channels to which the user subscribes, the newest first.
   * @type {Sdk.Posts["feed"]}
   */
  feed = (query) => this.paged("/v1/feed", query);
  /** @type {Sdk.Posts["get"]} */
  get = (id, seq) => this.read(`${channel(id)}/posts/${seq}`);
  /** @type {Sdk.Posts["create"]} */
  create = (id, body, once) => this.write("POST", `${channel(id)}/posts`, body, once);
  /** @type {Sdk.Posts["preview"]} */
  preview = (id, body) => this.write("POST", `${channel(id)}/posts/preview`, body);
  /** @type {Sdk.Posts["edit"]} */
  edit = (id, seq, body) => this.write("PATCH", `${channel(id)}/posts/${seq}`, body);
  /** @type {Sdk.Posts["delete"]} */
  delete = (id, seq) => this.write("DELETE", `${channel(id)}/posts/${seq}`);
  /** @type {Sdk.Posts["pin"]} */
  pin = (id, seq) => this.write("PUT", `${channel(id)}/posts/${seq}/pin`);
  /** @type {Sdk.Posts["unpin"]} */
  unpin = (id, seq) => this.write("DELETE", `${channel(id)}/posts/${seq}/pin`);
  /** @type {Sdk.Posts["pinned"]} */
  pinned = async (id) => (await this.read(`${channel(id)}/pins`)).items;
  /** @type {Sdk.Posts["reportViews"]} */
  reportViews = async (id, seqs) => (await this.write("POST", `${channel(id)}/posts/views`, { seqs })).items;
}

/** On posts, and on messages of groups and one-to-one conversations. */
export class Reactions extends Resource {
  /** @param {Sdk.Reacted} on */
  #path({ channelId, groupId, conversationId, seq }) {
    if (channelId !== undefined) return `${channel(channelId)}/posts/${seq}/reactions`;
    if (groupId !== undefined) return `${group(groupId)}/messages/${seq}/reactions`;
    return `${conversation(conversationId)}/messages/${seq}/reactions`;
  }

  /** @type {Sdk.Reactions["get"]} */
  get = (on) => this.read(this.#path(on));
  /** @type {Sdk.Reactions["add"]} */
  add = (on, emoji) => this.write("PUT", `${this.#path(on)}/${segment(emoji)}`);
  /** @type {Sdk.Reactions["remove"]} */
  remove = (on, emoji) => this.write("DELETE", `${this.#path(on)}/${segment(emoji)}`);
  /** @type {Sdk.Reactions["users"]} */
  users = (on, emoji) => this.paged(`${this.#path(on)}/${segment(emoji)}`);
}

/** In posts, and in messages of groups. */
export class Polls extends Resource {
  /** @param {Sdk.Voted} on */
  #path({ channelId, groupId, seq }) {
    return channelId !== undefined ? `${channel(channelId)}/posts/${seq}` : `${group(groupId)}/messages/${seq}`;
  }

  /**
   * Votes for these answers, by their place from 0, in place of an earlier vote.
   * @type {Sdk.Polls["vote"]}
   */
  vote = (on, options) => this.write("PUT", `${this.#path(on)}/vote`, { options });
  /** @type {Sdk.Polls["takeBack"]} */
  takeBack = (on) => this.write("DELETE", `${this.#path(on)}/vote`);
  /** @type {Sdk.Polls["close"]} */
  close = (on) => this.write("POST", `${this.#path(on)}/poll/close`);
  /**
   * Who chose this answer, in a group.
   * @type {Sdk.Polls["voters"]}
   */
  voters = (on, option) => this.paged(`${this.#path(on)}/vote/${option}`);
}

/** Of posts, and of messages of groups, that ask for it. */
export class Acknowledgements extends Resource {
  /** @param {Sdk.Acknowledged} on */
  #path({ channelId, groupId, seq }) {
    return channelId !== undefined ? `${channel(channelId)}/posts/${seq}` : `${group(groupId)}/messages/${seq}`;
  }

  /**
   * Acknowledges it. It cannot be taken back.
   * @type {Sdk.Acknowledgements["give"]}
   */
  give = (on) => this.write("PUT", `${this.#path(on)}/acknowledgement`);
  /**
   * Who has acknowledged it. Each page has the counts too.
   * @type {Sdk.Acknowledgements["given"]}
   */
  given = (on) => /** @type {any} */ (this.paged(`${this.#path(on)}/acknowledgements`, { state: "given" }));
  /**
   * Who has not. Throws `too_many_to_name` where there are more than the server names.
   * @type {Sdk.Acknowledgements["missing"]}
   */
  missing = (on) => /** @type {any} */ (this.paged(`${this.#path(on)}/acknowledgements`, { state: "missing" }));
  /**
   * Reminds those who have not, once.
   * @type {Sdk.Acknowledgements["remind"]}
   */
  remind = (on) => this.write("POST", `${this.#path(on)}/acknowledgements/reminder`);
}

/** On the posts of a channel. */
export class Comments extends Resource {
  /**
   * @param {string} id
   * @param {number} post
   */
  #path(id, post) {
    return `${channel(id)}/posts/${post}/comments`;
  }

  /**
   * The newest first; `before_seq`, `after_seq` and others choose.
   * @type {Sdk.Comments["list"]}
   */
  list = (id, post, query) => this.paged(this.#path(id, post), query);
  /** @type {Sdk.Comments["get"]} */
  get = (id, post, seq) => this.read(`${this.#path(id, post)}/${seq}`);
  /** @type {Sdk.Comments["create"]} */
  create = (id, post, body, once) => this.write("POST", this.#path(id, post), body, once);
  /** @type {Sdk.Comments["edit"]} */
  edit = (id, post, seq, body) => this.write("PATCH", `${this.#path(id, post)}/${seq}`, body);
  /** @type {Sdk.Comments["delete"]} */
  delete = (id, post, seq) => this.write("DELETE", `${this.#path(id, post)}/${seq}`);
  /** @type {Sdk.Comments["react"]} */
  react = (id, post, seq, emoji) => this.write("PUT", `${this.#path(id, post)}/${seq}/reactions/${segment(emoji)}`);
  /** @type {Sdk.Comments["unreact"]} */
  unreact = (id, post, seq, emoji) =>
    this.write("DELETE", `${this.#path(id, post)}/${seq}/reactions/${segment(emoji)}`);
  /**
   * Closes the comments of a post.
   * @type {Sdk.Comments["freeze"]}
   */
  freeze = (id, post) => this.write("PUT", `${channel(id)}/posts/${post}/comments-freeze`);
  /** @type {Sdk.Comments["unfreeze"]} */
  unfreeze = (id, post) => this.write("DELETE", `${channel(id)}/posts/${post}/comments-freeze`);
}

export class Conversations extends Resource {
  /** @type {Sdk.Conversations["list"]} */
  list = (query) => this.paged("/v1/conversations", query);
  /** @type {Sdk.Conversations["get"]} */
  get = (id) => this.read(conversation(id));
  /** @type {Sdk.Conversations["getMany"]} */
  getMany = (ids) => this.http.byIds("/v1/conversations", "conversation_id", ids);
  /** @type {Sdk.Conversations["update"]} */
  update = (id, changes) => this.write("PATCH", conversation(id), changes);
  /** @type {Sdk.Conversations["delete"]} */
  delete = (id) => this.write("DELETE", conversation(id));
  /** @type {Sdk.Conversations["markRead"]} */
  markRead = (id, seq) => this.write("POST", `${conversation(id)}/read`, seq === undefined ? {} : { seq });
  /**
   * Messages that match `q`, of all conversations or of one, the newest first.
   * @type {Sdk.Conversations["search"]}
   */
  search = (query) => this.paged("/v1/search/messages", query);
  /** @type {Sdk.Conversations["messages"]} */
  messages = (id, query) => this.paged(`${conversation(id)}/messages`, query);
  /** @type {Sdk.Conversations["send"]} */
  send = (id, body, once) => this.write("POST", `${conversation(id)}/messages`, body, once);
}

export class Unread extends Resource {
  /** @type {Sdk.Unread["get"]} */
  get = (query) => this.read("/v1/unread", query);
  /** @type {Sdk.Unread["markAllRead"]} */
  markAllRead = (scope = "all") => this.write("POST", "/v1/read", { scope });
}

/** One-to-one messages with a channel, as its admins see them. */
export class Inbox extends Resource {
  /** @type {Sdk.Inbox["threads"]} */
  threads = (id) => this.paged(`${channel(id)}/inbox`);
  /** @type {Sdk.Inbox["unread"]} */
  unread = (id) => this.read(`${channel(id)}/inbox/unread`);
  /** @type {Sdk.Inbox["messages"]} */
  messages = (id, userId, query) => this.paged(`${channel(id)}/inbox/${segment(userId)}/messages`, query);
  /** @type {Sdk.Inbox["send"]} */
  send = (id, userId, body, once) => this.write("POST", `${channel(id)}/inbox/${segment(userId)}/messages`, body, once);
  /** @type {Sdk.Inbox["markRead"]} */
  markRead = (id, userId, seq) =>
    this.write("POST", `${channel(id)}/inbox/${segment(userId)}/read`, seq === undefined ? {} : { seq });
}

export class Groups extends Resource {
  /** @type {Sdk.Groups["list"]} */
  list = (query) => this.paged("/v1/groups", { joined: true, ...query });
  /** @type {Sdk.Groups["get"]} */
  get = (id) => this.read(group(id));
  /** @type {Sdk.Groups["create"]} */
  create = (body, once) => this.write("POST", "/v1/groups", body, once);
  /** @type {Sdk.Groups["update"]} */
  update = (id, changes) => this.write("PATCH", group(id), changes);
  /** @type {Sdk.Groups["delete"]} */
  delete = (id) => this.write("DELETE", group(id));
  /** @type {Sdk.Groups["join"]} */
  join = (id, body) => this.write("PUT", `${group(id)}/members/me`, body);
  /** @type {Sdk.Groups["leave"]} */
  leave = (id) => this.write("DELETE", `${group(id)}/members/me`);
  /** @type {Sdk.Groups["members"]} */
  members = (id, query) => this.paged(`${group(id)}/members`, query);
  /** @type {Sdk.Groups["addMember"]} */
  addMember = (id, userId) => this.write("PUT", `${group(id)}/members/${segment(userId)}`);
  /** @type {Sdk.Groups["removeMember"]} */
  removeMember = (id, userId, { ban = false } = {}) =>
    this.http.request("DELETE", `${group(id)}/members/${segment(userId)}`, { query: ban ? { ban } : {} });
  /** @type {Sdk.Groups["messages"]} */
  messages = (id, query) => this.paged(`${group(id)}/messages`, query);
  /** @type {Sdk.Groups["send"]} */
  send = (id, body, once) => this.write("POST", `${group(id)}/messages`, body, once);
}

export class Users extends Resource {
  /** @type {Sdk.Users["get"]} */
  get = (id = "me") => this.read(`/v1/users/${segment(id)}`);
  /** @type {Sdk.Users["getMany"]} */
  getMany = (ids) => this.http.byIds("/v1/users", "user_id", ids);
  /** @type {Sdk.Users["update"]} */
  update = (changes) => this.write("PATCH", "/v1/users/me", changes);
}

export class Media extends Resource {
  /**
   * `onProgress` gets the share that is sent, from 0 to 1.
   * @type {Sdk.Media["upload"]}
   */
  upload = (file, options) => this.http.upload(file, options);
  /**
   * An address that a page can show: it needs no token.
   * @type {Sdk.Media["url"]}
   */
  url = (id, size) => this.http.url(`/v1/media/${segment(id)}${size ? `?size=${size}` : ""}`);
  /**
   * The title, description and picture of a page, to post along with a link to it. Throws where the operator has not switched it on.
   * @type {Sdk.Media["previewLink"]}
   */
  previewLink = (url) => this.write("POST", "/v1/link-previews", { url });
}

/** Devices that receive push notifications. */
export class Devices extends Resource {
  /** @type {Sdk.Devices["options"]} */
  options = () => this.read("/v1/push");
  /** @type {Sdk.Devices["list"]} */
  list = () => this.paged("/v1/devices");
  /**
   * Registers a device, or changes it.
   * @type {Sdk.Devices["set"]}
   */
  set = (id, body) => this.write("PUT", `/v1/devices/${segment(id)}`, body);
  /** @type {Sdk.Devices["delete"]} */
  delete = (id) => this.write("DELETE", `/v1/devices/${segment(id)}`);
}

/** Endpoints that receive events: of one channel, or without a channel those of the application. */
export class Webhooks extends Resource {
  /**
   * @param {string | null | undefined} channelId
   * @param {string} [id]
   */
  #path(channelId, id) {
    const all = channelId ? `${channel(channelId)}/webhooks` : "/v1/webhooks";
    return id === undefined ? all : `${all}/${segment(id)}`;
  }

  /** @type {Sdk.Webhooks["list"]} */
  list = (channelId) => this.paged(this.#path(channelId));
  /**
   * The answer has the secret, which is shown only once.
   * @type {Sdk.Webhooks["create"]}
   */
  create = (body, { channelId, ...once } = {}) => this.write("POST", this.#path(channelId), body, once);
  /** @type {Sdk.Webhooks["get"]} */
  get = (id, channelId) => this.read(this.#path(channelId, id));
  /** @type {Sdk.Webhooks["update"]} */
  update = (id, changes, channelId) => this.write("PATCH", this.#path(channelId, id), changes);
  /** @type {Sdk.Webhooks["delete"]} */
  delete = (id, channelId) => this.write("DELETE", this.#path(channelId, id));
  /** @type {Sdk.Webhooks["rotateSecret"]} */
  rotateSecret = (id, channelId) => this.write("POST", `${this.#path(channelId, id)}/rotate-secret`);
  /** @type {Sdk.Webhooks["sendTest"]} */
  sendTest = (id, channelId) => this.write("POST", `${this.#path(channelId, id)}/test`);
  /** @type {Sdk.Webhooks["deliveries"]} */
  deliveries = (id, { channelId, ...query } = {}) => this.paged(`${this.#path(channelId, id)}/deliveries`, query);
  /** @type {Sdk.Webhooks["replay"]} */
  replay = (id, deliveryId, channelId) =>
    this.write("POST", `${this.#path(channelId, id)}/deliveries/${segment(deliveryId)}/replay`);
  /** @type {Sdk.Webhooks["replaySince"]} */
  replaySince = (id, since, channelId) => this.write("POST", `${this.#path(channelId, id)}/replay`, { since });
}
