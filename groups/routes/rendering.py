"""Messages as JSON, rendered once for all readers until they change.

The answers to readers differ only in whether the sender is shown, in their own reactions (`mine`), and in the polls. So
a page is kept as the JSON of its messages around `mine`, with the values that it was rendered from, for as long as
those are equal; a reader costs the few bytes of their own reactions. Where some of a page's messages changed, only
those are rendered. A poll, or buttons, stand behind the reactions, and are joined of parts that their readers share
(`responses.polls`, `responses.buttons`). No message has both.

Equal is what counts. Messages and tallies that are not decoded are compared as bytes, and decoded only to be rendered
(`groups.kernel.undecoded`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple, Protocol

import orjson
from pydantic_core import SchemaSerializer

from groups import policy
from groups.kernel.byte_cache import ByteCache
from groups.kernel.ids import UserId
from groups.kernel.paging import PAGE_BYTES
from groups.kernel.undecoded import UndecodedMap, UndecodedRows, row_of
from groups.models import AccessContext, Message, Tallies, Tally, User
from groups.routes.responses.buttons import ButtonResponse, ButtonsJson
from groups.routes.responses.polls import PollJson, PollResponse
from groups.routes.responses.tallies import TallyResponse, acknowledge_json
from groups.service.messages.pages import StreamPage, cursor_before, seq_at
from groups.service.messages.service import MessagePage, Window


class ReactedResponse(Protocol):
    """A response model of a message, with the reactions to it."""

    __pydantic_serializer__: ClassVar[SchemaSerializer]

    @property
    def reactions(self) -> TallyResponse:
        """The tally, without anybody's own reactions."""

    @property
    def poll(self) -> PollResponse | None:
        """None, also where the message is a poll."""

    @property
    def buttons(self) -> list[list[ButtonResponse]] | None:
        """The buttons; whatever they are here, those of each reader take their place."""


ToResponse = Callable[[Message, AccessContext, Tally, User | None], ReactedResponse]
VotedJson = PollJson | ButtonsJson
"""The part behind the reactions of a message: all but the reader's own votes, or presses."""
Senders = Mapping[UserId, User]
"""The profiles of the senders; empty where the response does not show them."""

KEPT_PAGES_BYTES: Final = 7 * 2**20  # some 250 pages of 20, with what they were rendered from
_TALLY_BYTES: Final = 600
_COUNT_BYTES: Final = 160
_EMPTY_PAGE_BYTES: Final = 1_500
_PLACE_BYTES: Final = 160
"""Of one message: its place in the page, and in the lists that are the page's own."""
_ACKNOWLEDGE_BYTES: Final = 50
_NOTHING_MINE: Final = b"[]"
_AFTER_MINE: Final = b"}}"  # the end of the tally, and of the message
_WITHOUT_MINE: Final = _NOTHING_MINE + _AFTER_MINE
_NO_TALLY: Final = Tally()


class _PageSource(NamedTuple):
    """The values that a page is rendered from."""

    messages: Sequence[Message]
    tallies: Mapping[int, Tally]
    group_name: str
    senders: Senders
    is_cut: bool

    @property
    def names(self) -> tuple[str, Senders]:
        """The names that its messages show."""
        return self.group_name, self.senders

    @property
    def memory_bytes(self) -> int:
        messages, tallies = self.messages, self.tallies
        size = (
            messages.memory_bytes
            if isinstance(messages, UndecodedRows)
            else sum(message.memory_bytes for message in messages)
        )
        if isinstance(tallies, UndecodedMap):
            return size + tallies.memory_bytes
        return size + sum(
            _TALLY_BYTES + _COUNT_BYTES * (len(each.counts) + len(each.votes))
            for each in tallies.values()
        )


class _Rendered(NamedTuple):
    """A message's JSON up to the reader's own reactions, which end it; whether it can have any; its poll or buttons."""

    json: bytes
    is_reacted: bool
    voted: VotedJson | None
    acknowledged: int | None
    """How many acknowledged the message; None: it does not ask for it."""


@dataclass(slots=True)
class _RenderedPage:
    """A page as it is but for the reader's own reactions."""

    source: _PageSource
    """An equal one may take its place."""
    parts: Sequence[bytes]
    """Two for each message: the JSON up to `mine`, and `mine` with what follows it, for a reader who holds nothing."""
    places_of_mine: Mapping[int, int]
    """The place of the second part of each message, by seq; without recalled ones, which show no reactions."""
    voted: Mapping[int, VotedJson]
    """The polls and the buttons of the messages, by seq. They follow the reactions, and are not in the parts."""
    acknowledged: Mapping[int, int]
    """How many acknowledged the messages that ask for it, by seq. They come last, and are not in the parts."""
    last_seq: int | None
    """The last message that fits into the page; None: all do."""
    size_bytes: int

    def items_of(self, reader: AccessContext, tallies: Tallies, now: datetime) -> bytes:
        """The page's items for a reader with this access, reactions and votes."""
        parts, own = self.parts, tallies.own
        if own or self.voted or self.acknowledged:
            parts = list(parts)
            for seq, mine in own.items():
                place = self.places_of_mine.get(seq)
                if mine and place is not None:
                    parts[place] = orjson.dumps(mine) + _AFTER_MINE
            for seq, voted in self.voted.items():
                place = self.places_of_mine[seq]
                votes = tallies.own_votes.get(seq, ())
                before = parts[place].removesuffix(_AFTER_MINE)
                if isinstance(voted, PollJson):
                    json = voted.seen_by(reader, now, votes)
                    parts[place] = b'%b},"poll":%b}' % (before, json)
                else:
                    parts[place] = b'%b},"buttons":%b}' % (before, voted.seen_by(votes))
            for seq, count in self.acknowledged.items():
                place = self.places_of_mine[seq]
                json = acknowledge_json(count, mine=seq in tallies.own_acknowledged)
                parts[place] = b'%b,"acknowledge":%b}' % (parts[place].removesuffix(b"}"), json)
        return b"".join(parts)

    def part_of(self, source: _PageSource, place: int, seq: int) -> _Rendered | None:
        """The message at this place of another page, if it is the same here.

        None: it is not here, or was rendered from other values. The names are those of `source`.
        """
        kept = self.source
        # Seqs go up or down by one, nearly always, so the place tells where to look.
        here = abs(seq_at(kept.messages, 0) - seq) if kept.messages else 0
        if 2 * here >= len(self.parts) or seq_at(kept.messages, here) != seq:
            return None
        if _row_at(kept.messages, here) != _row_at(source.messages, place):
            return None
        if row_of(kept.tallies, seq) != row_of(source.tallies, seq):
            return None
        return _Rendered(
            self.parts[2 * here],
            seq in self.places_of_mine,
            self.voted.get(seq),
            self.acknowledged.get(seq),
        )


class MessageRendering:
    """Renders the responses that `to_response` makes of messages."""

    def __init__(self, to_response: ToResponse) -> None:
        self._to_response = to_response
        # The page that was read last through each window of a stream, and by whether senders are shown.
        self._pages: ByteCache[tuple[str, bool, Window | None], _RenderedPage] = ByteCache(
            "rendered pages", KEPT_PAGES_BYTES, lambda _, page: page.size_bytes
        )

    def page(
        self, found: MessagePage, senders: Senders = MappingProxyType({}), *, now: datetime
    ) -> bytes:
        """The page of messages as this reader sees it now: of the first of them, as many as fit into a page.

        Where not all do, the cursor goes on behind the last one shown. Messages that are cut already are all shown.
        """
        messages, access, tallies = found.messages, found.access, found.tallies
        items, next_cursor = b"", found.next_cursor
        if messages:
            source = _PageSource(messages, tallies.shared, access.group.name, senders, found.is_cut)
            page = self._page(source, found)
            items = page.items_of(access, tallies, now)
            if page.last_seq is not None:
                next_cursor = cursor_before(page.last_seq)
        # Each item begins with the comma that parts it from the one before.
        ends = b'{"items":[%b],"next_cursor":%b%b}'
        return ends % (items[1:], orjson.dumps(next_cursor), _place_fields(found))

    def _page(self, source: _PageSource, found: MessagePage) -> _RenderedPage:
        access = found.access
        shows_sender = policy.may_see_sender(access.group, access.effective_role)
        key = access.group.stream_id, shows_sender, found.window
        kept = self._pages.get(key)
        if kept is None or kept.source != source:
            kept = self._render_page(source, access, kept)
            self._pages.put(key, kept)
        else:
            # The next readers of this command have the same objects, which compare faster than equal ones.
            kept.source = source
        return kept

    def _render_page(
        self, source: _PageSource, access: AccessContext, kept: _RenderedPage | None
    ) -> _RenderedPage:
        """Render the page, with what is the same on the kept page."""
        messages = source.messages
        if kept is not None and kept.source.names != source.names:
            kept = None
        parts: list[bytes] = []
        places_of_mine: dict[int, int] = {}
        all_voted: dict[int, VotedJson] = {}
        acknowledged: dict[int, int] = {}
        last_seq: int | None = None
        size, total = _EMPTY_PAGE_BYTES + source.memory_bytes, 0
        for place in range(len(messages)):
            seq = seq_at(messages, place)
            part = kept.part_of(source, place, seq) if kept is not None else None
            rendered = part or self._render(messages[place], source, access)
            json, voted = rendered.json, rendered.voted
            total += len(json) + len(_WITHOUT_MINE)
            total += voted.memory_bytes if voted is not None else 0
            if parts and total > PAGE_BYTES and not source.is_cut:
                break
            if rendered.is_reacted:
                places_of_mine[seq] = len(parts) + 1
            if voted is not None:
                all_voted[seq] = voted
                size += voted.memory_bytes
            if rendered.acknowledged is not None:
                acknowledged[seq] = rendered.acknowledged
                total += _ACKNOWLEDGE_BYTES
                size += _ACKNOWLEDGE_BYTES
            parts += (json, _WITHOUT_MINE)
            size += len(json) + _PLACE_BYTES
            last_seq = seq
        is_whole = 2 * len(messages) == len(parts)
        return _RenderedPage(
            source=source,
            parts=parts,
            places_of_mine=places_of_mine,
            voted=all_voted,
            acknowledged=acknowledged,
            last_seq=None if is_whole else last_seq,
            size_bytes=size,
        )

    def _render(self, message: Message, page: _PageSource, access: AccessContext) -> _Rendered:
        tally = page.tallies.get(message.seq, _NO_TALLY)
        sender = page.senders.get(message.sender_id)
        response = self._to_response(message, access, tally, sender)
        voted, content = _voted_json(message, tally), message.content
        asks = content is not None and content.acknowledge
        return _Rendered(
            _json_before_mine(response, voted, with_acknowledge=not asks),
            message.recalled_at is None,
            voted,
            tally.acknowledged if asks else None,
        )


def _voted_json(message: Message, tally: Tally) -> VotedJson | None:
    content = message.content
    if content is None:
        return None
    if content.poll is not None:
        return PollJson(content.poll, tally)
    return ButtonsJson(content.buttons, tally) if content.buttons else None


def _row_at(messages: Sequence[Message], place: int) -> object:
    return messages.raw[place] if isinstance(messages, UndecodedRows) else messages[place]


def _place_fields(page: StreamPage) -> bytes:
    """The fields that say where the page is, as `HistoryPage` has them; nearly always none of them has a value."""
    return b',"newer_cursor":%b,"first_unread_seq":%b,"version":%b' % (
        orjson.dumps(page.newer_cursor),
        orjson.dumps(page.first_unread_seq),
        orjson.dumps(page.version),
    )


def _json_before_mine(
    response: ReactedResponse, voted: VotedJson | None, *, with_acknowledge: bool
) -> bytes:
    """A comma and the response's JSON, with the reactions last and in them the reader's own, which are left out.

    Without its poll or buttons where it has them, and what it asks to be acknowledged, which follow them.
    """
    left_out = {"reactions"}
    if voted is not None:
        left_out.add("poll" if isinstance(voted, PollJson) else "buttons")
    if not with_acknowledge:
        left_out.add("acknowledge")
    json = response.__pydantic_serializer__.to_json(response, exclude=left_out)
    tally = response.reactions
    counts = orjson.dumps(tally.counts)
    return b',%b,"reactions":{"counts":%b,"total":%d,"mine":' % (
        json.removesuffix(b"}"),
        counts,
        tally.total,
    )
