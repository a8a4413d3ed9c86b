"""The reactions of one message as a transaction reads and writes them: the core of all who let somebody react.

It asks for nobody's rights: `ReactionService` does it for the messages of groups, and a higher package for messages of
its own. What it promises them is P4: reactions and tally change in one transaction, and meet in the tally's document.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from groups.kernel.emoji_text import canonical_emoji
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Tx
from groups.models import Message, Tallies, Tally, message_key
from reactions.errors import BadEmoji
from reactions.service.state import ReactionState
from reactions.store import Asked, MessagePage, ReactionStore

STEP: Final = 1_000  # documents a transaction when a stream is deleted


class Ledger:
    """Reactions and tallies of any messages."""

    def __init__(self, store: ReactionStore) -> None:
        self._store = store

    def ask(self, stream_id: StreamId, seq: int, user_ids: Collection[UserId]) -> "AskedOfOne":
        """What a batch must know of the message, to be looked up in its transaction."""
        message_id = message_key(stream_id, seq)
        return AskedOfOne(message_id, seq, self._store.ask([message_id], user_ids))

    async def write(
        self, picture: ReactionState, tally: Tally, now: datetime, tx: Tx
    ) -> int | None:
        """Store what the picture changed, `tally` being its counts; how many are new, None where nothing changed."""
        gone, new = picture.gone(), picture.new(now)
        if not gone and not new:
            return None
        # The tally first: where another process is at the same message, this transaction ends here, before the bulk.
        await self._store.put_tally(picture.message_id, tally, tx)
        await self._store.delete_many(picture.message_id, gone, tx)
        await self._store.insert_many(new, tx)
        return len(new)

    async def tallies_of(
        self, user_id: UserId, stream_id: StreamId, seqs: Sequence[int]
    ) -> Tallies:
        """The tally of each of the messages that has one, with what the user holds: one command for all."""
        if not seqs:
            return Tallies()
        seen = await self._store.read(MessagePage(stream_id, tuple(seqs)), user_id)
        if seen is None:
            return Tallies()
        return _seen_by(seen.tallies, seen.held)

    def ask_along(
        self, messages: BatchedQuery[list[Message]], user_ids: Collection[UserId]
    ) -> "AskedOfPage":
        """The same of the messages that a look-up of the same command finds, for each of these users."""
        return AskedOfPage(self._store.ask_along(messages, user_ids))

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """Delete up to `STEP` reactions or tallies of an ended stream (a hook of `groups`); returns how many."""
        return await self._store.delete_some(stream_id, STEP, tx)


@dataclass(frozen=True, slots=True)
class AskedOfOne:
    """The counts of a message, and what some users hold on it."""

    message_id: str
    seq: int
    asked: Asked

    @property
    def lookups(self) -> Sequence[BatchedQuery[Any]]:
        """What is to be looked up."""
        return self.asked.lookups

    def picture(self) -> ReactionState:
        """What was found."""
        tally = self.asked.of_tallies.found.get(self.seq, Tally())
        held = self.asked.of_held.found
        by_user = {
            user_id: held.get(user_id, {}).get(self.seq, set()) for user_id in self.asked.user_ids
        }
        return ReactionState(self.message_id, tally.counts, by_user)


@dataclass(frozen=True, slots=True)
class AskedOfPage:
    """The counts of a page of messages, and what some users hold on them."""

    asked: Asked

    @property
    def lookups(self) -> Sequence[BatchedQuery[Any]]:
        """What is to be looked up, behind the messages."""
        return self.asked.lookups

    def of_all(self) -> Mapping[UserId, Tallies]:
        """What each of the users sees; the tallies are the same object for all."""
        tallies, held = self.asked.of_tallies.found, self.asked.of_held.found
        nothing = Tallies(tallies)
        return {
            user_id: _seen_by(tallies, held[user_id]) if user_id in held else nothing
            for user_id in self.asked.user_ids
        }


def _seen_by(tallies: Mapping[int, Tally], held: Mapping[int, Set[str]]) -> Tallies:
    own = {seq: mine_of(tallies[seq], emoji) for seq, emoji in held.items() if seq in tallies}
    return Tallies(tallies, own)


def with_mine(tally: Tally, own: Set[str] | None) -> Tally:
    """The tally as who holds these sees it."""
    # The same object for all who hold nothing, so that it is rendered once for them.
    if not own:
        return tally
    return Tally(counts=tally.counts, total=tally.total, mine=mine_of(tally, own))


def mine_of(tally: Tally, own: Set[str]) -> tuple[str, ...]:
    """One's own emoji as a tally shows them."""
    # Sorted, so that a repeat answers the same. Tally and reactions may be read a moment apart: the tally decides.
    return tuple(sorted(own & tally.counts.keys()))


def canonical(emoji: str) -> str:
    """The one spelling of the emoji that is stored.

    Raises: BadEmoji.
    """
    found = canonical_emoji(emoji)
    if found is None:
        raise BadEmoji
    return found
