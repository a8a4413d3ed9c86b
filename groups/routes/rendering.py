"""Messages as JSON, rendered once for all who read them until they change.

Readers share what the stores read for them: the same `Message`, the same counts, for as long as the database says the
same. Their answers differ only in whether the sender is shown and in their own reactions, which stand last. So the part
before those is kept for as long as the same objects come again, and a reader costs the few bytes of his own reactions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson
from pydantic import BaseModel

from groups import policy
from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import UserId
from groups.kernel.paging import PAGE_BYTES
from groups.models import AccessContext, Message, Tallies, Tally, User
from groups.service.messages.page_reader import cursor_before

Response = Callable[[Message, AccessContext, Tally, User | None], BaseModel]
Senders = Mapping[UserId, User]
"""What those who wrote show of themselves; empty where the view does not show it."""

KEPT_MESSAGES_BYTES: Final = 2 * 2**20  # some 500 messages
KEPT_PAGES_BYTES: Final = 3 * 2**20  # some 35 pages of 20, with what they were rendered from
_TALLY_BYTES: Final = 600
_COUNT_BYTES: Final = 160
_EMPTY_PAGE_BYTES: Final = 1_500
_PLACE_BYTES: Final = 300
"""Of one message: where it stands in the page, and in the lists that are the page's own."""
_END: Final = b'"mine":[]}}'
"""How a rendered view ends in which nobody has reacted: `reactions` is its last field, `mine` the last of that."""
_MINE_NONE: Final = b"[]}}"
_NO_TALLY: Final = Tally()


class _Kept(NamedTuple):
    """A message's JSON up to one's own reactions, and what it was rendered from."""

    message: Message
    counts: Mapping[str, int]
    group_name: str
    sender: User | None
    json: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _KeptPage:
    """A page as it is but for one's own reactions, and what it was rendered from."""

    messages: Sequence[Message]
    tallies: Mapping[int, Tally]
    group_name: str
    senders: Senders
    parts: Sequence[bytes]
    """Two for each message: the second begins with one's own reactions."""
    places: Mapping[int, int]
    """Where the second part of each message is, by seq; not of recalled ones, which show no reactions."""
    items: bytes
    """All parts as they are for a reader who holds none."""
    last_seq: int | None
    """The last message of those that fit into the page; None: all do."""
    is_forward: bool
    size_bytes: int

    def is_of(
        self,
        messages: Sequence[Message],
        tallies: Mapping[int, Tally],
        group_name: str,
        senders: Senders,
        is_forward: bool,
    ) -> bool:
        # What did not change is the same object, so that comparing all of it takes a microsecond.
        return (
            self.messages == messages
            and self.tallies == tallies
            and self.group_name == group_name
            and self.senders == senders
            and self.is_forward is is_forward
        )

    def items_of(self, own: Mapping[int, tuple[str, ...]]) -> bytes:
        """The page's items for who holds these reactions."""
        if not own:
            return self.items
        parts = list(self.parts)
        for seq, mine in own.items():
            place = self.places.get(seq)
            if mine and place is not None:
                parts[place] = orjson.dumps(mine) + b"}}"
        return b"".join(parts)


class MessageRendering:
    """Renders what `view` makes of messages."""

    def __init__(self, view: Response) -> None:
        self._view = view
        # Of a stream, for those who see senders or for those who do not: its messages, and the page read last.
        self._messages: ByteCache[tuple[str, bool, int], _Kept] = ByteCache(
            "rendered messages", KEPT_MESSAGES_BYTES, lambda _, kept: kept.size_bytes
        )
        self._pages: ByteCache[tuple[str, bool], _KeptPage] = ByteCache(
            "rendered pages", KEPT_PAGES_BYTES, lambda _, page: page.size_bytes
        )

    def page(
        self,
        messages: Sequence[Message],
        access: AccessContext,
        tallies: Tallies,
        next_cursor: str | None,
        senders: Senders = MappingProxyType({}),
        *,
        is_forward: bool = False,
    ) -> bytes:
        """The page of messages as this reader sees it: of the first of them, as many as fit into a page.

        Where not all do, the cursor goes on behind the last one shown. Those that are read forward fit already.

        Readers who ask for a page at once are given the same objects by the stores, and share all but their own
        reactions.
        """
        items = b""
        if messages:
            page = self._page(messages, access, tallies.shared, senders, is_forward)
            items = page.items_of(tallies.own)
            if page.last_seq is not None:
                next_cursor = cursor_before(page.last_seq)
        # Each item begins with the comma that parts it from the one before.
        return b'{"items":[%b],"next_cursor":%b}' % (items[1:], orjson.dumps(next_cursor))

    def _page(
        self,
        messages: Sequence[Message],
        access: AccessContext,
        tallies: Mapping[int, Tally],
        senders: Senders,
        is_forward: bool,
    ) -> _KeptPage:
        group = access.group
        stream_id, shows_sender = (
            group.stream_id,
            policy.may_see_sender(group, access.effective_role),
        )
        kept = self._pages.get((stream_id, shows_sender))
        if kept is not None and kept.is_of(messages, tallies, group.name, senders, is_forward):
            return kept
        parts: list[bytes] = []
        size = _EMPTY_PAGE_BYTES
        total = 0
        shown: list[Message] = []
        for message in messages:
            tally = tallies.get(message.seq, _NO_TALLY)
            sender = senders.get(message.sender_id)
            key = stream_id, shows_sender, message.seq
            one = self._messages.get(key)
            if (
                one is None
                or one.message is not message
                or one.counts is not tally.counts
                or one.group_name != group.name
                or one.sender != sender
            ):
                one = self._render(message, access, tally, sender)
                self._messages.put(key, one)
            total += len(one.json) + len(_MINE_NONE)
            if shown and total > PAGE_BYTES and not is_forward:
                break
            shown.append(message)
            parts += (one.json, _MINE_NONE)
            size += one.size_bytes + len(one.json) + _PLACE_BYTES
        places = {
            message.seq: 2 * n + 1 for n, message in enumerate(shown) if message.recalled_at is None
        }
        last_seq = shown[-1].seq if len(shown) < len(messages) else None
        size += sum(message.memory_bytes for message in messages[len(shown) :])
        items = b"".join(parts)
        page = _KeptPage(
            messages,
            tallies,
            group.name,
            senders,
            parts,
            places,
            items,
            last_seq,
            is_forward,
            size,
        )
        self._pages.put((stream_id, shows_sender), page)
        return page

    def _render(
        self, message: Message, access: AccessContext, tally: Tally, sender: User | None
    ) -> _Kept:
        view = self._view(message, access, tally, sender)
        json = b"," + view.__pydantic_serializer__.to_json(view)
        if not json.endswith(_END):
            raise TypeError(f"{type(view).__name__} must end in one's own reactions")
        rest = json.removesuffix(_MINE_NONE)
        size = len(rest) + message.memory_bytes + _TALLY_BYTES + _COUNT_BYTES * len(tally.counts)
        return _Kept(message, tally.counts, access.group.name, sender, rest, size)
