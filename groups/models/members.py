"""Who is what in a group: roles and rights, members and who may become one, bans, departures."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId
from groups.models.base import Model
from groups.models.groups import Group


class Role(StrEnum):
    """A member's role."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class EffectiveRole(IntEnum):
    """What the actor is to the group, ordered by power."""

    BANNED = -1
    STRANGER = 0
    MEMBER = 1
    ADMIN = 2
    OWNER = 3
    APP_ADMIN = 4


class Grant(StrEnum):
    """A right of an admin, given one by one; the owner and the application's admin hold all."""

    POST = "post"
    EDIT_POSTS = "edit_posts"
    DELETE_POSTS = "delete_posts"
    PIN_POSTS = "pin_posts"
    MANAGE_SUBSCRIBERS = "manage_subscribers"
    CHANGE_INFO = "change_info"
    CHANGE_SETTINGS = "change_settings"
    READ_INBOX = "read_inbox"
    SEE_INSIGHTS = "see_insights"


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a group. Unread counts from `joined_seq`, the head when he joined; `muted_until` None: not muted.

    `grants` is what an admin was granted; None: everything. It says nothing of the owner and of plain members.
    """

    group_id: GroupId
    user_id: UserId
    role: Role
    joined_at: datetime
    joined_seq: int
    muted_until: datetime | None = None
    name_card: str = ""
    grants: frozenset[Grant] | None = None

    @property
    def effective_role(self) -> EffectiveRole:
        """The member's power."""
        return EFFECTIVE_ROLE_OF[self.role]

    def is_muted(self, now: datetime) -> bool:
        """Whether the member is muted at this instant."""
        return self.muted_until is not None and self.muted_until > now

    def holds(self, grant: Grant) -> bool:
        """Whether the member has the right by what he is here: the owner every one, an admin what he was granted."""
        if self.role is Role.ADMIN:
            return self.grants is None or grant in self.grants
        return self.role is Role.OWNER

    @property
    def granted(self) -> tuple[Grant, ...]:
        """The rights that the member has, in the order of their definition."""
        return tuple(grant for grant in Grant if self.holds(grant))


EFFECTIVE_ROLE_OF: Final = {
    Role.OWNER: EffectiveRole.OWNER,
    Role.ADMIN: EffectiveRole.ADMIN,
    Role.MEMBER: EffectiveRole.MEMBER,
}


class Restriction(Model):
    """What outlives membership: bans, and a mute that leaving and rejoining must not shake off.

    A ban from reacting leaves everything else as it is.
    """

    group_id: GroupId
    user_id: UserId
    banned_at: datetime | None = None
    banned_by: UserId | None = None
    muted_until: datetime | None = None
    reacting_banned_at: datetime | None = None
    reacting_banned_by: UserId | None = None

    @property
    def restricts(self) -> bool:
        """Whether it says anything."""
        return (self.banned_at, self.muted_until, self.reacting_banned_at) != (None, None, None)


class Invitation(Model):
    """A user is asked to be an admin, with these grants; he may accept until `expires_at`."""

    group_id: GroupId
    user_id: UserId
    grants: frozenset[Grant]
    invited_by: UserId
    invited_at: datetime
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it may still be accepted."""
        return self.expires_at > now


class DepartureReason(StrEnum):
    """Why a user is no longer in a channel."""

    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"
    DELETED = "deleted"


class Departure(NamedTuple):
    """The end of a membership of a channel, kept for devices that were away."""

    group_id: GroupId
    user_id: UserId
    reason: DepartureReason
    at: datetime


class JoinRequest(Model):
    """A user waits for approval."""

    group_id: GroupId
    user_id: UserId
    text: str
    requested_at: datetime


class MembershipRow(NamedTuple):
    """A user's place in a group, as lists hold thousands; unread counts from `joined_seq`, the head when he joined.

    `joined_ms` is when, in milliseconds since 1970; 0 where it was not asked for.
    """

    group_id: GroupId
    joined_seq: int
    joined_ms: int = 0


@dataclass(frozen=True, slots=True)
class MemberCountChange:
    """How many came and went in one batch (`removed`: by somebody else), and how many members there are after it."""

    joined: int
    left: int
    removed: int
    member_count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class AccessContext:
    """An actor before a group: the group, his membership if any, his rank.

    `is_banned_from_reacting` is known where reactions are (`BulkAccess.standings`).
    """

    group: Group
    member: Member | None
    effective_role: EffectiveRole
    is_banned_from_reacting: bool = False

    def holds(self, grant: Grant) -> bool:
        """Whether the actor has the right: owner and application every one, an admin what he was granted."""
        if self.effective_role >= EffectiveRole.OWNER:
            return True
        return (
            self.effective_role == EffectiveRole.ADMIN
            and self.member is not None
            and self.member.holds(grant)
        )
