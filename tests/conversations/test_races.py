"""Limits, cursors and the end of memberships under races, on a real replica set, with two server processes' worth."""

import asyncio
import random
from collections.abc import Awaitable
from contextlib import suppress

import pytest

from conversations.errors import (
    ConversationGroupLimitReached,
    ConversationGroupNotFound,
    ConversationNotFound,
)
from conversations.events import ConversationRead
from conversations.limits import ConversationLimits
from conversations.models import ReadMark
from conversations.service.conversation_groups import ChangedConversationGroup
from conversations.service.settings import ConversationChanges
from groups.errors import GroupNotFound, PostingNotAllowed
from groups.kernel.actor import Actor
from groups.kernel.ids import UserId
from tests.conversations.world import BOB, World

LIMITS = ConversationLimits(conversation_groups=5, conversations_per_group=10)


async def test_racing_creations_never_exceed_the_limit(real_world: World) -> None:
    one, other = (real_world.conversations(LIMITS).conversation_groups for _ in range(2))
    outcomes = await asyncio.gather(
        *((one if number % 2 else other).put(BOB, f"g{number}", []) for number in range(12)),
        return_exceptions=True,
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, ChangedConversationGroup)]
    refused = [o for o in outcomes if isinstance(o, ConversationGroupLimitReached)]
    assert (len(made), len(refused)) == (5, 7)
    assert len(await real_world.mine.conversation_list.list_groups(BOB)) == 2 + 5


async def test_a_name_that_is_raced_for_is_created_once(real_world: World) -> None:
    groups = [real_world.conversations(LIMITS).conversation_groups for _ in range(2)]
    filed = await asyncio.gather(*(groups[n % 2].put(BOB, "Mine", []) for n in range(8)))
    assert sum(outcome.is_new for outcome in filed) == 1
    assert len(await real_world.events()) == 1


async def test_racing_additions_never_exceed_the_limit_of_a_group(real_world: World) -> None:
    keys = await real_world.seat_in_many(BOB.user_id, range(24))
    groups = [real_world.conversations(LIMITS).conversation_groups for _ in range(2)]
    await groups[0].put(BOB, "Mine", keys[:4])
    filed = await asyncio.gather(
        *(groups[n % 2].change(BOB, "Mine", add=keys[n : n + 2]) for n in range(4, 24, 2))
    )
    errors = [error.code if error else None for f in filed for error in f.results.values()]
    assert errors.count(None) == 6
    assert errors.count("conversations_per_group_reached") == 14
    total = await real_world.mine.conversation_list.group_total(BOB, "Mine")
    assert total.conversation_count == 10


async def test_a_group_holds_at_most_a_thousand_conversations(real_world: World) -> None:
    keys = await real_world.seat_in_many(BOB.user_id, range(1_001))
    groups = real_world.mine.conversation_groups
    await groups.put(BOB, "All", [])
    for start in range(0, 950, 100):
        await groups.change(BOB, "All", add=keys[start : min(start + 100, 950)])
    filed = await groups.change(BOB, "All", add=keys[950:])
    refused = {key: error.code for key, error in filed.results.items() if error}
    assert refused == {keys[1_000]: "conversations_per_group_reached"}
    assert filed.total.conversation_count == 1_000


async def test_racing_changes_of_a_group_leave_no_stale_name(real_world: World) -> None:
    keys = await real_world.seat_in_many(BOB.user_id, range(10))
    groups = [real_world.conversations(LIMITS).conversation_groups for _ in range(2)]
    for turn in range(5):
        await groups[0].put(BOB, "A", [])
        calls: list[Awaitable[object]] = [
            groups[n % 2].change(BOB, "A", add=keys[n : n + 1]) for n in range(10)
        ]
        end = groups[1].delete(BOB, "A") if turn % 2 else groups[1].rename(BOB, "A", f"B{turn}")
        outcomes = await asyncio.gather(*calls, end, return_exceptions=True)
        unexpected = [
            o
            for o in outcomes
            if isinstance(o, Exception) and not isinstance(o, ConversationGroupNotFound)
        ]
        assert unexpected == []
    names = {total.name for total in await real_world.mine.conversation_list.list_groups(BOB)}
    left = {name for row in await real_world.settings_rows() for name in row.get("groups", [])}
    assert left <= names
    assert "A" not in left


async def test_racing_reads_keep_the_greatest_cursor(real_world: World) -> None:
    [key] = await real_world.seat_in_many(BOB.user_id, [0], head_seq=100)
    cursors = [real_world.conversations(LIMITS).read_cursors for _ in range(2)]
    seqs = random.Random(7).sample(range(1, 101), 60)
    highest = 0

    async def read(number: int, seq: int) -> ReadMark:
        nonlocal highest
        before = highest
        mark = await cursors[number % 2].mark_read(BOB, key, seq=seq)
        # Whatever was answered before this began is never undone by it.
        assert mark.read_seq >= max(before, seq)
        assert mark.unread_count == 100 - mark.read_seq
        highest = max(highest, mark.read_seq)
        return mark

    for start in range(0, 60, 20):
        await asyncio.gather(*(read(n, seqs[n]) for n in range(start, start + 20)))
    shown = await real_world.mine.conversation_list.get_conversation(BOB, key)
    assert shown.conversation.read_seq == max(seqs)
    events = await real_world.events(ConversationRead)
    told = [e.reads[0].read_seq for e in events if isinstance(e, ConversationRead)]
    assert told == sorted(set(told))
    assert told[-1] == max(seqs)


async def test_only_the_non_member_among_many_readers_is_refused(real_world: World) -> None:
    readers = [Actor(UserId(f"user{number}")) for number in range(40)]
    tea = await real_world.group("tea", *readers)
    await real_world.post(tea, times=3)
    read = real_world.mine.read_cursors.mark_read
    outcomes = await asyncio.gather(
        *(read(reader, tea) for reader in readers), read(BOB, tea), return_exceptions=True
    )
    assert isinstance(outcomes.pop(), ConversationNotFound)
    assert {getattr(outcome, "unread_count", outcome) for outcome in outcomes} == {0}


@pytest.mark.parametrize("act", ["read", "mute", "file", "post"])
async def test_no_settings_outlive_the_membership(real_world: World, act: str) -> None:
    readers = [Actor(UserId(f"user{number}")) for number in range(24)]
    tea = await real_world.group("tea", *readers)
    await real_world.post(tea, times=3)
    other = real_world.conversations(LIMITS)

    async def set_something(reader: Actor) -> None:
        match act:
            case "read":
                await other.read_cursors.mark_read(reader, tea)
            case "mute":
                await other.settings.update_settings(reader, tea, ConversationChanges(muted=True))
            case "post":
                with suppress(PostingNotAllowed, GroupNotFound):
                    await real_world.post(tea, reader)
            case _:
                await other.conversation_groups.put(reader, "Mine", [tea])

    calls: list[Awaitable[None]] = []
    for reader in readers:
        calls += [set_something(reader), real_world.leave(tea, reader)]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert outcome is None or isinstance(outcome, ConversationNotFound)
    left = [row["user_id"] for row in await real_world.settings_rows() if row["user_id"] != "ada"]
    assert left == []


async def test_a_user_does_not_leave_while_their_first_settings_are_stored(
    real_world: World,
) -> None:
    tea = await real_world.group("tea", BOB)
    await real_world.post(tea, times=3)
    settings = real_world.mine.settings.settings
    async with real_world.database.transaction() as tx:
        await settings.advance_read_cursors([((BOB.user_id, tea), 3)], tx)
        await real_world.database.flush(tx)
        leaving = asyncio.ensure_future(real_world.leave(tea, BOB))
        await asyncio.wait([leaving], timeout=0.3)
        assert not leaving.done()
    await leaving
    assert await real_world.settings_rows() == []


async def test_concurrent_posts_and_reads_lose_nothing(real_world: World) -> None:
    tea = await real_world.group("tea", BOB)
    await asyncio.gather(
        *(real_world.post(tea, BOB) for _ in range(10)),
        *(real_world.mine.read_cursors.mark_read(BOB, tea) for _ in range(10)),
    )
    shown = await real_world.mine.conversation_list.get_conversation(BOB, tea)
    assert (shown.conversation.head_seq, shown.conversation.unread_count) == (10, 0)


async def test_reading_all_during_posts_marks_only_earlier_messages(real_world: World) -> None:
    keys = [await real_world.group(name, BOB) for name in "abc"]
    await asyncio.gather(
        *(real_world.post(key, times=5) for key in keys),
        *(real_world.mine.read_cursors.mark_all_read(BOB, "all") for _ in range(5)),
    )
    shown = await real_world.shown()
    total = sum(item.conversation.unread_count for item in shown)
    assert (await real_world.mine.conversation_list.unread_totals(BOB)).total == total
    events = [
        e for e in await real_world.events(ConversationRead) if isinstance(e, ConversationRead)
    ]
    last: dict[str, int] = {}
    for event in events:
        for mark in event.reads:
            assert mark.read_seq > last.get(mark.conversation_id, 0)
            last[mark.conversation_id] = mark.read_seq
    assert {
        key: item.conversation.read_seq
        for item in shown
        if (key := item.conversation.conversation_id) in last
    } == last
