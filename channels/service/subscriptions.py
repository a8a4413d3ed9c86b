"""The channels that a user subscribes to: all of them, or what changed while his device was away.

Promises:
    Nothing is missed: with the `sync_token` of a list a device is told every change committed since that list was
    read, and every end. It asks from a little before (`membership.sync`); the token holds the marks of what was
    told of that time, so that it is told once. Marks that do not fit any more are left out: their changes come again.
    Current: a channel is shown as it is now, at least as new as the change for which it is listed.
    Bounded: of a user's channels, never of their subscribers. A device that was away for longer than departures are
    remembered is refused, and lists everything anew.

What moves with each post and each subscriber (`head_seq`, `last_post`, `subscriber_count`) is no change.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from channels.errors import SyncTokenExpired
from channels.limits import Limits
from channels.models import Channel, size_of
from channels.store import ChannelStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import BadCursor, DomainError
from groups.kernel.ids import GroupId
from groups.kernel.paging import count_fitting, cut_page, decode_cursor, encode_cursor
from groups.models import Departure, stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.lifecycle.reader import GroupReader
from groups.service.membership.sync import MARK_BYTES, OVERLAP, ChangeReader, SyncItem

MARKS: Final = 64  # in a token or cursor, which thereby stay below 1,000 characters
_SMALL: Final = 300  # bytes of JSON of an end, which holds two ids
_OVERLAP_MS: Final = round(OVERLAP.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A page of channels and ends by id; `sync_token` asks for what changed since, once the last page is read."""

    items: Sequence[Channel | Departure]
    next_cursor: str | None
    sync_token: str | None


@dataclass(slots=True)
class _Reading:
    """One reading of a list, page by page: where it is, when it began, what was told that the next may find again."""

    name: str
    after: str
    started_ms: int
    marks: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, cursor: str | None, now: datetime) -> "_Reading":
        """The reading that the cursor goes on with, or a new one. Raises: BadCursor."""
        key = decode_cursor(name, cursor, str, int, str)
        if key is None:
            return cls(name, "", _milliseconds(now))
        return cls(name, str(key[0]), int(key[1]), _unpacked(str(key[2])))

    @property
    def next_since_ms(self) -> int:
        """From when the next reading asks."""
        return self.started_ms - _OVERLAP_MS

    def told(self, change: SyncItem) -> None:
        """Note what the next reading would find again."""
        if change.at_ms >= self.next_since_ms and len(self.marks) < MARKS:
            self.marks.append(change.mark)

    def page(
        self, items: Sequence[Channel | Departure], *, has_more: bool, last: str
    ) -> Subscribed:
        """The page of these items, the list's last if there are no more."""
        packed = _packed(self.marks)
        if has_more:
            cursor = encode_cursor(self.name, last, self.started_ms, packed)
            return Subscribed(items, cursor, None)
        return Subscribed(items, None, encode_cursor("sync", self.next_since_ms, packed))


class Subscriptions:
    """Lists of a user's own channels."""

    def __init__(
        self,
        store: ChannelStore,
        groups: GroupReader,
        memberships: MembershipReader,
        changes: ChangeReader,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._store = store
        self._groups = groups
        self._memberships = memberships
        self._changes = changes
        self._limits = limits
        self._clock = clock

    async def list_all(self, actor: Actor, *, limit: int, cursor: str | None) -> Subscribed:
        """A page of the channels that the actor subscribes to, by id.

        Raises: BadCursor.
        """
        reading = _Reading.of("subscribed", cursor, self._clock.now())
        since = _instant(reading.next_since_ms)
        if cursor is None:
            # What he was gone from already is not in the list, so the next reading need not tell it.
            for gone in await self._changes.list_departures(actor.user_id, since, limit=MARKS):
                reading.told(gone)
        places = await self._changes.list_memberships(actor.user_id)
        heads = await self._memberships.find_heads([stream_of(group_id) for group_id in places])
        ids = sorted(
            group_id
            for group_id in places
            if group_id > reading.after
            and (head := heads.get(stream_of(group_id))) is not None
            and head.is_channel
        )
        page, has_more = cut_page(ids, limit)
        # Before the channels are read: what is shown is as new as its mark, or newer.
        changes = await self._changes.changes_of({i: places[i] for i in page}, since)
        channels = list((await self._read(actor, page)).values())
        last = page[-1] if page else ""
        fitting = count_fitting(map(size_of, channels))
        if fitting < len(channels):
            channels = channels[:fitting]
            has_more, last = True, channels[-1].channel_id
        for change in changes:
            if change.group_id <= last:
                reading.told(change)
        return reading.page(channels, has_more=has_more, last=last)

    async def list_changed(
        self, actor: Actor, since: str, *, limit: int, cursor: str | None
    ) -> Subscribed:
        """A page of what changed since a token, or an instant (RFC 3339): channels as they are now, and ends.

        Raises: BadCursor; SyncTokenExpired.
        """
        now = self._clock.now()
        since_ms, known = self._parsed(since, now)
        reading = _Reading.of("subscribed-changes", cursor, now)
        changes = await self._changes.list_changes(
            actor.user_id,
            _instant(since_ms),
            after=reading.after,
            most_departures=limit + 1 + MARKS,
        )
        news = [change for change in changes.items if change.mark not in known][:limit]
        shown = await self._read(actor, [one.group_id for one in news if one.departure is None])
        # Who left a moment ago is told so by the next reading.
        items = [change.departure or shown.get(change.group_id) for change in news]
        fitting = count_fitting(
            size_of(item) if isinstance(item, Channel) else _SMALL for item in items
        )
        has_more = changes.horizon is not None
        last: str = changes.horizon or reading.after
        done: str = reading.after
        told = 0
        for change in changes.items:
            is_known = change.mark in known
            if not is_known and told == fitting:
                has_more, last = True, done
                break
            reading.told(change)
            done = change.group_id
            told += not is_known
        page = [item for item in items[:fitting] if item is not None]
        return reading.page(page, has_more=has_more, last=last)

    def _parsed(self, since: str, now: datetime) -> tuple[int, set[bytes]]:
        """From when to ask, in milliseconds, and the marks of what was told of the time after that."""
        now_ms = _milliseconds(now)
        known: set[bytes] = set()
        if since[:1].isdigit():
            try:
                instant = datetime.fromisoformat(since)
                since_ms = _milliseconds(instant) - _OVERLAP_MS
            except (ValueError, OverflowError):
                raise BadCursor("Neither a sync_token nor an instant") from None
            if instant.tzinfo is None:
                raise BadCursor("An instant needs a zone: 2026-01-31T12:00:00Z")
        else:
            key = decode_cursor("sync", since, int, str)
            assert key is not None, "there is one"
            since_ms, known = int(key[0]), set(_unpacked(str(key[1])))
        if since_ms + _OVERLAP_MS < now_ms - self._limits.departure_seconds * 1000:
            raise SyncTokenExpired
        return min(since_ms, now_ms), known

    async def _read(self, actor: Actor, channel_ids: Sequence[GroupId]) -> dict[GroupId, Channel]:
        """Those of the channels that the actor is in, past all caches."""
        if not channel_ids:
            return {}
        found = await self._groups.get_many(actor, channel_ids)
        extras = await self._store.find_many(channel_ids)
        channels: dict[GroupId, Channel] = {}
        for channel_id, item in zip(channel_ids, found, strict=True):
            if isinstance(item, DomainError) or channel_id not in extras:
                continue
            access, stream = item
            if access.member is not None:
                channels[channel_id] = Channel(access, stream, extras[channel_id])
        return channels


def _packed(marks: Iterable[bytes]) -> str:
    return base64.urlsafe_b64encode(b"".join(marks)).decode()


def _unpacked(text: str) -> list[bytes]:
    try:
        joined = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadCursor from None
    return [joined[i : i + MARK_BYTES] for i in range(0, len(joined), MARK_BYTES)]


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a forged cursor
        raise BadCursor from None
