"""The conversation list of a user in five thousand groups, a thousand of them channels, is right at that size."""

import asyncio

import pytest

from conversations.events import ConversationRead
from conversations.models import Conversation, ConversationId, Unread
from conversations.service.conversation_list import ListFilter
from conversations.service.read_cursors import READS_AN_EVENT
from conversations.service.settings import ConversationChanges
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from tests.conversations.world import World

ACTOR = Actor(UserId("collector"))
GROUPS = 5_000
CHANNELS = 1_000


async def a_collector(world: World) -> list[ConversationId]:
    """The conversations of one who is in that many groups: heads and cursors differ, some are muted or hidden."""
    keys: list[ConversationId] = []
    for number in range(10):
        share = range(number * GROUPS // 10, (number + 1) * GROUPS // 10)
        keys += await world.seat_in_many(
            ACTOR.user_id, share, head_seq=10 + number, joined_seq=number % 3
        )
    streams = world.database.collection("streams")
    await streams.update_many({}, {"$set": {"is_channel": False}})
    await streams.update_many({"_id": {"$in": keys[:CHANNELS]}}, {"$set": {"is_channel": True}})
    mine = world.mine
    await mine.conversation_groups.put(ACTOR, "Mine", keys[CHANNELS - 50 : CHANNELS + 50])
    await asyncio.gather(
        *(mine.read_cursors.mark_read(ACTOR, key, seq=n % 12) for n, key in enumerate(keys[::7]))
    )
    for key in keys[CHANNELS - 10 : CHANNELS + 10]:
        await mine.settings.update_settings(ACTOR, key, ConversationChanges(muted=True))
    for key in keys[:10]:
        await mine.settings.update_settings(ACTOR, key, ConversationChanges(hidden=True))
    for key in keys[2_000:2_003]:
        await mine.settings.update_settings(ACTOR, key, ConversationChanges(pinned=True))
    return keys


async def listed(
    world: World, *, include_hidden: bool = False, limit: int = GROUPS
) -> list[Conversation]:
    """All that the list shows, in pages of `limit`."""
    found: list[Conversation] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.mine.conversation_list.list_conversations(
            ACTOR, ListFilter(include_hidden=include_hidden), limit=limit, cursor=cursor
        )
        found += [shown.conversation for shown in page]
        if cursor is None:
            return found


async def test_pages_have_each_conversation_once_and_totals_are_sums(
    real_world: World,
) -> None:
    keys = await a_collector(real_world)
    found = await listed(real_world, include_hidden=True, limit=100)
    assert len(found) == GROUPS
    assert {conversation.conversation_id for conversation in found} == set(keys)
    assert [c.conversation_id for c in found[:3]] == keys[2_000:2_003][::-1]
    assert [c for c in found if not c.is_hidden] == await listed(real_world, limit=1_000)
    for muted in (False, True):
        counting = [c for c in found if not c.is_hidden and (muted or not c.settings.muted)]
        channels = sum(c.unread_count for c in counting if c.is_channel)
        chats = sum(c.unread_count for c in counting if not c.is_channel)
        mine = sum(c.unread_count for c in counting if "Mine" in c.settings.groups)
        totals = await real_world.mine.conversation_list.unread_totals(ACTOR, include_muted=muted)
        assert totals == Unread(channels + chats, channels, chats, {"Mine": mine})
        assert min(channels, chats, mine) > 0
    groups = {
        total.name: total for total in await real_world.mine.conversation_list.list_groups(ACTOR)
    }
    assert groups["channels"].conversation_count == CHANNELS
    assert groups["chats"].conversation_count == GROUPS - CHANNELS
    assert groups["Mine"].conversation_count == 100
    unmuted = await real_world.mine.conversation_list.unread_totals(ACTOR)
    assert groups["channels"].unread_count == unmuted.channels
    assert groups["Mine"].unread_count == unmuted.conversation_groups["Mine"]


@pytest.mark.parametrize("scope", ["channels", "all"])
async def test_reading_all_reads_thousands_and_splits_the_event(
    real_world: World, scope: str
) -> None:
    keys = await a_collector(real_world)
    wanted = keys if scope == "all" else keys[:CHANNELS]
    before = {
        c.conversation_id: c
        for c in await listed(real_world, include_hidden=True)
        if c.unread_count and c.conversation_id in set(wanted)
    }
    chats = (await real_world.mine.conversation_list.unread_totals(ACTOR)).chats
    await real_world.events()
    after = await real_world.mine.read_cursors.mark_all_read(ACTOR, scope)
    assert (after.channels, after.chats) == (0, 0 if scope == "all" else chats)
    assert after == await real_world.mine.conversation_list.unread_totals(ACTOR)
    told = [e for e in await real_world.events() if isinstance(e, ConversationRead)]
    marks = [mark for event in told for mark in event.reads]
    assert {mark.conversation_id: mark.read_seq for mark in marks} == {
        key: conversation.head_seq for key, conversation in before.items()
    }
    assert len(marks) == len(before)
    assert max(len(event.reads) for event in told) == READS_AN_EVENT
    assert len(told) == -(-len(marks) // READS_AN_EVENT)
    # Again: nothing is unread, so nothing is written and nothing told.
    assert await real_world.mine.read_cursors.mark_all_read(ACTOR, scope) == after
    assert await real_world.events() == []
