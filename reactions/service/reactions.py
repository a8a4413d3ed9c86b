"""The life of a reaction: given, replaced, taken back, counted.

Reactions to one message share group-commit batches. A batch reads the message's tally and what its callers hold,
applies entry after entry to that picture (`picture`), and writes the difference: reactions and tally change in one
transaction, so a count equals the users who hold the emoji (P4), and a batch of 256 costs the commands of one caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from groups import policy as groups_policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, join_key
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.models import AccessContext, Group, Message, Tallies, Tally, message_key, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.messages.service import MessageService
from groups.service.write_locks import message_lock
from reactions import policy
from reactions.errors import ReactionsFrozen
from reactions.events import ReactionsChanged
from reactions.models import Reaction
from reactions.service.hooks import ReactedHook
from reactions.service.ledger import Ledger, canonical, with_mine
from reactions.service.state import ReactionState
from reactions.store import ReactionStore


@dataclass(frozen=True, slots=True)
class _React:
    """The actor wants to hold the emoji."""

    actor: Actor
    emoji: str


@dataclass(frozen=True, slots=True)
class _Unreact:
    """The actor wants to hold the emoji no longer."""

    actor: Actor
    emoji: str


_Entry = _React | _Unreact


class ReactionService:
    """Reactions to the messages of groups."""

    def __init__(
        self,
        database: Database,
        store: ReactionStore,
        ledger: Ledger,
        lookup: BulkAccess,
        messages: MessageService,
        clock: Clock,
        *,
        reacted: Sequence[ReactedHook] = (),
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self.ledger = ledger
        self._lookup = lookup
        self._messages = messages
        self._clock = clock
        self._reacted = reacted
        self._lane: GroupCommit[_Entry, Tally] = GroupCommit(
            database, self._apply, name="reactions", on_batch=on_batch, locks_of=_locks_of
        )

    # --- change ---------------------------------------------------------------------------------------------------

    async def react(self, actor: Actor, group_id: GroupId, seq: int, emoji: str) -> Tally:
        """Put the actor's emoji on the message; where a user may hold only one, it replaces his old one.

        Reacting twice with the same emoji changes nothing and publishes nothing. Publishes: ReactionsChanged, once for
        all whom the transaction served. Raises: BadEmoji; GroupNotFound; PermissionRefused; Banned; ReactingBanned;
        MessageNotFound; MessageRecalled; ReactionsFrozen; ReactionNotAllowed; ReactionsPerUserReached;
        DistinctReactionsReached.
        """
        entry = _React(actor, canonical(emoji))
        return await self._lane.submit(join_key(group_id, seq), entry)

    async def unreact(self, actor: Actor, group_id: GroupId, seq: int, emoji: str) -> Tally:
        """Take the actor's emoji off the message: also one no longer allowed, also off a recalled message.

        Taking back what is not there changes nothing and publishes nothing. Publishes: ReactionsChanged. Raises:
        BadEmoji; GroupNotFound; PermissionRefused; Banned; MessageNotFound.
        """
        entry = _Unreact(actor, canonical(emoji))
        return await self._lane.submit(join_key(group_id, seq), entry)

    async def _apply(
        self, tx: Tx, key: str, entries: Sequence[_Entry]
    ) -> Sequence[Tally | DomainError]:
        group_id, seq = _split(key)
        # The message first: where another process is at it, this transaction ends here, and begins again behind it.
        message = await self._messages.hold(group_id, seq, tx)
        actors = {entry.actor for entry in entries}
        users = {actor.user_id for actor in actors}
        asked = self.ledger.ask(stream_of(group_id), seq, users)
        accesses = await self._lookup.accesses_of(actors, group_id, tx, beside=asked.lookups)
        if not accesses:
            return [GroupNotFound() for _ in entries]
        picture = asked.picture()
        refusals: list[DomainError | None] = []
        for entry in entries:
            try:
                _apply_to(picture, message, entry, accesses.get(entry.actor))
                refusals.append(None)
            except DomainError as refusal:
                refusals.append(refusal)
        tally = picture.tally()
        group = next(iter(accesses.values())).group
        await self._write(picture, tally, group, seq, tx)
        return [
            refusal or with_mine(tally, picture.held_by(entry.actor.user_id))
            for entry, refusal in zip(entries, refusals, strict=True)
        ]

    async def _write(
        self, picture: ReactionState, tally: Tally, group: Group, seq: int, tx: Tx
    ) -> None:
        now = self._clock.now()
        given = await self.ledger.write(picture, tally, now, tx)
        if given:
            for hook in self._reacted:
                await hook(group, seq, given, now, tx)
        if picture.counts_changed:
            tx.publish(
                ReactionsChanged(
                    at=now,
                    stream_id=group.stream_id,
                    group_id=group.group_id,
                    seq=seq,
                    counts=tally.counts,
                    total=tally.total,
                )
            )

    # --- read -----------------------------------------------------------------------------------------------------

    async def tallies(self, actor: Actor, stream_id: StreamId, seqs: Sequence[int]) -> Tallies:
        """The tally of each of the messages that has one; whether the actor may read them is the caller's to know."""
        return await self.ledger.tallies_of(actor.user_id, stream_id, seqs)

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> Tally:
        """The tally of one message.

        Raises: GroupNotFound; PermissionRefused; Banned; MessageNotFound.
        """
        message = (await self._messages.get(actor, group_id, seq)).message
        return (await self.tallies(actor, message.stream_id, [seq])).get(seq, Tally())

    async def who(
        self,
        actor: Actor,
        group_id: GroupId,
        seq: int,
        emoji: str,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[Reaction], str | None]:
        """A page of those who hold the emoji, by user id.

        Raises: BadEmoji; GroupNotFound; PermissionRefused (in a channel, to all but owner and admins); Banned;
        MessageNotFound; BadCursor.
        """
        emoji = canonical(emoji)
        posted = await self._messages.get(actor, group_id, seq)
        refusal = policy.listing_refusal(posted.access)
        if refusal is not None:
            raise refusal
        key = decode_cursor("reactors", cursor, str)
        message_id = message_key(posted.message.stream_id, seq)
        reactions = await self._store.list_holders(
            message_id, emoji, after=str(key[0]) if key else "", limit=limit + 1
        )
        reactions, has_more = cut_page(reactions, limit)
        return reactions, encode_cursor("reactors", reactions[-1].user_id) if has_more else None

    # --- end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Wait until every submitted reaction is committed or refused."""
        await self._lane.close()


def _apply_to(
    picture: ReactionState, message: Message | None, entry: _Entry, access: AccessContext | None
) -> None:
    if access is None:
        raise GroupNotFound
    group, user_id = access.group, entry.actor.user_id
    refusal = groups_policy.reacting_refusal(group, access.effective_role, access.member)
    if refusal is not None:
        raise refusal
    if message is None:
        raise MessageNotFound
    is_hidden = message.seq <= groups_policy.history_floor(access)
    match entry:
        case _React():
            refusal = groups_policy.adding_reaction_refusal(access)
            if refusal is not None:
                raise refusal
            if is_hidden:
                raise MessageNotFound
            if message.recalled_at is not None:
                raise MessageRecalled
            if message.reactions_frozen:
                raise ReactionsFrozen
            picture.add(group, user_id, entry.emoji)
        case _Unreact():
            # The group may have hidden its history since: what the user left there, he may still take back.
            if is_hidden and not picture.holds(user_id, entry.emoji):
                raise MessageNotFound
            picture.remove(user_id, entry.emoji)
        case _ as unreachable:
            assert_never(unreachable)


def _locks_of(key: str) -> tuple[str, ...]:
    group_id, seq = _split(key)
    return (message_lock(stream_of(group_id), seq),)


def _split(key: str) -> tuple[GroupId, int]:
    group_id, _, seq = key.rpartition(SEPARATOR)
    return GroupId(group_id), int(seq)
