"""Users' unread totals, sent live to all their devices when they read, write or mute on one of them.

No event knows the totals, since nothing stores them: they are read after the commit, with three queries for any number
of conversations. Reading is frequent, so this is bounded:

Promises:
    Totals are read only for users who are connected to this process, at most once a second for each.
    One user's at a time, and then a pause of `PAUSE_SHARE` times as long as it took, so that all of it takes a quarter
    of one connection and of one core at most, however many users read. Under load totals come later, and fewer.
    The last totals sent are those after the user's last change.
New messages send no totals: clients count `message.posted`. The hub is never blocked.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from channels.event_views.conversations import unread_changed_view
from channels.server.realtime.hub import Hub
from conversations.events import ConversationRead, ConversationUpdated, DialoguePosted
from conversations.models import Unread
from groups.events import MessagePosted
from groups.kernel.events import Event
from groups.kernel.ids import UserId
from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)

ReadTotals = Callable[[UserId], Awaitable[Unread]]

REST_SECONDS: Final = 1.0  # between two totals of one user
PAUSE_SHARE: Final = 3.0
_COUNTED: Final = frozenset({"muted", "hidden"})
"""Settings of a conversation that totals depend on."""


class UnreadFeed:
    """Reads and sends the totals (a listener of the event bus, after the hub)."""

    def __init__(self, hub: Hub, read: ReadTotals) -> None:
        self._hub = hub
        self._read = read
        self._waiting: dict[UserId, Event] = {}  # in order, with their newest change
        self._resting: dict[UserId, Event | None] = {}  # with a change since the last totals
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    def on_events(self, events: Sequence[Event]) -> None:
        """Note whose totals changed, and start sending them."""
        for event in events:
            for user_id in _readers_in(event):
                if not self._hub.sessions_of(user_id):
                    continue
                if user_id in self._resting:
                    self._resting[user_id] = event
                else:
                    self._wait_for(user_id, event)

    def _wait_for(self, user_id: UserId, change: Event) -> None:
        self._waiting[user_id] = change
        if self._task is None and not self._is_closed:
            self._task = asyncio.create_task(self._send_all(), name="unread-totals")

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                user_id, change = next(iter(self._waiting.items()))
                del self._waiting[user_id]
                if not self._hub.sessions_of(user_id):
                    continue
                # Resting before the totals are read: a change meanwhile makes them be read again.
                self._resting[user_id] = None
                loop.call_later(REST_SECONDS, self._rested, user_id)
                began = time.monotonic()
                await self._send(user_id, change)
                await asyncio.sleep(PAUSE_SHARE * (time.monotonic() - began))
        finally:
            # Nothing was awaited since `_waiting` was found empty, so a later change starts another task.
            self._task = None

    async def _send(self, user_id: UserId, change: Event) -> None:
        try:
            unread = await self._read(user_id)
        # The others' totals are still to be sent. An outage that lasts closes every socket, and clients read them then.
        except Exception as error:
            if is_outage(error):
                log.warning("cannot read the unread totals of a user: %r", error)
                self._resting[user_id] = self._resting.get(user_id) or change
            else:
                log.exception("cannot read the unread totals of a user")
            return
        self._hub.send(unread_changed_view(user_id, unread, change))

    def _rested(self, user_id: UserId) -> None:
        change = self._resting.pop(user_id)
        if change is not None:
            self._wait_for(user_id, change)

    async def close(self) -> None:
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _readers_in(event: Event) -> Iterator[UserId]:
    match event:
        case ConversationRead():
            yield event.user_id
        case ConversationUpdated() if _COUNTED & event.changed.keys():
            yield event.user_id
        # Writing in a conversation marks it as read.
        case MessagePosted() | DialoguePosted():
            yield event.message.sender_id
        case _:
            pass
