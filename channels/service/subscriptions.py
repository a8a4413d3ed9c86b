"""The channels to which a user subscribes: all of them, or the changes since their device last asked.

Promises:
    Complete: with the `sync_token` of a list, a device gets every change and every end of a subscription that was
    committed since the list was read. The next reading starts a little earlier, and the token holds marks of the
    changes already sent from that time (`sync_tokens`), so that they are sent once. Changes without a mark are sent
    again.
    Current: a channel is shown as it is now, at least as new as its change in the list.
    Bounded: the cost depends on the user's channels, never on their subscribers. A device that was away longer than
    the server keeps departures gets an error, and lists everything.

Posts and new subscribers (`head_seq`, `last_post`, `subscriber_count`) do not count as changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from channels.limits import Limits
from channels.models import Channel, size_of
from channels.service.sync_tokens import (
    MARKS,
    Reading,
    Since,
    before_overlap,
    decode_marks,
    encode_marks,
    milliseconds,
)
from channels.store import ChannelStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import BadCursor, DomainError
from groups.kernel.ids import GroupId
from groups.kernel.paging import count_fitting, cut_page, decode_cursor, encode_cursor
from groups.models import Departure, stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.lifecycle.reader import GroupReader
from groups.service.membership.sync import ChangeReader

_DEPARTURE_BYTES: Final = 300  # of JSON of an ended subscription, which holds two ids


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """A page of channels and ended subscriptions, by id; the last page has a `sync_token` for the changes since."""

    items: Sequence[Channel | Departure]
    next_cursor: str | None
    sync_token: str | None


@dataclass(slots=True)
class _Reading(Reading):
    """One reading of a list of subscriptions, with its position."""

    name: str = ""
    after: str = ""

    @classmethod
    def of(cls, name: str, cursor: str | None, now: datetime) -> "_Reading":
        """The reading that the cursor continues, or a new one."""
        key = decode_cursor(name, cursor, str, int, str)
        if key is None:
            return cls(milliseconds(now), name=name)
        return cls(int(key[1]), decode_marks(str(key[2])), name=name, after=str(key[0]))

    def page(
        self, items: Sequence[Channel | Departure], *, has_more: bool, last: str
    ) -> SubscriptionPage:
        """The page of these items; `last` is the id where the next page goes on."""
        marks = encode_marks(self.marks)
        if has_more:
            cursor = encode_cursor(self.name, last, self.started_ms, marks)
            return SubscriptionPage(items, cursor, None)
        return SubscriptionPage(items, None, encode_cursor("sync", self.next_since_ms, marks))


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriptions:
    """Lists of a user's own channels."""

    store: ChannelStore
    groups: GroupReader
    memberships: MembershipReader
    changes: ChangeReader
    limits: Limits
    clock: Clock

    async def list_all(self, actor: Actor, *, limit: int, cursor: str | None) -> SubscriptionPage:
        """A page of the channels to which the actor subscribes, by id."""
        reading = _Reading.of("subscribed", cursor, self.clock.now())
        since = reading.next_since
        if cursor is None:
            # Subscriptions that ended before are not in this list, so the next reading need not send their ends.
            for departure in await self.changes.list_departures(actor.user_id, since, limit=MARKS):
                reading.remember(departure.mark, departure.at_ms)
        places = await self.changes.list_memberships(actor.user_id)
        heads = await self.memberships.find_heads([stream_of(group_id) for group_id in places])
        ids = sorted(
            group_id
            for group_id in places
            if group_id > reading.after
            and (head := heads.get(stream_of(group_id))) is not None
            and head.is_channel
        )
        page, has_more = cut_page(ids, limit)
        # Read before the channels, so that a channel is as new as its mark, or newer.
        changes = await self.changes.changes_of(actor.user_id, {i: places[i] for i in page}, since)
        channels = list((await self._read(actor, page)).values())
        last = page[-1] if page else ""
        fitting = count_fitting(map(size_of, channels))
        if fitting < len(channels):
            channels = channels[:fitting]
            has_more, last = True, channels[-1].channel_id
        for change in changes:
            if change.group_id <= last:
                reading.remember(change.mark, change.at_ms)
        return reading.page(channels, has_more=has_more, last=last)

    async def list_changed(
        self, actor: Actor, since: str, *, limit: int, cursor: str | None
    ) -> SubscriptionPage:
        """A page of the changes since a sync token or an RFC 3339 time: channels as they are now, and departures."""
        now = self.clock.now()
        asked = self._parsed(since, now)
        known = asked.marks
        reading = _Reading.of("subscribed-changes", cursor, now)
        changes = await self.changes.list_changes(
            actor.user_id,
            asked.instant,
            after=reading.after,
            most_departures=limit + 1 + MARKS,
        )
        new = [change for change in changes.items if change.mark not in known][:limit]
        channels = await self._read(actor, [one.group_id for one in new if one.departure is None])
        # A channel that the actor left a moment ago is in neither; the next reading sends its departure.
        items = [change.departure or channels.get(change.group_id) for change in new]
        fitting = count_fitting(
            size_of(item) if isinstance(item, Channel) else _DEPARTURE_BYTES for item in items
        )
        has_more = changes.horizon is not None
        last: str = changes.horizon or reading.after
        done: str = reading.after
        sent = 0
        for change in changes.items:
            is_known = change.mark in known
            if not is_known and sent == fitting:
                has_more, last = True, done
                break
            reading.remember(change.mark, change.at_ms)
            done = change.group_id
            sent += not is_known
        page = [item for item in items[:fitting] if item is not None]
        return reading.page(page, has_more=has_more, last=last)

    def _parsed(self, since: str, now: datetime) -> Since:
        """What the device knows; it sends a token, or a time."""
        now_ms = milliseconds(now)
        marks: frozenset[bytes] = frozenset()
        if since[:1].isdigit():
            try:
                instant = datetime.fromisoformat(since)
                since_ms = before_overlap(instant)
            except (ValueError, OverflowError):
                raise BadCursor("Neither a sync_token nor an RFC 3339 time") from None
            if instant.tzinfo is None:
                raise BadCursor("The time needs a zone: 2026-01-31T12:00:00Z")
        else:
            key = decode_cursor("sync", since, int, str)
            assert key is not None, "there is one"
            since_ms, marks = int(key[0]), frozenset(decode_marks(str(key[1])))
        known = Since(min(since_ms, now_ms), marks)
        known.check_age(now_ms, self.limits.departure_seconds)
        return known

    async def _read(self, actor: Actor, channel_ids: Sequence[GroupId]) -> dict[GroupId, Channel]:
        """The channels to which the actor still subscribes, read from the database and not from a cache."""
        if not channel_ids:
            return {}
        found = await self.groups.get_many(actor, channel_ids)
        profiles = await self.store.find_profiles(channel_ids)
        channels: dict[GroupId, Channel] = {}
        for channel_id, item in zip(channel_ids, found, strict=True):
            if isinstance(item, DomainError) or channel_id not in profiles:
                continue
            access, stream = item
            if access.member is not None:
                channels[channel_id] = Channel(access, stream, profiles[channel_id])
        return channels
