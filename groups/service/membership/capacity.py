"""The limits of every way into a group: joining, being added or approved, accepting an invitation, an import.

Single changes (`state`) and imports (`bulk_import`) ask the same object, so both refuse in the same order: first the
group's limit of members, then the user's limit of groups.

What others do to a user does not use up what the user may do: groups to which they were added, and in which they
neither joined nor wrote, do not count for their limit of groups. They have a limit of their own, beyond which an adder
invites.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from groups import policy
from groups.errors import GroupsPerOwnerReached, GroupsPerUserReached, MemberLimitReached
from groups.events import MembersJoined, profile_of
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import Group, Role

NEAR_LIMIT: Final = 100
"""Within this many groups of a limit, what makes a user a member writes the user's document.

Two transactions that let the same user into two groups then conflict, and cannot pass the limit together. So does what
makes a user a member of several groups, at any distance.
"""


class TooFarAtOnceError(Exception):
    """One transaction would take a user from beyond `NEAR_LIMIT` close to a limit.

    Others that are under way took the user for one who is not near it, and do not conflict. So this one has to fall
    apart into smaller ones, as `GroupCommit` does after any error.
    """


@dataclass(slots=True)
class UserCount:
    """How many of something each user has, in all groups, and may have.

    All groups of a transaction share it: a user who comes into several of them is counted in each.
    """

    limit: int
    stored: Mapping[UserId, int]
    guarded: set[UserId]
    """Users whose document the transaction must write (`NEAR_LIMIT`)."""
    changes: dict[UserId, int] = field(default_factory=dict)
    """By the commands applied so far."""

    def of(self, user_id: UserId) -> int:
        """The user's number, as of the commands applied so far."""
        return self.stored.get(user_id, 0) + self.changes.get(user_id, 0)

    def has_room(self, user_id: UserId) -> bool:
        """Whether the user may have one more."""
        return self.of(user_id) < self.limit

    def add(self, user_id: UserId) -> None:
        """Count one more. Raises: TooFarAtOnceError."""
        before, change = self.stored.get(user_id, 0), self.changes.get(user_id, 0)
        if change > 0 or is_near_limit(before, self.limit):
            self.guarded.add(user_id)
        self.changes[user_id] = change + 1
        is_close = before + change + NEAR_LIMIT // 2 >= self.limit
        if is_close and not is_near_limit(before, self.limit):
            raise TooFarAtOnceError

    def subtract(self, user_id: UserId) -> None:
        """Count one less."""
        self.changes[user_id] = self.changes.get(user_id, 0) - 1


@dataclass(frozen=True, slots=True)
class UserCounts:
    """The counts that are limited for each user, shared by all groups of a transaction."""

    groups: UserCount
    """The groups that count for the limit of groups."""
    added_groups: UserCount
    """The groups to which others added the users, who did not agree so far."""
    invitations: UserCount
    """Open invitations that the users see; known of those who may be invited."""
    requests: UserCount
    """Join requests that wait; known of those who may ask."""
    guarded: Collection[UserId]
    """Users whose document the transaction must write (`NEAR_LIMIT`)."""

    @classmethod
    def of(
        cls,
        limits: GroupLimits,
        *,
        groups: Mapping[UserId, int],
        added_groups: Mapping[UserId, int],
        invitations: Mapping[UserId, int] = MappingProxyType({}),
    ) -> "UserCounts":
        """The counts as stored; `groups` are all groups of each user."""
        agreed = {
            user_id: number - added_groups.get(user_id, 0) for user_id, number in groups.items()
        }
        guarded: set[UserId] = set()
        return cls(
            UserCount(limits.groups_per_user, agreed, guarded),
            UserCount(limits.added_groups_per_user, added_groups, guarded),
            UserCount(limits.invitations_per_user, invitations, guarded),
            UserCount(limits.join_requests_per_user, {}, guarded),
            guarded,
        )


@dataclass(slots=True)
class Capacity:
    """Room for members in a group, and for groups with the users who come in."""

    member_limit: int
    member_count: int
    """As of the changes applied so far."""
    users: UserCounts

    def refusal(self, user_id: UserId) -> DomainError | None:
        """Why the user cannot come in; None: there is room."""
        return self.full_refusal() or self.groups_refusal(user_id)

    def full_refusal(self) -> DomainError | None:
        """Why nobody can come in; None: there is room."""
        if self.member_count >= self.member_limit:
            return MemberLimitReached(limit=self.member_limit)
        return None

    def groups_refusal(self, user_id: UserId) -> DomainError | None:
        """Why the user cannot be in one more group by their own will; None: they can."""
        groups = self.users.groups
        return groups_refusal(groups.of(user_id), groups.limit)

    def may_add(self, user_id: UserId) -> bool:
        """Whether the user may be added to one more group without being asked."""
        return self.users.added_groups.has_room(user_id)

    def admit(self, user_id: UserId, *, has_agreed: bool = True) -> None:
        """Count a user who comes in. `has_agreed` False: another member adds them."""
        self.member_count += 1
        (self.users.groups if has_agreed else self.users.added_groups).add(user_id)

    def agree(self, user_id: UserId) -> None:
        """Count a membership that the user did not agree to so far among those of their own will."""
        self.users.groups.add(user_id)
        self.users.added_groups.subtract(user_id)

    def end(self, user_id: UserId, *, has_agreed: bool) -> None:
        """Count a member who leaves."""
        self.member_count -= 1
        (self.users.groups if has_agreed else self.users.added_groups).subtract(user_id)


def capacity_of(group: Group, limits: GroupLimits, users: UserCounts) -> Capacity:
    """The room of the group as it is stored."""
    return Capacity(group.limit_of_members(limits), group.member_count, users)


def groups_refusal(groups: int, limit: int) -> DomainError | None:
    """Why a user who is in this many groups cannot be in one more; None: they can."""
    return GroupsPerUserReached(limit=limit) if groups >= limit else None


def created_refusal(groups: int, limit: int) -> DomainError | None:
    """Why a user who created this many groups cannot create one more; None: they can."""
    return GroupsPerOwnerReached(limit=limit) if groups >= limit else None


def is_near_limit(groups: int, limit: int) -> bool:
    """Whether the transaction that lets the user into one more group must write the user's document."""
    return groups + NEAR_LIMIT >= limit


def most_invitations(limits: GroupLimits, role: Role) -> int:
    """How many open invitations of this role one group may have."""
    return limits.admin_invitations if role is Role.ADMIN else limits.member_invitations


def invitation_time(limits: GroupLimits, role: Role) -> timedelta:
    """How long an invitation of this role can be accepted."""
    is_admin = role is Role.ADMIN
    seconds = limits.admin_invitation_seconds if is_admin else limits.member_invitation_seconds
    return timedelta(seconds=seconds)


def members_joined(
    group: Group,
    user_ids: Sequence[UserId],
    *,
    member_count: int,
    profile: Mapping[str, object] | None,
    at: datetime,
    invite_links: Mapping[UserId, str] = MappingProxyType({}),
    by_others: bool = False,
) -> MembersJoined:
    """The one event for users who came in together; `profile` is what a higher package adds to the group's own."""
    return MembersJoined(
        at=at,
        group_id=group.group_id,
        is_channel=group.is_channel,
        user_ids=tuple(user_ids),
        member_count=member_count,
        announce=policy.announces_membership(group),
        by_others=by_others,
        profile=profile_of(group, profile),
        invite_links=dict(invite_links),
    )
