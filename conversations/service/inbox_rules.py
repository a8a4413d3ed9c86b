"""What a channel is to one-to-one messages: who may write to it, who answers for it, who hears of both.

Channels are above this package, so the rule comes from there: `channels.service.inbox_rules` has it; the composition
root puts it in its place. Without one there are no channels to write to.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from conversations.errors import ConversationNotFound
from conversations.models import DialogueMessage
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx


class Writer(NamedTuple):
    """Somebody who writes in a thread: for himself, or in the channel's name."""

    actor: Actor
    is_for_channel: bool


class InboxRules(Protocol):
    """The rules of channels, as far as their threads need them."""

    async def refusals(
        self, channel_id: GroupId, writers: Collection[Writer], tx: Tx
    ) -> Mapping[Writer, DomainError | None]:
        """Why each of them may not write; None: he may. ConversationNotFound: he must not know of the channel."""
        ...

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        """Who reads the channel's inbox."""
        ...

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """An admin edited, or took back, what the channel said: `said` as it is then."""
        ...

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Refuse who must not know of the channel.

        Raises: ConversationNotFound.
        """
        ...

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Whether what the channel says may be forwarded."""
        ...


class NoInboxRules:
    """Where there are no channels."""

    async def refusals(
        self, channel_id: GroupId, writers: Collection[Writer], tx: Tx
    ) -> Mapping[Writer, DomainError | None]:
        """Nobody may write to what is not there."""
        return {writer: ConversationNotFound() for writer in writers}

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        """Nobody."""
        return ()

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """There is nobody to tell."""

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Raises: ConversationNotFound."""
        raise ConversationNotFound

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Nothing is said."""
        return False
