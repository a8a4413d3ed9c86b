"""Pages of a group's stream, newest first: the reader's membership, messages and reactions in one command.

Readers who ask for the same page at once share the command: the group, the messages and their tallies are read once,
each reader's membership and own reactions along with them. `AccessGuard` decides whether a reader may see any of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database
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
