"""The commands of a batch: as many for 64 keys as for one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest

from channels.broadcasts.store.broadcasts import BroadcastKey
from conversations.models import Dialogue
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId, UserId
from groups.kernel.text.emoji import Emoji
from tests.api import AS_LINES, Api, User, a_channel, a_post, id_of, part, the_app
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


async def test_presses_and_acknowledgements_of_many_posts_send_the_commands_of_one(
    watched: Watched,
) -> None:
    owner, *users = (watched.api.new_user(name) for name in ("owner", "ada", "bob", "eve"))
    places = list[Place]()
    row = [{"text": "Order", "kind": "event", "data": "tea"}]
    asking = {"kind": "text", "text": "Tea?", "acknowledge": True, "buttons": [row]}
    for _ in range(CHANNELS):
        path = await a_channel(owner, *users)
        for _ in range(POSTS):
            seq = (await owner.post(f"{path}/posts", asking)).body["seq"]
            for call in ("acknowledgement", "buttons/0/press"):
                assert (await users[-1].put(f"{path}/posts/{seq}/{call}")).status == 200
            places.append((GroupId(id_of(path)), seq))
    buttons = watched.api.services.buttons.posts
    acknowledgements = watched.api.services.acknowledgements.acknowledgements

    def press(who: Actor) -> Call:
        return lambda place: buttons.press(who, *place, 0)

    def acknowledge(who: Actor) -> Call:
        return lambda place: acknowledgements.acknowledge(who, *place)

    ada, bob, _ = map(actor_of, users)
    # Of the first ones, and of those that are repeated.
    for each in (press, acknowledge):
        for number in (5, 2):
            one = await commands_of(watched, each(ada), places[:1])
            assert one.total() == number
            assert await commands_of(watched, each(bob), places) == one


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


async def test_a_step_of_a_broadcast_sends_the_same_commands_for_one_user_and_for_fifty(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.broadcasts.service.worker.AHEAD_SECONDS", 600.0)
    api, users = watched.api, 2 + 50
    worker = api.services.broadcasts.worker
    await worker.close()
    owner = api.new_user("owner")
    path = await a_channel(owner)
    lines = "".join(f'{{"user_id": "person-{n:03}"}}\n' for n in range(users))
    await the_app(owner).call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)

    async def steps() -> Counter[str]:
        """The commands of a step, the same for one user and for fifty."""
        made = await owner.post(f"{path}/broadcasts", {"kind": "text", "text": "Hello"})
        key = BroadcastKey(GroupId(id_of(path)), made.body["broadcast_id"])
        found = list[Counter[str]]()
        # The first one begins the broadcast, and reads ahead.
        for number in (1, 1, 50):
            worker.at_once = number
            await watched.probe.take()
            done = await worker.step(key)
            assert done is not None
            assert done[0] == number
            found.append(Counter((await watched.probe.take()).commands))
        assert found[1] == found[2]
        assert await worker.step(key) is None
        return found[1]

    shared = {
        "aggregate": 2,
        "update broadcasts": 1,
        "update members": 1,
        "insert messages": 1,
        "insert events": 1,
        "commitTransaction": 1,
    }
    assert await steps() == {
        **shared,
        "insert streams": 1,
        "insert threads": 1,
        "insert conversations": 1,
        "update thread_guards": 1,
        "update block_guards": 1,
    }
    assert await steps() == {**shared, "update streams": 1, "update threads": 1}


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
