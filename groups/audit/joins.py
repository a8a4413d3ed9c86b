"""Aggregation stages by which the audits of higher packages compare their documents with group chat's.

They are kept here because group chat alone knows how it stores things. Each is a plain list of stages.
"""

from typing import Any, Final

from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId
from groups.models import CHANNEL_MARKER, INBOX_PREFIX, stream_of

Stage = dict[str, Any]

STREAM_PREFIX: Final = stream_of(GroupId(""))
IS_GROUP_STREAM: Final = {"$gte": STREAM_PREFIX, "$lt": STREAM_PREFIX + "\U0010ffff"}
"""A condition on a stream id, which is also the conversation's: it belongs to a group."""


IS_INBOX_STREAM: Final = {"$gte": INBOX_PREFIX, "$lt": INBOX_PREFIX + "\U0010ffff"}
"""A condition on a stream id: users talk in it with a channel in private."""


_STREAM_OF_MESSAGE: Final[Stage] = {"$arrayElemAt": [{"$split": ["$_id", SEPARATOR]}, 0]}


def group_of_stream(stream_id: Any) -> Stage:
    """The expression of the group id in the stream id that an expression yields."""
    return {"$substrBytes": [stream_id, len(STREAM_PREFIX), -1]}


def sides_of_inbox_stream(stream_id: Any) -> Stage:
    """The expression of the channel and the user, as an array, in the stream id that an expression yields."""
    return {"$split": [{"$substrBytes": [stream_id, len(INBOX_PREFIX), -1]}, PAIR_SEPARATOR]}


def not_of_ended_channel(stream_id: Any) -> list[Stage]:
    """Only rows whose stream is none of a disbanded channel's inbox: it is cleared away step by step."""
    channel: Stage = {"$arrayElemAt": [sides_of_inbox_stream(stream_id), 0]}
    return [
        {"$set": {"ended": _where_begins(stream_id, INBOX_PREFIX, channel)}},
        look_up("disbanded", "ended", "ended"),
        {"$match": {"ended": []}},
        {"$unset": "ended"},
    ]


def _where_begins(stream_id: Any, prefix: str, then: Stage) -> Stage:
    """The expression `then` for a stream id with the prefix, else null: of another id it may not be asked.

    To cut so many bytes off it may cut a character in two, which the database refuses.
    """
    return {"$cond": [{"$eq": [{"$indexOfBytes": [stream_id, prefix]}, 0]}, then, None]}


def joined(*parts: Any) -> Stage:
    """The expression of a stored key of these expressions (see `groups.kernel.ids.join_key`)."""
    pieces: list[Any] = []
    for part in parts:
        pieces += [SEPARATOR, part]
    return {"$concat": pieces[1:]}


def union(collection: str, *stages: Stage) -> Stage:
    """Go on with these rows too."""
    return {"$unionWith": {"coll": collection, "pipeline": list(stages)}}


def merged(*fields: str) -> Stage:
    """One row an id; each field as the one row had it that had it."""
    accumulators: Stage = {field: {"$max": f"${field}"} for field in fields}
    return {"$group": {"_id": "$_id", **accumulators}}


def with_disbanded_streams() -> Stage:
    """Go on with a row for the stream of each group that is being cleared away: its id and `disbanded`."""
    stream = {"$concat": [STREAM_PREFIX, "$_id"]}
    return union("disbanded", {"$project": {"_id": stream, "disbanded": {"$literal": 1}}})


def look_up(collection: str, local: str, name: str) -> Stage:
    """Add what has the id in `local`, as an array `name` of none or one."""
    return {"$lookup": {"from": collection, "localField": local, "foreignField": "_id", "as": name}}


def with_stream(conversation_field: str = "_id") -> list[Stage]:
    """Add the stream with the id in the field, as an array `stream` of none or one."""
    return [look_up("streams", conversation_field, "stream")]


def without_message() -> list[Stage]:
    """Only rows whose `_id` is that of no message; with its stream as an array `stream` of none or one.

    What a disbanded group leaves is left out until it is cleared away.
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
    """Only rows whose `_id` is that of a message, but not of a disbanded group: it is cleared away step by step.

    So is the inbox of a channel.
    """
    group = group_of_stream(_STREAM_OF_MESSAGE)
    return [
        {"$set": {"group_id": _where_begins(_STREAM_OF_MESSAGE, STREAM_PREFIX, group)}},
        look_up("disbanded", "group_id", "disbanded"),
        {"$match": {"disbanded": []}},
        {"$unset": ["disbanded", "group_id"]},
        *not_of_ended_channel(_STREAM_OF_MESSAGE),
    ]


def with_seats(users: Stage) -> Stage:
    """Go on with a row for each membership of those users: `key` (user, conversation) and nothing else."""
    conversation = {"$concat": [STREAM_PREFIX, "$group_id"]}
    return union(
        "members",
        # Uses index: user_id_1_group_id_1_joined_seq_1 (covered)
        {"$match": {"user_id": users}},
        {"$project": {"_id": 0, "key": joined("$user_id", conversation)}},
    )


def with_marked_groups() -> Stage:
    """Go on with a row for each group that carries the channel marker: its id and `marked`."""
    return union(
        "groups",
        {"$match": {f"custom.{CHANNEL_MARKER}": {"$exists": True}}},
        {"$project": {"marked": {"$literal": 1}}},
    )


def with_group(group_field: str = "_id") -> list[Stage]:
    """Add the group with the id in the field, as an array `group` of none or one."""
    return [look_up("groups", group_field, "group")]
