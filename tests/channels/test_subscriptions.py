"""The list of changes for a device that was away: channels that changed and subscriptions that ended, each once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest

from channels.service.sync_tokens import MARKS
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.service.lifecycle.cleanup import CleanupService
from groups.service.membership.sync import OVERLAP
from groups.store.groups import GroupStore
from tests.api import (
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    group_path,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

MINE: Final = "/v1/channels?subscribed=true"
ROLES: Final = ("name", "organization", "verified", "role", "subscribed_at", "owner_id", "settings")


@dataclass(slots=True)
class Device:
    """The copy of a user's subscriptions that an application keeps, as `channels/docs/how-to/catch-up.md` describes."""

    user: User
    limit: int = 2
    channels: dict[str, Any] = field(default_factory=dict)
    token: str = ""

    async def load(self) -> "Device":
        """Read the whole list."""
        self.channels = {c["channel_id"]: c for c in await self._read(MINE)}
        return self

    async def sync(self) -> dict[str, Any]:
        """Read the changes. Returns each channel, or the reason of its end, by id."""
        listed: dict[str, Any] = {}
        for item in await self._read(f"{MINE}&updated_since={part(self.token)}"):
            channel_id = item["channel_id"]
            assert channel_id not in listed, "a list has each channel once"
            if "gone" in item:
                self.channels.pop(channel_id, None)
                listed[channel_id] = item["gone"]
            else:
                listed[channel_id] = self.channels[channel_id] = item
        return listed

    async def _read(self, path: str) -> list[Any]:
        items: list[Any] = []
        more = ""
        while True:
            answer = await self.user.get(f"{path}&limit={self.limit}{more}")
            items += answer.items
            cursor, token = answer.body["next_cursor"], answer.body["sync_token"]
            assert (token is None) is (cursor is not None)
            assert len(cursor or token) < 1024
            if cursor is None:
                self.token = token
                return items
            more = f"&cursor={cursor}"


@pytest.fixture
def server(shared_api: Api) -> Api:
    return shared_api


# --- changes ----------------------------------------------------------------------------------------------------------


async def test_without_changes_the_list_is_empty(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    for _ in range(3):
        await a_channel(ada, bob)
    device = await Device(bob).load()
    assert len(device.channels) == 3
    for _ in range(3):
        assert await device.sync() == {}


CHANGES: Final[dict[str, dict[str, Any]]] = {
    "a text of the group": {"name": "New"},
    "a text of the channel alone": {"organization": "City"},
    "a setting of the group": {"settings": {"reactions": "none"}},
    "a setting of the channel alone": {"settings": {"signatures": True}},
    "that it is private now": {"settings": {"visibility": "private"}},
}


@own_loop
@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_profile_is_listed_once_by_every_process(
    api: OpenApi, second_database: Database, change: str
) -> None:
    server, other = await api(), await api(database=second_database)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    await a_channel(ada, bob)
    near, far = await Device(bob).load(), await Device(other.user_of(bob.id)).load()
    for _ in range(2):
        # The second time nothing changes.
        assert (await ada.patch(path, CHANGES[change])).status == 200
    shown = (await bob.get(path)).body
    for device in (near, far):
        assert await device.sync() == {id_of(path): shown}
        assert await device.sync() == {}


async def test_changes_of_badge_role_and_owner_are_listed_once(server: Api) -> None:
    ada, bob, root = server.new_user("ada"), server.new_user("bob"), server.new_user(admin=True)
    path = await a_channel(ada, bob)
    channel_id = id_of(path)
    device = await Device(bob).load()
    await root.put(f"{path}/verified")
    assert (await device.sync())[channel_id]["verified"] is True
    await ada.put(f"{path}/admins/{part(bob.id)}")
    assert (await device.sync())[channel_id]["role"] == "admin"
    await ada.post(f"{path}/owner", {"user_id": bob.id})
    listed = (await device.sync())[channel_id]
    assert (listed["role"], listed["owner_id"]) == ("owner", bob.id)
    assert await device.sync() == {}


async def test_posts_and_other_subscribers_are_no_change(server: Api) -> None:
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    await a_post(ada, path)
    await cat.put(f"{path}/subscription")
    await ada.put(f"{path}/admins/{part(cat.id)}")
    await cat.delete(f"{path}/subscription")
    await bob.post(f"/v1/conversations/{part('group_' + id_of(path))}/read", {})
    assert await device.sync() == {}


async def test_chat_groups_are_not_listed(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    chat, other = await a_chat_group(ada, bob), await a_chat_group(ada, bob)
    device = await Device(bob).load()
    assert device.channels == {}
    await ada.patch(chat, {"name": "Tea 2"})
    await bob.delete(f"{chat}/members/me")
    await ada.delete(other)
    await a_chat_group(ada, bob)
    assert await device.sync() == {}


async def test_a_group_that_becomes_a_channel_is_listed(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    chat = await a_chat_group(ada, bob)
    device = await Device(bob).load()
    marked = await ada.post("/v1/channels", {"group_id": id_of(chat), "name": "Tea news"})
    assert marked.status == 201
    assert (await device.sync())[id_of(chat)]["name"] == "Tea news"
    assert await device.sync() == {}


async def leave(ada: User, bob: User, path: str) -> None:
    await bob.delete(f"{path}/subscription")


async def leave_the_group(ada: User, bob: User, path: str) -> None:
    await bob.delete(f"{group_path(path)}/members/me")


async def remove(ada: User, bob: User, path: str) -> None:
    await ada.delete(f"{path}/subscribers/{part(bob.id)}")


async def ban(ada: User, bob: User, path: str) -> None:
    await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")


async def delete(ada: User, bob: User, path: str) -> None:
    assert (await ada.delete(path)).status == 204


Act = Callable[[User, User, str], Awaitable[None]]
ENDS: Final[dict[str, tuple[Act, str]]] = {
    "left": (leave, "left"),
    "left the group": (leave_the_group, "left"),
    "removed": (remove, "removed"),
    "banned": (ban, "banned"),
    "deleted": (delete, "deleted"),
}


@own_loop
@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("end", ENDS)
async def test_an_ended_subscription_is_listed_once_with_its_reason(
    api: OpenApi, second_database: Database, end: str, visibility: str
) -> None:
    server, other = await api(), await api(database=second_database)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob, settings={"visibility": visibility})
    stays = await a_channel(ada, bob)
    near, far = await Device(bob).load(), await Device(other.user_of(bob.id)).load()
    late = await Device(bob).load()
    act, reason = ENDS[end]
    await act(ada, bob, path)
    assert await near.sync() == {id_of(path): reason}
    await server.services.chat.cleanup.wait()
    assert await far.sync() == {id_of(path): reason}
    server.clock.move(seconds=20 * 86_400)
    late.user = server.user_of(bob.id, hours=24)
    assert await late.sync() == {id_of(path): reason}
    for device in (near, far, late):
        device.user = server.user_of(bob.id, hours=24)
        assert await device.sync() == {}
        assert [*device.channels] == [id_of(stays)]


async def test_an_end_is_listed_while_its_deleted_channel_is_cleaned_up(
    server: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    before, after, at_last = [await Device(bob).load() for _ in range(3)]
    with monkeypatch.context() as patched:
        # As if a process had died right after deleting the channel.
        patched.setattr(CleanupService, "start", lambda *_: None)
        assert (await ada.delete(path)).status == 204
    database = server.services.database
    of_it = {"group_id": id_of(path)}
    assert await database.collection("departures").find(of_it).to_list(None) == []
    for device in (before, after):
        assert await device.sync() == {id_of(path): "deleted"}
    assert await before.sync() == {}
    await server.services.chat.cleanup.clear(GroupId(id_of(path)))
    assert await after.sync() == {}
    assert await at_last.sync() == {id_of(path): "deleted"}
    left = await database.collection("departures").find(of_it).to_list(None)
    assert {row["user_id"] for row in left} == {ada.id, bob.id, cat.id}


async def test_of_several_ends_only_the_last_is_listed(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    for act in (leave, remove, delete):
        await act(ada, bob, path)
        if act is not delete:
            await the_app(ada).put(f"{path}/subscribers/{part(bob.id)}")
    await server.services.chat.cleanup.wait()
    assert await device.sync() == {id_of(path): "deleted"}
    assert await device.sync() == {}


async def test_a_subscription_made_on_another_device_is_listed(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path, added = await a_channel(ada), await a_channel(ada)
    device = await Device(bob).load()
    await bob.put(f"{path}/subscription")
    await the_app(ada).put(f"{added}/subscribers/{part(bob.id)}")
    listed = await device.sync()
    assert listed.keys() == {id_of(path), id_of(added)}
    assert all(channel["role"] == "member" for channel in listed.values())
    assert await device.sync() == {}


@own_loop
@pytest.mark.parametrize("behind", [0, 60])
async def test_a_user_who_left_and_returned_is_subscribed_despite_clocks(
    api: OpenApi, second_database: Database, behind: float
) -> None:
    clock = MovedClock()
    clock.move(seconds=-behind)
    server, slow = await api(), await api(database=second_database, clock=clock)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    await bob.delete(f"{path}/subscription")
    back = await slow.user_of(bob.id).put(f"{path}/subscription")
    assert back.status == 200
    assert (await device.sync())[id_of(path)]["subscribed_at"] == back.body["subscribed_at"]
    assert await device.sync() == {}
    await slow.user_of(bob.id).delete(f"{path}/subscription")
    assert await device.sync() == {id_of(path): "left"}


async def test_a_reused_id_is_listed_as_ended_until_a_new_subscription(
    server: Api,
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    await ada.delete(path)
    await server.services.chat.cleanup.wait()
    anew = await ada.post("/v1/channels", {"channel_id": id_of(path), "name": "Again"})
    assert anew.status == 201
    assert await device.sync() == {id_of(path): "deleted"}
    await bob.put(f"{path}/subscription")
    assert (await device.sync())[id_of(path)]["name"] == "Again"


# --- completeness -----------------------------------------------------------------------------------------------------


async def test_a_change_dated_before_the_list_but_committed_later_is_listed(server: Api) -> None:
    """A transaction has the time of its start, and others may see it only a minute later."""
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    dated = server.clock.now() - timedelta(seconds=60)

    async def late(tx: Tx) -> None:
        await GroupStore(server.services.database).update(
            GroupId(id_of(path)), {"name": "Late"}, tx, changed_at=dated
        )

    await server.services.database.run(late)
    assert (await device.sync())[id_of(path)]["name"] == "Late"
    assert await device.sync() == {}


@own_loop
async def test_changes_by_a_process_with_a_slow_clock_are_listed(
    api: OpenApi, second_database: Database
) -> None:
    clock = MovedClock()
    clock.move(seconds=-60)
    server, slow = await api(), await api(database=second_database, clock=clock)
    ada, bob = slow.new_user("ada"), slow.new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(4)]
    joined = await a_channel(ada)
    device = await Device(server.user_of(bob.id)).load()
    await ada.patch(paths[0], {"name": "New"})
    await bob.delete(f"{paths[1]}/subscription")
    await ada.delete(paths[2])
    await bob.put(f"{joined}/subscription")
    listed = await device.sync()
    assert listed.keys() == {id_of(path) for path in (*paths[:3], joined)}
    assert listed[id_of(paths[0])]["name"] == "New"
    assert (listed[id_of(paths[1])], listed[id_of(paths[2])]) == ("left", "deleted")
    assert await device.sync() == {}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_a_change_between_two_pages_is_listed_now_or_next_time(
    server: Api, limit: int
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    paths = sorted([await a_channel(ada, bob) for _ in range(5)], key=id_of)
    device = await Device(bob, limit).load()
    for path in paths:
        await ada.patch(path, {"name": "First"})
    token = device.token
    query = f"{MINE}&limit={limit}&updated_since={part(token)}"
    answer = await bob.get(query)
    listed = {item["channel_id"]: item for item in answer.items}
    for path in (paths[0], paths[-1]):
        await ada.patch(path, {"name": "Second"})
    await bob.delete(f"{paths[2]}/subscription")
    while answer.body["next_cursor"]:
        answer = await bob.get(f"{query}&cursor={answer.body['next_cursor']}")
        listed |= {item["channel_id"]: item for item in answer.items}
    device.token = answer.body["sync_token"]
    after = await device.sync()
    seen = listed | after
    assert seen[id_of(paths[0])]["name"] == seen[id_of(paths[-1])]["name"] == "Second"
    assert seen[id_of(paths[1])]["name"] == "First"
    assert "left" in (seen[id_of(paths[2])], listed.get(id_of(paths[2]), {}).get("gone"))
    assert id_of(paths[1]) not in after
    assert await device.sync() == {}


@own_loop
async def test_changes_beyond_the_marks_of_a_token_are_listed_again(
    api: OpenApi,
) -> None:
    server = await api()
    ada, bob = server.new_user("ada"), server.new_user("bob")
    count = MARKS + 6
    paths = [await a_channel(ada) for _ in range(count)]
    device = await Device(bob, 100).load()
    for path in paths:
        await bob.put(f"{path}/subscription")
    assert len(await device.sync()) == count
    assert 0 < len(await device.sync()) <= count - MARKS
    server.clock.move(seconds=OVERLAP.total_seconds())
    assert await device.sync() != {}
    assert await device.sync() == {}
    for path in paths:
        await bob.delete(f"{path}/subscription")
    gone: set[str] = set()
    device.limit = 7
    for _ in range(3):
        gone |= (await device.sync()).keys()
    assert gone == {id_of(path) for path in paths}
    assert device.channels == {}


@own_loop
async def test_a_device_that_syncs_during_changes_ends_up_current(
    api: OpenApi, second_database: Database
) -> None:
    seed = random.randrange(10_000)
    print(f"seed {seed}")
    dice = random.Random(seed)
    servers = [await api(), await api(database=second_database)]
    ada, bob = servers[0].new_user("ada"), servers[0].new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(6)]
    device = await Device(bob, 3).load()

    async def act(number: int) -> None:
        server = dice.choice(servers)
        owner, fan, path = server.user_of(ada.id), server.user_of(bob.id), dice.choice(paths)
        match dice.randrange(6):
            case 0:
                await owner.patch(path, {"name": f"News {number}"})
            case 1:
                await owner.patch(path, {"organization": f"City {number}"})
            case 2 | 3:
                await fan.put(f"{path}/subscription")
            case 4:
                await fan.delete(f"{path}/subscription")
            case _:
                await owner.delete(f"{path}/subscribers/{part(bob.id)}")

    async def in_turn(numbers: range) -> None:
        for number in numbers:
            await act(number)

    async def sync_on() -> None:
        for number in range(25):
            device.user = servers[number % 2].user_of(bob.id)
            await device.sync()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sync_on())
        for worker in range(4):
            tasks.create_task(in_turn(range(worker, 100, 4)))
    for path in paths[:2]:
        await ada.delete(path)
    await device.sync()
    truth = await Device(bob, 100).load()
    assert device.channels.keys() == truth.channels.keys()
    for channel_id, channel in truth.channels.items():
        for name in ROLES:
            assert device.channels[channel_id][name] == channel[name], (channel_id, name)


# --- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_time_works_like_a_token(server: Api) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path, left = await a_channel(ada, bob), await a_channel(ada, bob)
    await bob.delete(f"{left}/subscription")
    hour = timedelta(hours=1)
    past, future = [
        (await bob.get(f"{MINE}&updated_since={at.isoformat().replace('+00:00', 'Z')}")).items
        for at in (server.clock.now() - hour, server.clock.now() + hour)
    ]
    assert future == []
    assert {item["channel_id"] for item in past} == {id_of(path), id_of(left)}


@own_loop
@pytest.mark.parametrize("late", [False, True])
async def test_an_expired_token_makes_a_device_list_everything(api: OpenApi, late: bool) -> None:
    most = 600
    server = await api(departure_seconds=most)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    device = await Device(bob).load()
    await bob.delete(f"{path}/subscription")
    server.clock.move(seconds=most + 1 if late else most - 20)
    device.user = server.user_of(bob.id)
    if late:
        refused = await device.user.get(f"{MINE}&updated_since={device.token}")
        assert refused.refusal == (410, "sync_token_expired")
        await device.load()
        assert device.channels == {}
        assert await device.sync() == {}
    else:
        assert await device.sync() == {id_of(path): "left"}


@own_loop
async def test_a_departure_is_kept_until_the_last_token_for_it_expires(
    api: OpenApi,
) -> None:
    server = await api(departure_seconds=600)
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    await bob.delete(f"{path}/subscription")
    await ada.delete(path)
    await server.services.chat.cleanup.wait()
    departures = server.services.database.collection("departures")
    rows = await departures.find({}).to_list(None)
    assert {row["reason"] for row in rows} == {"left", "deleted"}
    for row in rows:
        assert row["expires_at"] - row["at"] == timedelta(seconds=600) + OVERLAP
    indexes = await departures.index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "WyJzeW5jIl0",
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "99999999999999999999",
        "WyJzeW5jIiwgMSwgIuKCrCJd",
        "%00",
    ],
)
async def test_an_invalid_token_is_refused(server: Api, token: str) -> None:
    bob = server.new_user("bob")
    good = (await bob.get(MINE)).body["sync_token"]
    assert (await bob.get(f"{MINE}&updated_since={good}")).status == 200
    refused = await bob.get(f"{MINE}&updated_since={token}")
    assert refused.refusal == (400, "bad_cursor")


@pytest.mark.parametrize(
    "query",
    ["updated_since=x", "owned=true&updated_since=x", "subscribed=true&updated_since="],
)
async def test_a_token_needs_a_list_of_subscriptions(server: Api, query: str) -> None:
    refused = await server.new_user().get(f"/v1/channels?{query}")
    assert refused.refusal == (400, "invalid_request")


async def test_only_lists_of_subscriptions_have_a_token(server: Api) -> None:
    ada = server.new_user("ada")
    path = await a_channel(ada)
    for query in ("", "owned=true", f"ids={part(id_of(path))}"):
        assert (await ada.get(f"/v1/channels?{query}")).body["sync_token"] is None


async def test_a_token_of_another_user_shows_nothing_of_theirs(server: Api) -> None:
    ada, bob, eve = (server.new_user(name) for name in ("ada", "bob", "eve"))
    device = await Device(bob).load()
    path = await a_channel(ada, bob, settings={"visibility": "private"})
    assert (await device.sync()).keys() == {id_of(path)}
    left = await Device(bob).load()
    await bob.delete(f"{path}/subscription")
    for token in (device.token, left.token):
        assert (await eve.get(f"{MINE}&updated_since={part(token)}")).items == []
