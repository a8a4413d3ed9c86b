"""The console's webhooks, end to end: a receiver on loopback, the secret, deliveries and replays."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Locator, Route, expect
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.api import Api, User, a_channel, a_post, fresh, id_of, open_api, open_database, part
from tests.browser.test_access import check
from tests.browser.windows import PHONE, OpenWindow, Window
from tests.channels.webhooks.receiver import (
    LOOPBACK,
    Received,
    Receiver,
    a_receiver,
    a_webhook,
    answering,
    until_delivery,
)

MARKUP = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sending(mongod_uri: str) -> AsyncIterator[Api]:
    """A server that may send to this machine."""
    async with open_database(mongod_uri) as database, open_api(database, options=LOOPBACK) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


def webhooks_of(path: str) -> str:
    return f"/console/channels/{part(id_of(path))}/webhooks"


def row_of(window: Window, url: str) -> Locator:
    return window.page.locator("li.webhook", has_text=url)


async def choose(window: Window, url: str, entry: str) -> None:
    """Choose this entry of the webhook's menu."""
    await window.by("button", f"Options for {url}").click()
    await window.by("menuitem", entry).click()


async def stored_secret(window: Window) -> str:
    """Copy the secret that the page shows, and put it away."""
    field = window.page.get_by_label("Secret", exact=True)
    secret = await field.input_value()
    await window.by("button", "Copy", exact=True).click()
    await expect(window.page.locator(".secret [role=status]")).to_have_text("Copied")
    await window.by("button", "I have stored it").click()
    await expect(field).to_have_count(0)
    return secret


def is_signed(request: Received, secret: str) -> bool:
    """Whether the receiver of webhooks accepts the request with this secret."""
    try:
        Webhook(secret).verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


async def test_a_webhook_is_added_tested_rotated_turned_off_and_deleted(
    sending: Api, receiver: Receiver, window: OpenWindow
) -> None:
    owner = sending.new_user("owner")
    path = await a_channel(owner, name=fresh("Bakery"))
    url = receiver.url("/hook")
    opened = await window(owner, webhooks_of(path))
    page = opened.page
    await expect(page.get_by_text("No webhooks yet.")).to_be_visible()

    await page.get_by_label("Address (URL)").fill(url)
    await page.get_by_label("Description").fill(MARKUP)
    await page.get_by_role("radio", name="Only these events").check()
    await opened.by("button", "Add webhook").click()
    await expect(page.get_by_text("Choose at least one event.")).to_be_visible()
    await page.get_by_role("checkbox", name="Posts, messages and reactions").check()
    await page.get_by_role("checkbox", name="reactions.changed").uncheck()
    await page.get_by_role("checkbox", name="channel.subscribed").check()
    await opened.by("button", "Add webhook").click()
    await expect(opened.by("heading", "Signing secret")).to_be_focused()
    await check(opened, "a secret, and the form")
    secret = await stored_secret(opened)
    row = row_of(opened, url)
    await expect(row).to_contain_text(MARKUP)
    await expect(row).to_contain_text(
        "message.posted, message.edited, message.recalled, poll.changed, buttons.changed,"
        " acknowledgements.changed, acknowledgement.reminder, channel.subscribed"
    )
    await page.reload()
    await expect(row).to_contain_text("On")
    await expect(page.get_by_text(secret)).to_have_count(0)

    receiver.replies["/hook"] = answering(200, MARKUP)
    await choose(opened, url, "Send a test event")
    (tried,) = await receiver.wait_for("/hook", 1)
    assert tried.event["type"] == "webhook.test"
    assert is_signed(tried, secret)
    await expect(page.locator(".notice", has_text="webhook.test: Answer 200")).to_be_visible()
    await a_post(owner, path, "Fresh rye")
    (_, posted) = await receiver.wait_for("/hook", 2)
    assert posted.text == "Fresh rye"

    (stored,) = (await owner.get(f"{path}/webhooks")).items
    listed = {"path": f"{path}/webhooks/{stored['webhook_id']}"}
    await until_delivery(
        owner,
        listed,
        lambda item: (item["event_type"], item["status"]) == ("message.posted", "succeeded"),
    )
    await opened.by("button", f"Deliveries to {url}").click()
    deliveries = page.locator("li.delivery")
    await expect(deliveries).to_have_count(2)
    await expect(deliveries.first).to_contain_text("Delivered")
    await deliveries.first.get_by_text("1 attempt").click()
    await expect(deliveries.first.locator("pre")).to_have_text(MARKUP)
    assert "owned" not in await page.title()
    await opened.by("button", "Back to webhooks").click()

    await choose(opened, url, "Replace secret")
    await opened.by("button", "Make a new secret").click()
    renewed = await stored_secret(opened)
    assert renewed != secret
    await expect(row).to_contain_text("The replaced secret still signs until")
    await choose(opened, url, "Send a test event")
    third = (await receiver.wait_for("/hook", 3))[2]
    assert is_signed(third, secret)
    assert is_signed(third, renewed)

    await choose(opened, url, "Edit webhook")
    dialog = opened.by("dialog", "Edit webhook")
    await expect(dialog.get_by_role("radio", name="Only these events")).to_be_checked()
    await expect(dialog.get_by_role("checkbox", name="message.posted")).to_be_checked()
    await dialog.get_by_role("radio", name="All events, also those of later versions").check()
    await dialog.get_by_label("Description").fill("Rye only")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("Rye only")
    await expect(row).to_contain_text("All events")
    await choose(opened, url, "Turn off")
    await expect(row.get_by_text("Off", exact=True)).to_be_visible()
    await opened.by("button", f"Options for {url}").click()
    await expect(opened.by("menuitem", "Send a test event")).to_have_count(0)
    await opened.by("menuitem", "Turn on").click()
    await expect(row.get_by_text("On", exact=True)).to_be_visible()
    (stored,) = (await owner.get(f"{path}/webhooks")).items
    assert (stored["event_types"], stored["enabled"]) == ([], True)

    await choose(opened, url, "Delete webhook")
    await opened.by("dialog", "Delete webhook").get_by_role("button", name="Delete webhook").click()
    await expect(page.get_by_text("No webhooks yet.")).to_be_visible()
    assert (await owner.get(f"{path}/webhooks")).items == []
    await opened.by("link", "Log", exact=True).click()
    await expect(page.locator(".log-entry").first).to_contain_text("deleted the webhook")


async def test_a_list_that_arrives_late_does_not_hide_a_change(
    sending: Api, receiver: Receiver, window: OpenWindow
) -> None:
    owner = sending.new_user("owner")
    path = await a_channel(owner)
    url = receiver.url("/late")
    await a_webhook(owner, path, url)
    opened = await window(owner, webhooks_of(path))
    await opened.by("button", f"Deliveries to {url}").click()
    answered, may_arrive = asyncio.Event(), asyncio.Event()

    async def hold_the_first(route: Route) -> None:
        if answered.is_set():
            await route.continue_()
            return
        answer = await route.fetch()
        answered.set()
        await may_arrive.wait()
        await route.fulfill(response=answer)

    await opened.page.route("**/webhooks?*", hold_the_first)
    await opened.by("button", "Back to webhooks").click()
    await answered.wait()
    await choose(opened, url, "Replace secret")
    await opened.by("button", "Make a new secret").click()
    await stored_secret(opened)
    may_arrive.set()
    await opened.page.evaluate("new Promise((done) => setTimeout(done, 200))")
    await expect(row_of(opened, url)).to_contain_text("The replaced secret still signs until")


async def test_failed_deliveries_are_filtered_and_sent_again(
    sending: Api, receiver: Receiver, window: OpenWindow
) -> None:
    owner = sending.new_user("owner")
    path = await a_channel(owner)
    receiver.replies["/hook"] = answering(503, MARKUP)
    webhook = await a_webhook(owner, path, receiver.url("/hook"), "message.posted")
    await owner.post(f"{webhook['path']}/test")
    await until_delivery(owner, webhook, lambda item: item["attempts_made"] == 1)
    opened = await window(owner, webhooks_of(path), size=PHONE, color_scheme="dark")
    page = opened.page
    await opened.by("button", f"Deliveries to {webhook['url']}").click()
    await expect(opened.by("heading", "Deliveries", exact=True)).to_be_focused()
    delivery = page.locator("li.delivery")
    await expect(delivery).to_contain_text("Waiting")
    await expect(delivery).to_contain_text("Answer 503")
    await page.get_by_label("Status").select_option("failed")
    await expect(page.get_by_text("No deliveries match.")).to_be_visible()
    await page.get_by_label("Status").select_option("waiting")
    await expect(delivery).to_have_count(1)

    receiver.replies["/hook"] = answering(202)
    await delivery.get_by_text("1 attempt").click()
    await expect(delivery.locator("pre")).to_have_text(MARKUP)
    await check(opened, "deliveries")
    await delivery.get_by_role("button", name="Send webhook.test of").click()
    await expect(delivery).to_contain_text("Delivered")
    await expect(delivery).to_contain_text("Answer 202")
    await expect(page.locator(".notice", has_text="webhook.test: Answer 202")).to_be_visible()

    await page.get_by_label("Since").fill("2020-01-01T00:00:00")
    await opened.by("button", "Send all again").click()
    dialog = opened.by("dialog", "Send events again")
    await dialog.get_by_role("button", name="Send all again").click()
    await expect(page.locator(".notice", has_text="1 event is sent again")).to_be_visible()
    again = (await receiver.wait_for("/hook", 3))[2]
    assert again.event["type"] == "webhook.test"
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]


async def test_the_page_says_why_the_server_turned_a_webhook_off(
    sending: Api, receiver: Receiver, window: OpenWindow
) -> None:
    owner = sending.new_user("owner")
    path = await a_channel(owner)
    receiver.replies["/gone"] = answering(410)
    webhook = await a_webhook(owner, path, receiver.url("/gone"))
    opened = await window(owner, webhooks_of(path))
    row = row_of(opened, webhook["url"])
    await expect(row.get_by_text("On", exact=True)).to_be_visible()
    await owner.post(f"{webhook['path']}/test")
    # The event on the socket brings the new state.
    await expect(row).to_contain_text("the address answered 410 Gone")
    receiver.replies.pop("/gone")
    await choose(opened, webhook["url"], "Turn on")
    await expect(row.get_by_text("On", exact=True)).to_be_visible()


async def test_addresses_that_the_server_refuses_are_explained_beside_the_field(
    sending: Api, window: OpenWindow
) -> None:
    owner = sending.new_user("owner")
    path = await a_channel(owner)
    opened = await window(owner, webhooks_of(path))
    opened.expected = ("400",)
    address = opened.page.get_by_label("Address (URL)")
    await address.fill("http://10.0.0.1/")
    await opened.by("button", "Add webhook").click()
    await expect(opened.page.get_by_text("Enter an https address on the public")).to_be_visible()
    await expect(address).to_be_focused()
    assert (await owner.get(f"{path}/webhooks")).items == []


async def test_only_those_with_the_right_see_the_page(sending: Api, window: OpenWindow) -> None:
    owner, granted, other = (sending.new_user(name) for name in ("owner", "granted", "other"))
    path = await a_channel(owner, granted, other)
    await grant(owner, path, granted, "manage_webhooks")
    await grant(owner, path, other, "post")
    theirs = await window(granted, webhooks_of(path))
    await expect(theirs.by("heading", "Add a webhook")).to_be_visible()
    await expect(theirs.by("link", "Webhooks", exact=True)).to_be_visible()
    await a_webhook(granted, path, "https://example.org/events")
    await theirs.page.reload()
    await expect(theirs.page.locator("li.webhook")).to_contain_text("Without private messages")
    await choose(theirs, "https://example.org/events", "Edit webhook")
    await theirs.by("button", "Save").click()
    await expect(theirs.by("dialog")).to_have_count(0)
    refused = await window(other, webhooks_of(path))
    await expect(refused.page.locator(".page")).to_be_visible()
    await expect(refused.by("heading", "Add a webhook")).to_have_count(0)
    await refused.go(webhooks_of(path).removesuffix("/webhooks"))
    await expect(refused.by("link", "Posts", exact=True)).to_be_visible()
    await expect(refused.by("link", "Webhooks", exact=True)).to_have_count(0)
    await refused.go("/console/webhooks")
    await expect(refused.page.get_by_text("Only the application’s admin")).to_be_visible()


async def grant(owner: User, path: str, user: User, *grants: str) -> None:
    """Make a subscriber an admin with these rights."""
    answer = await owner.put(f"{path}/admins/{part(user.id)}", {"grants": list(grants)})
    assert answer.status < 300, answer


async def test_the_applications_admin_manages_its_webhooks(
    sending: Api, receiver: Receiver, window: OpenWindow
) -> None:
    admin = sending.new_user("back-end", admin=True)
    url = receiver.url("/app")
    opened = await window(admin, "/console")
    await opened.by("link", "Webhooks of the application").click()
    await opened.page.get_by_label("Address (URL)").fill(url)
    await opened.page.get_by_role("radio", name="Only these events").check()
    await opened.page.get_by_role("checkbox", name="Chat groups").check()
    await opened.by("button", "Add webhook").click()
    await stored_secret(opened)
    await expect(row_of(opened, url)).to_contain_text("group.joined")
    await choose(opened, url, "Send a test event")
    (tried,) = await receiver.wait_for("/app", 1)
    assert json.loads(tried.body)["type"] == "webhook.test"
    await choose(opened, url, "Delete webhook")
    await opened.by("dialog", "Delete webhook").get_by_role("button", name="Delete webhook").click()
    await expect(row_of(opened, url)).to_have_count(0)
