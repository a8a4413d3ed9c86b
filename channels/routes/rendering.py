"""A channel as JSON, rendered once for all who joined it in one batch.

They are answered one after the other, each with the same group, head and instant of joining, so only the last rendering
needs to be kept.
"""

from channels.models import Channel
from channels.routes.responses import channel_response


class ChannelRendering:
    """Renders channels; the last one is kept."""

    def __init__(self) -> None:
        self._last: Channel | None = None
        self._json = b""

    def of(self, channel: Channel) -> bytes:
        """The channel as `channel_response` shows it."""
        if self._last is None or not _look_alike(channel, self._last):
            view = channel_response(channel)
            self._json = view.__pydantic_serializer__.to_json(view)
            self._last = channel
        return self._json


def _look_alike(one: Channel, other: Channel) -> bool:
    mine, theirs = one.access.member, other.access.member
    return (
        one.access.group is other.access.group
        and one.stream is other.stream
        and one.extras is other.extras
        and mine is not None
        and theirs is not None
        and mine.role is theirs.role
        and mine.grants == theirs.grants
        and mine.joined_at == theirs.joined_at
    )
