"""Default channels: every person is subscribed once, old and new, and what they or the staff decided stays."""

import asyncio
from typing import Any

import pytest

from channels.default_channels.service import sweep as sweep_module
from groups.kernel.mongo import Database
from tests.api import (
    PATIENCE_SECONDS,
    Api,
    User,
    a_channel,
    a_chat_group,
    fresh,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

DEFAULTS = "/v1/default-channels"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(sweep_module, "FULL_SECONDS", 0.1)


async def until_state(app: User, path: str, state: str = "done") -> dict[str, Any]:
    """The entry of the channel in the list once its sweep has this state."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for item in (await app.get(DEFAULTS)).items:
                if item["channel_id"] == id_of(path) and item["state"] == state:
                    return dict(item)
            await asyncio.sleep(0.02)


async def a_default(app: User, path: str) -> dict[str, Any]:
    """Make the channel a default, and wait until everybody is subscribed."""
    answer = await app.put(f"{path}/default")
    assert answer.status == 200, answer
    return await until_state(app, path)


async def is_subscribed(user: User, path: str) -> bool:
    return (await user.get(path)).body.get("subscribed_at") is not None


async def until_subscribed(user: User, *paths: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        for path in paths:
            while not await is_subscribed(user, path):
                await asyncio.sleep(0.02)


@pytest.fixture
async def server(api: OpenApi) -> Api:
    return await api(default_channels=2, departure_seconds=3_000_000_000)


async def test_everybody_is_subscribed_once_and_what_was_decided_stays(server: Api) -> None:
    ada, bob, cid, dan, eve, fay, gus, shop = (
        server.new_user(name, business=name == "shop")
        for name in ("ada", "bob", "cid", "dan", "eve", "fay", "gus", "shop")
    )
    app = the_app(ada)
    path = await a_channel(ada, bob, dan, eve)
    await a_chat_group(ada, cid, gus)  # they have no profile, and are members of something
    await app.post("/v1/users", {"users": [{"user_id": fay.id, "name": "Fay"}]})
    await shop.patch("/v1/users/me", {"name": "Shop"})
    # Before the channel was a default: one left, one was removed, one is banned, one blocks it.
    assert (await dan.delete(f"{path}/subscription")).status == 204
    assert (await ada.delete(f"{path}/subscribers/{part(eve.id)}")).status == 204
    assert (await ada.delete(f"{path}/subscribers/{part(gus.id)}?ban=true")).status == 204
    hal = server.new_user("hal")
    await hal.patch("/v1/users/me", {"name": "Hal"})
    assert (await hal.put(f"/v1/blocks/{part(id_of(path))}")).status == 200
    ears = await cid.socket()
    done = await a_default(app, path)
    # Cid and Fay. Ada and Bob subscribe already. Not so Gus, Hal and the shop, nor Dan and Eve, who are new ones.
    assert (done["subscribed"], done["passed_over"]) == (2, 3)
    joined = await ears.hear("channel.subscribed")
    assert joined["channel"]["channel_id"] == id_of(path)
    await ears.close()
    for user, expected in ((bob, True), (cid, True), (fay, True), (dan, False), (eve, False)):
        assert await is_subscribed(user, path) is expected, user.id
    assert not await is_subscribed(hal, path)
    assert (await gus.get(f"{path}/posts")).refusal == (403, "banned")
    assert (await app.get(path)).body["subscriber_count"] == 4
    # The admin log says that the application did it, in one entry for all.
    entries = (await ada.get(f"{path}/admin-log")).items
    assert [(entry["action"], entry["after"]) for entry in entries[:2]] == [
        ("subscribers_imported", {"added": 2}),
        ("settings_changed", {"default_channel": True}),
    ]
    # Leaving is final: also when the channel stops being a default and becomes one again.
    assert (await cid.delete(f"{path}/subscription")).status == 204
    assert (await app.delete(f"{path}/default")).status == 204
    assert (await app.get(DEFAULTS)).items == []
    await server.services.database.collection("departures").delete_many({})
    again = await a_default(app, path)
    assert again["subscribed"] == 0
    assert not await is_subscribed(cid, path)
    assert await is_subscribed(fay, path)


async def test_new_people_are_subscribed_when_they_first_act(server: Api) -> None:
    ada, app = server.new_user("ada"), server.new_user("app", admin=True)
    paths = [await a_channel(ada), await a_channel(ada, settings={"visibility": "private"})]
    for path in paths:
        await a_default(app, path)
    by_call, by_socket = server.new_user("ida"), server.new_user("jon")
    ears = await by_socket.socket()
    told = {(await ears.hear("channel.subscribed"))["channel"]["channel_id"] for _ in paths}
    assert told == {id_of(path) for path in paths}
    await ears.close()
    assert (await by_call.get("/v1/conversations")).status == 200
    await until_subscribed(by_call, *paths)
    # Once: who leaves stays away, whichever process sees them next.
    assert (await by_call.delete(f"{paths[0]}/subscription")).status == 204
    server.services.default_channels.newcomers._seen.clear()
    assert (await by_call.get("/v1/conversations")).status == 200
    late = server.new_user("kim")
    await late.get("/v1/conversations")
    await until_subscribed(late, *paths)  # so those who waited before are decided too
    assert not await is_subscribed(by_call, paths[0])
    # The application and business accounts are no people.
    shop = server.new_user("shop", business=True)
    await shop.get("/v1/conversations")
    later = server.new_user("lea")
    await later.get("/v1/conversations")
    await until_subscribed(later, *paths)
    assert not await is_subscribed(shop, paths[0])
    count = (await app.get(paths[0])).body["subscriber_count"]
    assert count == 4  # ada, jon, kim, lea


async def test_a_hidden_channel_waits_and_a_readable_one_takes_also_restricted_users_in(
    server: Api,
) -> None:
    ada, old, new = server.new_user("ada"), server.new_user("old"), server.new_user("new")
    app = the_app(ada)
    await old.patch("/v1/users/me", {"name": "Old"})
    hidden, readable = await a_channel(ada), await a_channel(ada)
    await app.put(f"{hidden}/suspension", {"mode": "hidden"})
    await app.put(f"{readable}/suspension", {"mode": "readable"})
    await app.put(f"/v1/users/{part(new.id)}/restriction", {"reason": "Spam"})
    assert (await app.put(f"{hidden}/default")).status == 200
    await a_default(app, readable)
    await new.get("/v1/conversations")
    await until_subscribed(old, readable)
    await until_subscribed(new, readable)
    waiting = next(o for o in (await app.get(DEFAULTS)).items if o["channel_id"] == id_of(hidden))
    assert (waiting["state"], waiting["subscribed"]) != ("done", 0)
    assert (await app.get(hidden)).body["subscriber_count"] == 1
    await app.delete(f"{hidden}/suspension")
    await until_state(app, hidden)
    for user in (old, new):
        await until_subscribed(user, hidden)


async def test_the_limit_of_default_channels_counts_those_that_exist(server: Api) -> None:
    ada, app = server.new_user("ada"), server.new_user("app", admin=True)
    paths = [await a_channel(ada) for _ in range(3)]
    answers = await asyncio.gather(*(app.put(f"{path}/default") for path in paths))
    refused = [path for path, answer in zip(paths, answers, strict=True) if answer.status != 200]
    assert [a.refusal for a in answers if a.status != 200] == [
        (409, "default_channel_limit_reached")
    ]
    taken = next(path for path in paths if path not in refused)
    assert (await app.put(f"{taken}/default")).status == 200  # again
    assert len((await app.get(DEFAULTS)).items) == 2
    # A deleted channel is forgotten.
    assert (await ada.delete(taken)).status == 204
    await server.services.chat.cleanup.wait()
    assert (await app.put(f"{refused[0]}/default")).status == 200
    assert (await app.put(f"{taken}/default")).refusal == (404, "channel_not_found")
    known = server.services.default_channels.known
    async with asyncio.timeout(PATIENCE_SECONDS):
        while id_of(refused[0]) not in known.numbers:
            await asyncio.sleep(0.02)
    assert id_of(taken) not in known.numbers


async def test_a_full_channel_waits_for_room(api: OpenApi) -> None:
    server = await api(community_members=3)
    ada, app = server.new_user("ada"), server.new_user("app", admin=True)
    for name in ("bob", "cid", "dan"):
        await app.post("/v1/users", {"users": [{"user_id": f"{name}-full", "name": name}]})
    path = await a_channel(ada)
    assert (await app.put(f"{path}/default")).status == 200
    full = await until_state(app, path, "full")
    assert full["subscribed"] == 2
    assert (await app.get(path)).body["subscriber_count"] == 3
    out = server.user_of("bob-full")
    assert (await out.delete(f"{path}/subscription")).status == 204
    done = await until_state(app, path)
    assert done["subscribed"] == 3
    assert (await app.get(path)).body["subscriber_count"] == 3
    assert not await is_subscribed(out, path)


@pytest.fixture
async def pair(api: OpenApi, second_database: Database) -> tuple[Api, Api]:
    return await api(), await api(database=second_database)


async def test_two_processes_sweep_while_people_leave_and_nobody_comes_back(
    pair: tuple[Api, Api],
) -> None:
    one, _ = pair
    ada, app = one.new_user("ada"), one.new_user("app", admin=True)
    path = await a_channel(ada)
    names = [fresh("u") for _ in range(120)]
    for first in range(0, len(names), 60):
        users = [{"user_id": name, "name": name} for name in names[first : first + 60]]
        assert (await app.post("/v1/users", {"users": users})).status == 200
    for server in pair:  # both take each other's lease at every step
        server.services.default_channels.sweep.step = 7
        server.services.default_channels.sweep.lease_seconds = 0.0
    leavers = [pair[n % 2].user_of(name) for n, name in enumerate(names[::3])]
    assert (await app.put(f"{path}/default")).status == 200

    async def leaves(user: User) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # Every call makes them a newcomer too, beside the sweep.
            while (await user.delete(f"{path}/subscription")).status != 204 or not await left(user):
                await asyncio.sleep(0.01)

    async def left(user: User) -> bool:
        key = {"_id": f"{user.id}\x1f{id_of(path)}"}
        return await one.services.database.collection("departures").find_one(key) is not None

    await asyncio.gather(*map(leaves, leavers))
    done = await until_state(app, path)
    gone = {user.id for user in leavers}
    members = one.services.database.collection("members")
    rows = await members.find({"group_id": id_of(path)}, {"user_id": 1}).to_list(None)
    assert {row["user_id"] for row in rows} == {ada.id, *names} - gone
    assert (await app.get(path)).body["subscriber_count"] == len(rows)
    assert done["walked"] >= len(names)
    rows = await one.services.database.collection("events").find({}).to_list(None)
    joined = [
        user_id
        for row in rows
        for event in row.get("events", ())
        if event["type"] == "members.joined" and event["group_id"] == id_of(path)
        for user_id in event["user_ids"]
    ]
    assert len(joined) == len(set(joined)) == 1 + len(names), "somebody came back, or never came"
