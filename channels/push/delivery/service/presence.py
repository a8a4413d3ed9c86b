"""Tells all processes which users with devices have an open socket here, a moment after it opens or closes.

The hub calls `came` and `left`, which only note the user. The background task looks up which of the noted users have
devices, and stores that these are here, many with a few commands. Users without a device cost no write, and while no
device is registered at all, nobody is noted.

Promises:
    Soon: a user who comes or leaves is known to be here, or not, within about `GATHER_SECONDS`.
    Forgotten: a process that is killed counts for `LEASE_SECONDS` at most.
A user who registers their first device while a socket is open counts as here within `SCAN_SECONDS`.
"""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from channels.push.delivery.store.presence import PresenceStore
from channels.push.store.devices import DeviceStore
from groups.kernel.background import cancel
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database, is_outage

GATHER_SECONDS: Final = 0.05
LEASE_SECONDS: Final = 30.0
KEEP_SECONDS: Final = 10.0
"""Between two renewals."""
SCAN_SECONDS: Final = 60.0
"""Between two looks for all users who are here."""
LOOK_SECONDS: Final = 5.0
"""Between two looks whether any device is registered."""
USERS_A_QUERY: Final = 500

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True, eq=False)
class Presence:
    """The users with an open socket at this process."""

    database: Database
    store: PresenceStore
    devices: DeviceStore
    is_active: bool = field(default=False, init=False)
    """Whether any device is registered, as far as this process knows."""
    _here: set[UserId] = field(default_factory=set, init=False)
    _noted: set[UserId] = field(default_factory=set, init=False)
    _stored: set[UserId] = field(default_factory=set, init=False)
    """The users whose rows say that they are here."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _kept_at: float = field(default=float("-inf"), init=False)
    _scanned_at: float = field(default=float("-inf"), init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _updating: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def came(self, user_id: UserId) -> None:
        """The user has a first socket here."""
        self._here.add(user_id)
        self._note(user_id)

    def left(self, user_id: UserId) -> None:
        """The user's last socket here has closed."""
        self._here.discard(user_id)
        self._note(user_id)

    def look_soon(self) -> None:
        """A first device may be registered in a moment."""
        self._looked_at = float("-inf")
        self._woken.set()

    def _note(self, user_id: UserId) -> None:
        if self.is_active:
            self._noted.add(user_id)
            self._woken.set()

    def start(self) -> None:
        """Begin; on mongomock nobody is told."""
        if self._task is None and self.database.transactional:
            self._task = asyncio.create_task(self._repeat(), name="presence")

    async def close(self) -> None:
        """Stop; the users who were here are not any more."""
        if self._task is None:
            return
        await cancel(self._task)
        self._task = None
        if self.is_active:
            try:
                await self.store.remove_process(self.database.turns.process_id)
            # Any error: the rows stop counting by themselves.
            except Exception as error:
                _report(error)

    async def online_among(self, user_ids: Collection[UserId]) -> set[UserId]:
        """Those of the users who have an open socket, at any process."""
        # This process knows its own users a moment earlier than its rows tell.
        here = self._here.intersection(user_ids)
        others = [user_id for user_id in user_ids if user_id not in here]
        if not others:
            return here
        now, process_id = self.database.clock.now(), self.database.turns.process_id
        return here | await self.store.find_online(others, now, except_process=process_id)

    async def _repeat(self) -> None:
        while True:
            try:
                await self.update()
            # Any error: what is noted stays noted, and the next run may succeed.
            except Exception as error:
                _report(error)
                await asyncio.sleep(1.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def update(self) -> None:
        """Store what was noted, and keep the rows of this process; at most a few commands for any number of users.

        One at a time: when it returns, all is stored that was noted before it was called.
        """
        async with self._updating:
            await self._update()

    async def _update(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.is_active = bool(await self.devices.list_users(after="", limit=1))
        self._woken.clear()
        if not self.is_active:
            return
        process_id = self.database.turns.process_id
        if now - self._kept_at >= KEEP_SECONDS:
            until = self.database.clock.now() + timedelta(seconds=LEASE_SECONDS)
            if await self.store.keep(process_id, until):
                # Another process found this one gone, and deleted its rows; or it is new.
                self._stored.clear()
                self._scanned_at = float("-inf")
            self._kept_at = now
            ended = self.database.clock.now() - timedelta(seconds=LEASE_SECONDS)
            for other in await self.store.list_ended(ended):
                await self.store.remove_process(other)
        if now - self._scanned_at >= SCAN_SECONDS:
            self._noted |= self._here | self._stored
            self._scanned_at = now
        noted, self._noted = self._noted, set()
        try:
            ordered = sorted(noted)
            for start in range(0, len(ordered), USERS_A_QUERY):
                await self._store(process_id, ordered[start : start + USERS_A_QUERY])
        except BaseException:
            self._noted |= noted
            raise

    async def _store(self, process_id: str, user_ids: Collection[UserId]) -> None:
        # Whoever comes or leaves meanwhile is noted again.
        here = {user_id for user_id in user_ids if user_id in self._here}
        if here:
            here = await self.devices.find_users(here)
        new = here - self._stored
        gone = self._stored.intersection(user_ids) - here
        if new or gone:
            await self.store.save(process_id, new, gone)
            self._stored |= new
            self._stored -= gone


def _report(error: Exception) -> None:
    if not is_outage(error):
        log.error("it is not stored who is online", exc_info=error)
