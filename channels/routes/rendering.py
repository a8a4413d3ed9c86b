"""Channels as JSON, of which subscribers share what is the same for all of them: everything but when they subscribed.

The JSON before and behind that is rendered once, for as long as what it was rendered from is equal. What the owner and
the admins see is their own, so nothing of it is kept.

The fields and their order are those of `ChannelResponse`.
"""

from typing import Final, NamedTuple

from channels.models import Channel, ChannelProfile
from channels.routes.responses import channel_fields
from groups import policy
from groups.kernel.byte_cache import ByteCache
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.models import EffectiveRole, Group, LastMessage
from groups.routes.responses.fields import json_of

KEPT_BYTES: Final = 2**20  # some 250 channels
_ENTRY_BYTES: Final = 2_500
"""The memory of a kept channel without its texts, which count twice: in the values and in the JSON."""


class _Source(NamedTuple):
    """The values that the shared JSON of a channel is rendered from."""

    group: Group
    profile: ChannelProfile
    head_seq: int
    version: int
    last: LastMessage | None


class _Shared(NamedTuple):
    """The JSON of a channel without when the reader subscribed."""

    source: _Source
    before_subscribed: bytes
    after_subscribed: bytes


class SubscribedRendering:
    """Renders channels as JSON, as `channel_response` does."""

    def __init__(self) -> None:
        self._shared: ByteCache[tuple[GroupId, bool], _Shared] = ByteCache(
            "rendered channels", KEPT_BYTES, lambda _, kept: _size_of(kept)
        )

    def channel(self, channel: Channel) -> bytes:
        """The JSON of the channel as its user sees it."""
        access, member = channel.access, channel.access.member
        if member is None or access.effective_role is not EffectiveRole.MEMBER:
            return json_of(channel_fields(channel))
        shared = self._shared_of(channel)
        at = rfc3339(member.joined_at).encode()
        return b'%b"%b"%b' % (shared.before_subscribed, at, shared.after_subscribed)

    def _shared_of(self, channel: Channel) -> _Shared:
        access, stream = channel.access, channel.stream
        last = stream.last
        is_shown = last is not None and last.seq > policy.history_floor(access)
        source = _Source(access.group, channel.profile, stream.head_seq, stream.version, last)
        # Beside each other: one for those who may read the last post, and one for those who may not.
        key = channel.channel_id, is_shown
        kept = self._shared.get(key)
        if kept is None or kept.source != source:
            kept = _rendered(source, channel)
            self._shared.put(key, kept)
        return kept


def _rendered(source: _Source, channel: Channel) -> _Shared:
    json = json_of(channel_fields(channel) | {"subscribed_at": None})
    before, name, after = json.partition(b',"subscribed_at":')
    return _Shared(source, before + name, after.removeprefix(b"null"))


def _size_of(kept: _Shared) -> int:
    return _ENTRY_BYTES + 2 * (len(kept.before_subscribed) + len(kept.after_subscribed))
