// What the API takes and answers, made from its OpenAPI document by `python -m tests.api_types`.

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export type AcceptMessages = "everyone" | "subscribers" | "nobody";

export type AccountKind = "person" | "business";

export interface AcknowledgeResponse {
  count: number;
  mine: boolean;
}

export interface AcknowledgementCounts {
  asked: number;
  given: number;
  missing: number;
}

export interface AcknowledgementPage {
  items: AskedResponse[];
  next_cursor: string | null;
  counts: AcknowledgementCounts;
  reminded_at: string | null;
}

export interface AcknowledgementReminder {
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

export interface AcknowledgementsChanged {
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

export type ActionKind = "link" | "reply" | "event" | "form";

export interface AddConversations {
  conversation_ids?: string[];
}

export type AddedResponse = MemberResponse | InvitedResponse;

export type AddedSubscriberResponse = SubscriberResponse | InvitedResponse;

export type AdminAction =
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

export interface AdminLogEntryResponse {
  entry_id: string;
  action: AdminAction;
  actor_id: string;
  by_app: boolean;
  target_id: string | null;
  before: { [name: string]: unknown };
  after: { [name: string]: unknown };
  at: string;
}

export interface AdminResponse {
  user_id: string;
  name: string;
  face_url: string;
  role: Role;
  subscribed_at: string;
  muted_until: string | null;
  grants: Grant[];
}

export interface AnswerForm {
  answers: { [name: string]: string | number | boolean | null };
}

export interface AnswerRequest {
  approve: boolean;
}

export interface AnswerRequests {
  user_ids: string[];
  approve: boolean;
}

export interface AnswerToInvitation {
  accept: boolean;
}

export interface AnsweredRequestsResponse {
  items: AnsweredResponse[];
}

export interface AnsweredResponse {
  user_id: string;
  error: ItemError | null;
}

export interface Appoint {
  grants?: Grant[];
}

export interface AskedResponse {
  user_id: string;
  name: string;
  face_url: string;
  acknowledged_at: string | null;
}

export interface AttemptResponse {
  at: string;
  latency_ms: number;
  response_status: number | null;
  response_body: string | null;
  error: string | null;
}

export interface AudienceResponse {
  count: number;
  is_exact: boolean;
}

export interface AutoReplyResponse {
  channel_id: string;
  name: string;
  keywords: string[];
  match: Match;
  answer: AutomaticContentResponse;
  enabled: boolean;
  changed_at: string;
  changed_by: string;
}

export interface AutomaticContent {
  text: string;
  buttons?: ButtonBody[][] | null;
}

export interface AutomaticContentResponse {
  text: string;
  buttons: ButtonResponse[][] | null;
}

export interface BanResponse {
  user_id: string;
  banned_at: string | null;
  banned_by: string | null;
}

export interface BlockChanged {
  event_id: string;
  type: "block.changed";
  stream_id: null;
  at: string;
  user_id: string;
  blocked: boolean;
  blocker_id?: string;
}

export interface BlockResponse {
  user_id: string;
  blocked_at: string;
}

export interface BroadcastChanged {
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

export interface BroadcastEnded {
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

export interface BroadcastFailure {
  code: string;
  detail: string;
}

export interface BroadcastResponse {
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

export interface BroadcastStarted {
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

export interface ButtonBody {
  url?: string | null;
  reply?: string | null;
  data?: string | null;
  form?: string | null;
  kind: ActionKind;
  text: string;
}

export interface ButtonPressed {
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

export interface ButtonResponse {
  kind: ActionKind;
  url: string | null;
  reply: string | null;
  data: string | null;
  form: string | null;
  text: string;
  presses: number | null;
  pressed: boolean;
}

export interface ButtonsChanged {
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

export interface CannedReplyResponse {
  channel_id: string;
  name: string;
  text: string;
  changed_at: string;
  changed_by: string;
}

export type CaseAction = "dismiss" | "delete" | "suspend_channel" | "restrict_user";

export type CaseState = "open" | "resolved";

export interface ChangeConversationGroup {
  add?: string[];
  remove?: string[];
}

export interface ChangeDraft {
  post?: DraftPost;
  publish_at?: string | null;
}

export interface ChangeInviteLink {
  name?: string;
  expires_at?: string | null;
  max_uses?: number | null;
  approval?: boolean;
}

export interface ChangeMember {
  role?: "admin" | "member";
  mute_seconds?: number;
  name_card?: string;
}

export interface ChangeWebhook {
  url?: string;
  event_types?: string[];
  description?: string;
  enabled?: boolean;
}

export interface ChangedChannel {
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

export interface ChangedConversation {
  muted?: boolean | null;
  muted_until?: string | null;
  notifications?: "all" | "none" | null;
  accept?: boolean | null;
  pinned_at?: string | null;
  hidden?: boolean | null;
  draft?: "" | null;
  custom_data?: string | null;
}

export interface ChangedConversationGroupResponse {
  name: string;
  unread_count: number;
  conversation_count: number;
  built_in: boolean;
  results: ConversationResult[];
}

export interface ChangedGroup {
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

export interface ChangedSettings {
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

export interface ChannelDeleted {
  event_id: string;
  type: "channel.deleted";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id: string;
}

export interface ChannelGone {
  channel_id: string;
  gone: DepartureReason;
  gone_at: string;
}

export interface ChannelInvitationEnded {
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

export interface ChannelInvited {
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

export interface ChannelMissing {
  channel_id: string;
  error: ItemError;
}

export interface ChannelPage {
  items: (ChannelResponse | ChannelMissing | ChannelGone)[];
  next_cursor?: string | null;
  sync_token?: string | null;
}

export interface ChannelReinstated {
  event_id: string;
  type: "channel.reinstated";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id: string;
  version: number;
}

export interface ChannelResponse {
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

export interface ChannelSubscribed {
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

export interface ChannelSuspended {
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

export interface ChannelUnsubscribed {
  event_id: string;
  type: "channel.unsubscribed";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id: string;
  user_id: string;
  reason: LeaveReason;
}

export interface ChannelUpdated {
  event_id: string;
  type: "channel.updated";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id: string;
  changed: ChangedChannel;
  version: number;
}

export interface ClickBody {
  url: string;
}

export interface CommentEdited {
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

export interface CommentInEvent {
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

export interface CommentPageResponse {
  items: CommentResponse[];
  next_cursor: string | null;
  newer_cursor: string | null;
  first_unread_seq: number | null;
  version: number | null;
}

export interface CommentPosted {
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

export interface CommentReacted {
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

export interface CommentRecalled {
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

export interface CommentResponse {
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

export type Commenting = "off" | "subscribers" | "everyone";

export interface ContentResponse {
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

export interface ConversationEnded {
  event_id: string;
  type: "conversation.ended";
  stream_id: string;
  at: string;
  conversation_id: string;
  user_id?: string;
}

export interface ConversationGroupChanged {
  event_id: string;
  type: "conversation_group.changed";
  stream_id: null;
  at: string;
  user_id?: string;
  name: string;
  added: string[];
  removed: string[];
}

export interface ConversationGroupCreated {
  event_id: string;
  type: "conversation_group.created";
  stream_id: null;
  at: string;
  user_id?: string;
  name: string;
  conversation_ids: string[];
}

export interface ConversationGroupDeleted {
  event_id: string;
  type: "conversation_group.deleted";
  stream_id: null;
  at: string;
  user_id?: string;
  name: string;
}

export interface ConversationGroupRenamed {
  event_id: string;
  type: "conversation_group.renamed";
  stream_id: null;
  at: string;
  user_id?: string;
  name: string;
  new_name: string;
}

export interface ConversationGroupResponse {
  name: string;
  unread_count: number;
  conversation_count: number;
  built_in: boolean;
}

export interface ConversationMissing {
  conversation_id: string;
  error: ItemError;
}

export interface ConversationRead {
  event_id: string;
  type: "conversation.read";
  stream_id: string;
  at: string;
  conversation_id: string;
  user_id?: string;
  read_seq: number;
  unread_count: number;
}

export interface ConversationResponse {
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

export interface ConversationResult {
  conversation_id: string;
  ok: boolean;
  error: ItemError | null;
}

export type ConversationType = "group" | "c2c";

export interface ConversationUpdated {
  event_id: string;
  type: "conversation.updated";
  stream_id: string;
  at: string;
  conversation_id: string;
  user_id?: string;
  changed: ChangedConversation;
}

export interface CountAudience {
  segment?: SegmentBody;
}

export interface CreateBroadcast {
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

export interface CreateChannel {
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

export interface CreateDraft {
  post: DraftPost;
  publish_at?: string | null;
}

export interface CreateGroup {
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

export interface CreateInviteLink {
  name?: string;
  expires_at?: string | null;
  max_uses?: number | null;
  approval?: boolean;
}

export interface CreateWebhook {
  url: string;
  event_types?: string[];
  description?: string;
  enabled?: boolean;
  secret?: string;
}

export interface DayResponse {
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

export interface DefaultChannelList {
  items: DefaultChannelResponse[];
}

export interface DefaultChannelResponse {
  channel_id: string;
  since: string;
  set_by: string;
  state: "running" | "full" | "done";
  walked: number;
  subscribed: number;
  passed_over: number;
}

export interface DeleteUser {
  confirm: string;
  messages?: Messages;
}

export interface DeletionResponse {
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

export interface DeliveryResponse {
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

export type DeliveryStatus = "waiting" | "succeeded" | "failed";

export type DepartureReason = "left" | "removed" | "banned" | "deleted";

export interface DeviceResponse {
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

export interface DialogueMessageInEvent {
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

export interface DialogueMessageResponse {
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

export interface DialoguePage {
  items: (DialogueMessageResponse | TimelinePostResponse)[];
  next_cursor: string | null;
  newer_cursor: string | null;
  first_unread_seq: number | null;
  version: number | null;
}

export type DisabledReason = "gone" | "failing" | "too_many_waiting" | "right_withdrawn";

export interface DraftPost {
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

export interface DraftPostResponse {
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

export interface DraftResponse {
  channel_id: string;
  draft_id: string;
  author_id: string;
  publish_at: string | null;
  failure: FailureResponse | null;
  created_at: string;
  updated_at: string;
  post: DraftPostResponse;
}

export interface End {
  reason: DepartureReason;
  at: string;
}

export interface EntryBody {
  url?: string | null;
  reply?: string | null;
  data?: string | null;
  form?: string | null;
  text: string;
  kind?: ActionKind | null;
  entries?: SubEntryBody[] | null;
}

export interface EntryResponse {
  text: string;
  kind: ActionKind | null;
  url: string | null;
  reply: string | null;
  data: string | null;
  form: string | null;
  entries: SubEntryResponse[] | null;
}

export interface EventFormAnswer {
  name: string;
  label: string;
  value: string;
}

export interface EventsResponse {
  items: (MessagePosted | MessageEdited | MessageRecalled | ReactionsChanged | PollChanged | ButtonsChanged | ButtonPressed | AcknowledgementsChanged | AcknowledgementReminder | FormAnswered | MenuSelected | CommentPosted | CommentEdited | CommentRecalled | CommentReacted | ChannelSubscribed | ChannelUnsubscribed | ChannelUpdated | ChannelSuspended | ChannelReinstated | ChannelDeleted | ChannelInvited | ChannelInvitationEnded | GroupJoined | GroupLeft | GroupInvited | GroupInvitationEnded | GroupUpdated | GroupDisbanded | MemberChanged | JoinRequested | JoinAnswered | JoinRefused | InviteLinkUsed | ConversationRead | ConversationUpdated | ConversationGroupCreated | ConversationGroupRenamed | ConversationGroupDeleted | ConversationGroupChanged | ConversationEnded | InboxRead | InboxTagged | BroadcastStarted | BroadcastChanged | BroadcastEnded | BlockChanged | UserRestricted | UserUnrestricted | UserDeleted | ReportOpened | WebhookDisabled)[];
  cursor: string;
}

export interface ExportLine {
  type: string;
  data: { [name: string]: unknown };
}

export interface FailureResponse {
  code: string;
  detail: string;
  at: string;
}

export interface FeedChannel {
  channel_id: string;
  name: string;
  face_url: string;
  verified: boolean;
}

export interface FeedItemResponse {
  channel: FeedChannel;
  post: PostResponse;
}

export type FieldKind = "text" | "long_text" | "number" | "choice" | "date" | "phone" | "email";

export interface FormAnswerResponse {
  form: string;
  title: string;
  answers: FormAnswerValueResponse[];
}

export interface FormAnswerValueResponse {
  name: string;
  label: string;
  value: string;
}

export interface FormAnswered {
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

export interface FormAnsweredResponse {
  message: DialogueMessageResponse;
  confirmation: string;
}

export interface FormFieldBody {
  name: string;
  label: string;
  kind?: FieldKind;
  required?: boolean;
  options?: string[];
  max_length?: number | null;
}

export interface FormFieldResponse {
  name: string;
  label: string;
  kind: FieldKind;
  required: boolean;
  options: string[];
  max_length: number | null;
}

export interface FormResponse {
  channel_id: string;
  name: string;
  title: string;
  text: string;
  fields: FormFieldResponse[];
  confirmation: string;
  changed_at: string;
}

export interface ForwardBody {
  channel_id?: string | null;
  group_id?: string | null;
  conversation_id?: string | null;
  seq: number;
}

export interface ForwardedFrom {
  channel_id: string | null;
  group_id: string | null;
  name: string | null;
  seq: number | null;
  message_id: string | null;
}

export interface FoundMessageResponse {
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

export type Grant =
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

export interface GreetingResponse {
  channel_id: string;
  text: string | null;
  buttons: ButtonResponse[][] | null;
  changed_at: string | null;
  changed_by: string | null;
}

export interface GroupDisbanded {
  event_id: string;
  type: "group.disbanded";
  stream_id: string;
  at: string;
  conversation_id: string;
  group_id: string;
}

export interface GroupInvitationEnded {
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

export interface GroupInvited {
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

export interface GroupJoined {
  event_id: string;
  type: "group.joined";
  stream_id: string;
  at: string;
  conversation_id: string;
  group_id: string;
  user_id: string;
  invite_link?: string;
}

export interface GroupLeft {
  event_id: string;
  type: "group.left";
  stream_id: string;
  at: string;
  conversation_id: string;
  group_id: string;
  user_id: string;
  reason: LeaveReason;
}

export interface GroupMessagePage {
  items: MessageResponse[];
  next_cursor: string | null;
  newer_cursor: string | null;
  first_unread_seq: number | null;
  version: number | null;
}

export interface GroupMissing {
  group_id: string;
  error: ItemError;
}

export interface GroupResponse {
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

export type GroupType = "work" | "public" | "meeting" | "community";

export interface GroupUpdated {
  event_id: string;
  type: "group.updated";
  stream_id: string;
  at: string;
  conversation_id: string;
  group_id: string;
  changed: ChangedGroup;
  version: number;
}

export interface HighlightResponse {
  start: number;
  end: number;
}

export interface HourResponse {
  hour: number;
  views: number;
  reactions: number;
}

export interface ImportLine {
  user_id: string;
}

export interface ImportProgress {
  received: number;
  added: number;
  present: number;
  refused: number;
  subscriber_count: number | null;
  results: ImportResult[];
  done?: boolean;
  error?: ItemError | null;
}

export interface ImportResult {
  user_id?: string;
  line?: number;
  result: "added" | "present" | "not_a_person" | "member_limit_reached" | "groups_per_user_reached" | "invalid_request";
  detail?: string;
}

export interface InboxRead {
  event_id: string;
  type: "inbox.read";
  stream_id: string;
  at: string;
  channel_id: string;
  user_id: string;
  read_seq: number;
  unread_count: number;
}

export interface InboxTagResponse {
  tag: string;
}

export interface InboxTagged {
  event_id: string;
  type: "inbox.tagged";
  stream_id: string;
  at: string;
  channel_id: string;
  user_id: string;
  tags: string[];
}

export interface InboxUnreadResponse {
  channel_id: string;
  unread_count: number;
  unread_threads: number;
}

export interface InsightsResponse {
  from: string;
  to: string;
  days: DayResponse[];
  hours: HourResponse[];
  muted: MutedResponse;
}

export type InvitationEnd = "accepted" | "declined" | "revoked" | "deleted";

export interface InvitationResponse {
  user_id: string;
  role: "admin" | "member";
  grants: Grant[];
  invited_by: string;
  invited_at: string;
  expires_at: string;
}

export interface InviteAdmin {
  user_id: string;
  grants?: Grant[];
}

export interface InviteLinkResponse {
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

export type InviteLinkState = "open" | "expired" | "used_up" | "revoked";

export interface InviteLinkUsed {
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

export interface InviteLinkWithQrResponse {
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

export interface InvitePreviewResponse {
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

export interface InvitedResponse {
  user_id: string;
  is_invited: true;
  role: "admin" | "member";
  invited_at: string;
  expires_at: string;
}

export interface ItemError {
  code: string;
  detail: string;
}

export interface ItemProblem {
  code: string;
  detail: string;
  details: { [name: string]: JsonValue };
}

export interface JoinAnswered {
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

export interface JoinByLink {
  text?: string;
}

export interface JoinGroup {
  text?: string;
}

export type JoinOption = "free" | "approval" | "invite";

export interface JoinRefused {
  event_id: string;
  type: "join.refused";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id?: string;
  group_id?: string;
  user_id: string;
}

export interface JoinRequestResponse {
  user_id: string;
  name: string;
  face_url: string;
  text: string;
  requested_at: string;
  invite_link: RequestLinkResponse | null;
}

export interface JoinRequested {
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

export interface JoinedByLinkResponse {
  status: "joined" | "requested";
  kind: "channel" | "group";
  id: string;
  channel: ChannelResponse | null;
  group: GroupResponse | null;
}

export type JsonValue = unknown;

export type Kind =
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

export interface LastMessageResponse {
  seq: number;
  preview: string;
  kind: Kind | null;
  recalled: boolean;
  at: string;
  sender_id: string | null;
}

export interface LastPostResponse {
  seq: number;
  preview: string;
  kind: Kind | null;
  recalled: boolean;
  at: string;
}

export type LeaveReason = "left" | "removed" | "banned";

export interface LinkBody {
  title: string;
  url: string;
  description?: string | null;
  image?: string | null;
}

export interface LinkClicksResponse {
  url: string;
  clicks: number;
}

export interface LinkPreviewResponse {
  url: string;
  title: string;
  description: string | null;
  image: MediaResponse | null;
}

export interface LinkResponse {
  title: string;
  url: string;
  description: string | null;
  image: MediaResponse | null;
}

export interface LinkToPreview {
  url: string;
}

export interface LocationBody {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

export interface LocationResponse {
  latitude: number;
  longitude: number;
  name: string;
  address: string;
}

export type Match = "exact" | "contains";

export type MediaKind = "image" | "video" | "audio" | "file";

export interface MediaResponse {
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

export type MediaSize = "original" | "large" | "thumb";

export interface MemberChanged {
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

export interface MemberResponse {
  user_id: string;
  name: string;
  face_url: string;
  role: Role;
  joined_at: string;
  muted_until: string | null;
  name_card: string;
}

export interface MenuResponse {
  channel_id: string;
  version: number;
  entries: EntryResponse[];
}

export interface MenuSelected {
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

export interface MessageEdited {
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

export interface MessageInEvent {
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

export interface MessagePosted {
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

export interface MessageRecalled {
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

export interface MessageResponse {
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

export interface MessageSearchPage {
  items: FoundMessageResponse[];
  next_cursor?: string | null;
  searched_until: string | null;
  is_complete: boolean;
  indexed: number;
}

export type Messages = "keep" | "delete";

export interface MutedResponse {
  count: number;
  share: number;
}

export interface NewChatMessage {
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

export interface NewComment {
  kind: "text" | "image" | "text_and_image";
  text?: string;
  images?: string[];
  quoted_seq?: number | null;
  as_channel?: boolean;
}

export interface NewMessage {
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

export interface NewMessageToMany {
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

export interface NewOwner {
  user_id: string;
}

export interface NewReport {
  target: TargetBody;
  reason: ReportReason;
  text?: string;
}

export interface NewResolutionBody {
  action: CaseAction;
  mode?: SuspensionMode | null;
  until?: string | null;
  note?: string;
}

export interface NotReachedCounts {
  opted_out?: number;
  left?: number;
  blocked?: number;
  switched_off?: number;
  business?: number;
  other?: number;
}

export interface NotReachedResponse {
  user_id: string;
  reason: Reason;
}

export type NotificationLevel = "all" | "none";

export interface OpeningHoursResponse {
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

export interface OptOutResponse {
  channel_id: string;
  opted_out: boolean;
  since: string | null;
}

export interface OwnGroupInvitationResponse {
  group_id: string;
  group_name: string;
  role: "admin" | "member";
  invited_by: string;
  invited_at: string;
  expires_at: string;
}

export interface OwnInvitationResponse {
  channel_id: string;
  channel_name: string;
  verified: boolean;
  role: "admin" | "member";
  grants: Grant[];
  invited_at: string;
  expires_at: string;
}

export interface OwnJoinRequestResponse {
  kind: "channel" | "group";
  id: string;
  name: string;
  face_url: string;
  text: string;
  requested_at: string;
}

export interface OwnRestrictionResponse {
  until: string | null;
  reason: string;
}

export interface OwnUserResponse {
  user_id: string;
  name: string;
  face_url: string;
  account_kind: AccountKind;
  restriction: OwnRestrictionResponse | null;
}

export interface PollBody {
  question: string;
  options: string[];
  multiple?: boolean;
  closes_at?: string | null;
  results?: PollResults;
}

export interface PollChanged {
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

export interface PollOptionResponse {
  text: string;
  votes: number | null;
}

export interface PollResponse {
  question: string;
  options: PollOptionResponse[];
  voters: number | null;
  multiple: boolean;
  closes_at: string | null;
  closed: boolean;
  results: PollResults;
  mine: number[];
}

export type PollResults = "always" | "after_vote" | "after_close";

export interface PostClicksResponse {
  seq: number;
  items: LinkClicksResponse[];
}

export interface PostInEvent {
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

export interface PostInsightsResponse {
  seq: number;
  created_at: string;
  preview: string;
  views: number;
  reactions: number;
  clicks: number;
}

export interface PostPage {
  items: PostResponse[];
  next_cursor: string | null;
  newer_cursor: string | null;
  first_unread_seq: number | null;
  version: number | null;
}

export interface PostReportResponse {
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

export interface PostResponse {
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

export interface PostViewsResponse {
  seq: number;
  views: number;
}

export type Posting = "everyone" | "owner_and_admins";

export interface PressResponse {
  buttons: ButtonResponse[][];
  message_seq: number | null;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  details?: { [name: string]: JsonValue };
  request_id: string;
}

export interface PushResponse {
  vapid_public_key: string | null;
  gateway: boolean;
}

export interface PutAutoReply {
  keywords: string[];
  match?: Match;
  answer: AutomaticContent;
  enabled?: boolean;
}

export interface PutCannedReply {
  text: string;
}

export interface PutForm {
  title: string;
  text?: string;
  fields: FormFieldBody[];
  confirmation?: string;
}

export interface PutGreeting {
  text: string;
  buttons?: ButtonBody[][] | null;
}

export interface PutMenu {
  entries: EntryBody[];
}

export interface PutOpeningHours {
  time_zone: string;
  weekly: Weekly;
  closed_dates?: string[];
  away: AutomaticContent;
  enabled?: boolean;
}

export interface PutSubscriberTags {
  tags: string[];
}

export interface PutThreadTags {
  tags: string[];
}

export interface QuoteResponse {
  seq: number;
  sender_id: string | null;
  sender_name: string;
  is_channel: boolean;
  preview: string | null;
  kind: Kind | null;
  recalled: boolean;
}

export interface ReactionsChanged {
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

export interface ReactorResponse {
  user_id: string;
  name: string;
  face_url: string;
  reacted_at: string;
}

export interface ReadMarkResponse {
  conversation_id: string;
  read_seq: number;
  unread_count: number;
}

export interface ReadScopeBody {
  scope: string;
}

export interface ReadUpTo {
  seq?: number | null;
}

export type Reason = "opted_out" | "left" | "blocked" | "switched_off" | "business" | "other";

export interface RegisterDevice {
  platform: "web" | "gateway";
  subscription?: Subscription | null;
  pushkey?: string | null;
  app_id: string;
  locale: string;
  name?: string;
}

export interface ReminderResponse {
  reminded_at: string;
}

export interface RemoveMember {
  ban?: boolean;
}

export interface RenameConversationGroup {
  name: string;
}

export interface ReplaySince {
  since: string;
}

export interface ReplayedResponse {
  replayed: number;
  next_since: string | null;
}

export interface ReportCaseResponse {
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

export interface ReportOpened {
  event_id: string;
  type: "report.opened";
  stream_id: null;
  at: string;
  report_id: string;
  target: ReportedTarget;
  reason: ReportReason;
}

export type ReportReason = "spam" | "abuse" | "violence" | "sexual" | "illegal" | "impersonation" | "other";

export interface ReportResolutionResponse {
  action: CaseAction;
  mode: SuspensionMode | null;
  until: string | null;
  note: string;
  user_id: string | null;
  at: string;
}

export interface ReportTargetResponse {
  type: TargetType;
  channel_id: string | null;
  group_id: string | null;
  seq: number | null;
  post_seq: number | null;
  user_id: string | null;
}

export interface ReportTextResponse {
  reason: ReportReason;
  text: string;
  at: string;
}

export interface ReportedProfileResponse {
  name: string;
  introduction: string;
  face_url: string;
}

export interface ReportedResponse {
  report_id: string;
  status: "open";
}

export interface ReportedTarget {
  type: TargetType;
  channel_id?: string | null;
  group_id?: string | null;
  seq?: number | null;
  post_seq?: number | null;
  user_id?: string | null;
}

export type RequestEnd = "approved" | "refused" | "withdrawn" | "joined";

export interface RequestLinkResponse {
  code: string;
  name: string;
}

export interface Restrict {
  until?: string | null;
  reason?: string;
}

export interface RestrictedUserResponse {
  user_id: string;
  until: string | null;
  reason: string;
  at: string;
  name: string;
  by: string;
}

export interface RestrictionResponse {
  user_id: string;
  until: string | null;
  reason: string;
  at: string;
}

export type Role = "owner" | "admin" | "member";

export interface RotateSecret {
  secret?: string;
}

export interface SeenBody {
  seqs: number[];
}

export interface SegmentBody {
  all?: string[];
  any?: string[];
  none?: string[];
}

export interface SegmentResponse {
  all: string[];
  any: string[];
  none: string[];
}

export interface SelectEntry {
  entry: string;
  version?: number | null;
}

export interface SelectionResponse {
  entry: string;
  kind: ActionKind;
  message: DialogueMessageResponse | null;
}

export interface SentToManyResponse {
  results: SentToUserResponse[];
}

export interface SentToUserResponse {
  user_id: string;
  message_id: string | null;
  seq: number | null;
  created_at: string | null;
  error: ItemProblem | null;
}

export interface SetUser {
  name?: string;
  face_url?: string;
  user_id: string;
  account_kind?: AccountKind;
}

export interface SetUsers {
  users: SetUser[];
}

export interface SettingsBody {
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

export interface SettingsResponse {
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

export interface ShareLinkResponse {
  url: string;
  is_public: boolean;
  title: string;
  qr_svg: string;
  embed_html: string | null;
}

export type State = "scheduled" | "running" | "stopped" | "done" | "failed";

export interface SubEntryBody {
  url?: string | null;
  reply?: string | null;
  data?: string | null;
  form?: string | null;
  kind: ActionKind;
  text: string;
}

export interface SubEntryResponse {
  text: string;
  kind: ActionKind;
  url: string | null;
  reply: string | null;
  data: string | null;
  form: string | null;
}

export interface SubscribedChannel {
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

export interface SubscriberResponse {
  user_id: string;
  name: string;
  face_url: string;
  role: Role;
  subscribed_at: string;
  muted_until: string | null;
  tags: string[] | null;
}

export interface SubscriberTagResponse {
  tag: string;
  subscribers: number;
}

export interface SubscriberTagsResponse {
  channel_id: string;
  user_id: string;
  tags: string[];
}

export interface Subscription {
  endpoint: string;
  expirationTime?: number | null;
  keys: SubscriptionKeys;
}

export interface SubscriptionKeys {
  p256dh: string;
  auth: string;
}

export interface Suspend {
  mode: SuspensionMode;
  reason?: string;
}

export type SuspensionMode = "readable" | "hidden";

export interface SuspensionResponse {
  mode: SuspensionMode;
  reason: string | null;
  at: string;
}

export interface SyncConversation {
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

export interface SyncEnd {
  conversation_id: string;
  ended: End;
  again: boolean;
}

export interface SyncResponse {
  items: (SyncConversation | SyncEnd)[];
  next_cursor: string | null;
  sync_token: string | null;
  unread: UnreadResponse;
  conversation_groups: ConversationGroupResponse[];
  invitations: Page<OwnInvitationResponse | OwnGroupInvitationResponse> | null;
  user: OwnUserResponse | null;
  limits: { [name: string]: number | null } | null;
}

export interface TagImportProgress {
  received: number;
  changed: number;
  unchanged: number;
  refused: number;
  results: TagImportResult[];
  done?: boolean;
  error?: ItemError | null;
}

export interface TagImportResult {
  user_id?: string;
  line?: number;
  result: "changed" | "unchanged" | "not_subscribed" | "tag_limit" | "invalid_request";
  detail?: string;
}

export interface TagLine {
  user_id: string;
  tags?: string[] | null;
  add?: string[];
  remove?: string[];
}

export interface TallyResponse {
  counts: { [name: string]: number };
  total: number;
  mine: string[];
}

export interface TargetBody {
  type: TargetType;
  channel_id?: string | null;
  group_id?: string | null;
  conversation_id?: string | null;
  seq?: number | null;
  post_seq?: number | null;
  user_id?: string | null;
}

export type TargetType = "post" | "message" | "comment" | "channel" | "group" | "user";

export interface ThreadLastMessageResponse {
  seq: number;
  preview: string;
  kind: Kind | null;
  recalled: boolean;
  at: string;
  from_channel: boolean;
}

export interface ThreadMessageInEvent {
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

export interface ThreadMessageResponse {
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

export interface ThreadPage {
  items: ThreadMessageResponse[];
  next_cursor: string | null;
  newer_cursor: string | null;
  first_unread_seq: number | null;
  version: number | null;
}

export interface ThreadReadResponse {
  channel_id: string;
  user_id: string;
  read_seq: number;
  unread_count: number;
}

export interface ThreadResponse {
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

export interface ThreadTagsResponse {
  channel_id: string;
  user_id: string;
  tags: string[];
}

export interface TimelinePostResponse {
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

export interface UnreadResponse {
  total: number;
  channels: number;
  chats: number;
  conversation_groups: { [name: string]: number };
}

export interface UpdateChannel {
  name?: string;
  face_url?: string;
  organization?: string;
  introduction?: string;
  custom_data?: string;
  settings?: SettingsBody;
}

export interface UpdateConversation {
  muted?: boolean;
  muted_until?: string | null;
  notifications?: "all" | "none";
  accept?: boolean;
  pinned?: boolean;
  hidden?: boolean;
  draft?: string;
  custom_data?: string;
}

export interface UpdateGroup {
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

export interface UpdateUser {
  name?: string;
  face_url?: string;
}

export interface UserDeleted {
  event_id: string;
  type: "user.deleted";
  stream_id: null;
  at: string;
  user_id: string;
}

export interface UserMissing {
  user_id: string;
  error: ItemError;
}

export interface UserResponse {
  user_id: string;
  name: string;
  face_url: string;
  account_kind: AccountKind;
}

export interface UserRestricted {
  event_id: string;
  type: "user.restricted";
  stream_id: null;
  at: string;
  user_id: string;
  until: string | null;
  reason: string;
}

export interface UserUnrestricted {
  event_id: string;
  type: "user.unrestricted";
  stream_id: null;
  at: string;
  user_id: string;
}

export type Visibility = "public" | "profile" | "private";

export interface VoteBody {
  options: number[];
}

export interface VoterResponse {
  user_id: string;
  name: string;
  face_url: string;
  voted_at: string;
}

export interface WebhookDisabled {
  event_id: string;
  type: "webhook.disabled";
  stream_id: string;
  at: string;
  conversation_id: string;
  channel_id: string;
  webhook_id: string;
  reason: DisabledReason;
}

export interface WebhookResponse {
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

export interface WebhookWithSecret {
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

export interface Weekly {
  mon?: string[][];
  tue?: string[][];
  wed?: string[][];
  thu?: string[][];
  fri?: string[][];
  sat?: string[][];
  sun?: string[][];
}

export interface WeeklyResponse {
  mon: string[][];
  tue: string[][];
  wed: string[][];
  thu: string[][];
  fri: string[][];
  sat: string[][];
  sun: string[][];
}

export interface WriteComment {
  kind: "text" | "image" | "text_and_image";
  text?: string;
  images?: string[];
}

export interface WriteMessage {
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
