"""What the feed reads: positions, items, filters and pages."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from channels.event_views.public import PUBLIC_EVENT_TYPES, PublicEvent, public_events_of
from channels.feed.limits import RENDERED_AT_ONCE
from groups.kernel.errors import BadCursor
from groups.kernel.event_log.models import LAST, LogEntry, LogPosition
from groups.kernel.ids import GroupId
from groups.kernel.paging import decode_cursor, encode_cursor

KNOWN_TYPES: Final = frozenset(PUBLIC_EVENT_TYPES)
"""The types that a reader may ask for."""
_LIST: Final = "events"
"""The name that ties a cursor to this list."""


class FeedPosition(NamedTuple):
    """The place of a public event: of its transaction, of its event in there, and of itself among those of that event.

    Positions compare in the order of the feed. Reading goes on after a position.
    """

    number: int
    place: int
    part: int

    @property
    def is_between(self) -> bool:
        """Whether it is after all events of its transaction."""
        return self.place == LAST

    @property
    def before(self) -> LogPosition:
        """The position in the log after which nothing is left out."""
        if self.part == LAST:
            return LogPosition(self.number, self.place)
        return LogPosition(self.number, self.place - 1)

    @property
    def cursor(self) -> str:
        return encode_cursor(_LIST, *self)

    @property
    def next_number(self) -> int:
        """The transaction with which reading goes on."""
        return self.number + 1 if self.is_between else self.number


def end_after(number: int) -> FeedPosition:
    """The position after all events of the transaction with this number."""
    return FeedPosition(number, LAST, LAST)


def position_of(cursor: str) -> FeedPosition:
    """The position in a cursor. Raises: BadCursor."""
    key = decode_cursor(_LIST, cursor, int, int, int)
    assert key is not None, "there is a cursor"
    number, place, part = (int(each) for each in key)
    if number < 0 or not 0 <= place <= LAST or not 0 <= part <= LAST:
        raise BadCursor
    return FeedPosition(number, place, part)


@dataclass(slots=True, eq=False)
class FeedItem:
    """A public event and its position. It is rendered once for all readers, and kept as what was rendered."""

    position: FeedPosition
    type: str
    channel_id: GroupId | None
    is_of_inbox: bool
    _event: PublicEvent | None
    _json: bytes = field(default=b"", init=False)
    _head: bytes | None = field(default=None, init=False)

    @classmethod
    def of(cls, position: FeedPosition, event: PublicEvent) -> "FeedItem":
        return cls(position, event.type, event.channel_id, event.is_of_inbox, event)

    @property
    def json(self) -> bytes:
        if self._event is not None:
            # The payload takes several times as much memory as its JSON.
            self._json, self._event = self._event.json(), None
        return self._json

    @property
    def frame(self) -> bytes:
        """The item as a server-sent event: `id` is the cursor, `event` the type, `data` the JSON."""
        if self._head is None:
            self._head = f"id: {self.position.cursor}\nevent: {self.type}\ndata: ".encode()
        # JSON has no line breaks, so it is one line of data.
        return b"".join((self._head, self.json, b"\n\n"))


def items_of(entries: Iterable[LogEntry], after: FeedPosition) -> Iterator[FeedItem]:
    """The public events of these entries, those after a position."""
    for position, event in ((entry.position, entry.event) for entry in entries):
        for part, public in enumerate(public_events_of(event)):
            of_item = FeedPosition(position.number, position.place, part)
            if of_item > after:
                yield FeedItem.of(of_item, public)


async def rendered(items: Iterable[FeedItem]) -> AsyncIterator[FeedItem]:
    """The items, with a pause for other requests after some of them, since most of their cost is what renders them."""
    for count, item in enumerate(items, 1):
        yield item
        if not count % RENDERED_AT_ONCE:
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFilter:
    """Which events a reader gets. `types` None: all; `channel_id` None: of the whole deployment.

    Without `sees_inbox`, a channel's events are those that its inbox has no part in: another right is for these.
    """

    types: frozenset[str] | None = None
    channel_id: GroupId | None = None
    sees_inbox: bool = True

    def matches(self, item: FeedItem) -> bool:
        if self.types is not None and item.type not in self.types:
            return False
        if self.channel_id is None:
            return True
        if item.channel_id != self.channel_id:
            return False
        return self.sees_inbox or not item.is_of_inbox


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in order, and the position up to which everything was read; `is_full`: more may follow at once."""

    items: Sequence[FeedItem]
    end: FeedPosition
    is_full: bool
