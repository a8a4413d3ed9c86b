"""The event of default channels, which only the server processes receive."""

from typing import Literal

from groups.kernel.events import Event
from groups.kernel.ids import GroupId


class DefaultChannelsChanged(Event):
    """Which channels are defaults now, with their numbers. Of two events, the one with the higher version is newer."""

    type: Literal["default_channels.changed"] = "default_channels.changed"
    version: int
    numbers: dict[GroupId, int]

    @property
    def routes(self) -> tuple[str, ...]:
        return ()
