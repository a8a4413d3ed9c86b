"""The shape of every event, one model for each type: what the socket, the feed and webhooks send.

Views render plain dictionaries, since a hot event goes to thousands of sockets. Every event that a test receives is
validated against its model. The tables of the guide (`channels.event_views.catalogue`) and the documents for tools
(`/v1/openapi.json`, `/asyncapi.json`) are made from the models.

A field without a default is in every event of its type; one with the default None is absent where it does not apply,
and never null. Fields have the names, types and nesting of the resources of the API. `stream_id` is null only where an
event is of no conversation.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model, model_validator
from pydantic_core import PydanticCustomError

from channels.broadcasts.models import State
from channels.broadcasts.routes.responses import BroadcastFailure, NotReachedCounts
from channels.comments.routes.responses import CommentResponse
from channels.event_views.schemas import absent_not_null, allow_more
from channels.event_views.view import INBOX_PREFIX, NOT_IN_EVENTS
from channels.models import AcceptMessages
from channels.reports.models import ReportReason, TargetType
from channels.routes.dialogue_responses import DialogueMessageResponse, ThreadMessageResponse
from channels.routes.responses import PostResponse
from channels.subscriber_tags.routes.fields import SegmentResponse
from channels.webhooks.models import DisabledReason
from conversations.models import C2C_PREFIX, ConversationId
from groups.events import LeaveReason
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    Commenting,
    Grant,
    InvitationEnd,
    JoinOption,
    Posting,
    RequestEnd,
    Role,
    SuspensionMode,
    Visibility,
)
from groups.routes.responses.fields import Instant
from groups.routes.responses.messages import MessageResponse

_CONFIG: Final = ConfigDict(
    frozen=True,
    extra="forbid",
    use_attribute_docstrings=True,
    json_schema_extra=allow_more,
)
_DEVICES: Final = "all devices of the user"
EVENT_ID_CHARACTERS: Final = 100
EventId = Annotated[str, Field(pattern=f"^[0-9A-Za-z_-]{{1,{EVENT_ID_CHARACTERS}}}$")]
"""Safe in headers, paths and the ids of Standard Webhooks, which may hold no full stop."""


def _as_in_events(response: type[BaseModel]) -> type[BaseModel]:
    """The response without the fields that no event carries."""
    fields: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in response.model_fields.items()
        if name not in NOT_IN_EVENTS
    }
    name = response.__name__.removesuffix("Response") + "InEvent"
    config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=allow_more)
    return create_model(name, __config__=config, **fields)


if TYPE_CHECKING:
    EventPost = PostResponse
    EventMessage = MessageResponse
    EventDialogueMessage = DialogueMessageResponse
    EventThreadMessage = ThreadMessageResponse
    EventComment = CommentResponse
else:
    EventPost = _as_in_events(PostResponse)
    EventMessage = _as_in_events(MessageResponse)
    EventDialogueMessage = _as_in_events(DialogueMessageResponse)
    EventThreadMessage = _as_in_events(ThreadMessageResponse)
    EventComment = _as_in_events(CommentResponse)


class EventModel(BaseModel):
    """The base of all events. The docstring of each says when it is sent."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra=absent_not_null,
    )

    receivers: ClassVar[str]
    """Who receives it, for the guide."""

    event_id: EventId
    """The id of this event: the same on the socket, in the feed and in webhooks, and whenever it is sent again. Leave
    out an event whose id you have already."""
    type: str
    """The type, as in the table below."""
    stream_id: str | None
    """The stream of messages that the event is about: events of one stream have the same. On the socket it is the
    `conversation_id`, where the event has one. Null where the event is of no conversation."""
    at: Instant
    """When it happened: RFC 3339, UTC, with milliseconds."""

    @model_validator(mode="after")
    def _absent_not_null(self) -> Self:
        for name, field in type(self).model_fields.items():
            if (
                name in self.model_fields_set
                and not field.is_required()
                and getattr(self, name) is None
            ):
                raise PydanticCustomError("null", "{name} is null: leave it out", {"name": name})
        return self


class _OfConversation(EventModel):
    stream_id: str
    conversation_id: ConversationId
    """The conversation in the receiver's list."""

    @model_validator(mode="after")
    def _one_stream(self) -> Self:
        if not _fits_stream(self.stream_id, self.conversation_id, getattr(self, "user_id", None)):
            raise PydanticCustomError("ids", "stream_id is not that of the conversation_id")
        return self


def _fits_stream(stream_id: str, conversation_id: str, user_id: str | None) -> bool:
    """Whether this may be the stream of the conversation; to back ends, which are given a `user_id`, of that user's."""
    if user_id is not None and conversation_id.startswith(C2C_PREFIX):
        return stream_id.startswith((C2C_PREFIX, INBOX_PREFIX)) and stream_id != conversation_id
    return stream_id == conversation_id


class _OfUsersConversation(_OfConversation):
    user_id: UserId | None = None
    """Only in the feed and in webhooks: the user whose conversation it is."""


class _OfNoConversation(EventModel):
    stream_id: None


class _OfUser(_OfNoConversation):
    user_id: UserId | None = None
    """Only in the feed and in webhooks: the user whose it is."""


class _OfChannel(_OfConversation):
    channel_id: GroupId
    """The channel."""


class _OfChatGroup(_OfConversation):
    group_id: GroupId
    """The chat group."""


# --- messages ---------------------------------------------------------------------------------------------------------


class _OfMessage(EventModel):
    stream_id: str
    seq: int
    """The number of the post or message."""
    conversation_id: ConversationId | None = None
    """The conversation in the receiver's list. Absent in a channel's inbox."""
    channel_id: GroupId | None = None
    """In a channel, and in its inbox: the channel."""
    group_id: GroupId | None = None
    """In a chat group: the group."""
    user_id: UserId | None = None
    """In a channel's inbox, instead of `conversation_id`: the user of the thread. In the feed and in webhooks also
    between two users, beside `conversation_id`: the user whose conversation it is, who received the message."""

    @model_validator(mode="after")
    def _of_one_place(self) -> Self:
        if self.conversation_id is None:
            fits = self.user_id is not None and self.channel_id is not None
        else:
            fits = _fits_stream(self.stream_id, self.conversation_id, self.user_id)
            fits = fits and None in (self.channel_id, self.group_id)
            fits = fits and (self.user_id is None or self.channel_id is self.group_id)
        if not fits:
            raise PydanticCustomError("ids", "the ids are neither a conversation nor a thread")
        return self


class _WithContent(_OfMessage):
    post: EventPost | None = None
    """In a channel: the post as in `GET /channels/{channel_id}/posts/{seq}`, without reactions and views."""
    message: EventMessage | EventDialogueMessage | EventThreadMessage | None = None
    """Elsewhere: the message, without reactions and without the sender's name."""

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        is_post = self.channel_id is not None and self.conversation_id is not None
        if (self.post is not None) != is_post or (self.message is None) != is_post:
            raise PydanticCustomError("content", "a channel has a post, anything else a message")
        return self


class MessagePosted(_WithContent):
    """A post, a group message or a one-to-one message was written."""

    receivers = "everyone in the conversation, the author too; of a channel's inbox its admins who may read it"

    type: Literal["message.posted"]


class _OfChange(_WithContent):
    version: int
    """The conversation's version after it. If it is not the next one after yours, read
    [what changed](../how-to/catch-up.md)."""


class MessageEdited(_OfChange):
    """Its content was replaced, it was pinned or unpinned, or reactions or comments were stopped or allowed again."""

    receivers = "as `message.posted`"

    type: Literal["message.edited"]


class MessageRecalled(_OfChange):
    """It was deleted for everyone."""

    receivers = "as `message.posted`"

    type: Literal["message.recalled"]


class ReactionsChanged(_OfMessage):
    """The counts of a message changed; several changes are merged into one event."""

    receivers = (
        "in groups and channels: sockets that [watch](sockets.md#watch-reactions) the conversation, and with `mine`"
        " all devices of the user who reacted; one-to-one: both sides, and the admins who read the channel's inbox"
    )

    type: Literal["reactions.changed"]
    counts: dict[str, int]
    """The count of each emoji."""
    total: int
    """The sum of the counts."""
    mine: list[str] | None = None
    """The receiver's own emoji: where they reacted themselves, and in one-to-one conversations."""


class PollChanged(_OfMessage):
    """The votes of a poll changed, or it closed; several changes are merged into one event.

    A poll closes when somebody closes it, or when its closing time comes. The counts are null while not everybody may
    see the results: who sees them reads the message again.
    """

    receivers = (
        "sockets that [watch](sockets.md#watch-reactions) the conversation, and with `mine` all devices of the user"
        " who voted"
    )

    type: Literal["poll.changed"]
    options: list[int] | None
    """How many chose each option, in their order."""
    voters: int | None
    """How many users voted."""
    closed: bool
    """Whether it takes no more votes. Then everybody sees the counts, which are the last ones."""
    mine: list[int] | None = None
    """The options that the receiver chose, by their place from 0: where they voted themselves."""


class ButtonsChanged(_OfMessage):
    """The presses of a message's buttons changed; several changes are merged into one event."""

    receivers = (
        "in channels: sockets that [watch](sockets.md#watch-reactions) the conversation, and with `pressed` all devices"
        " of the user who pressed; one-to-one: the user, and the admins who read the channel's inbox"
    )

    type: Literal["buttons.changed"]
    presses: list[int | None]
    """How many users pressed each button, in their order over all rows; null for a link or a form."""
    pressed: list[int] | None = None
    """The buttons that the receiver pressed, by their place from 0: where they pressed themselves."""


class ButtonPressed(EventModel):
    """A user pressed a button of the kind `event`, for the first time: it brings `data` to your back end."""

    receivers = "the admins who may read the channel's inbox"

    type: Literal["button.pressed"]
    stream_id: str
    channel_id: GroupId
    """The channel."""
    user_id: UserId
    """The user who pressed."""
    place: Literal["post", "message"]
    """Where the button is: under a post, or under a one-to-one message of the channel to the user."""
    seq: int
    """The number of the post, or of the message in the user's thread."""
    button: int
    """The button, by its place over all rows, from 0."""
    text: str
    """The text on the button."""
    data: str
    """The data of the button."""


class AcknowledgementsChanged(_OfMessage):
    """Somebody acknowledged a message that asks for it; several changes are merged into one event."""

    receivers = (
        "sockets that [watch](sockets.md#watch-reactions) the conversation, and with `mine` all devices of the user"
        " who acknowledged"
    )

    type: Literal["acknowledgements.changed"]
    count: int
    """How many acknowledged it."""
    mine: bool | None = None
    """The receiver acknowledged it."""


class AcknowledgementReminder(_OfMessage):
    """The owner or an admin reminds those who have not acknowledged a message, once."""

    receivers = "all members who have not acknowledged it, and are not its author"

    type: Literal["acknowledgement.reminder"]


class EventFormAnswer(BaseModel):
    """The value of one field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str
    """The name of the field."""
    label: str
    """Its label, as it was."""
    value: str
    """The answer of the user, as text."""


class FormAnswered(EventModel):
    """A user filled in a form of the channel. The same answer is a message of theirs, of the kind `form_answer`."""

    receivers = "the admins who may read the channel's inbox"

    type: Literal["form.answered"]
    stream_id: str
    channel_id: GroupId
    """The channel."""
    user_id: UserId
    """The user who answered."""
    seq: int
    """The number of the message in the user's thread."""
    form: str
    """The name of the form."""
    title: str
    """Its title, as it was."""
    answers: list[EventFormAnswer]
    """The values in the order of the fields, without those left empty."""


class MenuSelected(EventModel):
    """A user chose an entry of the kind `event` in the channel's menu: it brings `data` to your back end."""

    receivers = "the admins who may read the channel's inbox"

    type: Literal["menu.selected"]
    stream_id: str
    channel_id: GroupId
    """The channel."""
    user_id: UserId
    """The user who chose it."""
    entry: str
    """The place of the entry, from 1; `2.1` is the first one below the second."""
    text: str
    """The text of the entry."""
    data: str
    """The data of the entry."""


# --- comments ---------------------------------------------------------------------------------------------------------


class _OfPost(_OfConversation):
    channel_id: GroupId
    """The channel."""


class _OfComment(_OfPost):
    post_seq: int
    """The seq of the post."""
    seq: int
    """The number of the comment under its post."""


class _CommentChanged(_OfComment):
    version: int
    """The version of the post's comments after it."""
    comment: EventComment
    """The comment; a deleted one keeps its ids and times."""


class CommentPosted(_OfComment):
    """Somebody commented on a post."""

    receivers = (
        "sockets that [watch](../how-to/comments.md) the comments of the post, and the authors of the post and of the"
        " quoted comment, on all their devices"
    )

    type: Literal["comment.posted"]
    comment: EventComment
    """The comment."""


class CommentEdited(_CommentChanged):
    """A comment's content was replaced."""

    receivers = "sockets that [watch](../how-to/comments.md) the comments of the post"

    type: Literal["comment.edited"]


class CommentRecalled(_CommentChanged):
    """A comment was deleted."""

    receivers = "as `comment.edited`"

    type: Literal["comment.recalled"]


class CommentReacted(_OfComment):
    """The reactions to a comment changed; several changes are merged into one event."""

    receivers = "as `comment.edited`"

    type: Literal["comment.reacted"]
    counts: dict[str, int]
    """The count of each emoji."""
    total: int
    """The sum of the counts."""


class CommentsCounted(_OfPost):
    """The number of comments on a post changed; several changes are merged into one event."""

    receivers = "sockets that [watch](sockets.md#watch-reactions) the channel"

    type: Literal["comments.counted"]
    seq: int
    """The seq of the post."""
    comment_count: int
    """Its comments, without deleted ones."""


# --- channels ---------------------------------------------------------------------------------------------------------


class SubscribedChannel(BaseModel):
    """A channel's profile, as its new subscriber receives it."""

    model_config = _CONFIG

    channel_id: GroupId
    name: str
    face_url: str
    introduction: str
    verified: bool
    created_at: Instant
    organization: str
    custom_data: str
    subscriber_count: int
    subscribed_at: Instant


class ChannelSubscribed(_OfChannel):
    """The user subscribed, or was added; the owner's new channel too."""

    receivers = _DEVICES

    type: Literal["channel.subscribed"]
    user_id: UserId
    """The user."""
    invite_link: str | None = None
    """The code of the invite link by which they subscribed."""
    channel: SubscribedChannel
    """The channel's profile, with `subscriber_count` and `subscribed_at`."""


class ChannelUnsubscribed(_OfChannel):
    """The user unsubscribed, or was removed or banned."""

    receivers = _DEVICES

    type: Literal["channel.unsubscribed"]
    user_id: UserId
    """The user."""
    reason: LeaveReason
    """`left`, `removed` or `banned`."""


class ChangedSettings(BaseModel):
    """The settings of a channel that changed."""

    model_config = _CONFIG

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


class _ChangedProfile(BaseModel):
    model_config = _CONFIG

    name: str | None = None
    face_url: str | None = None
    introduction: str | None = None
    owner_id: UserId | None = None
    verified: bool | None = None
    notification: str | None = None
    custom: dict[str, str] | None = None
    posting: Posting | None = None
    join_option: JoinOption | None = None
    history_visible: bool | None = None
    muted_all: bool | None = None


class ChangedChannel(_ChangedProfile):
    """The fields of a channel that changed, as the channel has them, and those of the group that it is."""

    organization: str | None = None
    custom_data: str | None = None
    settings: ChangedSettings | None = None
    is_channel: bool | None = None
    public_from_seq: int | None = None
    history_shared_at: Instant | None = None
    menu_version: int | None = None


class ChangedGroup(_ChangedProfile):
    """The fields of a chat group that changed."""

    visibility: Visibility | None = None
    reactions: str | list[str] | None = None
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None
    retention_days: int | None = None


class ChannelUpdated(_OfChannel):
    """The profile or a setting changed."""

    receivers = "all subscribers"

    type: Literal["channel.updated"]
    changed: ChangedChannel
    """The new values, where the channel has them: `changed.name`, `changed.settings.reactions`. Those of the group that
    it is (`custom`, `notification`, `muted_all`, …) are beside them. `owner_id`: only to the owner and the admins,
    unless the channel signs its posts. `menu_version`: the menu changed, or is gone (0). `is_channel`: your group
    became a channel. Where `history_shared_at` is set then, everybody may read what was written before."""
    version: int
    """Grows with each change; ignore an event that is older than what you have."""


class ChannelSuspended(_OfChannel):
    """The application suspended the channel, or changed how."""

    receivers = "all subscribers; only the owner learns the reason"

    type: Literal["channel.suspended"]
    mode: SuspensionMode
    """`readable`: nothing is added to it. `hidden`: treat it as gone, unless you own it."""
    reason: str | None = None
    """To the owner, and in the feed and webhooks: why, in words of the application. It may be empty."""
    version: int
    """As in `channel.updated`."""


class ChannelReinstated(_OfChannel):
    """The application ended the suspension of the channel. One that was hidden is in all lists again."""

    receivers = "all subscribers"

    type: Literal["channel.reinstated"]
    version: int
    """As in `channel.updated`."""


class ChannelDeleted(_OfChannel):
    """The channel was deleted."""

    receivers = "all subscribers"

    type: Literal["channel.deleted"]


class ChannelInvited(_OfChannel):
    """A user was invited to subscribe, or to be an admin."""

    receivers = "the user and who invited; of an invitation to be an admin the user and the owner"

    type: Literal["channel.invited"]
    channel_name: str
    """Its name."""
    user_id: UserId
    """The user who is invited."""
    role: Role
    """The role that the user gets by accepting: `admin`, or `member` for a subscriber."""
    grants: list[Grant]
    """The rights of the future admin."""
    expires_at: Instant
    """When the invitation ends by itself."""


class ChannelInvitationEnded(_OfChannel):
    """An invitation was answered or removed, or ended with its channel."""

    receivers = "as `channel.invited`; nobody but the user is told that they declined to subscribe"

    type: Literal["channel.invitation_ended"]
    user_id: UserId
    """The user who was invited."""
    role: Role
    """The role of the invitation: `admin` or `member`."""
    reason: InvitationEnd
    """`accepted`, `declined`, `revoked` or `deleted`."""


# --- groups -----------------------------------------------------------------------------------------------------------


class GroupJoined(_OfChatGroup):
    """A user joined the group, or was added."""

    receivers = "all members; in a Community only the devices of that user"

    type: Literal["group.joined"]
    user_id: UserId
    """The user."""
    invite_link: str | None = None
    """The code of the invite link by which they joined; only to that user, in the feed and in webhooks."""


class GroupLeft(_OfChatGroup):
    """A user left the group, or was removed or banned."""

    receivers = "all members; in a Community only the devices of that user"

    type: Literal["group.left"]
    user_id: UserId
    """The user."""
    reason: LeaveReason
    """`left`, `removed` or `banned`."""


class GroupInvited(_OfChatGroup):
    """A user was invited to join a chat group, by somebody who adds them and must ask first."""

    receivers = "the user and who invited"

    type: Literal["group.invited"]
    group_name: str
    """Its name."""
    user_id: UserId
    """The user who is invited."""
    role: Role
    """The role that the user gets by accepting: `member`."""
    expires_at: Instant
    """When the invitation ends by itself."""


class GroupInvitationEnded(_OfChatGroup):
    """An invitation was answered or removed, or ended with its group."""

    receivers = "as `group.invited`; nobody but the user is told that they declined"

    type: Literal["group.invitation_ended"]
    user_id: UserId
    """The user who was invited."""
    role: Role
    """`member`."""
    reason: InvitationEnd
    """`accepted`, `declined`, `revoked` or `deleted`."""


class GroupUpdated(_OfChatGroup):
    """The profile or a setting changed."""

    receivers = "all members"

    type: Literal["group.updated"]
    changed: ChangedGroup
    """The new values, by the names of the fields."""
    version: int
    """Grows with each change; ignore an event that is older than what you have."""


class GroupDisbanded(_OfChatGroup):
    """The group was disbanded."""

    receivers = "all members"

    type: Literal["group.disbanded"]


class _OfGroup(_OfConversation):
    channel_id: GroupId | None = None
    """In a channel: the channel."""
    group_id: GroupId | None = None
    """In a chat group: the group."""

    @model_validator(mode="after")
    def _one_group(self) -> Self:
        if (self.channel_id is None) == (self.group_id is None):
            raise PydanticCustomError("ids", "the event is of a channel or of a chat group")
        return self


class MemberChanged(_OfGroup):
    """A member's role, grants, mute or name card changed."""

    receivers = (
        "in a group all members; in a channel the member, the owner and the admins,"
        " since subscribers do not see each other"
    )

    type: Literal["member.changed"]
    user_id: UserId
    """The user."""
    role: Role
    """`owner`, `admin` or `member`."""
    muted_until: Instant | None
    """Until when they may not write."""
    name_card: str
    """Their name in this group."""
    grants: list[Grant]
    """The grants of an admin."""


class JoinRequested(_OfGroup):
    """A user asks to join."""

    receivers = "the owner, and admins with the right `manage_subscribers`"

    type: Literal["join.requested"]
    user_id: UserId
    """The user who asks."""
    text: str
    """What they wrote with it."""
    invite_link: str | None = None
    """The code of the invite link by which they ask."""


class JoinAnswered(_OfGroup):
    """A join request ended: take it off the list."""

    receivers = "as `join.requested`"

    type: Literal["join.answered"]
    user_id: UserId
    """The user who asked."""
    outcome: RequestEnd
    """`approved`, `refused`, `withdrawn` by the user, or `joined`: they came in in another way."""


class JoinRefused(_OfGroup):
    """The request was refused."""

    receivers = "the user who asked"

    type: Literal["join.refused"]
    user_id: UserId
    """The user."""


class InviteLinkUsed(_OfGroup):
    """Users joined by an invite link, or other requests by it wait than before."""

    receivers = "as `join.requested`"

    type: Literal["invite_link.used"]
    code: str
    """The code of the link."""
    user_ids: list[UserId]
    """The users who joined by it now; empty where only its requests changed."""
    uses: int
    """How many came in by it so far."""
    pending_requests: int
    """How many of its requests wait now."""


# --- the user's own ---------------------------------------------------------------------------------------------------


class ConversationRead(_OfUsersConversation):
    """A read cursor moved: the user marked the conversation as read, or wrote in it."""

    receivers = _DEVICES

    type: Literal["conversation.read"]
    read_seq: int
    """Up to which seq is read."""
    unread_count: int
    """How many are unread now."""


class UnreadChanged(_OfNoConversation):
    """The user's unread totals changed because they read, wrote, muted or hid a conversation on some device.

    At most once a second, and later under load. A new message sends none: count it by `message.posted`.
    """

    receivers = _DEVICES

    type: Literal["unread.changed"]
    total: int
    """The unread messages of all conversations that are not muted."""
    channels: int
    """Those in channels."""
    chats: int
    """Those in groups and one-to-one conversations."""
    conversation_groups: dict[str, int]
    """Those in each of the user's conversation groups."""


class ChangedConversation(BaseModel):
    """The fields of a conversation that changed."""

    model_config = _CONFIG

    muted: bool | None = None
    muted_until: Instant | None = None
    notifications: Literal["all", "none"] | None = None
    accept: bool | None = None
    pinned_at: Instant | None = None
    hidden: bool | None = None
    draft: Literal[""] | None = None
    custom_data: str | None = None


class ConversationUpdated(_OfUsersConversation):
    """The user muted, pinned or hid a conversation, set its notifications or `accept`, or stored a draft or its data.

    No event comes when a mute ends at its `muted_until`.
    """

    receivers = _DEVICES

    type: Literal["conversation.updated"]
    changed: ChangedConversation
    """The new values. `muted_until` is null for a mute for ever, and for none; `pinned_at` when it was unpinned. A
    `draft` is empty when it was cleared, and null when there is a new one: its text is in no event."""


class _OfConversationGroup(_OfUser):
    name: str
    """Its name."""


class ConversationGroupCreated(_OfConversationGroup):
    """The user created it."""

    receivers = _DEVICES

    type: Literal["conversation_group.created"]
    conversation_ids: list[ConversationId]
    """The conversations in it."""


class ConversationGroupRenamed(_OfConversationGroup):
    """The user renamed it."""

    receivers = _DEVICES

    type: Literal["conversation_group.renamed"]
    name: str
    """The old name."""
    new_name: str
    """The new name."""


class ConversationGroupDeleted(_OfConversationGroup):
    """The user deleted it; its conversations stay."""

    receivers = _DEVICES

    type: Literal["conversation_group.deleted"]


class ConversationGroupChanged(_OfConversationGroup):
    """The user added conversations to it, or removed some."""

    receivers = _DEVICES

    type: Literal["conversation_group.changed"]
    added: list[ConversationId]
    """The conversations that came in."""
    removed: list[ConversationId]
    """Those that left."""


class ConversationEnded(_OfUsersConversation):
    """A one-to-one conversation with a channel ended, because the channel was deleted."""

    receivers = _DEVICES

    type: Literal["conversation.ended"]


# --- inboxes ----------------------------------------------------------------------------------------------------------


class InboxRead(EventModel):
    """A thread of the channel's inbox was read, or answered."""

    receivers = "the admins who may read the inbox, who share its read cursor"

    type: Literal["inbox.read"]
    stream_id: str
    channel_id: GroupId
    """The channel."""
    user_id: UserId
    """The user of the thread."""
    read_seq: int
    """Up to which seq is read."""
    unread_count: int
    """How many are unread in the thread now."""


class InboxTagged(EventModel):
    """A thread of the channel's inbox got other tags."""

    receivers = "the admins who may read the inbox, who share its tags"

    type: Literal["inbox.tagged"]
    stream_id: str
    channel_id: GroupId
    """The channel."""
    user_id: UserId
    """The user of the thread."""
    tags: list[str]
    """All tags of the thread now."""


class _OfBroadcast(_OfChannel):
    receivers = "the admins who may read the inbox"

    broadcast_id: str
    """The broadcast."""
    state: State
    """`scheduled`, `running`, `stopped`, `done` or `failed`."""
    segment: SegmentResponse
    """The tags that select its subscribers."""
    silent: bool
    """Whether devices do not ring."""
    rate: int | None
    """Messages a second, where it has a rate of its own."""
    total: int | None
    """The subscribers of the segment when it began, once they are counted."""
    sent: int
    """How many got it so far."""
    not_reached: NotReachedCounts
    """How many did not get it, by the reason."""
    created_by: UserId
    """The user who created it."""
    created_at: Instant
    """When it was created."""
    start_at: Instant | None
    """When it is to begin, where it was scheduled."""
    started_at: Instant | None
    """When it began."""
    ended_at: Instant | None
    """When it was done, failed or was stopped."""
    failure: BroadcastFailure | None
    """Why it failed."""


class BroadcastStarted(_OfBroadcast):
    """A broadcast begins to send."""

    type: Literal["broadcast.started"]


class BroadcastChanged(_OfBroadcast):
    """A broadcast was created, stopped or resumed, or has come some way; of its progress one event in two seconds."""

    type: Literal["broadcast.changed"]


class BroadcastEnded(_OfBroadcast):
    """A broadcast is done, or failed."""

    type: Literal["broadcast.ended"]


class InboxUnread(_OfNoConversation):
    """The totals of the inbox changed; at most two events a second for one channel."""

    receivers = "the admins who may read the inbox"

    type: Literal["inbox.unread"]
    channel_id: GroupId
    """The channel."""
    unread_count: int
    """The unread messages of all threads."""
    unread_threads: int
    """The threads with unread messages."""


class BlockChanged(_OfNoConversation):
    """The user blocked somebody, or removed a block."""

    receivers = "all devices of the user; the other side is not notified"

    type: Literal["block.changed"]
    user_id: str
    """The other user, or the channel."""
    blocked: bool
    """Whether they are blocked now."""
    blocker_id: UserId | None = None
    """Only in the feed and in webhooks: the user who blocked them, or removed the block."""


class WebhookDisabled(_OfChannel):
    """The server disabled a webhook of the channel, which does not accept events. It is enabled again by hand."""

    receivers = "the owner, and admins with the right `manage_webhooks`"

    type: Literal["webhook.disabled"]
    webhook_id: str
    """The webhook."""
    reason: DisabledReason
    """`gone`: it answered 410; `failing`: a delivery failed at its last attempt; `too_many_waiting`: more deliveries
    waited than may; `right_withdrawn`: the user who gave its address may not manage webhooks any more."""


# --- moderation -------------------------------------------------------------------------------------------------------


class UserRestricted(_OfNoConversation):
    """The application restricted the user: they read and leave, and add nothing."""

    receivers = _DEVICES

    type: Literal["user.restricted"]
    user_id: UserId
    """The user."""
    until: Instant | None
    """When the restriction ends by itself; null: it does not."""
    reason: str
    """Why, in words of the application. It may be empty."""


class UserUnrestricted(_OfNoConversation):
    """The application ended the user's restriction. One that ends by itself is not announced."""

    receivers = _DEVICES

    type: Literal["user.unrestricted"]
    user_id: UserId
    """The user."""


class ReportedTarget(BaseModel):
    """The reported thing: the ids of its type."""

    model_config = _CONFIG

    type: TargetType
    channel_id: GroupId | None = None
    group_id: GroupId | None = None
    seq: int | None = None
    post_seq: int | None = None
    user_id: UserId | None = None


class ReportOpened(_OfNoConversation):
    """A user reported something of which no report was open. It never says who; further reports are not announced."""

    receivers = "nobody on a socket; the application, in the feed and its webhooks"

    type: Literal["report.opened"]
    report_id: str
    """The report, as in `GET /v1/reports/{report_id}`."""
    target: ReportedTarget
    """The reported thing. A one-to-one message names only its author."""
    reason: ReportReason
    """Why, in the first report."""


class UserDeleted(_OfNoConversation):
    """A user was deleted with all that was stored of them. Delete what you store of them too; the id may come back."""

    receivers = "nobody on a socket; the application, in the feed and its webhooks"

    type: Literal["user.deleted"]
    user_id: UserId
    """The user."""


_PublicEvent = (
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
)

AnyPublicEvent = Annotated[_PublicEvent, Field(discriminator="type")]
"""Any event that back ends receive, by its type."""
AnyEvent = Annotated[
    _PublicEvent | CommentsCounted | UnreadChanged | InboxUnread, Field(discriminator="type")
]
"""Any event, by its type: those of back ends, and totals, which are no facts of their own."""

EVENT_MODELS: Final[tuple[type[EventModel], ...]] = get_args(get_args(AnyEvent)[0])
"""The model of every type, in the order of the guide."""
EVENT: Final[TypeAdapter[EventModel]] = TypeAdapter(AnyEvent)
"""Parses any event."""
