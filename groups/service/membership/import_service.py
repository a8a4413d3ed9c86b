"""Imports: the application makes users members of a group, by the million, batch after batch.

Promises:
    Exact: a batch is one command in the group's queue, so limit and count hold beside concurrent joins (P3), and its
    members and their one event are committed together (P7).
    Resumable: a user who is a member already is `present` and costs no write, so after a crash of either side the
    client sends the same ids again.
    Bounded: while one batch is committed, the outcome of the previous one is sent and the next one is read; no more.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.background import cancel
from groups.kernel.ids import GroupId, UserId
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.membership.commands import Import, ImportMark, ImportOutcome, Selection
from groups.service.membership.queue import MembershipQueue

T = TypeVar("T")

Batches = AsyncIterator[Sequence[UserId]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportService:
    """Imports users."""

    guard: AccessGuard
    queue: MembershipQueue
    admin_log: AdminLog

    async def begin(
        self, actor: Actor, group_id: GroupId, batches: Batches
    ) -> AsyncGenerator[ImportOutcome, None]:
        """Make the users of each batch members, as `MembershipService.add` would (the application's admin only).

        The generator yields the outcome of each batch once it is committed, in order. A caller that stops early keeps
        what was committed. A batch of members only writes nothing. A channel's admin log has one entry for the whole
        import, with the number of new members.

        Publishes: MembersJoined, one for each batch.
        """
        access = await self.guard.access_of(actor, group_id)
        policy.check(policy.importing_refusal(access.effective_role))
        # One ahead at both ends: a batch is read and an outcome is sent while another batch is committed.
        mark = ImportMark(self.admin_log.next_id(), actor)
        count = access.group.member_count
        return _one_ahead(self._import_all(group_id, batches, count, mark))

    async def admit_unasked(
        self,
        group_id: GroupId,
        user_ids: Sequence[UserId],
        selection: Selection,
        mark: ImportMark | None = None,
    ) -> ImportOutcome:
        """Make those of the users members whom the selection chooses, in one transaction.

        The caller checks who may ask for it. Publishes: MembersJoined. Raises: GroupNotFound; ChannelSuspended, where
        the group is hidden; what the selection refuses with.
        """
        outcome = await self.queue.submit(group_id, Import(user_ids, mark, selection))
        assert isinstance(outcome, ImportOutcome)
        return outcome

    async def _import_all(
        self, group_id: GroupId, batches: Batches, member_count: int, mark: ImportMark
    ) -> AsyncGenerator[ImportOutcome, None]:
        async with aclosing(_one_ahead(batches)) as ahead:
            async for user_ids in ahead:
                outcome = ImportOutcome((), member_count)
                if user_ids:
                    committed = await self.queue.submit(group_id, Import(user_ids, mark))
                    assert isinstance(committed, ImportOutcome)
                    outcome = committed
                member_count = outcome.member_count
                yield outcome


async def _one_ahead(items: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same items; the next one, and no more, is produced while the consumer handles this one."""
    upcoming = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await upcoming) is not None:
            upcoming = asyncio.ensure_future(anext(items, None))
            yield item
    finally:
        await cancel(upcoming)
