"""Reactions to one-to-one messages: each of the two sides may put some on any of them.

Promises:
    Counts are exact (P4), as on the messages of groups: one engine keeps both (`reactions.service.engine`).
    A channel is one side: its admins share its reactions, which name none of them.
    A user who may not write may not react; users can always take back their own, as long as the dialogue exists.
It is in this package because it joins two that do not know each other: `conversations` and `reactions`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from channels.events import DialogueReacted
from conversations.errors import ConversationNotFound
from conversations.models import Dialogue
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import WritePermission
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.emoji_text import Emoji
from groups.kernel.errors import DomainError
from groups.kernel.ids import UserId
from groups.kernel.mongo import BatchedQuery, Database, Tx
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER
from groups.models import Message, ReactionChoice, Tallies, Tally, stream_of
from groups.service.messages.stream import StreamService
from reactions.service.engine import ReactionCommand, ReactionEngine, ReactionQueue
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
    """The wish of one of the two sides."""

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
    permission: WritePermission

    @property
    def rules(self) -> _Rules:
        return _RULES

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
                staff=await self.permission.staff(dialogue, tx),
                seq=self.message.seq,
                counts=tally.counts,
                total=tally.total,
                user_holds=tuple(sorted(state.held_by(dialogue.user_id))),
                peer_holds=tuple(sorted(state.held_by(UserId(dialogue.peer_id)))),
            )
        )


def holder_in(dialogue: Dialogue, *, for_channel: bool) -> UserId:
    """The side that the reader is on: the user, or for its admins the channel."""
    return UserId(dialogue.peer_id) if for_channel else dialogue.user_id


class DialogueReactions:
    """Reactions in dialogues. `for_channel` in a call: the actor acts as the channel, if its inbox rules allow it."""

    def __init__(
        self,
        database: Database,
        dialogues: DialogueService,
        permission: WritePermission,
        streams: StreamService,
        engine: ReactionEngine,
    ) -> None:
        self._database = database
        self._dialogues = dialogues
        self._permission = permission
        self._streams = streams
        self._engine = engine
        self._queue: ReactionQueue[_Command] = engine.queue_for(
            self._open, name="dialogue reactions", holders_of=_both_sides
        )

    # --- change ---------------------------------------------------------------------------------------------------

    async def react(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: Emoji, *, for_channel: bool = False
    ) -> Tally:
        """Put the emoji on the message; again changes nothing and publishes nothing.

        Publishes: DialogueReacted.
        """
        holder = holder_in(dialogue, for_channel=for_channel)
        writer = Writer(actor, for_channel)
        return await self._submit(_Command(holder, emoji, True, writer, dialogue), seq)

    async def unreact(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: Emoji, *, for_channel: bool = False
    ) -> Tally:
        """Take the emoji off the message: also off a recalled one, also where one side blocks the other.

        Taking back what is not there changes nothing and publishes nothing. Publishes: DialogueReacted.
        """
        holder = holder_in(dialogue, for_channel=for_channel)
        writer = Writer(actor, for_channel)
        return await self._submit(_Command(holder, emoji, False, writer, dialogue), seq)

    async def _submit(self, command: _Command, seq: int) -> Tally:
        try:
            return await self._queue.submit(command.dialogue.stream_id, seq, command)
        except MessageNotFound:
            writer = command.writer
            await self._dialogues.check_there(
                writer.actor, command.dialogue, for_channel=writer.is_for_channel
            )
            raise

    async def _open(
        self,
        message: Message | None,
        commands: Sequence[_Command],
        queries: Sequence[BatchedQuery[Any]],
        tx: Tx,
    ) -> _Target | type[DomainError]:
        if message is None:
            return MessageNotFound
        refusals = await self._refusals(commands, tx)
        await self._database.fetch(tx, *queries)
        return _Target(commands[0].dialogue, message, refusals, self._permission)

    async def _refusals(
        self, commands: Collection[_Command], tx: Tx
    ) -> Mapping[tuple[Writer, bool], DomainError | None]:
        """The reason why each of the writers may not react (True), or not take back (False)."""
        adding = {command.writer: command.dialogue for command in commands if command.is_adding}
        taking = {command.writer for command in commands if not command.is_adding}
        found: dict[tuple[Writer, bool], DomainError | None] = {}
        if adding:
            refused = await self._permission.refusals(adding, tx, is_begun=True)
            found |= {(writer, True): refusal for writer, refusal in refused.items()}
        channel_id = next(iter(commands)).dialogue.channel_id
        if taking and channel_id is not None:
            own = stream_of(channel_id)
            is_there = own in await self._streams.heads([own], tx)
            acting = [writer for writer in taking if writer.is_for_channel]
            refused = (
                await self._permission.inbox_rules.refusals(channel_id, acting, tx)
                if acting
                else {}
            )
            for writer in taking:
                refusal = refused.get(writer) if is_there else ConversationNotFound()
                found[writer, False] = refusal
        elif taking:
            found |= {(writer, False): None for writer in taking}
        return found

    # --- read -----------------------------------------------------------------------------------------------------

    async def tallies(
        self, dialogue: Dialogue, seqs: Sequence[int], *, for_channel: bool = False
    ) -> Tallies:
        """The tally of each of the messages that has one; whether the actor may read them is the caller's to know."""
        holder = holder_in(dialogue, for_channel=for_channel)
        return await self._engine.tallies_of(holder, dialogue.stream_id, seqs)

    async def close(self) -> None:
        """Wait until every submitted reaction is committed or refused."""
        await self._queue.close()
