"""Reactions to one-to-one messages: each of the two sides may react to any of them.

Promises:
    Counts are exact (P4), as on the messages of groups: one engine keeps both (`reactions.service.engine`).
    A channel is one side: its admins share its reactions, which name none of them.
    A user who may not write may not react; users can always remove their own reactions while the dialogue exists.
It is in this package because `conversations` and `reactions` do not know each other.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from channels.events import DialogueReacted
from conversations.errors import ConversationNotFound
from conversations.models import Dialogue
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import PermissionQuery, WritePermission
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.text.emoji import Emoji
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER
from groups.models import Message, ReactionChoice, Tallies, Tally, stream_of
from groups.service.messages.stream import StreamService
from reactions.service.engine import Asked, ReactionCommand, ReactionEngine, ReactionQueue
from reactions.service.state import ReactionState


@dataclass(frozen=True, slots=True)
class _Rules:
    """The defaults of a group; a dialogue has no settings that could change them."""

    reactions: ReactionChoice = "all"
    reactions_per_user: int = REACTIONS_PER_USER
    distinct_reactions: int = DISTINCT_REACTIONS


_RULES: Final = _Rules()


@dataclass(slots=True)
class _Command(ReactionCommand):
    """A command of one of the two sides."""

    writer: Writer
    dialogue: Dialogue


def _both_sides(commands: Sequence[_Command]) -> Collection[UserId]:
    dialogue = commands[0].dialogue
    return {dialogue.user_id, UserId(dialogue.peer_id)}


@dataclass(frozen=True, slots=True)
class _Target:
    """A dialogue's message: both sides may react, and `dialogue.reacted` goes to both."""

    dialogue: Dialogue
    message: Message
    refusals: Mapping[tuple[Writer, bool], DomainError | None]
    permission: PermissionQuery

    rules: _Rules = _RULES

    def refusal(self, command: _Command, state: ReactionState) -> DomainError | None:
        return self.refusals[command.writer, command.is_adding]

    async def on_added(self, count: int, now: datetime, tx: Tx) -> None:
        """Nobody counts the reactions of dialogues."""

    async def publish(self, state: ReactionState, tally: Tally, now: datetime, tx: Tx) -> None:
        dialogue = self.dialogue
        tx.publish(
            DialogueReacted(
                at=now,
                user_id=dialogue.user_id,
                peer_id=dialogue.peer_id,
                staff=self.permission.staff(dialogue),
                seq=self.message.seq,
                counts=tally.counts,
                total=tally.total,
                user_holds=tuple(sorted(state.held_by(dialogue.user_id))),
                peer_holds=tuple(sorted(state.held_by(UserId(dialogue.peer_id)))),
            )
        )


def _holder_in(dialogue: Dialogue, *, for_channel: bool) -> UserId:
    return UserId(dialogue.peer_id) if for_channel else dialogue.user_id


@dataclass(kw_only=True, slots=True)
class DialogueReactions:
    """Reactions in dialogues. `for_channel` in a call: the actor acts as the channel, if its inbox rules allow it."""

    database: Database
    dialogues: DialogueService
    permission: WritePermission
    streams: StreamService
    engine: ReactionEngine
    _queue: ReactionQueue[_Command] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = ReactionQueue(
            engine=self.engine,
            open_targets=self._open,
            holders_of=_both_sides,
            name="dialogue reactions",
        )

    async def react(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: Emoji, *, for_channel: bool = False
    ) -> Tally:
        """Add the emoji to the message. A repeat changes and publishes nothing. Publishes: DialogueReacted."""
        return await self._submit(Writer(actor, for_channel), dialogue, seq, emoji, is_adding=True)

    async def unreact(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: Emoji, *, for_channel: bool = False
    ) -> Tally:
        """Remove the emoji, also from a deleted message, also if one side blocks the other.

        A repeat changes and publishes nothing. Publishes: DialogueReacted.
        """
        return await self._submit(Writer(actor, for_channel), dialogue, seq, emoji, is_adding=False)

    async def _submit(
        self, writer: Writer, dialogue: Dialogue, seq: int, emoji: Emoji, *, is_adding: bool
    ) -> Tally:
        for_channel = writer.is_for_channel
        holder = _holder_in(dialogue, for_channel=for_channel)
        command = _Command(holder, emoji, is_adding, writer, dialogue)
        try:
            return await self._queue.submit(dialogue.stream_id, seq, command)
        except MessageNotFound:
            await self.dialogues.check_there(writer.actor, dialogue, for_channel=for_channel)
            raise

    async def _open(
        self, batch: Mapping[str, Sequence[_Command]], asked: Asked, tx: Tx
    ) -> Mapping[str, _Target | type[DomainError]]:
        writers = [
            {command.writer: command.dialogue for command in commands}
            for commands in batch.values()
        ]
        found = self.permission.query(writers, self.engine.clock.now())
        await self.database.fetch_together(*asked.queries, *found.queries, tx=tx)
        # Removing needs no more than the channel, so its own stream is looked up.
        left = {
            stream_of(channel_id)
            for commands in batch.values()
            for command in commands
            if not command.is_adding and (channel_id := command.dialogue.channel_id) is not None
        }
        existing = (await self.streams.heads(list(left), tx)).keys()
        targets: dict[str, _Target | type[DomainError]] = {}
        for key, commands in batch.items():
            message = asked.message(key)
            if message is None:
                targets[key] = MessageNotFound
                continue
            refusals = await self._refusals(commands, found, existing, tx)
            targets[key] = _Target(commands[0].dialogue, message, refusals, found)
        return targets

    async def _refusals(
        self,
        commands: Collection[_Command],
        found: PermissionQuery,
        existing: Container[StreamId],
        tx: Tx,
    ) -> Mapping[tuple[Writer, bool], DomainError | None]:
        """Return why each of the writers may not react (True), or not remove a reaction (False)."""
        adding = {command.writer: command.dialogue for command in commands if command.is_adding}
        removing = {command.writer for command in commands if not command.is_adding}
        refusals: dict[tuple[Writer, bool], DomainError | None] = {}
        if adding:
            refused = await self.permission.refusals_in(found, adding, tx, is_begun=True)
            refusals |= {(writer, True): refusal for writer, refusal in refused.items()}
        channel_id = next(iter(commands)).dialogue.channel_id
        if channel_id is None or not removing:
            return refusals | {(writer, False): None for writer in removing}
        if stream_of(channel_id) not in existing:
            return refusals | {(writer, False): ConversationNotFound() for writer in removing}
        acting = [writer for writer in removing if writer.is_for_channel]
        by_rules: Mapping[Writer, DomainError | None] = {}
        if acting and found.of_rules is not None:
            by_rules = found.of_rules.decide(channel_id, (), acting).refusals
        return refusals | {(writer, False): by_rules.get(writer) for writer in removing}

    async def tallies(
        self, dialogue: Dialogue, seqs: Sequence[int], *, for_channel: bool = False
    ) -> Tallies:
        """Return the tallies of the messages that have one. The caller checks that the actor may read the messages."""
        holder = _holder_in(dialogue, for_channel=for_channel)
        return await self.engine.tallies_of(holder, dialogue.stream_id, seqs)

    async def close(self) -> None:
        await self._queue.close()
