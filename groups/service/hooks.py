"""Where higher packages act in the transaction of a change below them.

Calls go down, events go up; some consequences must be true together with their cause (a conversation ends with the
membership), so they cannot wait for an event. Only the composition root fills these lists.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import Group

MembersLeftHook = Callable[[GroupId, Sequence[UserId], Tx], Awaitable[None]]
"""Memberships end: left, removed, or the group disbanded."""
MessagesPostedHook = Callable[[StreamId, Mapping[UserId, int], Tx], Awaitable[None]]
"""Members posted; the newest seq of each."""
DisbandedHook = Callable[[Group, Tx], Awaitable[None]]
"""A group ends, whichever route asked for it."""
StreamEndedHook = Callable[[StreamId], Awaitable[None]]
"""A stream is gone: clear what was kept about its messages; called again after a crash, so idempotent."""


@dataclass(slots=True)
class Hooks:
    """What is called, in order, inside the transaction (but `stream_ended`, which runs in the background)."""

    members_left: list[MembersLeftHook] = field(default_factory=list)
    messages_posted: list[MessagesPostedHook] = field(default_factory=list)
    disbanded: list[DisbandedHook] = field(default_factory=list)
    stream_ended: list[StreamEndedHook] = field(default_factory=list)
