"""Views of posts: clients report the posts that a user has seen, and each user counts once for each post.

Reports about any channels share batches. A batch looks up the sketches of the reported posts with one command, adds its
users, and writes the changed sketches and the day's counts in one transaction, whatever the number of channels. Two
processes that count the same post conflict, and one runs again on the result of the other. A report with nothing new
writes nothing.

The number that readers see is stored in the post, and raised in the same transaction. So what is being deleted gets no
views, and what is shown is what was counted. It conflicts with changes of the post and with the first reaction to it,
which are rare beside views; further reactions do not write the post.
"""

from collections import Counter
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
from groups.kernel.batching.group_commit import GroupCommit, OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import message_key, stream_of
from groups.service.access.bulk import AccessQuery, BulkAccess
from groups.service.messages.view_counts import ViewCounts

POSTS_AT_ONCE: Final = 400
"""Bounds the memory of a batch, and the answer of a command: a sketch has 4 KiB in the database, and up to 35 here."""


@dataclass(frozen=True, slots=True)
class _Report:
    """The posts that the actor has seen."""

    actor: Actor
    seqs: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Counted:
    """The outcome of a report: the posts among the reported ones that the actor may see."""

    counts: Mapping[str, int]
    """Of all posts of the batch, by key; shared by its callers."""
    seqs: Sequence[int]


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
    _queue: GroupCommit[_Report, _Counted] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = GroupCommit(self.database, self._apply, name="views", on_batch=on_batch)

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
        stream_id, counts = stream_of(channel_id), counted.counts
        key_of = {seq: message_key(stream_id, seq) for seq in sorted(counted.seqs)}
        return {seq: counts[key] for seq, key in key_of.items() if key in counts}

    async def _apply(
        self, tx: Tx, batch: Mapping[str, Sequence[_Report]]
    ) -> Mapping[str, Sequence[_Counted | DomainError]]:
        reports = {GroupId(key): of_channel for key, of_channel in batch.items()}
        access = self.bulk_access.query(
            {key: {report.actor.user_id for report in reports[key]} for key in reports}
        )
        reported = _posts_in(reports)
        parts = [reported[n : n + POSTS_AT_ONCE] for n in range(0, len(reported), POSTS_AT_ONCE)]
        counts, more = dict[str, int](), Counter[GroupId]()
        seen: dict[str, set[UserId]] = {}
        outcomes: dict[str, Sequence[_Counted | DomainError]] = {}
        for number, part in enumerate(parts or [[]]):
            keys = [message_key(stream_of(channel_id), seq) for channel_id, seq in part]
            of_shown, of_views = self.view_counts.query_shown(keys), self.views.query_views(keys)
            beside = access.queries if number == 0 else ()
            await self.database.fetch_together(*beside, of_shown, of_views, tx=tx)
            if number == 0:
                outcomes = {key: _take(key, reports[key], access, counts, seen) for key in reports}
            shown, kept = of_shown.result, of_views.result
            new: dict[str, PostViews] = {}
            changed: dict[str, PostViews] = {}
            higher: dict[str, int] = {}
            for (channel_id, _), key in zip(part, keys, strict=True):
                users = seen.get(key)
                if users is None or key not in shown:
                    continue
                views = kept.get(key) or PostViews(new_salt(), HyperLogLog())
                added = [views.sketch.add(hash_of(user_id, views.salt)) for user_id in users]
                if any(added):
                    more[channel_id] += views.recount()
                    (changed if key in kept else new)[key] = views
                counts[key] = views.count
                if views.count > shown[key]:
                    higher[key] = views.count
            # The views first: another process that counts the same post has written them.
            self.views.put(new, changed, tx)
            self.view_counts.raise_to(higher, tx)
            if len(parts) > 1:
                await self.database.flush(tx)  # not to hold the sketches of all parts
        now = self.clock.now()
        for channel_id, number in more.items():
            if number:
                await self.counter.viewed(channel_id, number, now, tx)
        return outcomes

    async def close(self) -> None:
        """Wait until every submitted report is committed or refused."""
        await self._queue.close()


def _posts_in(reports: Mapping[GroupId, Sequence[_Report]]) -> list[tuple[GroupId, int]]:
    """The reported posts, each once."""
    return [
        (channel_id, seq)
        for channel_id, of_channel in reports.items()
        for seq in sorted({seq for report in of_channel for seq in report.seqs})
    ]


def _take(
    channel_id: GroupId,
    reports: Sequence[_Report],
    query: AccessQuery,
    counts: Mapping[str, int],
    seen: dict[str, set[UserId]],
) -> list[_Counted | DomainError]:
    """Add to `seen` who has seen which posts of the channel, by key; returns the outcome of each report."""
    accesses = query.accesses_of({report.actor for report in reports}, channel_id)
    outcomes: list[_Counted | DomainError] = []
    for report in reports:
        access = accesses.get(report.actor)
        if access is None:
            outcomes.append(GroupNotFound())
            continue
        refusal = policy.reading_refusal(access.group, access.effective_role)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        floor = policy.history_floor(access)
        seqs = [seq for seq in report.seqs if seq > floor]
        outcomes.append(_Counted(counts, seqs))
        for seq in seqs:
            users = seen.setdefault(message_key(access.group.stream_id, seq), set())
            if not report.actor.is_app_admin:
                users.add(report.actor.user_id)
    return outcomes
