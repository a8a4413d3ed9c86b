"""Checks of stored comments: each post counts those on it, and their streams belong to posts.

That their numbers are dense is checked with all streams. What deleted posts and channels leave, and is deleted step by
step, is passed over.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from channels.comments.models import COMMENTS_PREFIX, PostPlace, place_of
from channels.comments.store import CommentStreamStore
from groups.audit.joins import (
    group_of_stream,
    joined,
    look_up,
    merged,
    not_of_ended_channel,
    union,
)
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_OF_COMMENTS: Final = {"$gte": COMMENTS_PREFIX, "$lt": COMMENTS_PREFIX + "\U0010ffff"}
"""A condition on a stream id: the stream has comments."""


def checks(database: Database, streams: StreamService) -> list[Check]:
    """Return the checks of comments, in the order in which their repairs build on each other."""
    audit = _Audit(database=database, store=CommentStreamStore(database), streams=streams)
    return [
        Check(
            "P9",
            "comments belong to posts",
            "streams of comments",
            lambda snapshot: snapshot.count("comment_streams"),
            audit.find_wrong_streams,
        ),
        Check(
            "P4",
            "each post counts its comments",
            "commented posts",
            lambda snapshot: snapshot.count(
                "messages", [{"$match": {"comments": {"$exists": True}}}]
            ),
            audit.find_wrong_counts,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: CommentStreamStore
    streams: StreamService

    async def find_wrong_counts(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Deleted comments do not count; a deleted post shows no number."""
        stream_id = {
            "$concat": [
                COMMENTS_PREFIX,
                group_of_stream("$stream_id"),
                ":",
                {"$toString": "$seq"},
            ]
        }
        differ = {"$ne": [{"$ifNull": ["$live", 0]}, {"$ifNull": ["$counted", 0]}]}
        rows = snapshot.rows(
            "messages",
            [
                {"$match": {"stream_id": _OF_COMMENTS, "recalled_at": None}},
                {"$group": {"_id": "$stream_id", "live": {"$sum": 1}}},
                union(
                    "messages",
                    {"$match": {"comments": {"$exists": True}, "recalled_at": None}},
                    {"$project": {"_id": stream_id, "counted": "$comments"}},
                ),
                merged("live", "counted"),
                {"$match": {"$expr": differ}},
                *not_of_ended_channel("$_id"),
            ],
        )
        async for row in rows:
            place = place_of(row["_id"])
            problem = f"counts {row['counted'] or 0} comments, there are {row['live'] or 0}"
            repair = self._recount(place) if place is not None else None
            yield Finding("P4", _name(row["_id"]), problem, repair)

    def _recount(self, place: PostPlace) -> Repair:
        async def work(tx: Tx) -> str | None:
            before, after = await self.streams.recount_comments(
                stream_of(place.channel_id), place.seq, place.stream_id, tx
            )
            return f"counted again: {after} comments" if before != after else None

        return lambda: self.database.run(work)

    async def find_wrong_streams(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Comments end with their post and their channel: nobody could delete them later."""
        post = joined(
            {"$concat": [stream_of(GroupId("")), "$channel_id"]}, {"$toString": "$post_seq"}
        )
        is_open: Document = {"is_ended": {"$ne": True}}
        is_gone: Document = {"$or": [{"post": []}, {"post.recalled_at": {"$type": "date"}}]}
        rows = snapshot.rows(
            "comment_streams",
            [
                {
                    "$project": {
                        "listed": {"$literal": 1},
                        "channel_id": 1,
                        "is_ended": 1,
                        "key": post,
                    }
                },
                union(
                    "streams",
                    {"$match": {"_id": _OF_COMMENTS}},
                    {"$project": {"stream": {"$literal": 1}}},
                ),
                merged("listed", "channel_id", "is_ended", "key", "stream"),
                look_up("messages", "key", "post"),
                {
                    "$match": {
                        "$or": [
                            {"listed": None},
                            {"is_ended": True, "stream": 1},
                            {**is_open, "$or": [{"stream": None}, is_gone]},
                        ]
                    }
                },
                look_up("disbanded", "channel_id", "disbanded"),
                {"$match": {"disbanded": []}},
            ],
        )
        async for row in rows:
            place = place_of(row["_id"])
            problem, repair = _problem_in(row), None
            if place is not None:
                repair = self._list(place) if row["listed"] is None else self._end(place)
            yield Finding("P9", _name(row["_id"]), problem, repair)

    def _list(self, place: PostPlace) -> Repair:
        async def work(tx: Tx) -> str | None:
            if not await self.streams.exists(place.stream_id, tx):
                return None
            await self.store.put(place, tx)
            return "listed them"

        return lambda: self.database.run(work)

    def _end(self, place: PostPlace) -> Repair:
        async def work(tx: Tx) -> str | None:
            post = await self.streams.touch_message(stream_of(place.channel_id), place.seq, tx)
            if post is not None and post.recalled_at is None:
                # Only its stream is missing, with the head that readers have seen.
                return None
            await self.streams.end(place.stream_id, tx)
            await self.store.mark_ended(place, tx)
            return "ended them: a server deletes what is left"

        return lambda: self.database.run(work)


def _problem_in(row: Mapping[str, Any]) -> str:
    if row["listed"] is None:
        return "are not listed, so they would not end with their channel"
    if row["is_ended"]:
        return "have ended, and can still be written"
    if not row["post"] or row["post"][0]["recalled_at"] is not None:
        return "go on, although there is no such post"
    return "have no stream"


def _name(stream_id: str) -> str:
    place = place_of(stream_id)
    if place is None:
        return f"stream {stream_id}"
    return f"comments on post {place.seq} of {place.channel_id}"
