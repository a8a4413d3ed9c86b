"""Pages of groups' streams, newest first: memberships, messages and reactions of many readers in one command.

Readers of the same page share what is read once for all of them: the group, the messages and their tallies. Each
reader's membership and own reactions are read with it. `AccessGuard` decides whether a reader may see any of it.

One page alone is found from its group on: the newest messages, and the reactions to those. Pages of different groups
name their messages, since a database finds many names at once much faster than many newest ones. Seqs are dense (P2),
so the head of a stream tells them all. The head that this process saw last tells nearly as well, and the real one is
asked for in the same command. Where it has moved on by more than `AHEAD`, or was never seen, a second command reads
these pages by the head that the first one found. So nothing is taken from memory but the guess, and every page is as
fresh as one that is read alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from groups.kernel.batching.pages import PageBatcher, Wanted
from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database
from groups.kernel.undecoded import UndecodedRows
from groups.models import SEEN_A_COMMAND, Group, Member, Message, Tallies, stream_of
from groups.service.hooks import Hooks
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.streams import StreamStore

AHEAD: Final = 2
"""How many messages beyond the last known head are asked for; a name that does not exist costs a microsecond."""
_GUESSES: Final = 3
"""Of a page whose head is always ahead of them; then it is read alone, which needs no guess."""
_KEPT_HEADS_BYTES: Final = 2**20  # some 3,000 streams
_HEAD_BYTES: Final = 200
_NO_TALLIES: Final = Tallies()
_NO_SEQS: Final = range(0)


@dataclass(frozen=True, slots=True)
class FoundPage:
    """The group, the reader's membership, and the messages, newest first, with the reactions as this reader sees them.

    The messages are shared with other readers, and decoded when they are looked at.
    """

    group: Group | None
    member: Member | None
    messages: Sequence[Message]
    tallies: Tallies


class _Seen(NamedTuple):
    """A stream as it was read last: its head, and the bytes of a message on average."""

    head: int
    message_bytes: int


class _Page(NamedTuple):
    """The newest messages of a group's stream, or the newest before a seq."""

    group_id: GroupId
    below: int | None
    limit: int

    def seqs(self, head: int, *, ahead: int = 0) -> range:
        """The seqs of its messages, going up, where the stream has this head, or up to `ahead` more."""
        last = head + ahead if self.below is None else min(head + ahead, self.below - 1)
        return range(max(1, last - ahead - self.limit + 1), last + 1)


_Found = Mapping[_Page, Mapping[UserId, FoundPage]]


@dataclass(kw_only=True, slots=True)
class PageReader:
    """Reads pages for many readers at once."""

    database: Database
    groups: GroupStore
    members: MemberStore
    messages: MessageStore
    streams: StreamStore
    hooks: Hooks
    _reader: PageBatcher[_Page, UserId, FoundPage] = field(init=False)
    _seen: ByteCache[StreamId, _Seen] = field(init=False)

    def __post_init__(self) -> None:
        self._reader = PageBatcher(
            self._read,
            weight_of=lambda page: page.limit,
            bytes_of=self._bytes_of,
            max_weight=SEEN_A_COMMAND,
        )
        self._seen = ByteCache(
            "heads", _KEPT_HEADS_BYTES, lambda stream_id, _: len(stream_id) + _HEAD_BYTES
        )

    async def read(
        self, group_id: GroupId, user_id: UserId, *, below: int | None, limit: int
    ) -> FoundPage:
        """The newest messages of all, or of those before a seq, as this reader sees them."""
        found = await self._reader.find(_Page(group_id, below, limit), user_id)
        assert found is not None  # `_read` answers every reader
        return found

    async def _read(self, wanted: Wanted[_Page, UserId]) -> _Found:
        found: dict[_Page, Mapping[UserId, FoundPage]] = {}
        left = dict(wanted)
        for _ in range(_GUESSES):
            if len(left) <= 1 or not self.database.transactional:
                break
            found.update(await self._read_together(left))
            left = {page: user_ids for page, user_ids in left.items() if page not in found}
        for page, user_ids in left.items():
            found[page] = await self._read_alone(page, user_ids)
        return found

    async def _read_alone(self, page: _Page, user_ids: Sequence[UserId]) -> dict[UserId, FoundPage]:
        stream_id = stream_of(page.group_id)
        of_group = self.groups.query_group(page.group_id)
        of_members = self.members.query_cached_members(page.group_id, user_ids)
        of_messages = self.messages.query_newest(stream_id, below=page.below, limit=page.limit)
        reader = self.hooks.tallies
        query = reader.query_beside(of_messages, user_ids) if reader is not None else None
        beside = query.queries if query is not None else ()
        await self.database.fetch(None, of_group, of_members, of_messages, *beside)
        group, members, messages = of_group.result, of_members.result, of_messages.result
        tallies = query.by_user() if query is not None else {}
        if page.below is None and messages and isinstance(messages, UndecodedRows):
            self._see(stream_id, messages.keys[0], messages)
        return {
            user_id: FoundPage(
                group, members.get(user_id), messages, tallies.get(user_id, _NO_TALLIES)
            )
            for user_id in user_ids
        }

    async def _read_together(self, wanted: Wanted[_Page, UserId]) -> _Found:
        """Those of the pages whose heads are about where they were; of the others, only the heads are known now."""
        asked = {page: self._guess(page) for page in wanted}
        stream_ids = {page: stream_of(page.group_id) for page in wanted}
        of_groups = self.groups.query_groups({page.group_id for page in wanted})
        of_members = self.members.query_cached_pairs(
            {(page.group_id, user_id) for page, user_ids in wanted.items() for user_id in user_ids}
        )
        # Before the messages: whatever was posted up to these heads is found then.
        of_heads = self.streams.query_head_seqs(set(stream_ids.values()))
        of_messages = self.messages.query_ranges(
            (stream_ids[page], seqs) for page, seqs in asked.items()
        )
        reader = self.hooks.tallies
        of_tallies = None
        if reader is not None:
            of_tallies = reader.query_pages(
                [(stream_ids[page], seqs, wanted[page]) for page, seqs in asked.items()]
            )
        beside = of_tallies.queries if of_tallies is not None else ()
        await self.database.fetch_together(of_groups, of_members, of_heads, of_messages, *beside)
        heads = of_heads.result
        found: dict[_Page, Mapping[UserId, FoundPage]] = {}
        for page, user_ids in wanted.items():
            group, stream_id = of_groups.result.get(page.group_id), stream_ids[page]
            is_there = group is not None and stream_id in heads
            seqs = page.seqs(heads[stream_id]) if is_there else _NO_SEQS
            messages = self.messages.rows_of(of_messages.result, stream_id, reversed(seqs))
            if is_there:
                self._see(stream_id, heads[stream_id], messages)
            if not _covers(asked[page], seqs):
                continue
            tallies: Mapping[UserId, Tallies] = {}
            if of_tallies is not None:
                tallies = of_tallies.of_page(stream_id, seqs, user_ids)
            found[page] = {
                user_id: FoundPage(
                    group,
                    of_members.result.get((page.group_id, user_id)),
                    messages,
                    tallies.get(user_id, _NO_TALLIES),
                )
                for user_id in user_ids
            }
        return found

    def _guess(self, page: _Page) -> range:
        """The seqs that the page has if its stream's head is where it was, and a few more."""
        seen = self._seen.get(stream_of(page.group_id))
        if seen is not None:
            return page.seqs(seen.head, ahead=AHEAD)
        return _NO_SEQS if page.below is None else page.seqs(page.below)

    def _bytes_of(self, page: _Page) -> int:
        seen = self._seen.get(stream_of(page.group_id))
        return page.limit * seen.message_bytes if seen is not None else 0

    def _see(self, stream_id: StreamId, head: int, messages: UndecodedRows[Message]) -> None:
        seen = _Seen(head, messages.memory_bytes // max(1, len(messages)))
        if self._seen.get(stream_id) != seen:
            self._seen.put(stream_id, seen)


def _covers(asked: range, seqs: range) -> bool:
    return not seqs or (bool(asked) and asked[0] <= seqs[0] and seqs[-1] <= asked[-1])
