"""Every event, made from the events of the server by `python -m tests.client_models`. Do not edit.

A field that an event does not have is None. `event_id` is None where the client made the event itself, of a message
that it read over HTTP.
"""

from datetime import datetime
from typing import Any, Literal

from channels.client.models import (
    AcceptMessages,
    Acknowledge,
    Answer,
    BroadcastFailure,
    Button,
    Commenting,
    DisabledReason,
    FormAnswer,
    ForwardedFrom,
    Grant,
    JoinOption,
    Kind,
    Link,
    Location,
    Media,
    NotReachedCounts,
    Poll,
    Posting,
    ReportReason,
    Role,
    Segment,
    State,
    SuspensionMode,
    TargetType,
    Visibility,
)

__all__ = [
    "MODELS",
    "AcknowledgementReminder",
    "AcknowledgementsChanged",
    "BlockChanged",
    "BroadcastChanged",
    "BroadcastEnded",
    "BroadcastStarted",
    "ButtonPressed",
    "ButtonsChanged",
    "ChangedChannel",
    "ChangedConversation",
    "ChangedGroup",
    "ChangedSettings",
    "ChannelDeleted",
    "ChannelInvitationEnded",
    "ChannelInvited",
    "ChannelReinstated",
    "ChannelSubscribed",
    "ChannelSuspended",
    "ChannelUnsubscribed",
    "ChannelUpdated",
    "CommentEdited",
    "CommentInEvent",
    "CommentPosted",
    "CommentReacted",
    "CommentRecalled",
    "CommentsCounted",
    "ConversationEnded",
    "ConversationGroupChanged",
    "ConversationGroupCreated",
    "ConversationGroupDeleted",
    "ConversationGroupRenamed",
    "ConversationRead",
    "ConversationUpdated",
    "DialogueMessageInEvent",
    "EventBase",
    "EventFormAnswer",
    "EventModel",
    "FormAnswered",
    "GroupDisbanded",
    "GroupInvitationEnded",
    "GroupInvited",
    "GroupJoined",
    "GroupLeft",
    "GroupUpdated",
    "InboxRead",
    "InboxTagged",
    "InboxUnread",
    "InvitationEnd",
    "InviteLinkUsed",
    "JoinAnswered",
    "JoinRefused",
    "JoinRequested",
    "LeaveReason",
    "MemberChanged",
    "MenuSelected",
    "MessageEdited",
    "MessageInEvent",
    "MessagePosted",
    "MessageRecalled",
    "PollChanged",
    "PostInEvent",
    "ReactionsChanged",
    "ReportOpened",
    "ReportedTarget",
    "RequestEnd",
    "SubscribedChannel",
    "ThreadMessageInEvent",
    "UnreadChanged",
    "UserDeleted",
    "UserRestricted",
    "UserUnrestricted",
    "WebhookDisabled",
]


class EventBase(Answer):
    """The fields of all events."""

    type: str
    event_id: str | None = None
    """The same on the socket, in the feed and in webhooks: leave out an event whose id you have already."""
    stream_id: str | None = None
    at: datetime


class AcknowledgementReminder(EventBase):
    """The owner or an admin reminds those who have not acknowledged a message, once."""

    type: Literal["acknowledgement.reminder"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""


class AcknowledgementsChanged(EventBase):
    """Somebody acknowledged a message that asks for it; several changes are merged into one event."""

    type: Literal["acknowledgements.changed"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    count: int
    """How many acknowledged it."""
    mine: bool | None = None
    """The receiver acknowledged it."""


class BlockChanged(EventBase):
    """The user blocked somebody, or removed a block."""

    type: Literal["block.changed"]
    stream_id: None = None
    user_id: str
    """The other user, or the channel."""
    blocked: bool
    """Whether they are blocked now."""
    blocker_id: str | None = None
    """Only in the feed and in webhooks: the user who blocked them, or removed the block."""


class BroadcastChanged(EventBase):
    """A broadcast was created, stopped or resumed, or has come some way; of its progress one event in two seconds."""

    type: Literal["broadcast.changed"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    broadcast_id: str
    """The broadcast."""
    state: State
    """`scheduled`, `running`, `stopped`, `done` or `failed`."""
    segment: Segment
    """The tags that select its subscribers."""
    silent: bool
    """Whether devices do not ring."""
    rate: int | None = None
    """Messages a second, where it has a rate of its own."""
    total: int | None = None
    """The subscribers of the segment when it began, once they are counted."""
    sent: int
    """How many got it so far."""
    not_reached: NotReachedCounts
    """How many did not get it, by the reason."""
    created_by: str
    """The user who created it."""
    created_at: datetime
    """When it was created."""
    start_at: datetime | None = None
    """When it is to begin, where it was scheduled."""
    started_at: datetime | None = None
    """When it began."""
    ended_at: datetime | None = None
    """When it was done, failed or was stopped."""
    failure: BroadcastFailure | None = None
    """Why it failed."""


class BroadcastEnded(EventBase):
    """A broadcast is done, or failed."""

    type: Literal["broadcast.ended"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    broadcast_id: str
    """The broadcast."""
    state: State
    """`scheduled`, `running`, `stopped`, `done` or `failed`."""
    segment: Segment
    """The tags that select its subscribers."""
    silent: bool
    """Whether devices do not ring."""
    rate: int | None = None
    """Messages a second, where it has a rate of its own."""
    total: int | None = None
    """The subscribers of the segment when it began, once they are counted."""
    sent: int
    """How many got it so far."""
    not_reached: NotReachedCounts
    """How many did not get it, by the reason."""
    created_by: str
    """The user who created it."""
    created_at: datetime
    """When it was created."""
    start_at: datetime | None = None
    """When it is to begin, where it was scheduled."""
    started_at: datetime | None = None
    """When it began."""
    ended_at: datetime | None = None
    """When it was done, failed or was stopped."""
    failure: BroadcastFailure | None = None
    """Why it failed."""


class BroadcastStarted(EventBase):
    """A broadcast begins to send."""

    type: Literal["broadcast.started"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    broadcast_id: str
    """The broadcast."""
    state: State
    """`scheduled`, `running`, `stopped`, `done` or `failed`."""
    segment: Segment
    """The tags that select its subscribers."""
    silent: bool
    """Whether devices do not ring."""
    rate: int | None = None
    """Messages a second, where it has a rate of its own."""
    total: int | None = None
    """The subscribers of the segment when it began, once they are counted."""
    sent: int
    """How many got it so far."""
    not_reached: NotReachedCounts
    """How many did not get it, by the reason."""
    created_by: str
    """The user who created it."""
    created_at: datetime
    """When it was created."""
    start_at: datetime | None = None
    """When it is to begin, where it was scheduled."""
    started_at: datetime | None = None
    """When it began."""
    ended_at: datetime | None = None
    """When it was done, failed or was stopped."""
    failure: BroadcastFailure | None = None
    """Why it failed."""


class ButtonPressed(EventBase):
    """A user pressed a button of the kind `event`, for the first time: it brings `data` to your back end."""

    type: Literal["button.pressed"]
    stream_id: str
    channel_id: str
    """The channel."""
    user_id: str
    """The user who pressed."""
    place: Literal["post", "message"] | str
    """Where the button is: under a post, or under a one-to-one message of the channel to the user."""
    seq: int
    """The number of the post, or of the message in the user's thread."""
    button: int
    """The button, by its place over all rows, from 0."""
    text: str
    """The text on the button."""
    data: str
    """The data of the button."""


class ButtonsChanged(EventBase):
    """The presses of a message's buttons changed; several changes are merged into one event."""

    type: Literal["buttons.changed"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    presses: list[int | None]
    """How many users pressed each button, in their order over all rows; null for a link or a form."""
    pressed: list[int] | None = None
    """The buttons that the receiver pressed, by their place from 0: where they pressed themselves."""


class ChannelDeleted(EventBase):
    """The channel was deleted."""

    type: Literal["channel.deleted"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""


InvitationEnd = Literal["accepted", "declined", "revoked", "deleted"] | str
"""Why an invitation ended."""


class ChannelInvitationEnded(EventBase):
    """An invitation was answered or removed, or ended with its channel."""

    type: Literal["channel.invitation_ended"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    user_id: str
    """The user who was invited."""
    role: Role
    """The role of the invitation: `admin` or `member`."""
    reason: InvitationEnd
    """`accepted`, `declined`, `revoked` or `deleted`."""


class ChannelInvited(EventBase):
    """A user was invited to subscribe, or to be an admin."""

    type: Literal["channel.invited"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    channel_name: str
    """Its name."""
    user_id: str
    """The user who is invited."""
    role: Role
    """The role that the user gets by accepting: `admin`, or `member` for a subscriber."""
    grants: list[Grant]
    """The rights of the future admin."""
    expires_at: datetime
    """When the invitation ends by itself."""


class ChannelReinstated(EventBase):
    """The application ended the suspension of the channel. One that was hidden is in all lists again."""

    type: Literal["channel.reinstated"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    version: int
    """As in `channel.updated`."""


class SubscribedChannel(Answer):
    """A channel's profile, as its new subscriber receives it."""

    channel_id: str
    name: str
    face_url: str
    introduction: str
    verified: bool
    created_at: datetime
    organization: str
    custom_data: str
    subscriber_count: int
    subscribed_at: datetime


class ChannelSubscribed(EventBase):
    """The user subscribed, or was added; the owner's new channel too."""

    type: Literal["channel.subscribed"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    user_id: str
    """The user."""
    invite_link: str | None = None
    """The code of the invite link by which they subscribed."""
    channel: SubscribedChannel
    """The channel's profile, with `subscriber_count` and `subscribed_at`."""


class ChannelSuspended(EventBase):
    """The application suspended the channel, or changed how."""

    type: Literal["channel.suspended"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    mode: SuspensionMode
    """`readable`: nothing is added to it. `hidden`: treat it as gone, unless you own it."""
    reason: str | None = None
    """To the owner, and in the feed and webhooks: why, in words of the application. It may be empty."""
    version: int
    """As in `channel.updated`."""


LeaveReason = Literal["left", "removed", "banned"] | str
"""Why a membership ended."""


class ChannelUnsubscribed(EventBase):
    """The user unsubscribed, or was removed or banned."""

    type: Literal["channel.unsubscribed"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    user_id: str
    """The user."""
    reason: LeaveReason
    """`left`, `removed` or `banned`."""


class ChangedSettings(Answer):
    """The settings of a channel that changed."""

    visibility: Visibility | None = None
    reactions: str | list[str] | None = None
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    comments: Commenting | None = None
    retention_days: int | None = None
    accept_messages: AcceptMessages | None = None
    signatures: bool | None = None
    protect_content: bool | None = None
    count_clicks: bool | None = None


class ChangedChannel(Answer):
    """The fields of a channel that changed, as the channel has them, and those of the group that it is."""

    name: str | None = None
    face_url: str | None = None
    introduction: str | None = None
    owner_id: str | None = None
    verified: bool | None = None
    notification: str | None = None
    custom: dict[str, str] | None = None
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    muted_all: bool | None = None
    organization: str | None = None
    custom_data: str | None = None
    settings: ChangedSettings | None = None
    is_channel: bool | None = None
    public_from_seq: int | None = None
    history_shared_at: datetime | None = None
    menu_version: int | None = None


class ChannelUpdated(EventBase):
    """The profile or a setting changed."""

    type: Literal["channel.updated"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    changed: ChangedChannel
    """The new values, where the channel has them: `changed.name`, `changed.settings.reactions`. Those of the group
    that it is (`custom`, `notification`, `muted_all`, …) are beside them. `owner_id`: only to the owner and the
    admins, unless the channel signs its posts. `menu_version`: the menu changed, or is gone (0). `is_channel`:
    your group became a channel. Where `history_shared_at` is set then, everybody may read what was written
    before."""
    version: int
    """Grows with each change; ignore an event that is older than what you have."""


class CommentInEvent(Answer):
    """`CommentInEvent` of the API."""

    comment_id: str
    channel_id: str
    post_seq: int
    seq: int
    """Its number under the post: 1, 2, 3 and so on."""
    sender_id: str | None = None
    """null: it is from the channel."""
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
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""


class CommentEdited(EventBase):
    """A comment's content was replaced."""

    type: Literal["comment.edited"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    post_seq: int
    """The seq of the post."""
    seq: int
    """The number of the comment under its post."""
    version: int
    """The version of the post's comments after it."""
    comment: CommentInEvent
    """The comment; a deleted one keeps its ids and times."""


class CommentPosted(EventBase):
    """Somebody commented on a post."""

    type: Literal["comment.posted"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    post_seq: int
    """The seq of the post."""
    seq: int
    """The number of the comment under its post."""
    comment: CommentInEvent
    """The comment."""


class CommentReacted(EventBase):
    """The reactions to a comment changed; several changes are merged into one event."""

    type: Literal["comment.reacted"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    post_seq: int
    """The seq of the post."""
    seq: int
    """The number of the comment under its post."""
    counts: dict[str, int]
    """The count of each emoji."""
    total: int
    """The sum of the counts."""


class CommentRecalled(EventBase):
    """A comment was deleted."""

    type: Literal["comment.recalled"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    post_seq: int
    """The seq of the post."""
    seq: int
    """The number of the comment under its post."""
    version: int
    """The version of the post's comments after it."""
    comment: CommentInEvent
    """The comment; a deleted one keeps its ids and times."""


class CommentsCounted(EventBase):
    """The number of comments on a post changed; several changes are merged into one event."""

    type: Literal["comments.counted"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    seq: int
    """The seq of the post."""
    comment_count: int
    """Its comments, without deleted ones."""


class ConversationEnded(EventBase):
    """A one-to-one conversation with a channel ended, because the channel was deleted."""

    type: Literal["conversation.ended"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose conversation it is."""


class ConversationGroupChanged(EventBase):
    """The user added conversations to it, or removed some."""

    type: Literal["conversation_group.changed"]
    stream_id: None = None
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose it is."""
    name: str
    """Its name."""
    added: list[str]
    """The conversations that came in."""
    removed: list[str]
    """Those that left."""


class ConversationGroupCreated(EventBase):
    """The user created it."""

    type: Literal["conversation_group.created"]
    stream_id: None = None
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose it is."""
    name: str
    """Its name."""
    conversation_ids: list[str]
    """The conversations in it."""


class ConversationGroupDeleted(EventBase):
    """The user deleted it; its conversations stay."""

    type: Literal["conversation_group.deleted"]
    stream_id: None = None
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose it is."""
    name: str
    """Its name."""


class ConversationGroupRenamed(EventBase):
    """The user renamed it."""

    type: Literal["conversation_group.renamed"]
    stream_id: None = None
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose it is."""
    name: str
    """The old name."""
    new_name: str
    """The new name."""


class ConversationRead(EventBase):
    """A read cursor moved: the user marked the conversation as read, or wrote in it."""

    type: Literal["conversation.read"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose conversation it is."""
    read_seq: int
    """Up to which seq is read."""
    unread_count: int
    """How many are unread now."""


class ChangedConversation(Answer):
    """The fields of a conversation that changed."""

    muted: bool | None = None
    muted_until: datetime | None = None
    notifications: Literal["all", "none"] | str | None = None
    accept: bool | None = None
    pinned_at: datetime | None = None
    hidden: bool | None = None
    draft: Literal[""] | None = None
    custom_data: str | None = None


class ConversationUpdated(EventBase):
    """The user muted, pinned or hid a conversation, set its notifications or `accept`, or stored a draft or its data.

    No event comes when a mute ends at its `muted_until`.
    """

    type: Literal["conversation.updated"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    user_id: str | None = None
    """Only in the feed and in webhooks: the user whose conversation it is."""
    changed: ChangedConversation
    """The new values. `muted_until` is null for a mute for ever, and for none; `pinned_at` when it was unpinned. A
    `draft` is empty when it was cleared, and null when there is a new one: its text is in no event."""


class EventFormAnswer(Answer):
    """The value of one field."""

    name: str
    """The name of the field."""
    label: str
    """Its label, as it was."""
    value: str
    """The answer of the user, as text."""


class FormAnswered(EventBase):
    """A user filled in a form of the channel. The same answer is a message of theirs, of the kind `form_answer`."""

    type: Literal["form.answered"]
    stream_id: str
    channel_id: str
    """The channel."""
    user_id: str
    """The user who answered."""
    seq: int
    """The number of the message in the user's thread."""
    form: str
    """The name of the form."""
    title: str
    """Its title, as it was."""
    answers: list[EventFormAnswer]
    """The values in the order of the fields, without those left empty."""


class GroupDisbanded(EventBase):
    """The group was disbanded."""

    type: Literal["group.disbanded"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""


class GroupInvitationEnded(EventBase):
    """An invitation was answered or removed, or ended with its group."""

    type: Literal["group.invitation_ended"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""
    user_id: str
    """The user who was invited."""
    role: Role
    """`member`."""
    reason: InvitationEnd
    """`accepted`, `declined`, `revoked` or `deleted`."""


class GroupInvited(EventBase):
    """A user was invited to join a chat group, by somebody who adds them and must ask first."""

    type: Literal["group.invited"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""
    group_name: str
    """Its name."""
    user_id: str
    """The user who is invited."""
    role: Role
    """The role that the user gets by accepting: `member`."""
    expires_at: datetime
    """When the invitation ends by itself."""


class GroupJoined(EventBase):
    """A user joined the group, or was added."""

    type: Literal["group.joined"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""
    user_id: str
    """The user."""
    invite_link: str | None = None
    """The code of the invite link by which they joined; only to that user, in the feed and in webhooks."""


class GroupLeft(EventBase):
    """A user left the group, or was removed or banned."""

    type: Literal["group.left"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""
    user_id: str
    """The user."""
    reason: LeaveReason
    """`left`, `removed` or `banned`."""


class ChangedGroup(Answer):
    """The fields of a chat group that changed."""

    name: str | None = None
    face_url: str | None = None
    introduction: str | None = None
    owner_id: str | None = None
    verified: bool | None = None
    notification: str | None = None
    custom: dict[str, str] | None = None
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    muted_all: bool | None = None
    visibility: Visibility | None = None
    reactions: str | list[str] | None = None
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    retention_days: int | None = None


class GroupUpdated(EventBase):
    """The profile or a setting changed."""

    type: Literal["group.updated"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    group_id: str
    """The chat group."""
    changed: ChangedGroup
    """The new values, by the names of the fields."""
    version: int
    """Grows with each change; ignore an event that is older than what you have."""


class InboxRead(EventBase):
    """A thread of the channel's inbox was read, or answered."""

    type: Literal["inbox.read"]
    stream_id: str
    channel_id: str
    """The channel."""
    user_id: str
    """The user of the thread."""
    read_seq: int
    """Up to which seq is read."""
    unread_count: int
    """How many are unread in the thread now."""


class InboxTagged(EventBase):
    """A thread of the channel's inbox got other tags."""

    type: Literal["inbox.tagged"]
    stream_id: str
    channel_id: str
    """The channel."""
    user_id: str
    """The user of the thread."""
    tags: list[str]
    """All tags of the thread now."""


class InboxUnread(EventBase):
    """The totals of the inbox changed; at most two events a second for one channel."""

    type: Literal["inbox.unread"]
    stream_id: None = None
    channel_id: str
    """The channel."""
    unread_count: int
    """The unread messages of all threads."""
    unread_threads: int
    """The threads with unread messages."""


class InviteLinkUsed(EventBase):
    """Users joined by an invite link, or other requests by it wait than before."""

    type: Literal["invite_link.used"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str | None = None
    """In a channel: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    code: str
    """The code of the link."""
    user_ids: list[str]
    """The users who joined by it now; empty where only its requests changed."""
    uses: int
    """How many came in by it so far."""
    pending_requests: int
    """How many of its requests wait now."""


RequestEnd = Literal["approved", "refused", "withdrawn", "joined"] | str
"""How a join request ended."""


class JoinAnswered(EventBase):
    """A join request ended: take it off the list."""

    type: Literal["join.answered"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str | None = None
    """In a channel: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str
    """The user who asked."""
    outcome: RequestEnd
    """`approved`, `refused`, `withdrawn` by the user, or `joined`: they came in in another way."""


class JoinRefused(EventBase):
    """The request was refused."""

    type: Literal["join.refused"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str | None = None
    """In a channel: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str
    """The user."""


class JoinRequested(EventBase):
    """A user asks to join."""

    type: Literal["join.requested"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str | None = None
    """In a channel: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str
    """The user who asks."""
    text: str
    """What they wrote with it."""
    invite_link: str | None = None
    """The code of the invite link by which they ask."""


class MemberChanged(EventBase):
    """A member's role, grants, mute or name card changed."""

    type: Literal["member.changed"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str | None = None
    """In a channel: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str
    """The user."""
    role: Role
    """`owner`, `admin` or `member`."""
    muted_until: datetime | None = None
    """Until when they may not write."""
    name_card: str
    """Their name in this group."""
    grants: list[Grant]
    """The grants of an admin."""


class MenuSelected(EventBase):
    """A user chose an entry of the kind `event` in the channel's menu: it brings `data` to your back end."""

    type: Literal["menu.selected"]
    stream_id: str
    channel_id: str
    """The channel."""
    user_id: str
    """The user who chose it."""
    entry: str
    """The place of the entry, from 1; `2.1` is the first one below the second."""
    text: str
    """The text of the entry."""
    data: str
    """The data of the entry."""


class DialogueMessageInEvent(Answer):
    """`DialogueMessageInEvent` of the API."""

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
    custom: Any
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
    type: Literal["message"]
    conversation_id: str


class MessageInEvent(Answer):
    """`MessageInEvent` of the API."""

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
    custom: Any
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
    quoted_seq: int | None = None
    """The earlier message of the conversation that it answers, which may be deleted since; null: none."""
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""


class PostInEvent(Answer):
    """`PostInEvent` of the API."""

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
    custom: Any
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
    author_id: str | None = None
    created_at: datetime
    edited_at: datetime | None = None
    recalled_at: datetime | None = None
    version: int
    """The conversation's `version` when it last changed; 0: it never changed."""
    comments_frozen: bool
    """Nobody may comment on it any more; the comments stay."""


class ThreadMessageInEvent(Answer):
    """`ThreadMessageInEvent` of the API."""

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
    custom: Any
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
    channel_id: str
    user_id: str
    from_channel: bool
    author_id: str | None = None
    broadcast_id: str | None = None
    """The broadcast that sent it; null: it was written here."""


class MessageEdited(EventBase):
    """Its content was replaced, it was pinned or unpinned, or reactions or comments were stopped or allowed again."""

    type: Literal["message.edited"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    post: PostInEvent | None = None
    """In a channel: the post as in `GET /channels/{channel_id}/posts/{seq}`, without reactions and views."""
    message: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent | None = None
    """Elsewhere: the message, without reactions and without the sender's name."""
    version: int
    """The conversation's version after it. If it is not the next one after yours, read [what
    changed](../how-to/catch-up.md)."""


class MessagePosted(EventBase):
    """A post, a group message or a one-to-one message was written."""

    type: Literal["message.posted"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    post: PostInEvent | None = None
    """In a channel: the post as in `GET /channels/{channel_id}/posts/{seq}`, without reactions and views."""
    message: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent | None = None
    """Elsewhere: the message, without reactions and without the sender's name."""


class MessageRecalled(EventBase):
    """It was deleted for everyone."""

    type: Literal["message.recalled"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    post: PostInEvent | None = None
    """In a channel: the post as in `GET /channels/{channel_id}/posts/{seq}`, without reactions and views."""
    message: MessageInEvent | DialogueMessageInEvent | ThreadMessageInEvent | None = None
    """Elsewhere: the message, without reactions and without the sender's name."""
    version: int
    """The conversation's version after it. If it is not the next one after yours, read [what
    changed](../how-to/catch-up.md)."""


class PollChanged(EventBase):
    """The votes of a poll changed, or it closed; several changes are merged into one event.

    A poll closes when somebody closes it, or when its closing time comes. The counts are null while not
    everybody may see the results: who sees them reads the message again.
    """

    type: Literal["poll.changed"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    options: list[int] | None = None
    """How many chose each option, in their order."""
    voters: int | None = None
    """How many users voted."""
    closed: bool
    """Whether it takes no more votes. Then everybody sees the counts, which are the last ones."""
    mine: list[int] | None = None
    """The options that the receiver chose, by their place from 0: where they voted themselves."""


class ReactionsChanged(EventBase):
    """The counts of a message changed; several changes are merged into one event."""

    type: Literal["reactions.changed"]
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: str | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: str | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: str | None = None
    """In a chat group: the group."""
    user_id: str | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""
    counts: dict[str, int]
    """The count of each emoji."""
    total: int
    """The sum of the counts."""
    mine: list[str] | None = None
    """The receiver's own emoji: where they reacted themselves, and in one-to-one conversations."""


class ReportedTarget(Answer):
    """The reported thing: the ids of its type."""

    type: TargetType
    channel_id: str | None = None
    group_id: str | None = None
    seq: int | None = None
    post_seq: int | None = None
    user_id: str | None = None


class ReportOpened(EventBase):
    """A user reported something of which no report was open. It never says who; further reports are not announced."""

    type: Literal["report.opened"]
    stream_id: None = None
    report_id: str
    """The report, as in `GET /v1/reports/{report_id}`."""
    target: ReportedTarget
    """The reported thing. A one-to-one message names only its author."""
    reason: ReportReason
    """Why, in the first report."""


class UnreadChanged(EventBase):
    """The user's unread totals changed because they read, wrote, muted or hid a conversation on some device.

    At most once a second, and later under load. A new message sends none: count it by `message.posted`.
    """

    type: Literal["unread.changed"]
    stream_id: None = None
    total: int
    """The unread messages of all conversations that are not muted."""
    channels: int
    """Those in channels."""
    chats: int
    """Those in groups and one-to-one conversations."""
    conversation_groups: dict[str, int]
    """Those in each of the user's conversation groups."""


class UserDeleted(EventBase):
    """A user was deleted with all that was stored of them. Delete what you store of them too; the id may come back."""

    type: Literal["user.deleted"]
    stream_id: None = None
    user_id: str
    """The user."""


class UserRestricted(EventBase):
    """The application restricted the user: they read and leave, and add nothing."""

    type: Literal["user.restricted"]
    stream_id: None = None
    user_id: str
    """The user."""
    until: str | None = None
    """When the restriction ends by itself; null: it does not."""
    reason: str
    """Why, in words of the application. It may be empty."""


class UserUnrestricted(EventBase):
    """The application ended the user's restriction. One that ends by itself is not announced."""

    type: Literal["user.unrestricted"]
    stream_id: None = None
    user_id: str
    """The user."""


class WebhookDisabled(EventBase):
    """The server disabled a webhook of the channel, which does not accept events. It is enabled again by hand."""

    type: Literal["webhook.disabled"]
    stream_id: str
    conversation_id: str
    """The conversation in the receiver's list."""
    channel_id: str
    """The channel."""
    webhook_id: str
    """The webhook."""
    reason: DisabledReason
    """`gone`: it answered 410; `failing`: a delivery failed at its last attempt; `too_many_waiting`: more
    deliveries waited than may; `right_withdrawn`: the user who gave its address may not manage webhooks any
    more."""


EventModel = (
    MessagePosted
    | MessageEdited
    | MessageRecalled
    | ReactionsChanged
    | PollChanged
    | ButtonsChanged
    | ButtonPressed
    | AcknowledgementsChanged
    | AcknowledgementReminder
    | FormAnswered
    | MenuSelected
    | CommentPosted
    | CommentEdited
    | CommentRecalled
    | CommentReacted
    | ChannelSubscribed
    | ChannelUnsubscribed
    | ChannelUpdated
    | ChannelSuspended
    | ChannelReinstated
    | ChannelDeleted
    | ChannelInvited
    | ChannelInvitationEnded
    | GroupJoined
    | GroupLeft
    | GroupInvited
    | GroupInvitationEnded
    | GroupUpdated
    | GroupDisbanded
    | MemberChanged
    | JoinRequested
    | JoinAnswered
    | JoinRefused
    | InviteLinkUsed
    | ConversationRead
    | ConversationUpdated
    | ConversationGroupCreated
    | ConversationGroupRenamed
    | ConversationGroupDeleted
    | ConversationGroupChanged
    | ConversationEnded
    | InboxRead
    | InboxTagged
    | BroadcastStarted
    | BroadcastChanged
    | BroadcastEnded
    | BlockChanged
    | UserRestricted
    | UserUnrestricted
    | UserDeleted
    | ReportOpened
    | WebhookDisabled
    | CommentsCounted
    | UnreadChanged
    | InboxUnread
)
"""An event of a known type."""

MODELS: dict[str, type[EventBase]] = {
    "message.posted": MessagePosted,
    "message.edited": MessageEdited,
    "message.recalled": MessageRecalled,
    "reactions.changed": ReactionsChanged,
    "poll.changed": PollChanged,
    "buttons.changed": ButtonsChanged,
    "button.pressed": ButtonPressed,
    "acknowledgements.changed": AcknowledgementsChanged,
    "acknowledgement.reminder": AcknowledgementReminder,
    "form.answered": FormAnswered,
    "menu.selected": MenuSelected,
    "comment.posted": CommentPosted,
    "comment.edited": CommentEdited,
    "comment.recalled": CommentRecalled,
    "comment.reacted": CommentReacted,
    "channel.subscribed": ChannelSubscribed,
    "channel.unsubscribed": ChannelUnsubscribed,
    "channel.updated": ChannelUpdated,
    "channel.suspended": ChannelSuspended,
    "channel.reinstated": ChannelReinstated,
    "channel.deleted": ChannelDeleted,
    "channel.invited": ChannelInvited,
    "channel.invitation_ended": ChannelInvitationEnded,
    "group.joined": GroupJoined,
    "group.left": GroupLeft,
    "group.invited": GroupInvited,
    "group.invitation_ended": GroupInvitationEnded,
    "group.updated": GroupUpdated,
    "group.disbanded": GroupDisbanded,
    "member.changed": MemberChanged,
    "join.requested": JoinRequested,
    "join.answered": JoinAnswered,
    "join.refused": JoinRefused,
    "invite_link.used": InviteLinkUsed,
    "conversation.read": ConversationRead,
    "conversation.updated": ConversationUpdated,
    "conversation_group.created": ConversationGroupCreated,
    "conversation_group.renamed": ConversationGroupRenamed,
    "conversation_group.deleted": ConversationGroupDeleted,
    "conversation_group.changed": ConversationGroupChanged,
    "conversation.ended": ConversationEnded,
    "inbox.read": InboxRead,
    "inbox.tagged": InboxTagged,
    "broadcast.started": BroadcastStarted,
    "broadcast.changed": BroadcastChanged,
    "broadcast.ended": BroadcastEnded,
    "block.changed": BlockChanged,
    "user.restricted": UserRestricted,
    "user.unrestricted": UserUnrestricted,
    "user.deleted": UserDeleted,
    "report.opened": ReportOpened,
    "webhook.disabled": WebhookDisabled,
    "comments.counted": CommentsCounted,
    "unread.changed": UnreadChanged,
    "inbox.unread": InboxUnread,
}
"""The model of each type."""
