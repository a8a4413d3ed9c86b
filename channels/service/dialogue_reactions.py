"""Reactions to one-to-one messages: each of the two sides may put some on any of them.

Promises:
    Counts are exact (P4), as on the messages of groups: they are kept by the same code (`reactions.service.ledger`).
    A channel is one side, whichever of its admins acts for it: its reactions are its own, and name nobody.
    Who may not write may not react; one's own can be taken back also then, for as long as the dialogue is there.
It is here since it joins two packages that do not know each other: `conversations` says who, `reactions` what.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from channels.events import DialogueReacted
from conversations.errors import ConversationNotFound
from conversations.models import Dialogue
from conversations.service.inbox_rules import Writer
from conversations.wiring import Conversations
from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import SEPARATOR, StreamId, UserId, join_key
from groups.kernel.mongo import Database, Tx
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER
from groups.models import Message, ReactionChoice, Tallies, Tally, stream_of
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_lock
from reactions.service.ledger import Ledger, canonical, with_mine
from reactions.service.state import ReactionState


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a group allows where nobody changed its settings; a dialogue has none to change."""

    reactions: ReactionChoice = "all"
    reactions_per_user: int = REACTIONS_PER_USER
    distinct_reactions: int = DISTINCT_REACTIONS


_RULES: Final = _Rules()


@dataclass(frozen=True, slots=True)
class _Entry:
    """Who wants to hold the emoji, or no longer to."""

    writer: Writer
    dialogue: Dialogue
    emoji: str
    is_adding: bool

    @property
    def holder(self) -> UserId:
        """Whose reaction it is."""
        return holder_in(self.dialogue, for_channel=self.writer.is_for_channel)


def holder_in(dialogue: Dialogue, *, for_channel: bool) -> UserId:
    """Whose reactions are one's own: the user's, or for its admins the channel's."""
    return UserId(dialogue.peer_id) if for_channel else dialogue.user_id


class DialogueReactions:
    """Reactions in dialogues. `for_channel` in a call: the actor acts as the channel, which the desk must allow."""

    def __init__(
        self,
        database: Database,
        talks: Conversations,
        streams: StreamService,
        ledger: Ledger,
        clock: Clock,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._talks = talks
        self._streams = streams
        self._ledger = ledger
        self._clock = clock
        self._lane: GroupCommit[_Entry, Tally] = GroupCommit(
            database, self._apply, name="dialogue reactions", on_batch=on_batch, locks_of=_locks_of
        )

    # --- change ---------------------------------------------------------------------------------------------------

    async def react(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: str, *, for_channel: bool = False
    ) -> Tally:
        """Put the emoji on the message; again changes nothing and publishes nothing.

        Publishes: DialogueReacted. Raises: BadEmoji; ConversationNotFound; MessageNotFound; MessageRecalled;
        MessagesNotAccepted; PeerBlocked; Banned; Muted; PermissionRefused; ReactionsPerUserReached;
        DistinctReactionsReached.
        """
        writer = Writer(actor, for_channel)
        return await self._submit(_Entry(writer, dialogue, canonical(emoji), is_adding=True), seq)

    async def unreact(
        self, actor: Actor, dialogue: Dialogue, seq: int, emoji: str, *, for_channel: bool = False
    ) -> Tally:
        """Take the emoji off the message: also off a recalled one, also who blocks or is blocked.

        Taking back what is not there changes nothing and publishes nothing. Publishes: DialogueReacted. Raises:
        BadEmoji; ConversationNotFound; MessageNotFound; PermissionRefused to who may not act for the channel.
        """
        writer = Writer(actor, for_channel)
        return await self._submit(_Entry(writer, dialogue, canonical(emoji), is_adding=False), seq)

    async def _submit(self, entry: _Entry, seq: int) -> Tally:
        try:
            return await self._lane.submit(join_key(entry.dialogue.stream_id, seq), entry)
        except MessageNotFound:
            writer = entry.writer
            await self._talks.dialogues.check_there(
                writer.actor, entry.dialogue, for_channel=writer.is_for_channel
            )
            raise

    async def _apply(
        self, tx: Tx, key: str, entries: Sequence[_Entry]
    ) -> Sequence[Tally | DomainError]:
        stream_id, seq = _split(key)
        # The message first: where another process is at it, this transaction ends here, and begins again behind it.
        message = await self._streams.hold(stream_id, seq, tx)
        if message is None:
            return [MessageNotFound() for _ in entries]
        dialogue = entries[0].dialogue
        refusals = await self._refusals(entries, tx)
        sides = {dialogue.user_id, UserId(dialogue.peer_id)}
        asked = self._ledger.ask(message.stream_id, message.seq, sides)
        await self._database.look_up(tx, *asked.lookups)
        picture = asked.picture()
        outcomes: list[DomainError | None] = []
        for entry in entries:
            try:
                _apply_to(picture, message, entry, refusals[entry.writer, entry.is_adding])
                outcomes.append(None)
            except DomainError as refusal:
                outcomes.append(refusal)
        tally, now = picture.tally(), self._clock.now()
        if await self._ledger.write(picture, tally, now, tx) is not None and picture.counts_changed:
            staff = await self._talks.dialogues.staff(dialogue, tx)
            tx.publish(_event(dialogue, message, staff, picture, tally, now))
        return [
            refusal or with_mine(tally, picture.held_by(entry.holder))
            for entry, refusal in zip(entries, outcomes, strict=True)
        ]

    async def _refusals(
        self, entries: Collection[_Entry], tx: Tx
    ) -> Mapping[tuple[Writer, bool], DomainError | None]:
        """Why each of them may not react, or not take back."""
        adding = {entry.writer: entry.dialogue for entry in entries if entry.is_adding}
        taking = {entry.writer for entry in entries if not entry.is_adding}
        found: dict[tuple[Writer, bool], DomainError | None] = {}
        admission = self._talks.admission
        if adding:
            refused = await admission.refusals(adding, tx, is_begun=True)
            found |= {(writer, True): refusal for writer, refusal in refused.items()}
        channel_id = next(iter(entries)).dialogue.channel_id
        if taking and channel_id is not None:
            own = stream_of(channel_id)
            is_there = own in await self._streams.heads([own], tx)
            acting = [writer for writer in taking if writer.is_for_channel]
            refused = await admission.inbox_rules.refusals(channel_id, acting, tx) if acting else {}
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
        return await self._ledger.tallies_of(holder, dialogue.stream_id, seqs)

    async def close(self) -> None:
        """Wait until every submitted reaction is committed or refused."""
        await self._lane.close()


def _apply_to(
    picture: ReactionState, message: Message, entry: _Entry, refusal: DomainError | None
) -> None:
    if refusal is not None:
        raise refusal
    if not entry.is_adding:
        picture.remove(entry.holder, entry.emoji)
        return
    if message.recalled_at is not None:
        raise MessageRecalled
    picture.add(_RULES, entry.holder, entry.emoji)


def _event(
    dialogue: Dialogue,
    message: Message,
    staff: tuple[UserId, ...],
    picture: ReactionState,
    tally: Tally,
    now: datetime,
) -> DialogueReacted:
    return DialogueReacted(
        at=now,
        user_id=dialogue.user_id,
        peer_id=dialogue.peer_id,
        staff=staff,
        seq=message.seq,
        counts=tally.counts,
        total=tally.total,
        user_holds=tuple(sorted(picture.held_by(dialogue.user_id))),
        peer_holds=tuple(sorted(picture.held_by(UserId(dialogue.peer_id)))),
    )


def _locks_of(key: str) -> tuple[str, ...]:
    return (message_lock(*_split(key)),)


def _split(key: str) -> tuple[StreamId, int]:
    stream_id, _, seq = key.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq)
