"""The indexes of every collection in the database of a started server.

No other test finds a missing index, since collections are small in tests. An unneeded index costs every write.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import pytest

from groups.kernel.mongo import Database
from groups.kernel.mongo.driver import result_of
from tests.api import open_api
from tests.mongod import DRIVER

Indexes = Mapping[str, Mapping[str, str]]
"""The options of each index, by collection and name; the name has the keys."""

EXPECTED: Final[Indexes] = {
    "admin_invitations": {
        "group_id_1_user_id_1": "",
        "user_id_1_group_id_1": "",
        "expires_at_1": "expires after 2592000 s",
    },
    "admin_log": {
        "group_id_1__id_-1": "",
        "group_id_1_action_1__id_-1": "",
        "group_id_1_actor_id_1__id_-1": "",
        "group_id_1_target_id_1__id_-1": "",
    },
    "block_guards": {},
    "blocks": {"user_id_1_peer_id_1": ""},
    "channels": {},
    "conversation_group_guards": {},
    "conversation_groups": {"user_id_1_created_at_1": ""},
    "conversations": {
        "user_id_1_conversation_id_1": "",
        "user_id_1_groups_1_conversation_id_1": 'only where {"groups": {"$exists": true}}',
        "user_id_1_unanswered_1_conversation_id_1": 'only where {"unanswered": {"$exists": true}}',
    },
    "consumers": {},
    "counters": {},
    "departures": {"expires_at_1": "expires after 0 s"},
    "device_addresses": {},
    "device_guards": {},
    "device_users": {},
    "devices": {"user_id_1_device_id_1": ""},
    "disbanded": {},
    "canned_replies": {"channel_id_1_name_1": ""},
    "forms": {"channel_id_1_name_1": ""},
    "menus": {},
    "automatic_messages": {"channel_id_1_rule_1_name_1": ""},
    "automatic_channels": {},
    "automatic_jobs": {
        "due_at_1__id_1": "",
        "channel_id_1": "",
        "ends_at_1": "expires after 0 s",
    },
    "automatic_marks": {"channel_id_1": ""},
    "subscriber_tag_counts": {},
    "subscriber_tags": {
        "channel_id_1_tags_1_user_id_1": "",
        "channel_id_1_user_id_1": "",
        "user_id_1": "",
    },
    "broadcasts": {
        "channel_id_1_broadcast_id_1": "",
        "channel_id_1_due_at_1": 'only where {"due_at": {"$type": "date"}}',
        "due_at_1": 'only where {"due_at": {"$type": "date"}}',
        "ended_at_1": 'only where {"ended_at": {"$type": "date"}}',
    },
    "broadcast_not_reached": {
        "channel_id_1_broadcast_id_1_user_id_1": "",
        "expires_at_1": "expires after 0 s",
        "user_id_1": "",
    },
    "broadcast_opt_outs": {"channel_id_1": "", "user_id_1": ""},
    "comment_streams": {"channel_id_1": "", "is_ended_1": 'only where {"is_ended": true}'},
    "drafts": {
        "channel_id_1_is_scheduled_1_order_at_1_created_at_1_draft_id_1": "",
        "due_at_1_created_at_1": 'only where {"due_at": {"$type": "date"}}',
    },
    "push_jobs": {
        "due_at_1": "",
        "stream_id_1": 'only where {"attempt": {"$gt": 0}}',
    },
    "online_processes": {},
    "online_users": {"process_id_1": "", "user_id_1": ""},
    "report_cases": {
        "digest_1_number_-1": "",
        "state_1_first_at_-1__id_-1": "",
        "target.type_1_state_1_first_at_-1__id_-1": "",
        "target.channel_id_1_state_1_first_at_-1__id_-1": ('only where {"target.type": "comment"}'),
        "uncleared_1": 'only where {"uncleared": true}',
        "expires_at_1": 'only where {"expires_at": {"$exists": true}}, expires after 0 s',
    },
    "reports": {"digest_1_at_-1": ""},
    "report_days": {"expires_at_1": "expires after 0 s"},
    "user_deletions": {
        "user_id_1": 'only where {"user_id": {"$exists": true}}',
        "expires_at_1": "expires after 0 s",
    },
    "post_figures": {"stream_id_1": ""},
    "events": {
        "at_1": "expires after 86400 s",
        "position_1": 'only where {"position": {"$exists": true}}',
        "stored_1": 'only where {"stored": {"$exists": true}}',
        "uncounted_1": 'only where {"uncounted": {"$exists": true}}',
    },
    "groups": {
        "suspension.mode_1__id_1": 'only where {"suspension.mode": {"$exists": true}}',
        "custom.official_account_1_member_count_-1__id_1": 'only where {"custom.official_account": {"$exists": true}}',
        "custom.official_account_1_created_at_-1__id_1": 'only where {"custom.official_account": {"$exists": true}}',
        "created_by_1_custom.official_account_1": "",
        "redate_from_1": 'only where {"redate_from": {"$exists": true}}',
        "marking.by_1": 'only where {"marking.by": {"$exists": true}}',
        "owner_id_1__id_1": 'only where {"custom.official_account": {"$exists": true}}',
        "type_1__id_1": "",
    },
    "inbox_tags": {},
    "inbox_totals": {},
    "webhooks": {
        "channel_id_1__id_1": "",
        "ends_at_1": 'only where {"ends_at": {"$type": "date"}}',
        "secrets_until_1": 'only where {"secrets_until": {"$type": "date"}}',
    },
    "webhook_guards": {},
    "webhook_deliveries": {
        "webhook_id_1_queue_1_delivery_id_1": 'only where {"status": "waiting"}',
        "webhook_id_1_status_1_at_1_delivery_id_1": "",
        "expires_at_1": "expires after 0 s",
    },
    "webhook_queues": {"webhook_id_1_next_at_1": ""},
    "insights": {
        "channel_id_1_part_1_day_1": "",
        "day_1": 'only where {"seq": {"$exists": true}}',
        "expires_at_1": "expires after 0 s",
    },
    "invite_links": {
        "delete_at_1": "expires after 0 s",
        "group_id_1_created_at_-1__id_1": "",
    },
    "join_requests": {"group_id_1_user_id_1": "", "user_id_1_group_id_1": ""},
    "media": {
        "expires_at_1": 'only where {"expires_at": {"$type": "date"}}',
        "uploader_id_1_key_1": 'unique, only where {"key": {"$exists": true}}',
    },
    "media_usage": {},
    "members": {
        "user_id_1_group_id_1_joined_seq_1": "",
        "group_id_1_staff_1": 'only where {"staff": true}',
        "user_id_1_added_1": 'only where {"added": true}',
    },
    "messages": {
        "stream_id_1_terms_1_created_at_1_seq_1": 'only where {"terms": {"$exists": true}}',
        "stream_id_1_created_at_1_seq_1": 'only where {"recalled_at": null}',
        "ends_at_1": 'only where {"ends_at": {"$exists": true}}, expires after 86400 s',
        "poll_closes_at_1": 'only where {"poll_closes_at": {"$exists": true}}',
        "stream_id_1_changed_version_1": 'only where {"changed_version": {"$exists": true}}',
        "stream_id_1_seq_1": "unique",
        "stream_id_1_sender_id_1_key_1": "unique",
    },
    "reactions": {"message_id_1_emoji_1__id_1": "", "message_id_1_user_id_1_emoji_1": ""},
    "repeats": {"at_1": "expires after 86400 s"},
    "restrictions": {
        "group_id_1_user_id_1": "",
        "group_id_1_reacting_banned_1_user_id_1": 'only where {"reacting_banned": true}',
        "expires_at_1": 'only where {"expires_at": {"$exists": true}}, expires after 0 s',
        "group_id_1_commenting_banned_1_user_id_1": 'only where {"commenting_banned": true}',
    },
    "schema": {},
    "search_index": {},
    "streams": {"kept_days_1__id_1": 'only where {"kept_days": {"$exists": true}}'},
    "tallies": {},
    "thread_guards": {},
    "threads": {
        "channel_id_1_active_ms_-1_user_id_1": "",
        "channel_id_1_tags_1_active_ms_-1_user_id_1": 'only where {"tags": {"$exists": true}}',
    },
    "users": {
        "name_key_1__id_1": 'only where {"name_key": {"$gt": ""}}',
        "last_word_key_1__id_1": 'only where {"last_word_key": {"$gt": ""}}',
        "revoked_at_1": 'only where {"revoked_at": {"$type": "date"}}',
        "account_kind_at_1": 'only where {"account_kind_at": {"$type": "date"}}',
    },
    "views": {},
    "link_clicks": {},
    "default_channels": {},
    "default_subscriptions": {},
}


def _special(index: Mapping[str, Any]) -> str:
    parts = ["unique"] if index.get("unique") else []
    if "partialFilterExpression" in index:
        parts.append("only where " + json.dumps(index["partialFilterExpression"]))
    if "expireAfterSeconds" in index:
        parts.append(f"expires after {index['expireAfterSeconds']} s")
    return ", ".join(parts)


async def indexes_of(database: Database) -> dict[str, dict[str, str]]:
    """All indexes except those on `_id`, which every collection has."""
    inner = database.collection("any").database
    return {
        name: {
            index["name"]: _special(index)
            async for index in await result_of(inner[name].list_indexes())
            if index["name"] != "_id_"
        }
        for name in sorted(await inner.list_collection_names())
    }


def complaints(expected: Indexes, found: Indexes) -> list[str]:
    """One text for each index that differs, with what to do."""
    said = []
    for collection in sorted({*expected, *found}):
        wanted, there = expected.get(collection), found.get(collection)
        if wanted is None or there is None:
            said.append(
                f"collection {collection} is {'new' if wanted is None else 'missing'}: {_ADVICE}"
            )
            continue
        for name in sorted({*wanted, *there}):
            if name not in there:
                said.append(f"index {collection}.{name} is missing: {_ADVICE}")
            elif name not in wanted:
                said.append(f"index {collection}.{name} is new: {_ADVICE}")
            elif wanted[name] != there[name]:
                said.append(
                    f"index {collection}.{name} is {there[name]!r}, not {wanted[name]!r}: "
                    "a database that has the old form refuses the new one at start-up; "
                    "give the index other keys, or drop the old form in a migration step"
                )
    return said


_ADVICE: Final = (
    "it is in `INDEXES` of the store that owns the collection. If the change is meant, say in the commit which "
    "query needs it (or no longer does) and what it costs each write, and change EXPECTED in tests/cost/test_indexes.py"
)


async def test_a_started_server_has_exactly_these_indexes(mongod_uri: str) -> None:
    # A database of its own: those that tests share keep the indexes of earlier tests.
    database = await Database.connect(mongod_uri, f"t{uuid4().hex[:12]}", driver=DRIVER)
    try:
        async with open_api(database):
            found = await indexes_of(database)
    finally:
        await database.drop()
        await database.close()
    wrong = complaints(EXPECTED, found)
    assert wrong == [], "\n".join(["", *wrong])


@pytest.mark.parametrize(
    ("found", "texts"),
    [
        ({"a": {"x_1": ""}}, []),
        ({"a": {}}, ["index a.x_1 is missing: it is in `INDEXES`"]),
        ({"a": {"x_1": "", "y_1": ""}}, ["index a.y_1 is new: it is in `INDEXES`"]),
        ({"a": {"x_1": "unique"}}, ["index a.x_1 is 'unique', not ''"]),
        ({"a": {"x_1": ""}, "b": {}}, ["collection b is new"]),
        ({}, ["collection a is missing"]),
    ],
)
def test_a_differing_index_is_reported_with_what_to_do(found: Indexes, texts: list[str]) -> None:
    reported = complaints({"a": {"x_1": ""}}, found)
    assert len(reported) == len(texts)
    assert all(text.startswith(start) for text, start in zip(reported, texts, strict=True)), (
        reported
    )
