"""Checks of default channels: each belongs to a channel, and there are not more than may be."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from channels.default_channels.service.default_channels import DefaultChannelCleanup
from channels.default_channels.store import DefaultChannelStore
from channels.limits import Limits
from groups.audit.joins import look_up
from groups.kernel.clock import Clock
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_DEFAULTS: Final = "default_channels"
_NO_GUARD: Final = {"$match": {"_id": {"$gt": ""}}}


def checks(database: Database, streams: StreamService, limits: Limits, clock: Clock) -> list[Check]:
    """Return the checks of default channels."""
    cleanup = DefaultChannelCleanup(channels=DefaultChannelStore(database), clock=clock)
    audit = _Audit(database=database, cleanup=cleanup, streams=streams, limits=limits)
    return [
        Check(
            "P9",
            "default channels are channels",
            "default channels",
            lambda snapshot: snapshot.count(_DEFAULTS),
            audit.find_wrong,
        )
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    cleanup: DefaultChannelCleanup
    streams: StreamService
    limits: Limits

    async def find_wrong(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Defaults are forgotten with their channel: a later channel with the same id must be none."""
        stages: list[Document] = [
            _NO_GUARD,
            {"$project": {"_id": 1}},
            look_up("channels", "_id", "channel"),
            look_up("disbanded", "_id", "disbanded"),
            {"$match": {"channel": [], "disbanded": []}},
        ]
        async for row in snapshot.rows(_DEFAULTS, stages):
            problem = "does not exist, and is a default channel"
            repair = self._forget(GroupId(row["_id"]))
            yield Finding("P9", f"channel {row['_id']}", problem, repair)
        numbers = [
            row["number"]
            async for row in snapshot.rows(_DEFAULTS, [_NO_GUARD, {"$match": {"is_on": True}}])
        ]
        if len(numbers) > self.limits.default_channels:
            problem = (
                f"has {len(numbers)} default channels, the limit is {self.limits.default_channels}"
            )
            yield Finding("P3", "deployment", problem)
        if len(set(numbers)) < len(numbers):
            yield Finding("P3", "deployment", "two default channels have the same number")

    def _forget(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            stream_id = stream_of(channel_id)
            if await self.streams.exists(stream_id, tx):
                return None
            return "forgot it" if await self.cleanup.delete_some(stream_id, tx) else None

        return lambda: self.database.run(work)
