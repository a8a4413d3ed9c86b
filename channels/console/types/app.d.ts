// What the scripts of the app share, besides what the API takes and answers (`api.d.ts`). Not served.

declare namespace App {
  // --- texts

  type Texts = typeof import("../static/js/texts/app.js").default &
    typeof import("../static/js/texts/reader.js").default &
    typeof import("../static/js/texts/errors.js").default &
    typeof import("../static/js/texts/invites.js").default &
    typeof import("../static/js/texts/polls.js").default &
    typeof import("../static/js/texts/acknowledgements.js").default &
    typeof import("../static/js/texts/comments.js").default &
    typeof import("../static/js/texts/account.js").default &
    typeof import("../static/js/texts/broadcasts.js").default &
    typeof import("../static/js/texts/me.js").default &
    typeof import("../static/js/texts/reports.js").default &
    typeof import("../static/js/texts/self_service.js").default &
    typeof import("../static/js/texts/device/notifications.js").default &
    typeof import("../static/js/texts/finding/feed.js").default &
    typeof import("../static/js/texts/finding/search.js").default &
    typeof import("../static/js/texts/console/admins.js").default &
    typeof import("../static/js/texts/console/broadcasts.js").default &
    typeof import("../static/js/texts/console/channels.js").default &
    typeof import("../static/js/texts/console/inbox.js").default &
    typeof import("../static/js/texts/console/insights.js").default &
    typeof import("../static/js/texts/console/moderation.js").default &
    typeof import("../static/js/texts/console/people.js").default &
    typeof import("../static/js/texts/console/posts.js").default &
    typeof import("../static/js/texts/console/self_service.js").default &
    typeof import("../static/js/texts/console/webhooks.js").default;
  type TextKey = keyof Texts;
  /** A text, or one for each plural form of its language. */
  type Text = string | ({ [Form in Intl.LDMLPluralRule]?: string } & { other: string });
  type TextValues = { [name: string]: string | number | null | undefined };

  // --- elements

  /** The name of an element in `button.plain`. */
  type Tag<Name extends string> = Name extends `${infer First}.${string}` ? First : Name;
  type ElementOf<Name extends string> =
    Tag<Name> extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag<Name>] : HTMLElement;
  type H = <Name extends string>(tag: Name, properties?: Properties, ...children: Child[]) => ElementOf<Name>;
  type Child = Node | string | null | undefined | false | Child[];
  type Listeners = { [Type in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Type]) => unknown };
  type Data = { [name: string]: string };
  interface Properties {
    on?: Listeners;
    data?: Data;
    [attribute: string]: string | number | boolean | null | undefined | Listeners | Data;
  }
  type IconName = import("../static/js/ui/icons.js").IconName;

  type TargetClass<Events> = import("../static/sdk/types/channels.js").TargetClass<Events>;
  type ChangeEvents = { change: globalThis.Event };

  interface Identity {
    id: string;
    name: string;
    url?: string | null;
    shape?: "tile" | "round";
  }

  /** What the frame shows beside the list of conversations. */
  interface View {
    element: HTMLElement;
    close(): void;
    /** The address has changed, but not the view. */
    onAddress?(): void;
    /** Of an open conversation. */
    conversationId?: string;
    /** Of an open conversation; null until it is loaded. */
    readonly timeline?: Timeline | null;
    /** Begins an answer to a message of an open chat. */
    reply?(item: Item): void;
  }

  // --- finding

  /** What keys use of the posts or messages of a view. */
  interface Timeline {
    /** Scrolls to the newest item and moves the focus there. */
    focusNewest(): unknown;
    /** The item that has the focus or had it last. */
    readonly current?: { item: Item } | null;
    /** What does this to the current item; null where the user may not. */
    control(name: "react" | "reply"): HTMLElement | null;
  }
  /** What a keyboard shortcut does. */
  type Command =
    | "palette"
    | "searchHere"
    | "search"
    | "searchAll"
    | "help"
    | "nextUnread"
    | "previousUnread"
    | "next"
    | "previous"
    | "nextItem"
    | "previousItem"
    | "react"
    | "reply"
    | "newest"
    | "markRead"
    | "close";
  /** What shortcuts and the palette know of the frame. */
  interface CommandContext {
    readonly isSignedIn: boolean;
    /** The open view. */
    readonly view: View | null;
    /** Holds the view. */
    readonly main: HTMLElement;
    signOut: () => unknown;
  }
  /** A result of a search for messages. */
  type Found = Omit<Api.FoundMessageResponse, "message"> & { message: Item };

  /** What a tab of the console shows. */
  interface TabView {
    element: HTMLElement;
    close?(): void;
  }

  interface MenuEntry {
    label: string;
    icon?: IconName;
    act: () => unknown;
    checked?: boolean;
    isDangerous?: boolean;
  }
  type MenuEntries = (MenuEntry | null)[];

  type RouteName =
    | "channels"
    | "directory"
    | "me"
    | "search"
    | "feed"
    | "channel"
    | "comments"
    | "group"
    | "dialogue"
    | "folder"
    | "invite"
    | "console"
    | "console.new"
    | "console.webhooks"
    | "console.moderation"
    | "console.channel";

  interface SessionEvents {
    token: globalThis.Event;
    signedout: CustomEvent<{ reason: SignedOut; userId: string | null }>;
  }

  /** Whether the server answers; see `connection.js`. */
  type ConnectionState = "online" | "offline" | "lost" | "silent" | "replaced";
  interface ConnectionEvents {
    change: globalThis.Event;
    back: globalThis.Event;
  }

  /** Why a session ended, or why a token was not accepted. */
  type SignedOut = "out" | "expired" | "bad" | "kind" | "deleted" | null;

  interface Row {
    picture: Element;
    title: string;
    verified?: Element | null;
    /** The last message. */
    last: { at: string } | null;
    preview: Child;
    marks?: Child[];
    unread: number;
    isMuted?: boolean;
  }

  /** A picture of what is being written. */
  interface Picture {
    name: string;
    /** Null until the upload is done. */
    media: Api.MediaResponse | null;
    abort: (() => void) | null;
    element: HTMLElement;
    showProgress: (sent: number) => void;
    showImage: () => void;
  }

  interface Person {
    name: string;
    face_url: string;
  }
  /** One call for several users. */
  interface PeopleCall {
    ids: string[];
    callbacks: Set<() => unknown>;
  }

  interface DialogOptions<Result> {
    title: string;
    className?: string;
    /** Makes the content. `close` ends the dialog with its result. */
    build: (close: (result?: Result | null) => void) => Element;
  }
  interface PromptOptions {
    title: string;
    label: string;
    value?: string;
    action: string;
    /** What is wrong with the text, or null. It may also do the work, so that an error is shown in the dialog. */
    check: (text: string) => string | null | Promise<string | null>;
  }
  interface MenuButtonOptions {
    /** For screen readers, unless the content is a text. */
    label?: string | null;
    content?: Child;
    style?: string;
    open: (button: HTMLButtonElement) => unknown;
  }
  interface ListOptions<One> {
    /** Holds the rows. */
    list?: HTMLElement;
    /** Gets a page, the first one with a cursor of null. */
    fetchPage: (cursor: string | null) => Promise<Page<One>>;
    renderRow: (item: One) => Element;
    /** What stands in place of an empty list. */
    emptyText?: () => Child;
  }
  interface SearchOptions {
    label: string;
    /** The words have changed. */
    onSearch: () => unknown;
    autofocus?: boolean;
    autocapitalize?: string;
    maxlength?: string;
    spellcheck?: string;
  }

  // --- notifications on this device

  /** What the server sends to the browser. */
  interface PushMessage {
    notification_id: string;
    conversation_id: string;
    group_id: string | null;
    channel_id: string | null;
    seq: number;
    /** Of a comment: the post that it is on. */
    post_seq?: number;
    /** Of a message in the channel's inbox: who wrote it. */
    user_id?: string;
    title: string;
    body: string;
    /** In this conversation. */
    unread?: number;
    sent_at: string;
  }
  /** An event of a service worker, which runs until the promise is settled. */
  interface WorkerEvent {
    waitUntil(done: Promise<unknown>): void;
  }
  interface FetchEvent extends WorkerEvent {
    request: Request;
    respondWith(response: Promise<Response>): void;
  }
  /** What the service worker uses of its global scope, which the library for pages does not declare. */
  interface Worker {
    /** Put in front of the worker by the server: what it keeps. */
    SHELL: { version: string; page: string; files: string[] };
    location: { origin: string };
    navigator: { setAppBadge?: (count: number) => Promise<void> };
    addEventListener(type: "install" | "activate", listener: (event: WorkerEvent) => void): void;
    addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
    addEventListener(
      type: "push",
      listener: (event: WorkerEvent & { data: { json(): PushMessage } | null }) => void,
    ): void;
    addEventListener(
      type: "notificationclick",
      listener: (event: WorkerEvent & { notification: { data: PushMessage; close(): void } }) => void,
    ): void;
    registration: {
      showNotification(
        title: string,
        options: NotificationOptions & { renotify: boolean; timestamp: number },
      ): Promise<void>;
      getNotifications(): Promise<{ data: PushMessage | null }[]>;
    };
    clients: {
      matchAll(options: { type: "window"; includeUncontrolled: boolean }): Promise<WorkerWindow[]>;
      openWindow(path: string): Promise<unknown>;
    };
  }
  interface WorkerWindow {
    url: string;
    focus(): Promise<unknown>;
    postMessage(message: { type: "open"; path: string }): void;
  }
  /** Browsers without Trusted Types have none. A trusted text is taken wherever a string is. */
  interface TrustedTypesWindow {
    trustedTypes?: {
      createPolicy(
        name: "service-worker",
        rules: { createScriptURL: () => string },
      ): { createScriptURL: (text: string) => string };
    };
  }

  // --- what is kept on this device

  interface KeptList {
    user: Api.UserResponse;
    conversations: Api.ConversationResponse[];
    channels: Api.ChannelResponse[];
    folders: string[];
    unread: Api.UnreadResponse;
    /** When it was kept, in milliseconds since 1970. */
    at: number;
  }
  interface KeptPosts {
    /** In their order, without gaps. */
    posts: Item[];
    hasOlder: boolean;
  }
  interface KeptQuery {
    limit?: number;
    before_seq?: number;
    after_seq?: number;
  }

  // --- conversations, posts and messages

  /** "channels", "chats", or a folder. */
  type Scope = "channels" | "chats" | { folder: string };

  /** What a post, a message or a comment holds; a comment has few of these fields. */
  type Content = Pick<Api.DraftPostResponse, "kind"> & Partial<Api.DraftPostResponse>;
  type Item = import("../static/sdk/types/channels.js").Item;
  type EventItem = import("../static/sdk/types/channels.js").EventItem;
  /** What lists show of the newest message. */
  type LastLine = Pick<Api.LastMessageResponse, "preview" | "kind" | "recalled">;
  type ChannelPath = `/v1/channels/${Api.Part}`;
  /** The webhooks of a channel, or of the application. */
  type WebhooksPath = "/v1/webhooks" | `${ChannelPath}/webhooks`;
  type GroupPath = `/v1/groups/${Api.Part}`;
  /** What invite links and requests to join lead to. */
  interface Place {
    kind: "channel" | "group";
    id: string;
  }
  type PlacePath = ChannelPath | GroupPath;
  type StreamPath =
    | `/v1/channels/${Api.Part}/posts`
    | `/v1/groups/${Api.Part}/messages`
    | `/v1/conversations/${Api.Part}/messages`
    | `/v1/channels/${Api.Part}/inbox/${Api.Part}/messages`;

  type Stream = import("../static/sdk/core/message_stream.js").MessageStream;

  type ReactionPolicy = Api.SettingsResponse["reactions"];
  interface PostOptions {
    channel: { settings: Pick<Api.SettingsResponse, "reactions"> };
    /** Null for users who may not react. */
    react: React | null;
    polls?: Polls | null;
    buttons?: Buttons | null;
    /** Not given, or null, for users who are not asked. */
    acknowledge?: Acknowledge | null;
    openMenu?: OpenItemMenu | null;
    /** Replaces the signature. */
    author?: string | null;
    /** Leads to a private message about it. */
    replyHref?: string | null;
    /** Leads to the comments on it; null where there are none. */
    commentsHref?: string | null;
    /** The channel that counts clicks on the links of the post. */
    countsClicksOf?: string | null;
  }
  /** Confirms that the user has read a post or message that asks for it. */
  type Acknowledge = (seq: number) => Promise<unknown>;
  type Poll = Api.PollResponse;
  /** What the user may do in the polls of a list. */
  interface Polls {
    /** Votes, or takes the vote back where no answer is chosen; null for users who may not vote. */
    vote: ((seq: number, chosen: number[]) => Promise<unknown>) | null;
    /** Loads the post or message again. */
    reload: (seq: number) => Promise<unknown>;
    /** Shows who voted for what; not given where nobody may see that. */
    showVoters?: ((seq: number, poll: Poll) => unknown) | null;
    isPreview?: boolean;
  }
  /** The same for one poll. */
  interface PollActions {
    vote: ((chosen: number[]) => Promise<unknown> | undefined) | null;
    reload: () => Promise<unknown>;
    showVoters: ((poll: Poll) => unknown) | null;
    isPreview: boolean;
  }
  /** A button as a post or message shows it. */
  type ShownButton = NonNullable<Item["buttons"]>[number][number];
  /** What the fields of a button hold, and whether it stands in the row of the one before it. */
  type WrittenButton = import("../static/js/console/self_service/action_fields.js").Written & { isBeside: boolean };
  /** What the user may do with the buttons of a list. */
  interface Buttons {
    /** The channel whose buttons they are. */
    channelId: string;
    channelName: string;
    /** Presses one, by its index over the rows; null for users who may not. */
    press: ((seq: number, index: number) => Promise<unknown>) | null;
    /** What is said to a user who may not; without it, no button can be used. */
    refusal?: string | null;
    /** What a button sends is seen where it is. */
    isInChat?: boolean;
    isPreview?: boolean;
  }
  /** The same for the buttons of one post or message. */
  type ButtonActions = Omit<Buttons, "press"> & { press: ((index: number) => Promise<unknown>) | null };
  /** What the fields of a poll hold. */
  interface WrittenPoll {
    question: string;
    options: string[];
    multiple: boolean;
    /** As a `datetime-local` field has it; null where the poll is not closed by itself. */
    closes_at: string | null;
    /** The same to the millisecond, where the poll has one already. */
    closes_exactly: string | null;
    results: Poll["results"];
  }
  /** A post and its channel, whose comments are shown. */
  interface Commented extends Info {
    channel: Api.ChannelResponse;
    post: Api.PostResponse;
  }
  interface Sender {
    name: string;
    faceUrl: string;
    href: string | null;
  }
  interface MessageOptions {
    policy: ReactionPolicy;
    react: React | null;
    polls?: Polls | null;
    buttons?: Buttons | null;
    /** Not given, or null, for users who are not asked. */
    acknowledge?: Acknowledge | null;
    /** Null where it is clear who wrote. */
    sender?: Sender | null;
    /** The admin who wrote in the channel's name. */
    author?: string | null;
    isOwn: boolean;
    /** The first of several in a row by the same sender. */
    isFirst: boolean;
    openMenu?: OpenItemMenu | null;
    quote?: Quote | null;
  }
  /** What a message shows of the one that it quotes. */
  interface Quote {
    name: string;
    text: string;
    /** It cannot be read, so there is no way to it. */
    isMissing: boolean;
    open: () => unknown;
  }
  interface FooterOptions {
    author?: string | null;
    openMenu?: OpenItemMenu | null;
    replyHref?: string | null;
    commentsHref?: string | null;
  }

  interface HistoryOptions {
    stream: Stream;
    /** How far the user has read. Null reports nothing as read. */
    readSeq: number | null;
    unread: number;
    /** The element of an item, which may be the old one, updated. */
    renderItem: (item: Item, old: HTMLElement | null) => HTMLElement;
    onRead: (seq: number) => unknown;
    /** The items that were long enough on the screen. */
    onSeen?: ((seqs: number[]) => unknown) | null;
  }

  /** Where the reader was: the topmost visible item, its distance from the top in pixels, and the item of the Tab key. */
  interface ReadingPosition {
    conversationId: string;
    seq: number;
    top: number;
    current: number | null;
  }

  interface Link {
    title: string;
    url: string;
  }
  interface WriterOptions {
    /** Posts a message; nothing else is sent meanwhile. */
    send: (body: Api.NewChatMessage, key: string) => unknown;
    /** Pictures may be dropped on it. */
    dropTarget: HTMLElement;
    /** The text to start with. */
    draft?: string;
    /** Stores what is being written. */
    onDraft?: (text: string) => unknown;
    /** Begins a poll; null where there are none. */
    onPoll?: (() => unknown) | null;
    /** Whether a message may ask its readers to confirm that they have read it. */
    mayAsk?: () => boolean;
    /** Whether a message goes along with the preview of its first link. */
    hasLinkPreview?: boolean;
    /** Names the field. */
    label?: string;
  }
  /** An edit of a sent message: what stays of it, and what was being written before. */
  interface Editing {
    save: (body: Api.WriteMessage) => unknown;
    kept: { title?: string; links?: Api.LinkBody[] };
    waiting: { text: string; link: Link | null; pictures: Picture[] };
  }

  /** The other side of a one-to-one chat. */
  interface Peer {
    name: string;
    face_url: string;
    channel?: Api.ChannelResponse;
    /** Nobody can write to a business account. */
    isBusiness?: boolean;
    head_seq: number;
  }
  /** What every kind of conversation knows of its other side. */
  interface Info {
    name: string;
    face_url: string;
    head_seq: number;
    organization?: string;
    introduction?: string;
    notification?: string;
  }

  /** Where something may be forwarded to. */
  interface Recipient extends Identity {
    kind: "forward.group" | "forward.person" | "forward.channel" | "list.private";
    path: StreamPath;
  }

  type React = (seq: number, emoji: string, isOn: boolean) => unknown;
  type OpenItemMenu = (item: Item, anchor: HTMLElement) => void;
  /** What is forwarded. */
  type ForwardSource = Omit<Api.ForwardBody, "seq">;
  /** A problem of the API, or only its status. */
  type Failure = { status: number; code?: string; userMessage?: string };

  // --- the console

  interface FieldOptions {
    name: string;
    label: string;
    hint?: string;
    value?: string;
    /** In UTF-8 bytes. */
    limit?: number | null;
    /** Makes it a textarea. */
    rows?: number;
    required?: boolean;
    on?: Listeners;
    /** Others are attributes of the input. */
    [attribute: string]: Properties[string] | Listeners;
  }
  interface Field {
    name: string;
    input: HTMLInputElement | HTMLTextAreaElement;
    element: HTMLElement;
    readonly value: string;
    showError(reason: string | null): void;
    check(): boolean;
  }
  interface ChoiceOptions<Value extends string> {
    name: string;
    label: string;
    options: [value: Value, text: string][];
    value: Value;
    disabled?: boolean;
    /** Another one is chosen. */
    on?: (value: Value) => unknown;
  }
  interface Choice<Value extends string> {
    name: string;
    element: HTMLElement;
    value: Value;
  }
  interface SubmitOptions {
    fields: Field[];
    error: HTMLElement;
    button: HTMLButtonElement;
    work: () => unknown;
  }

  type ProfileField = "name" | "channel_id" | "introduction" | "organization" | "custom_data";
  type Tab =
    | "posts"
    | "inbox"
    | "broadcasts"
    | "subscribers"
    | "invites"
    | "reports"
    | "admins"
    | "insights"
    | "profile"
    | "settings"
    | "service"
    | "webhooks"
    | "log";
  type ModerationTab = "reports" | "channels" | "users" | "accounts" | "log";
  type DraftPath = `${ChannelPath}/drafts/${Api.Part}`;
  /** What the composer holds: the content of a post or draft as the API gives it, or what was kept on this device. */
  interface Written extends Omit<Partial<Content>, "links" | "acknowledge"> {
    links?: Link[] | null;
    /** Whether it asks its readers to confirm that they have read it; of what is stored, how many did. */
    acknowledge?: Content["acknowledge"] | boolean;
    publish_at?: string | null;
    /** The uploaded files, and how the post carries them; in place of `images`, `video`, `audio` and `file`. */
    media?: { kind: Api.MediaKind; items: Api.MediaResponse[] } | null;
    /** What the fields of the place hold; in place of `location`. */
    place?: WrittenPlace | null;
    /** What the fields of the poll hold; in place of `poll`. */
    poll_fields?: WrittenPoll | null;
    /** What the fields of the buttons hold; in place of `buttons`. */
    button_fields?: WrittenButton[] | null;
  }
  interface WrittenPlace {
    name: string;
    address: string;
    latitude: string;
    longitude: string;
  }
  /** What the row of a file asks for. */
  interface UploadHandlers {
    onRemove(upload: Upload): unknown;
    onRetry(upload: Upload): unknown;
    /** Moves it among the others. */
    onMove(upload: Upload, by: number): unknown;
  }
  type Upload = import("../static/js/console/posts/upload.js").Upload;

  interface Series {
    name: string;
    /** Null is unknown. */
    values: (number | null)[];
    /** The period before, which is drawn as a thin line behind the other series. */
    isPast?: boolean;
  }
  interface ChartOptions {
    title: string;
    /** Says in words what the chart shows. */
    summary: string;
    /** The table's heading for the labels. */
    head: string;
    /** Along its foot. */
    labels: string[];
    series: Series[];
    kind: "line" | "bars";
    /** The axis names the first label for certain; otherwise the last one, which is the newest. */
    isFromFirst?: boolean;
  }
  interface BarOptions {
    x: (index: number) => number;
    y: (value: number) => number;
    slot: number;
    index: number;
    /** The number of series. */
    of: number;
  }

  // --- calls

  /** The details of an error that the app shows. */
  interface Details {
    field?: string;
    limit_bytes?: number;
    errors?: { field: string; reason: string }[];
  }

  /** A value that is null is left out of the query. */
  type Query<Call extends { query: object }> = {
    [Name in keyof Call["query"]]?: Call["query"][Name] | null | undefined;
  };
  /** Items with an `error` answer only `ids`; `gone` ones and posts only queries that the app does not send. */
  type Answer<Call extends { answer: unknown }> = Call["answer"] extends Api.SyncResponse | Api.MessageSearchPage
    ? Call["answer"]
    : Call["answer"] extends { items: (infer One)[] }
      ? Page<Exclude<One, { error: unknown } | { gone: unknown } | { type: "post" }>>
      : Call["answer"];
  type Page<One> = { items: One[]; next_cursor: string | null };

  type Get = <Path extends keyof Api.GetCalls & string>(
    path: Path,
    query?: Query<Api.GetCalls[Path]>,
  ) => Promise<Answer<Api.GetCalls[Path]>>;
  type Put = <Path extends keyof Api.PutCalls & string>(
    path: Path,
    body?: Api.PutCalls[Path]["body"],
  ) => Promise<Answer<Api.PutCalls[Path]>>;
  type Patch = <Path extends keyof Api.PatchCalls & string>(
    path: Path,
    body: Api.PatchCalls[Path]["body"],
  ) => Promise<Answer<Api.PatchCalls[Path]>>;
  type Delete = <Path extends keyof Api.DeleteCalls & string>(
    path: Path,
    query?: Query<Api.DeleteCalls[Path]>,
  ) => Promise<Answer<Api.DeleteCalls[Path]>>;
  type Post = <Path extends keyof Api.PostCalls & string>(
    path: Path,
    body?: Api.PostCalls[Path]["body"],
    key?: string,
  ) => Promise<Answer<Api.PostCalls[Path]>>;

  interface Listed {
    "/v1/blocks": Api.BlockResponse;
    "/v1/channels": Api.ChannelResponse;
  }
  type GetAll = <Path extends keyof Listed>(path: Path, query?: Query<Api.GetCalls[Path]>) => Promise<Listed[Path][]>;

  // --- events of the socket

  type Event = import("../static/sdk/types/channels.js").Event;

  type Invitation = Api.OwnInvitationResponse | Api.OwnGroupInvitationResponse;
}
