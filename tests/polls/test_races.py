"""Votes under races, on a real replica set: two server processes' worth of services on one database."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from groups.errors import MessageRecalled, PollClosed
from groups.kernel.ids import GroupId
from groups.models import Content, Kind, Poll, message_key, stream_of
from reactions.models import VOTE_PREFIX
from tests.databases import an_empty_database
from tests.reactions.scene import ADA, BOB, OWNER, THUMB, Scene, actor

OPTIONS = tuple(f"option {number}" for number in range(12))
USERS = [actor(f"user{number}") for number in range(300)]


@pytest.fixture
async def scenes(mongod_uri: str) -> AsyncIterator[tuple[Scene, Scene]]:
    async with an_empty_database(mongod_uri) as name:
        first, second = await Scene.connect(mongod_uri, name), await Scene.connect(mongod_uri, name)
        yield first, second
        for scene in (first, second):
            await scene.reactions.close()
            await scene.polls.close()
            await scene.database.close()


async def ask(scene: Scene, group_id: GroupId, *, multiple: bool = False) -> int:
    poll = Poll(question="Which?", options=OPTIONS, multiple=multiple)
    posted = await scene.messages.post(OWNER, group_id, Content(kind=Kind.POLL, poll=poll))
    return posted.message.seq


async def stored(scene: Scene, group_id: GroupId, seq: int) -> tuple[dict[int, int], int]:
    """The counts of the tally and its voters, which are those of the stored votes."""
    key = message_key(stream_of(group_id), seq)
    votes = {"message_id": key, "emoji": {"$regex": f"^{VOTE_PREFIX}"}}
    rows = await scene.database.collection("reactions").find(votes).to_list(None)
    held = Counter(int(row["emoji"].removeprefix(VOTE_PREFIX)) for row in rows)
    tally = await scene.database.collection("tallies").find_one({"_id": key})
    counted = {int(option): count for option, count in (tally or {}).get("votes", {}).items()}
    voters = (tally or {}).get("voters", 0)
    assert counted == held
    assert voters == len({row["user_id"] for row in rows})
    return counted, voters


async def last_told(scene: Scene) -> tuple[list[int], int]:
    """The counts of the newest event in the outbox."""
    rows = scene.database.collection("events").find({"events.type": "poll.changed"})
    events = [event for row in await rows.sort("_id").to_list(None) for event in row["events"]]
    newest = [event for event in events if event["type"] == "poll.changed"][-1]
    return newest["votes"], newest["voters"]


@pytest.mark.parametrize("multiple", [False, True])
async def test_votes_that_are_replaced_through_two_processes_leave_an_exact_tally(
    scenes: tuple[Scene, Scene], multiple: bool
) -> None:
    group_id = await scenes[0].a_group(USERS)
    seq = await ask(scenes[0], group_id, multiple=multiple)
    dice = random.Random(5)
    calls: list[Awaitable[Any]] = []
    for user in USERS:
        # Each user votes on several devices at once, some take it back, and some react to the poll.
        for _ in range(3):
            chosen = dice.sample(range(12), dice.randint(0, 4 if multiple else 1))
            calls.append(dice.choice(scenes).polls.vote(user, group_id, seq, chosen))
        if dice.random() < 0.3:
            calls.append(dice.choice(scenes).reactions.react(user, group_id, seq, THUMB))
    dice.shuffle(calls)
    await asyncio.gather(*calls)
    counted, voters = await stored(scenes[0], group_id, seq)
    assert 0 < voters <= len(USERS)
    if not multiple:
        assert sum(counted.values()) == voters
    told, told_voters = await last_told(scenes[0])
    assert ({o: n for o, n in enumerate(told) if n}, told_voters) == (counted, voters)
    # Everybody is answered the vote that is stored.
    for user in USERS[:20]:
        own = await scenes[1].reactions.tallies(user, stream_of(group_id), [seq])
        again = await scenes[1].polls.vote(user, group_id, seq, own[seq].my_votes)
        assert again.tally.my_votes == own[seq].my_votes
    assert await stored(scenes[0], group_id, seq) == (counted, voters)


async def test_no_vote_is_counted_or_told_after_the_poll_is_closed_or_deleted(
    scenes: tuple[Scene, Scene],
) -> None:
    group_id = await scenes[0].a_group(USERS[:40])
    here, there = scenes
    for number in range(16):
        ends_by_closing, has_votes = number % 2 == 0, number % 4 < 2
        seq = await ask(here, group_id)
        if has_votes:
            # Votes then write the tally alone, and not the message.
            await here.polls.vote(OWNER, group_id, seq, {11})
        ending = (
            there.polls.close_poll(OWNER, group_id, seq)
            if ends_by_closing
            else there.edits.recall(OWNER, group_id, seq)
        )
        votes = [
            scene.polls.vote(user, group_id, seq, {n % 12})
            for n, user in enumerate(USERS[:40])
            for scene in (scenes[n % 2],)
        ]
        ended, *outcomes = await asyncio.gather(ending, *votes, return_exceptions=True)
        assert not isinstance(ended, BaseException), ended
        refusals = {type(each) for each in outcomes if isinstance(each, Exception)}
        assert refusals <= {PollClosed if ends_by_closing else MessageRecalled}
        counted, voters = await stored(here, group_id, seq)
        assert voters == has_votes + sum(not isinstance(each, Exception) for each in outcomes)
        if ends_by_closing:
            # The closing sends the final counts, and nothing is sent after it.
            told, told_voters = await last_told(here)
            assert ({o: n for o, n in enumerate(told) if n}, told_voters) == (counted, voters)


async def test_first_votes_and_first_reactions_of_two_processes_both_count(
    scenes: tuple[Scene, Scene],
) -> None:
    group_id = await scenes[0].a_group()
    for _ in range(15):
        seq = await ask(scenes[0], group_id)
        await asyncio.gather(
            scenes[0].polls.vote(ADA, group_id, seq, {0}),
            scenes[1].polls.vote(BOB, group_id, seq, {0}),
            scenes[1].reactions.react(ADA, group_id, seq, THUMB),
        )
        assert await stored(scenes[0], group_id, seq) == ({0: 2}, 2)
        tallies = await scenes[0].reactions.tallies(ADA, stream_of(group_id), [seq])
        assert (tallies[seq].counts, tallies[seq].total) == ({THUMB: 1}, 1)
        assert (tallies[seq].mine, tallies[seq].my_votes) == ((THUMB,), (0,))
