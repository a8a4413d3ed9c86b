"""Users who write in a group to which others added them agree to be there: from then on it counts for their limit.

Joining agrees too (`transitions`). A user whose limit of groups is reached may write all the same, since the membership
is theirs already; it goes on counting for the limit of groups to which others added them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.service.membership.capacity import groups_refusal, is_near_limit
from groups.store.members import MemberStore
from groups.store.users import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Stores that members agree to their membership."""

    members: MemberStore
    users: UserStore
    limits: GroupLimits

    async def agree(self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx) -> None:
        """Have these members, whom others added, agree, as far as their limit of groups has room."""
        for user_id in user_ids:
            most = self.limits.groups_per_user
            groups = (await self.members.count_groups([user_id], tx))[user_id]
            if groups_refusal(groups, most) is None:
                if is_near_limit(groups, most):
                    self.users.touch_many([user_id], tx)
                await self.members.agree(group_id, user_id, tx)
