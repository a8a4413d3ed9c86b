"""All that a user wrote and holds in the conversations that they are in, page by page, for their export.

A position is that of the last conversation, and of the last message in it. Each conversation costs a look into an
index, whether the user wrote there or not:
    messages of groups, and comments: `stream_id_1_sender_id_1_key_1`, so one look at each stream;
    one-to-one messages of both sides: `stream_id_1_seq_1`;
    reactions, votes, presses, acknowledgements: the tallies of a stream by `_id`, and those of the user by
        `message_id_1_user_id_1_emoji_1`; votes and presses need their messages, by `_id`, to tell them apart.
What the user wrote in groups that they have left since is not found; a deletion finds it, by a walk.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from channels.comments.models import place_of
from conversations.models import AFTER_C2C_PREFIX, C2C_PREFIX, Dialogue
from groups.kernel.errors import BadCursor
from groups.kernel.ids import SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Document
from groups.models import Button, Content, Origin, stream_of
from reactions.models import ACKNOWLEDGED, VOTE_PREFIX, votes_in

_AFTER_SEPARATOR: Final = chr(ord(SEPARATOR) + 1)
_ONE_TO_ONE: Final = frozenset({"one_to_one", "one_to_one_reactions"})
_SHOWN: Final = ("seq", "sender_id", "content", "created_at", "edited_at", "quoted_seq", "origin")


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A line of the export, by its type."""

    type: str
    fields: Mapping[str, Any]


class WrittenStore:
    """The messages and reactions of users."""

    PARTS: Final = ("messages", "comments", "one_to_one", "reactions", "one_to_one_reactions")

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
        if part in _ONE_TO_ONE:
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
        if part in {"reactions", "one_to_one_reactions"}:
            conversation = group if part in _ONE_TO_ONE else stream_of(GroupId(group))
            return await self._reactions_in(user_id, conversation, stream_id, position, limit)
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
                | {
                    field: known(field, row[field])
                    for field in _SHOWN
                    if row.get(field) is not None
                }
                | ({"deleted_at": row["recalled_at"]} if row["recalled_at"] else {}),
            )
            for row in rows
        ]
        return lines, str(rows[-1][order]) if len(rows) == limit else None

    async def _reactions_in(
        self, user_id: UserId, conversation: str, stream_id: str, position: str, limit: int
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
        rows = await found.to_list(None)
        buttons = await self._buttons_under(
            {row["message_id"] for row in rows if row["emoji"].startswith(VOTE_PREFIX)}
        )
        lines = []
        for row in rows:
            seq = int(row["message_id"].rpartition(SEPARATOR)[2])
            fields = {"conversation_id": conversation, "seq": seq, "at": row["at"]}
            kind, more = _held(row["emoji"], buttons.get(row["message_id"]))
            lines.append(WrittenRow(kind, fields | more))
        return lines, keys[-1] if len(keys) == limit else None

    async def _buttons_under(self, message_ids: Collection[str]) -> dict[str, Sequence[Button]]:
        """The buttons of those of the messages that are no polls; none of one that was recalled."""
        if not message_ids:
            return {}
        cursor = self._messages.find({"_id": {"$in": list(message_ids)}}, {"content": 1})
        found: dict[str, Sequence[Button]] = {}
        for row in await cursor.to_list(None):
            content = Content.from_stored(row["content"]) if row["content"] else None
            if content is None or content.poll is None:
                found[row["_id"]] = content.all_buttons if content is not None else ()
        return found


def _stream_in(part: str, user_id: UserId, group: str) -> StreamId:
    """The stream of a group, or of a one-to-one conversation of the user."""
    if part not in _ONE_TO_ONE:
        return stream_of(GroupId(group))
    return Dialogue(user_id, group.removeprefix(C2C_PREFIX)).stream_id


def _held(text: str, buttons: Sequence[Button] | None) -> tuple[str, dict[str, Any]]:
    """The type of a line for what a user holds, and what it shows. `buttons`: None under a poll."""
    if text == ACKNOWLEDGED:
        return "acknowledgement", {}
    options = votes_in([text])
    if not options:
        return "reaction", {"emoji": text}
    if buttons is None:
        return "vote", {"option": options[0]}
    # An edit may have taken the button away since.
    pressed = [button.text for button in buttons if button.key in options]
    return "press", {"button": pressed[0]} if pressed else {}


def known(field: str, value: Any) -> Any:
    """The stored value without what a newer version added to it."""
    if field == "content":
        return Content.from_stored(value).to_stored()
    return Origin.from_stored(value).model_dump() if field == "origin" else value


def _number(position: str) -> int:
    if not position:
        return 0
    if not (position.isascii() and position.isdecimal()) or len(position) > 18:
        raise BadCursor
    return int(position)
