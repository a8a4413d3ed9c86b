"""Calls take the same commands for ten conversations as for five thousand, and return the right results."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from conversations.models import ListedConversation
from conversations.service.conversation_list import ListFilter
from conversations.service.guard import USERS_A_QUERY
from conversations.service.list_reader import USERS_A_QUERY as LIST_USERS_A_QUERY
from conversations.service.settings import ConversationChanges
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.errors import AnswerTooLarge
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from tests.conversations.world import ADA, BOB, World
from tests.probes import CommandProbe

FEW, MANY = Actor(UserId("few")), Actor(UserId("many"))


async def test_lists_and_reading_all_cost_the_same_for_ten_and_thousands(
    real_world: World, probe: CommandProbe
) -> None:
    few = await real_world.seat_in_many(FEW.user_id, range(10))
    many = await real_world.seat_in_many(MANY.user_id, range(10, 5_010))
    for actor, keys in [(FEW, few), (MANY, many)]:
        await real_world.mine.conversation_groups.put(actor, "Mine", keys[:5])
        for key in keys[:3]:
            await real_world.mine.read_cursors.mark_read(actor, key, seq=2)
    conversation_list = real_world.mine.conversation_list
    costs: dict[Actor, dict[str, Counter[str]]] = {}
    for actor in [FEW, MANY]:
        probe.take()
        await conversation_list.unread_totals(actor)
        unread = probe.take()
        await conversation_list.list_conversations(actor, ListFilter(), limit=5, cursor=None)
        listed = probe.take()
        await conversation_list.list_groups(actor)
        groups = probe.take()
        await real_world.mine.read_cursors.mark_all_read(actor, "all")
        costs[actor] = {"unread": unread, "list": listed, "groups": groups}
        costs[actor]["read all"] = probe.take()
    # Memberships with settings, heads, what the page shows; of few conversations the last two are one.
    listed_few, listed_many = costs[FEW].pop("list"), costs[MANY].pop("list")
    assert listed_few == Counter(aggregate=2)
    assert listed_many == Counter(aggregate=2, find=1)
    assert costs[FEW] == costs[MANY]
    # Memberships, settings, heads, and the names of the conversation groups.
    assert costs[MANY]["unread"] == Counter(find=4)
    # The cursors that were stored, those that were not with their memberships, and the event.
    assert costs[MANY]["read all"] == Counter(find=4, update=2, insert=2, commitTransaction=1)


async def test_finding_one_among_five_thousand_costs_no_more(
    real_world: World, probe: CommandProbe
) -> None:
    keys = await real_world.seat_in_many(MANY.user_id, range(5_000))
    await real_world.mine.read_cursors.mark_read(MANY, keys[7], seq=2)
    probe.take()
    shown = await real_world.mine.conversation_list.get_conversation(MANY, keys[7])
    assert probe.take() == Counter(find=2, aggregate=1)
    assert (shown.title, shown.conversation.unread_count) == ("g00007", 3)


async def test_lists_of_many_users_share_their_commands(
    real_world: World, probe: CommandProbe
) -> None:
    users = [Actor(UserId(f"user{number:02}")) for number in range(LIST_USERS_A_QUERY)]
    for number, actor in enumerate(users):
        keys = await real_world.seat_in_many(actor.user_id, range(number * 3, number * 3 + 3))
        await real_world.mine.read_cursors.mark_read(actor, keys[0], seq=number % 5)
    with_draft = users[7:9]
    for actor in with_draft:
        key = (await real_world.shown(actor))[0].conversation.conversation_id
        changes = ConversationChanges(draft=f"Dear {actor.user_id}")
        await real_world.mine.settings.update_settings(actor, key, changes)
    conversation_list = real_world.mine.conversation_list
    pages: list[tuple[list[ListedConversation], str | None]] = []
    for readers, sent in ((users[:1], 2), (users, 2 + 1)):
        probe.take()
        pages = await asyncio.gather(
            *(
                conversation_list.list_conversations(actor, ListFilter(), limit=2, cursor=None)
                for actor in readers
            )
        )
        # Memberships with settings, what the pages show; and the drafts, if anybody has any.
        assert probe.take().total() == sent
    for actor, (page, cursor) in zip(users, pages, strict=True):
        again, _ = await conversation_list.list_conversations(
            actor, ListFilter(), limit=2, cursor=None
        )
        assert page == again
        assert cursor is not None
        drafts = [listed.conversation.settings.draft for listed in page]
        assert drafts == [f"Dear {actor.user_id}" if actor in with_draft else "", ""]


async def test_a_user_with_too_much_for_one_answer_does_not_disturb_the_others(
    real_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    actors = [Actor(UserId(name)) for name in ("few", "huge", "other")]
    for number, actor in enumerate(actors):
        key, *_ = await real_world.seat_in_many(actor.user_id, range(number * 3, number * 3 + 3))
        changes = ConversationChanges(draft="Dear", pinned=True)
        await real_world.mine.settings.update_settings(actor, key, changes)
    expected = [await real_world.shown(actor) for actor in actors]
    fetch_together = Database.fetch_together

    async def fetch_little(database: Database, *queries: Any, **options: Any) -> None:
        if any("huge" in str(query.pipeline[0]) for query in queries):
            raise AnswerTooLarge
        await fetch_together(database, *queries, **options)

    monkeypatch.setattr(Database, "fetch_together", fetch_little)
    assert await asyncio.gather(*map(real_world.shown, actors)) == expected
    assert [listed[0].conversation.settings.draft for listed in expected] == ["Dear"] * 3


async def test_totals_of_many_users_share_their_commands(
    real_world: World, probe: CommandProbe
) -> None:
    users = [Actor(UserId(f"user{number:02}")) for number in range(3 * USERS_A_QUERY)]
    for number, actor in enumerate(users):
        share = range(number * 3, number * 3 + 3)
        await real_world.seat_in_many(actor.user_id, share, head_seq=number + 1)
    conversation_list = real_world.mine.conversation_list
    probe.take()
    totals = await asyncio.gather(*(conversation_list.unread_totals(actor) for actor in users))
    # All came before the first query was sent: three for each so many users, and one for all conversation groups.
    assert probe.take() == Counter(find=3 * 3 + 1)
    # Of a user's three groups the first and the last are channels.
    assert [(found.channels, found.chats) for found in totals] == [
        (2 * (number + 1), number + 1) for number in range(len(users))
    ]


async def test_many_readers_share_their_commands(real_world: World, probe: CommandProbe) -> None:
    readers = [Actor(UserId(f"user{number}")) for number in range(200)]
    tea = await real_world.group("tea", *readers)
    await real_world.post(tea, times=3)
    probe.take()
    await asyncio.gather(
        *(real_world.mine.read_cursors.mark_read(reader, tea) for reader in readers)
    )
    sent = probe.take()
    # All came before the first transaction began, so one carries them all: their first cursors with their memberships,
    # and the event.
    assert sent == Counter(aggregate=1, insert=2, update=1, commitTransaction=1)
    await real_world.post(tea)
    probe.take()
    await asyncio.gather(
        *(real_world.mine.read_cursors.mark_read(reader, tea) for reader in readers)
    )
    assert probe.take() == Counter(aggregate=1, update=1, insert=1, commitTransaction=1)


async def test_a_post_costs_more_only_where_another_author_wrote_before(
    real_world: World, probe: CommandProbe
) -> None:
    tea = await real_world.group("tea", BOB)
    costs = []
    for author in (ADA, ADA, BOB, BOB):
        probe.take()
        await real_world.post(tea, author)
        costs.append(probe.take())
    assert costs[1] == Counter(aggregate=1, update=1, insert=2, commitTransaction=1)
    assert costs[0] == costs[3] == costs[1]
    # The cursor of the author before, and their membership, which must not end meanwhile.
    assert costs[2] - costs[1] == Counter(update=2)


async def test_each_query_uses_the_index_it_names(real_world: World) -> None:
    keys = await real_world.seat_in_many(MANY.user_id, range(300))
    groups = real_world.mine.conversation_groups
    await real_world.mine.read_cursors.mark_all_read(MANY, "all")
    await groups.put(MANY, "Mine", keys[:20])
    plan = await explain(real_world, "conversations", {"user_id": "many", "groups": "Mine"})
    assert plan.index == "user_id_1_groups_1_conversation_id_1"
    unanswered = {"user_id": "many", "unanswered": True}
    plan = await explain(real_world, "conversations", unanswered, {"_id": 0, "conversation_id": 1})
    # Covered: so many strangers may wait that their documents are not to be read.
    assert plan == Plan("user_id_1_unanswered_1_conversation_id_1", keys=0, documents=0)
    assert len(ConversationSettingsStore.INDEXES) == 3


async def test_the_list_examines_only_the_documents_it_returns(real_world: World) -> None:
    keys = await real_world.seat_in_many(MANY.user_id, range(5_000))
    await real_world.seat_in_many(FEW.user_id, range(5_000, 6_000))
    for actor in (FEW, MANY):
        await real_world.mine.read_cursors.mark_all_read(actor, "all")
        await real_world.mine.conversation_groups.put(actor, "Mine", [])
    of_user = {"user_id": {"$in": [MANY.user_id]}}
    fields = {"_id": 0, "user_id": 1, "group_id": 1, "joined_seq": 1}
    plan = await explain(real_world, "members", of_user, fields)
    # Covered: the index holds all that totals need.
    assert plan == Plan("user_id_1_group_id_1_joined_seq_1", keys=5_000, documents=0)
    plan = await explain(real_world, "members", of_user, {**fields, "joined_at": 1})
    assert plan == Plan("user_id_1_group_id_1_joined_seq_1", keys=5_000, documents=5_000)
    plan = await explain(real_world, "conversations", of_user)
    assert plan == Plan("user_id_1_conversation_id_1", keys=5_000, documents=5_000)
    plan = await explain(real_world, "conversation_groups", of_user)
    assert plan == Plan("user_id_1_created_at_1", keys=1, documents=1)
    plan = await explain(real_world, "streams", {"_id": {"$in": keys}})
    # Keys that stand side by side cost one step each and one to see that the last was the last.
    assert (plan.index, plan.documents) == ("_id_", 5_000)
    assert plan.keys in (5_000, 5_001)


@dataclass(frozen=True, slots=True)
class Plan:
    """The index that a query used, and what it looked at."""

    index: str
    keys: int
    documents: int


async def explain(
    world: World, collection: str, query: dict[str, Any], fields: dict[str, int] | None = None
) -> Plan:
    answer = await world.database.collection(collection).find(query, fields).explain()
    stage = answer["queryPlanner"]["winningPlan"]
    while "indexName" not in stage:
        stage = stage.get("inputStage") or stage["queryPlan"]
    found = answer["executionStats"]
    return Plan(stage["indexName"], found["totalKeysExamined"], found["totalDocsExamined"])
