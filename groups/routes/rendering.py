"""Messages as JSON, rendered once for all who read the same page at once.

Readers who ask together share what the stores read for them: the same `Message`, the same counts. Their answers differ
only in whether the sender is shown and in their own reactions, which stand last. So the part before those is kept for
as long as the same objects come again, and a reader costs his own few bytes a message.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson
from pydantic import BaseModel

from groups import policy
from groups.models import Message, Standing, Tally

View = Callable[[Message, Standing, Tally], BaseModel]

KEPT_PAGES: Final = 64  # of the streams read last
KEPT_MESSAGES: Final = (
    200  # of one stream; of 12 KiB at most each, so 2 MB in the worst case and 100 KB in practice
)
_END: Final = b'"mine":[]}}'
"""How a rendered view ends in which nobody has reacted: `reactions` is its last field, `mine` the last of that."""
_MINE_NONE: Final = b"[]}}"
_NO_TALLY: Final = Tally()

# The message, the counts and the group's name that it was rendered from, and the JSON up to one's own reactions.
_Kept = tuple[Message, Mapping[str, int], str, bytes]


class MessageRendering:
    """Renders what `view` makes of messages."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._pages: dict[tuple[str, bool], dict[int, _Kept]] = {}

    def page(
        self,
        messages: Sequence[Message],
        standing: Standing,
        tallies: Mapping[int, Tally],
        next_cursor: str | None,
    ) -> bytes:
        """The page of messages as this reader sees it."""
        group = standing.group
        kept = self._kept_of(group.stream_id, policy.may_see_sender(group, standing.rank))
        parts: list[bytes] = []
        for message in messages:
            tally = tallies.get(message.seq, _NO_TALLY)
            one = kept.get(message.seq)
            if (
                one is None
                or one[0] is not message
                or one[1] is not tally.counts
                or one[2] != group.name
            ):
                one = kept[message.seq] = self._render(message, standing, tally)
            parts.append(one[3])
            if tally.mine and message.recalled_at is None:
                parts.append(orjson.dumps(tally.mine) + b"}}")
            else:
                parts.append(_MINE_NONE)
        # Each begins with the comma that parts it from the one before.
        items = b"".join(parts)[1:]
        return b'{"items":[%b],"next_cursor":%b}' % (items, orjson.dumps(next_cursor))

    def _kept_of(self, stream_id: str, shows_sender: bool) -> dict[int, _Kept]:
        kept = self._pages.get((stream_id, shows_sender))
        if kept is None or len(kept) > KEPT_MESSAGES:
            if len(self._pages) >= KEPT_PAGES:
                self._pages.clear()
            kept = self._pages[stream_id, shows_sender] = {}
        return kept

    def _render(self, message: Message, standing: Standing, tally: Tally) -> _Kept:
        view = self._view(message, standing, Tally(tally.counts, tally.total))
        json = b"," + view.__pydantic_serializer__.to_json(view)
        if not json.endswith(_END):
            raise TypeError(f"{type(view).__name__} must end in one's own reactions")
        return message, tally.counts, standing.group.name, json.removesuffix(_MINE_NONE)
