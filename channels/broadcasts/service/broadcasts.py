"""Broadcasts, for the staff: created, listed, stopped and resumed. Workers send them (`worker`).

Promises:
    Stopped at once: stopping writes the document that every step of a broadcast writes in the transaction of its
    messages. So when the answer comes, no process sends any more of it.
    Exact: the limits of open broadcasts, and of broadcasts in a day, hold under any race, since every call that adds an
    open one writes the channel's document.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from channels.broadcasts import policy
from channels.broadcasts.errors import (
    BadStartAt,
    BroadcastEnded,
    BroadcastNotFound,
    BroadcastsAtOnceReached,
    BroadcastsPerDayReached,
)
from channels.broadcasts.events import BroadcastChanged
from channels.broadcasts.models import Broadcast, NewBroadcast, NotReached, State
from channels.broadcasts.service.publishing import broadcast_event, broadcast_lock
from channels.broadcasts.store.broadcasts import BroadcastKey, BroadcastStore
from channels.broadcasts.store.not_reached import NotReachedStore
from channels.errors import ChannelNotFound
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from channels.subscriber_tags.models import Segment
from channels.subscriber_tags.service.segments import SegmentReader
from groups.errors import PollNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import InvalidRequest
from groups.kernel.ids import GroupId, UserId, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import (
    cut_page,
    decode_cursor,
    encode_cursor,
    json_size,
    page_by_text,
)
from groups.models import AccessContext, AdminAct, AdminAction
from groups.policy import check
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.idempotency import Idempotency, keyed_call
from groups.service.messages.draft_content import DraftContent
from groups.service.write_locks import group_lock

AUDIENCE_ROWS: Final = 10_000
"""Rows that counting the subscribers of a segment looks at, before the answer is "at least"."""
_AUDIENCE_STEP: Final = 2_500
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class BroadcastService:
    """The broadcasts of channels. The admin log records who created, stopped and resumed one, without the content."""

    database: Database
    store: BroadcastStore
    not_reached: NotReachedStore
    segments: SegmentReader
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    staff: Callable[[GroupId, Tx], Awaitable[tuple[UserId, ...]]]
    """The users who read the channel's inbox."""
    channel: ChannelGuard
    guard: AccessGuard
    draft_content: DraftContent
    idempotency: Idempotency
    admin_log: AdminLog
    limits: ChannelLimits
    clock: Clock

    async def create(self, actor: Actor, channel_id: GroupId, new: NewBroadcast) -> Broadcast:
        """Create a broadcast, which begins at once or at `start_at`; with a key, a repeat returns the first one.

        Publishes: BroadcastChanged. Raises: PermissionRefused; BadStartAt; BroadcastsAtOnceReached;
        BroadcastsPerDayReached; what refuses the content.
        """
        call = keyed_call(actor, f"broadcast {channel_id}", new.key, new.digest_text)

        async def work(tx: Tx) -> Broadcast:
            access = await self._access(actor, channel_id, tx)
            check(policy.sending_refusal(access))
            first = await self.idempotency.find_first(call, tx)
            if first is not None:
                return await self._find(BroadcastKey(channel_id, first), tx)
            now = self.clock.now()
            milliseconds = round(now.timestamp() * 1000)
            self._check(new)
            await self._check_limits(channel_id, tx)
            since = f"{round((now - _DAY).timestamp() * 1000):012x}"
            limit = self.limits.broadcasts_per_day
            if await self.store.count_since(channel_id, since, limit, tx) >= limit:
                raise BroadcastsPerDayReached(limit=limit)
            broadcast = Broadcast(
                channel_id=channel_id,
                broadcast_id=f"{milliseconds:012x}{mint_id(5)}",
                state=State.RUNNING if new.start_at is None else State.SCHEDULED,
                segment=new.segment,
                content=await self.draft_content.keep(actor, new.content, tx),
                silent=new.silent,
                rate=new.rate,
                start_at=new.start_at,
                created_by=actor.user_id,
                sender_id=actor.user_id,
                by_app=actor.is_app_admin,
                created_at=now,
            )
            await self.store.insert(broadcast, tx)
            await self._tell(actor, AdminAction.BROADCAST_CREATED, access, broadcast, tx)
            await self.idempotency.remember(call, broadcast.broadcast_id, tx)
            return broadcast

        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id))

    async def stop(self, actor: Actor, channel_id: GroupId, broadcast_id: str) -> Broadcast:
        """Stop a broadcast: once this returns, nobody gets it any more. Stopping it again changes nothing.

        Publishes: BroadcastChanged. Raises: PermissionRefused; BroadcastNotFound; BroadcastEnded.
        """

        async def work(tx: Tx) -> Broadcast:
            access = await self._access(actor, channel_id, tx)
            broadcast = await self._find(BroadcastKey(channel_id, broadcast_id), tx)
            if broadcast.state is State.STOPPED:
                return broadcast
            if not broadcast.is_open:
                raise BroadcastEnded
            stopped = broadcast.model_copy(
                update={"state": State.STOPPED, "ended_at": self.clock.now()}
            )
            self.store.put(stopped, tx)
            await self._tell(actor, AdminAction.BROADCAST_STOPPED, access, stopped, tx)
            return stopped

        async with self.channel(channel_id):
            return await self.database.run(work, broadcast_lock(broadcast_id))

    async def resume(self, actor: Actor, channel_id: GroupId, broadcast_id: str) -> Broadcast:
        """Go on with a broadcast that was stopped or failed, with the rights of the actor; nobody gets it twice.

        One that is open is returned as it is. Publishes: BroadcastChanged. Raises: PermissionRefused;
        BroadcastNotFound; BroadcastEnded, where it is done; BroadcastsAtOnceReached.
        """

        async def work(tx: Tx) -> Broadcast:
            access = await self._access(actor, channel_id, tx)
            check(policy.sending_refusal(access))
            broadcast = await self._find(BroadcastKey(channel_id, broadcast_id), tx)
            if broadcast.is_open:
                return broadcast
            if broadcast.state is State.DONE:
                raise BroadcastEnded
            await self._check_limits(channel_id, tx)
            has_begun = broadcast.started_at is not None or broadcast.start_at is None
            is_later = not has_begun and broadcast.due_after(self.clock.now())
            resumed = broadcast.model_copy(
                update={
                    "state": State.SCHEDULED if is_later else State.RUNNING,
                    "ended_at": None,
                    "failure": None,
                    "sender_id": actor.user_id,
                    "by_app": actor.is_app_admin,
                }
            )
            self.store.put(resumed, tx)
            await self._tell(actor, AdminAction.BROADCAST_RESUMED, access, resumed, tx)
            return resumed

        async with self.channel(channel_id):
            return await self.database.run(
                work, group_lock(channel_id), broadcast_lock(broadcast_id)
            )

    async def find_broadcast(
        self, actor: Actor, channel_id: GroupId, broadcast_id: str
    ) -> Broadcast:
        """One broadcast. Raises: PermissionRefused; BroadcastNotFound."""
        await self._check_may_read(actor, channel_id)
        return await self._find(BroadcastKey(channel_id, broadcast_id), None)

    async def list_broadcasts(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[Broadcast], str | None]:
        """A page of the channel's broadcasts, the newest first. Raises: PermissionRefused; BadCursor."""
        await self._check_may_read(actor, channel_id)
        key = decode_cursor("broadcasts", cursor, str)
        before = str(key[0]) if key else None
        found = await self.store.list_before(channel_id, before=before, limit=limit + 1)
        page, has_more = cut_page(found, limit, json_size)
        return page, encode_cursor("broadcasts", page[-1].broadcast_id) if has_more else None

    async def list_not_reached(
        self,
        actor: Actor,
        channel_id: GroupId,
        broadcast_id: str,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[NotReached], str | None]:
        """A page of the users whom it did not reach, by id, for `REPORT_DAYS`. Raises: as `find_broadcast`."""
        await self.find_broadcast(actor, channel_id, broadcast_id)
        read = partial(self.not_reached.list_after, channel_id, broadcast_id)
        return await page_by_text("not reached", cursor, limit, read, lambda one: one.user_id)

    async def count_audience(
        self, actor: Actor, channel_id: GroupId, segment: Segment
    ) -> tuple[int, bool]:
        """How many subscribers are in the segment, and whether that is exact; else there are at least so many.

        It looks at `AUDIENCE_ROWS` rows. All subscribers are counted already. Raises: PermissionRefused.
        """
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
        check(policy.broadcasting_refusal(access))
        if segment == Segment():
            return access.group.member_count, True
        count, after = 0, ""
        for _ in range(AUDIENCE_ROWS // _AUDIENCE_STEP):
            step = await self.segments.step(channel_id, segment, after=after, rows=_AUDIENCE_STEP)
            count += len(step.user_ids)
            if step.after is None:
                return count, True
            after = step.after
        return count, False

    def _check(self, new: NewBroadcast) -> None:
        if new.content.poll is not None:
            raise PollNotAllowed
        limit = self.limits.broadcast_rate
        if new.rate is not None and new.rate > limit:
            reason = f"at most {limit} messages a second"
            raise InvalidRequest(reason, errors=[{"field": "rate", "reason": reason}])
        now = self.clock.now()
        latest = now + timedelta(seconds=self.limits.schedule_ahead_seconds)
        if new.start_at is not None and not now < new.start_at <= latest:
            raise BadStartAt(now=rfc3339(now), latest=rfc3339(latest))

    async def _check_limits(self, channel_id: GroupId, tx: Tx) -> None:
        if not await self.touch_channel(channel_id, tx):
            raise ChannelNotFound
        limit = self.limits.broadcasts_at_once
        if await self.store.count_open(channel_id, limit, tx) >= limit:
            raise BroadcastsAtOnceReached(limit=limit)

    async def _access(self, actor: Actor, channel_id: GroupId, tx: Tx) -> AccessContext:
        access = await self.guard.access_of(actor, channel_id, tx)
        check(policy.broadcasting_refusal(access))
        return access

    async def _check_may_read(self, actor: Actor, channel_id: GroupId) -> None:
        async with self.channel(channel_id):
            check(policy.broadcasting_refusal(await self.guard.access_of(actor, channel_id)))

    async def _find(self, key: BroadcastKey, tx: Tx | None) -> Broadcast:
        found = await self.store.find(key, tx)
        if found is None:
            raise BroadcastNotFound
        return found

    async def _tell(
        self,
        actor: Actor,
        action: AdminAction,
        access: AccessContext,
        broadcast: Broadcast,
        tx: Tx,
    ) -> None:
        await self.admin_log.record(
            tx, access.group, AdminAct(actor, action, broadcast.broadcast_id)
        )
        staff = await self.staff(broadcast.channel_id, tx)
        tx.publish(broadcast_event(BroadcastChanged, broadcast, staff, self.clock.now()))
