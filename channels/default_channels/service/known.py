"""Keeps what this process knows of the default channels, so that it need not ask for every person."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from channels.default_channels.events import DefaultChannelsChanged
from channels.default_channels.store import DefaultChannelStore
from groups.events import GroupReinstated, GroupSuspended
from groups.kernel.background import cancel
from groups.kernel.events import Event
from groups.kernel.ids import GroupId
from groups.kernel.mongo import is_outage

RETRY_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True, eq=False)
class KnownDefaults:
    """The default channels and their numbers; it follows changes by events, moments after the commit."""

    store: DefaultChannelStore
    version: int = field(default=0, init=False)
    numbers: Mapping[GroupId, int] = field(default_factory=dict, init=False)
    renewals: int = field(default=0, init=False)
    """How often people had to be looked up again since the start: the channels changed, or one is hidden no more."""
    _loading: asyncio.Task[None] | None = field(default=None, init=False)

    async def load(self) -> None:
        """Read the default channels, after the event bus has started."""
        # The version first: a change in between is then newer than what is noted, and its event counts.
        guard = await self.store.find_guard()
        found = await self.store.list_all()
        self._note(guard.version, {one.channel_id: one.number for one in found if one.is_on})

    def on_events(self, events: Sequence[Event]) -> None:
        """Note changes (a listener of the bus)."""
        for event in events:
            if isinstance(event, DefaultChannelsChanged):
                self._note(event.version, event.numbers)
            elif isinstance(event, GroupReinstated | GroupSuspended):
                self.renewals += event.group_id in self.numbers

    def reload(self) -> None:
        """Read them again in the background after lost events (a resync listener of the bus)."""
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._reload(), name="default-channels")

    async def _reload(self) -> None:
        while True:
            try:
                await self.load()
            # Until it succeeds: otherwise new people would miss channels until the next change.
            except Exception as error:
                if not is_outage(error):
                    log.exception("cannot read the default channels")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def close(self) -> None:
        if self._loading is not None:
            await cancel(self._loading)

    def _note(self, version: int, numbers: Mapping[GroupId, int]) -> None:
        if version >= self.version:
            self.version, self.numbers = version, dict(numbers)
            self.renewals += 1
