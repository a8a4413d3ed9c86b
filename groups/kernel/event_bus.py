"""The bus: passes every committed event to this process's listeners, whichever process committed it.

Promises: each event once, in commit order, within moments of its commit. A process that was cut off for longer than the
outbox keeps events calls its resync listeners once instead; clients read over REST what they missed.

An event is decoded only where somebody may need it: each listener names the types that it needs, or decides by an
event's routes. While what is committed is for nobody here, the bus asks the database for it at most once in
`PAUSE_SECONDS`, since each answer costs more than a hundred events that are not decoded.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from groups.kernel.background import cancel
from groups.kernel.errors import Unavailable
from groups.kernel.events import Event, Listener
from groups.kernel.mongo import Database
from groups.kernel.mongo.outbox import OUTBOX, Committed, Wants, follow

PAUSE_SECONDS: Final = 0.02
"""How long an event may wait for the next ones when nobody here listened to the last ones."""
START_SECONDS: Final = 30.0  # longer than the database may be away

log = logging.getLogger(__name__)


class EventBus:
    """Delivers the events of the database's outbox to listeners."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: list[Listener] = []
        self._types: set[str] = set()
        self._wants: list[Wants] = []
        self._is_quiet = True
        self._resync_listeners: list[Callable[[], None]] = []
        self._commit_listeners: list[Callable[[str | None], None]] = []
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if not database.transactional:
            database.on_local_events(self._deliver)

    def listen(self, listener: Listener, *types: type[Event], wants: Wants | None = None) -> None:
        """Call the listener with every event from now on that is of one of the types, or that it `wants`.

        It also receives events that other listeners need. Without types and `wants` it receives all. `wants` is asked
        when all events of earlier transactions are delivered; events to which one of the same transaction opens the way
        (`Event.opens`) are delivered without asking.
        """
        self._listeners.append(listener)
        self._types.update(each.model_fields["type"].default for each in types)
        if wants is None and not types:
            wants = _everything
        if wants is not None and wants not in self._wants:
            self._wants.append(wants)

    def on_resync(self, listener: Callable[[], None]) -> None:
        """Call the listener when this process has missed events."""
        self._resync_listeners.append(listener)

    def on_commit(self, listener: Callable[[str | None], None]) -> None:
        """Call the listener when any process has committed events, whoever needs them; not on mongomock.

        Its argument is the process that committed them, None for one of an older version.
        """
        self._commit_listeners.append(listener)

    async def start(self) -> None:
        """Start delivering; returns when no later commit can be missed. Raises: Unavailable after `START_SECONDS`."""
        if self._database.transactional:
            self._task = asyncio.create_task(self._tail(), name="bus")
            try:
                await asyncio.wait_for(self._ready.wait(), START_SECONDS)
            except TimeoutError:
                await self.stop()
                raise Unavailable("The database does not deliver events") from None

    @property
    def is_running(self) -> bool:
        """Whether committed events still reach this process."""
        return not self._database.transactional or (
            self._task is not None and not self._task.done()
        )

    async def stop(self) -> None:
        if self._task is not None:
            await cancel(self._task)

    async def _tail(self) -> None:
        is_broken = False
        while True:
            try:
                outbox = self._database.collection(OUTBOX)
                async for committed in follow(
                    outbox, ready=self._ready, after_loss=is_broken, pause=self._pause
                ):
                    if committed is None:
                        for resync in self._resync_listeners:
                            resync()
                    else:
                        self._pass_on(committed)
            # Without events the process is of no use: whatever the error, begin again and have the listeners resync.
            except Exception:
                log.exception("the tail of the outbox broke")
                is_broken = True
                await asyncio.sleep(1)

    def _pass_on(self, committed: Committed) -> None:
        for has_committed in self._commit_listeners:
            has_committed(committed.process_id)
        turns = self._database.turns
        if turns.is_any_contended and committed.process_id is not None:
            turns.heard(committed.process_id, committed.keys)
        events = committed.events(self._is_wanted)
        if events:
            self._is_quiet = False
            self._deliver(events)

    def _is_wanted(self, event_type: str, routes: Sequence[str]) -> bool:
        return event_type in self._types or any(wants(event_type, routes) for wants in self._wants)

    async def _pause(self) -> None:
        if self._is_quiet and not self._database.turns.is_any_contended:
            await asyncio.sleep(PAUSE_SECONDS)
        self._is_quiet = True

    def _deliver(self, events: list[Event]) -> None:
        for listener in self._listeners:
            try:
                listener(events)
            # A defect in one listener must not keep the events from the others.
            except Exception:
                log.exception("a listener failed on %s", [event.type for event in events][:10])


def _everything(_: str, __: Sequence[str]) -> bool:
    return True
