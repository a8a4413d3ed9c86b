"""Where higher packages act in the transaction of a change below them.

Calls go down, events go up; some consequences must be true together with their cause (a conversation ends with the
membership), so they cannot wait for an event. Only the composition root fills these lists.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import Group, Message, Tallies, Turnover

MembersLeftHook = Callable[[GroupId, Sequence[UserId], Tx], Awaitable[None]]
"""Memberships end: left, removed, or the group disbanded."""
MessagesPostedHook = Callable[[StreamId, Mapping[UserId, int], Tx], Awaitable[None]]
"""Members posted; the newest seq of each."""
MembersCountedHook = Callable[[Group, Turnover, Tx], Awaitable[None]]
"""A batch changed how many members the group has, or who they are."""
MessagesCountedHook = Callable[[Group, int, datetime, Tx], Awaitable[None]]
"""A batch added so many messages, at this instant."""
DisbandedHook = Callable[[Group, Tx], Awaitable[None]]
"""A group ends, whichever route asked for it."""
SignaturesHook = Callable[[Group, Collection[UserId], Tx], Awaitable[Mapping[UserId, str]]]
"""Members are about to post in a channel: the names under which, of those who sign."""
ForwardingHook = Callable[[Group, Tx], Awaitable[bool]]
"""A message of the group is about to be forwarded: whether that may be."""
PrivateSource = Callable[[Actor, StreamId, int, Tx], Awaitable[Message | None]]
"""A message of one of the actor's conversations that are no group's, to be forwarded; None where he has none such.

Raises: ForwardingNotAllowed.
"""
ProfileLookup = Callable[[GroupId], BatchedQuery[dict[str, object] | None]]
"""What the profile of a group has beyond the group, JSON-ready; None where it has nothing."""
StreamEndedHook = Callable[[StreamId], Awaitable[None]]
"""A stream is gone: clear what was kept about its messages; called again after a crash, so idempotent."""


class TallyQuery(Protocol):
    """The reactions to messages that are being looked up, for some readers."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """To be answered by the same command, behind the look-up of the messages."""
        ...

    def by_user(self) -> Mapping[UserId, Tallies]:
        """What each of the readers sees, once they were answered."""
        ...


class TallyReader(Protocol):
    """Who knows the reactions to messages, in a higher package; whether a user may read them, the caller knows."""

    def query_beside(
        self, messages: BatchedQuery[list[Message]], user_ids: Sequence[UserId]
    ) -> TallyQuery:
        """Asks for the reactions to messages that another query finds, so that both cost one command."""
        ...

    async def tallies_of(
        self, user_id: UserId, stream_id: StreamId, seqs: Sequence[int]
    ) -> Tallies:
        """The tally of each of the messages that has one."""
        ...


@dataclass(slots=True)
class Hooks:
    """What is called, in order, inside the transaction (but `tallies` and `stream_ended`, which are called outside)."""

    members_left: list[MembersLeftHook] = field(default_factory=list)
    messages_posted: list[MessagesPostedHook] = field(default_factory=list)
    members_counted: list[MembersCountedHook] = field(default_factory=list)
    messages_counted: list[MessagesCountedHook] = field(default_factory=list)
    disbanded: list[DisbandedHook] = field(default_factory=list)
    signatures: list[SignaturesHook] = field(default_factory=list)
    forwarding: list[ForwardingHook] = field(default_factory=list)
    private_source: PrivateSource | None = None
    profile: ProfileLookup | None = None
    """Asked together with what a join must know, so it costs no command of its own."""
    tallies: TallyReader | None = None
    stream_ended: list[StreamEndedHook] = field(default_factory=list)
