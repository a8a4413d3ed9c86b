"""Webhooks are sent: signed, in order, again after failures, and by one process at a time."""

import asyncio
import time
from datetime import timedelta

import standardwebhooks

from channels.webhooks.limits import RETRY_SECONDS
from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Database
from tests.api import Api, a_channel, a_post, id_of, part
from tests.channels.webhooks.receiver import (
    LOOPBACK,
    Received,
    Receiver,
    a_webhook,
    answering,
    caught_up,
    hanging,
    until_delivery,
)
from tests.conftest import OpenApi


def verifies(received: Received, secret: str) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(received.body, dict(received.headers))
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


async def test_a_post_is_sent_once_with_a_signature_that_verifies(
    server: Api, receiver: Receiver
) -> None:
    owner = server.new_user("owner", hours=200)
    path = await a_channel(owner)
    webhook = await a_webhook(owner, path, receiver.url("/a"), "message.posted")
    post = await a_post(owner, path, "Hello")
    [received] = await receiver.wait_for("/a", 1)
    assert verifies(received, webhook["secret"])
    assert received.headers["content-type"] == "application/json"
    assert received.event["type"] == "message.posted"
    assert received.event["post"]["seq"] == post["seq"]
    assert received.id == received.event["event_id"]
    delivery = await until_delivery(owner, webhook, lambda one: one["status"] == "succeeded")
    assert (delivery["event_id"], delivery["next_attempt_at"]) == (received.id, None)
    [attempt] = delivery["attempts"]
    assert (attempt["response_status"], attempt["error"]) == (204, None)
    assert (await owner.get(f"{webhook['path']}/deliveries/{delivery['delivery_id']}")).body == (
        delivery
    )


async def test_an_inbox_is_sent_only_to_addresses_of_those_who_may_read_it(
    server: Api, receiver: Receiver
) -> None:
    owner, admin, bob = (server.new_user(hours=200) for _ in range(3))
    path = await a_channel(owner, admin, bob)
    grants = {"grants": ["manage_webhooks"]}
    assert (await owner.put(f"{path}/admins/{admin.id}", grants)).status == 200
    mine = await a_webhook(owner, path, receiver.url("/owner"), "message.posted")
    other = await a_webhook(admin, path, receiver.url("/admin"), "message.posted")
    assert (mine["receives_inbox"], other["receives_inbox"]) == (True, False)
    thread = f"/v1/conversations/{part(f'c2c_{id_of(path)}')}/messages"
    assert (await bob.post(thread, {"kind": "text", "text": "In private"})).status == 201
    await a_post(owner, path, "For all")
    await receiver.wait_for_types("/owner", "message.posted", "message.posted")
    await caught_up(server)
    assert [each.text for each in receiver.received["/admin"]] == ["For all"]
    # Whoever may not read the inbox cannot have it sent elsewhere.
    moved = await admin.patch(mine["path"], {"url": receiver.url("/moved")})
    assert (moved.status, moved.body["receives_inbox"]) == (200, False)
    given = await owner.patch(mine["path"], {"url": receiver.url("/owner")})
    assert given.body["receives_inbox"] is True


async def test_a_webhook_ends_with_the_right_of_the_user_who_gave_its_address(
    server: Api, receiver: Receiver
) -> None:
    owner, admin = server.new_user("owner", hours=200), server.new_user(hours=200)
    path = await a_channel(owner, admin)
    assert (await owner.put(f"{path}/admins/{admin.id}")).status == 200
    webhook = await a_webhook(admin, path, receiver.url("/admin"), "message.posted")
    await a_post(owner, path, "Before")
    await receiver.wait_for("/admin", 1)
    assert (await owner.delete(f"{path}/admins/{admin.id}")).status < 300
    await a_post(owner, path, "After")
    await caught_up(server)
    shown = (await owner.get(webhook["path"])).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "right_withdrawn")
    # The owner, who enables it, answers for it from now on.
    assert (await owner.patch(webhook["path"], {"enabled": True})).status == 200
    await a_post(owner, path, "Again")
    await receiver.wait_for("/admin", 2)
    assert [each.text for each in receiver.received["/admin"]] == ["Before", "Again"]


async def test_each_webhook_receives_the_types_and_channels_that_it_asked_for(
    server: Api, receiver: Receiver
) -> None:
    owner, app, bob = (
        server.new_user("owner", hours=200),
        server.new_user("a", admin=True),
        server.new_user(),
    )
    one, other = await a_channel(owner), await a_channel(owner)
    await a_webhook(app, "/v1", receiver.url("/app"), "message.posted")
    await a_webhook(owner, one, receiver.url("/one"))
    await a_webhook(owner, other, receiver.url("/paused"), enabled=False)
    await a_post(owner, other, "elsewhere")
    await a_post(owner, one, "here")
    assert (await bob.put(f"{one}/subscription")).status == 200
    await receiver.wait_for_types("/one", "message.posted", "channel.subscribed")
    await receiver.wait_for("/app", 2)
    await caught_up(server)
    assert {each.text for each in receiver.received["/app"]} == {"elsewhere", "here"}
    assert {each.event["channel_id"] for each in receiver.received["/one"]} == {id_of(one)}
    assert receiver.received["/paused"] == []


async def test_a_failing_delivery_holds_back_its_own_stream_only(
    server: Api, receiver: Receiver
) -> None:
    owner, app = server.new_user("owner", hours=200), server.new_user("app", admin=True, hours=200)
    one, other = await a_channel(owner), await a_channel(owner)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    receiver.replies["/a"] = answering(500, "broken" * 1000)
    for number in range(3):
        await a_post(owner, one, f"one {number}")
    await receiver.wait_for("/a", 1)
    failed = await until_delivery(app, webhook, lambda each: each["attempts_made"] == 1)
    assert failed["status"] == "waiting"
    assert failed["attempts"][0]["response_body"] == ("broken" * 1000)[:1024]
    del receiver.replies["/a"]
    for number in range(3):
        await a_post(owner, other, f"other {number}")
    received = await receiver.wait_for("/a", 4)
    assert [each.text for each in received] == ["one 0", "other 0", "other 1", "other 2"]
    server.clock.move(seconds=6)
    received = await receiver.wait_for("/a", 7)
    assert [each.text for each in received[4:]] == ["one 0", "one 1", "one 2"]
    assert received[4].id == received[0].id


async def test_a_hanging_webhook_delays_no_other_one_and_its_attempt_ends(
    server: Api, receiver: Receiver
) -> None:
    server.services.webhooks.http.timeout_seconds = 0.7
    receiver.replies["/hanging"] = hanging
    owner = server.new_user("owner", hours=200)
    path = await a_channel(owner)
    dead = await a_webhook(owner, path, receiver.url("/hanging"), "message.posted")
    await a_webhook(owner, path, receiver.url("/alive"), "message.posted")
    for number in range(3):
        await a_post(owner, path, str(number))
    received = await receiver.wait_for("/alive", 3)
    assert [each.text for each in received] == ["0", "1", "2"]
    failed = await until_delivery(owner, dead, lambda each: each["attempts_made"] == 1)
    [attempt] = failed["attempts"]
    assert attempt["response_status"] is None
    assert attempt["error"].startswith("no answer within")
    assert len(receiver.received["/hanging"]) == 1


async def test_a_delivery_is_tried_by_the_schedule_and_disables_its_webhook_at_the_end(
    server: Api, receiver: Receiver
) -> None:
    owner = server.new_user("owner", hours=200)
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(503)
    webhook = await a_webhook(owner, path, receiver.url("/a"), "message.posted")
    ears = await owner.socket()
    await a_post(owner, path, "first")
    await a_post(owner, path, "second")
    for tries, pause in enumerate(RETRY_SECONDS, 1):
        await receiver.wait_for("/a", tries)
        waiting = await until_delivery(
            owner,
            webhook,
            lambda each, tries=tries: each["attempts_made"] == tries,  # type: ignore[misc]
        )
        assert waiting["next_attempt_at"] > rfc3339(
            server.clock.now() + timedelta(seconds=pause - 5)
        )
        server.clock.move(seconds=pause * 1.1 + 1)
        server.services.webhooks.dispatcher.wake()
    await receiver.wait_for("/a", 10)
    told = await ears.hear("webhook.disabled", webhook_id=webhook["webhook_id"])
    assert told["reason"] == "failing"
    await ears.close()
    failed = await until_delivery(owner, webhook, lambda each: each["status"] == "failed")
    assert (failed["attempts_made"], failed["next_attempt_at"]) == (10, None)
    shown = (await owner.get(webhook["path"])).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "failing")
    [entry] = (await owner.get(f"{path}/admin-log?action=webhook_disabled")).items
    assert (entry["actor_id"], entry["target_id"]) == ("channels-webhooks", webhook["webhook_id"])
    metrics = server.services.metrics.text().decode()
    assert 'channels_webhooks_disabled_total{reason="failing"} 1.0' in metrics
    # What waits is sent once the webhook is enabled again, and what failed when it is replayed.
    del receiver.replies["/a"]
    assert (await owner.patch(webhook["path"], {"enabled": True})).body["disabled_reason"] is None
    received = await receiver.wait_for("/a", 11)
    assert received[10].text == "second"
    replay = f"{webhook['path']}/deliveries/{failed['delivery_id']}/replay"
    assert (await owner.post(replay)).status == 202
    received = await receiver.wait_for("/a", 12)
    assert (received[11].text, received[11].id) == ("first", received[0].id)


async def test_a_receiver_may_put_off_the_next_attempt(server: Api, receiver: Receiver) -> None:
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(429, Retry_After="600")
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_post(owner, path)
    waiting = await until_delivery(app, webhook, lambda each: each["attempts_made"] == 1)
    now = server.clock.now()
    assert rfc3339(now + timedelta(seconds=500)) < waiting["next_attempt_at"]
    assert waiting["next_attempt_at"] < rfc3339(now + timedelta(seconds=601))


async def test_a_receiver_that_is_gone_is_disabled_at_once(server: Api, receiver: Receiver) -> None:
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(410)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_post(owner, path)
    await until_delivery(app, webhook, lambda each: each["status"] == "failed")
    shown = (await app.get(webhook["path"])).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    for call in ("test", "replay"):
        body = {"since": "2026-01-01T00:00:00Z"} if call == "replay" else None
        answer = await app.call("POST", f"{webhook['path']}/{call}", *([body] if body else []))
        assert answer.refusal == (409, "webhook_disabled")
    await a_post(owner, path)
    await caught_up(server)
    assert len((await app.get(f"{webhook['path']}/deliveries")).items) == 1


async def test_both_secrets_sign_while_one_is_replaced(server: Api, receiver: Receiver) -> None:
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    rotated = (await app.post(f"{webhook['path']}/rotate-secret")).body
    assert rotated["secret"] != webhook["secret"]
    await a_post(owner, path)
    [received] = await receiver.wait_for("/a", 1)
    assert len(received.headers["webhook-signature"].split(" ")) == 2
    assert verifies(received, webhook["secret"])
    assert verifies(received, rotated["secret"])
    server.clock.move(seconds=24 * 3600 + 1)
    await a_post(owner, path)
    received = (await receiver.wait_for("/a", 2))[1]
    assert len(received.headers["webhook-signature"].split(" ")) == 1
    await server.services.webhooks.cleanup.sweep()
    assert (await app.get(webhook["path"])).body["old_secrets_until"] is None


async def test_what_was_sent_is_sent_again_in_order_with_the_same_ids(
    server: Api, receiver: Receiver
) -> None:
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_post(owner, path, "0")
    await receiver.wait_for("/a", 1)
    await until_delivery(app, webhook, lambda each: each["status"] == "succeeded")
    server.clock.move(seconds=10)
    since = rfc3339(server.clock.now())
    for number in range(1, 4):
        await a_post(owner, path, str(number))
    first = await receiver.wait_for("/a", 4)
    newest = first[3].id
    await until_delivery(
        app, webhook, lambda each: (each["event_id"], each["status"]) == (newest, "succeeded")
    )
    replayed = await app.post(f"{webhook['path']}/replay", {"since": since})
    assert (replayed.status, replayed.body) == (202, {"replayed": 3, "next_since": None})
    received = await receiver.wait_for("/a", 7)
    assert [each.id for each in received[4:]] == [each.id for each in first[1:]]


async def test_a_test_event_is_sent_and_its_answer_is_in_the_log(
    server: Api, receiver: Receiver
) -> None:
    owner = server.new_user("owner", hours=200)
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(202, "thanks")
    webhook = await a_webhook(owner, path, receiver.url("/a"), "channel.deleted")
    sent = await owner.post(f"{webhook['path']}/test")
    assert (sent.status, sent.body["event_type"]) == (202, "webhook.test")
    [received] = await receiver.wait_for("/a", 1)
    assert verifies(received, webhook["secret"])
    assert received.event["type"] == "webhook.test"
    done = await until_delivery(owner, webhook, lambda each: each["status"] == "succeeded")
    assert done["attempts"][0]["response_body"] == "thanks"
    listed = await owner.get(f"{webhook['path']}/deliveries?status=waiting")
    assert listed.items == []


async def test_a_webhook_for_which_too_much_waits_is_disabled(
    api: OpenApi, receiver: Receiver
) -> None:
    server = await api(options=LOOPBACK, webhook_deliveries_waiting=3)
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(500)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    for _ in range(3):
        await a_post(owner, path)
    await caught_up(server)
    assert (await app.get(webhook["path"])).body["enabled"]
    assert (await app.post(f"{webhook['path']}/test")).refusal == (409, "webhook_backlog_reached")
    await a_post(owner, path)
    await caught_up(server)
    shown = (await app.get(webhook["path"])).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "too_many_waiting")
    assert len((await app.get(f"{webhook['path']}/deliveries?status=waiting")).items) == 3


async def test_two_processes_send_every_event_once_and_in_order(
    api: OpenApi, second_database: Database, receiver: Receiver
) -> None:
    one, two = await api(options=LOOPBACK), await api(options=LOOPBACK, database=second_database)
    app, owner = one.new_user("app", admin=True, hours=200), one.new_user("owner", hours=200)
    paths = [await a_channel(owner) for _ in range(4)]
    await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_webhook(two.user_of(owner.id), paths[0], receiver.url("/b"), "message.posted")
    for number in range(10):
        writer = (one if number % 2 else two).user_of(owner.id)
        await asyncio.gather(*(a_post(writer, path, str(number)) for path in paths))
    received = await receiver.wait_for("/a", 40)
    for path in paths:
        own = [each.text for each in received if each.event["channel_id"] == id_of(path)]
        assert own == [str(number) for number in range(10)]
    assert len(await receiver.wait_for("/b", 10)) == 10
    await asyncio.sleep(0.3)
    assert (len(receiver.received["/a"]), len(receiver.received["/b"])) == (40, 10)


async def test_a_change_in_another_process_misses_no_event(
    api: OpenApi, second_database: Database, receiver: Receiver
) -> None:
    one = await api(options=LOOPBACK)
    app, owner = one.new_user("app", admin=True, hours=200), one.new_user("owner", hours=200)
    path = await a_channel(owner)
    webhook = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_post(owner, path, "first")
    await receiver.wait_for("/a", 1)  # this process consumes, and knows what is wanted
    two = await api(options=LOOPBACK, database=second_database)
    for types, event in ((["channel.updated"], "channel.updated"), ([], "channel.subscribed")):
        changed = await two.user_of(app.id, admin=True).patch(
            webhook["path"], {"event_types": types}
        )
        assert changed.status == 200
        if event == "channel.updated":
            assert (await owner.patch(path, {"name": "Newer"})).status == 200
        else:
            assert (await one.new_user().put(f"{path}/subscription")).status == 200
        await receiver.wait_for_types(
            "/a", *(["channel.updated", "channel.subscribed"][: 1 + (not types)])
        )


async def test_deleting_ends_everything_and_a_deleted_channel_says_so(
    server: Api, receiver: Receiver, database: Database
) -> None:
    app, owner = server.new_user("app", admin=True, hours=200), server.new_user("owner", hours=200)
    path = await a_channel(owner)
    gone = await a_webhook(app, "/v1", receiver.url("/a"), "message.posted")
    await a_webhook(owner, path, receiver.url("/b"))
    receiver.replies["/a"] = answering(500)
    await a_post(owner, path)
    await receiver.wait_for("/a", 1)
    await until_delivery(app, gone, lambda each: each["attempts_made"] == 1)
    assert (await app.delete(gone["path"])).status == 204
    assert (await app.get(gone["path"])).refusal == (404, "webhook_not_found")
    assert (await owner.delete(path)).status == 204
    await receiver.wait_for_types("/b", "message.posted", "channel.deleted")

    async def left() -> list[int]:
        names = ("webhooks", "webhook_deliveries", "webhook_queues", "consumers")
        query = {"_id": {"$ne": "log"}}
        return [await database.collection(name).count_documents(query) for name in names]

    server.clock.move(seconds=24 * 3600 + 1)
    deadline = time.monotonic() + 20
    while await left() != [0, 0, 0, 0]:
        assert time.monotonic() < deadline, await left()
        await server.services.webhooks.cleanup.sweep()
        await asyncio.sleep(0.05)
