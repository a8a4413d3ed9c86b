"""Webhooks over HTTP: what may be created, by whom, how many, and what is shown of secrets."""

import pytest

from channels.event_views.examples import example_events
from channels.event_views.public import public_events_of
from channels.webhooks.errors import BadWebhookUrl
from channels.webhooks.service.consumer import STREAM_IS_ROUTE
from tests.api import Api, a_channel, all_pages
from tests.channels.webhooks.receiver import LOOPBACK, a_webhook
from tests.conftest import OpenApi

URL = "https://hooks.example/events"
OWN_SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def closed(api: OpenApi) -> Api:
    """A server that may not send inside."""
    return await api(webhooks=3, webhooks_per_channel=2, webhook_url_bytes=100)


async def test_a_secret_is_shown_once_and_a_repeated_creation_shows_the_same(closed: Api) -> None:
    app = closed.new_user("app", admin=True)
    body = {"url": URL, "event_types": ["message.posted"], "description": "Shop"}
    first = await app.post("/v1/webhooks", body, idempotency_key="once")
    assert (await app.post("/v1/webhooks", body, idempotency_key="once")).body == first.body
    other = await app.post("/v1/webhooks", {"url": URL}, idempotency_key="once")
    assert other.refusal == (409, "idempotency_conflict")
    path = f"/v1/webhooks/{first.body['webhook_id']}"
    secret = first.body["secret"]
    assert secret.startswith("whsec_")
    for answer in (await app.get(path), await app.get("/v1/webhooks")):
        assert secret not in answer.text
    changed = await app.patch(path, {"description": "Till"})
    assert (changed.body["description"], secret in changed.text) == ("Till", False)
    assert (changed.body["url"], changed.body["event_types"]) == (URL, ["message.posted"])


async def test_a_secret_of_ones_own_is_kept(closed: Api) -> None:
    app = closed.new_user("app", admin=True)
    webhook = await a_webhook(app, "/v1", URL, secret=OWN_SECRET)
    assert webhook["secret"] == OWN_SECRET
    rotated = await app.post(f"{webhook['path']}/rotate-secret", {"secret": OWN_SECRET[:-4]})
    assert rotated.refusal == (400, "invalid_request")
    for wrong in ("secret", "whsec_", "whsec_AAAA", OWN_SECRET + "!", "whsec_" + "A" * 88):
        refused = await app.post("/v1/webhooks", {"url": URL, "secret": wrong})
        assert refused.refusal == (400, "invalid_request"), wrong


async def test_the_number_of_webhooks_is_limited(closed: Api) -> None:
    app, owner = closed.new_user("app", admin=True), closed.new_user("owner")
    for user, path, limit in (
        (app, "/v1", 3),
        (owner, await a_channel(owner), 2),
        (owner, await a_channel(owner), 2),
    ):
        made = [await a_webhook(user, path, URL) for _ in range(limit)]
        refused = await user.post(f"{path}/webhooks", {"url": URL})
        assert refused.refusal == (409, "webhook_limit_reached")
        assert refused.body["details"]["limit"] == limit
        pages = await all_pages(user, f"{path}/webhooks", limit=1)
        assert [item["webhook_id"] for page in pages for item in page] == [
            each["webhook_id"] for each in made
        ]
        assert (await user.delete(made[0]["path"])).status == 204
        await a_webhook(user, path, URL)


async def test_a_webhook_is_found_where_it_belongs_only(closed: Api) -> None:
    app, owner = closed.new_user("app", admin=True), closed.new_user("owner")
    one, other = await a_channel(owner), await a_channel(owner)
    webhook = await a_webhook(owner, one, URL)
    for user, path in ((owner, other), (app, "/v1")):
        elsewhere = f"{path}/webhooks/{webhook['webhook_id']}"
        for answer in (
            await user.get(elsewhere),
            await user.delete(elsewhere),
            await user.patch(elsewhere, {"enabled": False}),
            await user.post(f"{elsewhere}/test"),
            await user.get(f"{elsewhere}/deliveries"),
        ):
            assert answer.refusal == (404, "webhook_not_found")
    assert (await owner.get(f"{webhook['path']}/deliveries/none")).refusal == (
        (404, "delivery_not_found")
    )


async def test_a_channel_s_webhook_receives_no_types_of_others(closed: Api) -> None:
    app, owner = closed.new_user("app", admin=True), closed.new_user("owner")
    path = await a_channel(owner)
    wanted = {"url": URL, "event_types": ["conversation.read"]}
    refused = await owner.post(f"{path}/webhooks", wanted)
    assert refused.refusal == (400, "unknown_event_type")
    assert "message.posted" in refused.body["details"]["allowed"]
    assert (await app.post("/v1/webhooks", wanted)).status == 201
    assert (await app.post("/v1/webhooks", {"url": URL, "event_types": ["no"]})).refusal == (
        (400, "unknown_event_type")
    )


async def test_an_address_that_is_not_public_is_refused(closed: Api) -> None:
    app = closed.new_user("app", admin=True)
    for url in (
        "http://example.org/",
        "ftp://example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://",
        "https://example.org:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
    ):
        refused = await app.post("/v1/webhooks", {"url": url})
        assert refused.refusal == (400, BadWebhookUrl.code), url
    long = URL + "x" * (100 - len(URL))
    assert (await app.post("/v1/webhooks", {"url": long})).status == 201
    assert (await app.post("/v1/webhooks", {"url": long + "x"})).refusal == (400, "field_too_long")


async def test_networks_that_the_operator_allows_take_http(api: OpenApi) -> None:
    server = await api(options=LOOPBACK)
    app = server.new_user("app", admin=True)
    assert (await app.post("/v1/webhooks", {"url": "http://127.0.0.1:1/"})).status == 201
    assert (await app.post("/v1/webhooks", {"url": "http://10.0.0.1/"})).status == 400
    assert (await app.post("/v1/webhooks", {"url": "http://8.8.8.8/"})).status == 400


def test_the_types_that_are_filtered_by_stream_have_it_among_their_routes() -> None:
    """Or the consumer would leave out events that a channel's webhook wants."""
    for event in example_events():
        if event.type in STREAM_IS_ROUTE:
            routes = event.routes or ()
            stream_ids = {public.stream_id for public in public_events_of(event)}
            assert stream_ids <= set(routes), event
