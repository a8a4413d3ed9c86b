// The types of the JavaScript SDK, `channels.js`. `api.d.ts` beside it has what the API takes and answers.

import type * as Api from "./api.js";

// --- the marks in texts

/** A text, or marked text; `url` is http, https or mailto. */
export type MarkupInline =
  | string
  | { type: "bold" | "italic" | "strike"; children: MarkupInline[] }
  | { type: "code"; text: string }
  | { type: "link"; url: string; children: MarkupInline[] };
export interface MarkupItem {
  children: MarkupInline[];
  lists: MarkupList[];
}
export interface MarkupList {
  type: "list";
  /** The number of the first item; null where the list has bullets. */
  start: number | null;
  items: MarkupItem[];
}
export type MarkupBlock =
  | { type: "text"; children: MarkupInline[] }
  | { type: "code"; text: string }
  | { type: "quote"; children: MarkupBlock[] }
  | MarkupList;
/** The tree of a text, for a page that draws posts itself. Takes time linear in its length. */
export function parseMarkup(text: string): MarkupBlock[];
/** The text without its marks, as previews show it. */
export function plainText(text: string): string;

// --- the client

/** Why `getToken` is called: there is no token yet, it is about to expire, or the server refused it. */
export type TokenReason = "start" | "expires" | "refused";

export interface ClientOptions {
  /** The address of the server: `https://channels.example.org`. */
  baseUrl: string;
  token?: string | null;
  /** Returns a token, usually from your own back end. It should keep none itself. */
  getToken?: ((reason: TokenReason) => string | null | Promise<string | null>) | null;
  /** The token was refused and there is no other: let the user sign in again. */
  onUnauthenticated?: ((error: ApiError) => unknown) | null;
  /** How often a call is made while the server is busy or out of reach; 3 if it is not given. */
  maxTries?: number;
  /** After how many milliseconds without a sign of life of the server a call ends (`timeout`); never if it is not given. */
  answerWithin?: number | null;
}

export interface RequestOptions {
  /** Values that are null, undefined or empty are left out. */
  query?: object;
  /** Becomes JSON; a text or a `Blob` is sent as it is. */
  body?: unknown;
  /** The idempotency key of a POST; a random one if it is not given. */
  key?: string;
  headers?: { [name: string]: string };
  signal?: AbortSignal;
  cache?: RequestCache;
}

/** The idempotency key of what happens once, however often it is sent. A random one if it is not given. */
export interface Once {
  key?: string;
}

/** What the client is made of: any call, the socket, and what is made of both. */
export class Connection {
  constructor(options: ClientOptions);
  readonly baseUrl: string;
  readonly socket: Socket;
  /** Takes another token; null signs out, and stops the socket. */
  setToken(token: string | null): void;
  /** Makes any call and returns its JSON; null where the answer is empty. Throws `ApiError`. */
  // biome-ignore lint/suspicious/noExplicitAny: it depends on the call
  request(method: string, path: string, options?: RequestOptions): Promise<any>;
  /** The same for answers that are no JSON, or whose headers matter. */
  send(method: string, path: string, options?: RequestOptions): Promise<Response>;
  // biome-ignore lint/suspicious/noExplicitAny: it depends on the list
  list(path: string, query?: object): Paged<any>;
  /** The address of a path that the server answered, such as the `url` of a picture. */
  url(path: string): string;
  /** Reads what changed, call by call. `token` is that of an earlier `Sync`. */
  sync(token?: string | null): Sync;
  /** The posts of a channel, kept up to date while the socket is started. */
  postStream(channelId: string, options?: { headSeq?: number; pageSize?: number }): MessageStream;
  /** The objects with these ids, by id, without those that do not exist. `field` holds the id. */
  // biome-ignore lint/suspicious/noExplicitAny: it depends on the path
  byIds(path: string, field: string, ids: Iterable<string>): Promise<Map<string, any>>;
}

/** A user of one server. */
export class ChannelsClient extends Connection {
  readonly channels: Channels;
  readonly posts: Posts;
  readonly reactions: Reactions;
  readonly polls: Polls;
  readonly acknowledgements: Acknowledgements;
  readonly comments: Comments;
  readonly conversations: Conversations;
  readonly unread: Unread;
  readonly inbox: Inbox;
  readonly groups: Groups;
  readonly users: Users;
  readonly media: Media;
  readonly devices: Devices;
  readonly webhooks: Webhooks;
  /** All events from now on, without gaps also after a lost connection. Starts the socket. */
  events(options?: { signal?: AbortSignal }): AsyncIterable<Event>;
}

/**
 * The server refused a call. With `status` 0 there was no answer: the server could not be reached (`code` "offline"), did not
 * answer within `answerWithin` ("timeout"), or `getToken` failed ("no_token").
 */
export class ApiError extends Error {
  constructor(status: number, code: string, message: string, details?: Details, requestId?: string | null);
  readonly status: number;
  /** Stable, in snake_case. The texts may change, the codes do not. */
  readonly code: string;
  readonly details: Details;
  /** Names the request in the server's log. */
  readonly requestId: string | null;
}
// biome-ignore lint/suspicious/noExplicitAny: it depends on the code
export type Details = { [name: string]: any };

/** A list: items one by one with `for await`, or page by page. Pages are loaded when they are needed. */
export class Paged<One> {
  constructor(load: (cursor: string | null) => Promise<Page<One>>);
  [Symbol.asyncIterator](): AsyncGenerator<One, void, unknown>;
  page(cursor?: string | null): Promise<Page<One>>;
  pages(): AsyncGenerator<Page<One>, void, unknown>;
  all(): Promise<One[]>;
}
export interface Page<One> {
  items: One[];
  next_cursor: string | null;
}

/** A new idempotency key: store it beside what is sent, and use it for each try. */
export function newIdempotencyKey(): string;
/** Encodes an id as one segment of a path. */
export function segment(id: string | number): string;
/** The claims of a token, which only the server can verify; null when it is none. */
export function claimsOf(token: string): { sub?: unknown; exp?: unknown; scope?: unknown } | null;

// --- resources

export interface Channels {
  /** The directory, or with `subscribed` or `owned` the user's own. */
  list(query?: {
    limit?: number;
    q?: string;
    sort?: "popular" | "new" | "active";
    subscribed?: boolean;
    owned?: boolean;
    all?: boolean;
  }): Paged<Api.ChannelResponse>;
  get(channelId: string): Promise<Api.ChannelResponse>;
  getMany(channelIds: Iterable<string>): Promise<Map<string, Api.ChannelResponse>>;
  create(body: Api.CreateChannel, once?: Once): Promise<Api.ChannelResponse>;
  update(channelId: string, changes: Api.UpdateChannel): Promise<Api.ChannelResponse>;
  delete(channelId: string): Promise<null>;
  subscribe(channelId: string): Promise<Api.ChannelResponse>;
  unsubscribe(channelId: string): Promise<null>;
  subscribers(channelId: string, query?: { limit?: number; q?: string }): Paged<Api.SubscriberResponse>;
  removeSubscriber(channelId: string, userId: string, options?: { ban?: boolean }): Promise<null>;
  admins(channelId: string): Paged<Api.AdminResponse>;
  appoint(channelId: string, userId: string, grants?: Api.Grant[]): Promise<Api.AdminResponse>;
  dismiss(channelId: string, userId: string): Promise<null>;
}

/** Which part of a stream a list reads; the newest first. */
export interface StreamQuery {
  limit?: number;
  before_seq?: number;
  after_seq?: number;
  changed_since?: number;
  around_seq?: number;
  around?: "unread";
}

export interface Posts {
  list(channelId: string, query?: StreamQuery): Paged<Api.PostResponse>;
  /** The posts of all channels to which the user subscribes; a page may be empty and have another one behind it. */
  feed(query?: { conversation_group?: string; limit?: number }): Paged<Api.FeedItemResponse>;
  get(channelId: string, seq: number): Promise<Api.PostResponse>;
  create(channelId: string, body: Api.NewMessage, once?: Once): Promise<Api.PostResponse>;
  preview(channelId: string, body: Api.NewMessage): Promise<Api.PostResponse>;
  edit(channelId: string, seq: number, body: Api.WriteMessage): Promise<Api.PostResponse>;
  delete(channelId: string, seq: number): Promise<null>;
  pin(channelId: string, seq: number): Promise<Api.PostResponse>;
  unpin(channelId: string, seq: number): Promise<null>;
  pinned(channelId: string): Promise<Api.PostResponse[]>;
  /** Counts the user's view of these posts, once each. */
  reportViews(channelId: string, seqs: number[]): Promise<Api.PostViewsResponse[]>;
}

/** What a reaction is on: a post, a message of a group, or one of a one-to-one conversation. */
export type Reacted =
  | { channelId: string; seq: number; groupId?: undefined; conversationId?: undefined }
  | { groupId: string; seq: number; channelId?: undefined; conversationId?: undefined }
  | { conversationId: string; seq: number; channelId?: undefined; groupId?: undefined };

export interface Reactions {
  get(on: Reacted): Promise<Api.TallyResponse>;
  add(on: Reacted, emoji: string): Promise<Api.TallyResponse>;
  remove(on: Reacted, emoji: string): Promise<Api.TallyResponse>;
  /** Who reacted so; of posts for the owner and admins only. */
  users(on: Reacted, emoji: string): Paged<Api.ReactorResponse>;
}

/** What a poll is in: a post, or a message of a group. */
export type Voted =
  | { channelId: string; seq: number; groupId?: undefined }
  | { groupId: string; seq: number; channelId?: undefined };

export interface Polls {
  /** Votes for these answers, by their place from 0, in place of an earlier vote. */
  vote(on: Voted, options: number[]): Promise<Api.PollResponse>;
  takeBack(on: Voted): Promise<Api.PollResponse>;
  close(on: Voted): Promise<Api.PollResponse>;
  /** Who chose this answer, for members of the group; in channels nobody sees that. */
  voters(on: Voted, option: number): Paged<Api.VoterResponse>;
}

/** A post of a channel, or a message of a group. */
export type Acknowledged = Voted;

export interface Acknowledgements {
  /** Acknowledges what asks for it. It cannot be taken back. */
  give(on: Acknowledged): Promise<Api.AcknowledgeResponse>;
  /** Who has acknowledged it, for the owner and admins who see insights. */
  given(on: Acknowledged): AcknowledgementList;
  /** Who has not. Throws `too_many_to_name` where there are more than the server names. */
  missing(on: Acknowledged): AcknowledgementList;
  /** Reminds those who have not, once. */
  remind(on: Acknowledged): Promise<Api.ReminderResponse>;
}
/** Each page also says how many were asked, have acknowledged it and have not, and when they were reminded. */
export interface AcknowledgementList extends Paged<Api.AskedResponse> {
  page(cursor?: string | null): Promise<Api.AcknowledgementPage>;
  pages(): AsyncGenerator<Api.AcknowledgementPage, void, unknown>;
}

/** `post` is the seq of the post. */
export interface Comments {
  list(channelId: string, post: number, query?: StreamQuery): Paged<Api.CommentResponse>;
  get(channelId: string, post: number, seq: number): Promise<Api.CommentResponse>;
  create(channelId: string, post: number, body: Api.NewComment, once?: Once): Promise<Api.CommentResponse>;
  edit(channelId: string, post: number, seq: number, body: Api.WriteComment): Promise<Api.CommentResponse>;
  delete(channelId: string, post: number, seq: number): Promise<null>;
  react(channelId: string, post: number, seq: number, emoji: string): Promise<Api.TallyResponse>;
  unreact(channelId: string, post: number, seq: number, emoji: string): Promise<Api.TallyResponse>;
  /** Closes the comments of a post, for owner and admins. */
  freeze(channelId: string, post: number): Promise<Api.PostResponse>;
  unfreeze(channelId: string, post: number): Promise<null>;
}

export interface Conversations {
  list(query?: {
    limit?: number;
    conversation_group?: string;
    type?: Api.ConversationType;
    unread?: boolean;
    include_hidden?: boolean;
  }): Paged<Api.ConversationResponse>;
  get(conversationId: string): Promise<Api.ConversationResponse>;
  getMany(conversationIds: Iterable<string>): Promise<Map<string, Api.ConversationResponse>>;
  update(conversationId: string, changes: Api.UpdateConversation): Promise<Api.ConversationResponse>;
  delete(conversationId: string): Promise<null>;
  /** Up to this message, or up to the newest. */
  markRead(conversationId: string, seq?: number): Promise<Api.ReadMarkResponse>;
  /** Messages that match; a page may be empty and have another one behind it. `from` and `to` are instants. */
  search(query: {
    q: string;
    conversation_id?: string;
    kind?: Api.Kind;
    sender_id?: string;
    from?: string;
    to?: string;
    limit?: number;
  }): Paged<Api.FoundMessageResponse>;
  messages(conversationId: string, query?: StreamQuery): Paged<Api.DialogueMessageResponse>;
  send(conversationId: string, body: Api.NewMessage, once?: Once): Promise<Api.DialogueMessageResponse>;
}

export interface Unread {
  get(query?: { include_muted?: boolean }): Promise<Api.UnreadResponse>;
  /** `all`, `group`, `c2c`, or the name of a conversation group. */
  markAllRead(scope?: string): Promise<Api.UnreadResponse>;
}

/** One-to-one messages with a channel, as its admins see them. */
export interface Inbox {
  threads(channelId: string): Paged<Api.ThreadResponse>;
  unread(channelId: string): Promise<Api.InboxUnreadResponse>;
  messages(channelId: string, userId: string, query?: StreamQuery): Paged<Api.ThreadMessageResponse>;
  send(channelId: string, userId: string, body: Api.NewMessage, once?: Once): Promise<Api.ThreadMessageResponse>;
  markRead(channelId: string, userId: string, seq?: number): Promise<Api.ThreadReadResponse>;
}

export interface Groups {
  /** The groups in which the user is, unless the query says otherwise. */
  list(query?: { limit?: number; joined?: boolean; all?: boolean; type?: Api.GroupType }): Paged<Api.GroupResponse>;
  get(groupId: string): Promise<Api.GroupResponse>;
  create(body: Api.CreateGroup, once?: Once): Promise<Api.GroupResponse>;
  update(groupId: string, changes: Api.UpdateGroup): Promise<Api.GroupResponse>;
  delete(groupId: string): Promise<null>;
  join(groupId: string, body?: Api.JoinGroup): Promise<Api.GroupResponse>;
  leave(groupId: string): Promise<null>;
  members(groupId: string, query?: { limit?: number; q?: string }): Paged<Api.MemberResponse>;
  addMember(groupId: string, userId: string): Promise<Api.AddedResponse>;
  removeMember(groupId: string, userId: string, options?: { ban?: boolean }): Promise<null>;
  messages(groupId: string, query?: StreamQuery): Paged<Api.MessageResponse>;
  send(groupId: string, body: Api.NewMessage, once?: Once): Promise<Api.MessageResponse>;
}

export interface Users {
  /** A user, or the caller. */
  get(userId?: string): Promise<Api.UserResponse>;
  getMany(userIds: Iterable<string>): Promise<Map<string, Api.UserResponse>>;
  update(changes: Api.UpdateUser): Promise<Api.UserResponse>;
}

export interface Media {
  /** `onProgress` gets the share that is sent, from 0 to 1. */
  upload(
    file: Blob & { name?: string },
    options?: { name?: string; onProgress?: ((share: number) => void) | null; signal?: AbortSignal | null },
  ): Promise<Api.MediaResponse>;
  /** An address that a page can show: it needs no token. */
  url(mediaId: string, size?: Api.MediaSize): string;
  /** The title, description and picture of a page, to post along with a link to it. Throws where the operator has not switched it on. */
  previewLink(url: string): Promise<Api.LinkPreviewResponse>;
}

/** Devices that receive push notifications. */
export interface Devices {
  /** What the server can push to: the key for Web Push, and whether it has a gateway. */
  options(): Promise<Api.PushResponse>;
  list(): Paged<Api.DeviceResponse>;
  /** Registers a device, or changes it. */
  set(deviceId: string, body: Api.RegisterDevice): Promise<Api.DeviceResponse>;
  delete(deviceId: string): Promise<null>;
}

/** Endpoints that receive events: of one channel, or without a channel those of the application. */
export interface Webhooks {
  list(channelId?: string | null): Paged<Api.WebhookResponse>;
  /** The answer has the secret, which is shown only once. */
  create(body: Api.CreateWebhook, options?: Once & { channelId?: string | null }): Promise<Api.WebhookWithSecret>;
  get(webhookId: string, channelId?: string | null): Promise<Api.WebhookResponse>;
  update(webhookId: string, changes: Api.ChangeWebhook, channelId?: string | null): Promise<Api.WebhookResponse>;
  delete(webhookId: string, channelId?: string | null): Promise<null>;
  /** The answer has the new secret, which is shown only once. The old one signs too for 24 hours. */
  rotateSecret(webhookId: string, channelId?: string | null): Promise<Api.WebhookWithSecret>;
  /** Sends an event of the type `webhook.test`. */
  sendTest(webhookId: string, channelId?: string | null): Promise<Api.DeliveryResponse>;
  /** What was and is to be sent, the newest events first. */
  deliveries(
    webhookId: string,
    options?: { channelId?: string | null; status?: Api.DeliveryStatus; limit?: number },
  ): Paged<Api.DeliveryResponse>;
  /** Sends one delivery again. */
  replay(webhookId: string, deliveryId: string, channelId?: string | null): Promise<Api.DeliveryResponse>;
  /** Sends again what happened since this instant. */
  replaySince(webhookId: string, since: string, channelId?: string | null): Promise<Api.ReplayedResponse>;
}

// --- live

/** An event target whose events are known. */
export interface Target<Events> extends Pick<EventTarget, "dispatchEvent"> {
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => unknown,
    options?: { once?: boolean },
  ): void;
  removeEventListener<Type extends keyof Events & string>(type: Type, listener: (event: Events[Type]) => unknown): void;
}
export type TargetClass<Events> = new () => Target<Events>;

export interface SocketEvents {
  /** Something happened. */
  event: CustomEvent<Event>;
  /** From now on every event is delivered. Data that was loaded before may be out of date. */
  ready: globalThis.Event;
  /** The reactions of this conversation are delivered from now on. */
  watching: CustomEvent<string>;
  /** The connection was opened or lost (`isOpen`), or the server fell silent or spoke again (`isSilent`). */
  state: globalThis.Event;
}

/** The WebSocket connection. Reconnects by itself. */
export interface Socket extends Target<SocketEvents> {
  readonly isOpen: boolean;
  /** Whether it is open, and the server has not answered the last ping yet. */
  readonly isSilent: boolean;
  /** Whether the server closed it because the user opened too many. It stays closed until the page is visible again. */
  readonly isReplaced: boolean;
  start(): void;
  stop(): void;
  /** Asks for the reactions of this conversation, also after a reconnect. Each `watch` needs its own `unwatch`. */
  watch(conversationId: string): void;
  unwatch(conversationId: string): void;
}

/** Reads what changed, by `GET /v1/sync`. */
export interface Sync {
  /** Of the last pull; null starts anew. Store it to go on later. */
  token: string | null;
  /** Calls `take` with each page. `isStart`: the pages are not what changed, but the state. Returns the first page. */
  pull(
    take: (page: Api.SyncResponse, isStart: boolean) => unknown,
    options?: { firstOnly?: boolean },
  ): Promise<Api.SyncResponse | null>;
  /** Forgets the token, for another user. */
  forget(): void;
}

export interface StreamOptions {
  path: string;
  /** The other side is a user, also if a channel has an id like theirs. */
  isWithUser?: boolean;
  /** Which of its fields holds the item in an event. */
  field?: "post" | "message" | "comment";
  /** The conversation whose counts (or the post whose comments) have to be asked for; null where they come anyway. */
  watch?: string | null;
  /** Whether an event is of this stream. */
  isMine: (event: Event) => boolean;
  headSeq?: number;
  pageSize?: number;
}

/** What a stream needs of a `Connection`. */
export type StreamClient = Pick<Connection, "request" | "socket">;

/** The loaded part of a stream of posts or messages, without gaps, kept up to date. Fires `change`. */
export class MessageStream implements Target<{ change: globalThis.Event }> {
  constructor(client: StreamClient, options: StreamOptions);
  addEventListener(type: "change", listener: (event: globalThis.Event) => unknown): void;
  removeEventListener(type: "change", listener: (event: globalThis.Event) => unknown): void;
  dispatchEvent(event: globalThis.Event): boolean;
  readonly items: Map<number, Item>;
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** The seq of the newest message that there is. */
  readonly headSeq: number;
  /** The items, the oldest first. */
  inOrder(): Item[];
  /** Loads the newest items, or with many unread ones those around the first unread. */
  open(readSeq?: number | null): Promise<void>;
  loadOlder(): Promise<void> | null;
  loadNewer(): Promise<void> | null;
  /** Makes sure that this item is loaded, with those around it; resolves with whether there is such an item. */
  loadAround(seq: number): Promise<boolean>;
  post(body: Api.NewMessage, key?: string): Promise<void>;
  edit(seq: number, body: Api.WriteMessage): Promise<void>;
  recall(seq: number): Promise<void>;
  react(seq: number, emoji: string, isOn: boolean): Promise<void>;
  /** Votes in the poll of an item, in place of an earlier vote. Without answers, takes the vote back. */
  vote(seq: number, options: number[]): Promise<void>;
  /** Presses a button of an item, by its index over the rows. */
  press(seq: number, index: number): Promise<void>;
  /** Acknowledges an item that asks for it. It cannot be taken back. */
  acknowledge(seq: number): Promise<void>;
  /** Ends the poll of an item. */
  closePoll(seq: number): Promise<void>;
  /** Loads one item again, if it is loaded. */
  reload(seq: number): Promise<void>;
  /** Ends the updates. */
  close(): void;
}

// --- posts, messages and events

type Keys<Union> = Union extends unknown ? keyof Union : never;
type ValueOf<Union, Key extends PropertyKey> = Union extends { [key in Key]: infer Value } ? Value : never;
/** The fields of all of these; those that only some have are optional. */
type Merged<Union, Shared extends keyof Union = keyof Union> = { [Key in Shared]: Union[Key] } & {
  [Key in Exclude<Keys<Union>, Shared>]?: ValueOf<Union, Key>;
};

/** A post, a message or a comment. */
export type Item = Merged<
  Api.PostResponse | Api.MessageResponse | Api.DialogueMessageResponse | Api.ThreadMessageResponse | Api.CommentResponse
>;
/** An event carries no counts, since a new post has none and others are known, and no names, which may change. */
export type EventItem = Omit<
  Item,
  "reactions" | "views" | "channel_name" | "sender_name" | "sender_face_url" | "comment_count" | "comments_open"
>;

/** What an event may carry. `stream_id` is null where it is about no conversation. */
export interface Common<Type extends string> {
  type: Type;
  at: string;
  stream_id: string | null;
  event_id?: string;
  conversation_id?: string;
  channel_id?: string;
  group_id?: string;
  user_id?: string;
  seq?: number;
  /** The conversation's version after a change of a message. */
  version?: number;
  /** Instead of `message`, in channels. */
  post?: EventItem;
  message?: EventItem;
  /** Of a comment, and the post that it is on. */
  comment?: EventItem;
  post_seq?: number;
  /** It did not come over the socket: `events()` read it after a lost connection. */
  caught_up?: boolean;
}
export interface MessageEvent<Type extends string> extends Common<Type> {
  seq: number;
}
export interface MemberEvent<Type extends string> extends Common<Type> {
  user_id: string;
}
export interface FolderEvent<Type extends string> extends Common<Type> {
  name: string;
}
export interface ReadEvent<Type extends string> extends Common<Type> {
  read_seq: number;
  unread_count: number;
}

export type Event =
  | MessageEvent<"message.posted" | "message.edited" | "message.recalled">
  | MessageEvent<"comment.posted" | "comment.edited" | "comment.recalled">
  | (MessageEvent<"comments.counted"> & { comment_count: number })
  /** Counts are null where not every reader may see them. `mine` comes to those devices only whose user has voted. */
  | (MessageEvent<"poll.changed"> & { options: number[] | null; voters: number | null; mine?: number[] })
  /** By index over the rows, null for a link or a form. `pressed` comes to those devices only whose user has pressed. */
  | (MessageEvent<"buttons.changed"> & { presses: (number | null)[]; pressed?: number[] })
  /** `mine` comes to those devices only whose user has acknowledged. */
  | (MessageEvent<"acknowledgements.changed"> & { count: number; mine?: boolean })
  | MessageEvent<"acknowledgement.reminder">
  | (Common<"button.pressed"> & Api.ButtonPressed)
  | (Common<"menu.selected"> & Api.MenuSelected)
  | (Common<"form.answered"> & Api.FormAnswered)
  | (MessageEvent<"reactions.changed" | "comment.reacted"> & {
      counts: { [emoji: string]: number };
      total: number;
      mine?: string[];
    })
  | MemberEvent<"channel.subscribed" | "channel.unsubscribed" | "group.joined" | "group.left">
  | MemberEvent<"channel.invited" | "channel.invitation_ended" | "group.invited" | "group.invitation_ended">
  | MemberEvent<"join.requested" | "join.answered" | "join.refused" | "member.changed">
  | (Common<"invite_link.used"> & { code: string; user_ids: string[]; uses: number; pending_requests: number })
  | (Common<"channel.updated"> & {
      changed: Partial<Omit<Api.ChannelResponse, "settings">> & { settings?: Partial<Api.SettingsResponse> };
    })
  | (Common<"group.updated"> & { changed: Partial<Api.GroupResponse> })
  | (Common<"channel.suspended"> & { mode: Api.SuspensionMode; reason?: string })
  | Common<"channel.reinstated">
  | Common<"channel.deleted" | "group.disbanded" | "conversation.ended">
  | (ReadEvent<"conversation.read"> & { conversation_id: string })
  | (Common<"unread.changed"> & Api.UnreadResponse)
  | (Common<"conversation.updated"> & {
      conversation_id: string;
      /** A draft is null where it has a text, which no event carries. */
      changed: Partial<Omit<Api.ConversationResponse, "draft">> & { draft?: string | null };
    })
  | (FolderEvent<"conversation_group.created"> & { conversation_ids: string[] })
  | (FolderEvent<"conversation_group.renamed"> & { new_name: string })
  | FolderEvent<"conversation_group.deleted">
  | (FolderEvent<"conversation_group.changed"> & { added: string[]; removed: string[] })
  | (ReadEvent<"inbox.read"> & { channel_id: string; user_id: string })
  | (Common<"broadcast.started" | "broadcast.changed" | "broadcast.ended"> & Omit<Api.BroadcastResponse, "content">)
  | (Common<"inbox.tagged"> & { channel_id: string; user_id: string; tags: string[] })
  | (Common<"inbox.unread"> & { channel_id: string; unread_count: number; unread_threads: number })
  | (MemberEvent<"block.changed"> & { blocked: boolean })
  | (MemberEvent<"user.restricted"> & { until: string | null; reason: string })
  | MemberEvent<"user.unrestricted">
  | MemberEvent<"user.deleted">
  | (Common<"report.opened"> & { report_id: string; target: Api.ReportTargetResponse; reason: Api.ReportReason })
  | (Common<"webhook.disabled"> & { webhook_id: string; reason: string });

/** What the socket sends. */
export type Frame =
  | { type: "event"; event: Event }
  | { type: "ready" | "pong" }
  | { type: "watching"; conversations: { conversation_id: string; error?: { code: string } }[] }
  | { type: "behind"; conversation_id: string };
