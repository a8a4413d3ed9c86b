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
_VERSION: Final = (
    "integer",
    "The conversation's version after it. If it is not the next one after yours, read"
    " [what changed](../how-to/catch-up.md).",
)
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
_DEVICES: Final = "all devices of the user"

CATALOGUE: Final[Mapping[str, EventAbout]] = {
    "message.posted": EventAbout(
        "A post, a group message or a one-to-one message was written.",
        "everyone in the conversation, the author too; of a channel's inbox its admins who may read it",
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
        "Its content was replaced, it was pinned or unpinned, or its reactions were stopped or allowed again.",
        "as `message.posted`",
        {"seq": _SEQ, "version": _VERSION},
        {
            "conversation_id": _CONVERSATION,
            **_CONTENT,
            **_IN_A_CHANNEL,
            **_IN_A_GROUP,
            **_IN_AN_INBOX,
        },
    ),
    "message.recalled": EventAbout(
        "It was deleted for everyone.",
        "as `message.posted`",
        {"seq": _SEQ, "version": _VERSION},
        {
            "conversation_id": _CONVERSATION,
            **_CONTENT,
            **_IN_A_CHANNEL,
            **_IN_A_GROUP,
            **_IN_AN_INBOX,
        },
    ),
    "reactions.changed": EventAbout(
        "The counts of a message changed; several changes are merged into one event.",
        "in groups and channels: sockets that [watch](sockets.md#watch-reactions) the conversation;"
        " one-to-one: both sides, and the admins who read the channel's inbox",
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
        "The user subscribed, or was added; the owner's new channel too.",
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
        "The user unsubscribed, or was removed or banned.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "user_id": _USER,
            "reason": ("text", "`left`, `removed` or `banned`."),
        },
    ),
    "channel.updated": EventAbout(
        "The profile or a setting changed.",
        "all subscribers",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "changed": (
                "object",
                "The new values, by the names of the fields. `owner_id`: only to the owner and the admins, unless the"
                " channel signs its posts. `is_channel`: your group became a channel. Where `history_shared_at` is"
                " set then, everybody may read what was written before.",
            ),
            "version": (
                "integer",
                "Grows with each change; ignore an event that is older than what you have.",
            ),
        },
    ),
    "channel.deleted": EventAbout(
        "The channel was deleted.",
        "all subscribers",
        {"conversation_id": _CONVERSATION, "channel_id": _CHANNEL},
    ),
    "channel.invited": EventAbout(
        "A user was invited to subscribe, or to be an admin.",
        "the user and who invited; of an invitation to be an admin the user and the owner",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "channel_name": ("text", "Its name."),
            "user_id": ("text", "The user who is invited."),
            "role": (
                "text",
                "What they become when they accept: `admin`, or `member` for a subscriber.",
            ),
            "grants": ("array", "What they may do as an admin."),
            "expires_at": ("text", "When the invitation ends by itself."),
        },
    ),
    "channel.invitation_ended": EventAbout(
        "An invitation was answered or removed, or ended with its channel.",
        "as `channel.invited`; nobody but the user is told that they declined to subscribe",
        {
            "conversation_id": _CONVERSATION,
            "channel_id": _CHANNEL,
            "user_id": ("text", "The user who was invited."),
            "role": ("text", "What they were invited to be: `admin` or `member`."),
            "reason": ("text", "`accepted`, `declined`, `revoked` or `deleted`."),
        },
    ),
    "group.joined": EventAbout(
        "A user joined the group, or was added.",
        "all members; in a Community only the devices of that user",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP, "user_id": _USER},
    ),
    "group.left": EventAbout(
        "A user left the group, or was removed or banned.",
        "all members; in a Community only the devices of that user",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "user_id": _USER,
            "reason": ("text", "`left`, `removed` or `banned`."),
        },
    ),
    "group.invited": EventAbout(
        "A user was invited to join a chat group, by somebody who adds them and must ask first.",
        "the user and who invited",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "group_name": ("text", "Its name."),
            "user_id": ("text", "The user who is invited."),
            "role": ("text", "What they become when they accept: `member`."),
            "expires_at": ("text", "When the invitation ends by itself."),
        },
    ),
    "group.invitation_ended": EventAbout(
        "An invitation was answered or removed, or ended with its group.",
        "as `group.invited`; nobody but the user is told that they declined",
        {
            "conversation_id": _CONVERSATION,
            "group_id": _GROUP,
            "user_id": ("text", "The user who was invited."),
            "role": ("text", "`member`."),
            "reason": ("text", "`accepted`, `declined`, `revoked` or `deleted`."),
        },
    ),
    "group.updated": EventAbout(
        "The profile or a setting changed.",
        "all members",
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
        "The group was disbanded.",
        "all members",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP},
    ),
    "member.changed": EventAbout(
        "A member's role, grants, mute or name card changed.",
        "in a group all members; in a channel the member, the owner and the admins,"
        " since subscribers do not see each other",
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
        "The request was refused.",
        "the user who asked",
        {"conversation_id": _CONVERSATION, "group_id": _GROUP, "user_id": _USER},
    ),
    "conversation.read": EventAbout(
        "A read cursor moved: the user marked the conversation as read, or wrote in it.",
        _DEVICES,
        {
            "conversation_id": _CONVERSATION,
            "read_seq": ("integer", "Up to which seq is read."),
            "unread_count": ("integer", "How many are unread now."),
        },
    ),
    "conversation.updated": EventAbout(
        "The user muted, pinned or hid a conversation, or stored a draft or custom data.",
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
        "The user created it.",
        _DEVICES,
        {
            "name": ("text", "Its name."),
            "conversation_ids": ("array", "The conversations in it."),
        },
    ),
    "conversation_group.renamed": EventAbout(
        "The user renamed it.",
        _DEVICES,
        {"name": ("text", "The old name."), "new_name": ("text", "The new name.")},
    ),
    "conversation_group.deleted": EventAbout(
        "The user deleted it; its conversations stay.",
        _DEVICES,
        {"name": ("text", "Its name.")},
    ),
    "conversation_group.changed": EventAbout(
        "The user added conversations to it, or removed some.",
        _DEVICES,
        {
            "name": ("text", "Its name."),
            "added": ("array", "The conversations that came in."),
            "removed": ("array", "Those that left."),
        },
    ),
    "conversation.ended": EventAbout(
        "A one-to-one conversation with a channel ended, because the channel was deleted.",
        _DEVICES,
        {"conversation_id": _CONVERSATION},
    ),
    "inbox.read": EventAbout(
        "A thread of the channel's inbox was read, or answered.",
        "the admins who may read the inbox, who share its read cursor",
        {
            "channel_id": _CHANNEL,
            "user_id": ("text", "The user of the thread."),
            "read_seq": ("integer", "Up to which seq is read."),
            "unread_count": ("integer", "How many are unread in the thread now."),
        },
    ),
    "inbox.unread": EventAbout(
        "The totals of the inbox changed; at most two events a second for one channel.",
        "the admins who may read the inbox",
        {
            "channel_id": _CHANNEL,
            "unread_count": ("integer", "The unread messages of all threads."),
            "unread_threads": ("integer", "The threads with unread messages."),
        },
    ),
    "block.changed": EventAbout(
        "The user blocked somebody, or removed a block.",
        "all devices of the user; the other side is not notified",
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
