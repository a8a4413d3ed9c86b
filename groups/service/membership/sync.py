"""The changes among a user's channels and groups since an instant, for a device that was offline.

A change carries the clock of the process that made it, and is visible once committed, possibly after another change
with a later time. So a reader asks from `OVERLAP` before its last read: a transaction lives at most 60 seconds
(MongoDB's `transactionLifetimeLimitSeconds`), and the clocks of the servers may differ by as much again. The reader
recognises by its mark what it reads twice.

The order of the queries matters, because others write meanwhile: first the user's memberships, then the departures. A
membership that ends in between is found as one or the other, never as neither. A departure counts only if no membership
is found after it: clocks do not decide whether leaving or joining again was last.

Disbanding a group writes nothing for its members at that moment. They learn of it from their memberships, which exist
until the cleanup deletes them; each step of it stores departures with the time of the group's end.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from groups.kernel.ids import GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Changed, Database, Tx
from groups.limits import GroupLimits
from groups.models import Departure, DepartureKind, DepartureReason, MembershipRow
from groups.store.changes import ChangeStore, ProfileVersion, departure_key
from groups.store.groups import GroupStore

OVERLAP: Final = timedelta(seconds=120)
MARK_BYTES: Final = 6
"""48 bits: of a hundred marks one is mistaken for another once in 10^12 readings."""


EndedKey = tuple[GroupId, bool]
"""A group, and whether it is about the user's dialogue with it instead of their membership."""


class SyncItem(NamedTuple):
    """A channel that changed or that the user is no longer in; the same state has the same `mark`."""

    group_id: GroupId
    mark: bytes
    at_ms: int
    departure: Departure | None


class SyncPage(NamedTuple):
    """Changes by channel id. There may be more behind `horizon`, unless that is None."""

    items: list[SyncItem]
    horizon: GroupId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeReader:
    """Reads facts about a user's own channels; the caller checks what the user may see of each."""

    changes: ChangeStore

    async def list_memberships(self, user_id: UserId) -> dict[GroupId, MembershipRow]:
        return await self.changes.list_memberships(user_id)

    async def list_changes(
        self, user_id: UserId, since: datetime, *, after: str, most_departures: int
    ) -> SyncPage:
        """The changes at or after the instant, behind `after`: of profiles, of the user's memberships, departures.

        The same few queries for any size of the channels; they read the user's memberships, whose number is limited.
        """
        memberships = await self.changes.list_memberships(user_id)
        memberships = {i: memberships[i] for i in memberships if i > after}
        ended = await self.changes.find_ended(memberships, since) if memberships else {}
        departures = await self.changes.list_departures(
            user_id, since, after=after, limit=most_departures
        )
        horizon = departures[-1].group_id if len(departures) == most_departures else None
        rejoined = await self.changes.find_memberships(user_id, [d.group_id for d in departures])
        rejoined = {i: rejoined[i] for i in rejoined if i not in ended}
        departed = {d.group_id: d for d in departures if d.group_id not in rejoined}
        for group_id, at in ended.items():
            departed[group_id] = Departure(group_id, user_id, DepartureReason.DELETED, at)
        present = {i: m for i, m in (memberships | rejoined).items() if i not in departed}
        items = await self.changes_of(user_id, present, since, also=rejoined)
        items += [_item_of_departure(departure) for departure in departed.values()]
        items.sort()
        if horizon is not None:
            items = [item for item in items if item.group_id <= horizon]
        return SyncPage(items, horizon)

    async def changes_of(
        self,
        user_id: UserId,
        memberships: dict[GroupId, MembershipRow],
        since: datetime,
        *,
        also: dict[GroupId, MembershipRow] | None = None,
    ) -> list[SyncItem]:
        """The channels among these that changed at or after the instant, or whose membership did, in no order.

        A hidden one is a departure.
        """
        if not memberships:
            return []
        since_ms = round(since.timestamp() * 1000)
        moved = {i for i, one in memberships.items() if one.changed_ms >= since_ms} | {
            *(also or {})
        }
        versions = await self.changes.find_versions(memberships, since, moved)
        return [
            _item_of_membership(memberships[group_id], version)
            if version.hidden_at is None
            else _item_of_departure(
                Departure(group_id, user_id, DepartureReason.DELETED, version.hidden_at)
            )
            for group_id, version in versions.items()
        ]

    def query_memberships(
        self, user_ids: Collection[UserId], since: datetime, *, with_times: bool
    ) -> BatchedQuery[dict[UserId, Changed[StreamId, MembershipRow]]]:
        """All memberships of the users and which of them changed, to send together with other queries."""
        return self.changes.query_memberships(user_ids, since, with_times=with_times)

    def query_departures(
        self, user_id: UserId, since: datetime, *, after: str, limit: int
    ) -> BatchedQuery[list[Departure]]:
        """The user's departures since the instant by `departure_key`; sent after `query_memberships`."""
        return self.changes.query_departures(user_id, since, after=after, limit=limit)

    def query_departures_of_users(
        self, user_ids: Collection[UserId], since: datetime, *, limit: int
    ) -> BatchedQuery[list[Departure]]:
        """As `query_departures` of several users, of whom none has any `after`; with `limit` rows, some may lack."""
        return self.changes.query_departures_of_users(user_ids, since, limit=limit)

    def query_versions(
        self, group_ids: Collection[GroupId], since: datetime
    ) -> BatchedQuery[dict[GroupId, ProfileVersion]]:
        """The groups among these whose profile changed since the instant."""
        return self.changes.query_versions(group_ids, since)

    async def find_ends(
        self, database: Database, user_id: UserId, ended: Collection[EndedKey], since: datetime
    ) -> list[Departure]:
        """The ends since the instant of what the user had a moment ago in groups that no longer exist, or are hidden.

        Until the cleanup of a group reaches the user, there is no departure; afterwards there is nothing else. So the
        remains of the group are read first.
        """
        of_groups = self.changes.query_ended({group_id for group_id, _ in ended}, since)
        keys = [departure_key(group_id, is_dialogue=is_dialogue) for group_id, is_dialogue in ended]
        of_user = self.changes.query_departures_of(user_id, keys, since)
        of_hidden = self.changes.query_hidden({group_id for group_id, _ in ended}, since)
        await database.fetch_together(of_groups, of_user, of_hidden)
        found = {
            (departure.group_id, departure.kind is DepartureKind.DIALOGUE): departure
            for departure in of_user.result
        }
        for group_id, is_dialogue in ended:
            if group_id in of_groups.result:
                at, was_channel = of_groups.result[group_id]
                kind = (
                    DepartureKind.DIALOGUE
                    if is_dialogue
                    else DepartureKind.CHANNEL
                    if was_channel
                    else DepartureKind.GROUP
                )
                found[group_id, is_dialogue] = Departure(
                    group_id, user_id, DepartureReason.DELETED, at, kind
                )
            elif group_id in of_hidden.result:
                # A hidden channel is as if deleted, and comes back as a change of its profile.
                at = of_hidden.result[group_id]
                kind = DepartureKind.DIALOGUE if is_dialogue else DepartureKind.CHANNEL
                found[group_id, is_dialogue] = Departure(
                    group_id, user_id, DepartureReason.DELETED, at, kind
                )
        return list(found.values())

    async def list_departures(
        self, user_id: UserId, since: datetime, *, limit: int
    ) -> list[SyncItem]:
        """The channels that the user left or lost since the instant, except those whose cleanup has not come so far."""
        departures = await self.changes.list_departures(user_id, since, after="", limit=limit)
        return [_item_of_departure(departure) for departure in departures]


@dataclass(frozen=True, kw_only=True, slots=True)
class DepartureLog:
    """Stores departures for packages above."""

    changes: ChangeStore
    groups: GroupStore
    limits: GroupLimits

    async def record_ended_dialogue(
        self, channel_id: GroupId, user_id: UserId, now: datetime, tx: Tx
    ) -> None:
        """Record that a user's dialogue with a deleted channel ended, with the time at which the channel did."""
        ended = await self.groups.find_disbanded(channel_id, tx)
        at = ended.at if ended is not None else now
        kind, reason = DepartureKind.DIALOGUE, DepartureReason.DELETED
        departure = Departure(channel_id, user_id, reason, at, kind)
        self.changes.put_departures([departure], expiry_of(at, self.limits), tx)


def expiry_of(at: datetime, limits: GroupLimits) -> datetime:
    """When to delete a departure of this instant: once no accepted token can ask for it any more."""
    return at + timedelta(seconds=limits.departure_seconds) + OVERLAP


def _item_of_membership(membership: MembershipRow, version: ProfileVersion) -> SyncItem:
    at_ms = max(membership.changed_ms, version.changed_ms)
    mark = mark_of(membership.group_id, version.version, membership.joined_ms, membership.role)
    return SyncItem(membership.group_id, mark, at_ms, None)


def _item_of_departure(departure: Departure) -> SyncItem:
    at_ms = round(departure.at.timestamp() * 1000)
    mark = mark_of(departure.group_id, at_ms, departure.reason.value)
    return SyncItem(departure.group_id, mark, at_ms, departure)


def order_of(group_id: str, *, is_dialogue: bool) -> str:
    """The place among a user's changes of their membership in a group, or of their dialogue with it or with a user."""
    return departure_key(group_id, is_dialogue=is_dialogue)


def mark_of(*state: str | int) -> bytes:
    """The mark of a state: the same for the same state."""
    return hashlib.blake2b(join_key(*state).encode(), digest_size=MARK_BYTES).digest()
