"""Aggregation stages with which the audits of higher packages compare their documents with those of group chat.

They are here because only group chat knows how it stores its documents.
"""

from typing import Any, Final

from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId
from groups.models import CHANNEL_MARKER, INBOX_PREFIX, stream_of

Stage = dict[str, Any]

STREAM_PREFIX: Final = stream_of(GroupId(""))
IS_GROUP_STREAM: Final = {"$gte": STREAM_PREFIX, "$lt": STREAM_PREFIX + "\U0010ffff"}
"""A condition on a stream id, which is also the id of the conversation: the stream belongs to a group."""
IS_INBOX_STREAM: Final = {"$gte": INBOX_PREFIX, "$lt": INBOX_PREFIX + "\U0010ffff"}
"""A condition on a stream id: the stream holds private messages between a user and a channel."""


_STREAM_OF_MESSAGE: Final[Stage] = {"$arrayElemAt": [{"$split": ["$_id", SEPARATOR]}, 0]}


def group_of_stream(stream_id: Any) -> Stage:
    """An expression for the group id in a stream id, which is an expression too."""
    return {"$substrBytes": [stream_id, len(STREAM_PREFIX), -1]}


def sides_of_inbox_stream(stream_id: Any) -> Stage:
    """An expression for the array of channel and user in an inbox's stream id, which is an expression too."""
    return {"$split": [{"$substrBytes": [stream_id, len(INBOX_PREFIX), -1]}, PAIR_SEPARATOR]}


def not_of_ended_channel(stream_id: Any) -> list[Stage]:
    """Remove rows whose stream is of a deleted channel or post, and is deleted step by step.

    That is a thread in the channel's inbox, or the comments on a post: `comment_streams` says which have ended.
    """
    channel: Stage = {"$arrayElemAt": [sides_of_inbox_stream(stream_id), 0]}
    return [
        {"$set": {"ended": _where_begins(stream_id, INBOX_PREFIX, channel), "of_post": stream_id}},
        look_up("disbanded", "ended", "ended"),
        look_up("comment_streams", "of_post", "of_post"),
        {"$match": {"ended": [], "of_post.is_ended": {"$ne": True}}},
        {"$set": {"ended": {"$first": "$of_post.channel_id"}}},
        look_up("disbanded", "ended", "ended"),
        {"$match": {"ended": []}},
        {"$unset": ["ended", "of_post"]},
    ]


def _where_begins(stream_id: Any, prefix: str, then: Stage) -> Stage:
    """The expression `then` for a stream id with the prefix, null for other ids, on which it would fail.

    It cuts off as many bytes as the prefix has, which may split a character; the database refuses that.
    """
    return {"$cond": [{"$eq": [{"$indexOfBytes": [stream_id, prefix]}, 0]}, then, None]}


def joined(*parts: Any) -> Stage:
    """An expression for the stored key of these expressions (see `groups.kernel.ids.join_key`)."""
    pieces: list[Any] = []
    for part in parts:
        pieces += [SEPARATOR, part]
    return {"$concat": pieces[1:]}


def union(collection: str, *stages: Stage) -> Stage:
    """Add these rows."""
    return {"$unionWith": {"coll": collection, "pipeline": list(stages)}}


def merged(*fields: str) -> Stage:
    """Merge the rows of one id; each field has the value of the row that has it."""
    accumulators: Stage = {field: {"$max": f"${field}"} for field in fields}
    return {"$group": {"_id": "$_id", **accumulators}}


def with_disbanded_streams() -> Stage:
    """Add a row for the stream of each disbanded group whose remains exist: its id and `disbanded`."""
    stream = {"$concat": [STREAM_PREFIX, "$_id"]}
    return union("disbanded", {"$project": {"_id": stream, "disbanded": {"$literal": 1}}})


def look_up(collection: str, local: str, name: str) -> Stage:
    """Add the document with the id in `local`, as an array `name` of none or one."""
    return {"$lookup": {"from": collection, "localField": local, "foreignField": "_id", "as": name}}


def with_stream(conversation_field: str = "_id") -> list[Stage]:
    """Add the stream with the id in the field, as an array `stream` of none or one."""
    return [look_up("streams", conversation_field, "stream")]


def without_message() -> list[Stage]:
    """Keep rows whose `_id` is the key of no message, and add its stream as an array `stream` of none or one.

    Rows of a disbanded group are left out until they are deleted.
    """
    return [
        look_up("messages", "_id", "message"),
        {"$match": {"message": []}},
        {"$unset": "message"},
        *not_of_disbanded(),
        {"$set": {"stream_id": _STREAM_OF_MESSAGE}},
        look_up("streams", "stream_id", "stream"),
    ]


def not_of_disbanded() -> list[Stage]:
    """Remove rows whose `_id` is the key of a message in a disbanded group or a deleted channel's inbox.

    These are deleted step by step.
    """
    group = group_of_stream(_STREAM_OF_MESSAGE)
    return [
        {"$set": {"group_id": _where_begins(_STREAM_OF_MESSAGE, STREAM_PREFIX, group)}},
        look_up("disbanded", "group_id", "disbanded"),
        {"$match": {"disbanded": []}},
        {"$unset": ["disbanded", "group_id"]},
        *not_of_ended_channel(_STREAM_OF_MESSAGE),
    ]


def with_memberships(users: Stage) -> Stage:
    """Add a row for each membership of those users, with `key` (user, conversation) only."""
    conversation = {"$concat": [STREAM_PREFIX, "$group_id"]}
    return union(
        "members",
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        {"$match": {"user_id": users}},
        {"$project": {"_id": 0, "key": joined("$user_id", conversation)}},
    )


def with_marked_groups() -> Stage:
    """Add a row for each group with the channel marker: its id and `marked`."""
    return union(
        "groups",
        {"$match": {f"custom.{CHANNEL_MARKER}": {"$exists": True}}},
        {"$project": {"marked": {"$literal": 1}}},
    )


def with_group(group_field: str = "_id") -> list[Stage]:
    """Add the group with the id in the field, as an array `group` of none or one."""
    return [look_up("groups", group_field, "group")]
