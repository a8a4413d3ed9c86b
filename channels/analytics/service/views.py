"""Who saw which posts, reported by clients and counted once for each user and post.

Reports on one channel share group-commit batches. A batch reads the sketches of the posts that its reports name, adds
its users, and writes the sketches that changed, with the day's count, in one transaction: two processes at one post
conflict, and one of them runs again on what the other left. A report that tells nothing new writes nothing.

The number that readers see stands in the post itself and is raised once the batch is committed, by a plain write: in
the transaction it would collide with every batch of reactions to the post. A crash in between leaves posts that show
fewer views than are counted, until the next report about them; `channels verify` finds and raises them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.analytics.hyperloglog import HyperLogLog, hash_of, new_salt
from channels.analytics.models import PostViews
from channels.analytics.service.days import DayCounter
from channels.analytics.store.days import DayStore
from channels.analytics.store.views import ViewStore
from channels.errors import in_words_of_channels
from channels.limits import ChannelLimits
from channels.service.profiles import ProfileCache
from groups import policy
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.messages.service import MessageService
from groups.service.messages.view_counts import ViewCounts

POSTS_AT_ONCE: Final = 200  # sketches in memory, of 4 KiB each, however many posts a batch names


@dataclass(frozen=True, slots=True)
class _Report:
    """The actor has seen these posts."""

    actor: Actor
    seqs: frozenset[int]


@dataclass(slots=True)
class _Counted:
    """What a batch found, shared by its callers: the count of each post, and those that the posts do not show yet."""

    stream_id: StreamId
    counts: dict[int, int] = field(default_factory=dict)
    unshown: dict[int, int] = field(default_factory=dict)
    showing: "asyncio.Task[None] | None" = None


class ViewService:
    """The views of posts."""

    def __init__(
        self,
        database: Database,
        views: ViewStore,
        days: DayStore,
        counter: DayCounter,
        extras: ProfileCache,
        lookup: BulkAccess,
        messages: MessageService,
        shown: ViewCounts,
        limits: ChannelLimits,
        clock: Clock,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._views = views
        self._days = days
        self._counter = counter
        self._extras = extras
        self._lookup = lookup
        self._messages = messages
        self._shown = shown
        self._limits = limits
        self._clock = clock
        self._lane: GroupCommit[_Report, _Counted] = GroupCommit(
            database, self._apply, name="views", on_batch=on_batch
        )

    # --- report ---------------------------------------------------------------------------------------------------

    async def report(
        self, actor: Actor, channel_id: GroupId, seqs: Sequence[int]
    ) -> dict[int, int]:
        """Count the actor among those who saw these posts; how many saw each of them, by seq.

        Whoever may read posts may report them; the application's own admin is answered, and not counted. Posts that do
        not exist, are recalled or hidden from the actor are passed over: a client tells what it showed, which may be
        gone by now. Again changes nothing. Publishes nothing. At most `views_per_call` posts.
        Raises: ChannelNotFound; Banned; InvalidRequest.
        """
        limit = self._limits.views_per_call
        if len(seqs) > limit:
            reason = f"at most {limit} posts a call"
            raise InvalidRequest(reason, errors=[{"field": "seqs", "reason": reason}])
        await self._extras.get(channel_id)
        with in_words_of_channels():
            counted = await self._lane.submit(channel_id, _Report(actor, frozenset(seqs)))
        await self._show(counted)
        return {seq: counted.counts[seq] for seq in sorted({*seqs} & counted.counts.keys())}

    async def _show(self, counted: _Counted) -> None:
        # The first of the batch's callers writes for all of them, also when he goes away meanwhile.
        if counted.showing is None and counted.unshown:
            counted.showing = asyncio.create_task(
                self._shown.raise_to(counted.stream_id, counted.unshown), name="views-shown"
            )
        if counted.showing is not None:
            await asyncio.shield(counted.showing)

    async def _apply(
        self, tx: Tx, key: str, reports: Sequence[_Report]
    ) -> Sequence[_Counted | DomainError]:
        channel_id = GroupId(key)
        accesses = await self._lookup.accesses_of({r.actor for r in reports}, channel_id, tx)
        counted = _Counted(stream_of(channel_id))
        seen: dict[int, set[UserId]] = {}
        outcomes: list[_Counted | DomainError] = []
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
            await self._counter.viewed(channel_id, more, self._clock.now(), tx)
        return outcomes

    async def _count(self, counted: _Counted, seen: Mapping[int, set[UserId]], tx: Tx) -> int:
        """Count these users on these posts; how many views there are more."""
        stream_id = counted.stream_id
        shown = await self._shown.shown(stream_id, seen.keys(), tx)
        kept = await self._views.find_many(stream_id, shown.keys(), tx)
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
                counted.unshown[seq] = views.count
        # In the transaction, once in a post's life: clearing the post away conflicts with the first to see it.
        await self._shown.raise_to(stream_id, {seq: v.count for seq, v in new.items()}, tx)
        await self._views.insert_many(stream_id, new, tx)
        await self._views.replace_many(stream_id, changed, tx)
        return more

    # --- end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused."""
        await self._lane.close()
