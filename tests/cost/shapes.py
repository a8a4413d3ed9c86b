"""The shape of queries: what no hot path may send to the database, read off the profiler's records.

Each rule is a function that says what is wrong with one record, or None. `ACCEPTED` names the shapes that break a rule
on purpose, each with its reason; a shape is the operation, its collection, and the fields its filter names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

Record = Mapping[str, Any]

SHARD_KEY: Final = {
    "users": "_id",
    "groups": "_id",
    "disbanded": "_id",
    "members": "group_id",
    "departures": "user_id",
    "restrictions": "group_id",
    "join_requests": "group_id",
    "admin_invitations": "group_id",
    "admin_log": "group_id",
    "streams": "_id",
    "messages": "stream_id",
    "conversations": "user_id",
    "conversation_groups": "user_id",
    "conversation_group_guards": "_id",
    "threads": "channel_id",
    "thread_guards": "_id",
    "inbox_totals": "_id",
    "blocks": "user_id",
    "block_guards": "_id",
    "reactions": "message_id",
    "tallies": "_id",
    "channels": "_id",
    "repeats": "_id",
    "views": "_id",
    "insights": "channel_id",
    "counters": "_id",
    "drafts": "channel_id",
    "health": "_id",
    "schema": "_id",
    "events": None,
    "media": "_id",
    "media_usage": "_id",
    "blobs.files": "_id",
    "blobs.chunks": "files_id",
}
"""The field by which a collection is sharded, or the first of them; the outbox is inserted into, and tailed."""


class Shape(NamedTuple):
    """What is asked of which collection, by which fields."""

    operation: str
    collection: str
    fields: tuple[str, ...]


ACCEPTED: Final[dict[Shape, str]] = {
    Shape("find", "members", ("user_id",)): (
        "all groups of one user, by the index on it: every shard is asked, and a user is in at most 5,000"
    ),
    Shape("find", "members", ("group_id", "user_id")): "a page of the same",
    Shape("aggregate", "members", ("user_id",)): (
        "in how many groups a user is who joins one more: from the same index, at most 5,000 keys"
    ),
    Shape("find", "groups", ("custom.official_account", "visibility")): (
        "the directory: at most as many as a deployment has channels, and searched seldom"
    ),
    Shape(
        "find", "groups", ("_id", "custom.official_account", "introduction", "name", "visibility")
    ): "the directory, by words",
    Shape("find", "groups", ("_id", "custom.official_account", "member_count", "visibility")): (
        "the directory's next page"
    ),
    Shape("find", "groups", ("_id", "created_at", "custom.official_account", "visibility")): (
        "the directory's next page"
    ),
    Shape("find", "groups", ("custom.official_account",)): (
        "the application's list of every channel: as the directory"
    ),
    Shape("find", "groups", ("_id", "custom.official_account", "member_count")): (
        "the next page of the same"
    ),
    Shape("find", "groups", ("_id", "created_at", "custom.official_account")): (
        "the next page of the same"
    ),
    Shape("find", "groups", ("_id", "custom.official_account", "owner_id")): (
        "the channels that somebody owns: as the directory"
    ),
    Shape("find", "media", ("key", "state", "uploader_id")): (
        "an upload repeated with its key, by the index on both: every shard is asked, once an upload"
    ),
    Shape("find", "media", ("key", "uploader_id")): "the same, where it is recorded",
    Shape("update", "media", ("key", "state", "uploader_id")): "the same",
    Shape("find", "media", ("expires_at",)): "what nobody uses, by the index on it, once a minute",
    Shape("find", "blobs.files", ()): "one file, once a process: GridFS looks whether it is new",
    Shape("find", "blobs.chunks", ()): "the same",
    Shape("find", "users", ("revoked_at",)): "whose tokens were revoked, at the start of a process",
    Shape("find", "admin_invitations", ("expires_at", "group_id", "user_id")): (
        "who invites a user: every shard is asked, seldom, by an index that holds few"
    ),
    Shape("find", "disbanded", ()): "what is still to be cleared, at start and once a minute",
    Shape("find", "drafts", ("due_at",)): (
        "what is due and what will be next, of all channels: once an hour that somebody named"
    ),
    Shape("find", "reactions", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "reactions", ("_id",)): "once for an ended stream, in the background",
    Shape("find", "tallies", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "tallies", ("_id",)): "once for an ended stream, in the background",
    Shape("find", "views", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "views", ("_id",)): "once for an ended stream, in the background",
}


def shape_of(record: Record) -> Shape:
    """The shape of what the record is about."""
    found = _filter_of(record)
    collection = str(record["ns"]).partition(".")[2]
    return Shape(_operation_of(record), collection, tuple(sorted(_fields(found))))


def faults(records: Iterable[Record]) -> list[str]:
    """What is wrong with these records, but for what is accepted."""
    found: list[str] = []
    for record in records:
        if _operation_of(record) not in _LOOKING:
            continue
        shape = shape_of(record)
        for rule in RULES:
            fault = rule(record)
            if fault is not None and shape not in ACCEPTED:
                found.append(f"{fault}: {shape}")
    return found


# --- the rules --------------------------------------------------------------------------------------------------------


def without_shard_key(record: Record) -> str | None:
    """Every shard would have to look."""
    shape = shape_of(record)
    if shape.collection not in SHARD_KEY:
        return "an unknown collection"
    key = SHARD_KEY[shape.collection]
    return None if key is None or _names(_filter_of(record), key) else "without its shard key"


def counting(record: Record) -> str | None:
    """The price of a count is the number of what is counted."""
    if record.get("command", {}).keys() & {"count", "distinct"}:
        return "counts"
    for stage in _pipeline_of(record):
        if "$count" in stage or ("$group" in stage and not isinstance(stage["$group"]["_id"], str)):
            return "counts"
    return None


def skipping(record: Record) -> str | None:
    """What is skipped is read all the same."""
    skips = record.get("command", {}).get("skip") or any(
        "$skip" in stage for stage in _pipeline_of(record)
    )
    return "skips" if skips else None


def scripting(record: Record) -> str | None:
    """A script is run for each document, and a condition over fields finds no index."""
    return "a script" if _fields(_filter_of(record)) & {"$where", "$expr", "$function"} else None


def scanning(record: Record) -> str | None:
    """All of the collection is read."""
    return "a collection scan" if "COLLSCAN" in record.get("planSummary", "") else None


RULES: Final[tuple[Callable[[Record], str | None], ...]] = (
    without_shard_key,
    counting,
    skipping,
    scripting,
    scanning,
)


# --- the profiler's records -------------------------------------------------------------------------------------------

_LOOKING: Final = {"find", "aggregate", "count", "distinct", "update", "delete", "findAndModify"}


def _operation_of(record: Record) -> str:
    match record["op"]:
        case "query":
            return "find"
        case "remove":
            return "delete"
        case "command":
            return str(next(iter(record["command"])))
        case other:
            return str(other)


def _pipeline_of(record: Record) -> list[dict[str, Any]]:
    pipeline = record.get("command", {}).get("pipeline", [])
    # A tail is no query: the change stream of the outbox.
    return [stage for stage in pipeline if "$changeStream" not in stage]


def _filter_of(record: Record) -> dict[str, Any]:
    command = record["command"]
    for name in ("filter", "q", "query"):
        if name in command:
            return dict(command[name])
    return {"$and": [stage["$match"] for stage in _pipeline_of(record)[:1] if "$match" in stage]}


def _conditions(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The conditions that must all hold."""
    for field, condition in found.items():
        if field == "$and":
            for part in condition:
                yield from _conditions(part)
        else:
            yield field, condition


def _fields(found: Mapping[str, Any]) -> set[str]:
    fields: set[str] = set()
    for field, condition in _conditions(found):
        if field == "$or":
            for part in condition:
                fields |= _fields(part)
        else:
            fields.add(field)
    return fields


def _names(found: Mapping[str, Any], key: str) -> bool:
    """Whether the filter says which values of the field it wants: a range of them is on every shard."""
    for field, condition in _conditions(found):
        if field == key and (not isinstance(condition, dict) or condition.keys() & {"$in", "$eq"}):
            return True
    return False
