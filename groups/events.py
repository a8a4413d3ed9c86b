"""The events of groups, published once they are committed.

`is_channel` tells higher packages whether to render an event as one of a channel.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from groups.kernel.clock import rfc3339
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import (
    AccountKind,
    Grant,
    Group,
    InvitationEnd,
    Message,
    RequestEnd,
    Role,
    SuspensionMode,
    stream_of,
)


def profile_of(group: Group, more: Mapping[str, object] | None) -> dict[str, object] | None:
    """The group's profile with the fields that a higher package adds (`more`); None where that adds none."""
    if more is None:
        return None
    # Field by field, since a batch of joins in many groups makes many.
    return {
        "name": group.name,
        "face_url": group.face_url,
        "introduction": group.introduction,
        "verified": group.verified,
        "created_at": more.get("created_at") or rfc3339(group.created_at),
        **more,
    }


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

    @property
    def routes(self) -> tuple[str, ...]:
        return (stream_of(self.group_id),)


class MembersJoined(GroupEvent):
    """Users became members; one event for all of one transaction who came in a row by their own act, or by others.

    `announce`: the other members are notified. `by_others`: the staff or the application made them members, and nothing
    that they did; an approved request and an accepted invitation are their own act.

    `profile` is the channel's profile, JSON-ready, as the transaction saw it; later events tell later changes. None in
    other groups.
    """

    type: Literal["members.joined"] = "members.joined"
    user_ids: tuple[UserId, ...]
    member_count: int
    announce: bool
    by_others: bool = False
    profile: dict[str, object] | None = None
    invite_links: dict[UserId, str] = Field(default_factory=dict)
    """The codes of the invite links by which users came in, of those who came by one."""

    @property
    def routes(self) -> tuple[str, ...]:
        return (*self.user_ids, stream_of(self.group_id)) if self.announce else self.user_ids

    @property
    def opens(self) -> tuple[str, ...]:
        return (stream_of(self.group_id),)


class MembersLeft(GroupEvent):
    """Memberships ended; one event for all of one transaction with the same reason."""

    type: Literal["members.left"] = "members.left"
    user_ids: tuple[UserId, ...]
    reason: LeaveReason
    member_count: int
    announce: bool

    @property
    def routes(self) -> tuple[str, ...]:
        return (*self.user_ids, stream_of(self.group_id)) if self.announce else self.user_ids


class StrangerBanned(GroupEvent):
    """A user who is no member was banned. Nobody is notified; the user's subscriptions to the group's events end."""

    type: Literal["stranger.banned"] = "stranger.banned"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class MemberChanged(GroupEvent):
    """A member's role, grants, mute or name card changed. `audience` None: everyone in the group."""

    type: Literal["member.changed"] = "member.changed"
    user_id: UserId
    role: Role
    muted_until: datetime | None
    name_card: str
    grants: tuple[Grant, ...] = ()
    audience: tuple[UserId, ...] | None

    @property
    def routes(self) -> tuple[str, ...]:
        return (stream_of(self.group_id),) if self.audience is None else self.audience


class AdminInvited(GroupEvent):
    """A user was invited to be an admin; the user and the owner are notified."""

    type: Literal["admin.invited"] = "admin.invited"
    user_id: UserId
    group_name: str
    grants: tuple[Grant, ...]
    expires_at: datetime
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class MemberInvited(GroupEvent):
    """A user was invited to be a member; the user and the inviter are notified, or the inviter alone.

    The user is not in the audience while they block the inviter or the group, after they declined, or when they were
    told of an invitation to this group a short time ago.
    """

    type: Literal["member.invited"] = "member.invited"
    user_id: UserId
    group_name: str
    expires_at: datetime
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class InvitationEnded(GroupEvent):
    """An invitation was answered or revoked, or its group disbanded; the user and the inviting side are notified.

    The inviting side is the owner for an invitation to be an `admin`, the inviter for one to be a `member`. It is not
    told that a user declined to be a member.
    """

    type: Literal["invitation.ended"] = "invitation.ended"
    user_id: UserId
    role: Role = Role.ADMIN
    reason: InvitationEnd
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class GroupUpdated(GroupEvent):
    """The profile or a setting changed; `changed` holds the new values by field name, JSON-ready.

    `changed_for_staff` are more values, which of all members only `staff` may see.
    """

    type: Literal["group.updated"] = "group.updated"
    changed: dict[str, object]
    version: int
    changed_for_staff: dict[str, object] = Field(default_factory=dict)
    staff: tuple[UserId, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        return (stream_of(self.group_id), *self.staff)


class GroupSuspended(GroupEvent):
    """The application suspended the channel, or changed how. The members are notified; only the owner learns why."""

    type: Literal["group.suspended"] = "group.suspended"
    owner_id: UserId | None
    mode: SuspensionMode
    reason: str
    version: int

    @property
    def routes(self) -> tuple[str, ...]:
        owner = (self.owner_id,) if self.owner_id is not None else ()
        return (stream_of(self.group_id), *owner)


class GroupReinstated(GroupEvent):
    """The application ended the suspension of the channel; the members are notified."""

    type: Literal["group.reinstated"] = "group.reinstated"
    version: int


class GroupDisbanded(GroupEvent):
    """The group was disbanded."""

    type: Literal["group.disbanded"] = "group.disbanded"


class JoinRequested(GroupEvent):
    """A user asks to join; the owner and the admins who may answer are notified. `invite_link`: by this link."""

    type: Literal["join.requested"] = "join.requested"
    user_id: UserId
    text: str
    invite_link: str | None = None
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class JoinAnswered(GroupEvent):
    """A join request ended; the owner and the admins who may answer are notified."""

    type: Literal["join.answered"] = "join.answered"
    user_id: UserId
    outcome: RequestEnd
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class InviteLinkUsed(GroupEvent):
    """Users joined by an invite link (`user_ids`), or its requests became more or fewer; one event a transaction.

    The owner and the admins who manage the link are notified.
    """

    type: Literal["invite_link.used"] = "invite_link.used"
    code: str
    user_ids: tuple[UserId, ...]
    uses: int
    pending_requests: int
    audience: tuple[UserId, ...]

    @property
    def routes(self) -> tuple[str, ...]:
        return self.audience


class JoinRefused(GroupEvent):
    """A join request was refused; the user is notified."""

    type: Literal["join.refused"] = "join.refused"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class TokensRevoked(Event):
    """The tokens issued to the user until then are revoked; the user's sockets are closed."""

    type: Literal["tokens.revoked"] = "tokens.revoked"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class UserRestricted(Event):
    """The application restricted the user, until then or for good; the user is notified."""

    type: Literal["user.restricted"] = "user.restricted"
    user_id: UserId
    until: datetime | None
    reason: str

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class UserUnrestricted(Event):
    """The application ended the user's restriction; the user is notified."""

    type: Literal["user.unrestricted"] = "user.unrestricted"
    user_id: UserId

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class AccountKindChanged(Event):
    """A user became a business account, or a person again; sockets of the other kind of token are closed."""

    type: Literal["account.kind_changed"] = "account.kind_changed"
    user_id: UserId
    account_kind: AccountKind

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.user_id,)


class MessagePosted(GroupEvent):
    """A message was added to the group's stream."""

    type: Literal["message.posted"] = "message.posted"
    message: Message

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.message.stream_id, self.message.sender_id)


class MessageEdited(GroupEvent):
    """A message was edited, pinned or unpinned, or its reactions were frozen or unfrozen."""

    type: Literal["message.edited"] = "message.edited"
    message: Message

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.message.stream_id,)


class MessageRecalled(GroupEvent):
    """A message was recalled; its seq stays."""

    type: Literal["message.recalled"] = "message.recalled"
    message: Message

    @property
    def routes(self) -> tuple[str, ...]:
        return (self.message.stream_id,)
