"""Messages as JSON, rendered once for all readers until they change.

The answers to readers differ only in whether the sender is shown and in their own reactions (`mine`). So a message is
kept as the JSON around `mine` (`_RenderedMessage`), for as long as what it was rendered from is equal, and a reader
costs the few bytes of their own reactions.

Equal is what counts; that the stores give all readers the same objects for the same documents only makes the comparison
quick.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple, Protocol

import orjson
from pydantic_core import SchemaSerializer

from groups import policy
from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import UserId
from groups.kernel.paging import PAGE_BYTES
from groups.models import AccessContext, Message, Tally, User
from groups.routes.responses.tallies import TallyResponse
from groups.service.messages.pages import StreamPage, cursor_before
from groups.service.messages.service import MessagePage


class ReactedResponse(Protocol):
    """A response model of a message, with the reactions to it."""

    __pydantic_serializer__: ClassVar[SchemaSerializer]

    @property
    def reactions(self) -> TallyResponse:
        """The tally, without anybody's own reactions."""


ToResponse = Callable[[Message, AccessContext, Tally, User | None], ReactedResponse]
Senders = Mapping[UserId, User]
"""The profiles of the senders; empty where the response does not show them."""

KEPT_MESSAGES_BYTES: Final = 2 * 2**20  # some 500 messages
KEPT_PAGES_BYTES: Final = 3 * 2**20  # some 35 pages of 20, with what they were rendered from
_TALLY_BYTES: Final = 600
_COUNT_BYTES: Final = 160
_EMPTY_PAGE_BYTES: Final = 1_500
_PLACE_BYTES: Final = 300
"""Of one message: its place in the page, and in the lists that are the page's own."""
_NOTHING_MINE: Final = b"[]"
_AFTER_MINE: Final = b"}}"  # the end of the tally, and of the message
_NO_TALLY: Final = Tally()


class _MessageSource(NamedTuple):
    """The values that a message's JSON is rendered from."""

    message: Message
    counts: Mapping[str, int]
    group_name: str
    sender: User | None


class _RenderedMessage(NamedTuple):
    """A message's JSON up to the reader's own reactions, which end it."""

    source: _MessageSource
    before_mine: bytes
    size_bytes: int


class _PageSource(NamedTuple):
    """The values that a page is rendered from."""

    messages: Sequence[Message]
    tallies: Mapping[int, Tally]
    group_name: str
    senders: Senders
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _RenderedPage:
    """A page as it is but for the reader's own reactions."""

    source: _PageSource
    parts: Sequence[bytes]
    """Two for each message: the JSON up to `mine`, and `mine` with what follows it, for a reader who holds nothing."""
    places_of_mine: Mapping[int, int]
    """The place of the second part of each message, by seq; without recalled ones, which show no reactions."""
    items: bytes
    """All parts, for a reader who holds nothing."""
    last_seq: int | None
    """The last message that fits into the page; None: all do."""
    size_bytes: int

    def items_of(self, own: Mapping[int, tuple[str, ...]]) -> bytes:
        """The page's items for a reader who holds these reactions."""
        if not own:
            return self.items
        parts = list(self.parts)
        for seq, mine in own.items():
            place = self.places_of_mine.get(seq)
            if mine and place is not None:
                parts[place] = orjson.dumps(mine) + _AFTER_MINE
        return b"".join(parts)


class MessageRendering:
    """Renders the responses that `to_response` makes of messages."""

    def __init__(self, to_response: ToResponse) -> None:
        self._to_response = to_response
        # By stream, and by whether senders are shown: its messages, and the page that was read last.
        self._messages: ByteCache[tuple[str, bool, int], _RenderedMessage] = ByteCache(
            "rendered messages", KEPT_MESSAGES_BYTES, lambda _, kept: kept.size_bytes
        )
        self._pages: ByteCache[tuple[str, bool], _RenderedPage] = ByteCache(
            "rendered pages", KEPT_PAGES_BYTES, lambda _, page: page.size_bytes
        )

    def page(self, found: MessagePage, senders: Senders = MappingProxyType({})) -> bytes:
        """The page of messages as this reader sees it: of the first of them, as many as fit into a page.

        Where not all do, the cursor goes on behind the last one shown. Messages that are cut already are all shown.
        """
        messages, access, tallies = found.messages, found.access, found.tallies
        items, next_cursor = b"", found.next_cursor
        if messages:
            source = _PageSource(messages, tallies.shared, access.group.name, senders, found.is_cut)
            page = self._page(source, access)
            items = page.items_of(tallies.own)
            if page.last_seq is not None:
                next_cursor = cursor_before(page.last_seq)
        # Each item begins with the comma that parts it from the one before.
        ends = b'{"items":[%b],"next_cursor":%b%b}'
        return ends % (items[1:], orjson.dumps(next_cursor), _place_fields(found))

    def _page(self, source: _PageSource, access: AccessContext) -> _RenderedPage:
        shows_sender = policy.may_see_sender(access.group, access.effective_role)
        key = access.group.stream_id, shows_sender
        kept = self._pages.get(key)
        if kept is None or kept.source != source:
            kept = self._render_page(source, access, shows_sender=shows_sender)
            self._pages.put(key, kept)
        return kept

    def _render_page(
        self, source: _PageSource, access: AccessContext, *, shows_sender: bool
    ) -> _RenderedPage:
        messages = source.messages
        parts: list[bytes] = []
        shown: list[Message] = []
        size, total = _EMPTY_PAGE_BYTES, 0
        for message in messages:
            one = self._message(message, source, access, shows_sender=shows_sender)
            total += len(one.before_mine) + len(_NOTHING_MINE) + len(_AFTER_MINE)
            if shown and total > PAGE_BYTES and not source.is_cut:
                break
            shown.append(message)
            parts += (one.before_mine, _NOTHING_MINE + _AFTER_MINE)
            size += one.size_bytes + len(one.before_mine) + _PLACE_BYTES
        size += sum(message.memory_bytes for message in messages[len(shown) :])
        return _RenderedPage(
            source=source,
            parts=parts,
            places_of_mine={
                message.seq: 2 * n + 1
                for n, message in enumerate(shown)
                if message.recalled_at is None
            },
            items=b"".join(parts),
            last_seq=shown[-1].seq if len(shown) < len(messages) else None,
            size_bytes=size,
        )

    def _message(
        self, message: Message, page: _PageSource, access: AccessContext, *, shows_sender: bool
    ) -> _RenderedMessage:
        tally = page.tallies.get(message.seq, _NO_TALLY)
        sender = page.senders.get(message.sender_id)
        source = _MessageSource(message, tally.counts, page.group_name, sender)
        key = access.group.stream_id, shows_sender, message.seq
        kept = self._messages.get(key)
        if kept is None or kept.source != source:
            response = self._to_response(message, access, tally, sender)
            json = _json_before_mine(response)
            size = len(json) + message.memory_bytes
            size += _TALLY_BYTES + _COUNT_BYTES * len(tally.counts)
            kept = _RenderedMessage(source, json, size)
            self._messages.put(key, kept)
        return kept


def _place_fields(page: StreamPage) -> bytes:
    """The fields that say where the page is, as `HistoryPage` has them; nearly always none of them has a value."""
    return b',"newer_cursor":%b,"first_unread_seq":%b,"version":%b' % (
        orjson.dumps(page.newer_cursor),
        orjson.dumps(page.first_unread_seq),
        orjson.dumps(page.version),
    )


def _json_before_mine(response: ReactedResponse) -> bytes:
    """A comma and the response's JSON, with the reactions last and in them the reader's own, which are left out."""
    json = response.__pydantic_serializer__.to_json(response, exclude={"reactions"})
    tally = response.reactions
    counts = orjson.dumps(tally.counts)
    return b',%b,"reactions":{"counts":%b,"total":%d,"mine":' % (
        json.removesuffix(b"}"),
        counts,
        tally.total,
    )
