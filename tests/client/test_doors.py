"""Webhooks, devices and delivery reports by the Python client, against the real server and a receiver on loopback."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from channels.client import (
    BadSignature,
    Client,
    Conflict,
    NotFound,
    PermissionDenied,
    UnknownEvent,
    verify_webhook,
)
from channels.client.event_models import MessagePosted
from channels.client.models import Delivery, Subscription
from tests.api import PATIENCE_SECONDS, Api, fresh
from tests.channels.webhooks.receiver import LOOPBACK, a_receiver, answering
from tests.client.clients import client_of
from tests.conftest import OpenApi

SUBSCRIPTION: Final = Subscription(
    endpoint="https://push.example.net/send/f3a1",
    keys={
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
)


async def ended(
    client: Client, delivery: Delivery, channel_id: str | None, attempts: int = 1
) -> Delivery:
    """The delivery, once it waits no more and had so many attempts."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await client.webhooks.delivery(
                delivery.webhook_id, delivery.delivery_id, channel_id=channel_id
            )
            if found.status != "waiting" and found.attempts_made >= attempts:
                return found
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("of_a_channel", [True, False])
async def test_a_webhook_lives_from_its_creation_to_its_end(
    api: OpenApi, of_a_channel: bool
) -> None:
    server: Api = await api(options=LOOPBACK)
    owner, back_end = server.new_user("owner"), server.new_user("back", admin=True)
    path = "/hook"
    async with (
        a_receiver() as receiver,
        client_of(owner) as mine,
        client_of(owner if of_a_channel else back_end) as manager,
    ):
        channel = await mine.channels.create(channel_id=f"@TOA#_{fresh('mill')}", name="Mill")
        of = channel.channel_id if of_a_channel else None
        hooks = manager.webhooks
        hook = await hooks.create(
            url=receiver.url(path),
            event_types=["message.posted"],
            description="Search",
            channel_id=of,
        )
        assert (hook.channel_id, hook.enabled, hook.created_by) == (
            *(of, True),
            (owner if of_a_channel else back_end).id,
        )
        assert "secret" not in (await hooks.get(hook.webhook_id, channel_id=of)).model_dump()
        other = await hooks.create(url=receiver.url("/other"), enabled=False, channel_id=of)
        assert [one.webhook_id async for one in hooks.list(channel_id=of, limit=1)] == [
            *(hook.webhook_id, other.webhook_id)
        ]

        post = await mine.posts.publish(channel.channel_id, text="Flour")
        (sent,) = await receiver.wait_for(path, 1)
        event = verify_webhook(hook.secret, sent.headers, sent.body.encode())
        assert isinstance(event, MessagePosted)
        assert event.post is not None
        assert (event.event_id, event.channel_id) == (sent.id, channel.channel_id)
        assert (event.post.seq, event.post.text, event.post.created_at) == (
            *(post.seq, "Flour"),
            post.created_at,
        )
        with pytest.raises(BadSignature):
            verify_webhook(other.secret, sent.headers, sent.body.encode())

        rotated = await hooks.rotate_secret(hook.webhook_id, channel_id=of)
        assert rotated.secret != hook.secret
        assert rotated.old_secrets_until is not None
        test = await hooks.send_test(hook.webhook_id, channel_id=of)
        assert (test.event_type, test.stream_id) == ("webhook.test", None)
        _, sent = await receiver.wait_for(path, 2)
        for secret in (hook.secret, rotated.secret):  # the old one signs too
            told = verify_webhook(secret, sent.headers, sent.body.encode())
            assert isinstance(told, UnknownEvent)
            assert told.type == "webhook.test"
        tried = await ended(manager, test, of)
        assert [attempt.response_status for attempt in tried.attempts] == [204]

        found = await hooks.deliveries(hook.webhook_id, channel_id=of, limit=1).to_list()
        assert [one.event_type for one in found] == ["webhook.test", "message.posted"]
        assert not await hooks.deliveries(hook.webhook_id, channel_id=of, status="failed").to_list()
        again = await hooks.replay(hook.webhook_id, found[1].delivery_id, channel_id=of)
        assert again.event_id == event.event_id
        assert (await ended(manager, again, of, attempts=2)).status == "succeeded"
        since = datetime.now(UTC) - timedelta(hours=1)
        replayed = await hooks.replay_since(hook.webhook_id, since, channel_id=of)
        assert (replayed.replayed, replayed.next_since) == (2, None)

        changed = await hooks.update(hook.webhook_id, enabled=False, channel_id=of)
        assert (changed.enabled, changed.description) == (False, "Search")
        with pytest.raises(Conflict) as disabled:
            await hooks.send_test(hook.webhook_id, channel_id=of)
        assert disabled.value.code == "webhook_disabled"
        await hooks.delete(hook.webhook_id, channel_id=of)
        with pytest.raises(NotFound) as gone:
            await hooks.get(hook.webhook_id, channel_id=of)
        assert gone.value.code == "webhook_not_found"


async def test_a_webhook_that_is_repeated_by_key_is_made_once_and_others_may_not(
    api: OpenApi,
) -> None:
    server: Api = await api(options=LOOPBACK)
    owner, back_end = server.new_user("owner"), server.new_user("back", admin=True)
    async with a_receiver() as receiver, client_of(back_end) as app, client_of(owner) as other:
        receiver.replies["/gone"] = answering(410)
        made = [
            await app.webhooks.create(url=receiver.url("/gone"), idempotency_key="one")
            for _ in range(2)
        ]
        assert made[0] == made[1]
        with pytest.raises(PermissionDenied):
            await other.webhooks.create(url=receiver.url("/gone"))
        test = await app.webhooks.send_test(made[0].webhook_id)
        assert (await ended(app, test, None)).status == "failed"
        assert (await app.webhooks.get(made[0].webhook_id)).disabled_reason == "gone"


@pytest.mark.asyncio(loop_scope="module")
async def test_devices_are_registered_listed_and_removed(shared_api: Api) -> None:
    async with client_of(shared_api.new_user("ole")) as client:
        push = await client.devices.push()
        assert isinstance(push.gateway, bool)
        phone = await client.devices.register(
            "phone", platform="gateway", pushkey=fresh("key"), app_id="org.example", locale="de"
        )
        browser = await client.devices.register(
            "tab", platform="web", subscription=SUBSCRIPTION, app_id="web", locale="pt-BR"
        )
        assert (phone.platform, phone.endpoint, phone.confirmed_at.tzinfo) == (
            *("gateway", None),
            UTC,
        )
        assert (browser.endpoint, browser.pushkey) == (SUBSCRIPTION["endpoint"], None)
        assert [one async for one in client.devices.list(limit=1)] == [phone, browser]
        assert await client.devices.get("phone") == phone
        await client.devices.remove("phone")
        await client.devices.remove("phone")
        with pytest.raises(NotFound) as gone:
            await client.devices.get("phone")
        assert gone.value.code == "device_not_found"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_report_of_a_post_is_for_its_owner(shared_api: Api) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    async with client_of(owner) as mine, client_of(reader) as theirs:
        channel = await mine.channels.create(channel_id=f"@TOA#_{fresh('mill')}", name="Mill")
        await theirs.channels.subscribe(channel.channel_id)
        post = await mine.posts.publish(channel.channel_id, text="Flour", silent=True)
        report = await mine.posts.report(channel.channel_id, post.seq)
        assert (report.seq, report.created_at) == (post.seq, post.created_at)
        assert (report.subscribers, report.silent, report.pushed) == (2, True, 0)
        with pytest.raises(PermissionDenied):
            await theirs.posts.report(channel.channel_id, post.seq)


@pytest.mark.asyncio(loop_scope="module")
async def test_clicks_are_reported_and_read_and_a_channel_becomes_a_default(
    shared_api: Api,
) -> None:
    owner, reader = shared_api.new_user("owner"), shared_api.new_user("reader")
    app, link = shared_api.new_user("app", admin=True), "https://example.org/"
    async with client_of(owner) as mine, client_of(reader) as theirs, client_of(app) as ours:
        channel = await mine.channels.create(name="Mill", settings={"count_clicks": True})
        post = await mine.posts.publish(channel.channel_id, text=f"See {link}")
        await theirs.posts.report_click(channel.channel_id, post.seq, link)
        [clicks] = (await mine.posts.clicks(channel.channel_id, post.seq)).items
        assert (clicks.url, clicks.clicks) == (link, 1)
        made = await ours.channels.set_default(channel.channel_id)
        assert made.state == "running"
        assert [one.channel_id for one in await ours.channels.defaults()] == [channel.channel_id]
        await ours.channels.unset_default(channel.channel_id)
        assert await ours.channels.defaults() == []
