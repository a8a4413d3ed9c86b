"""`channels verify` on one-to-one messages: clean without damage, also during writes; damage is found and repaired."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from channels.models import AcceptMessages, NewChannel
from channels.server.app import INDEXES, Services, create_services
from conversations.models import Dialogue
from conversations.service.settings import ConversationChanges
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import Database, ensure_indexes
from groups.kernel.text.emoji import Emoji
from groups.models import inbox_stream_of, message_key
from groups.service.lifecycle.cleanup import CleanupService
from tests.channels.test_verify import LIMITS, delete, insert, outcomes_of, said, told, update

NEWS = GroupId("@TOA#_news")
ADA, BOB, CID = (Actor(UserId(name)) for name in ("ada", "bøb", "cid"))
TALK = Dialogue(ADA.user_id, BOB.user_id)
BOB_AND_NEWS = (BOB.user_id, NEWS)
ASKED = Dialogue(CID.user_id, NEWS)
INBOX = inbox_stream_of(NEWS, CID.user_id)
THREAD = join_key(NEWS, "cid")

Damage = Callable[[Database], Awaitable[object]]


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Services]:
    """A dialogue of ada and bob, ada's notes to herself, and cid's with a channel of ada's, which answered."""
    await ensure_indexes(database, INDEXES)
    services = create_services(database, LIMITS)
    new = NewChannel(channel_id=NEWS, name="News", accept_messages=AcceptMessages.EVERYONE)
    await services.channels.channels.create(ADA, new)
    dialogues = services.conversations.dialogues
    for actor, dialogue in ((ADA, TALK), (BOB, TALK.sides[1]), (CID, ASKED)):
        await dialogues.post(actor, dialogue, said("hello"))
    await dialogues.post(ADA, Dialogue(ADA.user_id, ADA.user_id), said("milk"))
    await dialogues.post(ADA, ASKED, said("yes"), for_channel=True)
    reactions = services.channels.dialogue_reactions
    await reactions.react(BOB, TALK.sides[1], 1, Emoji("👍"))
    await reactions.react(CID, ASKED, 2, Emoji("👍"))
    yield services
    await services.stop()


async def test_healthy_dialogues_are_clean(town: Services) -> None:
    outcomes = await outcomes_of(town.database)
    assert told(outcomes) == []
    checked = {(outcome.check.promise, outcome.check.unit): outcome.checked for outcome in outcomes}
    assert checked["P2", "messages"] == 5
    assert checked["P5", "dialogues"] == 3
    assert checked["P5", "threads"] == checked["P5", "inboxes"] == 1
    assert (checked["P4", "reactions"], checked["P4", "tallies"]) == (2, 2)


async def test_what_a_channel_begins_and_what_is_switched_off_is_clean(town: Services) -> None:
    conversations, channels = town.conversations, town.channels
    for actor in (BOB, CID):
        await town.chat.membership.join(actor, NEWS)
    off = ConversationChanges(accept=False)
    await conversations.settings.update_settings(BOB, Dialogue(*BOB_AND_NEWS).conversation_id, off)
    users = [BOB.user_id, CID.user_id, ADA.user_id]
    sent = await channels.inbox_batches.send(ADA, NEWS, users, said("hi"), key=None, silent=False)
    assert [isinstance(one, DomainError) for one in sent] == [True, False, False]
    assert told(await outcomes_of(town.database)) == []


async def test_concurrent_dialogues_cause_no_false_finding(town: Services) -> None:
    dialogues, is_done = town.conversations.dialogues, asyncio.Event()

    async def talk(number: int) -> None:
        count = 0
        while not is_done.is_set() and count < 200:
            count += 1
            peer = f"p{number}-{count % 20}"
            await dialogues.post(ADA, Dialogue(ADA.user_id, peer), said("hello"))
            user = Actor(UserId(peer))
            await dialogues.post(user, Dialogue(user.user_id, NEWS), said("hello"))

    talking = [asyncio.create_task(talk(number)) for number in range(4)]
    for _ in range(3):
        assert told(await outcomes_of(town.database)) == []
    is_done.set()
    await asyncio.gather(*talking)


async def test_remains_of_a_deleted_channels_inbox_are_no_finding(
    town: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a crash: the channel is gone, the cleanup has not begun.
    await town.chat.cleanup.stop()
    monkeypatch.setattr(CleanupService, "start", lambda self, group_id: None)
    await town.channels.channels.delete(ADA, NEWS)
    assert told(await outcomes_of(town.database)) == []
    # It stopped in the middle of a thread: the stream is gone, its messages are not.
    await town.database.collection("streams").delete_one({"_id": INBOX})
    await town.database.collection("conversations").delete_many({"user_id": "cid"})
    await town.database.collection("messages").delete_many({"stream_id": INBOX})
    await town.database.collection("reactions").delete_many({"message_id": message_key(INBOX, 2)})
    assert told(await outcomes_of(town.database)) == []
    await town.chat.cleanup.clear(NEWS)
    assert told(await outcomes_of(town.database)) == []
    for name in ("threads", "thread_guards", "inbox_totals"):
        assert await town.database.collection(name).find_one({}) is None
    left = await town.database.collection("tallies").find({}).to_list(None)
    assert [row["_id"] for row in left] == [message_key(TALK.stream_id, 1)]


DAMAGES: dict[str, tuple[Damage, str, bool]] = {
    # name: the damage, the finding, whether it can be repaired
    "hole": (
        delete("messages", message_key(TALK.stream_id, 1)),
        f"P2 stream {TALK.stream_id}: seq 1 is missing",
        False,
    ),
    "lost answer": (
        delete("messages", message_key(INBOX, 2)),
        f"P2 stream {INBOX}: seq 2 is missing",
        False,
    ),
    "head behind": (
        update("streams", TALK.stream_id, {"$set": {"head_seq": 1, "last.seq": 1}}),
        "head_seq is 1, the last message is 2",
        True,
    ),
    "unread not counted": (
        update("threads", THREAD, {"$set": {"read_seq": 0}}),
        f"P5 inbox of {NEWS}: counts 0 in 0 threads as unread, there are 2 in 1",
        True,
    ),
    "unread of nobody counted": (
        insert(
            "inbox_totals",
            {"_id": join_key(NEWS, 99), "channel_id": NEWS, "messages": 3, "threads": 1},
        ),
        f"P5 inbox of {NEWS}: counts 3 in 1 threads as unread, there are 0 in 0",
        True,
    ),
    "tag that no thread has": (
        insert("inbox_tags", {"_id": NEWS, "tags": ["urgent"]}),
        f"P5 inbox of {NEWS}: lists the tags ['urgent'], its threads have []",
        True,
    ),
    "tag that is not listed": (
        update("threads", THREAD, {"$set": {"tags": ["urgent"]}}),
        f"P5 inbox of {NEWS}: lists the tags [], its threads have ['urgent']",
        True,
    ),
    "reaction not counted": (
        update("tallies", message_key(TALK.stream_id, 1), {"$set": {"counts": {}, "total": 0}}),
        f"P4 message 1 of {TALK.stream_id}: 👍 is counted 0, held by 1",
        True,
    ),
    "reaction to an answer not counted": (
        delete("tallies", message_key(INBOX, 2)),
        f"P4 message 2 of {INBOX}: 👍 is counted 0, held by 1",
        True,
    ),
    "reaction to no message": (
        insert(
            "reactions",
            {
                "_id": join_key(message_key(INBOX, 9), "cid", "👍"),
                "message_id": message_key(INBOX, 9),
                "user_id": "cid",
                "emoji": "👍",
            },
        ),
        f"P4 message 9 of {INBOX}: does not exist, and has 1 reactions or tallies",
        False,
    ),
    "not in a list": (
        delete("conversations", join_key("bøb", "c2c_ada")),
        "P5 bøb in c2c_ada: is missing in their list",
        True,
    ),
    "notes in no list": (
        delete("conversations", join_key("ada", "c2c_ada")),
        "P5 ada in c2c_ada: is missing in their list",
        True,
    ),
    "channel not in a list": (
        delete("conversations", join_key("cid", f"c2c_{NEWS}")),
        f"P5 cid in c2c_{NEWS}: is missing in their list",
        True,
    ),
    "of no stream": (
        insert(
            "conversations",
            {
                "_id": join_key("ada", "c2c_zoe"),
                "user_id": "ada",
                "conversation_id": "c2c_zoe",
                "read_seq": 1,
            },
        ),
        "P5 ada in c2c_zoe: has no stream",
        True,
    ),
    "read behind the head": (
        update("conversations", join_key("bøb", "c2c_ada"), {"$set": {"read_seq": 8}}),
        "P5 bøb in c2c_ada: read or hid seq 8, head_seq is 2",
        True,
    ),
    "hidden behind the head": (
        update("conversations", join_key("cid", f"c2c_{NEWS}"), {"$set": {"hidden_at_seq": 7}}),
        f"P5 cid in c2c_{NEWS}: read or hid seq 7, head_seq is 2",
        True,
    ),
    "not in the inbox": (
        delete("threads", THREAD),
        f"P5 thread of {NEWS} with cid: is missing in the inbox",
        True,
    ),
    "thread read behind the head": (
        update("threads", THREAD, {"$set": {"read_seq": 9}}),
        f"P5 thread of {NEWS} with cid: read up to seq 9, head_seq is 2",
        True,
    ),
    "thread of no stream": (
        insert(
            "threads",
            {
                "_id": join_key(NEWS, "zoe"),
                "channel_id": NEWS,
                "user_id": "zoe",
                "read_seq": 0,
                "active_ms": 1,
            },
        ),
        f"P5 thread of {NEWS} with zoe: has no stream",
        True,
    ),
    "thread of no channel": (
        delete("channels", NEWS),
        f"P5 thread of {NEWS} with cid: is of a channel that does not exist",
        False,
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found_and_repaired_where_possible(town: Services, name: str) -> None:
    damage, expected, is_mendable = DAMAGES[name]
    await damage(town.database)
    found = told(await outcomes_of(town.database))
    assert any(expected in line for line in found), found
    await outcomes_of(town.database, repair=True)
    after = told(await outcomes_of(town.database))
    assert (after == []) == is_mendable, after
    messages: Any = town.database.collection("messages")
    lost = name in {"hole", "lost answer"}
    assert len(await messages.find({}).to_list(None)) == 5 - lost


async def test_repaired_dialogues_are_listed_as_unread(town: Services) -> None:
    await DAMAGES["not in a list"][0](town.database)
    await DAMAGES["not in the inbox"][0](town.database)
    await outcomes_of(town.database, repair=True)
    assert (await town.conversations.conversation_list.unread_totals(BOB)).chats == 2
    [thread], _ = await town.conversations.threads.list_threads(NEWS, limit=10, cursor=None)
    assert (thread.thread.user_id, thread.unread_count) == ("cid", 2)
    assert await town.conversations.threads.unread_totals(NEWS) == (2, 1)
