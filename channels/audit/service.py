"""What stored channels must fulfil, and how they are set right.

The channel's document is the one that holds what nothing else knows, so it decides: a group that lost its marker gets
it back, while a marked group without document is told and left alone.
"""

from collections.abc import AsyncIterator
from typing import Final

from channels.audit.store import ChannelAuditStore
from channels.limits import Limits
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.audit import Check, Finding, Repair
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import GroupType
from groups.service.lifecycle.update import GroupChanges, UpdateService

REPAIR_ACTOR: Final = Actor(UserId("channels-verify"), is_app_admin=True)
"""Whoever repairs acts for the application."""


def checks(database: Database, updates: UpdateService, limits: Limits) -> list[Check]:
    """All checks of channels, in the order in which their repairs build on each other."""
    audit = _Audit(database, ChannelAuditStore(database), updates, limits)
    return [
        Check(
            "P3",
            "a channel is a group that carries the marker",
            "channels",
            lambda snapshot: snapshot.number("channels"),
            audit.marks,
        ),
        Check(
            "P3",
            "there are as many channels as counted, and allowed",
            "channels",
            lambda snapshot: snapshot.number("channels"),
            audit.counter,
        ),
    ]


class _Audit:
    def __init__(
        self, database: Database, store: ChannelAuditStore, updates: UpdateService, limits: Limits
    ) -> None:
        self._database = database
        self._store = store
        self._updating = updates
        self._limits = limits

    async def marks(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Channel documents and marked groups one to one."""
        async for row in self._store.crooked(snapshot):
            subject, channel_id = f"channel {row['_id']}", GroupId(row["_id"])
            if not row["listed"]:
                problem = "the group carries the marker, and there is no channel document"
                yield Finding("P3", subject, problem)
            elif not row["group"]:
                problem = "the channel document is left of a group that does not exist"
                yield Finding("P3", subject, problem, self._deleting(channel_id))
            else:
                is_community = row["group"][0]["type"] == GroupType.COMMUNITY.value
                repair = self._marking(channel_id) if is_community else None
                yield Finding("P3", subject, "the group does not carry the marker", repair)

    def _deleting(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            try:
                await self._updating.update_in(REPAIR_ACTOR, channel_id, GroupChanges(), tx)
            except GroupNotFound:
                deleted = await self._store.delete(channel_id, tx)
                return "deleted the channel document" if deleted else None
            return None

        return lambda: self._database.run(work)

    def _marking(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if not await self._store.is_listed(channel_id, tx):
                return None
            try:
                await self._updating.mark_in(REPAIR_ACTOR, channel_id, GroupChanges(), tx)
            except GroupNotFound:
                return None
            return "marked the group again"

        return lambda: self._database.run(work)

    async def counter(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The counter that makes the limit of channels exact."""
        counted = await self._store.counted(snapshot)
        there_are = await snapshot.number("channels")
        if counted != there_are:
            problem = f"counted {counted} channels, there are {there_are}"
            yield Finding("P3", "deployment", problem, self._recounting())
        if there_are > self._limits.channels:
            problem = f"has {there_are} channels, the limit is {self._limits.channels}"
            yield Finding("P3", "deployment", problem)

    def _recounting(self) -> Repair:
        async def work(tx: Tx) -> str | None:
            before, after = await self._store.recount(tx)
            return f"set the counter from {before} to {after}" if before != after else None

        return lambda: self._database.run(work)
