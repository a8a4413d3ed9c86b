"""Devices over HTTP: registered, confirmed, taken over, bounded, deleted, and gone with the tokens."""

import asyncio
import io
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from rich.console import Console

from channels.limits import Limits
from channels.push.limits import (
    APP_ID_LENGTH,
    DEVICE_NAME_LENGTH,
    ENDPOINT_LENGTH,
    LOCALE_LENGTH,
    PUSHKEY_LENGTH,
)
from channels.push.models import Gateway, Registration
from channels.push.service.devices import CONFIRM_SECONDS
from channels.push.store.devices import DeviceKey, DeviceStore
from channels.verify.command import verify
from groups.kernel.actor import Actor
from groups.kernel.errors import Unavailable
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Tx
from tests.api import Api, MovedClock, User, all_pages, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

KEYS: Final = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def a_phone(pushkey: str, **fields: object) -> dict[str, Any]:
    """The registration of a phone behind a gateway."""
    phone = {"platform": "gateway", "pushkey": pushkey, "app_id": "org.example.app", "locale": "en"}
    return phone | fields


def a_browser(endpoint: str, **fields: object) -> dict[str, Any]:
    """The registration of a browser, with what `PushSubscription.toJSON()` returns."""
    subscription = {"endpoint": endpoint, "expirationTime": None, "keys": KEYS}
    browser = {"platform": "web", "subscription": subscription, "app_id": "web", "locale": "pt-BR"}
    return browser | fields


async def register(user: User, device_id: str, registration: dict[str, Any]) -> dict[str, Any]:
    answer = await user.put(f"/v1/devices/{part(device_id)}", registration)
    assert answer.status == 200, answer
    assert isinstance(answer.body, dict)
    return answer.body


async def devices_of(user: User) -> list[str]:
    return [device["device_id"] for device in (await user.get("/v1/devices")).items]


async def findings(database: Database, *, repair: bool = False) -> list[str]:
    outcomes = await verify(database, Limits(), console=Console(file=io.StringIO()), repair=repair)
    return [f"{each.subject}: {each.problem}" for outcome in outcomes for each in outcome.first]


async def test_a_device_is_registered_read_changed_listed_and_deleted(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    phone = await register(ada, "phone", a_phone(f"{ada.id}.1", name="Ada's phone"))
    assert phone == {
        "device_id": "phone",
        "platform": "gateway",
        "endpoint": None,
        "pushkey": f"{ada.id}.1",
        "app_id": "org.example.app",
        "locale": "en",
        "name": "Ada's phone",
        "created_at": phone["created_at"],
        "confirmed_at": phone["created_at"],
    }
    endpoint = f"https://push.example.net/{ada.id}"
    web = await register(ada, "a browser", a_browser(endpoint))
    assert (web["platform"], web["endpoint"], web["pushkey"]) == ("web", endpoint, None)
    # The keys of a subscription are not shown: nobody but the delivery needs them.
    assert KEYS["auth"] not in str(web)
    assert await devices_of(ada) == ["a browser", "phone"]
    pages = await all_pages(ada, "/v1/devices", limit=1)
    assert [[device["device_id"] for device in page] for page in pages] == [
        ["a browser"],
        ["phone"],
    ]
    assert (await ada.get("/v1/devices/phone")).body == phone
    changed = await register(ada, "phone", a_phone(f"{ada.id}.2", locale="de-CH-1996"))
    assert (changed["pushkey"], changed["locale"]) == (f"{ada.id}.2", "de-CH-1996")
    assert changed["created_at"] == phone["created_at"]
    for path in ("/v1/devices/phone", "/v1/devices/other"):
        assert (await bob.get(path)).refusal == (404, "device_not_found")
        assert (await bob.delete(path)).status == 204
    assert await devices_of(bob) == []
    assert (await ada.get("/v1/devices?cursor=x")).refusal == (400, "bad_cursor")
    for _ in range(2):
        assert (await ada.delete("/v1/devices/phone")).status == 204
    assert await devices_of(ada) == ["a browser"]
    # The pushkeys of a deleted device are free.
    for number in (1, 2):
        await register(bob, f"phone{number}", a_phone(f"{ada.id}.{number}"))
    assert await devices_of(bob) == ["phone1", "phone2"]


async def test_clients_learn_how_the_deployment_delivers(shared_api: Api) -> None:
    info = await shared_api.new_user().get("/v1/push")
    assert info.body == {"vapid_public_key": None, "gateway": False}


BAD: Final[dict[str, dict[str, Any]]] = {
    "neither": {"pushkey": None},
    "both": {"subscription": {"endpoint": "https://a.example/1", "keys": KEYS}},
    "another platform": {"platform": "apns"},
    "no app": {"app_id": ""},
    "a long app": {"app_id": "a" * (APP_ID_LENGTH + 1)},
    "an app with a space": {"app_id": "my app"},
    "a long pushkey": {"pushkey": "a" * (PUSHKEY_LENGTH + 1)},
    "an empty pushkey": {"pushkey": ""},
    "a pushkey with a line break": {"pushkey": "a\nb"},
    "no language": {"locale": ""},
    "not a language": {"locale": "en_US"},
    "a long language": {"locale": "a-" * 17 + "ab"},
    "a long name": {"name": "a" * (DEVICE_NAME_LENGTH + 1)},
    "a name of two lines": {"name": "a\nb"},
    "an unknown field": {"token": "x"},
}
BAD_SUBSCRIPTIONS: Final[dict[str, dict[str, Any]]] = {
    "http": {"endpoint": "http://push.example.net/1"},
    "no address": {"endpoint": "push"},
    "no host": {"endpoint": "https://"},
    "a password": {"endpoint": "https://ada:secret@push.example.net/1"},
    "a fragment": {"endpoint": "https://push.example.net/1#2"},
    "a long address": {"endpoint": "https://push.example.net/".ljust(ENDPOINT_LENGTH + 1, "a")},
    "a space": {"endpoint": "https://push.example.net/ 1"},
    "a short key": {"keys": KEYS | {"p256dh": KEYS["p256dh"][:-4]}},
    "a compressed point": {"keys": KEYS | {"p256dh": "A" + KEYS["p256dh"][1:]}},
    "a long secret": {"keys": KEYS | {"auth": KEYS["auth"] + "AA"}},
    "plain base64": {"keys": KEYS | {"auth": KEYS["auth"].replace("_", "/")}},
    "not base64": {"keys": KEYS | {"auth": "?" * 22}},
}


async def test_a_bad_registration_is_refused_and_loses_nothing(shared_api: Api) -> None:
    ada = shared_api.new_user()
    longest: dict[str, object] = {
        "app_id": "a" * APP_ID_LENGTH,
        "locale": "abcde" + "-abcd" * 6,
        "name": "é" * DEVICE_NAME_LENGTH,
    }
    assert len(str(longest["locale"])) == LOCALE_LENGTH
    phone = await register(ada, "phone", a_phone(ada.id.ljust(PUSHKEY_LENGTH, "k"), **longest))
    endpoint = f"https://push.example.net/{ada.id}/".ljust(ENDPOINT_LENGTH, "a")
    web = await register(ada, "web", a_browser(endpoint))
    for wrong, fields in BAD.items():
        answer = await ada.put("/v1/devices/phone", a_phone("k") | fields)
        assert answer.refusal == (400, "invalid_request"), wrong
    for wrong, fields in BAD_SUBSCRIPTIONS.items():
        body = a_browser("https://push.example.net/1")
        body["subscription"] |= fields
        answer = await ada.put("/v1/devices/web", body)
        assert answer.refusal == (400, "invalid_request"), wrong
    assert (await ada.get("/v1/devices/phone")).body == phone
    assert (await ada.get("/v1/devices/web")).body == web
    # Padding is base64 too, and changes nothing.
    padded = a_browser(endpoint)
    padded["subscription"]["keys"] = {
        name: key + "=" * (-len(key) % 4) for name, key in KEYS.items()
    }
    assert await register(ada, "web", padded) == web


async def test_a_subscription_belongs_to_who_registered_it_last(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    key, endpoint = f"{ada.id}.k", f"https://push.example.net/{ada.id}"
    await register(ada, "phone", a_phone(key))
    await register(ada, "web", a_browser(endpoint))
    # Another app may have the same pushkey: each app's gateway has keys of its own.
    await register(ada, "other", a_phone(key, app_id="org.example.other"))
    await register(bob, "mine", a_phone(key))
    assert (await devices_of(ada), await devices_of(bob)) == (["other", "web"], ["mine"])
    await register(bob, "browser", a_browser(endpoint))
    assert (await devices_of(ada), await devices_of(bob)) == (["other"], ["browser", "mine"])
    # An app that was installed anew has another id for the same device.
    await register(bob, "new", a_phone(key))
    assert await devices_of(bob) == ["browser", "new"]
    await register(ada, "phone", a_phone(key))
    assert (await devices_of(ada), await devices_of(bob)) == (["other", "phone"], ["browser"])
    assert await findings(shared_api.services.database) == []


@own_loop
async def test_devices_that_pass_from_hand_to_hand_at_once_stay_with_one_user(
    api: OpenApi, second_database: Database
) -> None:
    servers = [await api(), await api(database=second_database)]
    users = [[server.user_of(f"user{number}") for server in servers] for number in range(4)]
    dice = random.Random(7)

    async def act(sides: list[User]) -> None:
        for _ in range(12):
            user, key = dice.choice(sides), dice.choice("abc")
            if dice.random() < 0.2:
                assert (await user.delete(f"/v1/devices/{key}")).status == 204
            else:
                await register(user, dice.choice((key, "x")), a_phone(key))

    await asyncio.gather(*(act(sides) for sides in users for _ in range(2)))
    held = [
        device["pushkey"] for sides in users for device in (await sides[0].get("/v1/devices")).items
    ]
    assert len(held) == len(set(held))
    assert await findings(second_database) == []
    # All at once for the same one.
    await asyncio.gather(
        *(register(sides[i % 2], "x", a_phone("a")) for i, sides in enumerate(users))
    )
    having = [sides[0].id for sides in users if "x" in await devices_of(sides[0])]
    assert len(having) == 1
    assert await findings(second_database) == []


@own_loop
async def test_a_device_beyond_the_limit_takes_the_place_of_the_one_confirmed_first(
    api: OpenApi,
) -> None:
    here = await api(devices_per_user=3)
    ada, bob = here.new_user(), here.new_user()
    for name in ("first", "second", "third"):
        await register(ada, name, a_phone(f"{name}.k"))
        here.clock.move(seconds=1)
    assert await devices_of(ada) == ["first", "second", "third"]
    await register(bob, "phone", a_phone("bob.k"))
    # Registering again changes nothing, but once a day it confirms that the device is still in use.
    before = await register(ada, "first", a_phone("first.k"))
    assert before["confirmed_at"] == before["created_at"]
    here.clock.move(seconds=CONFIRM_SECONDS)
    ada = here.user_of(ada.id)
    after = await register(ada, "first", a_phone("first.k"))
    assert after["confirmed_at"] > before["confirmed_at"]
    assert (await ada.get("/v1/devices/first")).body == after
    # A change of a device that is there drops none.
    await register(ada, "third", a_phone("third.k", locale="fr"))
    assert await devices_of(ada) == ["first", "second", "third"]
    await register(ada, "fourth", a_phone("fourth.k"))
    assert await devices_of(ada) == ["first", "fourth", "third"]
    # One that is taken from oneself makes the room.
    await register(ada, "fifth", a_phone("fourth.k"))
    assert await devices_of(ada) == ["fifth", "first", "third"]
    assert await devices_of(here.user_of(bob.id)) == ["phone"]
    assert await findings(here.services.database) == []


@own_loop
async def test_the_limit_holds_for_devices_that_are_registered_at_once(api: OpenApi) -> None:
    here = await api(devices_per_user=3)
    ada = here.new_user()
    names = [f"d{number}" for number in range(9)]
    await asyncio.gather(*(register(ada, name, a_phone(f"{name}.k")) for name in names))
    assert len(await devices_of(ada)) == 3
    assert await findings(here.services.database) == []


async def test_revoking_the_tokens_of_a_user_deletes_their_devices(shared_api: Api) -> None:
    ada, bob = shared_api.new_user(), shared_api.new_user()
    await register(ada, "phone", a_phone(f"{ada.id}.k"))
    await register(ada, "web", a_browser(f"https://push.example.net/{ada.id}"))
    await register(bob, "phone", a_phone(f"{bob.id}.k"))
    root = shared_api.new_user(admin=True)
    assert (await root.delete(f"/v1/users/{part(ada.id)}/tokens")).status == 204
    store = DeviceStore(shared_api.services.database)
    assert await store.find_devices([UserId(ada.id)]) == {}
    assert UserId(ada.id) not in await store.list_users(after="", limit=1_000)
    assert await devices_of(bob) == ["phone"]
    assert await findings(shared_api.services.database) == []


class LateStore(DeviceStore):
    """Lets `meanwhile` happen in the first transaction that looks for the holder of an address."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def find_holder(self, address: str, tx: Tx) -> DeviceKey | None:
        holder = await super().find_holder(address, tx)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return holder


@own_loop
@pytest.mark.parametrize("has_devices", [False, True], ids=["first device", "one more"])
async def test_a_device_that_is_registered_while_the_tokens_are_revoked_is_refused(
    api: OpenApi, second_database: Database, *, has_devices: bool
) -> None:
    here, there = await api(), await api(database=second_database)
    ada, root = here.user_of("ada"), there.user_of("root", admin=True)
    if has_devices:
        await register(ada, "tablet", a_phone("tablet.k"))
    late = LateStore(here.services.database)
    registry = replace(here.services.push.devices.registry, devices=late)
    devices = replace(here.services.push.devices, registry=registry)
    phone = Registration(target=Gateway(pushkey="stolen"), app_id="org.example", locale="en")
    late.meanwhile = lambda: root.delete("/v1/users/ada/tokens")
    with pytest.raises(Unavailable):
        await devices.register(Actor(UserId("ada")), "phone", phone)
    # The process has learnt of it, so the same token is refused from now on.
    assert (await ada.put("/v1/devices/phone", a_phone("stolen"))).status == 401
    assert await late.find_devices([UserId("ada")]) == {}
    again = here.user_of("ada")
    await register(again, "phone", a_phone("mine"))
    assert await devices_of(again) == ["phone"]


@own_loop
async def test_a_device_outlives_the_token_that_registered_it(api: OpenApi) -> None:
    clock = MovedClock()
    here = await api(clock=clock)
    ada = here.new_user("ada")
    await register(ada, "phone", a_phone("phone.k"))
    clock.move(seconds=90 * 24 * 3_600)
    assert (await ada.get("/v1/devices")).status == 401
    assert await devices_of(here.user_of(ada.id)) == ["phone"]


async def test_delivery_finds_the_devices_of_many_users_and_deletes_what_is_unchanged(
    shared_api: Api,
) -> None:
    services = shared_api.services
    ada, bob, cat = sorted((shared_api.new_user() for _ in range(3)), key=lambda user: user.id)
    for user in (ada, bob):
        for name in ("phone", "tablet"):
            await register(user, name, a_phone(f"{user.id}.{name}"))
    store, registry = DeviceStore(services.database), services.push.devices.registry
    known = await store.find_devices([UserId(user.id) for user in (ada, bob, cat)])
    assert {user_id: [d.device_id for d in devices] for user_id, devices in known.items()} == {
        ada.id: ["phone", "tablet"],
        bob.id: ["phone", "tablet"],
    }
    assert await store.list_users(after=ada.id, limit=1) == [bob.id]
    assert await store.estimate_users() >= 2
    # One was registered anew, after the gateway refused it.
    await register(bob, "tablet", a_phone(f"{bob.id}.new"))
    refused = [*known[UserId(ada.id)], known[UserId(bob.id)][1]]

    for removed in (2, 0):
        assert (
            await services.database.run(
                lambda tx: registry.remove_unchanged_in(refused, tx), "refused"
            )
            == removed
        )
    assert (await devices_of(ada), await devices_of(bob)) == ([], ["phone", "tablet"])
    assert await findings(services.database) == []


@own_loop
async def test_verify_finds_and_repairs_damaged_devices(api: OpenApi) -> None:
    here = await api()
    ada, bob = here.user_of("ada"), here.user_of("bob")
    for user in (ada, bob):
        for name in ("phone", "tablet"):
            await register(user, name, a_phone(f"{user.id}.{name}"))
    database = here.services.database
    devices = database.collection("devices")
    addresses, users = database.collection("device_addresses"), database.collection("device_users")
    row = await devices.find_one({"_id": join_key("ada", "phone")})
    assert row is not None
    # A second device with ada's pushkey, an address without its entry, an entry and a user without a device.
    twin = {"_id": join_key("bob", "twin"), "user_id": "bob", "device_id": "twin"}
    await devices.insert_one(row | twin)
    await addresses.delete_one({"user_id": "bob", "device_id": "phone"})
    await addresses.insert_one({"_id": "x", "user_id": "bob", "device_id": "phone"})
    await users.delete_one({"_id": "ada"})
    await users.insert_one({"_id": "eve", "version": 1})
    found = await findings(database)
    assert sorted(found) == [
        "address x: is said to belong to the device phone of bob",
        "device phone of bob: does not hold its address",
        "device twin of bob: does not hold its address, which the device phone of ada holds",
        "user ada: has devices, and is not listed",
        "user eve: has no device",
    ]
    await findings(database, repair=True)
    assert await findings(database) == []
    assert await devices_of(bob) == ["phone", "tablet"]
    assert await devices_of(ada) == ["phone", "tablet"]
