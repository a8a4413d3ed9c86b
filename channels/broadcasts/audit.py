"""Checks of broadcasts: nobody has a message of one twice, and they count what they sent.

Messages may be fewer than a broadcast counts, since users and channels may be deleted later. They are never more.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from groups.audit.joins import look_up, not_of_ended_channel
from groups.kernel.data_checks import Check, Finding
from groups.kernel.mongo.snapshot import Snapshot

HOLDER: Final = "broadcasts"
"""The collection whose documents have a `content` like messages, with uploads that count as used."""

_MESSAGES: Final[dict[str, Any]] = {"$match": {"broadcast_id": {"$exists": True}}}


def checks() -> list[Check]:
    """Return the checks of broadcasts. Nothing else tells what is right, so there are no repairs."""
    return [
        Check(
            "P6",
            "nobody gets a broadcast twice",
            "messages of broadcasts",
            lambda snapshot: snapshot.count("messages", [_MESSAGES]),
            _find_twice,
        ),
        Check(
            "P4",
            "a broadcast counts whom it reached, and whom not",
            "broadcasts",
            lambda snapshot: snapshot.count(HOLDER),
            _find_wrong_counts,
        ),
        Check(
            "P9",
            "broadcasts and opt-outs belong to channels",
            "opt-outs",
            lambda snapshot: snapshot.count("broadcast_opt_outs"),
            _find_without_channel,
        ),
    ]


async def _find_twice(snapshot: Snapshot) -> AsyncIterator[Finding]:
    rows = snapshot.rows(
        "messages",
        [
            _MESSAGES,
            {
                "$group": {
                    "_id": {"stream": "$stream_id", "broadcast": "$broadcast_id"},
                    "n": {"$sum": 1},
                }
            },
            {"$match": {"n": {"$gt": 1}}},
        ],
    )
    async for row in rows:
        subject = f"broadcast {row['_id']['broadcast']} in {row['_id']['stream']!r}"
        yield Finding("P6", subject, f"was sent {row['n']} times")


async def _find_wrong_counts(snapshot: Snapshot) -> AsyncIterator[Finding]:
    rows = snapshot.rows(
        "messages",
        [
            _MESSAGES,
            *not_of_ended_channel("$stream_id"),
            {"$group": {"_id": "$broadcast_id", "n": {"$sum": 1}}},
            {
                "$lookup": {
                    "from": HOLDER,
                    "localField": "_id",
                    "foreignField": "broadcast_id",
                    "as": "broadcast",
                }
            },
            {"$set": {"sent": {"$first": "$broadcast.sent"}}},
            {"$match": {"$expr": {"$gt": ["$n", {"$ifNull": ["$sent", "$n"]}]}}},
        ],
    )
    async for row in rows:
        problem = f"counts {row['sent']} messages, there are {row['n']}"
        yield Finding("P4", f"broadcast {row['_id']}", problem)


async def _find_without_channel(snapshot: Snapshot) -> AsyncIterator[Finding]:
    for name in (HOLDER, "broadcast_not_reached", "broadcast_opt_outs"):
        rows = snapshot.rows(
            name,
            [
                {"$group": {"_id": "$channel_id", "rows": {"$sum": 1}}},
                look_up("channels", "_id", "channel"),
                look_up("disbanded", "_id", "disbanded"),
                {"$match": {"channel": [], "disbanded": []}},
            ],
        )
        async for row in rows:
            problem = f"does not exist, and has {row['rows']} documents in {name}"
            yield Finding("P9", f"channel {row['_id']}", problem)
