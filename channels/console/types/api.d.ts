// What the API takes and answers, made from its OpenAPI document by `python -m tests.api_types`. Not served.

declare namespace Api {
  const isPart: unique symbol;
  /** An id that is encoded as one segment of a path. */
  type Part = string & { readonly [isPart]: true };

  interface Page<Item> {
    items: Item[];
    next_cursor: string | null;
  }

  type Nothing = Record<never, never>;

  /** The query, the body and the answer of a call. */
  interface Call<Query, Body, Answer> {
    query: Query;
    body: Body;
    answer: Answer;
  }

  type AcceptMessages = "everyone" | "subscribers" | "nobody";

  type AccountKind = "person" | "business";

  interface AcknowledgeResponse {
    count: number;
    mine: boolean;
  }

  interface AcknowledgementCounts {
    asked: number;
    given: number;
    missing: number;
  }

  interface AcknowledgementPage {
    items: AskedResponse[];
    next_cursor: string | null;
    counts: AcknowledgementCounts;
    reminded_at: string | null;
  }

  interface AcknowledgementReminder {
    event_id: string;
    type: "acknowledgement.reminder";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
  }

  interface AcknowledgementsChanged {
    event_id: string;
    type: "acknowledgements.changed";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    count: number;
    mine?: boolean;
  }

  type ActionKind = "link" | "reply" | "event" | "form";

  interface AddConversations {
    conversation_ids?: string[];
  }

  type AddedResponse = MemberResponse | InvitedResponse;

  type AddedSubscriberResponse = SubscriberResponse | InvitedResponse;

  type AdminAction =
    | "channel_created"
    | "info_changed"
    | "settings_changed"
    | "admin_invited"
    | "invitation_revoked"
    | "invitation_accepted"
    | "invitation_declined"
    | "invite_link_created"
    | "invite_link_changed"
    | "invite_link_revoked"
    | "admin_added"
    | "admin_removed"
    | "grants_changed"
    | "owner_changed"
    | "channel_suspended"
    | "channel_reinstated"
    | "subscriber_added"
    | "subscriber_invited"
    | "subscribers_imported"
    | "subscriber_removed"
    | "subscriber_banned"
    | "subscriber_unbanned"
    | "subscriber_muted"
    | "subscriber_unmuted"
    | "reacting_banned"
    | "reacting_unbanned"
    | "commenting_banned"
    | "commenting_unbanned"
    | "join_request_accepted"
    | "join_request_refused"
    | "name_card_changed"
    | "poll_closed"
    | "post_edited"
    | "post_deleted"
    | "post_pinned"
    | "post_unpinned"
    | "reactions_frozen"
    | "reactions_unfrozen"
    | "comments_frozen"
    | "comments_unfrozen"
    | "comment_edited"
    | "comment_deleted"
    | "draft_changed"
    | "draft_deleted"
    | "draft_published"
    | "answer_edited"
    | "answer_deleted"
    | "webhook_created"
    | "webhook_changed"
    | "webhook_deleted"
    | "webhook_disabled"
    | "webhook_secret_rotated"
    | "webhook_replayed"
    | "canned_reply_changed"
    | "canned_reply_deleted"
    | "broadcast_created"
    | "broadcast_stopped"
    | "broadcast_resumed"
    | "report_resolved"
    | "user_restricted"
    | "user_unrestricted";

  interface AdminLogEntryResponse {
    entry_id: string;
    action: AdminAction;
    actor_id: string;
    by_app: boolean;
    target_id: string | null;
    before: { [name: string]: unknown };
    after: { [name: string]: unknown };
    at: string;
  }

  interface AdminResponse {
    user_id: string;
    name: string;
    face_url: string;
    role: Role;
    subscribed_at: string;
    muted_until: string | null;
    grants: Grant[];
  }

  interface AnswerForm {
    answers: { [name: string]: string | number | boolean | null };
  }

  interface AnswerRequest {
    approve: boolean;
  }

  interface AnswerRequests {
    user_ids: string[];
    approve: boolean;
  }

  interface AnswerToInvitation {
    accept: boolean;
  }

  interface AnsweredRequestsResponse {
    items: AnsweredResponse[];
  }

  interface AnsweredResponse {
    user_id: string;
    error: ItemError | null;
  }

  interface Appoint {
    grants?: Grant[];
  }

  interface AskedResponse {
    user_id: string;
    name: string;
    face_url: string;
    acknowledged_at: string | null;
  }

  interface AttemptResponse {
    at: string;
    latency_ms: number;
    response_status: number | null;
    response_body: string | null;
    error: string | null;
  }

  interface AudienceResponse {
    count: number;
    is_exact: boolean;
  }

  interface AutoReplyResponse {
    channel_id: string;
    name: string;
    keywords: string[];
    match: Match;
    answer: AutomaticContentResponse;
    enabled: boolean;
    changed_at: string;
    changed_by: string;
  }

  interface AutomaticContent {
    text: string;
    buttons?: ButtonBody[][] | null;
  }

  interface AutomaticContentResponse {
    text: string;
    buttons: ButtonResponse[][] | null;
  }

  interface BanResponse {
    user_id: string;
    banned_at: string | null;
    banned_by: string | null;
  }

  interface BlockChanged {
    event_id: string;
    type: "block.changed";
    stream_id: null;
    at: string;
    user_id: string;
    blocked: boolean;
    blocker_id?: string;
  }

  interface BlockResponse {
    user_id: string;
    blocked_at: string;
  }

  interface BroadcastChanged {
    event_id: string;
    type: "broadcast.changed";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    broadcast_id: string;
    state: State;
    segment: SegmentResponse;
    silent: boolean;
    rate: number | null;
    total: number | null;
    sent: number;
    not_reached: NotReachedCounts;
    created_by: string;
    created_at: string;
    start_at: string | null;
    started_at: string | null;
    ended_at: string | null;
    failure: BroadcastFailure | null;
  }

  interface BroadcastEnded {
    event_id: string;
    type: "broadcast.ended";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    broadcast_id: string;
    state: State;
    segment: SegmentResponse;
    silent: boolean;
    rate: number | null;
    total: number | null;
    sent: number;
    not_reached: NotReachedCounts;
    created_by: string;
    created_at: string;
    start_at: string | null;
    started_at: string | null;
    ended_at: string | null;
    failure: BroadcastFailure | null;
  }

  interface BroadcastFailure {
    code: string;
    detail: string;
  }

  interface BroadcastResponse {
    channel_id: string;
    broadcast_id: string;
    state: State;
    segment: SegmentResponse;
    content: ContentResponse;
    silent: boolean;
    rate: number | null;
    total: number | null;
    sent: number;
    not_reached: NotReachedCounts;
    created_by: string;
    created_at: string;
    start_at: string | null;
    started_at: string | null;
    ended_at: string | null;
    failure: BroadcastFailure | null;
  }

  interface BroadcastStarted {
    event_id: string;
    type: "broadcast.started";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    broadcast_id: string;
    state: State;
    segment: SegmentResponse;
    silent: boolean;
    rate: number | null;
    total: number | null;
    sent: number;
    not_reached: NotReachedCounts;
    created_by: string;
    created_at: string;
    start_at: string | null;
    started_at: string | null;
    ended_at: string | null;
    failure: BroadcastFailure | null;
  }

  interface ButtonBody {
    url?: string | null;
    reply?: string | null;
    data?: string | null;
    form?: string | null;
    kind: ActionKind;
    text: string;
  }

  interface ButtonPressed {
    event_id: string;
    type: "button.pressed";
    stream_id: string;
    at: string;
    channel_id: string;
    user_id: string;
    place: "post" | "message";
    seq: number;
    button: number;
    text: string;
    data: string;
  }

  interface ButtonResponse {
    kind: ActionKind;
    url: string | null;
    reply: string | null;
    data: string | null;
    form: string | null;
    text: string;
    presses: number | null;
    pressed: boolean;
  }

  interface ButtonsChanged {
    event_id: string;
    type: "buttons.changed";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    presses: (number | null)[];
    pressed?: number[];
  }

  interface CannedReplyResponse {
    channel_id: string;
    name: string;
    text: string;
    changed_at: string;
    changed_by: string;
  }

  type CaseAction = "dismiss" | "delete" | "suspend_channel" | "restrict_user";

  type CaseState = "open" | "resolved";

  interface ChangeConversationGroup {
    add?: string[];
    remove?: string[];
  }

  interface ChangeDraft {
    post?: DraftPost;
    publish_at?: string | null;
  }

  interface ChangeInviteLink {
    name?: string;
    expires_at?: string | null;
    max_uses?: number | null;
    approval?: boolean;
  }

  interface ChangeMember {
    role?: "admin" | "member";
    mute_seconds?: number;
    name_card?: string;
  }

  interface ChangeWebhook {
    url?: string;
    event_types?: string[];
    description?: string;
    enabled?: boolean;
  }

  interface ChangedChannel {
    name?: string | null;
    face_url?: string | null;
    introduction?: string | null;
    owner_id?: string | null;
    verified?: boolean | null;
    notification?: string | null;
    custom?: { [name: string]: string } | null;
    posting?: Posting | null;
    join_option?: JoinOption | null;
    history_visible?: boolean | null;
    muted_all?: boolean | null;
    organization?: string | null;
    custom_data?: string | null;
    settings?: ChangedSettings | null;
    is_channel?: boolean | null;
    public_from_seq?: number | null;
    history_shared_at?: string | null;
    menu_version?: number | null;
  }

  interface ChangedConversation {
    muted?: boolean | null;
    muted_until?: string | null;
    notifications?: "all" | "none" | null;
    accept?: boolean | null;
    pinned_at?: string | null;
    hidden?: boolean | null;
    draft?: "" | null;
    custom_data?: string | null;
  }

  interface ChangedConversationGroupResponse {
    name: string;
    unread_count: number;
    conversation_count: number;
    built_in: boolean;
    results: ConversationResult[];
  }

  interface ChangedGroup {
    name?: string | null;
    face_url?: string | null;
    introduction?: string | null;
    owner_id?: string | null;
    verified?: boolean | null;
    notification?: string | null;
    custom?: { [name: string]: string } | null;
    posting?: Posting | null;
    join_option?: JoinOption | null;
    history_visible?: boolean | null;
    muted_all?: boolean | null;
    visibility?: Visibility | null;
    reactions?: string | string[] | null;
    reactions_per_user?: number | null;
    distinct_reactions?: number | null;
    retention_days?: number | null;
  }

  interface ChangedSettings {
    visibility?: Visibility | null;
    reactions?: string | string[] | null;
    reactions_per_user?: number | null;
    distinct_reactions?: number | null;
    comments?: Commenting | null;
    retention_days?: number | null;
    accept_messages?: AcceptMessages | null;
    signatures?: boolean | null;
    protect_content?: boolean | null;
    count_clicks?: boolean | null;
  }

  interface ChannelDeleted {
    event_id: string;
    type: "channel.deleted";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
  }

  interface ChannelGone {
    channel_id: string;
    gone: DepartureReason;
    gone_at: string;
  }

  interface ChannelInvitationEnded {
    event_id: string;
    type: "channel.invitation_ended";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    user_id: string;
    role: Role;
    reason: InvitationEnd;
  }

  interface ChannelInvited {
    event_id: string;
    type: "channel.invited";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    channel_name: string;
    user_id: string;
    role: Role;
    grants: Grant[];
    expires_at: string;
  }

  interface ChannelMissing {
    channel_id: string;
    error: ItemError;
  }

  interface ChannelPage {
    items: (ChannelResponse | ChannelMissing | ChannelGone)[];
    next_cursor?: string | null;
    sync_token?: string | null;
  }

  interface ChannelReinstated {
    event_id: string;
    type: "channel.reinstated";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    version: number;
  }

  interface ChannelResponse {
    channel_id: string;
    name: string;
    face_url: string;
    organization: string;
    introduction: string;
    custom_data: string;
    owner_id: string | null;
    created_at: string;
    subscriber_count: number;
    subscribed_at: string | null;
    role: Role | null;
    grants: Grant[];
    verified: boolean;
    suspension: SuspensionResponse | null;
    settings: SettingsResponse;
    menu_version: number;
    head_seq: number;
    version: number;
    public_from_seq: number;
    history_shared_at: string | null;
    last_post: LastPostResponse | null;
  }

  interface ChannelSubscribed {
    event_id: string;
    type: "channel.subscribed";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    user_id: string;
    invite_link?: string;
    channel: SubscribedChannel;
  }

  interface ChannelSuspended {
    event_id: string;
    type: "channel.suspended";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    mode: SuspensionMode;
    reason?: string;
    version: number;
  }

  interface ChannelUnsubscribed {
    event_id: string;
    type: "channel.unsubscribed";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    user_id: string;
    reason: LeaveReason;
  }

  interface ChannelUpdated {
    event_id: string;
    type: "channel.updated";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    changed: ChangedChannel;
    version: number;
  }

  interface ClickBody {
    url: string;
  }

  interface CommentEdited {
    event_id: string;
    type: "comment.edited";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    version: number;
    comment: CommentInEvent;
  }

  interface CommentInEvent {
    comment_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    sender_id: string | null;
    is_channel: boolean;
    author_id: string | null;
    kind: Kind | null;
    text: string | null;
    images: MediaResponse[] | null;
    quoted_seq: number | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
  }

  interface CommentPageResponse {
    items: CommentResponse[];
    next_cursor: string | null;
    newer_cursor: string | null;
    first_unread_seq: number | null;
    version: number | null;
  }

  interface CommentPosted {
    event_id: string;
    type: "comment.posted";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    comment: CommentInEvent;
  }

  interface CommentReacted {
    event_id: string;
    type: "comment.reacted";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    counts: { [name: string]: number };
    total: number;
  }

  interface CommentRecalled {
    event_id: string;
    type: "comment.recalled";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    version: number;
    comment: CommentInEvent;
  }

  interface CommentResponse {
    comment_id: string;
    channel_id: string;
    post_seq: number;
    seq: number;
    sender_id: string | null;
    sender_name: string | null;
    sender_face_url: string | null;
    sender_blocked: boolean;
    is_channel: boolean;
    author_id: string | null;
    kind: Kind | null;
    text: string | null;
    images: MediaResponse[] | null;
    quoted_seq: number | null;
    quote: QuoteResponse | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    reactions: TallyResponse;
  }

  type Commenting = "off" | "subscribers" | "everyone";

  interface ContentResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
  }

  interface ConversationEnded {
    event_id: string;
    type: "conversation.ended";
    stream_id: string;
    at: string;
    conversation_id: string;
    user_id?: string;
  }

  interface ConversationGroupChanged {
    event_id: string;
    type: "conversation_group.changed";
    stream_id: null;
    at: string;
    user_id?: string;
    name: string;
    added: string[];
    removed: string[];
  }

  interface ConversationGroupCreated {
    event_id: string;
    type: "conversation_group.created";
    stream_id: null;
    at: string;
    user_id?: string;
    name: string;
    conversation_ids: string[];
  }

  interface ConversationGroupDeleted {
    event_id: string;
    type: "conversation_group.deleted";
    stream_id: null;
    at: string;
    user_id?: string;
    name: string;
  }

  interface ConversationGroupRenamed {
    event_id: string;
    type: "conversation_group.renamed";
    stream_id: null;
    at: string;
    user_id?: string;
    name: string;
    new_name: string;
  }

  interface ConversationGroupResponse {
    name: string;
    unread_count: number;
    conversation_count: number;
    built_in: boolean;
  }

  interface ConversationMissing {
    conversation_id: string;
    error: ItemError;
  }

  interface ConversationRead {
    event_id: string;
    type: "conversation.read";
    stream_id: string;
    at: string;
    conversation_id: string;
    user_id?: string;
    read_seq: number;
    unread_count: number;
  }

  interface ConversationResponse {
    conversation_id: string;
    type: ConversationType;
    group_id: string | null;
    peer_id: string | null;
    title: string;
    face_url: string;
    unread_count: number;
    read_seq: number;
    head_seq: number;
    version: number;
    last_message: LastMessageResponse | null;
    muted: boolean;
    muted_until: string | null;
    notifications: NotificationLevel;
    accept: boolean;
    pinned_at: string | null;
    hidden: boolean;
    draft: string;
    custom_data: string;
    conversation_groups: string[];
    is_channel: boolean;
    verified: boolean;
  }

  interface ConversationResult {
    conversation_id: string;
    ok: boolean;
    error: ItemError | null;
  }

  type ConversationType = "group" | "c2c";

  interface ConversationUpdated {
    event_id: string;
    type: "conversation.updated";
    stream_id: string;
    at: string;
    conversation_id: string;
    user_id?: string;
    changed: ChangedConversation;
  }

  interface CountAudience {
    segment?: SegmentBody;
  }

  interface CreateBroadcast {
    kind: Kind;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
    segment?: SegmentBody;
    silent?: boolean;
    rate?: number | null;
    start_at?: string | null;
  }

  interface CreateChannel {
    name: string;
    channel_id?: string | null;
    group_id?: string | null;
    owner_id?: string | null;
    share_history?: boolean;
    face_url?: string;
    organization?: string;
    introduction?: string;
    custom_data?: string;
    settings?: SettingsBody;
  }

  interface CreateDraft {
    post: DraftPost;
    publish_at?: string | null;
  }

  interface CreateGroup {
    type: GroupType;
    name: string;
    group_id?: string | null;
    owner_id?: string | null;
    introduction?: string;
    notification?: string;
    face_url?: string;
    custom?: { [name: string]: string };
    posting?: Posting | null;
    join_option?: JoinOption | null;
    history_visible?: boolean | null;
    member_limit?: number | null;
  }

  interface CreateInviteLink {
    name?: string;
    expires_at?: string | null;
    max_uses?: number | null;
    approval?: boolean;
  }

  interface CreateWebhook {
    url: string;
    event_types?: string[];
    description?: string;
    enabled?: boolean;
    secret?: string;
  }

  interface DayResponse {
    day: string;
    subscribers: number | null;
    joined: number;
    left: number;
    removed: number;
    net: number;
    posts: number;
    views: number;
    reactions: number;
    clicks: number;
  }

  interface DefaultChannelList {
    items: DefaultChannelResponse[];
  }

  interface DefaultChannelResponse {
    channel_id: string;
    since: string;
    set_by: string;
    state: "running" | "full" | "done";
    walked: number;
    subscribed: number;
    passed_over: number;
  }

  interface DeleteUser {
    confirm: string;
    messages?: Messages;
  }

  interface DeletionResponse {
    user_id: string;
    state: "running" | "blocked" | "done";
    messages: Messages;
    started_at: string;
    finished_at: string | null;
    step: number;
    steps: number;
    walked: number;
    changed: number;
  }

  interface DeliveryResponse {
    delivery_id: string;
    webhook_id: string;
    event_id: string;
    event_type: string;
    stream_id: string | null;
    event_at: string;
    status: DeliveryStatus;
    next_attempt_at: string | null;
    attempts_made: number;
    attempts: AttemptResponse[];
    created_at: string;
  }

  type DeliveryStatus = "waiting" | "succeeded" | "failed";

  type DepartureReason = "left" | "removed" | "banned" | "deleted";

  interface DeviceResponse {
    device_id: string;
    platform: "web" | "gateway";
    endpoint: string | null;
    pushkey: string | null;
    app_id: string;
    locale: string;
    name: string;
    created_at: string;
    confirmed_at: string;
  }

  interface DialogueMessageInEvent {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    forwarded_from: ForwardedFrom | null;
    quoted_seq: number | null;
    automatic: boolean;
    message_id: string;
    seq: number;
    sender_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    type: "message";
    conversation_id: string;
  }

  interface DialogueMessageResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    forwarded_from: ForwardedFrom | null;
    quoted_seq: number | null;
    automatic: boolean;
    message_id: string;
    seq: number;
    sender_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    reactions: TallyResponse;
    type: "message";
    conversation_id: string;
  }

  interface DialoguePage {
    items: (DialogueMessageResponse | TimelinePostResponse)[];
    next_cursor: string | null;
    newer_cursor: string | null;
    first_unread_seq: number | null;
    version: number | null;
  }

  type DisabledReason = "gone" | "failing" | "too_many_waiting" | "right_withdrawn";

  interface DraftPost {
    kind?: Kind | null;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
    acknowledge?: boolean;
    forward?: ForwardBody | null;
    silent?: boolean;
  }

  interface DraftPostResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
  }

  interface DraftResponse {
    channel_id: string;
    draft_id: string;
    author_id: string;
    publish_at: string | null;
    failure: FailureResponse | null;
    created_at: string;
    updated_at: string;
    post: DraftPostResponse;
  }

  interface End {
    reason: DepartureReason;
    at: string;
  }

  interface EntryBody {
    url?: string | null;
    reply?: string | null;
    data?: string | null;
    form?: string | null;
    text: string;
    kind?: ActionKind | null;
    entries?: SubEntryBody[] | null;
  }

  interface EntryResponse {
    text: string;
    kind: ActionKind | null;
    url: string | null;
    reply: string | null;
    data: string | null;
    form: string | null;
    entries: SubEntryResponse[] | null;
  }

  interface EventFormAnswer {
    name: string;
    label: string;
    value: string;
  }

  interface EventsResponse {
    items: (MessagePosted | MessageEdited | MessageRecalled | ReactionsChanged | PollChanged | ButtonsChanged | ButtonPressed | AcknowledgementsChanged | AcknowledgementReminder | FormAnswered | MenuSelected | CommentPosted | CommentEdited | CommentRecalled | CommentReacted | ChannelSubscribed | ChannelUnsubscribed | ChannelUpdated | ChannelSuspended | ChannelReinstated | ChannelDeleted | ChannelInvited | ChannelInvitationEnded | GroupJoined | GroupLeft | GroupInvited | GroupInvitationEnded | GroupUpdated | GroupDisbanded | MemberChanged | JoinRequested | JoinAnswered | JoinRefused | InviteLinkUsed | ConversationRead | ConversationUpdated | ConversationGroupCreated | ConversationGroupRenamed | ConversationGroupDeleted | ConversationGroupChanged | ConversationEnded | InboxRead | InboxTagged | BroadcastStarted | BroadcastChanged | BroadcastEnded | BlockChanged | UserRestricted | UserUnrestricted | UserDeleted | ReportOpened | WebhookDisabled)[];
    cursor: string;
  }

  interface ExportLine {
    type: string;
    data: { [name: string]: unknown };
  }

  interface FailureResponse {
    code: string;
    detail: string;
    at: string;
  }

  interface FeedChannel {
    channel_id: string;
    name: string;
    face_url: string;
    verified: boolean;
  }

  interface FeedItemResponse {
    channel: FeedChannel;
    post: PostResponse;
  }

  type FieldKind = "text" | "long_text" | "number" | "choice" | "date" | "phone" | "email";

  interface FormAnswerResponse {
    form: string;
    title: string;
    answers: FormAnswerValueResponse[];
  }

  interface FormAnswerValueResponse {
    name: string;
    label: string;
    value: string;
  }

  interface FormAnswered {
    event_id: string;
    type: "form.answered";
    stream_id: string;
    at: string;
    channel_id: string;
    user_id: string;
    seq: number;
    form: string;
    title: string;
    answers: EventFormAnswer[];
  }

  interface FormAnsweredResponse {
    message: DialogueMessageResponse;
    confirmation: string;
  }

  interface FormFieldBody {
    name: string;
    label: string;
    kind?: FieldKind;
    required?: boolean;
    options?: string[];
    max_length?: number | null;
  }

  interface FormFieldResponse {
    name: string;
    label: string;
    kind: FieldKind;
    required: boolean;
    options: string[];
    max_length: number | null;
  }

  interface FormResponse {
    channel_id: string;
    name: string;
    title: string;
    text: string;
    fields: FormFieldResponse[];
    confirmation: string;
    changed_at: string;
  }

  interface ForwardBody {
    channel_id?: string | null;
    group_id?: string | null;
    conversation_id?: string | null;
    seq: number;
  }

  interface ForwardedFrom {
    channel_id: string | null;
    group_id: string | null;
    name: string | null;
    seq: number | null;
    message_id: string | null;
  }

  interface FoundMessageResponse {
    conversation_id: string;
    channel_id: string | null;
    group_id: string | null;
    peer_id: string | null;
    title: string;
    face_url: string;
    verified: boolean;
    is_channel: boolean;
    message: PostResponse | MessageResponse | DialogueMessageResponse;
    highlights: HighlightResponse[];
  }

  type Grant =
    | "post"
    | "edit_posts"
    | "delete_posts"
    | "pin_posts"
    | "manage_subscribers"
    | "change_info"
    | "change_settings"
    | "read_inbox"
    | "see_insights"
    | "read_events"
    | "manage_webhooks";

  interface GreetingResponse {
    channel_id: string;
    text: string | null;
    buttons: ButtonResponse[][] | null;
    changed_at: string | null;
    changed_by: string | null;
  }

  interface GroupDisbanded {
    event_id: string;
    type: "group.disbanded";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
  }

  interface GroupInvitationEnded {
    event_id: string;
    type: "group.invitation_ended";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
    user_id: string;
    role: Role;
    reason: InvitationEnd;
  }

  interface GroupInvited {
    event_id: string;
    type: "group.invited";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
    group_name: string;
    user_id: string;
    role: Role;
    expires_at: string;
  }

  interface GroupJoined {
    event_id: string;
    type: "group.joined";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
    user_id: string;
    invite_link?: string;
  }

  interface GroupLeft {
    event_id: string;
    type: "group.left";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
    user_id: string;
    reason: LeaveReason;
  }

  interface GroupMessagePage {
    items: MessageResponse[];
    next_cursor: string | null;
    newer_cursor: string | null;
    first_unread_seq: number | null;
    version: number | null;
  }

  interface GroupMissing {
    group_id: string;
    error: ItemError;
  }

  interface GroupResponse {
    group_id: string;
    type: GroupType;
    name: string;
    introduction: string;
    notification: string;
    face_url: string;
    owner_id: string | null;
    custom: { [name: string]: string };
    posting: Posting;
    join_option: JoinOption;
    visibility: Visibility;
    muted_all: boolean;
    history_visible: boolean;
    reactions: string | string[];
    reactions_per_user: number;
    distinct_reactions: number;
    retention_days: number;
    member_count: number;
    member_limit: number;
    created_at: string;
    joined_at: string | null;
    role: Role | null;
    head_seq: number;
    version: number;
    is_channel: boolean;
    verified: boolean;
  }

  type GroupType = "work" | "public" | "meeting" | "community";

  interface GroupUpdated {
    event_id: string;
    type: "group.updated";
    stream_id: string;
    at: string;
    conversation_id: string;
    group_id: string;
    changed: ChangedGroup;
    version: number;
  }

  interface HighlightResponse {
    start: number;
    end: number;
  }

  interface HourResponse {
    hour: number;
    views: number;
    reactions: number;
  }

  interface ImportLine {
    user_id: string;
  }

  interface ImportProgress {
    received: number;
    added: number;
    present: number;
    refused: number;
    subscriber_count: number | null;
    results: ImportResult[];
    done?: boolean;
    error?: ItemError | null;
  }

  interface ImportResult {
    user_id?: string;
    line?: number;
    result: "added" | "present" | "not_a_person" | "member_limit_reached" | "groups_per_user_reached" | "invalid_request";
    detail?: string;
  }

  interface InboxRead {
    event_id: string;
    type: "inbox.read";
    stream_id: string;
    at: string;
    channel_id: string;
    user_id: string;
    read_seq: number;
    unread_count: number;
  }

  interface InboxTagResponse {
    tag: string;
  }

  interface InboxTagged {
    event_id: string;
    type: "inbox.tagged";
    stream_id: string;
    at: string;
    channel_id: string;
    user_id: string;
    tags: string[];
  }

  interface InboxUnreadResponse {
    channel_id: string;
    unread_count: number;
    unread_threads: number;
  }

  interface InsightsResponse {
    from: string;
    to: string;
    days: DayResponse[];
    hours: HourResponse[];
    muted: MutedResponse;
  }

  type InvitationEnd = "accepted" | "declined" | "revoked" | "deleted";

  interface InvitationResponse {
    user_id: string;
    role: "admin" | "member";
    grants: Grant[];
    invited_by: string;
    invited_at: string;
    expires_at: string;
  }

  interface InviteAdmin {
    user_id: string;
    grants?: Grant[];
  }

  interface InviteLinkResponse {
    code: string;
    url: string;
    name: string;
    created_by: string;
    created_at: string;
    expires_at: string | null;
    max_uses: number | null;
    uses: number;
    pending_requests: number;
    approval: boolean;
    revoked_at: string | null;
    state: InviteLinkState;
  }

  type InviteLinkState = "open" | "expired" | "used_up" | "revoked";

  interface InviteLinkUsed {
    event_id: string;
    type: "invite_link.used";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id?: string;
    group_id?: string;
    code: string;
    user_ids: string[];
    uses: number;
    pending_requests: number;
  }

  interface InviteLinkWithQrResponse {
    code: string;
    url: string;
    name: string;
    created_by: string;
    created_at: string;
    expires_at: string | null;
    max_uses: number | null;
    uses: number;
    pending_requests: number;
    approval: boolean;
    revoked_at: string | null;
    state: InviteLinkState;
    qr_svg: string;
  }

  interface InvitePreviewResponse {
    code: string;
    kind: "channel" | "group";
    id: string;
    name: string;
    face_url: string;
    introduction: string;
    member_count: number;
    verified: boolean;
    approval: boolean;
    is_member: boolean;
    has_requested: boolean;
    requested_at: string | null;
  }

  interface InvitedResponse {
    user_id: string;
    is_invited: true;
    role: "admin" | "member";
    invited_at: string;
    expires_at: string;
  }

  interface ItemError {
    code: string;
    detail: string;
  }

  interface ItemProblem {
    code: string;
    detail: string;
    details: { [name: string]: JsonValue };
  }

  interface JoinAnswered {
    event_id: string;
    type: "join.answered";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id?: string;
    group_id?: string;
    user_id: string;
    outcome: RequestEnd;
  }

  interface JoinByLink {
    text?: string;
  }

  interface JoinGroup {
    text?: string;
  }

  type JoinOption = "free" | "approval" | "invite";

  interface JoinRefused {
    event_id: string;
    type: "join.refused";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id?: string;
    group_id?: string;
    user_id: string;
  }

  interface JoinRequestResponse {
    user_id: string;
    name: string;
    face_url: string;
    text: string;
    requested_at: string;
    invite_link: RequestLinkResponse | null;
  }

  interface JoinRequested {
    event_id: string;
    type: "join.requested";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id?: string;
    group_id?: string;
    user_id: string;
    text: string;
    invite_link?: string;
  }

  interface JoinedByLinkResponse {
    status: "joined" | "requested";
    kind: "channel" | "group";
    id: string;
    channel: ChannelResponse | null;
    group: GroupResponse | null;
  }

  type JsonValue = unknown;

  type Kind =
    | "text"
    | "image"
    | "text_and_image"
    | "video"
    | "audio"
    | "file"
    | "location"
    | "poll"
    | "form_answer"
    | "custom";

  interface LastMessageResponse {
    seq: number;
    preview: string;
    kind: Kind | null;
    recalled: boolean;
    at: string;
    sender_id: string | null;
  }

  interface LastPostResponse {
    seq: number;
    preview: string;
    kind: Kind | null;
    recalled: boolean;
    at: string;
  }

  type LeaveReason = "left" | "removed" | "banned";

  interface Limits {
    group_name_bytes: number;
    group_introduction_bytes: number;
    group_notification_bytes: number;
    channel_name_bytes: number;
    channel_introduction_bytes: number;
    face_url_bytes: number;
    custom_fields: number;
    custom_value_bytes: number;
    community_members: number;
    work_members: number;
    public_members: number;
    meeting_members: number;
    groups_per_user: number;
    groups_per_owner: number;
    admins: number;
    admin_invitations: number;
    admin_invitation_seconds: number;
    member_invitations: number;
    member_invitation_seconds: number;
    invitations_per_user: number;
    declined_invitation_seconds: number;
    added_groups_per_user: number;
    message_body_bytes: number;
    links_per_message: number;
    poll_question_bytes: number;
    poll_option_bytes: number;
    retention_days: number;
    poll_options: number;
    button_text_bytes: number;
    button_data_bytes: number;
    button_rows: number;
    buttons_per_row: number;
    image_bytes: number;
    video_bytes: number;
    audio_bytes: number;
    file_bytes: number;
    image_pixels: number;
    animation_pixels: number;
    animation_frames: number;
    image_seconds: number;
    image_memory_bytes: number;
    images_per_message: number;
    departure_seconds: number;
    unused_media_seconds: number;
    uploads_per_user: number;
    user_unused_media_bytes: number;
    user_media_bytes: number;
    channel_media_bytes: number;
    deployment_media_bytes: number;
    posts_per_second: number;
    stream_bytes_per_second: number;
    pinned_messages: number;
    recall_seconds: number;
    users_per_call: number;
    name_card_bytes: number;
    user_name_bytes: number;
    request_text_bytes: number;
    join_requests_per_user: number;
    invite_links: number;
    invite_link_name_bytes: number;
    conversation_groups: number;
    conversation_group_name_bytes: number;
    conversations_per_group: number;
    conversations_per_call: number;
    draft_bytes: number;
    conversation_custom_data_bytes: number;
    dialogues_per_user: number;
    unanswered_per_user: number;
    blocks_per_user: number;
    inbox_tags: number;
    opened_threads_per_day: number;
    webhooks: number;
    webhooks_per_channel: number;
    webhook_url_bytes: number;
    webhook_description_bytes: number;
    webhook_deliveries_waiting: number;
    webhook_log_seconds: number;
    webhook_streams_at_once: number;
    reports_per_day: number;
    devices_per_user: number;
    pushes_per_second: number;
    concurrent_pushes: number;
    link_previews_per_minute: number;
    channels: number;
    channels_per_owner: number;
    default_channels: number;
    channel_organization_bytes: number;
    channel_custom_data_bytes: number;
    drafts: number;
    scheduled_posts: number;
    schedule_ahead_seconds: number;
    acknowledgement_names: number;
    comments_per_post: number;
    subscriber_tags: number;
    broadcast_rate: number;
    broadcasts_at_once: number;
    broadcasts_per_day: number;
    canned_replies: number;
    auto_replies: number;
    forms: number;
    form_fields: number;
    form_options: number;
    form_label_bytes: number;
    form_text_bytes: number;
    views_per_call: number;
    insight_days: number;
    insight_range_days: number;
    requests_per_second: number;
    searches_per_second: number;
    comments_per_second: number;
    menu_selections_per_second: number;
    address_requests_per_second: number;
    address_sockets: number;
    address_transfers: number;
    address_connections: number;
    unsent_bytes_per_user: number;
    address_unsent_bytes: number;
    transfers_per_user: number;
    requests_at_work_per_user: number;
    waiting_requests_per_user: number;
    requests_at_work_per_back_end: number;
    waiting_requests_per_back_end: number;
    sockets_per_user: number;
    feed_readers_per_user: number;
    concurrent_requests: number;
    waiting_milliseconds: number;
    request_body_bytes: number;
  }

  interface LinkBody {
    title: string;
    url: string;
    description?: string | null;
    image?: string | null;
  }

  interface LinkClicksResponse {
    url: string;
    clicks: number;
  }

  interface LinkPreviewResponse {
    url: string;
    title: string;
    description: string | null;
    image: MediaResponse | null;
  }

  interface LinkResponse {
    title: string;
    url: string;
    description: string | null;
    image: MediaResponse | null;
  }

  interface LinkToPreview {
    url: string;
  }

  interface LocationBody {
    latitude: number;
    longitude: number;
    name?: string;
    address?: string;
  }

  interface LocationResponse {
    latitude: number;
    longitude: number;
    name: string;
    address: string;
  }

  type Match = "exact" | "contains";

  type MediaKind = "image" | "video" | "audio" | "file";

  interface MediaResponse {
    media_id: string;
    kind: MediaKind;
    content_type: string;
    size_bytes: number;
    width: number | null;
    height: number | null;
    duration_seconds: number | null;
    name: string;
    url: string;
    large_url: string | null;
    thumb_url: string | null;
    poster_url: string | null;
    poster_id: string | null;
  }

  type MediaSize = "original" | "large" | "thumb";

  interface MemberChanged {
    event_id: string;
    type: "member.changed";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id?: string;
    group_id?: string;
    user_id: string;
    role: Role;
    muted_until: string | null;
    name_card: string;
    grants: Grant[];
  }

  interface MemberResponse {
    user_id: string;
    name: string;
    face_url: string;
    role: Role;
    joined_at: string;
    muted_until: string | null;
    name_card: string;
  }

  interface MenuResponse {
    channel_id: string;
    version: number;
    entries: EntryResponse[];
  }

  interface MenuSelected {
    event_id: string;
    type: "menu.selected";
    stream_id: string;
    at: string;
    channel_id: string;
    user_id: string;
    entry: string;
    text: string;
    data: string;
  }

  interface MessageEdited {
    event_id: string;
    type: "message.edited";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    post?: PostInEvent;
    message?: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent;
    version: number;
  }

  interface MessageInEvent {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    signature: string | null;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
    pinned: boolean;
    reactions_frozen: boolean;
    group_id: string;
    message_id: string;
    seq: number;
    sender_id: string | null;
    quoted_seq: number | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
  }

  interface MessagePosted {
    event_id: string;
    type: "message.posted";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    post?: PostInEvent;
    message?: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent;
  }

  interface MessageRecalled {
    event_id: string;
    type: "message.recalled";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    post?: PostInEvent;
    message?: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent;
    version: number;
  }

  interface MessageResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    signature: string | null;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
    pinned: boolean;
    reactions_frozen: boolean;
    group_id: string;
    message_id: string;
    seq: number;
    sender_id: string | null;
    sender_name: string | null;
    sender_face_url: string | null;
    quoted_seq: number | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    reactions: TallyResponse;
  }

  interface MessageSearchPage {
    items: FoundMessageResponse[];
    next_cursor?: string | null;
    searched_until: string | null;
    is_complete: boolean;
    indexed: number;
  }

  type Messages = "keep" | "delete";

  interface MutedResponse {
    count: number;
    share: number;
  }

  interface NewChatMessage {
    kind?: Kind | null;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
    acknowledge?: boolean;
    forward?: ForwardBody | null;
    silent?: boolean;
    quoted_seq?: number | null;
  }

  interface NewComment {
    kind: "text" | "image" | "text_and_image";
    text?: string;
    images?: string[];
    quoted_seq?: number | null;
    as_channel?: boolean;
  }

  interface NewMessage {
    kind?: Kind | null;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
    acknowledge?: boolean;
    forward?: ForwardBody | null;
    silent?: boolean;
  }

  interface NewMessageToMany {
    kind?: Kind | null;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
    acknowledge?: boolean;
    forward?: ForwardBody | null;
    silent?: boolean;
    user_ids: string[];
  }

  interface NewOwner {
    user_id: string;
  }

  interface NewReport {
    target: TargetBody;
    reason: ReportReason;
    text?: string;
  }

  interface NewResolutionBody {
    action: CaseAction;
    mode?: SuspensionMode | null;
    until?: string | null;
    note?: string;
  }

  interface NotReachedCounts {
    opted_out?: number;
    left?: number;
    blocked?: number;
    switched_off?: number;
    business?: number;
    other?: number;
  }

  interface NotReachedResponse {
    user_id: string;
    reason: Reason;
  }

  type NotificationLevel = "all" | "none";

  interface OpeningHoursResponse {
    channel_id: string;
    time_zone: string | null;
    weekly: WeeklyResponse;
    closed_dates: string[];
    away: AutomaticContentResponse | null;
    enabled: boolean;
    is_open: boolean;
    changed_at: string | null;
    changed_by: string | null;
  }

  interface OptOutResponse {
    channel_id: string;
    opted_out: boolean;
    since: string | null;
  }

  interface OwnGroupInvitationResponse {
    group_id: string;
    group_name: string;
    role: "admin" | "member";
    invited_by: string;
    invited_at: string;
    expires_at: string;
  }

  interface OwnInvitationResponse {
    channel_id: string;
    channel_name: string;
    verified: boolean;
    role: "admin" | "member";
    grants: Grant[];
    invited_at: string;
    expires_at: string;
  }

  interface OwnJoinRequestResponse {
    kind: "channel" | "group";
    id: string;
    name: string;
    face_url: string;
    text: string;
    requested_at: string;
  }

  interface OwnRestrictionResponse {
    until: string | null;
    reason: string;
  }

  interface OwnUserResponse {
    user_id: string;
    name: string;
    face_url: string;
    account_kind: AccountKind;
    restriction: OwnRestrictionResponse | null;
  }

  interface PollBody {
    question: string;
    options: string[];
    multiple?: boolean;
    closes_at?: string | null;
    results?: PollResults;
  }

  interface PollChanged {
    event_id: string;
    type: "poll.changed";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    options: number[] | null;
    voters: number | null;
    closed: boolean;
    mine?: number[];
  }

  interface PollOptionResponse {
    text: string;
    votes: number | null;
  }

  interface PollResponse {
    question: string;
    options: PollOptionResponse[];
    voters: number | null;
    multiple: boolean;
    closes_at: string | null;
    closed: boolean;
    results: PollResults;
    mine: number[];
  }

  type PollResults = "always" | "after_vote" | "after_close";

  interface PostClicksResponse {
    seq: number;
    items: LinkClicksResponse[];
  }

  interface PostInEvent {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    signature: string | null;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
    pinned: boolean;
    reactions_frozen: boolean;
    channel_id: string;
    post_id: string;
    seq: number;
    author_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    comments_frozen: boolean;
  }

  interface PostInsightsResponse {
    seq: number;
    created_at: string;
    preview: string;
    views: number;
    reactions: number;
    clicks: number;
  }

  interface PostPage {
    items: PostResponse[];
    next_cursor: string | null;
    newer_cursor: string | null;
    first_unread_seq: number | null;
    version: number | null;
  }

  interface PostReportResponse {
    seq: number;
    created_at: string;
    silent: boolean;
    subscribers: number | null;
    sockets: number;
    pushed: number;
    rejected: number;
    failed: number;
    views: number;
  }

  interface PostResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    signature: string | null;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
    pinned: boolean;
    reactions_frozen: boolean;
    channel_id: string;
    post_id: string;
    seq: number;
    channel_name: string;
    author_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    views: number;
    comment_count: number | null;
    comments_open: boolean;
    comments_frozen: boolean;
    reactions: TallyResponse;
  }

  interface PostViewsResponse {
    seq: number;
    views: number;
  }

  type Posting = "everyone" | "owner_and_admins";

  interface PressResponse {
    buttons: ButtonResponse[][];
    message_seq: number | null;
  }

  interface Problem {
    type?: string;
    title: string;
    status: number;
    detail: string;
    code: string;
    details?: { [name: string]: JsonValue };
    request_id: string;
  }

  interface PushResponse {
    vapid_public_key: string | null;
    gateway: boolean;
  }

  interface PutAutoReply {
    keywords: string[];
    match?: Match;
    answer: AutomaticContent;
    enabled?: boolean;
  }

  interface PutCannedReply {
    text: string;
  }

  interface PutForm {
    title: string;
    text?: string;
    fields: FormFieldBody[];
    confirmation?: string;
  }

  interface PutGreeting {
    text: string;
    buttons?: ButtonBody[][] | null;
  }

  interface PutMenu {
    entries: EntryBody[];
  }

  interface PutOpeningHours {
    time_zone: string;
    weekly: Weekly;
    closed_dates?: string[];
    away: AutomaticContent;
    enabled?: boolean;
  }

  interface PutSubscriberTags {
    tags: string[];
  }

  interface PutThreadTags {
    tags: string[];
  }

  interface QuoteResponse {
    seq: number;
    sender_id: string | null;
    sender_name: string;
    is_channel: boolean;
    preview: string | null;
    kind: Kind | null;
    recalled: boolean;
  }

  interface ReactionsChanged {
    event_id: string;
    type: "reactions.changed";
    stream_id: string;
    at: string;
    seq: number;
    conversation_id?: string;
    channel_id?: string;
    group_id?: string;
    user_id?: string;
    counts: { [name: string]: number };
    total: number;
    mine?: string[];
  }

  interface ReactorResponse {
    user_id: string;
    name: string;
    face_url: string;
    reacted_at: string;
  }

  interface ReadMarkResponse {
    conversation_id: string;
    read_seq: number;
    unread_count: number;
  }

  interface ReadScopeBody {
    scope: string;
  }

  interface ReadUpTo {
    seq?: number | null;
  }

  type Reason = "opted_out" | "left" | "blocked" | "switched_off" | "business" | "other";

  interface RegisterDevice {
    platform: "web" | "gateway";
    subscription?: Subscription | null;
    pushkey?: string | null;
    app_id: string;
    locale: string;
    name?: string;
  }

  interface ReminderResponse {
    reminded_at: string;
  }

  interface RemoveMember {
    ban?: boolean;
  }

  interface RenameConversationGroup {
    name: string;
  }

  interface ReplaySince {
    since: string;
  }

  interface ReplayedResponse {
    replayed: number;
    next_since: string | null;
  }

  interface ReportCaseResponse {
    report_id: string;
    target: ReportTargetResponse;
    content: ContentResponse | null;
    profile: ReportedProfileResponse | null;
    author_id: string | null;
    count: number;
    reasons: { [name: string]: number };
    texts: ReportTextResponse[];
    first_at: string;
    last_at: string;
    state: CaseState;
    resolution: ReportResolutionResponse | null;
    resolved_by: string | null;
  }

  interface ReportOpened {
    event_id: string;
    type: "report.opened";
    stream_id: null;
    at: string;
    report_id: string;
    target: ReportedTarget;
    reason: ReportReason;
  }

  type ReportReason = "spam" | "abuse" | "violence" | "sexual" | "illegal" | "impersonation" | "other";

  interface ReportResolutionResponse {
    action: CaseAction;
    mode: SuspensionMode | null;
    until: string | null;
    note: string;
    user_id: string | null;
    at: string;
  }

  interface ReportTargetResponse {
    type: TargetType;
    channel_id: string | null;
    group_id: string | null;
    seq: number | null;
    post_seq: number | null;
    user_id: string | null;
  }

  interface ReportTextResponse {
    reason: ReportReason;
    text: string;
    at: string;
  }

  interface ReportedProfileResponse {
    name: string;
    introduction: string;
    face_url: string;
  }

  interface ReportedResponse {
    report_id: string;
    status: "open";
  }

  interface ReportedTarget {
    type: TargetType;
    channel_id?: string | null;
    group_id?: string | null;
    seq?: number | null;
    post_seq?: number | null;
    user_id?: string | null;
  }

  type RequestEnd = "approved" | "refused" | "withdrawn" | "joined";

  interface RequestLinkResponse {
    code: string;
    name: string;
  }

  interface Restrict {
    until?: string | null;
    reason?: string;
  }

  interface RestrictedUserResponse {
    user_id: string;
    until: string | null;
    reason: string;
    at: string;
    name: string;
    by: string;
  }

  interface RestrictionResponse {
    user_id: string;
    until: string | null;
    reason: string;
    at: string;
  }

  type Role = "owner" | "admin" | "member";

  interface RotateSecret {
    secret?: string;
  }

  interface SeenBody {
    seqs: number[];
  }

  interface SegmentBody {
    all?: string[];
    any?: string[];
    none?: string[];
  }

  interface SegmentResponse {
    all: string[];
    any: string[];
    none: string[];
  }

  interface SelectEntry {
    entry: string;
    version?: number | null;
  }

  interface SelectionResponse {
    entry: string;
    kind: ActionKind;
    message: DialogueMessageResponse | null;
  }

  interface SentToManyResponse {
    results: SentToUserResponse[];
  }

  interface SentToUserResponse {
    user_id: string;
    message_id: string | null;
    seq: number | null;
    created_at: string | null;
    error: ItemProblem | null;
  }

  interface SetUser {
    name?: string;
    face_url?: string;
    user_id: string;
    account_kind?: AccountKind;
  }

  interface SetUsers {
    users: SetUser[];
  }

  interface SettingsBody {
    visibility?: "public" | "private";
    reactions?: "all" | "basic" | "none" | string[];
    reactions_per_user?: number;
    distinct_reactions?: number;
    comments?: Commenting;
    retention_days?: number;
    accept_messages?: AcceptMessages;
    signatures?: boolean;
    protect_content?: boolean;
    count_clicks?: boolean;
  }

  interface SettingsResponse {
    visibility: Visibility;
    reactions: string | string[];
    reactions_per_user: number;
    distinct_reactions: number;
    comments: Commenting;
    retention_days: number;
    accept_messages: AcceptMessages;
    signatures: boolean;
    protect_content: boolean;
    count_clicks: boolean;
  }

  interface ShareLinkResponse {
    url: string;
    is_public: boolean;
    title: string;
    qr_svg: string;
    embed_html: string | null;
  }

  type State = "scheduled" | "running" | "stopped" | "done" | "failed";

  interface SubEntryBody {
    url?: string | null;
    reply?: string | null;
    data?: string | null;
    form?: string | null;
    kind: ActionKind;
    text: string;
  }

  interface SubEntryResponse {
    text: string;
    kind: ActionKind;
    url: string | null;
    reply: string | null;
    data: string | null;
    form: string | null;
  }

  interface SubscribedChannel {
    channel_id: string;
    name: string;
    face_url: string;
    introduction: string;
    verified: boolean;
    created_at: string;
    organization: string;
    custom_data: string;
    subscriber_count: number;
    subscribed_at: string;
  }

  interface SubscriberResponse {
    user_id: string;
    name: string;
    face_url: string;
    role: Role;
    subscribed_at: string;
    muted_until: string | null;
    tags: string[] | null;
  }

  interface SubscriberTagResponse {
    tag: string;
    subscribers: number;
  }

  interface SubscriberTagsResponse {
    channel_id: string;
    user_id: string;
    tags: string[];
  }

  interface Subscription {
    endpoint: string;
    expirationTime?: number | null;
    keys: SubscriptionKeys;
  }

  interface SubscriptionKeys {
    p256dh: string;
    auth: string;
  }

  interface Suspend {
    mode: SuspensionMode;
    reason?: string;
  }

  type SuspensionMode = "readable" | "hidden";

  interface SuspensionResponse {
    mode: SuspensionMode;
    reason: string | null;
    at: string;
  }

  interface SyncConversation {
    conversation_id: string;
    type: ConversationType;
    group_id: string | null;
    peer_id: string | null;
    title: string;
    face_url: string;
    unread_count: number;
    read_seq: number;
    head_seq: number;
    version: number;
    last_message: LastMessageResponse | null;
    muted: boolean;
    muted_until: string | null;
    notifications: NotificationLevel;
    accept: boolean;
    pinned_at: string | null;
    hidden: boolean;
    draft: string;
    custom_data: string;
    conversation_groups: string[];
    is_channel: boolean;
    verified: boolean;
    channel: ChannelResponse | null;
    group: GroupResponse | null;
    again: boolean;
  }

  interface SyncEnd {
    conversation_id: string;
    ended: End;
    again: boolean;
  }

  interface SyncResponse {
    items: (SyncConversation | SyncEnd)[];
    next_cursor: string | null;
    sync_token: string | null;
    unread: UnreadResponse;
    conversation_groups: ConversationGroupResponse[];
    invitations: Page<OwnInvitationResponse | OwnGroupInvitationResponse> | null;
    user: OwnUserResponse | null;
    limits: { [name: string]: number | null } | null;
  }

  interface TagImportProgress {
    received: number;
    changed: number;
    unchanged: number;
    refused: number;
    results: TagImportResult[];
    done?: boolean;
    error?: ItemError | null;
  }

  interface TagImportResult {
    user_id?: string;
    line?: number;
    result: "changed" | "unchanged" | "not_subscribed" | "tag_limit" | "invalid_request";
    detail?: string;
  }

  interface TagLine {
    user_id: string;
    tags?: string[] | null;
    add?: string[];
    remove?: string[];
  }

  interface TallyResponse {
    counts: { [name: string]: number };
    total: number;
    mine: string[];
  }

  interface TargetBody {
    type: TargetType;
    channel_id?: string | null;
    group_id?: string | null;
    conversation_id?: string | null;
    seq?: number | null;
    post_seq?: number | null;
    user_id?: string | null;
  }

  type TargetType = "post" | "message" | "comment" | "channel" | "group" | "user";

  interface ThreadLastMessageResponse {
    seq: number;
    preview: string;
    kind: Kind | null;
    recalled: boolean;
    at: string;
    from_channel: boolean;
  }

  interface ThreadMessageInEvent {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    forwarded_from: ForwardedFrom | null;
    quoted_seq: number | null;
    automatic: boolean;
    message_id: string;
    seq: number;
    sender_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    channel_id: string;
    user_id: string;
    from_channel: boolean;
    author_id: string | null;
    broadcast_id: string | null;
  }

  interface ThreadMessageResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    forwarded_from: ForwardedFrom | null;
    quoted_seq: number | null;
    automatic: boolean;
    message_id: string;
    seq: number;
    sender_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    reactions: TallyResponse;
    channel_id: string;
    user_id: string;
    from_channel: boolean;
    author_id: string | null;
    broadcast_id: string | null;
  }

  interface ThreadPage {
    items: ThreadMessageResponse[];
    next_cursor: string | null;
    newer_cursor: string | null;
    first_unread_seq: number | null;
    version: number | null;
  }

  interface ThreadReadResponse {
    channel_id: string;
    user_id: string;
    read_seq: number;
    unread_count: number;
  }

  interface ThreadResponse {
    channel_id: string;
    user_id: string;
    name: string;
    face_url: string;
    head_seq: number;
    version: number;
    read_seq: number;
    unread_count: number;
    tags: string[];
    last_message: ThreadLastMessageResponse | null;
  }

  interface ThreadTagsResponse {
    channel_id: string;
    user_id: string;
    tags: string[];
  }

  interface TimelinePostResponse {
    kind: Kind | null;
    title: string | null;
    text: string | null;
    links: LinkResponse[] | null;
    images: MediaResponse[] | null;
    video: MediaResponse | null;
    audio: MediaResponse | null;
    file: MediaResponse | null;
    location: LocationResponse | null;
    poll: PollResponse | null;
    custom: JsonValue;
    form_answer: FormAnswerResponse | null;
    buttons: ButtonResponse[][] | null;
    silent: boolean;
    signature: string | null;
    forwarded_from: ForwardedFrom | null;
    acknowledge: AcknowledgeResponse | null;
    pinned: boolean;
    reactions_frozen: boolean;
    channel_id: string;
    post_id: string;
    seq: number;
    channel_name: string;
    author_id: string | null;
    created_at: string;
    edited_at: string | null;
    recalled_at: string | null;
    version: number;
    views: number;
    comment_count: number | null;
    comments_open: boolean;
    comments_frozen: boolean;
    reactions: TallyResponse;
    type: "post";
  }

  interface UnreadResponse {
    total: number;
    channels: number;
    chats: number;
    conversation_groups: { [name: string]: number };
  }

  interface UpdateChannel {
    name?: string;
    face_url?: string;
    organization?: string;
    introduction?: string;
    custom_data?: string;
    settings?: SettingsBody;
  }

  interface UpdateConversation {
    muted?: boolean;
    muted_until?: string | null;
    notifications?: "all" | "none";
    accept?: boolean;
    pinned?: boolean;
    hidden?: boolean;
    draft?: string;
    custom_data?: string;
  }

  interface UpdateGroup {
    name?: string;
    introduction?: string;
    notification?: string;
    face_url?: string;
    custom?: { [name: string]: string | null };
    posting?: Posting;
    join_option?: JoinOption;
    history_visible?: boolean;
    muted_all?: boolean;
    reactions?: "all" | "basic" | "none" | string[];
    reactions_per_user?: number;
    distinct_reactions?: number;
    retention_days?: number;
  }

  interface UpdateUser {
    name?: string;
    face_url?: string;
  }

  interface UserDeleted {
    event_id: string;
    type: "user.deleted";
    stream_id: null;
    at: string;
    user_id: string;
  }

  interface UserMissing {
    user_id: string;
    error: ItemError;
  }

  interface UserResponse {
    user_id: string;
    name: string;
    face_url: string;
    account_kind: AccountKind;
  }

  interface UserRestricted {
    event_id: string;
    type: "user.restricted";
    stream_id: null;
    at: string;
    user_id: string;
    until: string | null;
    reason: string;
  }

  interface UserUnrestricted {
    event_id: string;
    type: "user.unrestricted";
    stream_id: null;
    at: string;
    user_id: string;
  }

  type Visibility = "public" | "profile" | "private";

  interface VoteBody {
    options: number[];
  }

  interface VoterResponse {
    user_id: string;
    name: string;
    face_url: string;
    voted_at: string;
  }

  interface WebhookDisabled {
    event_id: string;
    type: "webhook.disabled";
    stream_id: string;
    at: string;
    conversation_id: string;
    channel_id: string;
    webhook_id: string;
    reason: DisabledReason;
  }

  interface WebhookResponse {
    webhook_id: string;
    channel_id: string | null;
    url: string;
    event_types: string[];
    description: string;
    receives_inbox: boolean;
    enabled: boolean;
    disabled_reason: DisabledReason | null;
    disabled_at: string | null;
    old_secrets_until: string | null;
    created_by: string;
    created_at: string;
    updated_at: string;
  }

  interface WebhookWithSecret {
    webhook_id: string;
    channel_id: string | null;
    url: string;
    event_types: string[];
    description: string;
    receives_inbox: boolean;
    enabled: boolean;
    disabled_reason: DisabledReason | null;
    disabled_at: string | null;
    old_secrets_until: string | null;
    created_by: string;
    created_at: string;
    updated_at: string;
    secret: string;
  }

  interface Weekly {
    mon?: string[][];
    tue?: string[][];
    wed?: string[][];
    thu?: string[][];
    fri?: string[][];
    sat?: string[][];
    sun?: string[][];
  }

  interface WeeklyResponse {
    mon: string[][];
    tue: string[][];
    wed: string[][];
    thu: string[][];
    fri: string[][];
    sat: string[][];
    sun: string[][];
  }

  interface WriteComment {
    kind: "text" | "image" | "text_and_image";
    text?: string;
    images?: string[];
  }

  interface WriteMessage {
    kind: Kind;
    title?: string;
    text?: string;
    links?: LinkBody[];
    images?: string[];
    video?: string | null;
    poster?: string | null;
    audio?: string | null;
    file?: string | null;
    location?: LocationBody | null;
    poll?: PollBody | null;
    custom?: JsonValue;
    buttons?: ButtonBody[][];
  }

  interface GetCalls {
    "/v1/admin-log": Call<{ limit?: number; cursor?: string; action?: AdminAction; actor_id?: string; target_id?: string }, never, Page<AdminLogEntryResponse>>;
    "/v1/blocks": Call<{ limit?: number; cursor?: string }, never, Page<BlockResponse>>;
    "/v1/channels": Call<{ limit?: number; cursor?: string; ids?: string; subscribed?: boolean; updated_since?: string; owned?: boolean; suspended?: boolean; all?: boolean; q?: string; sort?: "popular" | "new" | "active" }, never, ChannelPage>;
    [path: `/v1/channels/${Part}`]: Call<Nothing, never, ChannelResponse>;
    [path: `/v1/channels/${Part}/admin-log`]: Call<{ limit?: number; cursor?: string; action?: AdminAction; actor_id?: string; target_id?: string }, never, Page<AdminLogEntryResponse>>;
    [path: `/v1/channels/${Part}/admins`]: Call<{ limit?: number; cursor?: string }, never, Page<AdminResponse>>;
    [path: `/v1/channels/${Part}/auto-replies`]: Call<{ limit?: number; cursor?: string }, never, Page<AutoReplyResponse>>;
    [path: `/v1/channels/${Part}/auto-replies/${Part}`]: Call<Nothing, never, AutoReplyResponse>;
    [path: `/v1/channels/${Part}/bans`]: Call<{ limit?: number; cursor?: string }, never, Page<BanResponse>>;
    [path: `/v1/channels/${Part}/broadcast-opt-out`]: Call<Nothing, never, OptOutResponse>;
    [path: `/v1/channels/${Part}/broadcasts`]: Call<{ limit?: number; cursor?: string }, never, Page<BroadcastResponse>>;
    [path: `/v1/channels/${Part}/broadcasts/${Part}`]: Call<Nothing, never, BroadcastResponse>;
    [path: `/v1/channels/${Part}/broadcasts/${Part}/not-reached`]: Call<{ limit?: number; cursor?: string }, never, Page<NotReachedResponse>>;
    [path: `/v1/channels/${Part}/canned-replies`]: Call<{ limit?: number; cursor?: string }, never, Page<CannedReplyResponse>>;
    [path: `/v1/channels/${Part}/comment-bans`]: Call<{ limit?: number; cursor?: string }, never, Page<BanResponse>>;
    [path: `/v1/channels/${Part}/drafts`]: Call<{ limit?: number; cursor?: string; scheduled?: boolean }, never, Page<DraftResponse>>;
    [path: `/v1/channels/${Part}/drafts/${Part}`]: Call<Nothing, never, DraftResponse>;
    [path: `/v1/channels/${Part}/forms`]: Call<{ limit?: number; cursor?: string }, never, Page<FormResponse>>;
    [path: `/v1/channels/${Part}/forms/${Part}`]: Call<Nothing, never, FormResponse>;
    [path: `/v1/channels/${Part}/greeting`]: Call<Nothing, never, GreetingResponse>;
    [path: `/v1/channels/${Part}/inbox`]: Call<{ limit?: number; cursor?: string; tag?: string }, never, Page<ThreadResponse>>;
    [path: `/v1/channels/${Part}/inbox/tags`]: Call<{ limit?: number; cursor?: string }, never, Page<InboxTagResponse>>;
    [path: `/v1/channels/${Part}/inbox/unread`]: Call<Nothing, never, InboxUnreadResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages`]: Call<{ limit?: number; cursor?: string; before_seq?: number; after_seq?: number; changed_since?: number; around_seq?: number; around?: "unread" }, never, ThreadPage>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages/${number}`]: Call<Nothing, never, ThreadMessageResponse>;
    [path: `/v1/channels/${Part}/insights`]: Call<{ from?: string; to?: string; format?: "json" | "csv"; table?: "days" | "hours" }, never, InsightsResponse>;
    [path: `/v1/channels/${Part}/insights/posts`]: Call<{ limit?: number; cursor?: string; format?: "json" | "csv" }, never, Page<PostInsightsResponse>>;
    [path: `/v1/channels/${Part}/invitations`]: Call<{ limit?: number; cursor?: string }, never, Page<InvitationResponse>>;
    [path: `/v1/channels/${Part}/invite-links`]: Call<{ limit?: number; cursor?: string; state?: "open" | "ended" }, never, Page<InviteLinkResponse>>;
    [path: `/v1/channels/${Part}/invite-links/${Part}`]: Call<Nothing, never, InviteLinkWithQrResponse>;
    [path: `/v1/channels/${Part}/join-requests`]: Call<{ limit?: number; cursor?: string }, never, Page<JoinRequestResponse>>;
    [path: `/v1/channels/${Part}/menu`]: Call<Nothing, never, MenuResponse>;
    [path: `/v1/channels/${Part}/opening-hours`]: Call<Nothing, never, OpeningHoursResponse>;
    [path: `/v1/channels/${Part}/pins`]: Call<Nothing, never, Page<PostResponse>>;
    [path: `/v1/channels/${Part}/posts`]: Call<{ limit?: number; cursor?: string; before_seq?: number; after_seq?: number; changed_since?: number; around_seq?: number; around?: "unread" }, never, PostPage>;
    [path: `/v1/channels/${Part}/posts/${number}`]: Call<Nothing, never, PostResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/acknowledgements`]: Call<{ limit?: number; cursor?: string; state?: "given" | "missing" }, never, AcknowledgementPage>;
    [path: `/v1/channels/${Part}/posts/${number}/clicks`]: Call<Nothing, never, PostClicksResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/comments`]: Call<{ limit?: number; cursor?: string; before_seq?: number; after_seq?: number; changed_since?: number; around_seq?: number; around?: "unread" }, never, CommentPageResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/comments/${number}`]: Call<Nothing, never, CommentResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions/${Part}`]: Call<{ limit?: number; cursor?: string }, never, Page<ReactorResponse>>;
    [path: `/v1/channels/${Part}/posts/${number}/report`]: Call<Nothing, never, PostReportResponse>;
    [path: `/v1/channels/${Part}/reaction-bans`]: Call<{ limit?: number; cursor?: string }, never, Page<BanResponse>>;
    [path: `/v1/channels/${Part}/reports`]: Call<{ limit?: number; cursor?: string; state?: CaseState }, never, Page<ReportCaseResponse>>;
    [path: `/v1/channels/${Part}/share-link`]: Call<{ seq?: number }, never, ShareLinkResponse>;
    [path: `/v1/channels/${Part}/subscriber-tags`]: Call<{ limit?: number; cursor?: string }, never, Page<SubscriberTagResponse>>;
    [path: `/v1/channels/${Part}/subscribers`]: Call<{ limit?: number; cursor?: string; q?: string; staff?: boolean; tag?: string }, never, Page<SubscriberResponse>>;
    [path: `/v1/channels/${Part}/webhooks`]: Call<{ limit?: number; cursor?: string }, never, Page<WebhookResponse>>;
    [path: `/v1/channels/${Part}/webhooks/${Part}`]: Call<Nothing, never, WebhookResponse>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/deliveries`]: Call<{ limit?: number; cursor?: string; status?: DeliveryStatus }, never, Page<DeliveryResponse>>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/deliveries/${Part}`]: Call<Nothing, never, DeliveryResponse>;
    "/v1/conversation-groups": Call<Nothing, never, Page<ConversationGroupResponse>>;
    "/v1/conversations": Call<{ limit?: number; cursor?: string; ids?: string; conversation_group?: string; type?: ConversationType; unread?: boolean; include_hidden?: boolean }, never, Page<ConversationResponse | ConversationMissing>>;
    [path: `/v1/conversations/${Part}`]: Call<Nothing, never, ConversationResponse>;
    [path: `/v1/conversations/${Part}/messages`]: Call<{ limit?: number; cursor?: string; before_seq?: number; after_seq?: number; changed_since?: number; around_seq?: number; around?: "unread"; to?: "user"; with_posts?: boolean }, never, DialoguePage>;
    [path: `/v1/conversations/${Part}/messages/${number}`]: Call<Nothing, never, DialogueMessageResponse>;
    "/v1/default-channels": Call<Nothing, never, DefaultChannelList>;
    "/v1/devices": Call<{ limit?: number; cursor?: string }, never, Page<DeviceResponse>>;
    [path: `/v1/devices/${Part}`]: Call<Nothing, never, DeviceResponse>;
    "/v1/events": Call<{ after?: string; types?: string; channel_id?: string; wait?: number; limit?: number }, never, EventsResponse>;
    "/v1/feed": Call<{ limit?: number; cursor?: string; conversation_group?: string }, never, Page<FeedItemResponse>>;
    "/v1/groups": Call<{ limit?: number; cursor?: string; ids?: string; joined?: boolean; all?: boolean; type?: GroupType }, never, Page<GroupResponse | GroupMissing>>;
    [path: `/v1/groups/${Part}`]: Call<Nothing, never, GroupResponse>;
    [path: `/v1/groups/${Part}/bans`]: Call<{ limit?: number; cursor?: string }, never, Page<BanResponse>>;
    [path: `/v1/groups/${Part}/invitations`]: Call<{ limit?: number; cursor?: string }, never, Page<InvitationResponse>>;
    [path: `/v1/groups/${Part}/invite-links`]: Call<{ limit?: number; cursor?: string; state?: "open" | "ended" }, never, Page<InviteLinkResponse>>;
    [path: `/v1/groups/${Part}/invite-links/${Part}`]: Call<Nothing, never, InviteLinkWithQrResponse>;
    [path: `/v1/groups/${Part}/join-requests`]: Call<{ limit?: number; cursor?: string }, never, Page<JoinRequestResponse>>;
    [path: `/v1/groups/${Part}/members`]: Call<{ limit?: number; cursor?: string; q?: string; staff?: boolean }, never, Page<MemberResponse>>;
    [path: `/v1/groups/${Part}/members/${Part}`]: Call<Nothing, never, MemberResponse>;
    [path: `/v1/groups/${Part}/messages`]: Call<{ limit?: number; cursor?: string; before_seq?: number; after_seq?: number; changed_since?: number; around_seq?: number; around?: "unread" }, never, GroupMessagePage>;
    [path: `/v1/groups/${Part}/messages/${number}`]: Call<Nothing, never, MessageResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/acknowledgements`]: Call<{ limit?: number; cursor?: string; state?: "given" | "missing" }, never, AcknowledgementPage>;
    [path: `/v1/groups/${Part}/messages/${number}/reactions`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/reactions/${Part}`]: Call<{ limit?: number; cursor?: string }, never, Page<ReactorResponse>>;
    [path: `/v1/groups/${Part}/messages/${number}/vote/${number}`]: Call<{ limit?: number; cursor?: string }, never, Page<VoterResponse>>;
    "/v1/invitations": Call<{ limit?: number; cursor?: string }, never, Page<OwnInvitationResponse | OwnGroupInvitationResponse>>;
    [path: `/v1/invite-links/${Part}`]: Call<Nothing, never, InvitePreviewResponse>;
    "/v1/join-requests": Call<{ limit?: number; cursor?: string }, never, Page<OwnJoinRequestResponse>>;
    [path: `/v1/media/${Part}`]: Call<{ size?: MediaSize }, never, null>;
    "/v1/push": Call<Nothing, never, PushResponse>;
    "/v1/reports": Call<{ limit?: number; cursor?: string; state?: CaseState; type?: TargetType }, never, Page<ReportCaseResponse>>;
    [path: `/v1/reports/${Part}`]: Call<Nothing, never, ReportCaseResponse>;
    "/v1/restrictions": Call<{ limit?: number; cursor?: string }, never, Page<RestrictedUserResponse>>;
    "/v1/search/messages": Call<{ limit?: number; cursor?: string; q?: string; conversation_id?: string; kind?: Kind; sender_id?: string; from?: string; to?: string }, never, MessageSearchPage>;
    "/v1/sync": Call<{ limit?: number; cursor?: string; since?: string }, never, SyncResponse>;
    "/v1/unread": Call<{ include_muted?: boolean }, never, UnreadResponse>;
    "/v1/users": Call<{ ids?: string }, never, Page<UserResponse | UserMissing>>;
    "/v1/users/me": Call<Nothing, never, OwnUserResponse>;
    [path: `/v1/users/${Part}`]: Call<Nothing, never, UserResponse>;
    [path: `/v1/users/${Part}/channels`]: Call<{ limit?: number; cursor?: string; owned?: boolean }, never, Page<ChannelResponse>>;
    [path: `/v1/users/${Part}/deletion`]: Call<Nothing, never, DeletionResponse>;
    [path: `/v1/users/${Part}/export`]: Call<{ cursor?: string }, never, null>;
    [path: `/v1/users/${Part}/groups`]: Call<{ limit?: number; cursor?: string }, never, Page<GroupResponse>>;
    [path: `/v1/users/${Part}/restriction`]: Call<Nothing, never, RestrictionResponse>;
    "/v1/webhooks": Call<{ limit?: number; cursor?: string }, never, Page<WebhookResponse>>;
    [path: `/v1/webhooks/${Part}`]: Call<Nothing, never, WebhookResponse>;
    [path: `/v1/webhooks/${Part}/deliveries`]: Call<{ limit?: number; cursor?: string; status?: DeliveryStatus }, never, Page<DeliveryResponse>>;
    [path: `/v1/webhooks/${Part}/deliveries/${Part}`]: Call<Nothing, never, DeliveryResponse>;
  }

  interface PostCalls {
    "/v1/channels": Call<Nothing, CreateChannel, ChannelResponse>;
    [path: `/v1/channels/${Part}/broadcasts`]: Call<Nothing, CreateBroadcast, BroadcastResponse>;
    [path: `/v1/channels/${Part}/broadcasts/audience`]: Call<Nothing, CountAudience, AudienceResponse>;
    [path: `/v1/channels/${Part}/broadcasts/${Part}/resume`]: Call<Nothing, never, BroadcastResponse>;
    [path: `/v1/channels/${Part}/broadcasts/${Part}/stop`]: Call<Nothing, never, BroadcastResponse>;
    [path: `/v1/channels/${Part}/drafts`]: Call<Nothing, CreateDraft, DraftResponse>;
    [path: `/v1/channels/${Part}/drafts/${Part}/publish`]: Call<Nothing, never, PostResponse>;
    [path: `/v1/channels/${Part}/forms/${Part}/answers`]: Call<Nothing, AnswerForm, FormAnsweredResponse>;
    [path: `/v1/channels/${Part}/inbox/messages`]: Call<Nothing, NewMessageToMany, SentToManyResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages`]: Call<Nothing, NewChatMessage, ThreadMessageResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/read`]: Call<Nothing, ReadUpTo, ThreadReadResponse>;
    [path: `/v1/channels/${Part}/invitations`]: Call<Nothing, InviteAdmin, InvitationResponse>;
    [path: `/v1/channels/${Part}/invitations/me`]: Call<Nothing, AnswerToInvitation, null>;
    [path: `/v1/channels/${Part}/invite-links`]: Call<Nothing, CreateInviteLink, InviteLinkResponse>;
    [path: `/v1/channels/${Part}/join-requests`]: Call<Nothing, AnswerRequests, AnsweredRequestsResponse>;
    [path: `/v1/channels/${Part}/join-requests/${Part}`]: Call<Nothing, AnswerRequest, null>;
    [path: `/v1/channels/${Part}/menu/selections`]: Call<Nothing, SelectEntry, SelectionResponse>;
    [path: `/v1/channels/${Part}/owner`]: Call<Nothing, NewOwner, ChannelResponse>;
    [path: `/v1/channels/${Part}/posts`]: Call<Nothing, NewMessage, PostResponse>;
    [path: `/v1/channels/${Part}/posts/preview`]: Call<Nothing, NewMessage, PostResponse>;
    [path: `/v1/channels/${Part}/posts/views`]: Call<Nothing, SeenBody, Page<PostViewsResponse>>;
    [path: `/v1/channels/${Part}/posts/${number}/acknowledgements/reminder`]: Call<Nothing, never, ReminderResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/clicks`]: Call<Nothing, ClickBody, null>;
    [path: `/v1/channels/${Part}/posts/${number}/comments`]: Call<Nothing, NewComment, CommentResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/poll/close`]: Call<Nothing, never, PollResponse>;
    [path: `/v1/channels/${Part}/subscriber-tags`]: Call<{ results?: "all" | "refused" }, string, null>;
    [path: `/v1/channels/${Part}/subscribers`]: Call<{ results?: "all" | "refused" }, string, null>;
    [path: `/v1/channels/${Part}/webhooks`]: Call<Nothing, CreateWebhook, WebhookWithSecret>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/deliveries/${Part}/replay`]: Call<Nothing, never, DeliveryResponse>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/replay`]: Call<Nothing, ReplaySince, ReplayedResponse>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/rotate-secret`]: Call<Nothing, RotateSecret, WebhookWithSecret>;
    [path: `/v1/channels/${Part}/webhooks/${Part}/test`]: Call<Nothing, never, DeliveryResponse>;
    [path: `/v1/conversation-groups/${Part}/conversations`]: Call<Nothing, ChangeConversationGroup, ChangedConversationGroupResponse>;
    [path: `/v1/conversations/${Part}/messages`]: Call<{ to?: "user" }, NewChatMessage, DialogueMessageResponse>;
    [path: `/v1/conversations/${Part}/read`]: Call<Nothing, ReadUpTo, ReadMarkResponse>;
    "/v1/groups": Call<Nothing, CreateGroup, GroupResponse>;
    [path: `/v1/groups/${Part}/invitations/me`]: Call<Nothing, AnswerToInvitation, null>;
    [path: `/v1/groups/${Part}/invite-links`]: Call<Nothing, CreateInviteLink, InviteLinkResponse>;
    [path: `/v1/groups/${Part}/join-requests`]: Call<Nothing, AnswerRequests, AnsweredRequestsResponse>;
    [path: `/v1/groups/${Part}/join-requests/${Part}`]: Call<Nothing, AnswerRequest, null>;
    [path: `/v1/groups/${Part}/messages`]: Call<Nothing, NewChatMessage, MessageResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/acknowledgements/reminder`]: Call<Nothing, never, ReminderResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/poll/close`]: Call<Nothing, never, PollResponse>;
    [path: `/v1/groups/${Part}/owner`]: Call<Nothing, NewOwner, GroupResponse>;
    [path: `/v1/invite-links/${Part}/join`]: Call<Nothing, JoinByLink, JoinedByLinkResponse>;
    "/v1/link-previews": Call<Nothing, LinkToPreview, LinkPreviewResponse>;
    "/v1/media": Call<Nothing, string, MediaResponse>;
    "/v1/read": Call<Nothing, ReadScopeBody, UnreadResponse>;
    "/v1/reports": Call<Nothing, NewReport, ReportedResponse>;
    [path: `/v1/reports/${Part}/resolution`]: Call<Nothing, NewResolutionBody, ReportCaseResponse>;
    "/v1/users": Call<Nothing, SetUsers, Page<UserResponse | UserMissing>>;
    "/v1/webhooks": Call<Nothing, CreateWebhook, WebhookWithSecret>;
    [path: `/v1/webhooks/${Part}/deliveries/${Part}/replay`]: Call<Nothing, never, DeliveryResponse>;
    [path: `/v1/webhooks/${Part}/replay`]: Call<Nothing, ReplaySince, ReplayedResponse>;
    [path: `/v1/webhooks/${Part}/rotate-secret`]: Call<Nothing, RotateSecret, WebhookWithSecret>;
    [path: `/v1/webhooks/${Part}/test`]: Call<Nothing, never, DeliveryResponse>;
  }

  interface PutCalls {
    [path: `/v1/blocks/${Part}`]: Call<Nothing, never, BlockResponse>;
    [path: `/v1/channels/${Part}/admins/${Part}`]: Call<Nothing, Appoint, AdminResponse>;
    [path: `/v1/channels/${Part}/auto-replies/${Part}`]: Call<Nothing, PutAutoReply, AutoReplyResponse>;
    [path: `/v1/channels/${Part}/broadcast-opt-out`]: Call<Nothing, never, OptOutResponse>;
    [path: `/v1/channels/${Part}/canned-replies/${Part}`]: Call<Nothing, PutCannedReply, CannedReplyResponse>;
    [path: `/v1/channels/${Part}/comment-bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/default`]: Call<Nothing, never, DefaultChannelResponse>;
    [path: `/v1/channels/${Part}/forms/${Part}`]: Call<Nothing, PutForm, FormResponse>;
    [path: `/v1/channels/${Part}/greeting`]: Call<Nothing, PutGreeting, GreetingResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/tags`]: Call<Nothing, PutThreadTags, ThreadTagsResponse>;
    [path: `/v1/channels/${Part}/menu`]: Call<Nothing, PutMenu, MenuResponse>;
    [path: `/v1/channels/${Part}/opening-hours`]: Call<Nothing, PutOpeningHours, OpeningHoursResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/acknowledgement`]: Call<Nothing, never, AcknowledgeResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/buttons/${number}/press`]: Call<{ text?: string }, never, PressResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/comments-freeze`]: Call<Nothing, never, PostResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/comments/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/pin`]: Call<Nothing, never, PostResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions-freeze`]: Call<Nothing, never, PostResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/vote`]: Call<Nothing, VoteBody, PollResponse>;
    [path: `/v1/channels/${Part}/reaction-bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/subscribers/${Part}`]: Call<Nothing, never, AddedSubscriberResponse>;
    [path: `/v1/channels/${Part}/subscribers/${Part}/tags`]: Call<Nothing, PutSubscriberTags, SubscriberTagsResponse>;
    [path: `/v1/channels/${Part}/subscription`]: Call<Nothing, never, ChannelResponse>;
    [path: `/v1/channels/${Part}/suspension`]: Call<Nothing, Suspend, null>;
    [path: `/v1/channels/${Part}/verified`]: Call<Nothing, never, ChannelResponse>;
    [path: `/v1/conversation-groups/${Part}`]: Call<Nothing, AddConversations, ChangedConversationGroupResponse>;
    [path: `/v1/conversations/${Part}/messages/${number}/buttons/${number}/press`]: Call<{ text?: string }, never, PressResponse>;
    [path: `/v1/conversations/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/devices/${Part}`]: Call<Nothing, RegisterDevice, DeviceResponse>;
    [path: `/v1/groups/${Part}/members/me`]: Call<Nothing, JoinGroup, GroupResponse>;
    [path: `/v1/groups/${Part}/members/${Part}`]: Call<Nothing, never, AddedResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/acknowledgement`]: Call<Nothing, never, AcknowledgeResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/vote`]: Call<Nothing, VoteBody, PollResponse>;
    [path: `/v1/users/${Part}/restriction`]: Call<Nothing, Restrict, RestrictionResponse>;
  }

  interface PatchCalls {
    [path: `/v1/channels/${Part}`]: Call<Nothing, UpdateChannel, ChannelResponse>;
    [path: `/v1/channels/${Part}/drafts/${Part}`]: Call<Nothing, ChangeDraft, DraftResponse>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages/${number}`]: Call<Nothing, WriteMessage, ThreadMessageResponse>;
    [path: `/v1/channels/${Part}/invite-links/${Part}`]: Call<Nothing, ChangeInviteLink, InviteLinkResponse>;
    [path: `/v1/channels/${Part}/posts/${number}`]: Call<Nothing, WriteMessage, PostResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/comments/${number}`]: Call<Nothing, WriteComment, CommentResponse>;
    [path: `/v1/channels/${Part}/webhooks/${Part}`]: Call<Nothing, ChangeWebhook, WebhookResponse>;
    [path: `/v1/conversation-groups/${Part}`]: Call<Nothing, RenameConversationGroup, ConversationGroupResponse>;
    [path: `/v1/conversations/${Part}`]: Call<Nothing, UpdateConversation, ConversationResponse>;
    [path: `/v1/conversations/${Part}/messages/${number}`]: Call<Nothing, WriteMessage, DialogueMessageResponse>;
    [path: `/v1/groups/${Part}`]: Call<Nothing, UpdateGroup, GroupResponse>;
    [path: `/v1/groups/${Part}/invite-links/${Part}`]: Call<Nothing, ChangeInviteLink, InviteLinkResponse>;
    [path: `/v1/groups/${Part}/members/${Part}`]: Call<Nothing, ChangeMember, MemberResponse>;
    [path: `/v1/groups/${Part}/messages/${number}`]: Call<Nothing, WriteMessage, MessageResponse>;
    "/v1/users/me": Call<Nothing, UpdateUser, OwnUserResponse>;
    [path: `/v1/webhooks/${Part}`]: Call<Nothing, ChangeWebhook, WebhookResponse>;
  }

  interface DeleteCalls {
    [path: `/v1/blocks/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/admins/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/auto-replies/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/broadcast-opt-out`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/canned-replies/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/comment-bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/default`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/drafts/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/forms/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/greeting`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages/${number}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/inbox/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/invitations/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/invite-links/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/join-requests/me`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/menu`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/opening-hours`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}/comments-freeze`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}/comments/${number}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}/comments/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/pin`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions-freeze`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/posts/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/channels/${Part}/posts/${number}/vote`]: Call<Nothing, never, PollResponse>;
    [path: `/v1/channels/${Part}/reaction-bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/subscribers/${Part}`]: Call<{ ban?: boolean }, RemoveMember, null>;
    [path: `/v1/channels/${Part}/subscription`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/suspension`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/verified`]: Call<Nothing, never, null>;
    [path: `/v1/channels/${Part}/webhooks/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/conversation-groups/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/conversations/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/conversations/${Part}/messages/${number}`]: Call<Nothing, never, null>;
    [path: `/v1/conversations/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/devices/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/bans/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/invitations/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/invite-links/${Part}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/join-requests/me`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/members/me`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/members/${Part}`]: Call<{ ban?: boolean }, RemoveMember, null>;
    [path: `/v1/groups/${Part}/messages/${number}`]: Call<Nothing, never, null>;
    [path: `/v1/groups/${Part}/messages/${number}/reactions/${Part}`]: Call<Nothing, never, TallyResponse>;
    [path: `/v1/groups/${Part}/messages/${number}/vote`]: Call<Nothing, never, PollResponse>;
    [path: `/v1/users/${Part}`]: Call<Nothing, DeleteUser, DeletionResponse>;
    [path: `/v1/users/${Part}/restriction`]: Call<Nothing, never, null>;
    [path: `/v1/users/${Part}/tokens`]: Call<Nothing, never, null>;
    [path: `/v1/webhooks/${Part}`]: Call<Nothing, never, null>;
  }
}
