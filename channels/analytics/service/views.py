"""Views of posts: clients report the posts that a user has seen, and each user counts once for each post.

Reports about one channel share batches. A batch reads the sketches of the reported posts, adds its users, and writes
the changed sketches and the day's count in one transaction. Two processes that count the same post conflict, and one
runs again on the result of the other. A report with nothing new writes nothing.

The number that readers see is stored in the post and raised after the batch is committed, by a write of its own: in the
transaction it would conflict with every batch of reactions to the post. After a crash in between, posts show fewer
views than are counted until the next report about them; `channels verify` finds and repairs them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from channels.analytics.hyperloglog import HyperLogLog, hash_of, new_salt
from channels.analytics.models import PostViews
from channels.analytics.service.days import DayCounter
from channels.analytics.store import ViewStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.group_commit import GroupCommit, OnBatch, each_key
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.messages.view_counts import ViewCounts

POSTS_AT_ONCE: Final = 200  # bounds the memory of a batch: a sketch has 4 KiB


@dataclass(frozen=True, slots=True)
class _Report:
    """The posts that the actor has seen."""

    actor: Actor
    seqs: frozenset[int]


@dataclass(slots=True)
class _BatchCounts:
    """The result of a batch, shared by its callers. `not_shown`: counts that the posts do not show yet."""

    stream_id: StreamId
    counts: dict[int, int] = field(default_factory=dict)
    not_shown: dict[int, int] = field(default_factory=dict)
    showing: "asyncio.Task[None] | None" = None


@dataclass(kw_only=True, slots=True)
class ViewService:
    """Counts the views of posts."""

    database: Database
    views: ViewStore
    counter: DayCounter
    channel: ChannelGuard
    bulk_access: BulkAccess
    view_counts: ViewCounts
    limits: ChannelLimits
    clock: Clock
    on_batch: InitVar[OnBatch | None] = None
    _queue: GroupCommit[_Report, _BatchCounts] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = GroupCommit(
            self.database, each_key(self._apply), name="views", on_batch=on_batch
        )

    async def report(
        self, actor: Actor, channel_id: GroupId, seqs: Sequence[int]
    ) -> dict[int, int]:
        """Count the actor as a viewer of these posts. Returns the number of viewers of each post, by seq.

        Users who may read posts may report them; the application itself is not counted. Posts that do not exist, are
        deleted or hidden from the actor are skipped, since a post may be deleted after a client showed it. Repeating a
        report changes nothing.
        """
        limit = self.limits.views_per_call
        if len(seqs) > limit:
            reason = f"at most {limit} posts a call"
            raise InvalidRequest(reason, errors=[{"field": "seqs", "reason": reason}])
        async with self.channel(channel_id):
            counted = await self._queue.submit(channel_id, _Report(actor, frozenset(seqs)))
        await self._show_counts(counted)
        return {seq: counted.counts[seq] for seq in sorted({*seqs} & counted.counts.keys())}

    async def _show_counts(self, counted: _BatchCounts) -> None:
        # The first caller of the batch writes for all of them, even if its request is cancelled meanwhile.
        if counted.showing is None and counted.not_shown:
            counted.showing = asyncio.create_task(
                self.view_counts.raise_to(counted.stream_id, counted.not_shown), name="views-shown"
            )
        if counted.showing is not None:
            await asyncio.shield(counted.showing)

    async def _apply(
        self, tx: Tx, key: str, reports: Sequence[_Report]
    ) -> Sequence[_BatchCounts | DomainError]:
        channel_id = GroupId(key)
        accesses = await self.bulk_access.accesses_of({r.actor for r in reports}, channel_id, tx)
        counted = _BatchCounts(stream_of(channel_id))
        seen: dict[int, set[UserId]] = {}
        outcomes: list[_BatchCounts | DomainError] = []
        for report in reports:
            access = accesses.get(report.actor)
            if access is None:
                outcomes.append(GroupNotFound())
                continue
            refusal = policy.reading_refusal(access.group, access.effective_role)
            outcomes.append(refusal or counted)
            if refusal is None:
                floor = policy.history_floor(access)
                counts_too = set() if report.actor.is_app_admin else {report.actor.user_id}
                for seq in report.seqs:
                    if seq > floor:
                        seen.setdefault(seq, set()).update(counts_too)
        more = 0
        seqs = sorted(seen)
        for start in range(0, len(seqs), POSTS_AT_ONCE):
            some = {seq: seen[seq] for seq in seqs[start : start + POSTS_AT_ONCE]}
            more += await self._count(counted, some, tx)
        if more:
            await self.counter.viewed(channel_id, more, self.clock.now(), tx)
        return outcomes

    async def _count(self, counted: _BatchCounts, seen: Mapping[int, set[UserId]], tx: Tx) -> int:
        """Count these users as viewers of these posts. Returns the number of new views."""
        stream_id = counted.stream_id
        shown = await self.view_counts.shown(stream_id, seen.keys(), tx)
        kept = await self.views.find_many(stream_id, shown.keys(), tx)
        new: dict[int, PostViews] = {}
        changed: dict[int, PostViews] = {}
        more = 0
        for seq, number in shown.items():
            views = kept.get(seq) or PostViews(new_salt(), HyperLogLog())
            added = [views.sketch.add(hash_of(user_id, views.salt)) for user_id in seen[seq]]
            if any(added):
                more += views.recount()
                (changed if seq in kept else new)[seq] = views
            counted.counts[seq] = views.count
            if views.count > number and seq not in new:
                counted.not_shown[seq] = views.count
        # The first views of a post are written in the transaction, so they conflict with the deletion of the post.
        await self.view_counts.raise_to(stream_id, {seq: v.count for seq, v in new.items()}, tx)
        await self.views.insert_many(stream_id, new, tx)
        await self.views.replace_many(stream_id, changed, tx)
        return more

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused."""
        await self._queue.close()
