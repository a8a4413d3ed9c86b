"""Reminders of acknowledgements, sent to the sessions here of those who have not acknowledged.

A reminder is one event for all members, however many they are. Each process asks the database who of its own connected
members acknowledged, in pages, and sends it to the others. So it costs reads by connected users, and no writes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from channels.acknowledgements.events import AcknowledgementReminded
from channels.event_views.registry import views_of
from channels.server.realtime.hub import Hub
from groups.kernel.background import cancel
from groups.kernel.events import Event
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)

AcknowledgedAmong = Callable[[StreamId, int, Collection[UserId]], Awaitable[set[UserId]]]

PAGE: Final = 1_000
# A second apart. An outage that lasts longer closes every socket anyway.
_ATTEMPTS: Final = 5


class ReminderFeed:
    """Sends reminders (a listener of the event bus, after the hub)."""

    def __init__(self, hub: Hub, acknowledged_among: AcknowledgedAmong) -> None:
        self._hub = hub
        self._acknowledged_among = acknowledged_among
        self._sending: set[asyncio.Task[None]] = set()

    def on_events(self, events: Sequence[Event]) -> None:
        """Start to send the reminders among these events. A message reminds once, so there are few."""
        for event in events:
            if isinstance(event, AcknowledgementReminded):
                task = asyncio.create_task(self._send(event), name="reminder")
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    async def _send(self, event: AcknowledgementReminded) -> None:
        users = sorted(self._hub.users_receiving(event.stream_id) - {event.sender_id})
        [view] = views_of(event)
        for start in range(0, len(users), PAGE):
            page = users[start : start + PAGE]
            done = await self._read_with_retries(event, page)
            self._hub.send(replace(view, users=tuple(u for u in page if u not in done)))

    async def _read_with_retries(
        self, event: AcknowledgementReminded, users: Sequence[UserId]
    ) -> Collection[UserId]:
        for _ in range(_ATTEMPTS):
            try:
                return await self._acknowledged_among(event.stream_id, event.seq, users)
            # A plain read raises the driver's errors, whose classes are known to `is_outage` only.
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("cannot read who acknowledged in %s: %r", event.stream_id, error)
                await asyncio.sleep(1)
        # Nobody is reminded who need not be.
        return users

    async def close(self) -> None:
        await cancel(*self._sending)
