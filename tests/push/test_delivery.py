"""Push notifications: who gets one, what it says, and that each device gets it once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

import channels.push.delivery.service.worker as worker_module
from channels.push.delivery.service.presence import Presence
from channels.push.delivery.service.worker import PushWorker
from channels.push.models import Device, Gateway, Registration
from groups.kernel.background import cancel
from groups.kernel.clock import rfc3339
from groups.kernel.ids import UserId, join_key
from groups.kernel.mongo import Database, Tx
from tests.api import (
    PATIENCE_SECONDS,
    Api,
    MovedClock,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
    the_app,
)
from tests.conftest import OpenApi
from tests.push.services import (
    PushWorld,
    a_push_world,
    a_subscription,
    add_browser,
    add_phone,
    eventually,
)


@pytest_asyncio.fixture
async def world() -> AsyncIterator[PushWorld]:
    async with a_push_world() as world:
        yield world


async def test_a_post_reaches_browsers_and_phones_of_subscribers_and_the_report_tells(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner, ada, bob = server.new_user("owner"), server.new_user("ada"), server.new_user("bob")
    path = await a_channel(owner, ada, bob)
    browser, phone = await add_browser(server, world, ada), await add_phone(bob)
    await add_browser(server, world, owner)
    post = await a_post(owner, path, "Good  morning,\nreaders")
    await world.until(2)
    got = {each.device: each for each in world.got}
    assert got.keys() == {browser, phone}
    shown = got[browser].payload
    assert shown == {
        "notification_id": got[phone].payload["id"],
        "type": "message.posted",
        "conversation_id": conversation_of(path),
        "group_id": id_of(path),
        "channel_id": id_of(path),
        "seq": 1,
        "kind": "text",
        "title": "News",
        "body": "Good morning, readers",
        "unread": 1,
        "sent_at": post["created_at"],
    }
    headers = got[browser].headers
    assert 86_390 <= int(headers["TTL"]) <= 86_400
    assert (len(headers["Topic"]), headers["Urgency"]) == (32, "normal")
    (batch,) = world.batches
    assert batch["devices"] == [
        {
            "app_id": "org.example",
            "pushkey": phone,
            "user_id": bob.id,
            "device_id": phone,
            "locale": "de",
            "counts": {"unread": 1},
            "repeated": False,
        }
    ]
    assert batch["notification"]["title_loc_key"] == "channel_post"
    assert batch["notification"]["title_loc_args"] == ["News"]
    assert batch["notification"]["sender_id"] is None
    assert batch["notification"]["collapse_key"] == headers["Topic"]
    assert await report_of(owner, path, 1, pushed=2) == {
        "seq": 1,
        "created_at": post["created_at"],
        "silent": False,
        "subscribers": 3,
        "sockets": 0,
        "pushed": 2,
        "rejected": 0,
        "failed": 0,
        "views": 0,
    }


async def test_whoever_muted_left_read_is_online_or_wrote_it_is_not_disturbed(
    api: OpenApi, world: PushWorld
) -> None:
    clock = MovedClock()
    server = await api(options=world.options(), clock=clock)
    owner = server.new_user("owner", hours=48)
    names = ("muted", "for-now", "quiet", "left", "banned", "reader", "online", "plain")
    users = {name: server.new_user(name, hours=48) for name in names}
    path = await a_channel(owner, *users.values())
    for user in (owner, *users.values()):
        await add_browser(server, world, user)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    assert (await users["muted"].patch(conversation, {"muted": True})).status == 200
    until = rfc3339(clock.now() + timedelta(hours=1))
    assert (await users["for-now"].patch(conversation, {"muted_until": until})).status == 200
    assert (await users["quiet"].patch(conversation, {"notifications": "none"})).status == 200
    assert (await users["left"].delete(f"{path}/subscription")).status == 204
    ban = f"{path}/subscribers/{part(users['banned'].id)}?ban=true"
    assert (await owner.delete(ban)).status == 204
    socket = await users["online"].socket()
    await server.services.push_delivery.presence.update()

    world.gate.clear()  # nobody gets the first one before the reader has read it
    silent = await owner.post(f"{path}/posts", {"kind": "text", "text": "Psst", "silent": True})
    assert silent.status == 201
    await a_post(owner, path, "Aloud")
    assert (await users["reader"].post(f"{conversation}/read", {})).status == 200
    world.gate.set()
    await settled(server)
    others = {device for device in world.devices if device != users["reader"].id}
    assert others == {users["plain"].id}
    assert all(each.payload["seq"] == 2 for each in world.take())

    await socket.close()
    await eventually(lambda: not server.hub.sessions_of(UserId(users["online"].id)))
    clock.move(seconds=3_601)
    await a_post(owner, path, "Again")
    await settled(server)
    got = {each.device for each in world.take()}
    assert got == {users[name].id for name in ("plain", "for-now", "reader", "online")}


async def test_who_read_a_post_before_their_page_is_sent_is_not_notified_of_it(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    worker = server.services.push_delivery.worker
    worker.audience.page_users = 1
    owner, first, second = (server.new_user(name) for name in ("owner", "a", "b"))
    path = await a_channel(owner, first, second)
    for user in (first, second):
        await add_browser(server, world, user)
    world.gate.clear()
    await a_post(owner, path)
    await eventually(lambda: world.asked == 1)
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    assert (await second.post(f"{conversation}/read", {})).status == 200
    world.gate.set()
    await settled(server)
    assert world.devices == [first.id]


async def test_a_deleted_post_is_not_announced_and_a_withdrawn_preview_shows_no_text(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options(with_content=False))
    server.services.push_delivery.worker.audience.page_users = 1
    owner, first, second = (server.new_user(name) for name in ("owner", "a", "b"))
    path = await a_channel(owner, first, second)
    for user in (first, second):
        await add_browser(server, world, user)
    world.gate.clear()
    await a_post(owner, path, "A secret")
    await eventually(lambda: world.asked == 1)
    assert (await owner.delete(f"{path}/posts/1")).status == 204
    world.gate.set()
    await settled(server)
    (got,) = world.got
    assert got.device == first.id
    assert (got.payload["title"], got.payload["body"]) == ("", "")


async def test_group_messages_and_one_to_one_messages_name_their_sender(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    ada, bob = server.new_user("ada"), server.new_user("bob")
    for user, name in ((ada, "Ada"), (bob, "Bob")):
        assert (await user.patch("/v1/users/me", {"name": name})).status == 200
    group = await a_chat_group(ada, bob)
    await add_phone(bob)
    await add_browser(server, world, ada)
    await a_post(ada, group, "Tea?")
    await world.until(1)
    (got,) = world.take()
    assert (got.payload["title"], got.payload["body"]) == ("Tea", "Ada: Tea?")
    assert got.payload["title_loc_key"] == "group_message"
    assert got.payload["title_loc_args"] == ["Tea", "Ada"]
    assert (got.payload["sender_id"], got.payload["channel_id"]) == (ada.id, None)

    path = f"/v1/conversations/{part(f'c2c_{ada.id}')}/messages"
    for text in ("Yes", "Please"):
        assert (await bob.post(path, {"kind": "text", "text": text})).status == 201
        await settled(server)
    first, second = world.take()
    assert first.device == second.device == ada.id
    assert (first.payload["title"], first.payload["body"]) == ("Bob", "Yes")
    assert first.payload["conversation_id"] == f"c2c_{bob.id}"
    assert (first.payload["unread"], second.payload["unread"]) == (1, 2)
    assert first.headers["Topic"] == second.headers["Topic"]


async def test_a_comment_reaches_the_author_of_the_post_and_of_the_quoted_comment(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    names = ("owner", "muted", "ada", "bob", "stranger", "other")
    owner, muted, ada, bob, stranger, other = (server.new_user(name) for name in names)
    await bob.patch("/v1/users/me", {"name": "Bob"})
    path = await a_channel(
        owner, ada, muted, bob, other, name="Harbour", settings={"comments": "everyone"}
    )
    post = f"{path}/posts/{(await a_post(owner, path))['seq']}/comments"
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    assert (await muted.patch(conversation, {"muted": True})).status == 200
    # Nobody rings before all of them are there.
    for seq, user in enumerate((ada, muted, stranger), start=1):
        await user.post(post, {"kind": "text", "text": "?"})
        assert (await owner.get(f"{post}/{seq}")).body["sender_id"] == user.id
    await settled(server)
    for user in (owner, ada, muted, stranger, other):
        await add_browser(server, world, user)
    phone = await add_phone(ada)
    world.take()

    async def answer(quoted_seq: int) -> dict[str, Any]:
        body = {"kind": "text", "text": "Yes", "quoted_seq": quoted_seq}
        said = await bob.post(post, body)
        assert said.status == 201, said
        await settled(server)
        got = {each.device: each.payload for each in world.take()}
        await settled(server)
        return got

    got = await answer(1)
    assert got.keys() == {owner.id, ada.id, phone}
    shown = got[ada.id]
    assert (shown["type"], shown["post_seq"], shown["seq"]) == ("comment.posted", 1, 4)
    assert (shown["title"], shown["body"], shown["unread"]) == ("Harbour", "Bob: Yes", 1)
    assert (shown["channel_id"], shown["conversation_id"]) == (id_of(path), conversation_of(path))
    assert got[phone]["title_loc_key"] == "comment"
    assert got[phone]["title_loc_args"] == ["Harbour", "Bob"]
    assert got[phone]["sender_id"] == bob.id
    assert (await answer(2)).keys() == {owner.id}, "the other one muted the channel"
    got = await answer(3)
    assert got.keys() == {owner.id, stranger.id}
    assert got[stranger.id]["unread"] == 0
    # Not who may not read any more, nor where comments are off by now.
    await owner.delete(f"{path}/subscribers/{part(ada.id)}?ban=true")
    assert (await answer(1)).keys() == {owner.id}


async def test_a_message_of_a_channel_to_one_user_rings_for_them_as_the_channel(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner, ada = server.new_user("owner"), server.new_user("ada")
    path = await a_channel(owner, ada)
    await add_browser(server, world, ada)
    mine = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    assert (await ada.post(mine, {"kind": "text", "text": "Open?"})).status == 201
    theirs = f"{path}/inbox/{part(ada.id)}/messages"
    assert (await owner.post(theirs, {"kind": "text", "text": "Until nine"})).status == 201
    await settled(server)
    (got,) = world.got
    assert (got.device, got.payload["title"]) == (ada.id, "News")
    assert got.payload["conversation_id"] == f"c2c_{id_of(path)}"


async def test_a_message_to_a_channel_rings_for_the_staff_who_read_its_inbox_and_want_it(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    names = ("owner", "reader", "editor", "muted", "quiet", "online", "former")
    staff = {name: server.new_user(name) for name in names}
    owner, reader, ada = staff["owner"], staff["reader"], server.new_user("ada")
    path = await a_channel(owner, ada, admins=tuple(staff[name] for name in names[1:]))
    await ada.patch("/v1/users/me", {"name": "Ada"})
    for user in (*staff.values(), ada):
        await add_browser(server, world, user)
    phone = await add_phone(owner)
    channel = f"/v1/conversations/{part(conversation_of(path))}"
    editor = f"{path}/admins/{part(staff['editor'].id)}"
    assert (await owner.put(editor, {"grants": ["post"]})).status == 200
    assert (await staff["muted"].patch(channel, {"muted": True})).status == 200
    assert (await staff["quiet"].patch(channel, {"notifications": "none"})).status == 200
    assert (await owner.delete(f"{path}/admins/{part(staff['former'].id)}")).status == 204
    socket = await staff["online"].socket()
    await server.services.push_delivery.presence.update()
    mine = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"

    async def write(user: User, text: str, **more: object) -> Counter[str]:
        said = await user.post(mine, {"kind": "text", "text": text, **more})
        assert said.status == 201, said
        await settled(server)
        return Counter(each.device for each in world.got)

    assert await write(ada, "Psst", silent=True) == Counter()
    assert await write(ada, "Hello") == Counter([owner.id, phone, reader.id])
    got = {each.device: each.payload for each in world.take()}
    shown = got[reader.id]
    assert (shown["type"], shown["seq"], shown["unread"]) == ("message.posted", 2, 2)
    assert (shown["title"], shown["body"]) == ("News", "Ada: Hello")
    assert (shown["channel_id"], shown["user_id"]) == (id_of(path), ada.id)
    assert (shown["group_id"], shown["conversation_id"]) == (None, f"inbox_{id_of(path)}:{ada.id}")
    assert got[phone]["title_loc_key"] == "inbox_message"
    assert got[phone]["title_loc_args"] == ["News", "Ada"]
    assert got[phone]["sender_id"] == ada.id

    # What one of them has read before the others' devices are reached rings for none of them.
    world.gate.clear()
    before = world.asked
    server.services.push_delivery.worker.step = 1
    assert (await ada.post(mine, {"kind": "text", "text": "Read at once"})).status == 201
    await eventually(lambda: world.asked > before)
    assert (await owner.post(f"{path}/inbox/{part(ada.id)}/read", {})).status == 200
    assert (await ada.post(mine, {"kind": "text", "text": "Once more"})).status == 201
    await eventually_newest(server, 4)
    assert (await owner.post(f"{path}/inbox/{part(ada.id)}/read", {})).status == 200
    world.gate.set()
    await settled(server)
    assert {each.payload["seq"] for each in world.take()} == {3}

    # The writer's own devices stay quiet, though they are staff.
    assert await write(reader, "I too") == Counter([owner.id, phone])
    # An automatic answer rings for the one who is answered, as any answer does, and for no staff.
    answer = {"keywords": ["open"], "answer": {"text": "Always"}}
    assert (await owner.put(f"{path}/auto-replies/hours", answer)).status == 200
    world.take()
    assert (await ada.post(mine, {"kind": "text", "text": "Open?"})).status == 201
    await eventually(lambda: ada.id in world.devices)
    await settled(server)
    said = {(each.device, each.payload["body"]) for each in world.take()}
    asked = {(device, "Ada: Open?") for device in (owner.id, phone, reader.id)}
    assert said == {*asked, (ada.id, "Always")}
    await socket.close()


async def test_devices_that_are_gone_are_forgotten_and_one_registered_anew_stays(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner = server.new_user("owner")
    users = [server.new_user() for _ in range(5)]
    path = await a_channel(owner, *users)
    missing, ended, refused, phone, renewed = users
    for user in (missing, ended, refused):
        await add_browser(server, world, user)
    world.statuses |= {missing.id: 404, ended.id: 410, refused.id: 400}
    await add_phone(phone)
    await add_phone(renewed)
    world.rejected |= {f"{phone.id}.phone", f"{renewed.id}.phone"}

    async def register_anew(_: dict[str, Any]) -> None:
        if len(world.batches) == 1:
            body = {"platform": "gateway", "app_id": "org.example", "locale": "fr"}
            body |= {"pushkey": f"{renewed.id}.phone", "name": "new"}
            answer = await renewed.put(f"/v1/devices/{part(f'{renewed.id}.phone')}", body)
            assert answer.status == 200, answer

    world.on_batch = register_anew
    await a_post(owner, path)
    report = await report_of(owner, path, 1, rejected=4)
    assert (report["pushed"], report["failed"]) == (0, 1)
    left = [len((await user.get("/v1/devices")).items) for user in users]
    assert left == [0, 0, 1, 0, 1]


async def test_what_fails_is_tried_again_a_few_times_and_ends_with_a_newer_post(
    api: OpenApi, world: PushWorld
) -> None:
    clock = MovedClock()
    server = await api(options=world.options(), clock=clock)
    owner, ada, bob = (server.new_user(name, hours=48) for name in ("owner", "ada", "bob"))
    path = await a_channel(owner, ada, bob)
    browser, phone = await add_browser(server, world, ada), await add_phone(bob)
    world.statuses[browser] = 503
    world.gateway_status = 500
    await a_post(owner, path, "First")
    await settled(server)
    assert (world.got, world.asked) == ([], 2)
    clock.move(seconds=29)
    await settled(server)
    assert world.asked == 2
    clock.move(seconds=2)
    world.gateway_status = 200
    await settled(server)
    assert (world.devices, world.asked) == ([phone], 4)
    for seconds in (300, 1_800, 7_200):
        clock.move(seconds=seconds + 1)
        await settled(server)
    report = await report_of(owner, path, 1, failed=1)
    assert (report["pushed"], world.asked) == (1, 7)
    clock.move(seconds=50_000)
    await settled(server)
    assert world.asked == 7

    await a_post(owner, path, "Second")
    await settled(server)
    assert world.asked == 9
    world.statuses.clear()
    await a_post(owner, path, "Third")
    await settled(server)
    clock.move(seconds=400)
    await settled(server)
    assert [each.payload["seq"] for each in world.got if each.device == browser] == [3]


async def test_a_push_service_that_asks_to_wait_is_left_alone_so_long(
    api: OpenApi, world: PushWorld
) -> None:
    clock = MovedClock()
    server = await api(options=world.options(), clock=clock)
    owner, ada = server.new_user("owner"), server.new_user("ada")
    path = await a_channel(owner, ada)
    browser = await add_browser(server, world, ada)
    world.statuses[browser] = 429
    world.headers["Retry-After"] = "200"
    await a_post(owner, path)
    await settled(server)
    assert world.asked == 1
    clock.move(seconds=100)
    await settled(server)
    await a_post(owner, path)
    await settled(server)
    assert world.asked == 1  # another post does not ask either


async def test_a_push_service_that_hangs_holds_up_no_message_of_others(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner, ada, bob = (server.new_user(name) for name in ("owner", "ada", "bob"))
    path = await a_channel(owner, ada)
    world.hanging.add(await add_browser(server, world, ada))
    browser = await add_browser(server, world, bob)
    world.gate.clear()
    await a_post(owner, path)
    await eventually(lambda: world.asked == 1)
    message = f"/v1/conversations/{part(f'c2c_{bob.id}')}/messages"
    assert (await ada.post(message, {"kind": "text", "text": "Hi"})).status == 201
    await world.until(1)
    assert world.devices == [browser]
    world.gate.set()
    await world.until(2)


async def test_an_address_inside_is_not_called_for_a_browser_and_fails(
    api: OpenApi, world: PushWorld
) -> None:
    options = world.options()
    server = await api(options=replace(options, webhook_allowed_networks=()))
    owner, ada = server.new_user("owner"), server.new_user("ada")
    path = await a_channel(owner, ada)
    await add_browser(server, world, ada)
    phone = await add_phone(ada)  # the operator's gateway may be inside
    await a_post(owner, path)
    report = await report_of(owner, path, 1, failed=1)
    assert (report["pushed"], world.devices) == (1, [phone])


async def test_a_newer_post_takes_the_place_of_an_older_one_for_all_who_were_not_reached(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    worker = server.services.push_delivery.worker
    worker.step = 2
    owner = server.new_user("owner")
    users = sorted((server.new_user("u") for _ in range(6)), key=lambda user: user.id)
    path = await a_channel(owner, *users)
    for user in users:
        await add_browser(server, world, user)
    world.gate.clear()
    await a_post(owner, path, "Older")
    await eventually(lambda: world.asked == 2)
    await a_post(owner, path, "Newer")
    await eventually_newest(server, 2)
    world.gate.set()
    await settled(server)
    got: dict[str, list[int]] = {}
    for each in world.got:
        got.setdefault(each.device, []).append(each.payload["seq"])
    assert got == {user.id: [1, 2] if user in users[:2] else [2] for user in users}
    assert (await report_of(owner, path, 2, pushed=6))["failed"] == 0
    assert (await report_of(owner, path, 1, pushed=2))["failed"] == 0


async def test_what_a_newer_post_begins_goes_on_behind_those_whom_the_older_one_reached(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    worker = server.services.push_delivery.worker
    worker.step, worker.audience.page_users = 2, 2
    owner = server.new_user("owner")
    users = sorted((server.new_user("u") for _ in range(6)), key=lambda user: user.id)
    path = await a_channel(owner, *users)
    for user in users:
        await add_browser(server, world, user)
    world.gate.clear()
    await a_post(owner, path, "Older")
    await eventually(lambda: world.asked == 2)
    world.gate.set()
    await world.until(3)
    world.gate.clear()
    await eventually(lambda: world.asked > len(world.got))
    reached = len(set(world.devices))
    await a_post(owner, path, "Newer")
    await eventually_newest(server, 2)
    world.gate.set()
    await settled(server)
    newer = [each.device for each in world.got if each.payload["seq"] == 2]
    assert sorted(newer) == [user.id for user in users]
    assert newer[0] != users[0].id, reached


async def test_two_thousand_subscribers_with_two_hundred_devices_get_it_once_each_from_two_processes(
    api: OpenApi,
    world: PushWorld,
    second_database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(worker_module, "SOON_SECONDS", ())
    servers = [
        await api(options=world.options(), pushes_per_second=0),
        await api(options=world.options(), pushes_per_second=0, database=second_database),
    ]
    workers = [server.services.push_delivery.worker for server in servers]
    for worker in workers:
        worker.audience.page_users = worker.step = 10
        worker.presence.is_active = True
    await each_device_once(servers[0], world, subscribers=2_000, devices=200)


@pytest.mark.scale
@pytest.mark.timeout(600)
async def test_a_hundred_thousand_subscribers_with_five_thousand_devices_get_it_once_each(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options(), pushes_per_second=0)
    await each_device_once(server, world, subscribers=100_000, devices=5_000)


async def each_device_once(
    server: Api, world: PushWorld, *, subscribers: int, devices: int
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    await insert_subscribers(server, world, path, subscribers, devices)
    await a_post(owner, path)
    report = await report_of(owner, path, 1, pushed=devices)
    assert report["subscribers"] == subscribers + 1
    assert Counter(world.devices) == dict.fromkeys(world.devices, 1)
    assert len(world.devices) == devices
    await settled(server)
    assert [row async for row in server.services.database.collection("push_jobs").find()] == []


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
async def test_another_process_goes_on_where_one_ended_and_repeats_a_step_after_a_kill_only(
    api: OpenApi,
    world: PushWorld,
    second_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_killed: bool,
) -> None:
    monkeypatch.setattr(worker_module, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.1)
    server = await api(options=world.options())
    worker = server.services.push_delivery.worker
    worker.step = 20
    owner = server.new_user("owner")
    path = await a_channel(owner)
    await insert_subscribers(server, world, path, 400, 100, phones=True)
    world.gate.clear()
    await a_post(owner, path)
    await eventually(lambda: world.asked == 11)  # a step: ten browsers, and one batch of phones
    world.gate.set()
    await world.until(25)  # in the middle of the second step or a later one
    if is_killed:
        await kill(worker)
    else:
        await worker.close()
    sent = Counter(world.devices)
    await api(options=world.options(), database=second_database)
    await eventually(lambda: len(set(world.devices)) == 100, lambda: f"{len(set(world.devices))}")
    await report_of(owner, path, 1, at_least=100)
    got = Counter(world.devices)
    again = {device for device, number in got.items() if number > 1}
    if not is_killed:
        assert again == set()
    else:
        assert len(again) <= 20
        assert max(got.values()) <= 2
        marked = {each.device for each in world.got if each.payload.get("repeated")}
        assert {device for device in again if device.startswith("p")} <= marked
        assert again <= sent.keys()
    ids = {each.payload.get("id", each.payload.get("notification_id")) for each in world.got}
    assert len(ids) == 1


async def test_a_socket_at_another_process_keeps_a_device_quiet_until_that_process_is_gone(
    api: OpenApi,
    world: PushWorld,
    second_database: Database,
) -> None:
    server = await api(options=world.options())
    other = await api(options=world.options(), database=second_database)
    # It only has the socket: what it consumed or sent, `settled` would not wait for.
    await other.services.log.close()
    await other.services.push_delivery.worker.close()
    owner, ada = server.new_user("owner"), server.new_user("ada")
    path = await a_channel(owner, ada)
    browser = await add_browser(server, world, ada)
    presence = other.services.push_delivery.presence
    presence.look_soon()
    await presence.update()
    socket = await other.user_of(ada.id).socket()
    await presence.update()
    await a_post(owner, path)
    await settled(server)
    assert world.got == []
    report = await eventual_report(owner, path, 1, lambda body: body["sockets"] == 1)
    assert (report["pushed"], report["subscribers"]) == (0, 2)

    # The process dies, which leaves its rows; they stop counting with its lease.
    await kill(presence)
    rows = server.services.database.collection("online_processes")
    gone = {"until": datetime(2020, 1, 1, tzinfo=UTC)}
    await rows.update_one({"_id": second_database.turns.process_id}, {"$set": gone})
    await a_post(owner, path)
    await settled(server)
    assert world.devices == [browser]
    await socket.close()


async def test_posts_without_devices_cost_nothing_and_older_devices_are_found_at_a_start(
    api: OpenApi, world: PushWorld, second_database: Database
) -> None:
    server = await api()
    assert server.services.push_delivery.worker.senders == {}
    owner, ada = server.new_user("owner"), server.new_user("ada")
    path = await a_channel(owner, ada)
    await add_phone(ada)
    await a_post(owner, path)
    jobs = server.services.database.collection("push_jobs")
    consumers = server.services.database.collection("consumers")
    assert await jobs.find_one({}) is None
    assert await consumers.find_one({"_id": "push"}) is None
    await api(options=world.options(), database=second_database)
    await a_post(owner, path)
    await world.until(1)
    assert (await ada.get("/v1/push")).body["gateway"] is False


async def test_the_report_is_for_the_owner_and_admins_who_see_insights(
    api: OpenApi, world: PushWorld
) -> None:
    server = await api(options=world.options())
    owner, admin, reader = (server.new_user(name) for name in ("owner", "admin", "reader"))
    path = await a_channel(owner, reader, admins=(admin,))
    await a_post(owner, path)
    for user, expected in ((owner, 200), (admin, 200), (the_app(owner), 200), (reader, 403)):
        assert (await user.get(f"{path}/posts/1/report")).status == expected
    grants = {"grants": ["post"]}
    assert (await owner.put(f"{path}/admins/{part(admin.id)}", grants)).status == 200
    assert (await admin.get(f"{path}/posts/1/report")).status == 403
    assert (await owner.get(f"{path}/posts/2/report")).refusal == (404, "post_not_found")
    assert (await owner.delete(f"{path}/posts/1")).status == 204
    assert (await owner.get(f"{path}/posts/1/report")).refusal == (404, "post_not_found")


# --- what the tests share ---------------------------------------------------------------------------------------------


async def settled(server: Api) -> None:
    """Everything that is posted so far is announced, or waits for a later time."""
    services = server.services
    await services.log.sequencer.run()
    await services.push_delivery.consumer.catch_up()
    jobs = services.database.collection("push_jobs")

    async def is_idle() -> bool:
        return await jobs.find_one({"due_at": {"$lte": services.clock.now()}}) is None

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_idle():
            services.push_delivery.worker.wake()
            await asyncio.sleep(0.02)


async def eventually_newest(server: Api, seq: int) -> None:
    """The consumer has noted the message with this seq."""
    jobs = server.services.database.collection("push_jobs")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await jobs.find_one({"seq": seq}) is None:
            await asyncio.sleep(0.02)


async def report_of(
    user: User, path: str, seq: int, *, at_least: int = 0, **figures: int
) -> dict[str, Any]:
    """The report of a post, once it has these figures."""
    return await eventual_report(
        user, path, seq, lambda body: figures.items() <= body.items() and body["pushed"] >= at_least
    )


async def eventual_report(
    user: User, path: str, seq: int, condition: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS * 10):
            while not condition(body := (await user.get(f"{path}/posts/{seq}/report")).body):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the report stays {body}") from None
    return body


async def insert_subscribers(
    server: Api,
    world: PushWorld,
    path: str,
    subscribers: int,
    devices: int,
    *,
    phones: bool = False,
) -> None:
    """Store subscribers, and devices of some of them; half are phones with `phones`."""
    database, group_id = server.services.database, id_of(path)
    now = datetime.now(UTC)
    ids = [f"s{number:06}" for number in range(subscribers)]
    for start in range(0, subscribers, 10_000):
        await database.collection("members").insert_many(
            {
                "_id": join_key(group_id, user_id),
                "group_id": group_id,
                "user_id": user_id,
                "role": "member",
                "joined_at": now,
                "joined_seq": 0,
            }
            for user_id in ids[start : start + 10_000]
        )
    count = {"$inc": {"member_count": subscribers}}
    await database.collection("groups").update_one({"_id": group_id}, count)
    store = server.services.push_delivery.core.device_store
    owners = ids[:: subscribers // devices][:devices]

    for start in range(0, devices, 1_000):
        numbered = list(enumerate(owners))[start : start + 1_000]

        async def work(tx: Tx, numbered: list[tuple[int, str]] = numbered) -> None:
            for number, user_id in numbered:
                if phones and number % 2:
                    target = Gateway(pushkey=f"p{number}")
                    registration = Registration(target=target, app_id="org.example", locale="en")
                else:
                    registration = a_subscription(world, f"b{number}")
                device = Device(
                    **dict(registration),
                    user_id=UserId(user_id),
                    device_id="one",
                    revision="r",
                    created_at=now,
                    confirmed_at=now,
                )
                store.put(device, tx)
                store.touch_user(UserId(user_id), tx)
                store.put_address(device.address, (UserId(user_id), "one"), tx)
            await server.services.push_delivery.activate(tx)

        await database.run(work)


async def kill(part_of_process: PushWorker | Presence) -> None:
    """End its tasks as a kill does: nothing is stored any more."""
    tasks: list[asyncio.Task[None] | None] = [part_of_process._task]
    if isinstance(part_of_process, PushWorker):
        tasks += [part_of_process._keeper]
        tasks += part_of_process._working.values()
    await cancel(*(each for each in tasks if each is not None))
    part_of_process._task = None
