"""Messages as JSON, rendered once for all who read them until they change.

Readers share what the stores read for them: the same `Message`, the same counts, for as long as the database says the
same. Their answers differ only in whether the sender is shown and in their own reactions, which stand last. So the part
before those is kept for as long as the same objects come again, and a reader costs the few bytes of his own reactions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import orjson
from pydantic import BaseModel

from groups import policy
from groups.kernel.ids import UserId
from groups.kernel.paging import PAGE_BYTES
from groups.models import Message, Standing, Tallies, Tally, User
from groups.service import cursor_before

View = Callable[[Message, Standing, Tally, User | None], BaseModel]
Senders = Mapping[UserId, User]
"""What those who wrote show of themselves; empty where the view does not show it."""

KEPT_STREAMS: Final = 64  # those read last
KEPT_MESSAGES: Final = 200
"""Of one stream. Of 12 KiB at most each, with the page of them: 4 MB in the worst case, 200 KB in practice."""
_END: Final = b'"mine":[]}}'
"""How a rendered view ends in which nobody has reacted: `reactions` is its last field, `mine` the last of that."""
_MINE_NONE: Final = b"[]}}"
_NO_TALLY: Final = Tally()

# The message, the counts, the group's name and the sender that it was rendered from, and the JSON up to one's own
# reactions.
_Kept = tuple[Message, Mapping[str, int], str, User | None, bytes]


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


@dataclass(slots=True)
class _KeptStream:
    """What is kept of a stream, for those who see senders or for those who do not."""

    messages: dict[int, _Kept] = field(default_factory=dict)
    page: _KeptPage | None = None


class MessageRendering:
    """Renders what `view` makes of messages."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._streams: dict[tuple[str, bool], _KeptStream] = {}

    def page(
        self,
        messages: Sequence[Message],
        standing: Standing,
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
            page = self._page(messages, standing, tallies.shared, senders, is_forward)
            items = page.items_of(tallies.own)
            if page.last_seq is not None:
                next_cursor = cursor_before(page.last_seq)
        # Each item begins with the comma that parts it from the one before.
        return b'{"items":[%b],"next_cursor":%b}' % (items[1:], orjson.dumps(next_cursor))

    def _page(
        self,
        messages: Sequence[Message],
        standing: Standing,
        tallies: Mapping[int, Tally],
        senders: Senders,
        is_forward: bool,
    ) -> _KeptPage:
        group = standing.group
        kept = self._kept_of(group.stream_id, policy.may_see_sender(group, standing.rank))
        known = kept.page
        if known is not None and known.is_of(messages, tallies, group.name, senders, is_forward):
            return known
        parts: list[bytes] = []
        total = 0
        shown: list[Message] = []
        for message in messages:
            tally = tallies.get(message.seq, _NO_TALLY)
            sender = senders.get(message.sender_id)
            one = kept.messages.get(message.seq)
            if (
                one is None
                or one[0] is not message
                or one[1] is not tally.counts
                or one[2] != group.name
                or one[3] != sender
            ):
                one = kept.messages[message.seq] = self._render(message, standing, tally, sender)
            total += len(one[4]) + len(_MINE_NONE)
            if shown and total > PAGE_BYTES and not is_forward:
                break
            shown.append(message)
            parts += (one[4], _MINE_NONE)
        places = {
            message.seq: 2 * n + 1 for n, message in enumerate(shown) if message.recalled_at is None
        }
        last_seq = shown[-1].seq if len(shown) < len(messages) else None
        page = _KeptPage(
            messages,
            tallies,
            group.name,
            senders,
            parts,
            places,
            b"".join(parts),
            last_seq,
            is_forward,
        )
        kept.page = page
        return page

    def _kept_of(self, stream_id: str, shows_sender: bool) -> _KeptStream:
        kept = self._streams.get((stream_id, shows_sender))
        if kept is None or len(kept.messages) > KEPT_MESSAGES:
            if len(self._streams) >= KEPT_STREAMS:
                self._streams.clear()
            kept = self._streams[stream_id, shows_sender] = _KeptStream()
        return kept

    def _render(
        self, message: Message, standing: Standing, tally: Tally, sender: User | None
    ) -> _Kept:
        view = self._view(message, standing, tally, sender)
        json = b"," + view.__pydantic_serializer__.to_json(view)
        if not json.endswith(_END):
            raise TypeError(f"{type(view).__name__} must end in one's own reactions")
        rest = json.removesuffix(_MINE_NONE)
        return message, tally.counts, standing.group.name, sender, rest
