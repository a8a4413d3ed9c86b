"""The unread total of a channel's inbox, told live to those of its admins who are connected to this process.

An event says what one transaction did, and threads of one channel change in many at once, so none of them knows the
total: it is read after they are committed. The last frame told is the total after the last change, since whoever
changes the inbox while it is read has it read again. At most two frames a second a channel, none where nobody listens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from channels.server.realtime.hub import MERGE_SECONDS, Hub
from channels.server.wire.talks import inbox_unread_frame
from conversations.events import DialoguePosted, ThreadRead
from conversations.models import InboxUnread
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import is_outage

log = logging.getLogger(__name__)

ReadUnread = Callable[[GroupId], Awaitable[InboxUnread]]

_ATTEMPTS: Final = (
    5  # a second apart: an outage that lasts longer has every socket come back anyway
)


class _Change(NamedTuple):
    """Who is to hear of the newest change, and when it was made."""

    staff: tuple[UserId, ...]
    at: datetime


class InboxBadges:
    """Reads and tells totals (a listener of the bus, behind the hub)."""

    def __init__(self, hub: Hub, read: ReadUnread) -> None:
        self._hub = hub
        self._read = read
        self._changes: dict[GroupId, _Change] = {}
        self._telling: dict[GroupId, asyncio.Task[None]] = {}

    def on_events(self, events: Sequence[Event]) -> None:
        """Note which inboxes changed, and have their totals told."""
        for event in events:
            match event:
                case DialoguePosted():
                    channel_id = event.dialogue.channel_id
                case ThreadRead():
                    channel_id = event.channel_id
                case _:
                    continue
            if channel_id is None or not self._hub.has_any(event.staff):
                continue
            self._changes[channel_id] = _Change(event.staff, event.at)
            if channel_id not in self._telling:
                self._telling[channel_id] = asyncio.create_task(
                    self._tell(channel_id), name="inbox-badge"
                )

    async def _tell(self, channel_id: GroupId) -> None:
        try:
            while (change := self._changes.pop(channel_id, None)) is not None:
                unread = await self._read_stubbornly(channel_id)
                if unread is not None:
                    frame = inbox_unread_frame(channel_id, unread, change.at, change.staff)
                    self._hub.tell(frame)
                await asyncio.sleep(MERGE_SECONDS)
        finally:
            # Nothing is awaited since the last look: what changes from here on finds no task, and starts one.
            del self._telling[channel_id]

    async def _read_stubbornly(self, channel_id: GroupId) -> InboxUnread | None:
        for _ in range(_ATTEMPTS):
            try:
                return await self._read(channel_id)
            # An outage comes as ours or, from a plain read, as the driver's, whose classes are not known here.
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("cannot read the totals of inbox %s: %r", channel_id, error)
                await asyncio.sleep(1)
        return None

    async def close(self) -> None:
        """Tell no more."""
        tasks = list(self._telling.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
