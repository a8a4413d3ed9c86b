"""The commands of a batch: as many for 64 keys as for one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest

from conversations.models import Dialogue
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.text.emoji import Emoji
from tests.api import Api, User, a_channel, a_post, id_of, part
from tests.cost.conftest import Watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE: Final = Emoji("👍")
CHANNELS: Final = 8
POSTS: Final = 8  # of each channel

Place = tuple[GroupId, int]
"""A post of a channel."""
Call = Callable[[Place], Awaitable[object]]


def actor_of(user: User) -> Actor:
    return Actor(UserId(user.id))


async def posts_with_reactions(api: Api, *subscribers: User) -> list[Place]:
    owner, places = api.new_user("owner"), list[Place]()
    for _ in range(CHANNELS):
        path = await a_channel(owner, *subscribers)
        for _ in range(POSTS):
            seq = (await a_post(owner, path))["seq"]
            assert (await owner.put(f"{path}/posts/{seq}/reactions/{part(LIKE)}")).status == 200
            places.append((GroupId(id_of(path)), seq))
    return places


async def commands_of(watched: Watched, call: Call, places: Sequence[Place]) -> Counter[str]:
    await watched.probe.take()
    await asyncio.gather(*(call(place) for place in places))
    return Counter((await watched.probe.take()).commands)


async def test_reactions_to_many_messages_send_the_commands_of_one(watched: Watched) -> None:
    users = watched.api.new_user("ada"), watched.api.new_user("bob")
    places = await posts_with_reactions(watched.api, *users)
    ada, bob = map(actor_of, users)
    reactions = watched.api.services.reactions

    def react(who: Actor) -> Call:
        return lambda place: reactions.react(who, *place, LIKE)

    def unreact(who: Actor) -> Call:
        return lambda place: reactions.unreact(who, *place, LIKE)

    one = await commands_of(watched, react(ada), places[:1])
    assert one.total() == 5
    assert await commands_of(watched, react(bob), places) == one
    one = await commands_of(watched, unreact(ada), places[:1])
    assert one.total() == 5
    assert await commands_of(watched, unreact(bob), places) == one


async def test_votes_in_many_polls_send_the_commands_of_one(watched: Watched) -> None:
    owner, *users = (watched.api.new_user(name) for name in ("owner", "ada", "bob"))
    places = list[Place]()
    poll = {"question": "Tea?", "options": ["Yes", "No"]}
    for _ in range(CHANNELS):
        path = await a_channel(owner, *users)
        for _ in range(POSTS):
            asked = await owner.post(f"{path}/posts", {"kind": "poll", "poll": poll})
            seq = asked.body["seq"]
            assert (await owner.put(f"{path}/posts/{seq}/vote", {"options": [0]})).status == 200
            places.append((GroupId(id_of(path)), seq))
    ada, bob = map(actor_of, users)
    polls = watched.api.services.polls

    def vote(who: Actor, *options: int) -> Call:
        return lambda place: polls.vote(who, *place, options)

    for options in ((0,), (1,), ()):
        one = await commands_of(watched, vote(ada, *options), places[:1])
        assert one.total() == (6 if options == (1,) else 5)
        assert await commands_of(watched, vote(bob, *options), places) == one


async def test_reactions_in_many_dialogues_send_the_commands_of_one(watched: Watched) -> None:
    api = watched.api
    ada = api.new_user("ada")
    path = await a_channel(api.new_user("owner"), ada)
    peers = [id_of(path), *(api.new_user("peer").id for _ in range(CHANNELS - 1))]
    places: list[tuple[Dialogue, int]] = []
    for peer in peers:
        messages = f"/v1/conversations/{part(f'c2c_{peer}')}/messages"
        for _ in range(POSTS):
            said = await ada.post(messages, {"kind": "text", "text": "Hello"})
            assert said.status == 201, said
            seq = said.body["seq"]
            assert (await ada.put(f"{messages}/{seq}/reactions/{part(LIKE)}")).status == 200
            places.append((Dialogue(UserId(ada.id), peer), seq))
    reactions, again = api.services.channels.dialogue_reactions, Emoji("🎉")
    for call in (reactions.react, reactions.unreact):
        await watched.probe.take()
        await call(actor_of(ada), *places[-1], again)
        one = Counter((await watched.probe.take()).commands)
        assert one.total() == 5
        of_users = places[POSTS:-1]
        await asyncio.gather(*(call(actor_of(ada), *place, again) for place in of_users))
        assert Counter((await watched.probe.take()).commands) == one
        await asyncio.gather(*(call(actor_of(ada), *place, again) for place in places[:POSTS]))
        of_threads = Counter((await watched.probe.take()).commands)
        # Whether the channel still exists.
        assert of_threads - one == (
            Counter({"find streams": 1}) if call == reactions.unreact else Counter()
        )


async def test_views_of_many_channels_send_the_commands_of_one(watched: Watched) -> None:
    places = await posts_with_reactions(watched.api)
    ada, bob = (actor_of(watched.api.new_user(name)) for name in ("ada", "bob"))
    views = watched.api.services.analytics.views

    def report(who: Actor) -> Call:
        return lambda place: views.report(who, place[0], [place[1]])

    # First views, further ones, and those that are known.
    for who, number in ((ada, 5), (bob, 5), (ada, 2)):
        one = await commands_of(watched, report(who), places[:1])
        assert one.total() == number
        assert await commands_of(watched, report(who), places[1:]) == one
