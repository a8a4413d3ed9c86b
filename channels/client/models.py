"""What the API takes and answers, made from its OpenAPI document by `python -m tests.client_models`. Do not edit.

Answers are models that keep fields which they do not know; bodies of requests are typed dictionaries. A type of a few
words, such as `Role`, is open: a newer server may send others.
"""

from datetime import datetime
from typing import Any, Generic, Literal, Required, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Answer(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Page(Answer, Generic[T]):
    """Some items of a list, and the cursor to the next ones; None at the end."""

    items: list[T]
    next_cursor: str | None = None


class Acknowledge(Answer):
    """The message asks its readers to acknowledge it: how many did, and whether you did."""

    count: int
    mine: bool


class AcknowledgementCounts(Answer):
    """How many are asked: `given` and `missing` together.

    Members of now are asked, without the author and business accounts. Those who acknowledged and left count as
    given. Where there are more members than may be named, `missing` does not count for them, and may be too
    small by so many.
    """

    asked: int
    given: int
    missing: int


class Asked(Answer):
    """A user who is asked to acknowledge the message."""

    user_id: str
    name: str
    face_url: str
    acknowledged_at: datetime | None = None
    """null: not yet."""


class AcknowledgementPage(Answer):
    """A page of users by id, and the counts of all."""

    items: list[Asked]
    next_cursor: str | None = None
    counts: AcknowledgementCounts
    reminded_at: datetime | None = None
    """When those who had not were reminded; null: not yet."""


class Invited(Answer):
    """The user is no member yet: they are invited, and accept or decline until `expires_at`."""

    user_id: str
    is_invited: Literal[True]
    role: Literal["admin", "member"] | str
    invited_at: datetime
    expires_at: datetime


Role = Literal["owner", "admin", "member"] | str
"""A member's role."""


class Member(Answer):
    """A member."""

    user_id: str
    name: str
    face_url: str
    role: Role
    joined_at: datetime
    muted_until: datetime | None = None
    name_card: str


Added = Member | Invited
"""A member, or with 202 a user who is invited."""


class Subscriber(Answer):
    """A subscriber with their tags, which they do not see themselves."""

    user_id: str
    name: str
    face_url: str
    role: Role
    subscribed_at: datetime
    muted_until: datetime | None = None
    tags: list[str] | None = None
    """null: not looked up, in the answer to adding."""


AddedSubscriber = Subscriber | Invited
"""A subscriber, or with 202 a user who is invited to subscribe."""

Grant = (
    Literal[
        "post",
        "edit_posts",
        "delete_posts",
        "pin_posts",
        "manage_subscribers",
        "change_info",
        "change_settings",
        "read_inbox",
        "see_insights",
        "read_events",
        "manage_webhooks",
    ]
    | str
)
"""A right of an admin. The owner and the application's admin hold all of them."""


class Admin(Answer):
    """The owner or an admin, and their rights."""

    user_id: str
    name: str
    face_url: str
    role: Role
    subscribed_at: datetime
    muted_until: datetime | None = None
    grants: list[Grant]


class ItemError(Answer):
    """The error of one item of a call for several."""

    code: str
    detail: str


class Answered(Answer):
    """The outcome of one join request; `error` is null where it was answered."""

    user_id: str
    error: ItemError | None = None


class AnsweredRequests(Answer):
    """The outcome of each join request, in the order of the call."""

    items: list[Answered]


class Audience(Answer):
    """How many subscribers are in the segment now. Who opted out is among them."""

    count: int
    is_exact: bool
    """False: there are at least so many."""


ActionKind = Literal["link", "reply", "event", "form"] | str
"""The kind of an action: what happens when a user presses a button, or chooses an entry of a menu."""


class Button(Answer):
    """A button as you see it. In events and drafts there are no counts, and no presses of yours."""

    kind: ActionKind
    url: str | None = None
    reply: str | None = None
    data: str | None = None
    form: str | None = None
    text: str
    presses: int | None = None
    """How many users pressed it; null for `link` and `form`, and in events."""
    pressed: bool
    """You pressed it."""


class AutomaticContentResponse(Answer):
    """The message that is sent."""

    text: str
    buttons: list[list[Button]] | None = None


Match = Literal["exact", "contains"] | str
"""How a keyword is compared with a message."""


class AutoReply(Answer):
    """An automatic answer."""

    channel_id: str
    name: str
    keywords: list[str]
    match: Match
    answer: AutomaticContentResponse
    enabled: bool
    changed_at: datetime
    changed_by: str


class Block(Answer):
    """A user, a channel or a chat group that you block; a channel by its full id."""

    user_id: str
    blocked_at: datetime


class BroadcastFailure(Answer):
    """Why a broadcast failed: the code and the text of the error."""

    code: str
    detail: str


class FormAnswerValue(Answer):
    """The value of one field of a form, with the field's label as it was."""

    name: str
    label: str
    value: str


class FormAnswer(Answer):
    """A user's answer to a form of the channel, with the title as it was; without fields that they left empty."""

    form: str
    """The name of the form."""
    title: str
    answers: list[FormAnswerValue]


JsonValue = Any
"""Any JSON value."""

Kind = (
    Literal[
        "text",
        "image",
        "text_and_image",
        "video",
        "audio",
        "file",
        "location",
        "poll",
        "form_answer",
        "custom",
    ]
    | str
)
"""The kind of a message's content."""

MediaKind = Literal["image", "video", "audio", "file"] | str
"""The kind of an upload, found from its bytes; each kind has its own size limit."""


class Media(Answer):
    """An upload; the address of a version that does not exist is null."""

    media_id: str
    kind: MediaKind
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    """How long a sound or video lasts, as its file says; null where it is not known."""
    name: str
    url: str
    large_url: str | None = None
    thumb_url: str | None = None
    poster_url: str | None = None
    """Of a video: the picture to show before it plays. The one that was sent with it, else the cover that its file
    carries, else null."""
    poster_id: str | None = None
    """Of a video: the upload that was sent as its `poster`; an edit repeats it."""


class Link(Answer):
    """A titled link. The preview of its page is null where the author gave none."""

    title: str
    url: str
    description: str | None = None
    image: Media | None = None


class Location(Answer):
    """A place on Earth, in degrees."""

    latitude: float
    longitude: float
    name: str
    address: str


class PollOption(Answer):
    """One answer of a poll."""

    text: str
    votes: int | None = None
    """How many chose it; null while you do not see the results."""


PollResults = Literal["always", "after_vote", "after_close"] | str
"""When readers see how a poll stands: always, once they have voted, or once it is closed."""


class Poll(Answer):
    """A poll as you see it. In events and drafts there are no counts, and no votes of yours."""

    question: str
    options: list[PollOption]
    voters: int | None = None
    """How many voted; null while you do not see the results."""
    multiple: bool
    """A voter may choose several options."""
    closes_at: datetime | None = None
    closed: bool
    """It takes no more votes."""
    results: PollResults
    mine: list[int]
    """The options that you chose, by their place from 0."""


class Content(Answer):
    """The content of a message or post; all null once recalled."""

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""


class NotReachedCounts(Answer):
    """How many users of the segment did not get it, by the reason."""

    opted_out: int = 0
    """They want no broadcasts of the channel."""
    left: int = 0
    """They unsubscribed while it ran."""
    blocked: int = 0
    """They block the channel."""
    switched_off: int = 0
    """They switched off all one-to-one messages of the channel."""
    business: int = 0
    """They are business accounts, and no persons."""
    other: int = 0


class Segment(Answer):
    """The tags that select the subscribers; none at all: all of them."""

    all: list[str]
    any: list[str]
    none: list[str]


State = Literal["scheduled", "running", "stopped", "done", "failed"] | str
"""The state of a broadcast."""


class Broadcast(Answer):
    """A broadcast, and how far it is."""

    channel_id: str
    broadcast_id: str
    state: State
    segment: Segment
    content: Content
    silent: bool
    rate: int | None = None
    total: int | None = None
    """The subscribers of the segment when it began; null: not counted yet."""
    sent: int
    not_reached: NotReachedCounts
    created_by: str
    created_at: datetime
    start_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    """When it was done, failed or was stopped last."""
    failure: BroadcastFailure | None = None


class CannedReply(Answer):
    """A text that all who answer the inbox share."""

    channel_id: str
    name: str
    text: str
    changed_at: datetime
    changed_by: str


class ConversationResult(Answer):
    """The result for one conversation of the call; `error` is the reason if it failed."""

    conversation_id: str
    ok: bool
    error: ItemError | None = None


class ChangedConversationGroup(Answer):
    """The conversation group after the call, and the result for each conversation."""

    name: str
    unread_count: int
    conversation_count: int
    built_in: bool
    results: list[ConversationResult]


DepartureReason = Literal["left", "removed", "banned", "deleted"] | str
"""Why a user is no longer in a group, or why a conversation of theirs ended."""


class ChannelGone(Answer):
    """A channel to which your subscription ended, and why."""

    channel_id: str
    gone: DepartureReason
    gone_at: datetime


class ChannelMissing(Answer):
    """A channel named in the request that cannot be shown, with its error."""

    channel_id: str
    error: ItemError


class LastPost(Answer):
    """The newest post, as lists show it."""

    seq: int
    preview: str
    """One line of its text; `[image]` and the like where it has none."""
    kind: Kind | None = None
    """null where it was deleted, or an older version of the server wrote it."""
    recalled: bool
    """It was deleted for everyone."""
    at: datetime


AcceptMessages = Literal["everyone", "subscribers", "nobody"] | str
"""The users who may write to the channel in private."""

Commenting = Literal["off", "subscribers", "everyone"] | str
"""The users who may comment on the posts of a channel."""

Visibility = Literal["public", "profile", "private"] | str
"""The view of strangers: everything including messages, only the profile, or nothing (404)."""


class Settings(Answer):
    """A channel's settings."""

    visibility: Visibility
    reactions: str | list[str]
    reactions_per_user: int
    distinct_reactions: int
    comments: Commenting
    retention_days: int
    accept_messages: AcceptMessages
    signatures: bool
    protect_content: bool
    count_clicks: bool


SuspensionMode = Literal["readable", "hidden"] | str
"""How much a suspension leaves of a channel."""


class Suspension(Answer):
    """The application suspended the channel. `reason`: null unless you own the channel or are an admin."""

    mode: SuspensionMode
    reason: str | None = None
    at: datetime


class Channel(Answer):
    """A channel as you see it. `subscribed_at` and `role` are null unless you subscribe.

    `owner_id`: null unless you are the owner or an admin here, or the channel signs its posts. `grants`: what
    you may do here as the owner or an admin. `public_from_seq`: the first seq that everybody may read; what was
    written before the group became a channel has lower ones. `history_shared_at`: when the owner made that
    public too, for members.
    """

    channel_id: str
    name: str
    face_url: str
    organization: str
    introduction: str
    custom_data: str
    owner_id: str | None = None
    created_at: datetime
    subscriber_count: int
    subscribed_at: datetime | None = None
    role: Role | None = None
    grants: list[Grant]
    verified: bool
    suspension: Suspension | None = None
    """null: the channel is not suspended."""
    settings: Settings
    menu_version: int
    """Grows with each change of the channel's menu; 0: it has none."""
    head_seq: int
    version: int
    """Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."""
    public_from_seq: int
    history_shared_at: datetime | None = None
    last_post: LastPost | None = None


class ChannelPage(Answer):
    """A page of channels. The last page of your subscriptions has a `sync_token` for the next `updated_since`."""

    items: list[Channel | ChannelMissing | ChannelGone]
    next_cursor: str | None = None
    sync_token: str | None = None


class Quote(Answer):
    """The comment that another one quotes; a deleted one has no preview."""

    seq: int
    sender_id: str | None = None
    sender_name: str
    is_channel: bool
    preview: str | None = None
    kind: Kind | None = None
    recalled: bool


class Tally(Answer):
    """Reactions: a count for each emoji, their sum, and the caller's own."""

    counts: dict[str, int] | None = None
    total: int = 0
    mine: list[str] = []


class Comment(Answer):
    """A comment; a deleted one keeps its ids and times. `version`: of the post's comments, with its last change."""

    comment_id: str
    channel_id: str
    post_seq: int
    seq: int
    """Its number under the post: 1, 2, 3 and so on."""
    sender_id: str | None = None
    """null: it is from the channel."""
    sender_name: str | None = None
    sender_face_url: str | None = None
    sender_blocked: bool
    """You block its sender: do not show it at once."""
    is_channel: bool
    """It is from the channel."""
    author_id: str | None = None
    """The admin who wrote for the channel; null unless you are the owner or an admin."""
    kind: Kind | None = None
    text: str | None = None
    images: list[Media] | None = None
    """Empty for a text; null where it is deleted."""
    quoted_seq: int | None = None
    """The comment that it answers."""
    quote: Quote | None = None
    """That comment; null where there is none."""
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    reactions: Tally


class CommentPage(Answer):
    """A page of comments. `first_unread_seq` is always null: comments are in no conversation."""

    items: list[Comment]
    next_cursor: str | None = None
    """Goes on in the same direction; null at the end."""
    newer_cursor: str | None = None
    """With `around` and `around_seq`: goes on with the newer ones; null where there are none."""
    first_unread_seq: int | None = None
    """With `around=unread`: the first unread one; null where all are read."""
    version: int | None = None
    """With `changed_since`: you have all changes up to this version now."""


class ConversationGroup(Answer):
    """A conversation group.

    `unread_count` leaves out muted and hidden conversations, `conversation_count` does not.
    """

    name: str
    unread_count: int
    conversation_count: int
    built_in: bool


ConversationType = Literal["group", "c2c"] | str
"""Whether the other side is a group (a channel is one) or a single user."""


class LastMessage(Answer):
    """The newest message. In a channel `sender_id` is null."""

    seq: int
    preview: str
    """One line of its text; `[image]` and the like where it has none."""
    kind: Kind | None = None
    """null where it was deleted, or an older version of the server wrote it."""
    recalled: bool
    """It was deleted for everyone."""
    at: datetime
    sender_id: str | None = None


NotificationLevel = Literal["all", "none"] | str
"""For which messages of a conversation the user's devices ring.

Messages cannot mention a user, so there is no level between the two. A level of a newer version reads as `ALL`:
a needless ring does less harm than a missing one."""


class Conversation(Answer):
    """A conversation as its user sees it; `last_message` is null if there is none that they may read.

    `verified`: it is a verified channel, or one-to-one with one. A one-to-one conversation has a `peer_id` (the
    other user, or the channel), any other a `group_id`; the other field is null.
    """

    conversation_id: str
    type: ConversationType
    group_id: str | None = None
    peer_id: str | None = None
    title: str
    face_url: str
    unread_count: int
    read_seq: int
    head_seq: int
    version: int
    """Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."""
    last_message: LastMessage | None = None
    muted: bool
    """For ever, or until `muted_until`."""
    muted_until: datetime | None = None
    """null: for ever, or not muted."""
    notifications: NotificationLevel
    """For which messages your devices ring, while it is not muted. More levels may be added."""
    accept: bool
    """false: the channel of this conversation may not write to you."""
    pinned_at: datetime | None = None
    hidden: bool
    draft: str
    custom_data: str
    conversation_groups: list[str]
    is_channel: bool
    verified: bool


class DefaultChannel(Answer):
    """A default channel, and how far subscribing the people who are known already is."""

    channel_id: str
    since: datetime
    set_by: str
    state: Literal["running", "full", "done"] | str
    """`full`: the channel has as many subscribers as it may have, and the rest waits for room."""
    walked: int
    """Users looked at so far; most of them are looked at twice."""
    subscribed: int
    """People who were subscribed by it so far."""
    passed_over: int
    """People who were not, and will not be: banned, gone before, blocking the channel, at their own limit, or
    business accounts."""


class DefaultChannelList(Answer):
    """The default channels, the oldest first."""

    items: list[DefaultChannel]


Messages = Literal["keep", "delete"] | str
"""Says what becomes of the posts and group messages that the user wrote."""


class Deletion(Answer):
    """The deletion of a user, and how far it is."""

    user_id: str
    state: Literal["running", "blocked", "done"] | str
    """`blocked`: the user came to own a group or channel meanwhile; it goes on once they own none."""
    messages: Messages
    started_at: datetime
    finished_at: datetime | None = None
    step: int
    """Steps that are done."""
    steps: int
    """All steps."""
    walked: int
    """Documents that were looked at so far."""
    changed: int
    """Documents that were deleted or changed so far."""


class Attempt(Answer):
    """One request to the receiver."""

    at: datetime
    latency_ms: int
    response_status: int | None = None
    """Null: there was no answer; `error` says why."""
    response_body: str | None = None
    """The first KB of the answer, as text."""
    error: str | None = None


DeliveryStatus = Literal["waiting", "succeeded", "failed"] | str
"""What became of a delivery."""


class Delivery(Answer):
    """One event for one webhook."""

    delivery_id: str
    webhook_id: str
    event_id: str
    """The `webhook-id` of every attempt."""
    event_type: str
    stream_id: str | None = None
    """The events of one stream are delivered in order."""
    event_at: datetime
    """When the event happened."""
    status: DeliveryStatus
    next_attempt_at: datetime | None = None
    """When it is sent next, at the earliest: one that waits behind another of its stream is later."""
    attempts_made: int
    """All attempts, replays included."""
    attempts: list[Attempt]
    """The last ten, oldest first."""
    created_at: datetime


class Device(Answer):
    """A device of yours: `endpoint` for the platform `web`, `pushkey` for `gateway`; the other one is null."""

    device_id: str
    platform: Literal["web", "gateway"] | str
    endpoint: str | None = None
    pushkey: str | None = None
    app_id: str
    locale: str
    name: str
    created_at: datetime
    confirmed_at: datetime
    """When it was registered last; moves once a day at most."""


class ForwardedFrom(Answer):
    """The place where a forwarded message was first written; all null where that is private."""

    channel_id: str | None = None
    group_id: str | None = None
    name: str | None = None
    """Of the channel or group, as it was then."""
    seq: int | None = None
    message_id: str | None = None
    """In a channel the post's id."""


class DialogueMessage(Answer):
    """A one-to-one message as a user sees it; a deleted message keeps only its id, seq and times.

    The sender of a channel's message is the channel, whichever admin wrote it.
    """

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    """No notification; it still counts as unread."""
    forwarded_from: ForwardedFrom | None = None
    """The source of a forward; null: it was written here."""
    quoted_seq: int | None = None
    """The earlier message of the conversation that it answers, which may be deleted since; null: none."""
    automatic: bool
    """The channel's greeting or automatic answer; nobody wrote it."""
    message_id: str
    seq: int
    sender_id: str | None = None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    reactions: Tally
    type: Literal["message"]
    conversation_id: str


class TimelinePost(Answer):
    """A post among one-to-one messages."""

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    """Devices should not ring; it counts as unread."""
    signature: str | None = None
    """The author's name as it was then, where a channel signs."""
    forwarded_from: ForwardedFrom | None = None
    acknowledge: Acknowledge | None = None
    """It asks its readers to acknowledge it; null: it does not."""
    pinned: bool
    reactions_frozen: bool
    """Nobody may react any more; reactions may be removed."""
    channel_id: str
    post_id: str
    seq: int
    channel_name: str
    author_id: str | None = None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    views: int
    comment_count: int | None = None
    """The comments on it, without deleted ones; null where comments are off."""
    comments_open: bool
    """Comments are on in the channel, and not frozen on this post."""
    comments_frozen: bool
    """Nobody may comment on it any more; the comments stay."""
    reactions: Tally
    type: Literal["post"]


class DialoguePage(Answer):
    """Messages, and posts if `with_posts` asks for them, newest first."""

    items: list[DialogueMessage | TimelinePost]
    next_cursor: str | None = None
    """Goes on in the same direction; null at the end."""
    newer_cursor: str | None = None
    """With `around` and `around_seq`: goes on with the newer ones; null where there are none."""
    first_unread_seq: int | None = None
    """With `around=unread`: the first unread one; null where all are read."""
    version: int | None = None
    """With `changed_since`: you have all changes up to this version now."""


class DraftPostResponse(Answer):
    """The content of the draft, as in the post."""

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    forwarded_from: ForwardedFrom | None = None
    acknowledge: Acknowledge | None = None


class Failure(Answer):
    """Why a scheduled draft was not published; a new `publish_at` tries again."""

    code: str
    detail: str
    at: datetime


class Draft(Answer):
    """A post that is not published yet. With a `publish_at` and no `failure` it is published then."""

    channel_id: str
    draft_id: str
    author_id: str
    """The user who changed it last, in whose name it is published."""
    publish_at: datetime | None = None
    failure: Failure | None = None
    created_at: datetime
    updated_at: datetime
    post: DraftPostResponse


class ExportLine(Answer):
    """A line of an export. `data` depends on `type`.

    `start` has `version`, `user_id` and `at`; `cursor` has `cursor`, to go on behind it; `end`, the last line,
    has `counts`, the lines of each type that this answer holds. An answer without `end` is not complete.
    """

    type: str
    """`start`, `cursor` or `end`, or what the line shows: `profile`, `membership`, `join_request`, `invitation`,
    `restriction`, `upload`, `conversation_settings`, `conversation_group`, `block`, `draft`, `device`, `report`,
    `message`, `comment`, `one_to_one`, `reaction`, `vote`. Newer servers may send more."""
    data: dict[str, Any]


class FormAnsweredResponse(Answer):
    """Your message to the channel, and what the form says once it is sent."""

    message: DialogueMessage
    confirmation: str


FieldKind = Literal["text", "long_text", "number", "choice", "date", "phone", "email"] | str
"""The kind of value that a field takes."""


class FormField(Answer):
    """One question of a form."""

    name: str
    label: str
    kind: FieldKind
    required: bool
    options: list[str]
    max_length: int | None = None


class Form(Answer):
    """A form of a channel."""

    channel_id: str
    name: str
    title: str
    text: str
    fields: list[FormField]
    confirmation: str
    changed_at: datetime


class Greeting(Answer):
    """The greeting of new subscribers. Without one, all but the id is null."""

    channel_id: str
    text: str | None = None
    buttons: list[list[Button]] | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


class Message(Answer):
    """A message of a group; recalled, it keeps id, seq and times only."""

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    """Devices should not ring; it counts as unread."""
    signature: str | None = None
    """The author's name as it was then, where a channel signs."""
    forwarded_from: ForwardedFrom | None = None
    acknowledge: Acknowledge | None = None
    """It asks its readers to acknowledge it; null: it does not."""
    pinned: bool
    reactions_frozen: bool
    """Nobody may react any more; reactions may be removed."""
    group_id: str
    message_id: str
    seq: int
    sender_id: str | None = None
    sender_name: str | None = None
    sender_face_url: str | None = None
    quoted_seq: int | None = None
    """The earlier message of the conversation that it answers, which may be deleted since; null: none."""
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    reactions: Tally


class GroupMessagePage(Answer):
    """A page of messages of a group."""

    items: list[Message]
    next_cursor: str | None = None
    """Goes on in the same direction; null at the end."""
    newer_cursor: str | None = None
    """With `around` and `around_seq`: goes on with the newer ones; null where there are none."""
    first_unread_seq: int | None = None
    """With `around=unread`: the first unread one; null where all are read."""
    version: int | None = None
    """With `changed_since`: you have all changes up to this version now."""


GroupType = Literal["work", "public", "meeting", "community"] | str
"""The type of a group (the reference product's four); rules for joining, history and limits follow from it."""

JoinOption = Literal["free", "approval", "invite"] | str
"""How users become members: freely, after approval, or only when others add them."""

Posting = Literal["everyone", "owner_and_admins"] | str
"""The roles that may post."""


class Group(Answer):
    """A group as the caller sees it; `joined_at` and `role` are null for a stranger.

    `verified`: the application vouches for this channel. `owner_id`: null for those who only read a channel.
    """

    group_id: str
    type: GroupType
    name: str
    introduction: str
    notification: str
    face_url: str
    owner_id: str | None = None
    custom: dict[str, str]
    posting: Posting
    join_option: JoinOption
    visibility: Visibility
    muted_all: bool
    history_visible: bool
    reactions: str | list[str]
    reactions_per_user: int
    distinct_reactions: int
    retention_days: int
    member_count: int
    member_limit: int
    created_at: datetime
    joined_at: datetime | None = None
    role: Role | None = None
    head_seq: int
    version: int
    """Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."""
    is_channel: bool
    verified: bool


class ImportResult(Answer):
    """The result of one line. A line that cannot be read has its number, from 1, instead of an id."""

    user_id: str | None = None
    line: int | None = None
    result: (
        Literal[
            "added", "present", "not_a_person", "member_limit_reached", "groups_per_user_reached"
        ]
        | str
        | Literal["invalid_request"]
    )
    detail: str | None = None


class ImportProgress(Answer):
    """Progress of an import: totals, and the results of the batch just committed, in its order."""

    received: int
    """Lines so far, blank ones not counted."""
    added: int
    present: int
    """Subscribers already, or users named twice."""
    refused: int
    subscriber_count: int | None = None
    """null: not known yet."""
    results: list[ImportResult]
    done: bool = False
    """The last line of a complete import."""
    error: ItemError | None = None
    """The last line of an import that stopped early: lines not counted were not imported."""


class InboxUnread(Answer):
    """The unread messages of the inbox, the same for all admins who read it."""

    channel_id: str
    unread_count: int
    """Unread messages in all threads."""
    unread_threads: int
    """Threads with unread messages."""


class Day(Answer):
    """A day (UTC). `subscribers`: at its end, null if not known. `net`: joined minus left and removed."""

    day: str
    subscribers: int | None = None
    joined: int
    left: int
    removed: int
    net: int
    posts: int
    views: int
    reactions: int
    clicks: int


class Hour(Answer):
    """An hour of the day (UTC): new views and reactions in it, summed over all days."""

    hour: int
    views: int
    reactions: int


class Muted(Answer):
    """How many subscribers have muted the channel for ever, and their share, from 0 to 1."""

    count: int
    share: float


class Insights(Answer):
    """The channel's counts for these days."""

    from_: str = Field(alias="from")
    to: str
    days: list[Day]
    hours: list[Hour]
    muted: Muted


class Invitation(Answer):
    """An open invitation: to be an admin with these grants, or to be a subscriber or member (`role` is `member`).

    One that the user declined to be a member stays here until it expires.
    """

    user_id: str
    role: Literal["admin", "member"] | str
    grants: list[Grant]
    invited_by: str
    invited_at: datetime
    expires_at: datetime


InviteLinkState = Literal["open", "expired", "used_up", "revoked"] | str
"""Whether users can join by an invite link, or why not."""


class InviteLink(Answer):
    """An invite link, as those see it who manage it.

    `uses` counts each join by it, and each request by it that was approved. `pending_requests` wait for an
    answer.
    """

    code: str
    """The code of an invite link, the last part of its address."""
    url: str
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    max_uses: int | None = None
    uses: int
    pending_requests: int
    approval: bool
    revoked_at: datetime | None = None
    state: InviteLinkState


class InviteLinkWithQr(Answer):
    """An invite link with the QR code of its address, as an SVG document."""

    code: str
    """The code of an invite link, the last part of its address."""
    url: str
    name: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    max_uses: int | None = None
    uses: int
    pending_requests: int
    approval: bool
    revoked_at: datetime | None = None
    state: InviteLinkState
    qr_svg: str


class InvitePreview(Answer):
    """Where an invite link leads: a channel or a chat group, as everybody sees it who has the link.

    `approval`: who comes by it asks to join. `is_member`, `has_requested`: you are in it, or wait for an answer
    since `requested_at`; both are false without a token.
    """

    code: str
    """The code of an invite link, the last part of its address."""
    kind: Literal["channel", "group"] | str
    id: str
    name: str
    face_url: str
    introduction: str
    member_count: int
    verified: bool
    approval: bool
    is_member: bool
    has_requested: bool
    requested_at: datetime | None = None


class JoinedByLink(Answer):
    """The outcome: you are in the channel or group, which is shown as you see it now, or you wait for an answer.

    `channel` or `group` is null for the other kind, and both while you wait.
    """

    status: Literal["joined", "requested"] | str
    kind: Literal["channel", "group"] | str
    id: str
    channel: Channel | None = None
    group: Group | None = None


class LinkPreview(Answer):
    """Title, description and picture of a page, as `links` of a message take them (`image` by its `media_id`)."""

    url: str
    title: str
    description: str | None = None
    image: Media | None = None


class SubEntry(Answer):
    """An entry below another one."""

    text: str
    kind: ActionKind
    url: str | None = None
    reply: str | None = None
    data: str | None = None
    form: str | None = None


class Entry(Answer):
    """An entry of a menu; `kind` is null for one with `entries`."""

    text: str
    kind: ActionKind | None = None
    url: str | None = None
    reply: str | None = None
    data: str | None = None
    form: str | None = None
    entries: list[SubEntry] | None = None


class Menu(Answer):
    """The menu of a channel; without one, `version` is 0, and there are no entries."""

    channel_id: str
    version: int
    """Grows with each change; the channel has it too."""
    entries: list[Entry]


class Highlight(Answer):
    """A part of `message.text` that matches, in UTF-16 code units: `text.slice(start, end)` in JavaScript."""

    start: int
    end: int


class Post(Answer):
    """A post. It is from the channel: only the owner and admins see its author.

    What you wrote before the group became a channel shows you as its author: you may always delete it.

    `views`: how many users reported seeing it. Up to 512 it is exact; above, 95 of 100 numbers are within 3.3 %.
    """

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    """Devices should not ring; it counts as unread."""
    signature: str | None = None
    """The author's name as it was then, where a channel signs."""
    forwarded_from: ForwardedFrom | None = None
    acknowledge: Acknowledge | None = None
    """It asks its readers to acknowledge it; null: it does not."""
    pinned: bool
    reactions_frozen: bool
    """Nobody may react any more; reactions may be removed."""
    channel_id: str
    post_id: str
    seq: int
    channel_name: str
    author_id: str | None = None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    views: int
    comment_count: int | None = None
    """The comments on it, without deleted ones; null where comments are off."""
    comments_open: bool
    """Comments are on in the channel, and not frozen on this post."""
    comments_frozen: bool
    """Nobody may comment on it any more; the comments stay."""
    reactions: Tally


class FoundMessage(Answer):
    """A message that was found, with its conversation.

    One of `channel_id` (a post), `group_id` (a message of a chat group) and `peer_id` (a one-to-one message) is
    set. `highlights` is empty where a title, the name of a file or a place matches, and not the text.
    """

    conversation_id: str
    channel_id: str | None = None
    group_id: str | None = None
    peer_id: str | None = None
    title: str
    face_url: str
    verified: bool
    is_channel: bool
    message: Post | Message | DialogueMessage
    """As in the list of its conversation."""
    highlights: list[Highlight]


class MessageSearchPage(Answer):
    """Messages that match, newest first. A page may have few of them, or none, and more behind `next_cursor`."""

    items: list[FoundMessage]
    next_cursor: str | None = None
    searched_until: datetime | None = None
    """Older messages are behind `next_cursor`; null: there are no more."""
    is_complete: bool
    """false: only the 2,000 conversations that were active last are searched, or older messages are still being
    indexed."""
    indexed: float
    """The share of older messages that are indexed after an upgrade; 1: all."""


class WeeklyResponse(Answer):
    """The times of each day of the week; a day without any is closed."""

    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


class OpeningHours(Answer):
    """When the channel is open, and what it answers when it is not. Without hours, `time_zone` and `away` are null."""

    channel_id: str
    time_zone: str | None = None
    weekly: WeeklyResponse
    closed_dates: list[str]
    away: AutomaticContentResponse | None = None
    enabled: bool
    is_open: bool
    """Whether the channel is open now."""
    changed_at: datetime | None = None
    changed_by: str | None = None


class OptOut(Answer):
    """Whether you get no broadcasts of the channel."""

    channel_id: str
    opted_out: bool
    since: datetime | None = None


AccountKind = Literal["person", "business"] | str
"""Persons subscribe, join, write and react; business accounts run channels, and do nothing as a person."""


class OwnRestriction(Answer):
    """The application restricts you: you read and leave, and add nothing. `until` null: until it is lifted."""

    until: str | None = None
    reason: str


class OwnUser(Answer):
    """Your profile. `restriction`: how the application restricts you now; null: it does not."""

    user_id: str
    name: str
    face_url: str
    account_kind: AccountKind
    restriction: OwnRestriction | None = None


AdminAction = (
    Literal[
        "channel_created",
        "info_changed",
        "settings_changed",
        "admin_invited",
        "invitation_revoked",
        "invitation_accepted",
        "invitation_declined",
        "invite_link_created",
        "invite_link_changed",
        "invite_link_revoked",
        "admin_added",
        "admin_removed",
        "grants_changed",
        "owner_changed",
        "channel_suspended",
        "channel_reinstated",
        "subscriber_added",
        "subscriber_invited",
        "subscribers_imported",
        "subscriber_removed",
        "subscriber_banned",
        "subscriber_unbanned",
        "subscriber_muted",
        "subscriber_unmuted",
        "reacting_banned",
        "reacting_unbanned",
        "commenting_banned",
        "commenting_unbanned",
        "join_request_accepted",
        "join_request_refused",
        "name_card_changed",
        "poll_closed",
        "post_edited",
        "post_deleted",
        "post_pinned",
        "post_unpinned",
        "reactions_frozen",
        "reactions_unfrozen",
        "comments_frozen",
        "comments_unfrozen",
        "comment_edited",
        "comment_deleted",
        "draft_changed",
        "draft_deleted",
        "draft_published",
        "answer_edited",
        "answer_deleted",
        "webhook_created",
        "webhook_changed",
        "webhook_deleted",
        "webhook_disabled",
        "webhook_secret_rotated",
        "webhook_replayed",
        "canned_reply_changed",
        "canned_reply_deleted",
        "broadcast_created",
        "broadcast_stopped",
        "broadcast_resumed",
        "report_resolved",
        "user_restricted",
        "user_unrestricted",
    ]
    | str
)
"""The act that an entry of an admin log records: of a channel's, or of the application's."""


class AdminLogEntry(Answer):
    """One change to the channel, or one act of the application.

    `before` and `after` hold the changed values by name; a value of more than 400 bytes is cut and ends in an
    ellipsis. `by_app`: your back end made the change, under this id.
    """

    entry_id: str
    action: AdminAction
    actor_id: str
    by_app: bool
    target_id: str | None = None
    before: dict[str, Any]
    after: dict[str, Any]
    at: datetime


class Ban(Answer):
    """A banned user."""

    user_id: str
    banned_at: datetime | None = None
    banned_by: str | None = None


class FeedChannel(Answer):
    """The channel of a post, as a feed shows it."""

    channel_id: str
    name: str
    face_url: str
    verified: bool


class FeedItem(Answer):
    """A post with its channel."""

    channel: FeedChannel
    post: Post


class InboxTag(Answer):
    """A tag that at least one thread of the inbox has."""

    tag: str


class RequestLink(Answer):
    """The invite link by which a user asked to join."""

    code: str
    """The code of an invite link, the last part of its address."""
    name: str


class JoinRequest(Answer):
    """A user who waits for approval. `invite_link`: null where they asked without one, or it is gone."""

    user_id: str
    name: str
    face_url: str
    text: str
    requested_at: datetime
    invite_link: RequestLink | None = None


Reason = Literal["opted_out", "left", "blocked", "switched_off", "business", "other"] | str
"""Why a user of the segment did not get the message."""


class NotReached(Answer):
    """A user of the segment who did not get it."""

    user_id: str
    reason: Reason


class OwnJoinRequest(Answer):
    """A join request of yours that waits for an answer. It shows nothing else of a private channel or group."""

    kind: Literal["channel", "group"] | str
    id: str
    name: str
    face_url: str
    text: str
    requested_at: datetime


class PostInsights(Answer):
    """The users who have seen a post, the reactions it has now, and the clicks on its links."""

    seq: int
    created_at: datetime
    preview: str
    views: int
    reactions: int
    clicks: int


class PostViews(Answer):
    """The number of users who have seen a post."""

    seq: int
    views: int


class Reactor(Answer):
    """A user who holds the emoji."""

    user_id: str
    name: str
    face_url: str
    reacted_at: datetime


CaseState = Literal["open", "resolved"] | str
"""Whether a case was resolved."""

ReportReason = (
    Literal["spam", "abuse", "violence", "sexual", "illegal", "impersonation", "other"] | str
)
"""Why it is reported."""

CaseAction = Literal["dismiss", "delete", "suspend_channel", "restrict_user"] | str
"""The acts that resolve a case."""


class ReportResolution(Answer):
    """How the report was resolved. `user_id`: the user who was restricted."""

    action: CaseAction
    mode: SuspensionMode | None = None
    until: str | None = None
    note: str
    user_id: str | None = None
    at: datetime


TargetType = Literal["post", "message", "comment", "channel", "group", "user"] | str
"""The kinds of things that are reported."""


class ReportTarget(Answer):
    """The reported thing, by its ids. A one-to-one message names only its author, or the channel that wrote it."""

    type: TargetType
    channel_id: str | None = None
    group_id: str | None = None
    seq: int | None = None
    post_seq: int | None = None
    user_id: str | None = None


class ReportText(Answer):
    """The words of a reporter."""

    reason: ReportReason
    text: str
    at: datetime


class ReportedProfile(Answer):
    """The profile of the channel, group or user, as it was at the first report."""

    name: str
    introduction: str
    face_url: str


class ReportCase(Answer):
    """All reports of one thing. Nothing in it says who reported.

    `content`: the message or post as it was at the first report; `profile`: the same of a channel, group or
    user. `author_id`: who wrote or owns it, or the user; null for a message that a channel wrote. `count`: users
    who reported it. `texts`: the newest ones; always empty in lists.
    """

    report_id: str
    target: ReportTarget
    content: Content | None = None
    profile: ReportedProfile | None = None
    author_id: str | None = None
    count: int
    reasons: dict[str, int]
    texts: list[ReportText]
    first_at: datetime
    last_at: datetime
    state: CaseState
    resolution: ReportResolution | None = None
    resolved_by: str | None = None


class RestrictedUser(Answer):
    """A restricted user, with their name, which may be empty, and who restricted them."""

    user_id: str
    until: str | None = None
    reason: str
    at: datetime
    name: str
    by: str


class SubscriberTag(Answer):
    """A tag that at least one subscriber has."""

    tag: str
    subscribers: int
    """How many have it. Somebody who just left may count for a moment yet."""


class ThreadLastMessage(Answer):
    """The newest message of a thread."""

    seq: int
    preview: str
    """One line of its text; `[image]` and the like where it has none."""
    kind: Kind | None = None
    """null where it was deleted, or an older version of the server wrote it."""
    recalled: bool
    """It was deleted for everyone."""
    at: datetime
    from_channel: bool


class Thread(Answer):
    """A thread with a user. All admins who read the inbox share `read_seq`, `unread_count` and `tags`."""

    channel_id: str
    user_id: str
    name: str
    face_url: str
    head_seq: int
    version: int
    """Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."""
    read_seq: int
    unread_count: int
    tags: list[str]
    last_message: ThreadLastMessage | None = None


class ConversationMissing(Answer):
    """A conversation that you asked for and do not have."""

    conversation_id: str
    error: ItemError


class GroupMissing(Answer):
    """A requested group that cannot be shown."""

    group_id: str
    error: ItemError


class OwnGroupInvitation(Answer):
    """An open invitation to you to join a chat group. It shows nothing else of the group."""

    group_id: str
    group_name: str
    role: Literal["admin", "member"] | str
    invited_by: str
    invited_at: datetime
    expires_at: datetime


class OwnInvitation(Answer):
    """An open invitation to you, to subscribe (`role` is `member`) or to be an admin.

    Of a private channel it shows nothing else.
    """

    channel_id: str
    channel_name: str
    verified: bool
    role: Literal["admin", "member"] | str
    grants: list[Grant]
    invited_at: datetime
    expires_at: datetime


class UserMissing(Answer):
    """A requested user without a profile, or a user that could not be changed."""

    user_id: str
    error: ItemError


class User(Answer):
    """A user's profile. `account_kind`: a `business` account cannot be written to or added as a person."""

    user_id: str
    name: str
    face_url: str
    account_kind: AccountKind


class Voter(Answer):
    """A user who chose the option."""

    user_id: str
    name: str
    face_url: str
    voted_at: datetime


DisabledReason = Literal["gone", "failing", "too_many_waiting", "right_withdrawn"] | str
"""Why the server disabled an endpoint."""


class Webhook(Answer):
    """A webhook. Its secret is shown when it is created or rotated only."""

    webhook_id: str
    channel_id: str | None = None
    """Null: the application's, for events of all channels."""
    url: str
    event_types: list[str]
    """Empty: all types."""
    description: str
    receives_inbox: bool
    """Whether it receives what is said in the channel's inbox: if the user who gave its `url` has `read_inbox`."""
    enabled: bool
    disabled_reason: DisabledReason | None = None
    """Why the server disabled it; null where it did not."""
    disabled_at: datetime | None = None
    old_secrets_until: datetime | None = None
    """Until when the last replaced secret signs too; null where none does."""
    created_by: str
    created_at: datetime
    updated_at: datetime


class LinkClicks(Answer):
    """A link of a post, and how many users opened it. It is exact up to 512, as `views` are."""

    url: str
    clicks: int


class PostClicks(Answer):
    """The links of a post: those in its text, then its titled ones, each once, at most 50."""

    seq: int
    items: list[LinkClicks]


class PostPage(Answer):
    """A page of posts."""

    items: list[Post]
    next_cursor: str | None = None
    """Goes on in the same direction; null at the end."""
    newer_cursor: str | None = None
    """With `around` and `around_seq`: goes on with the newer ones; null where there are none."""
    first_unread_seq: int | None = None
    """With `around=unread`: the first unread one; null where all are read."""
    version: int | None = None
    """With `changed_since`: you have all changes up to this version now."""


class PostReport(Answer):
    """Whom a post could reach, and whom it did."""

    seq: int
    created_at: datetime
    silent: bool
    """Nobody was notified."""
    subscribers: int | None = None
    """Subscribers when it was posted, the owner included. Null: an older version posted it."""
    sockets: int
    """Open sockets that received it when it was posted, counted in seconds."""
    pushed: int
    """Notifications that a push service or the gateway took."""
    rejected: int
    """Devices that did not exist any more, which were forgotten."""
    failed: int
    """Notifications that failed for good."""
    views: int
    """Users who have seen it."""


class Press(Answer):
    """The buttons after the press."""

    buttons: list[list[Button]]
    message_seq: int | None = None
    """For a `reply`: the seq of your message in the conversation with the channel; else null."""


class Problem(Answer):
    """The body of every error response."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    details: dict[str, JsonValue] = {}
    request_id: str


class Push(Answer):
    """How this deployment sends notifications."""

    vapid_public_key: str | None = None
    """The `applicationServerKey` with which browsers subscribe, base64url; null: no Web Push."""
    gateway: bool
    """Whether devices of the platform `gateway` are notified."""


class ReadMark(Answer):
    """How far the conversation is read after the call."""

    conversation_id: str
    read_seq: int
    unread_count: int


class Reminder(Answer):
    """The reminder is on its way."""

    reminded_at: datetime


class Replayed(Answer):
    """What a replay did."""

    replayed: int
    """Deliveries that are sent again."""
    next_since: datetime | None = None
    """More are left: repeat the call with this instant. Null: that was all."""


class Reported(Answer):
    """The report is taken. `report_id` names it to the application; you cannot read it."""

    report_id: str
    status: Literal["open"]


class Restriction(Answer):
    """A user reads and leaves, and adds nothing. `until` null: until it is lifted."""

    user_id: str
    until: str | None = None
    reason: str
    at: datetime


class Selection(Answer):
    """The entry that was selected."""

    entry: str
    kind: ActionKind
    message: DialogueMessage | None = None
    """For a `reply`: your message in the conversation with the channel."""


class ItemProblem(Answer):
    """The error of one item, with what programs need of it."""

    code: str
    detail: str
    details: dict[str, JsonValue]
    """As in the problem of a call."""


class SentToUser(Answer):
    """The result for one user: the message's place in the thread with them, or `error`."""

    user_id: str
    message_id: str | None = None
    seq: int | None = None
    created_at: datetime | None = None
    error: ItemProblem | None = None


class SentToMany(Answer):
    """The result for each user, in the order of `user_ids`."""

    results: list[SentToUser]


class ShareLink(Answer):
    """The link to a channel or to a post."""

    url: str
    """The public page where the channel has one, otherwise its place in the web app."""
    is_public: bool
    """Anyone may open it. Otherwise it asks to sign in."""
    title: str
    """The name of the channel."""
    qr_svg: str
    """The QR code of `url`, as an SVG document."""
    embed_html: str | None = None
    """HTML that shows the newest posts on another site; null where the channel is not public."""


class SubscriberTags(Answer):
    """The tags of a subscriber."""

    channel_id: str
    user_id: str
    tags: list[str]


class SyncConversation(Answer):
    """A conversation as it is now, with its channel or its group.

    Hidden ones come only as changes. `again`: you may have it already, since more changed at your last sync than
    its token holds.
    """

    conversation_id: str
    type: ConversationType
    group_id: str | None = None
    peer_id: str | None = None
    title: str
    face_url: str
    unread_count: int
    read_seq: int
    head_seq: int
    version: int
    """Grows with each edit, deletion, pin and freeze of a message; `changed_since` lists what changed."""
    last_message: LastMessage | None = None
    muted: bool
    """For ever, or until `muted_until`."""
    muted_until: datetime | None = None
    """null: for ever, or not muted."""
    notifications: NotificationLevel
    """For which messages your devices ring, while it is not muted. More levels may be added."""
    accept: bool
    """false: the channel of this conversation may not write to you."""
    pinned_at: datetime | None = None
    hidden: bool
    draft: str
    custom_data: str
    conversation_groups: list[str]
    is_channel: bool
    verified: bool
    channel: Channel | None = None
    group: Group | None = None
    again: bool


class End(Answer):
    """Why a conversation ended, and when."""

    reason: DepartureReason
    at: datetime


class SyncEnd(Answer):
    """A conversation that you no longer have."""

    conversation_id: str
    ended: End
    again: bool


class Unread(Answer):
    """Unread totals; `total` is channels and chats together, `conversation_groups` the user's own."""

    total: int
    channels: int
    chats: int
    conversation_groups: dict[str, int]


class Sync(Answer):
    """A page of your conversations, or of what changed among them.

    `sync_token`: for `since` in the next sync; null while more changes follow. `user`, `invitations` and
    `limits` come whole with the first page, and are null on later ones. `limits` are by the names of their
    settings; null: none.
    """

    items: list[SyncConversation | SyncEnd]
    next_cursor: str | None = None
    sync_token: str | None = None
    unread: Unread
    conversation_groups: list[ConversationGroup]
    invitations: Page[OwnInvitation | OwnGroupInvitation] | None = None
    user: OwnUser | None = None
    limits: dict[str, int | float | None] | None = None


class TagImportResult(Answer):
    """The result of one line. A line that cannot be read has its number, from 1, instead of an id."""

    user_id: str | None = None
    line: int | None = None
    result: Literal["changed", "unchanged", "not_subscribed", "tag_limit", "invalid_request"] | str
    detail: str | None = None


class TagImportProgress(Answer):
    """Progress: totals, and the results of the batch just committed, in its order."""

    received: int
    """Lines so far, blank ones not counted."""
    changed: int
    unchanged: int
    """Subscribers who had these tags already."""
    refused: int
    results: list[TagImportResult]
    done: bool = False
    """The last line of a complete request."""
    error: ItemError | None = None
    """The last line of a request that stopped early: lines not counted changed nothing."""


class ThreadMessage(Answer):
    """A message of a thread as the channel's admins see it. Only they see `author_id`: the admin who wrote it."""

    kind: Kind | None = None
    title: str | None = None
    text: str | None = None
    links: list[Link] | None = None
    images: list[Media] | None = None
    video: Media | None = None
    audio: Media | None = None
    file: Media | None = None
    location: Location | None = None
    poll: Poll | None = None
    custom: JsonValue
    form_answer: FormAnswer | None = None
    buttons: list[list[Button]] | None = None
    """Rows of buttons under it, from top to bottom; null: it has none."""
    silent: bool
    """No notification; it still counts as unread."""
    forwarded_from: ForwardedFrom | None = None
    """The source of a forward; null: it was written here."""
    quoted_seq: int | None = None
    """The earlier message of the conversation that it answers, which may be deleted since; null: none."""
    automatic: bool
    """The channel's greeting or automatic answer; nobody wrote it."""
    message_id: str
    seq: int
    sender_id: str | None = None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    reactions: Tally
    channel_id: str
    user_id: str
    from_channel: bool
    author_id: str | None = None
    broadcast_id: str | None = None
    """The broadcast that sent it; null: it was written here."""


class ThreadPage(Answer):
    """A page of a thread."""

    items: list[ThreadMessage]
    next_cursor: str | None = None
    """Goes on in the same direction; null at the end."""
    newer_cursor: str | None = None
    """With `around` and `around_seq`: goes on with the newer ones; null where there are none."""
    first_unread_seq: int | None = None
    """With `around=unread`: the first unread one; null where all are read."""
    version: int | None = None
    """With `changed_since`: you have all changes up to this version now."""


class ThreadRead(Answer):
    """The shared read cursor of a thread."""

    channel_id: str
    user_id: str
    read_seq: int
    unread_count: int


class ThreadTags(Answer):
    """The tags of a thread."""

    channel_id: str
    user_id: str
    tags: list[str]


class WebhookWithSecret(Answer):
    """A webhook and its secret, which is not shown again."""

    webhook_id: str
    channel_id: str | None = None
    """Null: the application's, for events of all channels."""
    url: str
    event_types: list[str]
    """Empty: all types."""
    description: str
    receives_inbox: bool
    """Whether it receives what is said in the channel's inbox: if the user who gave its `url` has `read_inbox`."""
    enabled: bool
    disabled_reason: DisabledReason | None = None
    """Why the server disabled it; null where it did not."""
    disabled_at: datetime | None = None
    old_secrets_until: datetime | None = None
    """Until when the last replaced secret signs too; null where none does."""
    created_by: str
    created_at: datetime
    updated_at: datetime
    secret: str
    """Keep it where the receiver verifies signatures."""


class AddConversations(TypedDict, total=False):
    """The conversations to add."""

    conversation_ids: list[str]


class AnswerForm(TypedDict, total=False):
    """The values, by the names of the fields; a field that is left out, null or blank has no answer."""

    answers: Required[dict[str, str | int | float | bool | None]]


class AnswerRequest(TypedDict, total=False):
    """The answer to a join request."""

    approve: Required[bool]


class AnswerRequests(TypedDict, total=False):
    """The same answer to the join requests of several users; a user who is named twice counts once."""

    user_ids: Required[list[str]]
    approve: Required[bool]


class AnswerToInvitation(TypedDict, total=False):
    """Whether you accept or decline."""

    accept: Required[bool]


class Appoint(TypedDict, total=False):
    """The rights of the admin. Without `grants` a new admin may do everything, and an admin keeps their rights."""

    grants: list[Grant]
    """The rights of the admin; the owner has all of them."""


class ChangeConversationGroup(TypedDict, total=False):
    """The conversations to add and to remove. Both count towards the limit of ids a call."""

    add: list[str]
    remove: list[str]


class ButtonBody(TypedDict, total=False):
    """A button: its text, and what happens when a user presses it."""

    url: str | None
    reply: str | None
    data: str | None
    form: str | None
    kind: ActionKind
    """`link`: the app opens `url`. `reply`: the user sends the text `reply` to the channel. `event`: the back end
    receives `data`. `form`: the app opens the channel's form of this name."""
    text: Required[str]


class ForwardBody(TypedDict, total=False):
    """The message to copy: of a group, of a channel, or of one of the caller's own conversations."""

    channel_id: str | None
    """In full, or without its prefix (`news`)."""
    group_id: str | None
    conversation_id: str | None
    seq: Required[int]


class LinkBody(TypedDict, total=False):
    """A titled link, http or https; `description` and `image` make it a preview of its page."""

    title: Required[str]
    url: Required[str]
    description: str | None
    """The description that its page has."""
    image: str | None
    """An upload of yours: a picture."""


class LocationBody(TypedDict, total=False):
    """A place on Earth, in degrees."""

    latitude: Required[float]
    longitude: Required[float]
    name: str
    address: str


class PollBody(TypedDict, total=False):
    """A poll: a question with answers to choose from. All but `closes_at` is fixed once it is posted."""

    question: Required[str]
    options: Required[list[str]]
    """2 to 12 different answers."""
    multiple: bool
    """A voter may choose several options."""
    closes_at: datetime | str | None
    """From then on it takes no votes; null: it stays open."""
    results: PollResults
    """When subscribers and members see how many chose each option."""


class DraftPost(TypedDict, total=False):
    """A post, as in `POST …/posts`."""

    kind: Kind | None
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
    acknowledge: bool
    """Ask the readers to acknowledge it. It stays so when the message is edited."""
    forward: ForwardBody | None
    silent: bool
    """Devices should not ring; it counts as unread."""


class ChangeDraft(TypedDict, total=False):
    """Fields that are left out stay. `publish_at` null makes it a draft without schedule."""

    post: DraftPost
    publish_at: datetime | str | None


class ChangeInviteLink(TypedDict, total=False):
    """New values of an invite link; fields that are left out stay. Null for `expires_at` or `max_uses`: no bound."""

    name: str
    """For those who manage the link; nobody else sees it."""
    expires_at: datetime | str | None
    """Until when it can be used; null: for ever."""
    max_uses: int | None
    """How many may come in by it; null: any number."""
    approval: bool
    """Users who come by it ask to join, and wait for an answer."""


class ChangeMember(TypedDict, total=False):
    """New values for a member; fields that are left out stay."""

    role: Literal["admin", "member"]
    """`admin` or `member`; ownership is transferred."""
    mute_seconds: int
    """0 ends the mute."""
    name_card: str


class ChangeWebhook(TypedDict, total=False):
    """Fields that are left out stay. `enabled` true also enables a webhook that the server disabled."""

    url: str
    """An https address, without a user and a fragment."""
    event_types: list[str]
    """The types of events to send; none: all, also those of later versions."""
    description: str
    """What it is for, in your words."""
    enabled: bool
    """Whether events are sent to it."""


class ClickBody(TypedDict, total=False):
    """The link that was opened."""

    url: Required[str]
    """As it is written in the post."""


class SegmentBody(TypedDict, total=False):
    """Subscribers, by their tags. Without any tag: all subscribers."""

    all: list[str]
    """Those who have every one of these tags."""
    any: list[str]
    """Those who have one of these tags at least."""
    none: list[str]
    """Those who have none of these tags."""


class CountAudience(TypedDict, total=False):
    """The segment; without it all subscribers."""

    segment: SegmentBody


class CreateBroadcast(TypedDict, total=False):
    """The message, as to one user, and the segment of the subscribers who get it; without `segment` all of them."""

    kind: Kind
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
    segment: SegmentBody
    silent: bool
    """Devices should not ring; it counts as unread."""
    rate: int | None
    """Messages a second; null: as many as the limit allows."""
    start_at: datetime | str | None
    """When it begins; null: at once."""


class SettingsBody(TypedDict, total=False):
    """A channel's settings. A setting that is left out takes its default, or stays."""

    visibility: Literal["public", "private"]
    """`public`: listed in the directory, and anyone may read and subscribe. `private`: nobody finds or joins it
    without an invitation; others get 404."""
    reactions: Literal["all", "basic", "none"] | list[str]
    reactions_per_user: int
    distinct_reactions: int
    comments: Commenting
    """The users who may comment on posts. `off` hides the comments that there are; `everyone`: also users who do
    not subscribe, where the channel is public."""
    retention_days: int
    """Messages end so many days after they were posted (owner). 0: they are kept as long as the deployment keeps
    messages, which is for ever unless its operator set `CHANNELS_LIMIT_RETENTION_DAYS`."""
    accept_messages: AcceptMessages
    signatures: bool
    protect_content: bool
    count_clicks: bool
    """Clicks on links of posts are counted, and readers are told."""


class CreateChannel(TypedDict, total=False):
    """A new channel, or with `group_id` a Community group of yours to make a channel."""

    name: Required[str]
    channel_id: str | None
    """Starts with `@TOA#_`. null: the server chooses one."""
    group_id: str | None
    owner_id: str | None
    """The owner, for the application's back end; null: you."""
    share_history: bool
    """With `group_id`. true: what was written before becomes as public as the posts, and every member is told.
    false: it stays visible to those only who can read it now."""
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""
    organization: str
    introduction: str
    custom_data: str
    settings: SettingsBody


class CreateDraft(TypedDict, total=False):
    """A draft; with `publish_at` a scheduled post."""

    post: Required[DraftPost]
    publish_at: datetime | str | None


class CreateGroup(TypedDict, total=False):
    """A new group; fields that are left out take the defaults of its type."""

    type: Required[GroupType]
    name: Required[str]
    group_id: str | None
    owner_id: str | None
    """The owner, for the application's back end; null: you."""
    introduction: str
    notification: str
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""
    custom: dict[str, str]
    posting: Posting | None
    join_option: JoinOption | None
    history_visible: bool | None
    member_limit: int | None


class CreateInviteLink(TypedDict, total=False):
    """An invite link; without any field it lets in anybody who has it, until it is revoked."""

    name: str
    """For those who manage the link; nobody else sees it."""
    expires_at: datetime | str | None
    """Until when it can be used; null: for ever."""
    max_uses: int | None
    """How many may come in by it; null: any number."""
    approval: bool
    """Users who come by it ask to join, and wait for an answer."""


class CreateWebhook(TypedDict, total=False):
    """A new webhook."""

    url: Required[str]
    """An https address, without a user and a fragment."""
    event_types: list[str]
    """The types of events to send; none: all, also those of later versions."""
    description: str
    """What it is for, in your words."""
    enabled: bool
    """Whether events are sent to it."""
    secret: str
    """A secret of your own: `whsec_` and 24 to 64 bytes in base64. Without it the server makes one."""


class DeleteUser(TypedDict, total=False):
    """A deletion, whose user is named twice."""

    confirm: Required[str]
    """The id of the user, spelled out also for `me`."""
    messages: Messages
    """The fate of the user's posts and group messages: `keep` puts a random id in the place of the sender, `delete`
    deletes them for everyone."""


class ImportLine(TypedDict, total=False):
    """One line of an import."""

    user_id: Required[str]


class InviteAdmin(TypedDict, total=False):
    """The user to invite, and their rights as an admin: all, unless `grants` is given."""

    user_id: Required[str]
    grants: list[Grant]
    """The rights of the admin; the owner has all of them."""


class JoinByLink(TypedDict, total=False):
    """A message to those who approve, where the link wants approval."""

    text: str


class JoinGroup(TypedDict, total=False):
    """A message to those who approve the join request."""

    text: str


class LinkToPreview(TypedDict, total=False):
    """The address of a page."""

    url: Required[str]


class NewChatMessage(TypedDict, total=False):
    """As `NewMessage`; `quoted_seq` names the earlier message of the conversation that it answers."""

    kind: Kind | None
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
    acknowledge: bool
    """Ask the readers to acknowledge it. It stays so when the message is edited."""
    forward: ForwardBody | None
    silent: bool
    """Devices should not ring; it counts as unread."""
    quoted_seq: int | None
    """The earlier message that it answers."""


class NewComment(TypedDict, total=False):
    """As `WriteComment`; `quoted_seq` names the comment that it answers."""

    kind: Literal["text", "image", "text_and_image"]
    text: str
    images: list[str]
    """For `image` and `text_and_image`: 1 to 10."""
    quoted_seq: int | None
    """The comment on the same post that it answers."""
    as_channel: bool
    """The channel is the sender (the owner, admins who may post)."""


class NewMessage(TypedDict, total=False):
    """The content as in `WriteMessage`, or in `forward` a message to copy; with `silent`, devices do not ring.

    With `acknowledge`, a post, or a message of the owner or an admin of a group, asks its readers to acknowledge
    it.
    """

    kind: Kind | None
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
    acknowledge: bool
    """Ask the readers to acknowledge it. It stays so when the message is edited."""
    forward: ForwardBody | None
    silent: bool
    """Devices should not ring; it counts as unread."""


class NewMessageToMany(TypedDict, total=False):
    """The message, as to one user, and the users."""

    kind: Kind | None
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
    acknowledge: bool
    """Ask the readers to acknowledge it. It stays so when the message is edited."""
    forward: ForwardBody | None
    silent: bool
    """Devices should not ring; it counts as unread."""
    user_ids: Required[list[str]]


class NewOwner(TypedDict, total=False):
    """The new owner of the group."""

    user_id: Required[str]


class TargetBody(TypedDict, total=False):
    """The thing to report: exactly the ids that its type needs.

    `post`: `channel_id`, `seq`. `message`: `group_id`, `seq`; one-to-one `conversation_id`, `seq`; in a
    channel's inbox `channel_id`, `user_id`, `seq`. `comment`: `channel_id`, `post_seq`, `seq`. `channel`,
    `group`, `user`: its id.
    """

    type: Required[TargetType]
    channel_id: str | None
    group_id: str | None
    conversation_id: str | None
    seq: int | None
    post_seq: int | None
    user_id: str | None


class NewReport(TypedDict, total=False):
    """A report. Reporting the same thing again replaces what you said of it."""

    target: Required[TargetBody]
    reason: Required[ReportReason]
    text: str
    """More, in your own words. Those who decide read it without your name."""


class NewResolutionBody(TypedDict, total=False):
    """How to resolve a report. `mode` is for `suspend_channel`, `until` for `restrict_user`."""

    action: Required[CaseAction]
    mode: SuspensionMode | None
    """Of the suspension; null: `readable`."""
    until: str | None
    """When the restriction ends; null: it does not by itself."""
    note: str
    """Why: shown to the owner of the channel, or to the restricted user."""


class AutomaticContent(TypedDict, total=False):
    """The message that is sent: a text, and buttons."""

    text: Required[str]
    buttons: list[list[ButtonBody]] | None


class PutAutoReply(TypedDict, total=False):
    """An automatic answer, and the keywords that it answers."""

    keywords: Required[list[str]]
    match: Match
    """`contains`: the keyword is in the message, as whole words. `exact`: it is the message. Case, accents and
    punctuation do not count."""
    answer: Required[AutomaticContent]
    enabled: bool


class PutCannedReply(TypedDict, total=False):
    """The text, which fits into a message."""

    text: Required[str]


class FormFieldBody(TypedDict, total=False):
    """One question of a form."""

    name: Required[str]
    """Names the value in answers."""
    label: Required[str]
    kind: FieldKind
    """`text`: one line; `long_text`: several. `date`: as `2030-12-31`. `choice`: one of `options`."""
    required: bool
    options: list[str]
    """For `choice`: 1 to 20 different ones."""
    max_length: int | None
    """For `text` and `long_text`: characters; else 200 and 2,000."""


class PutForm(TypedDict, total=False):
    """A form: its title, a text above the fields, the fields, and what the user sees once they have sent it."""

    title: Required[str]
    text: str
    fields: Required[list[FormFieldBody]]
    confirmation: str


class PutGreeting(TypedDict, total=False):
    """The greeting of new subscribers."""

    text: Required[str]
    buttons: list[list[ButtonBody]] | None


class SubEntryBody(TypedDict, total=False):
    """An entry below another one: its text, and what happens when a user chooses it."""

    url: str | None
    reply: str | None
    data: str | None
    form: str | None
    kind: ActionKind
    """`link`: the app opens `url`. `reply`: the user sends the text `reply` to the channel. `event`: the back end
    receives `data`. `form`: the app opens the channel's form of this name."""
    text: Required[str]


class EntryBody(TypedDict, total=False):
    """An entry: its text, and an action, as that of a button, or the `entries` below it."""

    url: str | None
    reply: str | None
    data: str | None
    form: str | None
    text: Required[str]
    kind: ActionKind | None
    """As that of a button; left out where the entry has `entries`."""
    entries: list[SubEntryBody] | None


class PutMenu(TypedDict, total=False):
    """The whole menu."""

    entries: Required[list[EntryBody]]


class Weekly(TypedDict, total=False):
    """The times of each day of the week; a day without any is closed."""

    mon: list[list[str]]
    tue: list[list[str]]
    wed: list[list[str]]
    thu: list[list[str]]
    fri: list[list[str]]
    sat: list[list[str]]
    sun: list[list[str]]


class PutOpeningHours(TypedDict, total=False):
    """When the channel is open, and what it answers when it is not."""

    time_zone: Required[str]
    """A name of the IANA time zones."""
    weekly: Required[Weekly]
    closed_dates: list[str]
    """Dates on which it is closed all day."""
    away: Required[AutomaticContent]
    enabled: bool


class PutSubscriberTags(TypedDict, total=False):
    """All tags of the subscriber, in the order in which they are shown; none takes all away."""

    tags: Required[list[str]]


class PutThreadTags(TypedDict, total=False):
    """All tags of the thread, in the order in which they are shown; none takes all away."""

    tags: Required[list[str]]


class ReadScopeBody(TypedDict, total=False):
    """The conversations to mark as read."""

    scope: Required[str]
    """`all`, `group`, `c2c`, or a conversation group, also `channels` or `chats`."""


class ReadUpTo(TypedDict, total=False):
    """How far to mark it as read."""

    seq: int | None
    """The last message read; without it, all messages."""


class SubscriptionKeys(TypedDict, total=False):
    """The keys of a subscription, base64url, as the browser gives them."""

    p256dh: Required[str]
    auth: Required[str]


class Subscription(TypedDict, total=False):
    """What `PushSubscription.toJSON()` returns in a browser."""

    endpoint: Required[str]
    expirationTime: float | None
    """Ignored: the push service says when it ends."""
    keys: Required[SubscriptionKeys]


class RegisterDevice(TypedDict, total=False):
    """A device. `subscription` goes with the platform `web`, `pushkey` with `gateway`."""

    platform: Required[Literal["web", "gateway"]]
    """`web`: a browser; `gateway`: an app that your push gateway reaches."""
    subscription: Subscription | None
    pushkey: str | None
    """What your gateway knows the device by: any text without spaces."""
    app_id: Required[str]
    """The app on the device, by a name of your own; your gateway gets it."""
    locale: Required[str]
    """The language of the notifications, a BCP 47 tag."""
    name: str
    """For a list of the user's devices."""


class RemoveMember(TypedDict, total=False):
    """How a member is removed; `ban` as in the query parameter."""

    ban: bool


class RenameConversationGroup(TypedDict, total=False):
    """The new name."""

    name: Required[str]


class ReplaySince(TypedDict, total=False):
    """From where to replay."""

    since: Required[datetime | str]
    """Deliveries of events since this instant are sent again."""


class Restrict(TypedDict, total=False):
    """How to restrict a user."""

    until: str | None
    """When it ends; null: it does not by itself."""
    reason: str
    """Why, in words for the owner or the user who is shown it."""


class RotateSecret(TypedDict, total=False):
    """The new secret, if it is not to be made by the server."""

    secret: str
    """A secret of your own: `whsec_` and 24 to 64 bytes in base64. Without it the server makes one."""


class SeenBody(TypedDict, total=False):
    """Posts that you have seen."""

    seqs: Required[list[int]]
    """Up to 100."""


class SelectEntry(TypedDict, total=False):
    """The entry that the user chose."""

    entry: Required[str]
    """Its place, from 1; `2.1` is the first one below the second."""
    version: int | None
    """The version of the menu that the user saw: another one is refused."""


class SetUser(TypedDict, total=False):
    """New values for one user; fields that are left out stay."""

    name: str
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""
    user_id: Required[str]
    account_kind: AccountKind
    """`business`: only tokens with the scope `business` are accepted for the user; `person`: only those without.
    Sockets of the other kind are closed; memberships and conversations stay."""


class SetUsers(TypedDict, total=False):
    """Users and their new values, each user once."""

    users: Required[list[SetUser]]
    """At most `users_per_call` (500)."""


class Suspend(TypedDict, total=False):
    """How to suspend a channel."""

    mode: Required[SuspensionMode]
    """`readable`: nothing is added to it. `hidden`: it is as if absent, for all but its owner and the application."""
    reason: str
    """Why, in words for the owner or the user who is shown it."""


class TagLine(TypedDict, total=False):
    """A subscriber, and either all tags that they are to have, or some to add and some to take away."""

    user_id: Required[str]
    tags: list[str] | None
    add: list[str]
    remove: list[str]


class UpdateChannel(TypedDict, total=False):
    """New values. A field that is left out stays."""

    name: str
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""
    organization: str
    introduction: str
    custom_data: str
    settings: SettingsBody


class UpdateConversation(TypedDict, total=False):
    """New values; fields that are left out stay."""

    muted: bool
    """Not in unread totals: for ever; false: no more."""
    muted_until: datetime | str | None
    """Not in unread totals until this instant, at most 366 days ahead. null ends such a mute, and leaves one for
    ever."""
    notifications: Literal["all", "none"]
    """For which messages your devices ring. `none`: they count as unread all the same."""
    accept: bool
    """With a channel (`c2c_<channel id>`): whether it may write to you. A subscriber may say so before there is a
    message."""
    pinned: bool
    """At the top of the list."""
    hidden: bool
    """Not in lists and totals until its next message."""
    draft: str
    """Empty clears it."""
    custom_data: str
    """The application's own text. Empty clears it."""


class UpdateGroup(TypedDict, total=False):
    """New values; fields that are left out stay. In `custom`, null removes a key."""

    name: str
    """As long as a new group's, or a channel's."""
    introduction: str
    """As long as a new group's, or a channel's."""
    notification: str
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""
    custom: dict[str, str | None]
    posting: Posting
    join_option: JoinOption
    history_visible: bool
    muted_all: bool
    reactions: Literal["all", "basic", "none"] | list[str]
    reactions_per_user: int
    distinct_reactions: int
    retention_days: int
    """Messages end so many days after they were posted (owner). 0: they are kept as long as the deployment keeps
    messages, which is for ever unless its operator set `CHANNELS_LIMIT_RETENTION_DAYS`."""


class UpdateUser(TypedDict, total=False):
    """New values; fields that are left out stay."""

    name: str
    face_url: str
    """An http(s) address, or `/v1/media/{id}` of a picture you uploaded; empty: none."""


class VoteBody(TypedDict, total=False):
    """A vote: the options, by their place from 0; more than one only where the poll allows several."""

    options: Required[list[int]]


class WriteComment(TypedDict, total=False):
    """A text, pictures (ids that `POST /v1/media` answered), or both."""

    kind: Literal["text", "image", "text_and_image"]
    text: str
    images: list[str]
    """For `image` and `text_and_image`: 1 to 10."""


class WriteMessage(TypedDict, total=False):
    """The content, by its kind: a text, uploads (ids that `POST /v1/media` answered), a place, your own JSON.

    Every kind may carry a title, a text and links; all of it counts against the body limit.
    """

    kind: Kind
    title: str
    text: str
    links: list[LinkBody]
    images: list[str]
    """For `image`: 1 to 10."""
    video: str | None
    """For `video`: a film; a sound is accepted, too."""
    poster: str | None
    """With `video`: an image to show before it plays, such as one of its frames."""
    audio: str | None
    """For `audio`: a sound, such as a voice message."""
    file: str | None
    location: LocationBody | None
    poll: PollBody | None
    """For `poll`, in channels and groups."""
    custom: JsonValue
    """Any JSON; its strings and keys hold no control characters either."""
    buttons: list[list[ButtonBody]]
    """Under a post, or a message of a channel in its inbox; not with a poll."""
