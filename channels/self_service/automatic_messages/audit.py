"""Checks of automatic messages: each belongs to a channel, and the consumer knows of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from channels.self_service.automatic_messages.models import Rule
from channels.self_service.automatic_messages.service import AutomaticMessageCleanup
from channels.self_service.automatic_messages.store.delivery import DeliveryStore
from channels.self_service.automatic_messages.store.rules import AutomaticMessageStore, wanting_of
from groups.audit.joins import look_up
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_RULES: Final = "automatic_messages"
_FOLLOWED: Final = "automatic_channels"
_NO_GUARD: Final[Document] = {"$match": {"_id": {"$gt": ""}}}
_OF_CHANNELS: Final = {
    _RULES: "$channel_id",
    _FOLLOWED: "$_id",
    "automatic_jobs": "$channel_id",
    "automatic_marks": "$channel_id",
}
"""The collections whose documents belong to channels, and where each has the channel's id."""


def checks(database: Database, streams: StreamService) -> list[Check]:
    """Return the checks of automatic messages."""
    rules = AutomaticMessageStore(database)
    cleanup = AutomaticMessageCleanup(rules, DeliveryStore(database))
    audit = _Audit(database=database, streams=streams, rules=rules, cleanup=cleanup)
    return [
        Check(
            "P9",
            "automatic messages belong to channels",
            "automatic messages",
            lambda snapshot: snapshot.count(_RULES),
            audit.find_without_channel,
        ),
        Check(
            "P9",
            "automatic messages are followed",
            "automatic messages",
            lambda snapshot: snapshot.count(_RULES),
            audit.find_wrong_followed,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    streams: StreamService
    rules: AutomaticMessageStore
    cleanup: AutomaticMessageCleanup

    async def find_without_channel(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """All of it is deleted with its channel: a later channel with the same id must not have it."""
        found: set[str] = set()
        for collection, channel_id in _OF_CHANNELS.items():
            stages: list[Document] = [
                _NO_GUARD,
                {"$group": {"_id": channel_id}},
                look_up("channels", "_id", "channel"),
                look_up("disbanded", "_id", "disbanded"),
                {"$match": {"channel": [], "disbanded": []}},
            ]
            found |= {row["_id"] async for row in snapshot.rows(collection, stages)}
        for channel_id in sorted(found):
            problem = "does not exist, and has automatic messages"
            yield Finding("P9", f"channel {channel_id}", problem, self._forget(GroupId(channel_id)))

    def _forget(self, channel_id: GroupId) -> Repair:
        stream_id = stream_of(channel_id)

        async def step(tx: Tx) -> int:
            if await self.streams.exists(stream_id, tx):
                return 0
            return await self.cleanup.delete_some(stream_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted} documents" if deleted else None

        return repair

    async def find_wrong_followed(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The consumer of the event log only knows what `automatic_channels` tells."""
        is_greeting: Document = {"$eq": ["$rule", Rule.GREETING.value]}
        of_rules: dict[str, tuple[bool, bool]] = {}
        stages: list[Document] = [
            {"$match": {"enabled": True}},
            {
                "$group": {
                    "_id": "$channel_id",
                    "greets": {"$max": is_greeting},
                    "answers": {"$max": {"$not": [is_greeting]}},
                }
            },
        ]
        async for row in snapshot.rows(_RULES, stages):
            of_rules[row["_id"]] = row["greets"], row["answers"]
        followed: dict[str, Any] = {
            row["_id"]: (row["greets"], row["answers"])
            async for row in snapshot.rows(_FOLLOWED, [_NO_GUARD])
        }
        for channel_id in sorted(of_rules.keys() | followed.keys()):
            if of_rules.get(channel_id) != followed.get(channel_id):
                problem = "is not followed as its automatic messages say"
                repair = self._repair_followed(GroupId(channel_id))
                yield Finding("P9", f"channel {channel_id}", problem, repair)

    def _repair_followed(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            # Changes of rules write the guard too, so one of the two runs again.
            await self.rules.touch_guard(tx)
            rules = (await self.rules.list_enabled([channel_id], tx)).get(channel_id, [])
            wanting = wanting_of(rules)
            before = (await self.rules.list_wanting(tx)).get(channel_id)
            if before == wanting or (before is None and not any(wanting)):
                return None
            await self.rules.put_wanting(channel_id, wanting, tx)
            return "stored what it does by itself"

        return lambda: self.database.run(work)
