"""Events of subscriptions on sockets: each change once, to every device of the users concerned, in every process."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from groups.kernel.events import read_event
from groups.kernel.mongo import Database
from tests.api import (
    AS_LINES,
    Api,
    Ears,
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

PROFILE: Final = (
    *("channel_id", "name", "face_url", "organization", "introduction", "custom_data"),
    *("created_at", "subscriber_count", "subscribed_at", "verified"),
)
"""The profile fields of the founding document, and the badge."""
TOLD: Final[dict[str, Any]] = {
    "name": "City News",
    "face_url": "https://example.org/a.png",
    "organization": "City",
    "introduction": "What happens in town",
    "custom_data": '{"a": 1}',
}


@pytest_asyncio.fixture
async def servers(api: OpenApi, second_database: Database) -> AsyncIterator[list[Api]]:
    """Two processes of one deployment."""
    yield [await api(), await api(database=second_database)]


def without_probes(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without those with which `Ears.until_now` finds the end of the events on other sockets of the user."""
    return [event for event in events if not event["type"].startswith("conversation_group.")]


class Devices:
    """Two sockets of a user on each process; one of the two also watches the channel."""

    def __init__(self, ears: list[Ears]) -> None:
        self._ears = ears

    @classmethod
    async def of(cls, user: User, servers: list[Api], path: str = "") -> "Devices":
        ears = [await server.user_of(user.id).socket() for server in servers for _ in range(2)]
        if path:
            for one in ears[::2]:
                await one.tell(type="watch", conversation_id=f"group_{id_of(path)}")
                while (await one.frame())["type"] != "watching":
                    pass
        return cls(ears)

    async def heard(self) -> list[dict[str, Any]]:
        """The events that each socket has received by now; all must have the same."""
        fence = await self._ears[0].fence()
        received = [without_probes(await ears.until(fence)) for ears in self._ears]
        assert all(each == received[0] for each in received), received
        return received[0]

    async def heard_types(self) -> list[str]:
        return [event["type"] for event in await self.heard()]


async def test_every_device_of_a_new_subscriber_receives_the_profile(servers: list[Api]) -> None:
    server = servers[0]
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, cat, **TOLD)
    bobs, adas = await Devices.of(bob, servers, path), await Devices.of(ada, servers, path)
    cats, stranger = await Devices.of(cat, servers), await Devices.of(server.new_user(), servers)
    for times in (1, 0):
        shown = (await bob.put(f"{path}/subscription")).body
        events = await bobs.heard()
        assert [event["type"] for event in events] == ["channel.subscribed"] * times
        for event in events:
            assert event["channel_id"] == id_of(path)
            assert event["user_id"] == bob.id
            assert event["channel"] == {field: shown[field] for field in PROFILE}
            assert event["channel"].items() >= TOLD.items()
    # Neither subscribers nor the owner's sockets receive new subscribers: there may be a million.
    for others in (adas, cats, stranger):
        assert await others.heard() == []


async def test_the_profile_sent_is_current_in_every_process(
    servers: list[Api],
) -> None:
    near, far = servers
    ada, root = near.new_user("ada"), near.new_user(admin=True)
    path = await a_channel(ada)
    for number in range(5):
        bob = far.new_user("bob")
        assert (await bob.get(path)).status == 200  # fills the cache of the other process
        ears = await bob.socket()
        await ada.patch(path, {"organization": f"City {number}"})
        await (root.put if number % 2 else root.delete)(f"{path}/verified")
        await bob.put(f"{path}/subscription")
        (event,) = [e for e in await ears.until_now() if e["type"] == "channel.subscribed"]
        assert event["channel"]["organization"] == f"City {number}"
        assert event["channel"]["verified"] is bool(number % 2)
        await ears.close()


async def test_added_and_imported_users_and_creators_receive_it_too(servers: list[Api]) -> None:
    server = servers[0]
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    root = server.new_user(admin=True)
    adas = await Devices.of(ada, servers)
    path = await a_channel(ada, **TOLD)
    (event,) = await adas.heard()
    assert event["type"] == "channel.subscribed"
    assert event["channel"].items() >= TOLD.items()
    assert event["channel"]["subscriber_count"] == 1
    bobs, cats = await Devices.of(bob, servers), await Devices.of(cat, servers)
    await the_app(ada).put(f"{path}/subscribers/{part(bob.id)}")
    lines = "".join(f'{{"user_id": "{user}"}}\n' for user in (cat.id, "x1", "x2", bob.id))
    await root.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    for devices, user, count in ((bobs, bob, 2), (cats, cat, 5)):
        (event,) = await devices.heard()
        assert (event["type"], event["user_id"]) == ("channel.subscribed", user.id)
        assert event["channel"].items() >= TOLD.items()
        assert event["channel"]["subscriber_count"] == count
        shown = (await user.get(path)).body
        for field in ("created_at", "subscribed_at", "channel_id"):
            assert event["channel"][field] == shown[field]


@pytest.mark.parametrize("end", ["left", "left as group", "removed", "banned"])
async def test_the_end_of_a_subscription_is_sent_once_with_its_reason(
    servers: list[Api], end: str
) -> None:
    server = servers[0]
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    bobs = await Devices.of(bob, servers, path)
    adas, cats = await Devices.of(ada, servers, path), await Devices.of(cat, servers)
    for times in (1, 0):
        match end:
            case "left":
                await bob.delete(f"{path}/subscription")
            case "left as group":
                await bob.delete(f"{group_path(path)}/members/me")
            case "removed":
                await ada.delete(f"{path}/subscribers/{part(bob.id)}")
            case _:
                await ada.delete(f"{path}/subscribers/{part(bob.id)}?ban=true")
        events = await bobs.heard()
        assert [event["type"] for event in events] == ["channel.unsubscribed"] * times
        for event in events:
            assert (event["channel_id"], event["user_id"]) == (id_of(path), bob.id)
            assert event["reason"] == end.split()[0]
        assert await adas.heard() == await cats.heard() == []
    # And no further event of the channel.
    await a_post(ada, path)
    await ada.patch(path, {"name": "New"})
    assert await bobs.heard() == []


UPDATES: Final[list[dict[str, Any]]] = [
    {"name": "New"},
    {"organization": "City 2"},
    {"name": "Newer", "custom_data": "x", "face_url": ""},
    {"settings": {"accept_messages": "nobody", "reactions": ["👍"]}},
]


@pytest.mark.parametrize("through_group", [False, True])
async def test_a_change_is_sent_once_to_every_device(
    servers: list[Api], through_group: bool
) -> None:
    server = servers[0]
    ada, adm, bob = (server.new_user(name) for name in ("ada", "adm", "bob"))
    path = await a_channel(ada, bob, admins=(adm,), **TOLD)
    devices = [await Devices.of(user, servers, path) for user in (ada, adm, bob)]
    stranger = await Devices.of(server.new_user(), servers, path)
    versions: list[int] = []
    # A channel's changes are sent where the channel has them, also those that were made through its group.
    updates = [(body, body) for body in UPDATES]
    target = path
    if through_group:
        target, name = group_path(path), "故" * 50
        changed = {"name": name, "settings": {"reactions": "none"}}
        updates = [({"name": name, "reactions": "none"}, changed)]
    for body, changed in updates:
        for times in (1, 0):
            assert (await adm.patch(target, body)).status == 200
            for each in devices:
                events = await each.heard()
                assert [event["type"] for event in events] == ["channel.updated"] * times
                for event in events:
                    assert event["channel_id"] == id_of(path)
                    assert event["changed"] == changed
                    versions.append(event["version"])
            assert await stranger.heard() == []
    assert versions == sorted(versions)
    assert len(set(versions)) == len(updates)


async def test_one_change_is_one_event_for_any_number_of_subscribers(servers: list[Api]) -> None:
    server = servers[0]
    ada, root = server.new_user("ada"), server.new_user(admin=True)
    path = await a_channel(ada)
    outbox = server.services.database.collection("events")
    written: list[list[str]] = []
    lines = "".join(f'{{"user_id": "fan-{number}"}}\n' for number in range(2_000))
    for number in range(2):
        before = len(await outbox.find({}).to_list(None))
        await ada.patch(path, {"name": f"News {number}", "custom_data": str(number)})
        rows = (await outbox.find({}).sort("_id", 1).to_list(None))[before:]
        events = [read_event(document) for row in rows for document in row["events"]]
        written.append([event.type for event in events if event is not None])
        assert len(rows) == 1
        await root.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    assert written == [["group.updated"]] * 2


async def test_a_deletion_is_sent_once_to_every_device(servers: list[Api]) -> None:
    server = servers[0]
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_channel(ada, bob)
    devices = [await Devices.of(user, servers, path) for user in (ada, bob)]
    stranger = await Devices.of(server.new_user(), servers, path)
    assert (await ada.delete(path)).status == 204
    await server.services.chat.cleanup.wait()
    assert (await ada.delete(path)).status == 404
    for each in devices:
        (event,) = await each.heard()
        assert (event["type"], event["channel_id"]) == ("channel.deleted", id_of(path))
    assert await stranger.heard() == []


async def test_changes_of_owner_and_roles_are_sent_to_those_concerned(servers: list[Api]) -> None:
    server = servers[0]
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    path = await a_channel(ada, bob, cat)
    adas, bobs, cats = [await Devices.of(user, servers, path) for user in (ada, bob, cat)]
    await ada.post(f"{path}/owner", {"user_id": bob.id})
    # The admins receive both changes of role, the new owner only their own.
    for each, changes in ((adas, 2), (bobs, 1)):
        received = sorted(await each.heard(), key=lambda event: event["type"])
        types = [event["type"] for event in received]
        assert types == ["channel.updated"] + ["member.changed"] * changes
        assert received[0]["changed"] == {"owner_id": bob.id}
    (event,) = await cats.heard()
    assert (event["type"], event["changed"]) == ("channel.updated", {})
    # Where the channel signs its posts, everybody knows whose it is.
    await bob.patch(path, {"settings": {"signatures": True}})
    await bob.post(f"{path}/owner", {"user_id": ada.id})
    assert (await cats.heard())[-1]["changed"] == {"owner_id": ada.id}


async def test_members_of_a_group_made_a_channel_receive_its_profile(servers: list[Api]) -> None:
    server = servers[0]
    ada, bob = server.new_user("ada"), server.new_user("bob")
    chat = await a_chat_group(ada, bob)
    bobs = await Devices.of(bob, servers)
    for times in (1, 0):
        body = {"group_id": id_of(chat), "name": "Tea news", "organization": "House of Tea"}
        assert (await ada.post("/v1/channels", body)).status == 201
        events = await bobs.heard()
        assert [event["type"] for event in events] == ["channel.updated"] * times
        for event in events:
            received = {"is_channel": True, "name": "Tea news", "organization": "House of Tea"}
            assert event["changed"].items() >= received.items()


async def test_a_chat_group_receives_each_join_and_leave_once(
    servers: list[Api],
) -> None:
    server = servers[0]
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, type="meeting")
    devices = [await Devices.of(user, servers, path if user is ada else "") for user in (ada, bob)]
    await bob.put(f"{path}/members/me")
    for each in devices:
        assert await each.heard_types() == ["group.joined"]
    await bob.delete(f"{path}/members/me")
    for each in devices:
        assert await each.heard_types() == ["group.left"]


async def test_users_who_subscribe_together_receive_only_their_own(
    servers: list[Api],
) -> None:
    near = servers[0]
    ada = near.new_user("ada")
    path = await a_channel(ada, **TOLD)
    fans = [near.new_user("fan") for _ in range(20)]
    devices = [await Devices.of(fan, servers) for fan in fans]
    await asyncio.gather(
        *(
            servers[number % 2].user_of(fan.id).put(f"{path}/subscription")
            for number, fan in enumerate(fans)
        )
    )
    for fan, each in zip(fans, devices, strict=True):
        (event,) = await each.heard()
        assert (event["type"], event["user_id"]) == ("channel.subscribed", fan.id)
        assert event["channel"].items() >= TOLD.items()
