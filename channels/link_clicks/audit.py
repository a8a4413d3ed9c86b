"""The check of clicks: each belongs to a post."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from channels.link_clicks.store import ClickStore
from groups.audit.joins import without_message
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import split_message_key
from groups.service.messages.stream import StreamService

_CLICKS: Final = "link_clicks"


def checks(database: Database, streams: StreamService) -> list[Check]:
    """Return the check of clicks."""
    audit = _Audit(database=database, store=ClickStore(database), streams=streams)
    return [
        Check(
            "P4",
            "clicks are on links of posts",
            "links",
            lambda snapshot: snapshot.count(_CLICKS),
            audit.find_wrong,
        )
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: ClickStore
    streams: StreamService

    async def find_wrong(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        parts: Document = {"$split": ["$_id", SEPARATOR]}
        of_message = {
            "$concat": [{"$first": parts}, SEPARATOR, {"$arrayElemAt": [parts, 1]}],
        }
        stages: list[Document] = [
            {"$project": {"_id": of_message, "key": "$_id"}},
            *without_message(),
        ]
        async for row in snapshot.rows(_CLICKS, stages):
            stream_id, seq = split_message_key(row["_id"])
            problem = "does not exist, and has clicks on a link"
            # If the stream exists, the message is missing (P2), and a backup may bring it back.
            repair = None if row["stream"] else self._delete(row["key"])
            yield Finding("P4", f"message {seq} of {stream_id}", problem, repair)

    def _delete(self, key: str) -> Repair:
        stream_id, _ = split_message_key(key.rpartition(SEPARATOR)[0])

        async def work(tx: Tx) -> str | None:
            if await self.streams.exists(stream_id, tx):
                return None
            return "deleted the clicks" if await self.store.delete(key, tx) else None

        return lambda: self.database.run(work)
