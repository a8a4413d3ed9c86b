"""What the calls cost: as many commands for ten conversations as for a thousand."""

import asyncio
from collections import Counter
from typing import Any

from conversations.events import ConversationRead
from conversations.service import ListFilter
from conversations.store import OverlayStore
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from tests.conversations.world import World
from tests.probes import CommandProbe

FEW, MANY = Actor(UserId("few")), Actor(UserId("many"))


async def test_lists_totals_and_reading_all_cost_the_same_for_ten_and_a_thousand(
    real_world: World, probe: CommandProbe
) -> None:
    few = await real_world.seat_in_many(FEW.user_id, range(10))
    many = await real_world.seat_in_many(MANY.user_id, range(10, 1_010))
    for actor, keys in [(FEW, few), (MANY, many)]:
        await real_world.mine.conversation_groups.put(actor, "Mine", keys[:10])
        for key in keys[:3]:
            await real_world.mine.cursors.read(actor, key, seq=2)
    inbox, costs = real_world.mine.inbox, {}
    for actor in [FEW, MANY]:
        probe.take()
        await inbox.unread(actor)
        unread = probe.take()
        await inbox.list_conversations(actor, ListFilter(), limit=5, cursor=None)
        listed = probe.take()
        await inbox.list_groups(actor)
        groups = probe.take()
        await real_world.mine.cursors.read_all(actor, "all")
        costs[actor] = (unread, listed, groups, probe.take())
    assert costs[FEW] == costs[MANY]
    # Memberships, overlays, heads; for totals the names of the conversation groups; for a page titles and drafts.
    assert costs[MANY][0] == Counter(find=4)
    assert costs[MANY][1] == Counter(find=5)
    assert costs[MANY][3] == Counter(find=4, update=1, insert=1, commitTransaction=1)
    [*_, event] = await real_world.events(ConversationRead)
    assert isinstance(event, ConversationRead)
    assert len(event.reads) == 1_000


async def test_many_readers_share_their_commands(real_world: World, probe: CommandProbe) -> None:
    readers = [Actor(UserId(f"user{number}")) for number in range(200)]
    tea = await real_world.group("tea", *readers)
    await real_world.post(tea, times=3)
    probe.take()
    await asyncio.gather(*(real_world.mine.cursors.read(reader, tea) for reader in readers))
    sent = probe.take()
    # All came before the first transaction began, so one carries them all.
    assert sent == Counter(find=3, update=1, insert=1, commitTransaction=1)


async def test_a_post_costs_one_command_more_for_its_authors_cursors(
    real_world: World, probe: CommandProbe
) -> None:
    tea = await real_world.group("tea")
    await real_world.post(tea)
    probe.take()
    await real_world.post(tea)
    with_hook = probe.take()
    real_world.chat.hooks.messages_posted.clear()
    await real_world.post(tea)
    assert with_hook - probe.take() == Counter(update=1)


async def test_each_query_uses_the_index_it_names(real_world: World) -> None:
    keys = await real_world.seat_in_many(MANY.user_id, range(300))
    groups = real_world.mine.conversation_groups
    await real_world.mine.cursors.read_all(MANY, "all")
    await groups.put(MANY, "Mine", keys[:20])
    plan = await explain(real_world, {"user_id": "many", "groups": "Mine"})
    assert index_of(plan) == "user_id_1_groups_1_conversation_id_1"
    plan = await explain(real_world, {"user_id": "many"})
    assert index_of(plan) == "user_id_1_conversation_id_1"
    assert len(OverlayStore.INDEXES) == 2


async def explain(world: World, query: dict[str, Any]) -> dict[str, Any]:
    answer = await world.database.collection("conversations").find(query).explain()
    plan: dict[str, Any] = answer["queryPlanner"]["winningPlan"]
    return plan


def index_of(plan: dict[str, Any]) -> str:
    while "indexName" not in plan:
        plan = plan.get("inputStage") or plan["queryPlan"]
    return str(plan["indexName"])
