"""Checks of tags: the counts of a channel are true, and tags belong to subscriptions.

What a subscription that ended leaves is deleted a moment later, by a consumer of the event log. So rows of users who
left in the last minutes are passed over.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from channels.subscriber_tags.service.departures import DepartureCleanup, SubscriberTagCleanup
from channels.subscriber_tags.service.tags import tags_lock
from channels.subscriber_tags.store import SubscriberTagStore
from groups.audit.joins import joined, look_up, merged, union
from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.messages.stream import StreamService

_ROWS: Final = "subscriber_tags"
_GRACE: Final = timedelta(minutes=5)
_NOT_ENDED: Final[list[dict[str, Any]]] = [
    look_up("disbanded", "channel_id", "disbanded"),
    {"$match": {"disbanded": []}},
]


def checks(
    database: Database, memberships: MembershipReader, streams: StreamService, clock: Clock
) -> list[Check]:
    """Return the checks of tags, in the order in which their repairs build on each other."""
    audit = _Audit(
        database=database,
        store=SubscriberTagStore(database),
        memberships=memberships,
        streams=streams,
        clock=clock,
    )
    return [
        Check(
            "P9",
            "tags belong to subscriptions",
            "tagged subscribers",
            lambda snapshot: snapshot.count(_ROWS),
            audit.find_rows_without_subscription,
        ),
        Check(
            "P4",
            "each tag is counted",
            "channels with tags",
            lambda snapshot: snapshot.count("subscriber_tag_counts"),
            audit.find_wrong_counts,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: SubscriberTagStore
    memberships: MembershipReader
    streams: StreamService
    clock: Clock

    async def find_rows_without_subscription(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """A row of an earlier subscription shows nothing, and would stay for ever."""
        recent = self.clock.now() - _GRACE
        rows = snapshot.rows(
            _ROWS,
            [
                *_NOT_ENDED,
                look_up("members", "_id", "member"),
                {"$set": {"joined_at": {"$first": "$member.joined_at"}}},
                {
                    "$match": {
                        "$expr": {
                            "$ne": [
                                {"$ifNull": [{"$toLong": "$joined_at"}, None]},
                                {"$toLong": "$joined_ms"},
                            ]
                        }
                    }
                },
                {"$set": {"departure": joined("$user_id", "$channel_id")}},
                look_up("departures", "departure", "departure"),
                {"$match": {"departure.at": {"$not": {"$gte": recent}}}},
                {"$match": {"joined_at": {"$not": {"$gte": recent}}}},
                {"$project": {"channel_id": 1, "user_id": 1}},
            ],
        )
        async for row in rows:
            subject = f"tags of {row['user_id']} in {row['channel_id']}"
            repair = self._delete(GroupId(row["channel_id"]), UserId(row["user_id"]))
            yield Finding("P9", subject, "are of no subscription", repair)

    def _delete(self, channel_id: GroupId, user_id: UserId) -> Repair:
        cleanup = DepartureCleanup(store=self.store, memberships=self.memberships)

        async def work(tx: Tx) -> str | None:
            if not await self.streams.exists(stream_of(channel_id), tx):
                of_channel = SubscriberTagCleanup(self.store)
                deleted = await of_channel.delete_some(stream_of(channel_id), tx)
                return "deleted tags of the channel" if deleted else None
            stale = await cleanup.delete_stale(channel_id, {user_id}, tx)
            return "deleted them" if stale else None

        return lambda: self.database.run(work, tags_lock(channel_id))

    async def find_wrong_counts(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The counts make the limit exact, and tell how large a segment is."""
        rows = snapshot.rows(
            _ROWS,
            [
                *_NOT_ENDED,
                {"$unwind": "$tags"},
                {"$group": {"_id": {"c": "$channel_id", "t": "$tags"}, "there": {"$sum": 1}}},
                union(
                    "subscriber_tag_counts",
                    look_up("disbanded", "_id", "disbanded"),
                    {"$match": {"disbanded": []}},
                    {"$unwind": "$counts"},
                    {
                        "$project": {
                            "_id": {"c": "$_id", "t": "$counts.tag"},
                            "counted": "$counts.n",
                        }
                    },
                ),
                merged("there", "counted"),
                {
                    "$match": {
                        "$expr": {
                            "$ne": [
                                {"$ifNull": ["$there", 0]},
                                {"$ifNull": ["$counted", 0]},
                            ]
                        }
                    }
                },
            ],
        )
        async for row in rows:
            channel_id, tag = GroupId(row["_id"]["c"]), row["_id"]["t"]
            problem = f"counts {row['counted'] or 0} subscribers, there are {row['there'] or 0}"
            subject = f"tag {tag!r} of {channel_id}"
            yield Finding("P4", subject, problem, self._recount(channel_id))

    def _recount(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            before = await self.store.find_counts(channel_id, tx)
            after, last = Counter[str](), ""
            # A repair: it may read all rows of the channel in one transaction.
            while rows := await self.store.list_all(channel_id, after=last, limit=5_000, tx=tx):
                for row in rows:
                    after.update(row.tags)
                last = rows[-1].user_id
            if before == dict(after):
                return None
            await self.store.put_counts(channel_id, after, tx)
            return "counted them again"

        return lambda: self.database.run(work, tags_lock(channel_id))
