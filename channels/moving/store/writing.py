"""Inserts the documents of an import, as the stores of their packages would have written them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from groups.kernel.clock import milliseconds_since_1970
from groups.kernel.ids import GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.text.search.terms import terms_of
from groups.models import LastMessage, Member, Message, message_key, stream_of

_ABSENT: Final = {
    "author_id": None,
    "member_count": None,
    "quoted_seq": None,
    "comments": None,
    "comments_frozen": False,
    "views": 0,
    "changed_version": 0,
    "automatic": False,
    "broadcast_id": None,
}
"""Fields of a message that are not stored with these values."""


class ImportStore:
    """The collections of everything that belongs to a channel."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def insert(self, documents: Mapping[str, Sequence[Document]], tx: Tx) -> None:
        """Insert documents by collection."""
        for collection, rows in documents.items():
            if rows:
                await self._database.collection(collection).insert_many(rows, session=tx.session)

    async def list_user_ids(self, channel_id: GroupId, *, after: str, limit: int) -> list[UserId]:
        """Members by user id, behind `after`."""
        # Uses index: _id, whose order is group, then user; group_id selects the shard.
        key: Document = {
            "$gt": join_key(channel_id, after),
            "$lt": join_key(channel_id, "") + "\U0010ffff",
        }
        cursor = self._database.collection("members").find(
            {"_id": key, "group_id": channel_id}, {"user_id": 1}, sort=[("_id", 1)], limit=limit
        )
        return [UserId(row["user_id"]) for row in await cursor.to_list(None)]


def message_document(message: Message, key: str, now: datetime) -> Document:
    """A message as it is stored. The closing of a poll that is open `now` will be announced."""
    document: Document = message.model_dump(mode="python")
    for name, value in _ABSENT.items():
        if document[name] == value:
            del document[name]
    if message.content is not None:
        document["content"] = message.content.to_stored()
        terms = terms_of(message.content.searched_texts)
        if terms:
            document["terms"] = terms
        poll = message.content.poll
        if poll is not None and poll.closes_at is not None and not poll.is_closed(now):
            document["poll_closes_at"] = poll.closes_at
    document["_id"] = message_key(message.stream_id, message.seq)
    document["key"], document["digest"] = key, ""
    return document


def stream_document(
    stream_id: StreamId, newest: Message | None, *, is_channel: bool, media_bytes: int = 0
) -> Document:
    """A stream whose newest message is this one."""
    last = None
    if newest is not None:
        content = newest.content
        shown = LastMessage(
            seq=newest.seq,
            sender_id=newest.sender_id,
            preview=content.preview if content is not None else "",
            at=newest.created_at,
            kind=content.kind if content is not None else None,
        )
        last = {
            "seq": shown.seq,
            "sender_id": shown.sender_id,
            "preview": shown.preview,
            "at": shown.at,
            "kind": shown.kind.value if shown.kind is not None else None,
        }
    document: Document = {
        "_id": stream_id,
        "head_seq": newest.seq if newest is not None else 0,
        "is_channel": is_channel,
        "last": last,
    }
    if media_bytes:
        document["media_bytes"] = media_bytes
    return document


def ended_document(seq: int, sender_id: UserId, at: datetime) -> Document:
    """The newest post, which has ended, as lists show it."""
    return {"seq": seq, "sender_id": sender_id, "preview": "", "at": at, "kind": None}


def comment_stream_document(stream_id: StreamId, channel_id: GroupId, post_seq: int) -> Document:
    """The record of a stream of comments."""
    return {"_id": stream_id, "channel_id": channel_id, "post_seq": post_seq}


def settings_document(channel_id: GroupId, user_id: UserId, read_seq: int) -> Document:
    """The settings of a member who has read so far."""
    conversation_id = stream_of(channel_id)
    return {
        "_id": join_key(user_id, conversation_id),
        "user_id": user_id,
        "conversation_id": conversation_id,
        "read_seq": read_seq,
    }


def tags_document(member: Member, tags: Sequence[str]) -> Document:
    """The tags of a member, of this subscription of theirs."""
    return {
        "_id": join_key(member.group_id, member.user_id),
        "channel_id": member.group_id,
        "user_id": member.user_id,
        "tags": list(tags),
        "joined_ms": milliseconds_since_1970(member.joined_at),
    }


def tag_counts_document(channel_id: GroupId, counts: Mapping[str, int]) -> Document:
    """How many members have each tag."""
    stored = [{"tag": tag, "n": number} for tag, number in sorted(counts.items())]
    return {"_id": channel_id, "counts": stored, "version": 1}


def reaction_document(message_id: str, user_id: UserId, text: str, at: datetime) -> Document:
    """A reaction, a vote, a press of a button, or an acknowledgement."""
    return {
        "_id": join_key(message_id, user_id, text),
        "message_id": message_id,
        "user_id": user_id,
        "emoji": text,
        "at": at,
    }


def tally_document(
    message_id: str,
    counts: Mapping[str, int],
    votes: Mapping[str, int],
    voters: int,
    acknowledged: int,
    reminded_at: datetime | None,
) -> Document:
    """The counts of the reactions, votes or presses, and acknowledgements on a message."""
    document: Document = {
        "_id": message_id,
        "counts": dict(counts),
        "total": sum(counts.values()),
        "version": 1,
    }
    if votes:
        document |= {"votes": dict(votes), "voters": voters}
    if acknowledged:
        document["acknowledged"] = acknowledged
    if reminded_at is not None:
        document["reminded_at"] = reminded_at
    return document


def draft_document(channel_id: GroupId, values: Mapping[str, Any]) -> Document:
    """A draft, or a scheduled post."""
    publish_at = values["publish_at"]
    document: Document = {
        **values,
        "_id": join_key(channel_id, values["draft_id"]),
        "channel_id": channel_id,
        "digest": "",
        "order_at": publish_at or values["created_at"],
        "is_scheduled": publish_at is not None,
    }
    if publish_at is not None and values["failure"] is None:
        document["due_at"] = publish_at
    return document


def row_document(channel_id: GroupId, key: Sequence[str], document: Mapping[str, Any]) -> Document:
    """A row of another package's table; without a key the channel has one."""
    return {**document, "_id": join_key(channel_id, *(document[name] for name in key))}
