"""The reactions of one message as a transaction reads and writes them: the core of all who let somebody react.

It asks for nobody's rights: `ReactionService` does it for the messages of groups, and a higher package for messages of
its own. What it promises them is P4: reactions and tally change in one transaction, and meet in the tally's document.
"""

from collections.abc import Collection, Sequence, Set
from datetime import datetime

from groups.kernel.emoji_text import canonical_emoji
from groups.kernel.ids import StreamId, UserId
from groups.kernel.mongo import Tx
from groups.models import Tallies, Tally
from reactions.errors import BadEmoji
from reactions.service.picture import Picture
from reactions.store import MessagePage, ReactionStore


class Ledger:
    """Reactions and tallies of any messages."""

    def __init__(self, store: ReactionStore) -> None:
        self._store = store

    async def load(self, message_id: str, user_ids: Collection[UserId], tx: Tx) -> Picture:
        """The message's counts, and what these users hold on it."""
        held = await self._store.find_held([message_id], user_ids, tx)
        tally = (await self._store.find_tallies([message_id], tx)).get(message_id, Tally())
        by_user = {user_id: held.get((message_id, user_id), set()) for user_id in user_ids}
        return Picture(message_id, tally.counts, by_user)

    async def write(self, picture: Picture, tally: Tally, now: datetime, tx: Tx) -> int | None:
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
        """The tally of each of the messages that has one, with what the user holds: two queries for all."""
        if not seqs:
            return Tallies()
        page = MessagePage(stream_id, tuple(seqs))
        reading = self._store.read_tallies(page)
        held = await self._store.read_held(page, user_id)
        found = await reading or {}
        if not held:
            return Tallies(found)
        own = {seq: mine_of(found[seq], emoji) for seq, emoji in held.items() if seq in found}
        return Tallies(found, own)

    async def delete_some(self, stream_id: StreamId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` reactions or tallies of a stream that has ended; how many there were."""
        return await self._store.delete_some(stream_id, limit, tx)


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
