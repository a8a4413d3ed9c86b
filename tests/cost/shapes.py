"""Rules on the shapes of queries, checked on the profiler's records.

Each rule is a function that returns the fault of one record, or None. A shape is the operation, its collection, and the
fields of its filter. `ACCEPTED` lists the shapes that break a rule on purpose, each with its reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from channels.user_data.registry import PLACES_OF

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
    "invite_links": "_id",
    "admin_log": "group_id",
    "streams": "_id",
    "messages": "stream_id",
    "conversations": "user_id",
    "conversation_groups": "user_id",
    "conversation_group_guards": "_id",
    "threads": "channel_id",
    "thread_guards": "_id",
    "inbox_totals": "_id",
    "inbox_tags": "_id",
    "blocks": "user_id",
    "block_guards": "_id",
    "reactions": "message_id",
    "tallies": "_id",
    "channels": "_id",
    "repeats": "_id",
    "views": "_id",
    "link_clicks": "_id",
    "default_channels": "_id",
    "default_subscriptions": "_id",
    "insights": "channel_id",
    "counters": "_id",
    "canned_replies": "channel_id",
    "menus": "_id",
    "automatic_messages": "channel_id",
    "automatic_channels": "_id",
    "automatic_jobs": "channel_id",
    "automatic_marks": "channel_id",
    "subscriber_tags": "channel_id",
    "subscriber_tag_counts": "_id",
    "broadcasts": "channel_id",
    "broadcast_not_reached": "channel_id",
    "broadcast_opt_outs": "channel_id",
    "comment_streams": "channel_id",
    "drafts": "channel_id",
    "forms": "channel_id",
    "devices": "user_id",
    "device_users": "_id",
    "device_addresses": "_id",
    "device_guards": "_id",
    "push_jobs": "_id",
    "online_users": "user_id",
    "online_processes": "_id",
    "post_figures": "stream_id",
    "report_cases": "digest",
    "reports": "digest",
    "user_deletions": "_id",
    "report_days": "_id",
    "health": "_id",
    "schema": "_id",
    "search_index": "_id",
    "events": None,
    "webhooks": "_id",
    "webhook_guards": "_id",
    "webhook_deliveries": "webhook_id",
    "webhook_queues": "webhook_id",
    "consumers": "_id",
    "media": "_id",
    "media_usage": "_id",
    "blobs.files": "_id",
    "blobs.chunks": "files_id",
}
"""The field by which a collection is sharded, or the first of them; None: read by position, on every shard."""


class Shape(NamedTuple):
    """An operation, its collection, and the fields of its filter."""

    operation: str
    collection: str
    fields: tuple[str, ...]


ACCEPTED: Final[dict[Shape, str]] = {
    Shape("find", "members", ("user_id",)): (
        "all groups of one user, by the index on it: it goes to every shard, and a user is in at most 5,000;"
        " and 500 at a time for the sweep of a default channel, in the background"
    ),
    Shape("find", "members", ("group_id", "user_id")): "a page of the same",
    Shape("aggregate", "members", ("user_id",)): (
        "the number of groups of a user who joins one more: from the same index, at most 5,000 keys"
    ),
    Shape("aggregate", "members", ("added", "user_id")): (
        "the same, of groups to which others added the user: by a partial index, at most 200 keys"
    ),
    Shape("find", "groups", ("custom.official_account", "suspension.mode", "visibility")): (
        "the directory: at most as many as a deployment has channels, and searched seldom"
    ),
    Shape(
        "find",
        "groups",
        (
            *("_id", "custom.official_account", "introduction", "name"),
            *("suspension.mode", "visibility"),
        ),
    ): "the directory, by words",
    **dict.fromkeys(
        (
            Shape(
                "find",
                "groups",
                (
                    "_id",
                    *sorted((field, "custom.official_account")),
                    "suspension.mode",
                    "visibility",
                ),
            )
            if field == "created_at"
            else Shape(
                "find",
                "groups",
                ("_id", "custom.official_account", field, "suspension.mode", "visibility"),
            )
            for field in ("member_count", "created_at")
        ),
        "the directory's next page",
    ),
    Shape("find", "restrictions", ("group_id", "until")): (
        "the users whom the application restricts, which few admins read: a page by an index, from every shard"
    ),
    Shape("find", "groups", ("_id", "suspension.mode")): (
        "the suspended channels, which few admins read: a page by a partial index, from every shard"
    ),
    Shape("find", "report_cases", ("state",)): (
        "the queue of reports, which few admins read: a page by an index, from every shard"
    ),
    Shape("find", "report_cases", ("_id", "first_at", "state")): "the next page of the same",
    Shape("find", "report_cases", ("state", "target.type")): "the same, of one type of target",
    Shape("find", "report_cases", ("state", "target.channel_id", "target.type")): (
        "the reports of comments in a channel: by a partial index, from every shard, seldom"
    ),
    Shape("find", "report_cases", ("uncleared",)): (
        "resolved reports that a process left uncleared: once a minute, by a partial index that is nearly empty"
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
    Shape("find", "groups", ("_id", "type")): (
        "the application's list of every group: a page by id, from every shard, seldom"
    ),
    Shape("find", "groups", ("custom.official_account", "owner_id")): (
        "the channels of several owners: as those of one"
    ),
    Shape("find", "groups", ("_id", "custom.official_account", "owner_id")): (
        "the channels of one owner: as the directory"
    ),
    Shape("aggregate", "groups", ("created_by", "custom.official_account")): (
        "the number of groups that a user created, once for each that they create: by the index on it, at most a quota"
    ),
    Shape("aggregate", "groups", ("created_by", "custom.official_account", "marking.by")): (
        "the number of channels that a user created: the same"
    ),
    Shape("find", "media", ("key", "state", "uploader_id")): (
        "an upload repeated with its key, by the index on both: it goes to every shard, once for each upload"
    ),
    Shape("find", "media", ("key", "uploader_id")): "the same, where it is recorded",
    Shape("update", "media", ("key", "state", "uploader_id")): "the same",
    Shape("find", "media", ("expires_at",)): "unused uploads, by the index on it, once a minute",
    Shape(
        "find", "blobs.files", ()
    ): "one file, once for each process: GridFS checks whether it is new",
    Shape("find", "blobs.chunks", ()): "the same",
    **{
        Shape("find", "users", fields): (
            "users by name, for a search among members: by the index on it, at most 200 of each shard"
        )
        for key in ("name_key", "last_word_key")
        for fields in ((key,), ("_id", key))
    },
    Shape(
        "find", "users", ("revoked_at",)
    ): "the users whose tokens were revoked, at the start of a process",
    Shape(
        "find", "users", ("account_kind_at",)
    ): "the business accounts, at the start of a process",
    Shape("aggregate", "admin_invitations", ("expires_at", "hidden", "user_id")): (
        "the open invitations of users, who start an app or are invited once more: at most 200 of each"
    ),
    Shape("find", "invite_links", ("group_id",)): (
        "the invite links of a group, for those who manage them: at most 400, from every shard, seldom"
    ),
    Shape("find", "join_requests", ("group_id", "user_id")): (
        "the join requests of one user, by the index on it: from every shard, seldom, at most 200"
    ),
    Shape("aggregate", "join_requests", ("user_id",)): (
        "the number of requests of a user who asks once more: from the same index, at most 200 keys"
    ),
    Shape("find", "admin_invitations", ("expires_at", "group_id", "hidden", "user_id")): (
        "the invitations of a user: it goes to every shard, seldom, by a small index"
    ),
    Shape("find", "webhooks", ("_id", "channel_id", "ends_at")): (
        "a page of those of a channel or of the application, of which there are few: from every shard, seldom"
    ),
    Shape("find", "webhooks", ("channel_id", "enabled")): (
        "those of the channels of a page of the log: once for a page, by the index, from every shard"
    ),
    Shape("find", "automatic_channels", ("_id",)): (
        "what all channels do by themselves, once after a change of one of them"
    ),
    Shape("find", "automatic_jobs", ("due_at",)): (
        "the automatic messages to send next, by the index on it: in the background, while any channel has such"
    ),
    Shape("find", "webhooks", ("enabled",)): "what all want, once after a change of one of them",
    Shape("find", "webhooks", ("ends_at",)): "those to clear away, by the index on it, seldom",
    Shape("find", "webhooks", ("secrets_until",)): "replaced secrets, by the index on it, seldom",
    Shape("update", "webhooks", ("channel_id", "ends_at")): "those of a channel that is deleted",
    Shape("aggregate", "webhook_deliveries", ("status", "webhook_id")): (
        "how much waits for a webhook, up to its limit: from the index, when it may be near the limit"
    ),
    Shape("aggregate", "webhook_queues", ()): (
        "the first queue of each webhook in which something waits: one key of the index for each"
    ),
    Shape(
        "count", "webhook_queues", ()
    ): "what the database keeps about the collection; no document",
    Shape("find", "disbanded", ()): "groups still to be cleaned up, at the start and once a minute",
    Shape("find", "comment_streams", ("is_ended",)): (
        "comments of deleted posts: from a partial index that is empty nearly always, every ten seconds"
    ),
    Shape("find", "messages", ("poll_closes_at",)): (
        "polls that close, of any channel or group: from a partial index that is empty nearly always, every 5 seconds"
    ),
    Shape("find", "drafts", ("due_at",)): (
        "due and next scheduled posts of all channels: once for each scheduled time"
    ),
    Shape("find", "device_users", ("_id",)): (
        "a page of the users who have devices, for a large channel's post; and whether there is any"
    ),
    Shape("find", "broadcasts", ("due_at", "leased_until")): (
        "broadcasts that are due, of any channel, in the background, by index due_at_1"
    ),
    Shape("find", "broadcasts", ("ended_at",)): (
        "broadcasts that ended long ago, of any channel, in the background, by index ended_at_1"
    ),
    Shape("find", "push_jobs", ("due_at", "leased_until")): (
        "due notifications of all streams: a small collection, every two seconds while a device is registered"
    ),
    Shape("delete", "push_jobs", ("attempt", "stream_id")): (
        "retries of the streams with new messages: from a partial index that is empty nearly always"
    ),
    Shape("delete", "online_users", ("process_id",)): "once for a process that has ended",
    Shape("find", "online_processes", ()): "one document for each process",
    Shape("find", "reactions", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "reactions", ("_id",)): "once for an ended stream, in the background",
    Shape("find", "tallies", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "tallies", ("_id",)): "once for an ended stream, in the background",
    Shape("find", "views", ("_id",)): "once for an ended stream, in the background",
    Shape("count", "messages", ()): (
        "how many messages there are to index for search: once, when a server starts that never did, from metadata"
    ),
    Shape("aggregate", "messages", ("stream_id", "terms")): (
        "a search of several words, which counts the messages that it looked at: behind a limit of 5,000"
    ),
    Shape("delete", "views", ("_id",)): "once for an ended stream, in the background",
    Shape("find", "link_clicks", ("_id",)): "once for an ended stream, in the background",
    Shape("delete", "link_clicks", ("_id",)): "once for an ended stream, in the background",
    Shape(
        "find", "default_channels", ("_id",)
    ): "all of them, few: when one is set, and at a start",
    Shape("find", "users", ("_id",)): "the sweep of a default channel, in the background",
    Shape("find", "join_requests", ("user_id",)): "the export of a user: an index on users",
    Shape("find", "media", ("uploader_id",)): "the export of a user: an index on users",
    Shape("find", "subscriber_tags", ("user_id",)): "the export of a user: an index on users",
    Shape("find", "broadcast_opt_outs", ("user_id",)): "the export of a user: an index on users",
    Shape("find", "broadcast_not_reached", ("user_id",)): "the export of a user: an index on users",
    Shape("find", "user_deletions", ("_id",)): "all of them, at the start of a process",
    Shape("find", "user_deletions", ("user_id",)): (
        "deletions that are not done: from a partial index that is empty nearly always, once a minute"
    ),
    Shape(
        "find", "webhook_deliveries", ("_id",)
    ): "the deletion of a user, in the background, 100 a time",
    Shape("delete", "departures", ("_id",)): "the deletion of a user, in the background",
    Shape("update", "messages", ("_id", "sender_id")): "the deletion of a user, in the background",
    **{
        Shape("aggregate", collection, ("_id",)): (
            "the deletion of a user: a walk over all documents, in the background, 2,000 a time"
        )
        for collection in PLACES_OF
    },
}


def shape_of(record: Record) -> Shape:
    """The shape of the recorded operation."""
    found = _filter_of(record)
    collection = str(record["ns"]).partition(".")[2]
    return Shape(_operation_of(record), collection, tuple(sorted(_fields(found))))


def statements(records: Iterable[Record]) -> Iterator[Record]:
    """The records, with each query of several that were sent together as one of its own (`Database.fetch_together`)."""
    for record in records:
        pipeline = _pipeline_of(record)
        if not pipeline or "$documents" not in pipeline[0]:
            yield record
            continue
        database = str(record["ns"]).partition(".")[0]
        for stage in pipeline[1:]:
            query = stage["$lookup"]
            command = {"aggregate": query["from"], "pipeline": query["pipeline"]}
            yield {"op": "command", "ns": f"{database}.{query['from']}", "command": command}


def faults(records: Iterable[Record]) -> list[str]:
    """The faults of these records, without the accepted shapes."""
    found: list[str] = []
    for record in statements(records):
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
    """Such an operation goes to every shard."""
    shape = shape_of(record)
    if shape.collection not in SHARD_KEY:
        return "an unknown collection"
    key = SHARD_KEY[shape.collection]
    return None if key is None or _names(_filter_of(record), key) else "without its shard key"


def counting(record: Record) -> str | None:
    """The cost of a count grows with the number."""
    if record.get("command", {}).keys() & {"count", "distinct"}:
        return "counts"
    for stage in _pipeline_of(record):
        if "$count" in stage or ("$group" in stage and _is_count(stage["$group"])):
            return "counts"
    return None


def _is_count(group: dict[str, Any]) -> bool:
    """Whether the stage counts. One that only collects the rows costs what returning them does."""
    collects = all("$push" in value for name, value in group.items() if name != "_id")
    return not isinstance(group["_id"], str) and not collects


def skipping(record: Record) -> str | None:
    """The database reads the skipped documents too."""
    skips = record.get("command", {}).get("skip") or any(
        "$skip" in stage for stage in _pipeline_of(record)
    )
    return "skips" if skips else None


def scripting(record: Record) -> str | None:
    """The database runs a script for each document, and a condition over fields uses no index."""
    return "a script" if _fields(_filter_of(record)) & {"$where", "$expr", "$function"} else None


def scanning(record: Record) -> str | None:
    """The database reads the whole collection."""
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
    # The change stream of the outbox is not a query.
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
    """Whether the filter has exact values of the field; a range of values is on every shard."""
    for field, condition in _conditions(found):
        if field == key and (not isinstance(condition, dict) or condition.keys() & {"$in", "$eq"}):
            return True
        if field == "$or" and all(_names(part, key) for part in condition):
            return True
    return False
