"""Reactions to the messages of groups; channels use them for their posts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from groups import policy as groups_policy
from groups.errors import GroupNotFound, MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.kernel.text.emoji import Emoji
from groups.models import AccessContext, Group, Message, Tallies, Tally, message_key, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.messages.service import MessageService
from reactions import policy
from reactions.events import OwnReactions, ReactionsChanged
from reactions.models import Reaction
from reactions.service.engine import Asked, ReactionCommand, ReactionEngine, ReactionQueue
from reactions.service.group_batch import accesses_of_batch, holding_refusal
from reactions.service.state import ReactionState

ReactedHook = Callable[[Group, int, int, datetime, Tx], Awaitable[None]]
"""Called with the seq of a message, the number of its new reactions, replacements included, and their time."""


@dataclass(slots=True)
class _Command(ReactionCommand):
    """A member's command."""

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
        refusal = holding_refusal(access, is_adding=command.is_adding)
        if refusal is not None or access is None:
            return refusal
        if self.message is None:
            return MessageNotFound()
        is_hidden = self.message.seq <= groups_policy.history_floor(access)
        # The group may have hidden its history since: users can still remove their reactions there.
        is_removing = not command.is_adding and command.emoji in state.held_by(command.holder)
        if is_hidden and not is_removing:
            return MessageNotFound()
        if command.is_adding:
            return groups_policy.adding_reaction_refusal(access, self.message)
        return None

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        assert self.message is not None
        for hook in self.reacted:
            await hook(self.group, self.message.seq, count, now, tx)

    async def publish(self, state: ReactionState, tally: Tally, now: datetime, tx: Tx) -> None:
        assert self.message is not None
        if self.message.seq <= self.group.private_until_seq:
            # A reaction to a private message is gone. Those who watch the channel must not learn the counts.
            return
        tx.publish(
            ReactionsChanged(
                at=now,
                stream_id=self.group.stream_id,
                group_id=self.group.group_id,
                is_channel=self.group.is_channel,
                seq=self.message.seq,
                counts=tally.counts,
                total=tally.total,
                own=tuple(
                    OwnReactions(mine, tuple(user_ids))
                    for mine, user_ids in state.changed_holders().items()
                ),
            )
        )


@dataclass(kw_only=True, slots=True)
class ReactionService:
    """Reactions to the messages of groups."""

    engine: ReactionEngine
    access: BulkAccess
    messages: MessageService
    reacted: Sequence[ReactedHook] = ()
    _queue: ReactionQueue[_Command] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = ReactionQueue(engine=self.engine, open_targets=self._open, name="reactions")

    async def react(self, actor: Actor, group_id: GroupId, seq: int, emoji: Emoji) -> Tally:
        """Add the actor's emoji to the message; in a group that allows only one, it replaces the old one.

        A repeat changes and publishes nothing. Publishes: ReactionsChanged, once for all commands of the transaction.
        """
        command = _Command(actor.user_id, emoji, True, actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def unreact(self, actor: Actor, group_id: GroupId, seq: int, emoji: Emoji) -> Tally:
        """Remove the actor's emoji, also one that is no longer allowed, also from a deleted message.

        A repeat changes and publishes nothing. Publishes: ReactionsChanged.
        """
        command = _Command(actor.user_id, emoji, False, actor, group_id)
        return await self._queue.submit(stream_of(group_id), seq, command)

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        accesses = await accesses_of_batch(self.access, batch, asked, tx)
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            seen_by = accesses[commands[0].group_id]
            access = next(iter(seen_by.values()), None)
            targets[key] = (
                _Target(access.group, asked.message(key), seen_by, self.reacted)
                if access is not None
                else GroupNotFound
            )
        return targets

    async def tallies(self, actor: Actor, stream_id: StreamId, seqs: Sequence[int]) -> Tallies:
        """Return the tallies of the messages that have one. The caller checks that the actor may read the messages."""
        return await self.engine.tallies_of(actor.user_id, stream_id, seqs)

    async def tallies_in(
        self,
        actor: Actor,
        wanted: Sequence[tuple[AccessContext, Sequence[int] | None]],
        newest: int,
    ) -> dict[StreamId, dict[int, Tally]]:
        """Return the tallies of messages of several groups with two commands; of the `newest` ones where None is given.

        Each access is one with which the actor may read the group. Messages that it hides, and messages without
        reactions, are absent.
        """
        unnamed = [access.group.stream_id for access, seqs in wanted if seqs is None]
        heads = await self.engine.streams.heads(unnamed) if newest else {}
        keys: dict[str, tuple[StreamId, int]] = {}
        for access, seqs in wanted:
            stream_id, floor = access.group.stream_id, groups_policy.history_floor(access)
            if seqs is None:
                head = heads[stream_id].head_seq if stream_id in heads else 0
                seqs = range(max(0, head - newest) + 1, head + 1)
            for seq in seqs:
                if seq > floor:
                    keys[message_key(stream_id, seq)] = stream_id, seq
        found: dict[StreamId, dict[int, Tally]] = {}
        if keys:
            tallies = await self.engine.store.read_anywhere(keys, actor.user_id)
            for message_id, tally in tallies.items():
                stream_id, seq = keys[message_id]
                found.setdefault(stream_id, {})[seq] = tally
        return found

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> Tally:
        message = (await self.messages.get(actor, group_id, seq)).message
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
        posted = await self.messages.get(actor, group_id, seq)
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
        await self._queue.close()
