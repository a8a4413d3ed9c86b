"""Subscribes, in the background, the people whom the deployment knows already.

Promises:
    Resumable: how far the sweep is, is committed with each step. A process that dies leaves its lease, which another
    one takes after `LEASE_SECONDS`.
    One process at a time for each channel, and gentle: a step of `STEP` users, then a pause as long as the step took.
    Once: when the sweep is done, that is stored, and nothing runs any more for the channel. People who come later are
    new ones (`newcomers`).
    A channel that is full, or hidden by the application, waits: the sweep looks again after `FULL_SECONDS`.

The sweep goes over the users of whom anything is stored, and then over the members of groups. A user in neither has no
profile and is nowhere a member; they are subscribed when they come back.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import uuid4

from channels.default_channels.models import DefaultChannel, Phase, Progress
from channels.default_channels.service.known import KnownDefaults
from channels.default_channels.service.selection import Decided, OncePerPerson, SweepStep
from channels.default_channels.store import DefaultChannelStore, DefaultSubscriptionStore
from groups.errors import ChannelSuspended, GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.background import PeriodicTask
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
from groups.service.access.membership_reader import MembershipReader
from groups.service.membership.commands import ImportMark
from groups.service.membership.import_service import ImportService
from groups.service.users import UserService

STEP: Final = 500
"""Users a transaction. A join of the channel meanwhile waits for one step at most."""
LOOK_SECONDS: Final = 1.0
"""Between two looks whether there is something to do."""
LEASE_SECONDS: Final = 30.0
FULL_SECONDS: Final = 60.0
SHORTEST_PAUSE: Final = 0.02
_NEXT: Final = {Phase.USERS: Phase.MEMBERS, Phase.MEMBERS: Phase.DONE}


@dataclass(kw_only=True, slots=True, eq=False)
class Sweep:
    """Sweeps in one process of those that run."""

    database: Database
    channels: DefaultChannelStore
    subscriptions: DefaultSubscriptionStore
    known: KnownDefaults
    imports: ImportService
    users: UserService
    memberships: MembershipReader
    clock: Clock
    step: int = STEP
    lease_seconds: float = LEASE_SECONDS
    _holder: str = field(default_factory=lambda: uuid4().hex, init=False)
    _over: set[tuple[GroupId, int]] = field(default_factory=set, init=False)
    """Channels whose sweep is done, each with the version of all defaults at which this process saw that."""
    _waits_until: dict[GroupId, float] = field(default_factory=dict, init=False)
    _task: PeriodicTask = field(init=False)

    def __post_init__(self) -> None:
        self._task = PeriodicTask(self.run, LOOK_SECONDS, name="default-channels-sweep")

    def start(self) -> None:
        """Begin, or go on where it ended; on mongomock there is no sweep."""
        if self.database.transactional:
            self._task.start()

    async def close(self) -> None:
        """Stop; another process, or the next start, goes on."""
        await self._task.stop()

    async def run(self) -> None:
        """Sweep all default channels that are not done, unless another process does; the periodic task calls it."""
        version, channel_ids = self.known.version, list(self.known.numbers)
        self._over = {one for one in self._over if one[1] == version}
        for channel_id in channel_ids:
            is_waiting = self._waits_until.get(channel_id, 0.0) > time.monotonic()
            if not is_waiting and (channel_id, version) not in self._over:
                await self._sweep(channel_id, version)

    async def _sweep(self, channel_id: GroupId, version: int) -> None:
        while True:
            now = self.clock.now()
            until = now + timedelta(seconds=self.lease_seconds)
            channel = await self.channels.lease(channel_id, self._holder, now, until)
            if channel is None:
                # Also while another process sweeps: whether it has died is seen at the next look.
                if await self._is_over(channel_id):
                    self._over.add((channel_id, version))
                return
            began = time.monotonic()
            try:
                must_wait = await self._step(channel)
            except ChannelSuspended:
                must_wait = True
            except GroupNotFound:
                return  # deleted, or no default any more, or another process has the lease
            if must_wait:
                self._waits_until[channel_id] = time.monotonic() + FULL_SECONDS
                return
            await asyncio.sleep(max(SHORTEST_PAUSE, time.monotonic() - began))

    async def _is_over(self, channel_id: GroupId) -> bool:
        query = self.channels.query_held(channel_id, None)
        await self.database.fetch_together(query)
        return query.result is None or query.result.phase is Phase.DONE

    async def _step(self, channel: DefaultChannel) -> bool:
        """Take the next users in; returns whether the channel is full."""
        progress, channel_id, number = channel.progress, channel.channel_id, channel.number
        user_ids = await self._users_after(progress)
        done = await self.subscriptions.find_done(user_ids) if user_ids else {}
        new = [user_id for user_id in user_ids if number not in done.get(user_id, ())]
        advance = partial(_advanced, user_ids, progress)
        if not new:
            after = advance(progress, Decided(0, 0, is_full=False))
            await self.channels.pass_on(channel_id, self._holder, progress, after)
            return False
        selection = OncePerPerson(
            channels=self.channels,
            subscriptions=self.subscriptions,
            channel_id=channel_id,
            number=number,
            step=SweepStep(holder=self._holder, advance=advance),
        )
        mark = ImportMark(channel.entry_id, Actor(channel.set_by, is_app_admin=True))
        outcome = await self.imports.admit_unasked(channel_id, new, selection, mark)
        return "member_limit_reached" in outcome.outcomes

    async def _users_after(self, progress: Progress) -> list[UserId]:
        if progress.phase is Phase.USERS:
            return await self.users.list_ids(after=progress.after, limit=self.step)
        return await self.memberships.list_members_of_any(after=progress.after, rows=self.step)


def _advanced(
    user_ids: list[UserId], before: Progress, progress: Progress, decided: Decided
) -> Progress:
    """The progress after a step over these users, which began at `before`; in the next phase where there are none."""
    if (progress.phase, progress.after) != (before.phase, before.after):
        return progress  # an earlier attempt was committed after all
    if not user_ids:
        return replace(progress, phase=_NEXT[progress.phase], after="", is_full=False)
    counted = replace(
        progress,
        subscribed=progress.subscribed + decided.subscribed,
        passed_over=progress.passed_over + decided.passed_over,
        is_full=decided.is_full,
    )
    if decided.is_full:  # the same users again
        return counted
    return replace(counted, after=user_ids[-1], walked=progress.walked + len(user_ids))
