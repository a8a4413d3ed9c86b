"""Messages of many streams, merged by time: for searches, and for one feed of many channels.

The streams are looked through in the order of their last activity. As soon as a page is full of messages that are newer
than everything in the streams that are left, those are not looked at. So the newest page costs a command for the few
streams that were active last, and a rare word one for each `STREAMS_A_COMMAND` streams.

It checks nobody's rights: its callers name the streams that the reader may read, and the floors in them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from groups.kernel.ids import StreamId
from groups.kernel.mongo import BatchedQuery
from groups.models import FoundPlaces, Message, Place, WantedMessages
from groups.store.message_search import STREAMS_A_COMMAND, MessageSearchStore
from groups.store.messages import MessageStore

_CLOCKS_MS: Final = 10_000
"""How much later than a stream's last activity a message of it may seem to be, since clocks of processes differ."""


MOST_LOOKED_AT: Final = 5_000
"""Messages with the rarest term that one call compares with the other terms: some 50 ms of the database."""


class ActiveStream(NamedTuple):
    """A stream, and the time of its last message, in milliseconds since 1970."""

    stream_id: StreamId
    active_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyStreams:
    """Reads many streams together."""

    search: MessageSearchStore
    messages: MessageStore

    async def find(
        self,
        streams: Sequence[ActiveStream],
        wanted: WantedMessages,
        *,
        limit: int,
        after: Place | None = None,
        floors: Mapping[StreamId, int] | None = None,
    ) -> FoundPlaces:
        """The next wanted messages behind the place `after`, newest first, `limit` at most.

        `end` of the result is where to go on; None: these are the last ones. There may be fewer than `limit`, or none,
        and more to come. Raises: SearchTooSlow.
        """
        ordered = sorted(streams, key=lambda stream: stream.active_ms, reverse=True)
        batches = [
            ordered[start : start + STREAMS_A_COMMAND]
            for start in range(0, len(ordered), STREAMS_A_COMMAND)
        ]
        places: list[Place] = []
        end: Place | None = None
        for batch in batches:
            if wanted.since_ms is not None and batch[0].active_ms + _CLOCKS_MS < wanted.since_ms:
                break
            found = await self.search.find_places(
                [stream.stream_id for stream in batch],
                wanted,
                after=after,
                floors=floors or {},
                # One more, which tells whether more follow.
                limit=limit + 1,
                most_looked_at=MOST_LOOKED_AT // len(batches),
            )
            places = sorted([*places, *found.places], key=lambda place: place.order)
            if found.end is not None and (end is None or found.end.order < end.order):
                end = found.end
            if end is not None:
                places = [place for place in places if place.order < end.order]
            del places[limit + 1 :]
            oldest = places[limit] if len(places) > limit else end
            if oldest is not None:
                # What is older in the other streams is not for this page.
                since_ms = max(wanted.since_ms or 0, oldest.at_ms)
                wanted = replace(wanted, since_ms=since_ms)
        if len(places) > limit:
            return FoundPlaces(places[:limit], places[limit - 1])
        return FoundPlaces(places, end)

    def query_messages(self, places: Collection[Place]) -> BatchedQuery[dict[str, Message]]:
        """The messages at these places, by key, to send together with other queries; changed or gone ones too."""
        return self.messages.query_by_ids([place.message_id for place in places])
