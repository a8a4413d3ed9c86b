"""What happened in a group, once it is committed.

`is_channel` travels along because those who render events speak of subscribers there; this package does not care.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import Grant, Group, Message, Role


def profile_of(group: Group, more: Mapping[str, object] | None) -> dict[str, object] | None:
    """What a group shows of itself with what a higher package adds; None where that adds nothing."""
    if more is None:
        return None
    shown = group.model_dump(mode="json", include={"name", "face_url", "introduction", "verified"})
    return {**shown, "created_at": rfc3339(group.created_at), **more}


class LeaveReason(StrEnum):
    """Why a membership ended."""

    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"


class InvitationEnd(StrEnum):
    """Why an invitation is open no more."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    DELETED = "deleted"


class GroupEvent(Event):
    """The base of this package's events."""

    type: str = "group.event"
    group_id: GroupId
    is_channel: bool = False


class MembersJoined(GroupEvent):
    """One event for all whom one transaction admitted. `announce`: whether the other members are told.

    `profile` is what they joined, JSON-ready, where that is a channel: as the transaction saw it, so whatever is told
    behind this event changed later.
    """

    type: Literal["members.joined"] = "members.joined"
    user_ids: tuple[UserId, ...]
    member_count: int
    announce: bool
    profile: dict[str, object] | None = None


class MembersLeft(GroupEvent):
    """One event for all whose membership one transaction ended for the same reason."""

    type: Literal["members.left"] = "members.left"
    user_ids: tuple[UserId, ...]
    reason: LeaveReason
    member_count: int
    announce: bool


class StrangerBanned(GroupEvent):
    """Who is no member was banned: nobody is told, and what he watches of the group he watches no more."""

    type: Literal["stranger.banned"] = "stranger.banned"
    user_id: UserId


class MemberChanged(GroupEvent):
    """A member's role, grants, mute or name card changed. `audience` None: everyone in the group."""

    type: Literal["member.changed"] = "member.changed"
    user_id: UserId
    role: Role
    muted_until: datetime | None
    name_card: str
    grants: tuple[Grant, ...] = ()
    audience: tuple[UserId, ...] | None


class AdminInvited(GroupEvent):
    """A user is asked to be an admin; he and the owner are told."""

    type: Literal["admin.invited"] = "admin.invited"
    user_id: UserId
    group_name: str
    grants: tuple[Grant, ...]
    expires_at: datetime
    audience: tuple[UserId, ...]


class InvitationEnded(GroupEvent):
    """An invitation was answered or taken back, or its group disbanded; the user and the owner are told."""

    type: Literal["invitation.ended"] = "invitation.ended"
    user_id: UserId
    reason: InvitationEnd
    audience: tuple[UserId, ...]


class GroupUpdated(GroupEvent):
    """The profile or a setting changed; `changed` holds the new values by field name, JSON-ready."""

    type: Literal["group.updated"] = "group.updated"
    changed: dict[str, object]
    version: int


class GroupDisbanded(GroupEvent):
    """The group is gone."""

    type: Literal["group.disbanded"] = "group.disbanded"


class JoinRequested(GroupEvent):
    """A user asks to join; owner and admins are told."""

    type: Literal["join.requested"] = "join.requested"
    user_id: UserId
    text: str
    audience: tuple[UserId, ...]


class JoinRefused(GroupEvent):
    """A join request was refused; the user is told."""

    type: Literal["join.refused"] = "join.refused"
    user_id: UserId


class TokensRevoked(Event):
    """What was issued to the user until then is refused; his sockets are closed."""

    type: Literal["tokens.revoked"] = "tokens.revoked"
    user_id: UserId


class MessagePosted(GroupEvent):
    """A message was added to the group's stream."""

    type: Literal["message.posted"] = "message.posted"
    message: Message


class MessageEdited(GroupEvent):
    """A message's content was replaced, or it was pinned or unpinned, or its reactions were frozen or set free."""

    type: Literal["message.edited"] = "message.edited"
    message: Message


class MessageRecalled(GroupEvent):
    """A message was recalled; its seq stays."""

    type: Literal["message.recalled"] = "message.recalled"
    message: Message
