"""The limits of every way into a group: joining, being added or approved, accepting an invitation, an import.

Single changes (`state`) and imports (`bulk_import`) ask the same object, so both refuse in the same order: first the
group's limit of members, then the user's limit of groups.

What others do to a user does not use up what the user may do: groups to which they were added, and in which they
neither joined nor wrote, do not count for their limit of groups. They have a limit of their own, beyond which an adder
invites.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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

Two transactions that let the same user into two groups then conflict, and cannot pass the limit together.
"""


@dataclass(slots=True)
class Capacity:
    """Room for members in a group, and for groups with the users who come in."""

    member_limit: int
    groups_per_user: int
    added_groups_per_user: int
    member_count: int
    """As of the changes applied so far."""
    near_limit: set[UserId] = field(default_factory=set)
    """Admitted users whose document the transaction must write (`NEAR_LIMIT`)."""

    def refusal(self, groups: int) -> DomainError | None:
        """Why a user who is in this many groups cannot come in; None: there is room."""
        return self.full_refusal() or groups_refusal(groups, self.groups_per_user)

    def full_refusal(self) -> DomainError | None:
        """Why nobody can come in; None: there is room."""
        if self.member_count >= self.member_limit:
            return MemberLimitReached(limit=self.member_limit)
        return None

    def may_add(self, added_groups: int) -> bool:
        """Whether a user whom others added to this many groups may be added to one more without being asked."""
        return added_groups < self.added_groups_per_user

    def admit(self, user_id: UserId, groups: int) -> None:
        """Count a user who comes in, and is in this many other groups."""
        self.member_count += 1
        self.agree(user_id, groups)

    def agree(self, user_id: UserId, groups: int) -> None:
        """Count a group for a user who is in this many others by their own will."""
        if is_near_limit(groups, self.groups_per_user):
            self.near_limit.add(user_id)

    def add(self, user_id: UserId, added_groups: int) -> None:
        """Count a user whom another member adds, as to this many other groups."""
        self.member_count += 1
        if is_near_limit(added_groups, self.added_groups_per_user):
            self.near_limit.add(user_id)


def capacity_of(group: Group, limits: GroupLimits) -> Capacity:
    """The room of the group as it is stored."""
    return Capacity(
        group.limit_of_members(limits),
        limits.groups_per_user,
        limits.added_groups_per_user,
        group.member_count,
    )


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
) -> MembersJoined:
    """The one event for users who came in together; `profile` is what a higher package adds to the group's own."""
    return MembersJoined(
        at=at,
        group_id=group.group_id,
        is_channel=group.is_channel,
        user_ids=tuple(user_ids),
        member_count=member_count,
        announce=policy.announces_membership(group),
        profile=profile_of(group, profile),
    )
