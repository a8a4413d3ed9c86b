"""The rules of one-to-one messages with a channel: who may write to it, who answers for it, who is notified.

Channels are above this package, so `channels.service.inbox_rules` implements the rules and the composition root passes
them in.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from conversations.models import DialogueMessage
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import stream_of
from groups.service.messages.stream import StreamService


async def channel_exists(streams: StreamService, channel_id: GroupId, tx: Tx) -> bool:
    """Whether the channel's own stream exists. A deleted channel has none, while its threads are being deleted."""
    own = stream_of(channel_id)
    return own in await streams.heads([own], tx)


class Writer(NamedTuple):
    """A user who writes to a thread, for themselves or in the channel's name."""

    actor: Actor
    is_for_channel: bool


class InboxDecision(NamedTuple):
    """What a channel's rules say about a batch of writers in its threads with some users.

    `refusals`: why each writer may not write, or None. ConversationNotFound: they must not know of the channel.
    """

    refusals: Mapping[Writer, DomainError | None]
    subscribers: Collection[UserId]
    """Those of the users who are subscribed to the channel."""


class InboxQuery(Protocol):
    """Everything that decides who may write in the threads of channels, looked up for several channels at once."""

    @property
    def queries(self) -> Sequence[BatchedQuery[Any]]:
        """The queries to send in the caller's command."""

    def decide(
        self, channel_id: GroupId, user_ids: Collection[UserId], writers: Collection[Writer]
    ) -> InboxDecision:
        """Decide about these writers in the channel's threads with these users."""

    def staff(self, channel_id: GroupId) -> tuple[UserId, ...]:
        """As `InboxRules.staff`, of what was looked up."""


class InboxRules(Protocol):
    """The rules of channels that threads need."""

    def query(self, users: Mapping[GroupId, Collection[UserId]]) -> InboxQuery:
        """Query everything that decides about writers and users of threads, who are all among these users."""

    async def decide(
        self,
        channel_id: GroupId,
        user_ids: Collection[UserId],
        writers: Collection[Writer],
        tx: Tx,
    ) -> InboxDecision:
        """Decide about these writers in the channel's threads with these users."""

    async def channel_meant_by(self, actor: Actor, short_id: str, tx: Tx | None) -> GroupId | None:
        """Return the channel that has this short id, if there is one that the actor may know of."""

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        """Return the users who read the channel's inbox."""

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """Record in the admin log that an admin edited or deleted a message of the channel; `said` is the result."""

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Raise ConversationNotFound if the actor must not know of the channel."""

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Whether the channel's messages may be forwarded."""
