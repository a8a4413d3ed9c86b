"""The unread totals of a channel's inbox, sent live to those of its admins who are connected to this process.

An event says what one transaction did, and several threads of a channel change at once, so no event knows the totals:
they are read after the commit. The last totals sent are those after the last change, since a change during the reading
makes them be read again. At most two a second for a channel, and none when no admin is connected.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from channels.event_views.conversations import inbox_unread_view
from channels.server.realtime.hub import MERGE_SECONDS, Hub
from conversations.events import DialoguePosted, ThreadRead
from conversations.models import InboxUnread
from groups.kernel.background import cancel
from groups.kernel.events import Event
from groups.kernel.ids import GroupId
from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)

ReadUnread = Callable[[GroupId], Awaitable[InboxUnread]]

# A second apart. An outage that lasts longer closes every socket anyway, and clients read the totals when they return.
_ATTEMPTS: Final = 5


class InboxUnreadFeed:
    """Reads and sends the totals (a listener of the event bus, after the hub)."""

    def __init__(self, hub: Hub, read: ReadUnread) -> None:
        self._hub = hub
        self._read = read
        self._changes: dict[GroupId, DialoguePosted | ThreadRead] = {}  # the newest
        self._sending: dict[GroupId, asyncio.Task[None]] = {}

    def on_events(self, events: Sequence[Event]) -> None:
        """Note which inboxes changed, and start sending their totals."""
        for event in events:
            match event:
                case DialoguePosted():
                    channel_id = event.dialogue.channel_id
                case ThreadRead():
                    channel_id = event.channel_id
                case _:
                    continue
            if channel_id is None or not any(map(self._hub.sessions_of, event.staff)):
                continue
            self._changes[channel_id] = event
            if channel_id not in self._sending:
                self._sending[channel_id] = asyncio.create_task(
                    self._send(channel_id), name="inbox-unread"
                )

    async def _send(self, channel_id: GroupId) -> None:
        try:
            while (change := self._changes.pop(channel_id, None)) is not None:
                unread = await self._read_with_retries(channel_id)
                if unread is not None:
                    self._hub.send(inbox_unread_view(channel_id, unread, change))
                await asyncio.sleep(MERGE_SECONDS)
        finally:
            # Nothing was awaited since the last `pop`, so a later change finds no task and starts one.
            del self._sending[channel_id]

    async def _read_with_retries(self, channel_id: GroupId) -> InboxUnread | None:
        for _ in range(_ATTEMPTS):
            try:
                return await self._read(channel_id)
            # A plain read raises the driver's errors, whose classes are known to `is_outage` only.
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning(
                    "cannot read the unread totals of the inbox of %s: %r", channel_id, error
                )
                await asyncio.sleep(1)
        return None

    async def close(self) -> None:
        await cancel(*self._sending.values())
