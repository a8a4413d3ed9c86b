"""What changed for a user among his channels since an instant, for a device that was away.

Changes carry the clock of the process that made them and are seen once committed, which may be later than another's
that carries a later one. So a reader asks from `OVERLAP` before he last read: a transaction lives 60 seconds at most
(MongoDB's `transactionLifetimeLimitSeconds`), and the clocks of the servers may differ by as much again. What he is
told twice thereby he knows by its mark.

The order of reading matters, for others write meanwhile: first the user's places, then what ended. A membership whose
end is committed in between is thus found as one or the other, never as neither. A departure is believed only where no
place is found after it: clocks do not decide whether leaving or coming back was the last.

A channel that ends costs nothing for its subscribers at that moment: they hear of it by their places, which are there
until they are cleared away step by step, and each step leaves their departures, dated as the end was.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, UserId, join_key
from groups.limits import GroupLimits
from groups.models import Departure, DepartureReason
from groups.store.changes import ChangeStore, ProfileVersion, SyncMembership

OVERLAP: Final = timedelta(seconds=120)
MARK_BYTES: Final = (
    6  # 48 bits: of a hundred marks one is mistaken for another once in 10^12 readings
)


class SyncItem(NamedTuple):
    """A channel that changed, or that the user is no longer in; `mark` is the same for the same state."""

    group_id: GroupId
    mark: bytes
    at_ms: int
    departure: Departure | None


class SyncPage(NamedTuple):
    """Changes by channel id; behind `horizon`, where that is not None, there may be more."""

    found: list[SyncItem]
    horizon: GroupId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeReader:
    """Reads bare facts about a user's own channels; what he may see of each is asked by whoever shows it."""

    changes: ChangeStore

    async def list_memberships(self, user_id: UserId) -> dict[GroupId, SyncMembership]:
        """All memberships of the user, in whatever groups."""
        return await self.changes.list_memberships(user_id)

    async def list_changes(
        self, user_id: UserId, since: datetime, *, after: str, most_departures: int
    ) -> SyncPage:
        """What changed at or after the instant, behind `after`: profiles, the user's own place, what he is gone from.

        The same few queries, whatever the size of the channels; they look at the user's places, which are bounded.
        """
        memberships = {
            group_id: membership
            for group_id, membership in (await self.changes.list_memberships(user_id)).items()
            if group_id > after
        }
        ended = await self.changes.find_ended(memberships, since) if memberships else {}
        left = await self.changes.list_departures(
            user_id, since, after=after, limit=most_departures
        )
        horizon = left[-1].group_id if len(left) == most_departures else None
        back = await self.changes.find_memberships(user_id, [one.group_id for one in left])
        back = {
            group_id: membership for group_id, membership in back.items() if group_id not in ended
        }
        gone = {one.group_id: one for one in left if one.group_id not in back}
        for group_id, at in ended.items():
            gone[group_id] = Departure(group_id, user_id, DepartureReason.DELETED, at)
        here = {i: membership for i, membership in (memberships | back).items() if i not in gone}
        found = await self.changes_of(here, since, also=back)
        found += [_gone(one) for one in gone.values()]
        found.sort()
        if horizon is not None:
            found = [change for change in found if change.group_id <= horizon]
        return SyncPage(found, horizon)

    async def changes_of(
        self,
        memberships: dict[GroupId, SyncMembership],
        since: datetime,
        *,
        also: dict[GroupId, SyncMembership] | None = None,
    ) -> list[SyncItem]:
        """The channels among these places that changed at or after the instant, or whose place did; in no order."""
        since_ms = round(since.timestamp() * 1000)
        moved = {
            i for i, membership in memberships.items() if membership.changed_ms >= since_ms
        } | {*(also or {})}
        versions = (
            await self.changes.find_versions(memberships, since, moved) if memberships else {}
        )
        return [_changed(memberships[group_id], version) for group_id, version in versions.items()]

    async def list_departures(
        self, user_id: UserId, since: datetime, *, limit: int
    ) -> list[SyncItem]:
        """What the user is gone from since the instant, as far as it was cleared away."""
        left = await self.changes.list_departures(user_id, since, after="", limit=limit)
        return [_gone(one) for one in left]


def expiry_of(at: datetime, limits: GroupLimits) -> datetime:
    """When a departure of this instant is forgotten: after the last token that might ask for it was refused."""
    return at + timedelta(seconds=limits.departure_seconds) + OVERLAP


def _changed(membership: SyncMembership, version: ProfileVersion) -> SyncItem:
    at_ms = max(membership.changed_ms, version.changed_ms)
    mark = _mark(membership.group_id, version.version, membership.joined_ms, membership.role)
    return SyncItem(membership.group_id, mark, at_ms, None)


def _gone(departure: Departure) -> SyncItem:
    at_ms = round(departure.at.timestamp() * 1000)
    mark = _mark(departure.group_id, at_ms, departure.reason.value)
    return SyncItem(departure.group_id, mark, at_ms, departure)


def _mark(*state: str | int) -> bytes:
    return hashlib.blake2b(join_key(*state).encode(), digest_size=MARK_BYTES).digest()
