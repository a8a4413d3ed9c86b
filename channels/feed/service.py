"""The feed of events: pages, waiting for the next event, and streams.

Who may read: the application everything; the owner of a channel, and its admins with `read_events`, the events of that
channel. What happens in its inbox is only for those who may read the inbox too.

Promises:
    Complete: a reader who goes on with each cursor gets every event once, in the order of the log. Where that is not
        possible any more, it gets `EventsExpired`.
    Bounded: a call reads `MOST_READ` transactions, or has the database look at `MOST_LOOKED_AT`. A page without events
        still moves the cursor on.
    Idle: a reader that waits holds no place of a request under way, and ends when the server stops.
"""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from channels.event_views.public import wants_types
from channels.feed.errors import EventsExpired
from channels.feed.limits import ACCESS_SECONDS, MOST_ITEMS, MOST_LOOKED_AT, MOST_READ, TICK_SECONDS
from channels.feed.models import (
    KNOWN_TYPES,
    FeedFilter,
    FeedItem,
    FeedPage,
    FeedPosition,
    end_after,
    items_of,
    position_of,
    rendered,
)
from channels.feed.recent import RecentEvents
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups.kernel.actor import Actor
from groups.kernel.endpoint import EventStream
from groups.kernel.errors import BadCursor, PermissionRefused, RateLimited
from groups.kernel.event_log.log import EventLog
from groups.kernel.event_log.models import LAST, LogPage, Subject
from groups.kernel.ids import GroupId, UserId
from groups.kernel.keyed_locks import REQUEST_SLOT
from groups.kernel.paging import PAGE_BYTES
from groups.models import Grant
from groups.policy import grant_refusal
from groups.service.access.guard import AccessGuard

START: Final = "start"
"""In place of a cursor: from the oldest event that is kept."""
_CHANNEL_FIELDS: Final = ("group_id", "channel_id", "peer_id")
"""The fields in which committed events name their channel; `peer_id` in one-to-one messages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedService:
    """Reads the feed for its callers."""

    event_log: EventLog
    recent: RecentEvents
    channel: ChannelGuard
    guard: AccessGuard
    limits: ChannelLimits
    _readers: Counter[UserId] = field(default_factory=Counter, init=False)

    async def read(
        self,
        actor: Actor,
        *,
        after: str | None,
        types: frozenset[str] | None,
        channel_id: GroupId | None,
        limit: int,
        wait_seconds: float,
    ) -> FeedPage:
        """Return the next events, after up to `wait_seconds` if there are none yet.

        `after` is a cursor, `START`, or None: from now on. Raises: ChannelNotFound; PermissionRefused; BadCursor;
        EventsExpired; RateLimited when too many requests of the actor wait.
        """
        filter_ = await self._filter(actor, types, channel_id)
        page = await self._read(await self._position(after), filter_, limit)
        if page.items or page.is_full or not wait_seconds:
            return page
        deadline, checked_at = time.monotonic() + wait_seconds, time.monotonic()
        self._enter(actor.user_id)
        try:
            with self.recent.followed():
                while (left := deadline - time.monotonic()) > 0 and not self.recent.is_closed:
                    await self._wait_idly(page, min(left, TICK_SECONDS))
                    page = await self._read(page.end, filter_, limit)
                    if page.items or page.is_full:
                        break
        finally:
            self._leave(actor.user_id)
        if page.items and time.monotonic() - checked_at >= TICK_SECONDS:
            # The right may have been withdrawn while the request waited.
            filter_ = await self._filter(actor, types, channel_id)
            page = replace(page, items=[each for each in page.items if filter_.matches(each)])
        return page

    async def stream(
        self,
        actor: Actor,
        *,
        after: str | None,
        types: frozenset[str] | None,
        channel_id: GroupId | None,
    ) -> EventStream:
        """Follow the events, as server-sent events. Raises as `read` does, before the stream begins."""
        filter_ = await self._filter(actor, types, channel_id)
        position = await self._position(after)
        page = await self._read(position, filter_, MOST_ITEMS)
        self._enter(actor.user_id)
        return EventStream(
            self._chunks(actor, filter_, position, page), partial(self._leave, actor.user_id)
        )

    @property
    def readers(self) -> int:
        """How many requests of this process wait for events, or follow them."""
        return self._readers.total()

    async def close(self) -> None:
        """End the streams, and answer those who wait."""
        await self.recent.close()

    async def _chunks(
        self, actor: Actor, filter_: FeedFilter, told: FeedPosition, page: FeedPage
    ) -> AsyncGenerator[bytes, None]:
        checked_at = time.monotonic()
        # Something at once, so that the client knows that it is connected, and goes on from here if it is cut off.
        yield _cursor_frame(told, is_first=True)
        with self.recent.followed():
            while not self.recent.is_closed:
                if page.items:
                    yield b"".join(item.frame for item in page.items)
                    told = page.items[-1].position
                elif page.end.number >= told.number + MOST_LOOKED_AT:
                    # Of events that are not for this reader. When it connects again, it need not read them again.
                    told = page.end
                    yield _cursor_frame(told)
                else:
                    yield b""
                if not page.is_full:
                    await self.recent.wait_beyond(page.end.number, TICK_SECONDS)
                if time.monotonic() - checked_at >= ACCESS_SECONDS:
                    checked_at = time.monotonic()
                    filter_ = await self._filter(actor, filter_.types, filter_.channel_id)
                page = await self._read(page.end, filter_, MOST_ITEMS)

    async def _filter(
        self, actor: Actor, types: frozenset[str] | None, channel_id: GroupId | None
    ) -> FeedFilter:
        if channel_id is None:
            if not actor.is_app_admin:
                raise PermissionRefused(
                    "Only the application reads all events: name a channel in `channel_id`"
                )
            return FeedFilter(types=types)
        async with self.channel(channel_id):
            access = await self.guard.access_of(actor, channel_id)
        refusal = grant_refusal(access, Grant.READ_EVENTS)
        if refusal is not None:
            raise refusal
        sees_inbox = access.holds(Grant.READ_INBOX)
        return FeedFilter(types=types, channel_id=channel_id, sees_inbox=sees_inbox)

    async def _position(self, after: str | None) -> FeedPosition:
        head = self.event_log.head
        if after is None:
            return end_after(await head.read())
        if after == START:
            return end_after(await self.event_log.find_oldest() - 1)
        position = position_of(after)
        # Another process may know of later positions than this one.
        if position.number > head.position and position.number > await head.read():
            raise BadCursor
        return position

    async def _read(self, after: FeedPosition, filter_: FeedFilter, limit: int) -> FeedPage:
        items = self.recent.after(after)
        if items is not None:
            return await _page_of(items, filter_, limit, end_after(self.recent.end), is_full=False)
        oldest = await self.event_log.find_oldest()
        if after.next_number < oldest:
            raise EventsExpired(end_after(oldest - 1).cursor)
        page = await self._read_log(after, filter_, limit)
        end = FeedPosition(page.end.number, page.end.place, LAST)
        # Of an event that is read again for those of its public events that come after the position.
        end = max(end, after)
        return await _page_of(
            items_of(page.entries, after), filter_, limit, end, is_full=page.is_full
        )

    async def _read_log(self, after: FeedPosition, filter_: FeedFilter, limit: int) -> LogPage:
        kinds = wants_types(tuple(filter_.types or KNOWN_TYPES))
        subject = None
        if filter_.channel_id is not None:
            subject = Subject(_CHANNEL_FIELDS, (filter_.channel_id,))
        elif filter_.types is not None:
            subject = Subject(("type",), tuple(kinds))

        def wants(event_type: str, _: object) -> bool:
            return event_type in kinds

        if subject is None:
            return await self.event_log.read(
                after.before, wants, most_read=MOST_READ, most_events=limit
            )
        return await self.event_log.read_about(
            subject, after.before, wants, most_looked_at=MOST_LOOKED_AT, most_events=limit
        )

    async def _wait_idly(self, page: FeedPage, seconds: float) -> None:
        """Wait for events after the page without a slot. Raises: ConnectionResetError if the client is gone."""
        slot = REQUEST_SLOT.get()
        if slot is None:
            await self.recent.wait_beyond(page.end.number, seconds)
            return
        slot.leave()
        try:
            await self.recent.wait_beyond(page.end.number, seconds)
        finally:
            slot.come_back()

    def _enter(self, user_id: UserId) -> None:
        """Count one more reader of the user. Raises: RateLimited."""
        most = self.limits.feed_readers_per_user
        if self._readers[user_id] >= most:
            raise RateLimited(
                f"At most {most} requests of one user wait for events at once",
                retry_after_seconds=1,
            )
        self._readers[user_id] += 1

    def _leave(self, user_id: UserId) -> None:
        self._readers[user_id] -= 1
        if not self._readers[user_id]:
            del self._readers[user_id]


async def _page_of(
    items: Iterable[FeedItem],
    filter_: FeedFilter,
    limit: int,
    end: FeedPosition,
    *,
    is_full: bool,
) -> FeedPage:
    """The matching items, as many as fit into a page of `limit` items; `end` is after all of them."""
    found: list[FeedItem] = []
    size = 0
    async for item in rendered(items):
        if not filter_.matches(item):
            continue
        size += len(item.json) + 1
        if len(found) == limit or (found and size > PAGE_BYTES):
            return FeedPage(found, found[-1].position, is_full=True)
        found.append(item)
    return FeedPage(found, end, is_full=is_full)


def _cursor_frame(position: FeedPosition, *, is_first: bool = False) -> bytes:
    """A comment with which a client remembers the position; no event is dispatched."""
    retry = "retry: 1000\n" if is_first else ""
    return f"{retry}id: {position.cursor}\n\n".encode()
