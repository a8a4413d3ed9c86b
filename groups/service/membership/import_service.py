"""The import: users by the million brought into a group by the application, batch after batch.

Promises:
    Exact: a batch is one entry of the group's lane, so the limit and the count hold beside any join (P3), and its
    members and their one event are committed together (P7).
    Resumable: who is a member already is `present` and costs no write, so after a crash of either side the same ids
    are sent again.
    Bounded: while one batch is committed the one before is told and the one behind is read, and no more than that.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.membership.commands import Import, ImportMark, ImportOutcome
from groups.service.membership.queue import MembershipQueue

T = TypeVar("T")

Batches = AsyncIterator[Sequence[UserId]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportService:
    """Brings users in."""

    guard: AccessGuard
    queue: MembershipQueue
    admin_log: AdminLog

    async def begin(
        self, actor: Actor, group_id: GroupId, batches: Batches
    ) -> AsyncGenerator[ImportOutcome, None]:
        """Make the users of each batch members (the application's admin), as `MembershipService.add` would.

        What is answered yields each batch's admission once that is committed, in order; whoever stops asking leaves
        what was committed. Where a batch is full of members nothing is written and nothing announced.

        A channel's admin log has one entry for all of it, which counts whom it brought in.

        Publishes: MembersJoined, one for all of a batch.
        Raises: GroupNotFound; PermissionRefused; while it goes on also Unavailable, and what `batches` raises.
        """
        access = await self.guard.access_of(actor, group_id)
        refusal = policy.importing_refusal(access.effective_role)
        if refusal is not None:
            raise refusal
        # Ahead at both ends: one batch is read and one admission is told while another is committed.
        mark = ImportMark(self.admin_log.next_id(), actor)
        count = access.group.member_count
        return _one_ahead(self._admit_all(group_id, batches, count, mark))

    async def _admit_all(
        self, group_id: GroupId, batches: Batches, member_count: int, mark: ImportMark
    ) -> AsyncGenerator[ImportOutcome, None]:
        async with aclosing(_one_ahead(batches)) as ahead:
            async for user_ids in ahead:
                admission = ImportOutcome((), member_count)
                if user_ids:
                    admission = await self.queue.admit(group_id, Import(user_ids, mark))
                member_count = admission.member_count
                yield admission


async def _one_ahead(items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same items, the next one made while the taker is busy with this one, and no more than that."""
    making = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await making) is not None:
            making = asyncio.ensure_future(anext(items, None))
            yield item
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
