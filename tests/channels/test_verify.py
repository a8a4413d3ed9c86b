"""`channels verify` on a real database: clean without damage, also during writes; damage is found and repaired."""

import asyncio
import io
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from channels.drafts.models import NewDraft
from channels.limits import Limits
from channels.models import NewChannel
from channels.server.app import INDEXES, Services, create_services
from channels.verify.command import KEPT, run, verify
from channels.verify.report import Outcome
from conversations.models import conversation_of
from conversations.service.settings import ConversationChanges
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId, derive_id, join_key
from groups.kernel.mongo import Database, Document, ensure_indexes
from groups.kernel.mongo.snapshot import Snapshot, SnapshotLost
from groups.kernel.text.emoji import Emoji
from groups.models import Content, GroupType, JoinOption, Kind, Poll, Role, message_key, stream_of
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.lifecycle.create import NewGroup

ROOT = Path(__file__).parents[2]
NEWS = GroupId("@TOA#_news")
TEAM = GroupId("team")
STREAM = stream_of(NEWS)
FIRST = message_key(STREAM, 1)
LIMITS = Limits(posts_per_second=0)
ADA, BOB, CID = (Actor(UserId(name)) for name in ("ada", "bob", "cid"))


def said(text: str) -> Content:
    return Content(kind=Kind.TEXT, text=text)


@pytest.fixture(scope="module")
def built() -> dict[str, list[Document]]:
    """What the first town of the module stored, by collection: the others are copies, a fifth of the work."""
    return {}


@pytest.fixture
async def town(database: Database, built: dict[str, list[Document]]) -> AsyncIterator[Services]:
    """A channel with three posts, two subscribers and reactions, and a work group; ada owns both."""
    await ensure_indexes(database, INDEXES)
    services = create_services(database, LIMITS)
    if not built:
        await build(services)
        names = await database.collection("any").database.list_collection_names()
        # Each database says its version itself.
        kept = [name for name in names if name != "schema"]
        built |= {n: await database.collection(n).find({}).to_list(None) for n in kept}
    else:
        for name, documents in built.items():
            if documents:
                await database.collection(name).insert_many(documents)
    yield services
    await services.stop()


async def build(services: Services) -> None:
    await services.channels.channels.create(ADA, NewChannel(channel_id=NEWS, name="News"))
    await services.chat.creation.create(
        ADA, NewGroup(group_id=TEAM, type=GroupType.WORK, name="Team")
    )
    await services.chat.membership.add(ADA, TEAM, BOB.user_id)
    for actor in (BOB, CID):
        await services.chat.membership.join(actor, NEWS)
    await services.chat.membership.change(ADA, NEWS, BOB.user_id, role=Role.ADMIN)
    for text in ("one", "two", "three"):
        await services.chat.messages.post(ADA, NEWS, said(text))
    await services.chat.messages.post(BOB, TEAM, said("hello"))
    for actor in (BOB, CID):
        await services.analytics.views.report(actor, NEWS, [1, 2])
    await services.conversations.settings.update_settings(
        CID, conversation_of(NEWS), ConversationChanges(muted=True)
    )
    for actor, emoji in ((ADA, "👍"), (BOB, "👍"), (CID, "🔥")):
        await services.reactions.react(actor, NEWS, 1, Emoji(emoji))
    await services.chat.pins.pin(ADA, NEWS, 1)
    await services.channels.drafting.drafts.create(
        ADA,
        NEWS,
        NewDraft(content=said("soon")),
        publish_at=services.clock.now() + timedelta(hours=1),
        key="soon",
    )
    await services.conversations.read_cursors.mark_read(CID, conversation_of(NEWS), seq=2)
    await services.conversations.conversation_groups.put(BOB, "work", [conversation_of(TEAM)])
    await services.analytics.counting.catch_up()


async def outcomes_of(
    database: Database, *, limits: Limits = LIMITS, repair: bool = False
) -> list[Outcome]:
    console = Console(file=io.StringIO())
    return await verify(database, limits, console=console, repair=repair)


def told(outcomes: list[Outcome]) -> list[str]:
    """Every finding as promise, subject and problem in one line."""
    unfinished = [outcome.unfinished for outcome in outcomes if outcome.unfinished]
    return unfinished + [
        f"{finding.promise} {finding.subject}: {finding.problem}"
        for outcome in outcomes
        for finding in outcome.first
    ]


async def test_a_healthy_database_is_clean(town: Services) -> None:
    outcomes = await outcomes_of(town.database)
    assert told(outcomes) == []
    checked = {(outcome.check.promise, outcome.check.unit): outcome.checked for outcome in outcomes}
    assert checked["P2", "messages"] == 4
    assert checked["P3", "members"] == 5
    assert checked["P4", "reactions"] == 3
    assert checked["P3", "channels"] == 1
    assert checked["P4", "views of posts"] == 2


async def test_too_many_pins_are_reported_and_not_repaired(town: Services) -> None:
    await town.chat.pins.pin(ADA, NEWS, 2)
    limits = LIMITS.model_copy(update={"pinned_messages": 1})
    for repair in (False, True):
        assert told(await outcomes_of(town.database, limits=limits, repair=repair)) == [
            f"P3 stream {STREAM}: has 2 pinned messages, its limit is 1"
        ]
    assert told(await outcomes_of(town.database)) == []


async def test_counts_that_wait_are_no_finding(town: Services) -> None:
    await town.analytics.counting.close()
    await town.chat.membership.join(Actor(UserId("dan")), NEWS)
    assert told(await outcomes_of(town.database)) == []
    days = town.database.collection("insights")
    assert await days.find_one({"channel_id": NEWS, "subscribers": 3})
    # They hide no other damage, and do not undo its repair.
    await update("groups", NEWS, {"$inc": {"member_count": 4}})(town.database)
    await town.chat.membership.join(Actor(UserId("eve")), NEWS)
    assert len(told(await outcomes_of(town.database, repair=True))) == 2
    assert told(await outcomes_of(town.database)) == []
    await town.analytics.counting.catch_up()
    assert told(await outcomes_of(town.database)) == []
    assert await days.find_one({"channel_id": NEWS, "subscribers": 5})


async def test_an_empty_database_is_clean(database: Database) -> None:
    assert told(await outcomes_of(database)) == []


async def test_remains_of_a_deleted_group_are_no_finding(
    town: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a crash: the group is gone, the cleanup has not begun.
    await town.chat.cleanup.stop()
    monkeypatch.setattr(CleanupService, "start", lambda self, group_id: None)
    await town.channels.channels.delete(ADA, NEWS)
    await town.chat.disbanding.disband(Actor(ADA.user_id, is_app_admin=True), TEAM)
    assert told(await outcomes_of(town.database)) == []
    # Clearing stopped half way: the reactions are gone, their tallies are not.
    await town.database.collection("reactions").delete_many({})
    assert told(await outcomes_of(town.database)) == []


Damage = Callable[[Database], Awaitable[object]]


def update(collection: str, key: str, change: dict[str, Any]) -> Damage:
    async def damage(database: Database) -> None:
        result = await database.collection(collection).update_one({"_id": key}, change)
        assert result.modified_count == 1

    return damage


def delete(collection: str, key: str) -> Damage:
    async def damage(database: Database) -> None:
        result = await database.collection(collection).delete_one({"_id": key})
        assert result.deleted_count == 1

    return damage


def insert(collection: str, document: dict[str, Any]) -> Damage:
    return lambda database: database.collection(collection).insert_one(dict(document))


async def post_a_seq_twice(database: Database) -> None:
    messages = database.collection("messages")
    await messages.drop_index("stream_id_1_seq_1")
    document = await messages.find_one({"_id": message_key(STREAM, 3)})
    assert document is not None
    await messages.insert_one(document | {"_id": "another", "key": "another"})


async def hold_an_emoji_twice(database: Database) -> None:
    reactions = database.collection("reactions")
    document = await reactions.find_one({"message_id": FIRST, "user_id": "cid"})
    assert document is not None
    await reactions.insert_one(document | {"_id": "another"})


def set_subscribers(number: int) -> Damage:
    async def damage(database: Database) -> None:
        result = await database.collection("insights").update_one(
            {"channel_id": NEWS, "part": "members"}, {"$set": {"subscribers": number}}
        )
        assert result.modified_count == 1

    return damage


def count_muted(more: int) -> Damage:
    async def damage(database: Database) -> None:
        result = await database.collection("insights").update_one(
            {"channel_id": NEWS, "muted": 1}, {"$inc": {"muted": more}}
        )
        assert result.modified_count == 1

    return damage


def key_of(group_id: str, user: str) -> str:
    return join_key(group_id, user)


def member(group_id: str, user: str, **values: Any) -> dict[str, Any]:
    document = {"_id": key_of(group_id, user), "group_id": group_id, "user_id": user}
    return {**document, "role": "member", "joined_seq": 0, **values}


LINK = {
    "_id": "code-of-a-link",
    "group_id": NEWS,
    "max_uses": 2,
    "uses": 0,
    "pending_requests": 0,
}
MARKING = {
    "at": datetime(2026, 1, 31, tzinfo=UTC),
    "by": "ada",
    "head_seq": 8,
    "is_history_shared": False,
    "was_history_visible": False,
}
SETTINGS = {
    "_id": key_of("zoe", STREAM),
    "user_id": "zoe",
    "conversation_id": STREAM,
    "read_seq": 1,
}
GONE = message_key(stream_of(GroupId("gone")), 1)

SOON = derive_id(ADA.user_id, NEWS, "soon")
LOST_DRAFT = {
    "_id": key_of("@TOA#_gone", "lost"),
    "channel_id": "@TOA#_gone",
    "draft_id": "lost",
    "author_id": "ada",
    "content": said("lost").model_dump(mode="python"),
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "updated_at": datetime(2026, 1, 1, tzinfo=UTC),
}

DAMAGES: dict[str, tuple[Damage, str, bool]] = {
    # name: the damage, the finding, whether it can be repaired
    "hole": (
        delete("messages", message_key(STREAM, 2)),
        f"P2 stream {STREAM}: seq 2 is missing",
        False,
    ),
    "lost tail": (
        delete("messages", message_key(STREAM, 3)),
        f"P2 stream {STREAM}: seq 3 is missing",
        False,
    ),
    "head far ahead": (
        update("streams", STREAM, {"$set": {"head_seq": 9}}),
        f"P2 stream {STREAM}: seq 4 is missing, the first of 6",
        False,
    ),
    "terms": (
        update("messages", FIRST, {"$set": {"terms": [1, 2]}}),
        f"P2 message 1 of {STREAM}: its terms are not those of its texts",
        True,
    ),
    "seq twice": (
        post_a_seq_twice,
        f"P2 stream {STREAM}: has 4 messages with seqs up to 3",
        False,
    ),
    "misfiled message": (post_a_seq_twice, "filed as 'another', although it says seq 3", False),
    "messages of no stream": (
        insert("messages", {"_id": GONE, "stream_id": "group_gone", "seq": 1}),
        "P2 stream group_gone: does not exist, and has 1 messages",
        False,
    ),
    "head behind": (
        update("streams", STREAM, {"$set": {"head_seq": 2, "last.seq": 2}}),
        "head_seq is 2, the last message is 3",
        True,
    ),
    "author ahead": (
        update("streams", STREAM, {"$set": {"author_seq": 9}}),
        f"P2 stream {STREAM}: its newest author has read seq 9, head_seq is 3",
        True,
    ),
    "wrong last": (update("streams", STREAM, {"$set": {"last.seq": 2}}), "last.seq is 2", True),
    "no last": (update("streams", STREAM, {"$set": {"last": None}}), "last.seq is None", True),
    "member count": (
        update("groups", NEWS, {"$inc": {"member_count": 4}}),
        f"P3 group {NEWS}: member_count is 7, there are 3 members",
        True,
    ),
    "lost member": (
        delete("members", key_of(NEWS, "cid")),
        f"P3 group {NEWS}: member_count is 3, there are 2 members",
        True,
    ),
    "members of no group": (
        insert("members", member("gone", "zoe")),
        "P3 group gone: does not exist, and has 1 members",
        True,
    ),
    "misfiled member": (
        insert("members", member(NEWS, "bob", _id="another")),
        "P3 member bob of @TOA#_news: filed as 'another'",
        False,
    ),
    "owner without role": (
        update("members", key_of(NEWS, "ada"), {"$set": {"role": "admin"}}),
        f"P3 group {NEWS}: is owned by ada, who does not have that role",
        False,
    ),
    "two owners": (
        update("members", key_of(NEWS, "bob"), {"$set": {"role": "owner"}}),
        f"P3 group {NEWS}: is owned by ada, and the role of owner has 2 members",
        False,
    ),
    "no owner": (
        update("groups", NEWS, {"$set": {"owner_id": None}}),
        f"P3 group {NEWS}: has no owner",
        False,
    ),
    "unnamed owner of a work group": (
        update("groups", TEAM, {"$set": {"owner_id": None}}),
        f"P3 group {TEAM}: names no owner, and ada has that role",
        False,
    ),
    "unmarked admin": (
        update("members", key_of(NEWS, "bob"), {"$unset": {"staff": ""}}),
        "P3 member bob of @TOA#_news: is admin and lacks the mark of owner and admins",
        True,
    ),
    "marked member": (
        update("members", key_of(NEWS, "cid"), {"$set": {"staff": True}}),
        "P3 member cid of @TOA#_news: is member and has the mark of owner and admins",
        True,
    ),
    "own limit passed": (
        update("groups", TEAM, {"$set": {"member_limit": 1}}),
        f"P3 group {TEAM}: has 2 members, its limit is 1",
        False,
    ),
    "no stream": (delete("streams", STREAM), f"P3 group {NEWS}: has no stream", True),
    "stream of no group": (
        insert("streams", {"_id": "group_gone", "head_seq": 0, "is_channel": False, "last": None}),
        "P3 group gone: does not exist, and has a stream",
        True,
    ),
    "stream's flag": (
        update("streams", STREAM, {"$set": {"is_channel": False}}),
        f"P3 group {NEWS}: carries the channel marker, and its stream says otherwise",
        True,
    ),
    "version behind a message": (
        update("streams", STREAM, {"$unset": {"version": ""}}),
        f"P2 stream {STREAM}: version is 0, a message has 1",
        True,
    ),
    "two messages of one version": (
        update("messages", f"{STREAM}\x1f2", {"$set": {"changed_version": 1}}),
        f"P2 stream {STREAM}: 2 changed messages have 1 versions",
        False,
    ),
    "pin that is not listed": (
        update("streams", STREAM, {"$unset": {"pins": ""}}),
        f"P3 stream {STREAM}: lists the pins [], pinned are [1]",
        True,
    ),
    "pin of what is not pinned": (
        update("streams", STREAM, {"$set": {"pins": [2, 1]}}),
        f"P3 stream {STREAM}: lists the pins [1, 2], pinned are [1]",
        True,
    ),
    "draft of no channel": (
        insert("drafts", LOST_DRAFT),
        "P9 channel @TOA#_gone: does not exist, and has 1 drafts",
        True,
    ),
    "draft that is never due": (
        update("drafts", key_of(NEWS, SOON), {"$unset": {"due_at": ""}}),
        f"P6 draft {SOON} of {NEWS}: is not due at its publish_at",
        True,
    ),
    "lost marker": (
        update("groups", NEWS, {"$set": {"custom": {}}}),
        f"P3 channel {NEWS}: the group does not carry the marker",
        True,
    ),
    "lost channel document": (
        delete("channels", NEWS),
        f"P3 channel {NEWS}: the group carries the marker, and there is no channel document",
        False,
    ),
    "channel of no group": (
        insert("channels", {"_id": "@TOA#_gone"}),
        "P3 channel @TOA#_gone: the channel document is left of a group that does not exist",
        True,
    ),
    "counter": (
        update("counters", "channels", {"$set": {"count": 5}}),
        "P3 deployment: counted 5 channels, there are 1",
        True,
    ),
    "no counter": (
        delete("counters", "channels"),
        "P3 deployment: counted 0 channels, there are 1",
        True,
    ),
    "count of an emoji": (
        update("tallies", FIRST, {"$set": {"counts.👍": 9}}),
        f"P4 message 1 of {STREAM}: 👍 is counted 9, held by 2",
        True,
    ),
    "emoji nobody holds": (
        update("tallies", FIRST, {"$set": {"counts.🎉": 0}}),
        f"P4 message 1 of {STREAM}: 🎉 is counted 0, held by 0",
        True,
    ),
    "negative count": (
        update("tallies", FIRST, {"$set": {"counts.🎉": -1}}),
        f"P4 message 1 of {STREAM}: 🎉 is counted -1, held by 0",
        True,
    ),
    "total": (
        update("tallies", FIRST, {"$set": {"total": 4}}),
        f"P4 message 1 of {STREAM}: total is 4, the counts make 3",
        True,
    ),
    "lost tally": (
        delete("tallies", FIRST),
        "👍 is counted 0, held by 2",
        True,
    ),
    "reactions to nothing": (
        insert(
            "reactions",
            {
                "_id": key_of(GONE, "zoe\x1f👍"),
                "message_id": GONE,
                "user_id": "zoe",
                "emoji": "👍",
            },
        ),
        "P4 message 1 of group_gone: does not exist, and has 1 reactions or tallies",
        True,
    ),
    "tally of nothing": (
        insert("tallies", {"_id": GONE, "counts": {}, "total": 0}),
        "P4 message 1 of group_gone: does not exist, and has 1 reactions or tallies",
        True,
    ),
    "reactions to a lost message": (
        delete("messages", FIRST),
        f"P4 message 1 of {STREAM}: does not exist, and has 4 reactions or tallies",
        False,
    ),
    "emoji held twice": (hold_an_emoji_twice, "cid's 🔥 is filed as 'another'", False),
    "read behind the head": (
        update("conversations", key_of("cid", STREAM), {"$set": {"read_seq": 8}}),
        f"P5 cid in {STREAM}: read or hid seq 8, head_seq is 3",
        True,
    ),
    "hidden behind the head": (
        update("conversations", key_of("cid", STREAM), {"$set": {"hidden_at_seq": 7}}),
        f"P5 cid in {STREAM}: read or hid seq 7, head_seq is 3",
        True,
    ),
    "joined behind the head": (
        update("members", key_of(NEWS, "cid"), {"$set": {"joined_seq": 8}}),
        f"P5 group {NEWS}: a member joined at seq 8, head_seq is 3",
        True,
    ),
    "marked behind the head": (
        update("groups", NEWS, {"$set": {"marking": MARKING}}),
        f"P12 group {NEWS}: became a channel at seq 8, head_seq is 3",
        True,
    ),
    "settings of a stranger": (
        insert("conversations", SETTINGS),
        f"P5 zoe in {STREAM}: settings without a membership",
        True,
    ),
    "unknown conversation group": (
        delete("conversation_groups", key_of("bob", "work")),
        "P5 conversation group work of bob: does not exist, and 1 conversations are in it",
        True,
    ),
    "invitation of no group": (
        insert("admin_invitations", {"_id": key_of("gone", "zoe"), "group_id": "gone"}),
        "P9 group gone: does not exist, and has 1 admin invitations",
        True,
    ),
    "admin log of no group": (
        insert("admin_log", {"_id": "0", "group_id": "gone"}),
        "P9 group gone: does not exist, and has 1 entries of an admin log",
        True,
    ),
    "invite link of no group": (
        insert("invite_links", {"_id": "code", "group_id": "gone", "pending_requests": 0}),
        "P9 group gone: does not exist, and has 1 invite links",
        True,
    ),
    "invite link that let in too many": (
        insert("invite_links", LINK | {"uses": 3}),
        f"P3 invite link code-of-… of {NEWS}: let in 3, it may 2",
        False,
    ),
    "invite link that counts other requests": (
        insert("invite_links", LINK | {"pending_requests": 4}),
        f"P3 invite link code-of-… of {NEWS}: counts 4 requests that wait, there are 0",
        True,
    ),
    "views of no message": (
        insert("views", {"_id": GONE, "count": 1}),
        f"P4 message 1 of {stream_of(GroupId('gone'))}: does not exist, and has views",
        True,
    ),
    "clicks on a link of no message": (
        insert("link_clicks", {"_id": join_key(GONE, "key"), "count": 1}),
        f"P4 message 1 of {stream_of(GroupId('gone'))}: does not exist, and has clicks on a link",
        True,
    ),
    "default channel that is none": (
        insert("default_channels", {"_id": "@TOA#_gone", "is_on": True, "number": 1}),
        "P9 channel @TOA#_gone: does not exist, and is a default channel",
        True,
    ),
    "post that shows too few views": (
        update("messages", FIRST, {"$set": {"views": 1}}),
        f"P4 message 1 of {STREAM}: shows 1 views, 2 are counted",
        True,
    ),
    "subscribers of the last day": (
        set_subscribers(7),
        "ends with 7 subscribers, there are 3",
        True,
    ),
    "counted muted": (
        count_muted(4),
        f"P4 group {NEWS}: 5 members are counted who muted it, 1 have",
        True,
    ),
    "muted no longer and still counted": (
        update("conversations", key_of("cid", STREAM), {"$unset": {"muted": ""}}),
        f"P4 group {NEWS}: 1 members are counted who muted it, 0 have",
        True,
    ),
    "ban of no group": (
        insert("restrictions", {"_id": key_of("gone", "zoe"), "group_id": "gone"}),
        "P9 group gone: does not exist, and has 1 restrictions",
        True,
    ),
    "join request of no group": (
        insert("join_requests", {"_id": key_of("gone", "zoe"), "group_id": "gone"}),
        "P9 group gone: does not exist, and has 1 join requests",
        True,
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found_and_repaired_where_possible(town: Services, name: str) -> None:
    damage, expected, is_mendable = DAMAGES[name]
    await damage(town.database)
    outcomes = await outcomes_of(town.database)
    assert any(expected in line for line in told(outcomes)), told(outcomes)

    messages = await town.database.collection("messages").count_documents({})
    await outcomes_of(town.database, repair=True)
    after = told(await outcomes_of(town.database))
    assert (after == []) == is_mendable, after
    assert any(expected in line for line in after) != is_mendable, after
    assert await town.database.collection("messages").count_documents({}) == messages


async def test_votes_that_are_counted_wrong_are_counted_again(town: Services) -> None:
    poll = Poll(question="Tea?", options=("Yes", "No", "Later"), multiple=True)
    content = Content(kind=Kind.POLL, poll=poll)
    seq = (await town.chat.messages.post(ADA, NEWS, content)).message.seq
    for actor, options in ((ADA, {0, 1}), (BOB, {0}), (CID, {2})):
        await town.polls.vote(actor, NEWS, seq, options)
    await town.polls.vote(CID, NEWS, seq, set())
    await town.reactions.react(BOB, NEWS, seq, Emoji("👍"))
    assert told(await outcomes_of(town.database)) == []
    key, tallies = message_key(STREAM, seq), town.database.collection("tallies")
    before = await tallies.find_one({"_id": key}, {"version": 0})
    assert before is not None
    assert (before["votes"], before["voters"]) == ({"0": 2, "1": 1}, 2)
    for damage, expected in (
        (update("tallies", key, {"$set": {"votes.0": 7}}), "vote:0 is counted 7, held by 2"),
        (update("tallies", key, {"$set": {"votes.2": 1}}), "vote:2 is counted 1, held by 0"),
        (update("tallies", key, {"$set": {"voters": 3}}), "3 voters are counted, 2 users voted"),
        (delete("tallies", key), "0 voters are counted, 2 users voted"),
    ):
        await damage(town.database)
        found = told(await outcomes_of(town.database, repair=True))
        assert f"P4 message {seq} of {STREAM}: {expected}" in found
        assert told(await outcomes_of(town.database)) == []
        assert await tallies.find_one({"_id": key}, {"version": 0}) == before


async def test_repairs_restore_the_original_data(town: Services) -> None:
    async def everything() -> dict[str, Any]:
        found = {}
        for name in ("groups", "members", "streams", "channels", "counters", "conversations"):
            rows = await town.database.collection(name).find({}).sort("_id", 1).to_list(None)
            # Versions may grow: mending is a change too.
            found[name] = [
                {k: v for k, v in row.items() if k not in {"version", "changed_at"}} for row in rows
            ]
        tally = await town.database.collection("tallies").find_one({"_id": FIRST})
        assert tally is not None
        return found | {"tally": (tally["counts"], tally["total"])}

    before = await everything()
    for name in (
        *("head behind", "member count", "unmarked admin", "marked member", "counter"),
        *("lost marker", "lost tally", "settings of a stranger"),
    ):
        await DAMAGES[name][0](town.database)
    await outcomes_of(town.database, repair=True)
    assert await everything() == before


async def test_limits_of_the_deployment_are_checked(town: Services) -> None:
    limits = Limits(
        community_members=2, admins=0, channels=0, conversation_groups=0, conversations_per_group=0
    )
    assert sorted(told(await outcomes_of(town.database, limits=limits))) == [
        "P3 deployment: has 1 channels, the limit is 0",
        f"P3 group {NEWS}: has 1 admins, the limit is 0",
        f"P3 group {NEWS}: has 3 members, its limit is 2",
        "P5 conversation group work of bob: holds 1 conversations, its limit is 0",
        "P5 user bob: has 1 conversation groups, the limit is 0",
    ]


# --- beside a running server ------------------------------------------------------------------------------------------


async def _writers(services: Services, stop: asyncio.Event) -> None:
    """All that changes what is checked, as fast as it goes, until told to stop."""
    dice = random.Random(4)
    users = [Actor(UserId(f"u{number}")) for number in range(12)]
    chat, talks, channels = services.chat, services.conversations, services.channels
    news, team = conversation_of(NEWS), conversation_of(TEAM)
    made = 0

    async def live_and_die() -> None:
        nonlocal made
        made += 1
        new = NewGroup(
            group_id=GroupId(f"short{made}"),
            type=GroupType.MEETING,
            name="Short",
            join_option=JoinOption.FREE,
        )
        group_id = (await chat.creation.create(ADA, new)).group.group_id
        await chat.membership.join(BOB, group_id)
        await chat.messages.post(BOB, group_id, said("hi"))
        await services.reactions.react(ADA, group_id, 1, Emoji("👍"))
        await chat.disbanding.disband(ADA, group_id)

    async def open_and_close() -> None:
        nonlocal made
        made += 1
        channel_id = GroupId(f"@TOA#_short{made}")
        await channels.channels.create(ADA, NewChannel(channel_id=channel_id, name="Short"))
        await channels.channels.delete(ADA, channel_id)

    async def tab() -> None:
        await talks.conversation_groups.put(BOB, "tab", [news, team])
        await talks.conversation_groups.rename(BOB, "tab", "tabs")
        await talks.conversation_groups.delete(BOB, "tabs")

    def acts() -> list[Coroutine[Any, Any, object]]:
        user, emoji = dice.choice(users), dice.choice("👍🔥🎉")
        acts = [
            chat.messages.post(ADA, NEWS, said("more")),
            chat.membership.join(user, NEWS),
            chat.membership.leave(user, NEWS),
            services.reactions.react(user, NEWS, dice.randint(1, 3), Emoji(emoji)),
            services.reactions.unreact(user, NEWS, dice.randint(1, 3), Emoji(emoji)),
            talks.read_cursors.mark_read(user, news),
            services.analytics.views.report(user, NEWS, [1, dice.randint(1, 9)]),
            talks.settings.update_settings(
                user, news, ConversationChanges(muted=dice.random() < 0.5)
            ),
            chat.messages.post(BOB, TEAM, said("well")),
            live_and_die(),
            open_and_close(),
            tab(),
        ]
        dice.shuffle(acts)
        return acts

    async def work() -> None:
        while not stop.is_set():
            for act in acts():
                with suppress(DomainError):
                    await act

    await asyncio.gather(*(work() for _ in range(6)))


async def test_concurrent_writes_cause_no_false_finding(town: Services) -> None:
    stop = asyncio.Event()
    writers = asyncio.create_task(_writers(town, stop))
    try:
        for _ in range(12):
            assert told(await outcomes_of(town.database)) == []
    finally:
        stop.set()
        await writers
    await town.chat.cleanup.wait()
    outcomes = await outcomes_of(town.database)
    assert told(outcomes) == []
    assert outcomes[0].checked > 20, "the writers wrote nothing"


async def test_repairs_during_writes_leave_a_clean_database(town: Services) -> None:
    stop = asyncio.Event()
    writers = asyncio.create_task(_writers(town, stop))
    try:
        for name in (
            "member count",
            "count of an emoji",
            "settings of a stranger",
            "stream's flag",
        ):
            await DAMAGES[name][0](town.database)
        # Not the counter: it is damaged by as much, whatever the writers count meanwhile.
        await update("counters", "channels", {"$inc": {"count": 3}})(town.database)
        assert told(await outcomes_of(town.database, repair=True)) != []
        assert told(await outcomes_of(town.database)) == []
    finally:
        stop.set()
        await writers
    await town.chat.cleanup.wait()
    assert told(await outcomes_of(town.database)) == []


# --- the command ------------------------------------------------------------------------------------------------------


def _name(database: Database) -> str:
    return database.collection("groups").database.name


async def printed(database: Database, uri: str, *, repair: bool = False) -> tuple[int, str]:
    output = io.StringIO()
    console = Console(file=output, width=120)
    code = await run(uri, _name(database), repair=repair, limits=LIMITS, console=console)
    return code, output.getvalue()


async def test_a_clean_database_ends_with_0(town: Services, mongod_uri: str) -> None:
    code, text = await printed(town.database, mongod_uri)
    assert code == 0
    assert "Every promise that is visible in stored data holds." in text


async def test_a_limited_number_of_findings_is_listed_and_all_are_counted(
    town: Services, mongod_uri: str
) -> None:
    rows = [
        SETTINGS | {"_id": key_of(f"z{number:02}", STREAM), "user_id": f"z{number:02}"}
        for number in range(KEPT + 5)
    ]
    await town.database.collection("conversations").insert_many(rows)
    code, text = await printed(town.database, mongod_uri)
    assert code == 1
    assert text.count("settings without a membership") == KEPT
    assert "… and 5 more" in text
    assert f"{KEPT + 5} findings. --repair sets {KEPT + 5} right." in text

    code, text = await printed(town.database, mongod_uri, repair=True)
    assert code == 0
    assert f"{KEPT + 5} repaired." in text
    assert "settings without a membership; repaired: deleted" in text


async def test_damage_without_a_repair_ends_with_1(town: Services, mongod_uri: str) -> None:
    await DAMAGES["hole"][0](town.database)
    code, text = await printed(town.database, mongod_uri, repair=True)
    assert code == 1
    assert "seq 2 is missing" in text
    assert "repaired" not in text


async def test_ids_are_printed_as_text(town: Services, mongod_uri: str) -> None:
    await insert("members", member("[red]gone\x1b[0m", "zoe"))(town.database)
    _, text = await printed(town.database, mongod_uri)
    assert "group [red]gone\\x1b[0m: does not exist" in text


async def test_the_command_line_verifies_the_given_database(
    town: Services, mongod_uri: str
) -> None:
    def channels(*arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        told = {"CHANNELS_MONGODB_URI": mongod_uri, "CHANNELS_DATABASE": _name(town.database)}
        return subprocess.run(
            [sys.executable, "-m", "channels", "verify", *arguments],
            cwd=ROOT,
            env=kept | told | {"COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    await DAMAGES["member count"][0](town.database)
    done = await asyncio.to_thread(channels)
    assert (done.returncode, done.stderr) == (1, "")
    assert "member_count is 7, there are 3 members" in done.stdout
    done = await asyncio.to_thread(channels, "--repair")
    assert (done.returncode, done.stderr) == (0, "")
    assert "set member_count from 7 to 3" in done.stdout


async def test_an_unfinished_check_is_reported_as_not_clean(
    town: Services, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = Snapshot.count

    async def lost(snapshot: Snapshot, collection: str, *pipeline: Any) -> int:
        if collection == "join_requests":
            raise SnapshotLost("too old")
        return await count(snapshot, collection, *pipeline)

    monkeypatch.setattr("channels.verify.command.PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(Snapshot, "count", lost)
    code, text = await printed(town.database, mongod_uri)
    assert code == 1
    assert "minSnapshotHistoryWindowInSeconds" in text
    assert "1 check not finished." in text
