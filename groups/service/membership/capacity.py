"""The limits of every way into a group: joining, being added or approved, accepting an invitation, an import.

Single changes (`state`) and imports (`bulk_import`) ask the same object, so both refuse in the same order: first the
group's limit of members, then the user's limit of groups.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from groups import policy
from groups.errors import GroupsPerOwnerReached, GroupsPerUserReached, MemberLimitReached
from groups.events import MembersJoined, profile_of
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import Group

NEAR_LIMIT: Final = 100
"""Within this many groups of the limit, a user's joins write the user's document.

Two transactions that let the same user into two groups then conflict, and cannot pass the limit together.
"""


@dataclass(slots=True)
class Capacity:
    """Room for members in a group, and for groups with the users who come in."""

    member_limit: int
    groups_per_user: int
    member_count: int
    """As of the changes applied so far."""
    near_limit: set[UserId] = field(default_factory=set)
    """Admitted users whose document the transaction must write (`NEAR_LIMIT`)."""

    def refusal(self, groups: int) -> DomainError | None:
        """Why a user who is in this many groups cannot come in; None: there is room."""
        if self.member_count >= self.member_limit:
            return MemberLimitReached(limit=self.member_limit)
        return groups_refusal(groups, self.groups_per_user)

    def admit(self, user_id: UserId, groups: int) -> None:
        """Count a user who comes in, and is in this many other groups."""
        self.member_count += 1
        if is_near_limit(groups, self.groups_per_user):
            self.near_limit.add(user_id)


def capacity_of(group: Group, limits: GroupLimits) -> Capacity:
    """The room of the group as it is stored."""
    return Capacity(group.limit_of_members(limits), limits.groups_per_user, group.member_count)


def groups_refusal(groups: int, limit: int) -> DomainError | None:
    """Why a user who is in this many groups cannot be in one more; None: they can."""
    return GroupsPerUserReached(limit=limit) if groups >= limit else None


def created_refusal(groups: int, limit: int) -> DomainError | None:
    """Why a user who created this many groups cannot create one more; None: they can."""
    return GroupsPerOwnerReached(limit=limit) if groups >= limit else None


def is_near_limit(groups: int, limit: int) -> bool:
    """Whether the transaction that lets the user into one more group must write the user's document."""
    return groups + NEAR_LIMIT >= limit


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
