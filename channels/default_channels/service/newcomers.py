"""Subscribes new people, when a process first sees them.

Promises:
    Without default channels nothing is remembered, and nothing is asked.
    A request never waits: it only leaves the user's id. What gathers is looked up `GATHER_SECONDS` later with one
    command, and those who are new are subscribed with one transaction a channel.
    Those who come while the application hides a channel are subscribed when they act after that.
    Bounded: a process remembers up to `MOST_KNOWN` people whom it need not look up again, and `MOST_WAITING` who wait.
    What is beyond is looked up again, or with the next request.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from channels.default_channels.service.known import KnownDefaults
from channels.default_channels.service.selection import OncePerPerson
from channels.default_channels.store import DefaultChannelStore, DefaultSubscriptionStore
from groups.errors import ChannelSuspended, GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.background import cancel
from groups.kernel.ids import UserId
from groups.kernel.mongo import is_outage
from groups.service.membership.import_service import ImportService

GATHER_SECONDS: Final = 0.1
MOST_KNOWN: Final = 200_000  # some 20 MB of memory
MOST_WAITING: Final = 10_000
STEP: Final = 500
"""People who are looked up together."""
AGAIN_SECONDS: Final = 1.0
"""After a failure."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True, eq=False)
class Newcomers:
    """The people whom this process has seen since the default channels last changed."""

    channels: DefaultChannelStore
    subscriptions: DefaultSubscriptionStore
    known: KnownDefaults
    imports: ImportService
    _renewals: int = field(default=-1, init=False)
    _seen: set[UserId] = field(default_factory=set, init=False)
    _waiting: dict[UserId, None] = field(default_factory=dict, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def seen(self, actor: Actor) -> None:
        """Note that a person acts; called with every request. Business accounts and the application are no people."""
        if not self.known.numbers or actor.is_app_admin or actor.is_business:
            return
        if self._renewals != self.known.renewals:
            self._renewals = self.known.renewals
            self._seen.clear()
        if actor.user_id in self._seen or len(self._waiting) >= MOST_WAITING:
            return
        if len(self._seen) >= MOST_KNOWN:
            self._seen.clear()
        self._seen.add(actor.user_id)
        self._waiting[actor.user_id] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="default-channels-newcomers")

    async def close(self) -> None:
        """Stop. Those who wait are subscribed when they come back."""
        if self._task is not None:
            await cancel(self._task)

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            users = list(islice(self._waiting, STEP))
            try:
                await self._subscribe(users)
            # Any error: those who wait must not wait for the next newcomer.
            except Exception as error:
                if not is_outage(error):
                    log.exception("new people are not subscribed to the default channels")
                    for user_id in users:
                        self._waiting.pop(user_id, None)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                for user_id in users:
                    self._waiting.pop(user_id, None)

    async def _subscribe(self, users: list[UserId]) -> None:
        numbers = dict(self.known.numbers)
        done = await self.subscriptions.find_done(users)
        for channel_id, number in numbers.items():
            new = [user_id for user_id in users if number not in done.get(user_id, ())]
            if not new:
                continue
            selection = OncePerPerson(
                channels=self.channels,
                subscriptions=self.subscriptions,
                channel_id=channel_id,
                number=number,
            )
            try:
                await self.imports.admit_unasked(channel_id, new, selection)
            except (ChannelSuspended, GroupNotFound):
                continue  # hidden, deleted meanwhile, or no default any more
