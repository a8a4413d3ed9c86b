"""Sends broadcasts in the background, in whichever process leases one.

Promises:
    Once: a step sends to some users, counts them and stores how far the broadcast is, in one transaction. So a process
    that is killed leaves no step half done, and nobody gets a message twice; each message has the broadcast as its key
    besides, under a unique index.
    Resumable: the lease of a process that died ends after `LEASE_SECONDS`; another one goes on behind the last user.
    Stopped at once: each step writes the document that stopping writes.
    Gentle: steps are short, one at a time in a process, and after each one follows a pause at least as long as it took.
    So posts meet a process, and a database, that is half idle.
    Paced: a broadcast with a rate sends a quarter of it four times a second.

It walks by user id over the subscribers as they are then: those who subscribe behind the walk get nothing any more.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from channels.broadcasts import policy
from channels.broadcasts.events import (
    BroadcastChanged,
    BroadcastEnded,
    BroadcastEvent,
    BroadcastStarted,
)
from channels.broadcasts.models import REPORT_DAYS, Broadcast, Failure, NotReached, Reason, State
from channels.broadcasts.service.cleanup import BroadcastCleanup
from channels.broadcasts.service.publishing import broadcast_event, broadcast_lock
from channels.broadcasts.store.broadcasts import BroadcastKey, BroadcastStore
from channels.broadcasts.store.not_reached import NotReachedStore
from channels.broadcasts.store.opt_outs import OptOutStore
from channels.limits import ChannelLimits
from channels.subscriber_tags.models import Segment
from channels.subscriber_tags.service.segments import SegmentReader
from conversations.models import DialogueMessage
from conversations.service.dialogues import DialogueService, ToMany
from groups.errors import MessageRefused
from groups.kernel.background import cancel
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, PermissionRefused, RateLimited, Unready
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx, is_outage
from groups.service.access.bulk import BulkAccess
from groups.service.access.membership_reader import MembershipReader
from groups.service.messages.posting import LoadedContent, fingerprint_of

AT_ONCE: Final = 50
"""Users who share a transaction. Measured in a channel of a million, on 2 cores under a load of 11 and with 12 posts a
second, in turns of ten seconds: 462 messages a second, p50 of posts 21 ms and p99 160 ms (without a broadcast 12 and 96
ms). With 100 users it sent 427 a second, p50 30 and p99 204 ms; with 200 users 471 a second, p50 31 and p99 252 ms. A
message takes 0.6 ms of processor time where it begins a thread, and 0.7 ms where there is one: server and database."""
BROADCASTS_AT_ONCE: Final = 8  # of one process
LOOK_SECONDS: Final = 2.0
"""Between two looks for broadcasts that are due; an event of this or another process wakes earlier."""
LEASE_SECONDS: Final = 15.0
AGAIN_SECONDS: Final = 1.0  # after a failure of the database or a refusal that passes
PROGRESS_SECONDS: Final = 2.0
"""Between two events of one broadcast's progress."""
SHORTEST_PAUSE: Final = 0.01
TIMES_A_SECOND: Final = 4  # steps of a paced broadcast
_ROWS: Final = 500
"""Rows that one read of a walk looks at: those of ten steps, as far as the rate uses them up in a second."""
AHEAD_SECONDS: Final = 2.0
"""How long a step may use what another one has read ahead; then the walk reads anew."""
_READS: Final = 20
"""Reads after which a walk that finds nobody stores how far it is."""
_COUNT_ROWS: Final = 5_000
_PURGE_SECONDS: Final = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Part:
    """The users of one step, and where the next one begins; None: there is none."""

    user_ids: tuple[UserId, ...]
    after: str | None


@dataclass(slots=True, eq=False)
class _Course:
    """A broadcast as this process last stored it, and the users whom its walk has read ahead."""

    broadcast: Broadcast
    ahead: list[UserId] = field(default_factory=list)
    after: str | None = None
    """Where the walk goes on behind those; None: they are the last."""
    read_at: float = -math.inf

    def forget_old(self) -> None:
        """Let the walk read anew from where the broadcast is, unless it did so a moment ago."""
        if time.monotonic() - self.read_at > AHEAD_SECONDS:
            self.ahead, self.after = [], self.broadcast.after
            self.read_at = time.monotonic()

    def sent(self, part: _Part, advanced: Broadcast) -> None:
        """The users of the part are done."""
        self.broadcast = advanced
        del self.ahead[: len(part.user_ids)]


class _Fails(Exception):
    """The broadcast cannot go on, for a reason that concerns all users; the transaction is rolled back."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(kw_only=True, slots=True, eq=False)
class BroadcastWorker:
    """The broadcasts of one process of those that run."""

    database: Database
    store: BroadcastStore
    not_reached: NotReachedStore
    opt_outs: OptOutStore
    segments: SegmentReader
    dialogues: DialogueService
    memberships: MembershipReader
    bulk_access: BulkAccess
    cleanup: BroadcastCleanup
    staff: Callable[[GroupId, Tx], Awaitable[tuple[UserId, ...]]]
    limits: ChannelLimits
    clock: Clock
    at_once: int = AT_ONCE
    lease_seconds: float = LEASE_SECONDS
    _holder: str = field(default_factory=lambda: uuid4().hex, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """Held for a step: a process sends one step of one broadcast at a time."""
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _sending: dict[BroadcastKey, asyncio.Task[None]] = field(default_factory=dict, init=False)
    _courses: dict[BroadcastKey, _Course] = field(default_factory=dict, init=False)
    """Of the broadcasts that this process has leased. Their documents decide: each step compares."""
    _purged: float = field(default=-math.inf, init=False)

    def start(self) -> None:
        """Begin, or go on where another process ended; on mongomock nothing is sent."""
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name="broadcasts")

    async def close(self) -> None:
        """Stop within a step, and leave the rest to another process or the next start."""
        if self._task is not None:
            await cancel(self._task, *self._sending.values())
            self._task = None
            await self.store.release(self._holder)

    def wake(self) -> None:
        """Look for broadcasts at once."""
        self._wake.set()

    def on_events(self, events: Sequence[Event]) -> None:
        """Wake where a broadcast was created or resumed, by any process."""
        if any(isinstance(e, BroadcastChanged) and e.state is State.RUNNING for e in events):
            self.wake()

    async def _repeat(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.take_up()
                if time.monotonic() - self._purged > _PURGE_SECONDS:
                    self._purged = time.monotonic()
                    await self.cleanup.delete_old()
            # Any failure may be temporary; a task that ended would never send anything again.
            except Exception as error:
                if not is_outage(error):
                    log.exception("looking for broadcasts failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()

    async def take_up(self) -> None:
        """Begin to send broadcasts that are due and that nobody sends."""
        room = BROADCASTS_AT_ONCE - len(self._sending)
        if room <= 0:
            return
        for key in await self.store.list_due(self.clock.now(), room):
            if key not in self._sending:
                task = asyncio.create_task(self._send(key), name=f"broadcast-{key.broadcast_id}")
                self._sending[key] = task
                task.add_done_callback(partial(self._forget, key))

    def _forget(self, key: BroadcastKey, _: asyncio.Task[None]) -> None:
        self._sending.pop(key, None)
        self._courses.pop(key, None)

    async def _send(self, key: BroadcastKey) -> None:
        """Send the broadcast, step after step, until it ends, is stopped, or another process has the lease."""
        next_at = time.monotonic()
        while True:
            try:
                async with self._turn:
                    began = time.monotonic()
                    done = await self.step(key)
            # Any failure may be temporary. The lease goes on, so no other process fails on the same.
            except Exception as error:
                self._courses.pop(key, None)
                if not is_outage(error) and not isinstance(error, RateLimited | Unready):
                    log.exception("a step of the broadcast %s failed", key.broadcast_id)
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if done is None:
                return
            number, rate = done
            now = time.monotonic()
            # What is behind its rate catches up a little, not without end.
            next_at = max(next_at, now - 1.0) + number / rate
            await asyncio.sleep(max(SHORTEST_PAUSE, next_at - now, now - began))

    async def step(self, key: BroadcastKey) -> tuple[int, int] | None:
        """Send to the next users: how many they were, and the rate; None where nothing is left to do here."""
        course = self._courses.get(key) or await self._lease(key)
        if course is None:
            return None
        rate = min(course.broadcast.rate or self.limits.broadcast_rate, self.limits.broadcast_rate)
        most = min(self.at_once, math.ceil(rate / TIMES_A_SECOND))
        part = await self._next_part(course, most, min(_ROWS, rate))
        try:
            advanced = await self._send_part(key, course.broadcast, part)
        except _Fails as failed:
            await self._fail(key, failed.error)
            return None
        except MessageRefused as refused:
            await self._fail(key, refused)
            return None
        if advanced is None:
            # Stopped, maybe resumed already, or in the hands of another process: the next lease tells.
            del self._courses[key]
            return 0, rate
        course.sent(part, advanced)
        return None if part.after is None else (len(part.user_ids), rate)

    async def _lease(self, key: BroadcastKey) -> _Course | None:
        """Take the broadcast, which each step then keeps; None where it is not due, or another process has it."""
        now = self.clock.now()
        broadcast = await self.store.lease(
            key, self._holder, now, now + timedelta(seconds=self.lease_seconds)
        )
        if broadcast is None:
            return None
        if broadcast.started_at is None or broadcast.total is None:
            await self._begin(broadcast)
        course = self._courses[key] = _Course(broadcast)
        return course

    async def _begin(self, broadcast: Broadcast) -> None:
        """Count the subscribers of the segment, and publish that the broadcast begins."""
        total = broadcast.total
        if total is None:
            total = await self._count(broadcast)

        async def work(tx: Tx) -> None:
            held = await self.store.find_held(_key_of(broadcast), self._holder, tx)
            if held is None:
                return
            begun = held.model_copy(
                update={
                    "state": State.RUNNING,
                    "started_at": held.started_at or self.clock.now(),
                    "total": total,
                }
            )
            self.store.put(begun, tx)
            if held.started_at is None:
                await self._publish(BroadcastStarted, begun, tx)

        await self.database.run(work, broadcast_lock(broadcast.broadcast_id))

    async def _count(self, broadcast: Broadcast) -> int:
        if broadcast.segment == Segment():
            groups = await self.memberships.find_groups([broadcast.channel_id])
            group = groups.get(broadcast.channel_id)
            return group.member_count if group is not None else 0
        count, after = 0, broadcast.after
        while True:
            step = await self.segments.step(
                broadcast.channel_id, broadcast.segment, after=after, rows=_COUNT_ROWS
            )
            count += len(step.user_ids)
            if step.after is None:
                return count
            after = step.after

    async def _next_part(self, course: _Course, most: int, rows: int) -> _Part:
        """The next users; fewer than `most` at the end, or where a walk found few in many rows."""
        broadcast = course.broadcast
        rows = _ROWS if broadcast.segment.needs_tags else max(rows, most)
        course.forget_old()
        for _ in range(_READS):
            if course.after is None or len(course.ahead) >= most:
                break
            step = await self.segments.step(
                broadcast.channel_id, broadcast.segment, after=course.after, rows=rows
            )
            course.ahead += step.user_ids
            course.after = step.after
        user_ids = tuple(course.ahead[:most])
        return _Part(user_ids, user_ids[-1] if len(course.ahead) > most else course.after)

    async def _send_part(self, key: BroadcastKey, seen: Broadcast, part: _Part) -> Broadcast | None:
        """Send to these users and store it; None: nothing is sent, since it is not as `seen`. Raises: _Fails."""

        async def load(tx: Tx) -> LoadedContent:
            return LoadedContent(content=seen.content, silent=seen.silent)

        to_all = ToMany(
            actor=seen.sender,
            channel_id=seen.channel_id,
            user_ids=part.user_ids,
            content=load,
            fingerprint=fingerprint_of(seen.content, silent=seen.silent),
            key=None,
            silent=seen.silent,
            broadcast_id=seen.broadcast_id,
        )
        review = await self.dialogues.review_for_many(to_all) if part.user_ids else None

        async def work(tx: Tx) -> Broadcast | None:
            held, left_out = await self._look(key, seen, part.user_ids, tx)
            if held is None:
                return None
            rest = tuple(one for one in part.user_ids if one not in left_out)
            outcomes = await self.dialogues.post_to_many_in(
                replace(to_all, user_ids=rest), review, tx
            )
            rows = [NotReached(user_id, reason) for user_id, reason in left_out.items()]
            rows += _refused(outcomes)
            return await self._advance(held, part, rows, tx)

        return await self.dialogues.run_for_many(to_all, work, broadcast_lock(key.broadcast_id))

    async def _look(
        self, key: BroadcastKey, seen: Broadcast, user_ids: Sequence[UserId], tx: Tx
    ) -> tuple[Broadcast | None, dict[UserId, Reason]]:
        """The broadcast, if it is as `seen` and in our hands, and those who opted out, or left since they were found.

        One command. Raises: _Fails, where its sender may not send it any more.
        """
        channel_id, sender = seen.channel_id, seen.sender
        of_held = self.store.query_held(key, self._holder)
        of_access = self.bulk_access.query({channel_id: [sender.user_id]})
        of_opt_outs = self.opt_outs.query_among(channel_id, user_ids)
        of_members = self.memberships.query_pairs([(channel_id, one) for one in user_ids])
        await self.database.fetch_together(
            of_held, *of_access.queries, of_opt_outs, of_members, tx=tx
        )
        held = of_held.result
        if held is None or (held.after, held.sender) != (seen.after, sender):
            return None, {}
        access = of_access.accesses_of([sender], channel_id).get(sender)
        refusal = PermissionRefused() if access is None else policy.sending_refusal(access)
        if refusal is not None:
            raise _Fails(refusal)
        out: dict[UserId, Reason] = {}
        for user_id in user_ids:
            if (channel_id, user_id) not in of_members.result:
                out[user_id] = Reason.LEFT
            elif user_id in of_opt_outs.result:
                out[user_id] = Reason.OPTED_OUT
        return held, out

    async def _advance(
        self, held: Broadcast, part: _Part, rows: Sequence[NotReached], tx: Tx
    ) -> Broadcast:
        now = self.clock.now()
        not_reached = dict(held.not_reached)
        for row in rows:
            not_reached[row.reason] = not_reached.get(row.reason, 0) + 1
        changes: dict[str, object] = {
            "sent": held.sent + len(part.user_ids) - len(rows),
            "not_reached": not_reached,
        }
        if part.after is None:
            changes |= {"state": State.DONE, "ended_at": now}
        else:
            changes["after"] = part.after
        wait = timedelta(seconds=PROGRESS_SECONDS)
        is_told = held.announced_at is None or now - held.announced_at >= wait
        if is_told:
            changes["announced_at"] = now
        advanced = held.model_copy(update=changes)
        until = now + timedelta(seconds=self.lease_seconds)
        self.store.put(advanced, tx, leased_until=until)
        if rows:
            expires_at = now + timedelta(days=REPORT_DAYS)
            self.not_reached.insert_many(held.channel_id, held.broadcast_id, rows, expires_at, tx)
        if advanced.state is State.DONE:
            await self._publish(BroadcastEnded, advanced, tx)
        elif is_told:
            await self._publish(BroadcastChanged, advanced, tx)
        return advanced

    async def _fail(self, key: BroadcastKey, error: DomainError) -> None:
        async def work(tx: Tx) -> None:
            held = await self.store.find_held(key, self._holder, tx)
            if held is None:
                return
            failed = held.model_copy(
                update={
                    "state": State.FAILED,
                    "ended_at": self.clock.now(),
                    "failure": Failure(code=error.code, detail=error.detail),
                }
            )
            self.store.put(failed, tx)
            await self._publish(BroadcastEnded, failed, tx)

        await self.database.run(work, broadcast_lock(key.broadcast_id))
        log.info("the broadcast %s failed: %s", key.broadcast_id, error.code)

    async def _publish(self, kind: type[BroadcastEvent], broadcast: Broadcast, tx: Tx) -> None:
        staff = await self.staff(broadcast.channel_id, tx)
        tx.publish(broadcast_event(kind, broadcast, staff, self.clock.now()))


def _key_of(broadcast: Broadcast) -> BroadcastKey:
    return BroadcastKey(broadcast.channel_id, broadcast.broadcast_id)


def _refused(outcomes: Mapping[UserId, DialogueMessage | DomainError]) -> list[NotReached]:
    """The users who did not get it. Raises: _Fails, or what passes, where the reason concerns all users."""
    rows: list[NotReached] = []
    for user_id, outcome in outcomes.items():
        if not isinstance(outcome, DomainError):
            continue
        reason = policy.reason_of(outcome)
        if reason is None:
            if isinstance(outcome, RateLimited | Unready):
                raise outcome
            raise _Fails(outcome)
        rows.append(NotReached(user_id, reason))
    return rows
