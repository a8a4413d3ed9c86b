"""What happened in a group, once it is committed.

`is_channel` travels along because those who render events speak of subscribers there; this package does not care.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import Message, Role


class LeaveReason(StrEnum):
    """Why a membership ended."""

    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"


class GroupEvent(Event):
    """The base of this package's events."""

    type: str = "group.event"
    group_id: GroupId
    is_channel: bool = False


class MembersJoined(GroupEvent):
    """One event for all whom one transaction admitted. `announce`: whether the other members are told."""

    type: Literal["members.joined"] = "members.joined"
    user_ids: tuple[UserId, ...]
    member_count: int
    announce: bool


class MembersLeft(GroupEvent):
    """One event for all whose membership one transaction ended for the same reason."""

    type: Literal["members.left"] = "members.left"
    user_ids: tuple[UserId, ...]
    reason: LeaveReason
    member_count: int
    announce: bool


class MemberChanged(GroupEvent):
    """A member's role, mute or name card changed. `audience` None: everyone in the group."""

    type: Literal["member.changed"] = "member.changed"
    user_id: UserId
    role: Role
    muted_until: datetime | None
    name_card: str
    audience: tuple[UserId, ...] | None


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


class MessagePosted(GroupEvent):
    """A message was added to the group's stream."""

    type: Literal["message.posted"] = "message.posted"
    message: Message


class MessageEdited(GroupEvent):
    """A message's content was replaced."""

    type: Literal["message.edited"] = "message.edited"
    message: Message


class MessageRecalled(GroupEvent):
    """A message was recalled; its seq stays."""

    type: Literal["message.recalled"] = "message.recalled"
    message: Message
