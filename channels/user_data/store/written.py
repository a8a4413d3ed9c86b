"""All that a user wrote and holds in the conversations that they are in, page by page, for their export.

A position is that of the last conversation, and of the last message in it. Each conversation costs a look into an
index, whether the user wrote there or not:
    messages of groups, and comments: `stream_id_1_sender_id_1_key_1`, so one look at each stream;
    one-to-one messages of both sides: `stream_id_1_seq_1`;
    reactions and votes: the tallies of a stream by `_id`, and those of the user by `message_id_1_user_id_1_emoji_1`.
What the user wrote in groups that they have left since is not found; a deletion finds it, by a walk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from channels.comments.models import place_of
from conversations.models import AFTER_C2C_PREFIX, C2C_PREFIX, Dialogue
from groups.kernel.errors import BadCursor
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Document
from groups.models import stream_of

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
_VOTE: Final = "vote:"
_SHOWN: Final = ("seq", "sender_id", "content", "created_at", "edited_at", "quoted_seq", "origin")


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A line of the export, by its type."""

    type: str
    fields: Mapping[str, Any]


class WrittenStore:
    """The messages and reactions of users."""

    PARTS: Final = ("messages", "comments", "one_to_one", "reactions")

    def __init__(self, database: Database) -> None:
        self._members = database.collection("members")
        self._conversations = database.collection("conversations")
        self._messages = database.collection("messages")
        self._streams = database.collection("comment_streams")
        self._tallies = database.collection("tallies")
        self._reactions = database.collection("reactions")

    async def page(
        self, part: str, user_id: UserId, after: str, limit: int
    ) -> tuple[Sequence[WrittenRow], str | None]:
        """A page of a part, and where to go on; None: the part is over."""
        group, _, inner = after.partition("\n")
        comments, _, position = inner.partition("\t")
        if not inner:
            found = await self._next_of(part, user_id, group)
            if found is None:
                return (), None
            group = found
            if part == "comments":
                first = await self._next_comments(group, "")
                if first is None:
                    return (), f"{group}\n"
                comments = first
        # Made of the user's id, never taken from a cursor: nobody reads a conversation that is not theirs.
        stream_id = comments if part == "comments" else _stream_in(part, user_id, group)
        rows, more = await self._in_stream(part, user_id, group, stream_id, position, limit)
        if more is not None:
            return rows, f"{group}\n{comments}\t{more}"
        if part == "comments":
            following = await self._next_comments(group, comments)
            if following is not None:
                return rows, f"{group}\n{following}\t"
        return rows, f"{group}\n"

    async def _next_of(self, part: str, user_id: UserId, after: str) -> str | None:
        """The user's next group, or their next one-to-one conversation."""
        if part == "one_to_one":
            # Uses index: user_id_1_conversation_id_1
            row = await self._conversations.find_one(
                {
                    "user_id": user_id,
                    "conversation_id": {"$gt": max(after, C2C_PREFIX), "$lt": AFTER_C2C_PREFIX},
                },
                {"conversation_id": 1},
                sort=[("conversation_id", 1)],
            )
            return row["conversation_id"] if row else None
        # Uses index: user_id_1_group_id_1_joined_seq_1
        row = await self._members.find_one(
            {"user_id": user_id, "group_id": {"$gt": after}},
            {"group_id": 1},
            sort=[("group_id", 1)],
        )
        return row["group_id"] if row else None

    async def _next_comments(self, channel_id: str, after: str) -> str | None:
        # Uses index: channel_id_1
        row = await self._streams.find_one(
            {"channel_id": channel_id, "_id": {"$gt": after}}, {"_id": 1}, sort=[("_id", 1)]
        )
        return row["_id"] if row else None

    async def _in_stream(
        self, part: str, user_id: UserId, group: str, stream_id: str, position: str, limit: int
    ) -> tuple[Sequence[WrittenRow], str | None]:
        if part == "reactions":
            return await self._reactions_in(user_id, stream_id, position, limit)
        if part == "one_to_one":
            query: Document = {"stream_id": stream_id, "seq": {"$gt": _number(position)}}
            order, name = "seq", "one_to_one"
        else:
            query = {"stream_id": stream_id, "sender_id": user_id, "key": {"$gt": position}}
            order, name = "key", "comment" if part == "comments" else "message"
        cursor = self._messages.find(query, sort=[(order, 1)], limit=limit)
        rows = await cursor.to_list(None)
        place: dict[str, Any] = {"group_id": group}
        if part == "one_to_one":
            place = {"conversation_id": group}
        if part == "comments":
            post = place_of(stream_id)
            if post is None:
                raise BadCursor
            place["post_seq"] = post.seq
        lines = [
            WrittenRow(
                name,
                place
                | {field: row[field] for field in _SHOWN if row.get(field) is not None}
                | ({"deleted_at": row["recalled_at"]} if row["recalled_at"] else {}),
            )
            for row in rows
        ]
        return lines, str(rows[-1][order]) if len(rows) == limit else None

    async def _reactions_in(
        self, user_id: UserId, stream_id: str, position: str, limit: int
    ) -> tuple[Sequence[WrittenRow], str | None]:
        after = position or stream_id + SEPARATOR
        # Uses index: _id, in which all keys of a stream are adjacent
        cursor = self._tallies.find(
            {"_id": {"$gt": after, "$lt": stream_id + _AFTER_SEPARATOR}},
            {"_id": 1},
            sort=[("_id", 1)],
            limit=limit,
        )
        keys = [row["_id"] for row in await cursor.to_list(None)]
        if not keys:
            return (), None
        # Uses index: message_id_1_user_id_1_emoji_1
        found = self._reactions.find({"message_id": {"$in": keys}, "user_id": user_id})
        lines = []
        for row in await found.to_list(None):
            text, place = row["emoji"], row["message_id"].rpartition(SEPARATOR)
            fields = {"conversation_id": place[0], "seq": int(place[2]), "at": row["at"]}
            if text.startswith(_VOTE):
                lines.append(WrittenRow("vote", fields | {"option": int(text.rpartition(":")[2])}))
            else:
                lines.append(WrittenRow("reaction", fields | {"emoji": text}))
        return lines, keys[-1] if len(keys) == limit else None


def _stream_in(part: str, user_id: UserId, group: str) -> StreamId:
    """The stream of a group, or of a one-to-one conversation of the user."""
    if part != "one_to_one":
        return stream_of(GroupId(group))
    return Dialogue(user_id, group.removeprefix(C2C_PREFIX)).stream_id


def _number(position: str) -> int:
    if not position:
        return 0
    if not (position.isascii() and position.isdecimal()) or len(position) > 18:
        raise BadCursor
    return int(position)
