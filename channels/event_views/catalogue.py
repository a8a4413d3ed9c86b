"""Every type of event that clients may receive: when it is sent, to whom, and its fields.

The guide's page of events is made from this (`channels.docs_site.generated`). Every event that a test receives over a
socket is compared with the fields named here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class EventAbout:
    """What a client developer needs to know of a type of event.

    `fields` are those beside `type`, `at` and `stream_id`: the JSON type of each, then its meaning. The types are
    `text`, `integer`, `boolean`, `object`, `array` and `null`, several of them joined by ` or `.
    """

    when: str
    receivers: str
    fields: Mapping[str, tuple[str, str]]
    sometimes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Fields that only some events of the type have."""


_CONVERSATION: Final = ("text", "The conversation in the receiver's list.")
_CHANNEL: Final = ("text", "The channel.")
_GROUP: Final = ("text", "The chat group.")
_USER: Final = ("text", "The user.")
_SEQ: Final = ("integer", "The number of the post or message.")
_IN_A_CHANNEL: Final = {"channel_id": ("text", "In a channel: the channel.")}
_IN_A_GROUP: Final = {"group_id": ("text", "In a chat group: the group.")}
_IN_AN_INBOX: Final = {
    "user_id": (
        "text",
        "In a channel's inbox, instead of `conversation_id`: the user of the thread.",
    )
}
_CONTENT: Final = {
    "post": (
        "object",
        "In a channel: the post as in `GET /channels/{channel_id}/posts/{seq}`, without reactions and views.",
    ),
    "message": (
        "object",
        "Elsewhere: the message, without reactions and without the sender's name.",
    ),
}
_MEMBERS: Final = "the members of the group or subscribers of the channel"
_DEVICES: Final = "the user, on all devices"
_STAFF: Final = "the owner, and the admins who may read the inbox"

CATALOGUE: Final[Mapping[str, EventAbout]] = {
    "message.posted": EventAbout(
        "A post or message was published.",
        f"{_MEMBERS}; both sides of a one-to-one conversation; for a channel's side of it {_STAFF}",
        {"seq": _SEQ},
        {
            "conversation_id": _CONVERSATION,
            **_CONTENT,
            **_IN_A_CHANNEL,
            **_IN_A_GROUP,
            **_IN_AN_INBOX,
        },
    ),
    "message.edited": EventAbout(
        "Its content changed, it was pinned or unpinned, or its reactions were frozen.",
        "as `message.posted`",
        {"seq": _SEQ},
        {
            "conversation_id": _CONVERSATION,
            **_CONTENT,
            **_IN_A_CHANNEL,
            **_IN_A_GROUP,
            **_IN_AN_INBOX,
        },
    ),
    "message.recalled": EventAbout(
        "It was deleted for everyone. Its seq stays, its content is gone.",
        "as `message.posted`",
        {"seq": _SEQ},
        {
            "conversation_id": _CONVERSATION,
            **_CONTENT,
            **_IN_A_CHANNEL,
            **_IN_A_GROUP,
            **_IN_AN_INBOX,
        },
    ),
    "reactions.changed": EventAbout(
        "The counts of a message changed. Several changes within a moment are one event.",
        "sockets that watch the conversation; in one-to-one conversations both sides, without watching",
        {
            "seq": _SEQ,
            "counts": ("object", "The count of each emoji."),
            "total": ("integer", "The sum of the counts."),
        },
        {
            "conversation_id": _CONVERSATION,
            "mine": ("array", "In one-to-one conversations: the receiver's own emoji."),
            "channel_id": ("text", "In a channel's inbox: the channel."),
            **_IN_AN_INBOX,
        },
    ),
    "channel.subscribed": EventAbout(
        "A user subscribed, or was added.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "user_id": _USER,
            "channel": (
                "object",
                "The channel's profile, with `subscriber_count` and `subscribed_at`.",
            ),
        },
    ),
    "channel.unsubscribed": EventAbout(
        "A subscription ended.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "user_id": _USER,
            "reason": ("text", "`left`, `removed` or `banned`."),
        },
    ),
    "channel.updated": EventAbout(
        "A channel's profile or settings changed.",
        "the subscribers",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "changed": ("object", "The new values, by the names of the fields."),
            "version": (
                "integer",
                "Grows with each change; ignore an event that is older than what you have.",
            ),
        },
    ),
    "channel.deleted": EventAbout(
        "A channel was deleted. Nothing follows about it.",
        "the subscribers",
        {"conversation_id": _CONVERSATION, "channel_id": _CHANNEL},
    ),
    "channel.invited": EventAbout(
        "A user is invited to be an admin.",
        "the user who is invited, and the owner",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "channel_name": ("text", "Its name."),
            "user_id": ("text", "The user who is invited."),
            "grants": ("array", "What they may do when they accept."),
            "expires_at": ("text", "When the invitation ends by itself."),
        },
    ),
    "channel.invitation_ended": EventAbout(
        "An invitation was answered, revoked, or ended with its channel.",
        "the user who was invited, and the owner",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "user_id": ("text", "The user who was invited."),
            "reason": ("text", "`accepted`, `declined`, `revoked` or `deleted`."),
        },
    ),
    "group.joined": EventAbout(
        "A user joined a chat group, or was added.",
        "the user; in a group that is no community all members",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP, "user_id": _USER},
    ),
    "group.left": EventAbout(
        "A membership ended.",
        "the user; in a group that is no community all members",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "user_id": _USER,
            "reason": ("text", "`left`, `removed` or `banned`."),
        },
    ),
    "group.updated": EventAbout(
        "A chat group's profile or settings changed.",
        "the members",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "changed": ("object", "The new values, by the names of the fields."),
            "version": (
                "integer",
                "Grows with each change; ignore an event that is older than what you have.",
            ),
        },
    ),
    "group.disbanded": EventAbout(
        "A chat group was disbanded. Nothing follows about it.",
        "the members",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP},
    ),
    "member.changed": EventAbout(
        "A member's role, grants, mute or name card changed.",
        "in a community the member, the owner and the admins; in other groups all members",
        {
            "conversation_id": _CONVERSATION,
            "user_id": _USER,
            "role": ("text", "`owner`, `admin` or `member`."),
            "muted_until": ("text or null", "Until when they may not write."),
            "name_card": ("text", "Their name in this group."),
            "grants": ("array", "The grants of an admin."),
        },
        {**_IN_A_CHANNEL, **_IN_A_GROUP},
    ),
    "join.requested": EventAbout(
        "A user asks to join.",
        "the owner and the admins",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "user_id": ("text", "The user who asks."),
            "text": ("text", "What they wrote with it."),
        },
    ),
    "join.refused": EventAbout(
        "A request to join was refused.",
        "the user who asked",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP, "user_id": _USER},
    ),
    "conversation.read": EventAbout(
        "The user read, on this device or another; posting reads as well.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "read_seq": ("integer", "Up to which seq is read."),
            "unread_count": ("integer", "How many are unread now."),
        },
    ),
    "conversation.updated": EventAbout(
        "The user muted, pinned or hid a conversation, or changed its draft or custom data.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "changed": (
                "object",
                "The new values. A `draft` is empty when it was cleared, and null when there is a new one: its text is"
                " in no event.",
            ),
        },
    ),
    "conversation_group.created": EventAbout(
        "The user created a conversation group.",
        _DEVICES,
        {
            "name": ("text", "Its name."),
            "conversation_ids": ("array", "The conversations in it."),
        },
    ),
    "conversation_group.renamed": EventAbout(
        "The user renamed a conversation group.",
        _DEVICES,
        {"name": ("text", "The old name."), "new_name": ("text", "The new name.")},
    ),
    "conversation_group.deleted": EventAbout(
        "The user deleted a conversation group. Its conversations stay.",
        _DEVICES,
        {"name": ("text", "Its name.")},
    ),
    "conversation_group.changed": EventAbout(
        "The user moved conversations into a conversation group, or out of it.",
        _DEVICES,
        {
            "name": ("text", "Its name."),
            "added": ("array", "The conversations that came in."),
            "removed": ("array", "Those that left."),
        },
    ),
    "conversation.ended": EventAbout(
        "A one-to-one conversation with a channel ended, since the channel was deleted.",
        _DEVICES,
        {"conversation_id": _CONVERSATION},
    ),
    "inbox.read": EventAbout(
        "An admin read a thread of a channel's inbox, or answered in it.",
        _STAFF,
        {
            "channel_id": _CHANNEL,
            "user_id": ("text", "The user of the thread."),
            "read_seq": ("integer", "Up to which seq is read."),
            "unread_count": ("integer", "How many are unread in the thread now."),
        },
    ),
    "inbox.unread": EventAbout(
        "The totals of a channel's inbox changed. Sent a moment after the events that changed them.",
        _STAFF,
        {
            "channel_id": _CHANNEL,
            "unread_count": ("integer", "The unread messages of all threads."),
            "unread_threads": ("integer", "The threads with unread messages."),
        },
    ),
    "block.changed": EventAbout(
        "The user blocked another user or a channel, or ended that.",
        _DEVICES,
        {
            "user_id": ("text", "The other user, or the channel."),
            "blocked": ("boolean", "Whether they are blocked now."),
        },
    ),
}
COMMON_FIELDS: Final = ("type", "at", "stream_id")
"""The fields of every event."""
EVENT_TYPES: Final = tuple(CATALOGUE)
"""Every type of event that clients may receive."""
