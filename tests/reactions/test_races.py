"""Reactions under races, on a real replica set: two server processes' worth of services on one database."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
from pymongo import monitoring

from groups.errors import GroupNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, join_key
from groups.kernel.text.emoji import Emoji
from groups.models import Content, Kind, Tally, message_key, stream_of
from reactions.errors import (
    DistinctReactionsReached,
    ReactionsFrozen,
    ReactionsPerUserReached,
)
from tests.databases import an_empty_database
from tests.reactions.scene import ADA, BOB, FIRE, HEART, OWNER, TEA, THUMB, Scene, actor

EMOJI = [Emoji(chr(0x1F400 + n)) for n in range(60)]  # animals
USERS = [actor(f"user{n}") for n in range(500)]


class CommandLog(monitoring.CommandListener):
    """The names of the commands that this process's clients sent."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


COMMANDS = CommandLog()
# Heard by all clients made after this line; there is no way to take it back.
monitoring.register(COMMANDS)


@pytest.fixture
async def scenes(mongod_uri: str) -> AsyncIterator[tuple[Scene, Scene]]:
    async with an_empty_database(mongod_uri) as name:
        first, second = await Scene.connect(mongod_uri, name), await Scene.connect(mongod_uri, name)
        yield first, second
        await first.reactions.close()
        await second.reactions.close()
        await first.database.close()
        await second.database.close()


async def outcomes_of(*calls: Coroutine[Any, Any, Tally]) -> Counter[type]:
    return Counter(type(each) for each in await asyncio.gather(*calls, return_exceptions=True))


async def last_announced(scene: Scene, group_id: GroupId) -> dict[str, int]:
    """The counts that the newest event in the outbox tells."""
    rows = scene.database.collection("events").find({"events.type": "reactions.changed"})
    events = [event for row in await rows.sort("_id").to_list(None) for event in row["events"]]
    assert {event["stream_id"] for event in events} == {stream_of(group_id)}
    versions: dict[str, int] = events[-1]["counts"]
    return versions


async def test_five_hundred_users_through_two_processes_leave_an_exact_tally(
    scenes: tuple[Scene, Scene],
) -> None:
    group_id = await scenes[0].a_group(USERS)
    emoji_of = {user: EMOJI[n % 7] for n, user in enumerate(USERS)}
    # Each user reacts twice, once through each process: that is still one reaction.
    calls = [
        scene.reactions.react(user, group_id, 1, emoji)
        for user, emoji in emoji_of.items()
        for scene in scenes
    ]
    random.Random(7).shuffle(calls)
    assert await outcomes_of(*calls) == {Tally: 1000}
    assert await scenes[0].stored(group_id) == Counter(emoji_of.values())
    batches = len(scenes[0].batches) + len(scenes[1].batches)
    assert batches < 100, "callers did not share transactions"


async def test_reacting_and_taking_back_at_once_leave_an_exact_tally(
    scenes: tuple[Scene, Scene],
) -> None:
    channel_id = await scenes[0].a_channel(USERS[:60])
    dice = random.Random(11)
    calls: list[Coroutine[Any, Any, Tally]] = []
    for _ in range(600):
        scene, user = dice.choice(scenes), dice.choice(USERS[:60])
        call = scene.reactions.unreact if dice.random() < 0.3 else scene.reactions.react
        calls.append(call(user, channel_id, 1, dice.choice(EMOJI[:4])))
    assert await outcomes_of(*calls) == {Tally: 600}
    stored = await scenes[0].stored(channel_id)
    assert sum(stored.values()) <= 60
    # The last event has the stored counts.
    assert await last_announced(scenes[0], channel_id) == stored


async def test_the_first_reactions_of_two_processes_both_count(
    scenes: tuple[Scene, Scene],
) -> None:
    group_id = await scenes[0].a_group()
    for _ in range(20):
        seq = await scenes[0].post(group_id)
        await asyncio.gather(
            scenes[0].reactions.react(ADA, group_id, seq, THUMB),
            scenes[1].reactions.react(BOB, group_id, seq, THUMB),
        )
        assert await scenes[0].stored(group_id, seq) == {THUMB: 2}


async def test_a_user_who_replaces_an_emoji_on_many_devices_holds_one(
    scenes: tuple[Scene, Scene],
) -> None:
    channel_id = await scenes[0].a_channel()
    for seq in range(1, 6):
        await asyncio.gather(
            *(
                scene.reactions.react(ADA, channel_id, seq, emoji)
                for emoji in (THUMB, FIRE, HEART, TEA)
                for scene in scenes
            )
        )
        stored = await scenes[0].stored(channel_id, seq)
        assert list(stored.values()) == [1]
        assert (await scenes[1].reactions.get(ADA, channel_id, seq)).mine == tuple(stored)
        await scenes[0].post(channel_id)


async def test_a_batch_that_leaves_the_counts_equal_conflicts_with_its_rival(
    scenes: tuple[Scene, Scene],
) -> None:
    channel_id = await scenes[0].a_channel()
    for seq in range(1, 21):
        await scenes[0].reactions.react(BOB, channel_id, seq, THUMB)
        # In one process Ada takes over Bob's emoji, so that no count changes; in the other she picks another one.
        await asyncio.gather(
            scenes[0].reactions.react(ADA, channel_id, seq, THUMB),
            scenes[0].reactions.unreact(BOB, channel_id, seq, THUMB),
            scenes[1].reactions.react(ADA, channel_id, seq, TEA),
        )
        assert list((await scenes[0].stored(channel_id, seq)).values()) == [1]
        await scenes[0].post(channel_id)


async def test_of_sixty_different_emoji_at_once_fifty_are_accepted(
    scenes: tuple[Scene, Scene],
) -> None:
    group_id = await scenes[0].a_group(USERS[:61])
    outcomes = await outcomes_of(
        *(
            scenes[n % 2].reactions.react(USERS[n], group_id, 1, emoji)
            for n, emoji in enumerate(EMOJI)
        )
    )
    assert outcomes == {Tally: 50, DistinctReactionsReached: 10}
    stored = await scenes[0].stored(group_id)
    assert len(stored) == 50
    joined = await scenes[1].reactions.react(USERS[60], group_id, 1, Emoji(next(iter(stored))))
    assert joined.total == 51


@pytest.mark.parametrize(("tried", "refused"), [(10, 0), (11, 1), (20, 10)])
async def test_one_user_holds_at_most_ten_emoji_under_any_race(
    scenes: tuple[Scene, Scene], tried: int, refused: int
) -> None:
    group_id = await scenes[0].a_group()
    outcomes = await outcomes_of(
        *(
            scenes[n % 2].reactions.react(ADA, group_id, 1, emoji)
            for n, emoji in enumerate(EMOJI[:tried])
        )
    )
    assert outcomes[Tally] == 10
    assert outcomes[ReactionsPerUserReached] == refused
    assert len(await scenes[0].stored(group_id)) == 10


async def commands_of(scene: Scene, group_id: GroupId, seq: int, users: list[Actor]) -> list[str]:
    before, batches = len(COMMANDS.names), len(scene.batches)
    await asyncio.gather(*(scene.reactions.react(user, group_id, seq, THUMB) for user in users))
    assert len(scene.batches) == batches + 1
    return COMMANDS.names[before:]


async def test_a_batch_of_a_hundred_costs_the_commands_of_one_caller(
    scenes: tuple[Scene, Scene],
) -> None:
    scene = scenes[0]
    group_id = await scene.a_group(USERS[:100])
    seq = await scene.post(group_id)
    one = await commands_of(scene, group_id, 1, USERS[:1])
    assert await commands_of(scene, group_id, seq, USERS[:100]) == one
    # What is known, the message, tally, reactions, event, commit.
    assert one == ["aggregate", "update", "update", "insert", "insert", "commitTransaction"]
    further = await commands_of(scene, group_id, 1, USERS[1:2])
    assert further == ["aggregate", "update", "insert", "insert", "commitTransaction"]


# --- beside what ends the reactions -----------------------------------------------------------------------------------


class Pause:
    """A hook that keeps a reaction under way: it has read what it needs, and has written nothing."""

    def __init__(self, scene: Scene) -> None:
        self.is_reached, self.is_over = asyncio.Event(), asyncio.Event()
        scene.reactions.reacted = [self._wait]

    async def _wait(self, *_: object) -> None:
        self.is_reached.set()
        await self.is_over.wait()


async def recall(scene: Scene, group_id: GroupId) -> None:
    await scene.edits.recall(OWNER, group_id, 1)


async def freeze(scene: Scene, group_id: GroupId) -> None:
    await scene.pins.freeze_reactions(OWNER, group_id, 1, frozen=True)


async def freeze_and_allow(scene: Scene, group_id: GroupId) -> None:
    await freeze(scene, group_id)
    await scene.pins.freeze_reactions(OWNER, group_id, 1, frozen=False)


async def disband(scene: Scene, group_id: GroupId) -> None:
    await scene.disbanding.disband(OWNER, group_id)
    await scene.cleanup.wait()


async def a_reaction_under_way(
    scene: Scene, group_id: GroupId, *, has_tally: bool
) -> tuple[Pause, asyncio.Task[Tally]]:
    if has_tally:
        await scene.reactions.react(BOB, group_id, 1, THUMB)
    pause = Pause(scene)
    under_way = asyncio.create_task(scene.reactions.react(ADA, group_id, 1, THUMB))
    await pause.is_reached.wait()
    return pause, under_way


@pytest.mark.parametrize("has_tally", [False, True])
@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (recall, MessageRecalled),
        (freeze, ReactionsFrozen),
        (freeze_and_allow, Tally),
        (disband, GroupNotFound),
    ],
)
async def test_a_reaction_that_is_committed_after_what_ends_reactions_has_seen_it(
    scenes: tuple[Scene, Scene],
    end: Callable[[Scene, GroupId], Awaitable[None]],
    outcome: type,
    has_tally: bool,
) -> None:
    first, second = scenes
    group_id = await first.a_group()
    pause, under_way = await a_reaction_under_way(first, group_id, has_tally=has_tally)
    await end(second, group_id)
    pause.is_over.set()
    assert [type(one) for one in await asyncio.gather(under_way, return_exceptions=True)] == [
        outcome
    ]
    holders = has_tally * (outcome is not GroupNotFound) + (outcome is Tally)
    assert (await first.stored(group_id)).get(THUMB, 0) == holders


async def test_an_edit_does_not_disturb_a_reaction_under_way(scenes: tuple[Scene, Scene]) -> None:
    first, second = scenes
    group_id = await first.a_group()
    pause, under_way = await a_reaction_under_way(first, group_id, has_tally=True)
    await second.edits.edit(OWNER, group_id, 1, Content(kind=Kind.TEXT, text="better"))
    pause.is_over.set()
    assert (await under_way).total == 2
    assert len(first.batches) == 2


async def test_a_reaction_that_is_committed_while_its_group_is_cleared_leaves_nothing(
    scenes: tuple[Scene, Scene],
) -> None:
    first, second = scenes
    group_id = await first.a_group()
    pause, under_way = await a_reaction_under_way(first, group_id, has_tally=True)

    async def messages_are_gone(_: str) -> None:
        pause.is_over.set()
        assert (await under_way).total == 2

    second.stream_ended.append(messages_are_gone)
    await disband(second, group_id)
    assert under_way.done()
    for name in ("messages", "reactions", "tallies"):
        assert await first.database.collection(name).count_documents({}) == 0


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_the_reactions_of_many_users_are_read_with_one_command(
    scenes: tuple[Scene, Scene],
) -> None:
    scene = scenes[0]
    group_id = await scene.a_group(USERS[:60])
    for emoji in EMOJI[:3]:
        await asyncio.gather(
            *(scene.reactions.react(user, group_id, 1, emoji) for user in USERS[:60])
        )
    before = len(COMMANDS.names)
    stream_id = stream_of(group_id)
    held = await asyncio.gather(
        *(scene.reactions.tallies(user, stream_id, [1]) for user in USERS[:60])
    )
    assert COMMANDS.names[before:] == ["aggregate"]
    assert {len(tallies[1].mine) for tallies in held} == {3}


async def test_a_page_of_tallies_costs_one_command(scenes: tuple[Scene, Scene]) -> None:
    scene = scenes[0]
    group_id = await scene.a_group()
    for seq in range(1, 21):
        await scene.reactions.react(ADA, group_id, seq, THUMB)
        await scene.post(group_id)
    before = len(COMMANDS.names)
    tallies = await scene.reactions.tallies(ADA, stream_of(group_id), range(1, 21))
    assert COMMANDS.names[before:] == ["aggregate"]
    assert {tally.mine for tally in tallies.values()} == {(THUMB,)}
    assert len(tallies) == 20


async def test_readers_with_the_most_reactions_on_a_long_page_all_get_it(
    scenes: tuple[Scene, Scene],
) -> None:
    """What one command answers is one document, of 16 MB at most."""
    scene = scenes[0]
    readers = [actor(f"{'r' * 28}{number:04}") for number in range(140)]
    group_id = await scene.a_group(name=f"@TGS#_{'g' * 40}")
    stream_id, kisses = stream_of(group_id), [f"👩🏻‍❤️‍💋‍👩{tone}" for tone in "🏻🏼🏽🏾🏿"]
    emoji = [*kisses, *(kiss.replace("👩🏻", "👨🏿") for kiss in kisses)]
    for _ in range(99):
        await scene.post(group_id)
    reactions = scene.database.collection("reactions")
    for seq in range(1, 101):
        await scene.reactions.react(ADA, group_id, seq, THUMB)
        key = message_key(stream_id, seq)
        await reactions.insert_many(
            {
                "_id": join_key(key, reader.user_id, one),
                "message_id": key,
                "user_id": reader.user_id,
                "emoji": one,
            }
            for reader in readers
            for one in emoji
        )
        counts = dict.fromkeys(emoji, len(readers))
        await scene.database.collection("tallies").update_one(
            {"_id": key}, {"$set": {"counts": counts, "total": len(readers) * len(emoji)}}
        )
    await asyncio.gather(*(scene.membership.join(reader, group_id) for reader in readers))
    pages = await asyncio.gather(
        *(scene.messages.list_messages(reader, group_id, limit=100) for reader in readers)
    )
    assert {len(page.tallies[seq].mine) for page in pages for seq in range(1, 101)} == {len(emoji)}
    tallies = await asyncio.gather(
        *(scene.reactions.tallies(reader, stream_id, range(1, 101)) for reader in readers)
    )
    assert {len(one[seq].mine) for one in tallies for seq in range(1, 101)} == {len(emoji)}


async def test_each_query_uses_the_index_that_was_made_for_it(
    scenes: tuple[Scene, Scene],
) -> None:
    scene = scenes[0]
    group_id = await scene.a_group(USERS[:40])
    for n, user in enumerate(USERS[:40]):
        await scene.reactions.react(user, group_id, 1, EMOJI[n % 5])
    message_id = message_key(stream_of(group_id), 1)
    reactions = scene.database.collection("reactions")
    held = reactions.find(
        {"message_id": {"$in": [message_id]}, "user_id": {"$in": ["user1", "user2"]}},
        {"_id": 0, "message_id": 1, "user_id": 1, "emoji": 1},
    )
    plan = str((await held.explain())["queryPlanner"]["winningPlan"])
    assert "message_id_1_user_id_1_emoji_1" in plan
    assert "FETCH" not in plan
    who = reactions.find({"message_id": message_id, "emoji": EMOJI[0], "_id": {"$gt": message_id}})
    plan = str((await who.sort([("_id", 1)]).explain())["queryPlanner"]["winningPlan"])
    assert "message_id_1_emoji_1__id_1" in plan
    assert "'SORT'" not in plan
