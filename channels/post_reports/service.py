"""Counts deliveries of posts, and reads the reports."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.post_reports.models import PostReport
from channels.post_reports.store import PostFigureStore
from channels.service.guard import ChannelGuard
from groups import policy
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.background import PeriodicTask
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx, is_outage
from groups.models import Grant, stream_of
from groups.service.access.guard import AccessGuard

ADD_SECONDS: Final = 2.0
"""Between two additions of the sockets that a process counted."""
MOST_POSTS: Final = 5_000
"""Posts whose sockets wait to be added; further ones are not counted until then."""
CLEANUP_STEP: Final = 1_000  # documents a transaction

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True, eq=False)
class SocketCounter:
    """Counts the sockets of this process to which posts were handed. It never waits, and never raises."""

    database: Database
    figures: PostFigureStore
    _counted: Counter[tuple[StreamId, int]] = field(default_factory=Counter, init=False)
    _task: PeriodicTask = field(init=False)

    def __post_init__(self) -> None:
        self._task = PeriodicTask(self.add_up, ADD_SECONDS, name="post-sockets")

    def handed_over(self, stream_id: StreamId, seqs: Iterable[int], sockets: int) -> None:
        """Posts of a channel were handed to so many sockets."""
        for seq in seqs:
            key = stream_id, seq
            if key in self._counted or len(self._counted) < MOST_POSTS:
                self._counted[key] += sockets

    def start(self) -> None:
        """Add up in the background; on mongomock nothing is counted."""
        if self.database.transactional:
            self._task.start()

    async def close(self) -> None:
        """Stop, and add what is counted, unless the database is away."""
        await self._task.stop()
        try:
            await self.add_up()
        # Any error: the figures are an estimate, and the stop must go on.
        except Exception as error:
            if not is_outage(error):
                log.exception("the sockets of posts are not counted")

    async def add_up(self) -> None:
        """Store what was counted so far."""
        if not self._counted:
            return
        counted, self._counted = self._counted, Counter()
        # What a failure leaves out is not counted again: it may have been stored.
        await self.figures.add_sockets(counted)


@dataclass(frozen=True, kw_only=True, slots=True)
class PushFigures:
    """Adds the pushes of posts."""

    figures: PostFigureStore

    def add_pushes(
        self, channel_id: GroupId, seq: int, *, pushed: int, rejected: int, failed: int, tx: Tx
    ) -> None:
        """Add to the figures of a post, with the other writes of the transaction."""
        counted = {"pushed": pushed, "rejected": rejected, "failed": failed}
        more = {name: number for name, number in counted.items() if number}
        if more:
            self.figures.add(stream_of(channel_id), seq, more, tx)


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureCleanup:
    """Deletes the figures of a channel whose stream has ended, and of messages that end (hooks of `groups`)."""

    figures: PostFigureStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`."""
        return await self.figures.delete_some(stream_id, CLEANUP_STEP, tx)

    async def messages_ended(self, stream_id: StreamId, seqs: Sequence[int], tx: Tx) -> None:
        """As `groups.service.hooks.MessagesEndedHook`."""
        await self.figures.delete_of(stream_id, seqs, tx)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportService:
    """Reads delivery reports."""

    figures: PostFigureStore
    sockets: SocketCounter
    channel: ChannelGuard
    guard: AccessGuard

    async def get(self, actor: Actor, channel_id: GroupId, seq: int) -> PostReport:
        """The report of a post. Raises: ChannelNotFound; PermissionRefused without `see_insights`; PostNotFound."""
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
            refusal = policy.grant_refusal(access, Grant.SEE_INSIGHTS)
            if refusal is not None:
                raise refusal
            _, message = await self.guard.find_message(actor, channel_id, seq)
            if message.recalled_at is not None:
                raise MessageNotFound
        # What this process counted so far is shown; another one's comes within seconds.
        await self.sockets.add_up()
        return PostReport(
            seq=seq,
            created_at=message.created_at,
            is_silent=message.silent,
            subscribers=message.member_count,
            figures=await self.figures.find(message.stream_id, seq),
            views=message.views,
        )
