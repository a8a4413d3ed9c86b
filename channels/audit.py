"""Checks of channels: each has a group with the marker, a stream with the flag, and a document, and is counted.

The channel's document has data that is stored nowhere else, so it decides: a group that lost its marker gets it back. A
marked group without a document is reported, not repaired.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from channels.limits import Limits
from channels.store import ChannelStore
from groups.audit.joins import with_group, with_marked_groups
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import GroupType
from groups.service.lifecycle.update import GroupChanges, UpdateService

REPAIR_ACTOR: Final = Actor(UserId("channels-verify"), is_app_admin=True)
"""Repairs act with the rights of the application."""


def checks(database: Database, updating: UpdateService, limits: Limits) -> list[Check]:
    """Return all checks of channels, in the order in which their repairs build on each other."""
    audit = _Audit(
        database=database, store=ChannelStore(database), updating=updating, limits=limits
    )
    return [
        Check(
            "P3",
            "a channel is a group that carries the marker",
            "channels",
            lambda snapshot: snapshot.count("channels"),
            audit.find_wrong_markers,
        ),
        Check(
            "P3",
            "there are as many channels as counted, and allowed",
            "channels",
            lambda snapshot: snapshot.count("channels"),
            audit.find_wrong_count,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: ChannelStore
    updating: UpdateService
    limits: Limits

    async def find_wrong_markers(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in _wrong_markers(snapshot):
            subject, channel_id = f"channel {row['_id']}", GroupId(row["_id"])
            if not row["listed"]:
                problem = "the group carries the marker, and there is no channel document"
                yield Finding("P3", subject, problem)
            elif not row["group"]:
                problem = "the channel document is left of a group that does not exist"
                yield Finding("P3", subject, problem, self._delete_document(channel_id))
            else:
                is_community = row["group"][0]["type"] == GroupType.COMMUNITY.value
                repair = self._mark_group(channel_id) if is_community else None
                yield Finding("P3", subject, "the group does not carry the marker", repair)

    def _delete_document(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            try:
                await self.updating.update_in(REPAIR_ACTOR, channel_id, GroupChanges(), tx)
            except GroupNotFound:
                deleted = await self.store.delete(channel_id, tx)
                return "deleted the channel document" if deleted else None
            return None

        return lambda: self.database.run(work)

    def _mark_group(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if await self.store.find_profile(channel_id, tx) is None:
                return None
            try:
                await self.updating.restore_marker_in(REPAIR_ACTOR, channel_id, tx)
            except GroupNotFound:
                return None
            return "marked the group again"

        return lambda: self.database.run(work)

    async def find_wrong_count(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The counter, which makes the limit of channels exact, equals the number of channels."""
        counted = 0
        async for row in snapshot.rows("counters", [{"$match": {"_id": "channels"}}]):
            counted = row["count"]
        there_are = await snapshot.count("channels")
        if counted != there_are:
            problem = f"counted {counted} channels, there are {there_are}"
            yield Finding("P3", "deployment", problem, self._recount())
        if there_are > self.limits.channels:
            problem = f"has {there_are} channels, the limit is {self.limits.channels}"
            yield Finding("P3", "deployment", problem)

    def _recount(self) -> Repair:
        async def work(tx: Tx) -> str | None:
            before, after = await self.store.recount(tx)
            return f"set the counter from {before} to {after}" if before != after else None

        return lambda: self.database.run(work)


def _wrong_markers(snapshot: Snapshot) -> AsyncIterator[Document]:
    """Channels without marker, and marked groups without channel: `listed`, `marked`, `group` (none or one)."""
    return snapshot.rows(
        "channels",
        [
            {"$project": {"listed": {"$literal": 1}}},
            with_marked_groups(),
            {
                "$group": {
                    "_id": "$_id",
                    "listed": {"$max": "$listed"},
                    "marked": {"$max": "$marked"},
                }
            },
            {"$match": {"$expr": {"$ne": ["$listed", "$marked"]}}},
            *with_group(),
        ],
    )
