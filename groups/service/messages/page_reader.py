"""Pages of a group's stream, newest first: the reader's membership, messages and reactions in one command.

Readers who ask for the same page at once share the command: the group, the messages and their tallies are read once,
each reader's membership and own reactions along with them. `AccessGuard` decides whether a reader may see any of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.kernel.request_batching import PageBatcher
from groups.models import Group, Member, Message, Tallies, readers_a_command, stream_of
from groups.service.hooks import Hooks
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore

_NO_TALLIES: Final = Tallies()


@dataclass(frozen=True, slots=True)
class FoundPage:
    """The group, the reader's membership, and the messages, newest first, with the reactions as this reader sees them.

    The list of messages is shared with other readers.
    """

    group: Group | None
    member: Member | None
    messages: Sequence[Message]
    tallies: Tallies


class _Page(NamedTuple):
    """The newest messages of a group's stream, or the newest before a seq."""

    group_id: GroupId
    below: int | None
    limit: int


@dataclass(kw_only=True, slots=True)
class PageReader:
    """Reads pages for many readers at once."""

    database: Database
    groups: GroupStore
    members: MemberStore
    messages: MessageStore
    hooks: Hooks
    _reader: PageBatcher[_Page, UserId, FoundPage] = field(init=False)

    def __post_init__(self) -> None:
        self._reader = PageBatcher(
            self._read, readers_per_query=lambda page: readers_a_command(page.limit)
        )

    async def read(
        self, group_id: GroupId, user_id: UserId, *, below: int | None, limit: int
    ) -> FoundPage:
        """The newest messages of all, or of those before a seq, as this reader sees them."""
        found = await self._reader.find(_Page(group_id, below, limit), user_id)
        assert found is not None  # `_read` answers every reader
        return found

    async def _read(self, page: _Page, user_ids: Sequence[UserId]) -> dict[UserId, FoundPage]:
        of_group = self.groups.query_group(page.group_id)
        of_members = self.members.query_cached_members(page.group_id, user_ids)
        of_messages = self.messages.query_newest(
            stream_of(page.group_id), below=page.below, limit=page.limit
        )
        reader = self.hooks.tallies
        query = reader.query_beside(of_messages, user_ids) if reader is not None else None
        beside = query.queries if query is not None else ()
        await self.database.fetch(None, of_group, of_members, of_messages, *beside)
        group, members, messages = of_group.result, of_members.result, of_messages.result
        tallies = query.by_user() if query is not None else {}
        return {
            user_id: FoundPage(
                group, members.get(user_id), messages, tallies.get(user_id, _NO_TALLIES)
            )
            for user_id in user_ids
        }


def page_bounds(
    cursor: str | None, before_seq: int | None, after_seq: int | None
) -> tuple[int | None, int | None]:
    """The seqs before and after which a page is; a cursor takes the place of the bound that it goes on from."""
    key = decode_cursor("messages", cursor, str, int)
    if key is None:
        return before_seq, after_seq
    direction, seq = key
    return (before_seq, int(seq)) if direction == "after" else (int(seq), after_seq)


def cursor_before(seq: int) -> str:
    """The cursor to the messages before this one."""
    return encode_cursor("messages", "before", seq)


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
        next_cursor = encode_cursor("messages", "after", seq) if is_forward else cursor_before(seq)
    if is_forward:
        messages.reverse()
    return messages, next_cursor
