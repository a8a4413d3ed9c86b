"""Reactions to the messages of groups; channels use them for their posts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from groups import policy as groups_policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.emoji_text import Emoji
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import AccessContext, Group, Message, Tallies, Tally, message_key, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.messages.service import MessageService
from reactions import policy
from reactions.events import ReactionsChanged
from reactions.models import Reaction
from reactions.service.engine import ReactionCommand, ReactionEngine, ReactionQueue
from reactions.service.hooks import ReactedHook
from reactions.service.state import ReactionState


@dataclass(slots=True)
class _Command(ReactionCommand):
    """The wish of a member."""

    actor: Actor
    group_id: GroupId


@dataclass(frozen=True, slots=True)
class _Target:
    """A group's message: its members may react, and `reactions.changed` is published."""

    group: Group
    message: Message | None
    accesses: Mapping[Actor, AccessContext]
    reacted: Sequence[ReactedHook]

    @property
    def rules(self) -> Group:
        return self.group

    def refusal(self, command: _Command, state: ReactionState) -> DomainError | None:
        access = self.accesses.get(command.actor)
        if access is None:
            return GroupNotFound()
        refusal = groups_policy.reacting_refusal(self.group, access.effective_role, access.member)
        if refusal is not None:
            return refusal
        if self.message is None:
            return MessageNotFound()
        if command.is_adding:
            refusal = groups_policy.adding_reaction_refusal(access)
            if refusal is not None:
                return refusal
        is_hidden = self.message.seq <= groups_policy.history_floor(access)
        # The group may have hidden its history since: what the user left there can still be taken back.
        is_taking_back = not command.is_adding and command.emoji in state.held_by(command.holder)
        return MessageNotFound() if is_hidden and not is_taking_back else None

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        assert self.message is not None
        for hook in self.reacted:
            await hook(self.group, self.message.seq, count, now, tx)

    async def publish(self, state: ReactionState, tally: Tally, now: datetime, tx: Tx) -> None:
        assert self.message is not None
        tx.publish(
            ReactionsChanged(
                at=now,
                stream_id=self.group.stream_id,
                group_id=self.group.group_id,
                seq=self.message.seq,
                counts=tally.counts,
                total=tally.total,
            )
        )


class ReactionService:
    """Reactions to the messages of groups."""

    def __init__(
        self,
        engine: ReactionEngine,
        access: BulkAccess,
        messages: MessageService,
        *,
        reacted: Sequence[ReactedHook] = (),
    ) -> None:
        self._access = access
        self._messages = messages
        self.engine = engine
        self._reacted = reacted
        self._queue: ReactionQueue[_Command] = engine.queue_for(self._open, name="reactions")

    # --- change ---------------------------------------------------------------------------------------------------

    async def react(self, actor: Actor, group_id: GroupId, seq: int, emoji: Emoji) -> Tally:
        """Put the actor's emoji on the message; in a group that allows only one, it replaces the old one.

        Reacting twice with the same emoji changes nothing and publishes nothing. Publishes: ReactionsChanged, once for
        all commands of the transaction.
        """
        command = _Command(actor.user_id, emoji, True, actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def unreact(self, actor: Actor, group_id: GroupId, seq: int, emoji: Emoji) -> Tally:
        """Take the actor's emoji off the message: also one no longer allowed, also off a recalled message.

        Taking back what is not there changes nothing and publishes nothing. Publishes: ReactionsChanged.
        """
        command = _Command(actor.user_id, emoji, False, actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def _open(
        self,
        message: Message | None,
        commands: Sequence[_Command],
        queries: Sequence[BatchedQuery[Any]],
        tx: Tx,
    ) -> _Target | type[DomainError]:
        actors = {command.actor for command in commands}
        group_id = commands[0].group_id
        accesses = await self._access.accesses_of(actors, group_id, tx, beside=queries)
        for access in accesses.values():
            return _Target(access.group, message, accesses, self._reacted)
        return GroupNotFound

    # --- read -----------------------------------------------------------------------------------------------------

    async def tallies(self, actor: Actor, stream_id: StreamId, seqs: Sequence[int]) -> Tallies:
        """The tally of each of the messages that has one; whether the actor may read them is the caller's to know."""
        return await self.engine.tallies_of(actor.user_id, stream_id, seqs)

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> Tally:
        """The tally of one message."""
        message = (await self._messages.get(actor, group_id, seq)).message
        return (await self.tallies(actor, message.stream_id, [seq])).get(seq, Tally())

    async def list_reactors(
        self,
        actor: Actor,
        group_id: GroupId,
        seq: int,
        emoji: Emoji,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Reaction], str | None]:
        """A page of the users who hold the emoji, by user id."""
        posted = await self._messages.get(actor, group_id, seq)
        refusal = policy.listing_refusal(posted.access)
        if refusal is not None:
            raise refusal
        key = decode_cursor("reactors", cursor, str)
        message_id = message_key(posted.message.stream_id, seq)
        reactions = await self.engine.store.list_holders(
            message_id, emoji, after=str(key[0]) if key else "", limit=limit + 1
        )
        reactions, has_more = cut_page(reactions, limit)
        return reactions, encode_cursor("reactors", reactions[-1].user_id) if has_more else None

    async def close(self) -> None:
        """Wait until every submitted reaction is committed or refused."""
        await self._queue.close()
