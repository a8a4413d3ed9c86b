"""The endpoint of the feed: pages of JSON, long polling, and server-sent events."""

from dataclasses import dataclass
from typing import Annotated, Final

import orjson
from pydantic import Field

from channels.errors import ChannelNotFound, UnknownEventType
from channels.event_views.public import PUBLIC_EVENT_TYPES
from channels.event_views.shapes import AnyPublicEvent
from channels.feed.errors import EventsExpired
from channels.feed.limits import MOST_ITEMS, MOST_TYPES, MOST_WAIT_SECONDS
from channels.feed.models import KNOWN_TYPES, FeedPage
from channels.feed.service import FeedService
from channels.routes.responses import ChannelIdText
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Accept, EventStream, LastEventId, Query, Rendered, Response, get
from groups.kernel.errors import BadCursor, PermissionRefused

_EVENT_STREAM: Final = "text/event-stream"
_TYPES_LENGTH: Final = MOST_TYPES * 64


class FeedQuery(Query):
    """Which events, from where on."""

    after: Annotated[
        str | None,
        Field(
            max_length=1024,
            description="The `cursor` of the page before. `start`: from the oldest event that is kept. Without it: from"
            " now on.",
            examples=["start"],
        ),
    ] = None
    types: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=_TYPES_LENGTH,
            description="Only these types, separated by commas.",
            examples=["message.posted,channel.subscribed"],
        ),
    ] = None
    channel_id: Annotated[
        ChannelIdText | None,
        Field(
            description="Only events of this channel. Others than the application must name one."
        ),
    ] = None
    wait: Annotated[
        int,
        Field(
            ge=0,
            le=MOST_WAIT_SECONDS,
            description="Seconds to wait for the first event, if there is none yet.",
        ),
    ] = 0
    limit: Annotated[
        int,
        Field(
            ge=1, le=MOST_ITEMS, description="At most so many events; fewer where they are large."
        ),
    ] = 100


class EventsResponse(Response):
    """Events in order. `cursor` goes on after them; it is never null, also where there is no event."""

    items: list[AnyPublicEvent]
    cursor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedRoutes:
    """The feed."""

    tag = "Events"

    feed: FeedService

    @get(
        "/v1/events",
        errors=[
            ChannelNotFound,
            PermissionRefused,
            BadCursor,
            EventsExpired,
            UnknownEventType,
        ],
        waits=True,
    )
    async def list_events(
        self, actor: Actor, query: FeedQuery, accept: Accept, last_event_id: LastEventId
    ) -> Rendered[EventsResponse] | EventStream:
        """List events in order (app admins; with `channel_id` its owner, and admins with `read_events`).

        Go on with the `cursor` of each page, and no event is missed. A page without events still moves the cursor on.
        With `Accept: text/event-stream` the answer is a stream of server-sent events: `id` is a cursor, `event` the
        type, `data` the event. `Last-Event-ID` goes on after it, and takes precedence over `after`.
        """
        types = _types_of(query.types)
        if not _wants_stream(accept):
            page = await self.feed.read(
                actor,
                after=query.after,
                types=types,
                channel_id=query.channel_id,
                limit=query.limit,
                wait_seconds=query.wait,
            )
            return Rendered(_json_of(page))
        return await self.feed.stream(
            actor,
            after=last_event_id or query.after,
            types=types,
            channel_id=query.channel_id,
        )


def _types_of(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    types = dict.fromkeys(part.strip() for part in text.split(","))
    unknown = [name for name in types if name not in KNOWN_TYPES]
    if unknown:
        raise UnknownEventType(unknown[0], PUBLIC_EVENT_TYPES)
    return frozenset(types)


def _wants_stream(accept: str) -> bool:
    kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return _EVENT_STREAM in kinds


def _json_of(page: FeedPage) -> bytes:
    items = b",".join(item.json for item in page.items)
    return b'{"items":[' + items + b'],"cursor":' + orjson.dumps(page.end.cursor) + b"}"
