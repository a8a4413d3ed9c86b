"""Pages of a stream: what a reader asks for, and what is cut out of the messages that were read.

Seqs are dense (P2), so a page around a seq is a page before a later one: no query has to find its ends. A page of
changes goes by version, which is dense too. Pure: `PageReader` and `StreamService` read the messages.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from typing import Final, Self

from groups.kernel.errors import BadCursor
from groups.kernel.paging import PAGE_BYTES, cut_page, decode_cursor, encode_cursor, json_size
from groups.kernel.undecoded import UndecodedRows
from groups.models import Message

_CURSOR: Final = "messages"
_BEFORE, _AFTER, _CHANGED = "before", "after", "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPage:
    """The messages that a reader wants: the newest of all, or at one place.

    `before_seq` and `after_seq`: on one side of a seq, or between the two. `changed_since`: those that changed after
    this version. `around_seq`, `around_unread`: on both sides of a seq, or of the first one that the reader has not
    read. A `cursor` goes on where a page ended, whatever else is given.
    """

    limit: int
    before_seq: int | None = None
    after_seq: int | None = None
    changed_since: int | None = None
    around_seq: int | None = None
    around_unread: bool = False
    cursor: str | None = None

    def resolved(self) -> Self:
        """The same page without a cursor: its place is that of the cursor. Raises: BadCursor."""
        key = decode_cursor(_CURSOR, self.cursor, str, int)
        if key is None:
            return self
        kind, number = key[0], int(key[1])
        if kind == _CHANGED:
            # A cursor of the one list is refused where the other one is asked for.
            if self.has_seqs:
                raise BadCursor
            return replace(self, cursor=None, changed_since=number)
        if self.changed_since is not None:
            raise BadCursor
        of_seqs = replace(self, cursor=None, around_seq=None, around_unread=False)
        if kind == _AFTER:
            return replace(of_seqs, after_seq=number)
        return replace(of_seqs, before_seq=number)

    @property
    def is_newest_first(self) -> bool:
        """Whether it has the newest messages of all, or of those before a seq."""
        return (
            self.cursor is None
            and self.after_seq is None
            and self.changed_since is None
            and self.around_seq is None
            and not self.around_unread
        )

    @property
    def has_seqs(self) -> bool:
        """Whether it names a place among the seqs."""
        seqs = (self.before_seq, self.after_seq, self.around_seq)
        return self.around_unread or any(seq is not None for seq in seqs)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPage:
    """A page of messages as a reader may see them, newest first; changed ones in the order of their changes.

    `next_cursor` goes on in the same direction: further back, or after `after_seq` and `changed_since` forward.
    """

    messages: Sequence[Message]
    next_cursor: str | None
    newer_cursor: str | None = None
    """Of a page around a seq: goes on with the messages right after it; None where it has the newest."""
    first_unread_seq: int | None = None
    """Of a page around the first unread message: its seq; None where the reader has read all."""
    version: int | None = None
    """Of a page of changes: all changes up to this version are on it, or on the pages before it."""
    is_cut: bool = True
    """Whether it fits. Otherwise rendering shows as many of its first messages as fit, and goes on from there."""


def cursor_before(seq: int) -> str:
    """The cursor to the messages before this one."""
    return encode_cursor(_CURSOR, _BEFORE, seq)


def cursor_after(seq: int) -> str:
    """The cursor to the messages right after this one."""
    return encode_cursor(_CURSOR, _AFTER, seq)


def cut_messages(
    read: Sequence[Message],
    *,
    floor: int,
    limit: int,
    is_forward: bool = False,
    size_of: Callable[[Message], int] | None = None,
) -> tuple[list[Message], str | None]:
    """The page, newest first, of the first `limit + 1` messages in its direction, and the cursor to the next page.

    Messages up to the floor are left out: newest first they come last, so the page is as if read above the floor.
    Without `size_of`, the page may be too large in bytes; rendering then cuts it.
    """
    visible = [message for message in read if message.seq > floor] if floor else read
    messages, has_more = cut_page(visible, limit, size_of)
    next_cursor = None
    if has_more:
        seq = messages[-1].seq
        next_cursor = cursor_after(seq) if is_forward else cursor_before(seq)
    if is_forward:
        messages.reverse()
    return messages, next_cursor


def cut_newest(
    read: Sequence[Message], *, floor: int, limit: int
) -> tuple[Sequence[Message], str | None]:
    """As `cut_messages` of the newest messages, or the newest before a seq; undecoded ones stay so."""
    count = len(read)
    while count and seq_at(read, count - 1) <= floor:
        count -= 1
    messages = read[: min(count, limit)]
    return messages, cursor_before(seq_at(messages, limit - 1)) if count > limit else None


def seq_at(messages: Sequence[Message], place: int) -> int:
    """The seq of one of the messages, without decoding it."""
    return messages.keys[place] if isinstance(messages, UndecodedRows) else messages[place].seq


def cut_changes(read: Sequence[Message], *, since: int, floor: int, limit: int) -> StreamPage:
    """The page of the first `limit + 1` messages that changed after a version, in the order of their changes.

    Messages up to the floor are left out after the page is cut, so that a call reads one page of the index, however
    many of them changed. A page may then have no message, and a cursor all the same.
    """
    messages, has_more = cut_page(read, limit, json_size)
    version = messages[-1].changed_version if messages else since
    return StreamPage(
        messages=[message for message in messages if message.seq > floor],
        next_cursor=encode_cursor(_CURSOR, _CHANGED, version) if has_more else None,
        version=version,
    )


def bounds_around(seq: int, limit: int) -> tuple[int, int]:
    """The seq before which the messages of a page around `seq` are, and how many to read, newest first.

    That is one message too many on each side, which tells whether more follow. Beyond the head, and where few messages
    are newer, the page has more of the older ones.
    """
    return seq + limit // 2 + 2, limit + 2


def cut_around(read: Sequence[Message], *, seq: int, floor: int, limit: int) -> StreamPage:
    """The page around `seq`, above the floor, of the messages in `bounds_around`: half of it at most is newer."""
    visible = [message for message in read if message.seq > floor] if floor else read
    newer = [message for message in visible if message.seq > seq]
    older = visible[len(newer) :]
    # The newer ones get half of the bytes, from the nearest one on. So the message itself, which begins the older ones,
    # is on the page however large they are.
    newer_sizes = [json_size(message) for message in reversed(newer)]
    shown = _count_in(PAGE_BYTES // 2, newer_sizes[: limit // 2])
    left = PAGE_BYTES - sum(newer_sizes[:shown])
    sizes = (json_size(message) for message in older[: limit - shown])
    shown_older = min(len(older), max(1, _count_in(left, sizes)))
    messages = [*newer[len(newer) - shown :], *older[:shown_older]]
    return StreamPage(
        messages=messages,
        next_cursor=cursor_before(messages[-1].seq) if shown_older < len(older) else None,
        newer_cursor=cursor_after(messages[0].seq) if messages and shown < len(newer) else None,
    )


def _count_in(most_bytes: int, sizes: Iterable[int]) -> int:
    """How many of the first items, of these sizes, fit into so many bytes."""
    totals = accumulate(sizes)
    return sum(1 for _ in takewhile(lambda total: total <= most_bytes, totals))
