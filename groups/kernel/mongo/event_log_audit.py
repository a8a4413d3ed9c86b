"""What the checks of the event log read: positions, consumers, and events without a position."""

from collections.abc import AsyncIterator
from typing import Final

from bson import Timestamp

from groups.kernel.mongo.driver import Document
from groups.kernel.mongo.event_log import CONSUMERS, HAS_POSITION, SEQUENCER
from groups.kernel.mongo.outbox import OUTBOX
from groups.kernel.mongo.snapshot import Snapshot
from groups.kernel.mongo.uncounted import SEQUENCED_AT

_POSITIONS: Final[list[Document]] = [{"$match": HAS_POSITION}, {"$sort": {"position": 1}}]


async def count_positions(snapshot: Snapshot) -> int:
    """The transactions that the log holds."""
    return await snapshot.count(OUTBOX, [{"$match": HAS_POSITION}])


async def find_head(snapshot: Snapshot) -> int:
    """The last position that was given; 0 where there is none."""
    async for row in snapshot.rows(CONSUMERS, [{"$match": {"_id": SEQUENCER}}]):
        return int(row["position"])
    return 0


async def find_last(snapshot: Snapshot) -> int:
    """The highest position in the log; 0 where it holds none."""
    last: list[Document] = [{"$match": HAS_POSITION}, {"$sort": {"position": -1}}, {"$limit": 1}]
    async for row in snapshot.rows(OUTBOX, [*last, {"$project": {"position": 1}}]):
        return int(row["position"])
    return 0


async def gaps(snapshot: Snapshot) -> AsyncIterator[tuple[int, int]]:
    """Each position that does not follow the one before: the two, in order. They are the same where it is twice."""
    before: Document = {"$shift": {"output": "$position", "by": -1}}
    async for row in snapshot.rows(
        OUTBOX,
        [
            *_POSITIONS,
            {"$project": {"_id": 0, "position": 1}},
            {"$setWindowFields": {"sortBy": {"position": 1}, "output": {"before": before}}},
            {"$match": {"before": {"$ne": None}}},
            {"$match": {"$expr": {"$ne": ["$position", {"$add": ["$before", 1]}]}}},
        ],
    ):
        yield int(row["before"]), int(row["position"])


async def consumers(snapshot: Snapshot) -> AsyncIterator[tuple[str, int]]:
    """The active consumers, and how far each has come."""
    async for row in snapshot.rows(CONSUMERS, [{"$match": {"_id": {"$ne": SEQUENCER}}}]):
        yield str(row["_id"]), int(row["position"])


async def passed_over(snapshot: Snapshot, seconds: int) -> AsyncIterator[str]:
    """The ids of documents without a position that were stored so long before the last position was given."""
    given_at: Document = {"$ifNull": ["$at", f"${SEQUENCED_AT}"]}
    newest = 0
    last: list[Document] = [{"$match": HAS_POSITION}, {"$sort": {"position": -1}}, {"$limit": 1}]
    async for row in snapshot.rows(OUTBOX, [*last, {"$project": {"at": given_at}}]):
        newest = int(row["at"].timestamp())
    if newest <= seconds:
        return
    match: Document = {"stored": {"$exists": True, "$lt": Timestamp(newest - seconds, 0)}}
    async for row in snapshot.rows(OUTBOX, [{"$match": match}, {"$project": {"_id": 1}}]):
        yield str(row["_id"])
