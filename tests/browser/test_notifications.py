"""Notifications: the level of a conversation, this browser as a device, the service worker, and a post's report."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Worker, expect

from tests.api import (
    PATIENCE_SECONDS,
    Api,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    fresh,
    id_of,
    open_api,
    open_database,
    part,
)
from tests.browser.test_access import check
from tests.browser.windows import OpenWindow, Window, view_of
from tests.push.services import PushWorld, a_push_world, add_phone, eventually

SWITCH = "Notifications on this device"

# The headless browser has no push service, and calls a permission that it granted denied. All else is its own.
FAKE_SUBSCRIPTIONS = """
Object.defineProperty(Notification, "permission", {get: () => "granted"});
let current = null;
const made = (options) => ({
  options,
  unsubscribe: async () => { current = null; return true; },
  toJSON: () => ({
    endpoint: "https://push.invalid/send/browser",
    expirationTime: null,
    keys: {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    },
  }),
});
PushManager.prototype.getSubscription = async () => current;
PushManager.prototype.subscribe = async (options) => (current ??= made(options));
window.subscriptionKey = () => current?.options.applicationServerKey ?? null;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[PushWorld]:
    async with a_push_world() as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pushing(mongod_uri: str, world: PushWorld) -> AsyncIterator[Api]:
    """A server that sends notifications to the world."""
    async with (
        open_database(mongod_uri) as database,
        open_api(database, options=world.options()) as api,
    ):
        yield api


async def switch(window: Window, *, is_on: bool) -> None:
    """Switch the notifications of this device, which were the other way round."""
    await window.by("button", "Account menu").click()
    entry = window.by("menuitemcheckbox", SWITCH)
    await expect(entry).to_be_checked(checked=not is_on)
    await entry.click()


async def test_a_user_chooses_that_a_conversation_does_not_ring(
    pushing: Api, window: OpenWindow
) -> None:
    owner, reader = pushing.new_user("owner"), pushing.new_user("reader")
    path = await a_channel(owner, reader, name="Garden")
    conversation = f"/v1/conversations/{part(conversation_of(path))}"
    opened, other = await window(reader), await window(reader)
    for level in ("none", "all"):
        await opened.by("button", "Options for Garden").click()
        entry = opened.by("menuitemcheckbox", "Notifications")
        await expect(entry).to_be_checked(checked=level == "none")
        await entry.click()
        for each in (opened, other):
            mark = each.page.locator("a.row", has_text="Garden").get_by_label("Notifications off")
            await expect(mark).to_have_count(1 if level == "none" else 0)
        settings = (await reader.get(conversation)).body
        assert (settings["notifications"], settings["muted"]) == (level, False)


async def test_the_report_of_a_post_says_whom_it_reached(
    pushing: Api, world: PushWorld, window: OpenWindow
) -> None:
    owner, ada, bob = (pushing.new_user(name) for name in ("owner", "ada", "bob"))
    admin = pushing.new_user("admin")
    path = await a_channel(owner, ada, bob, admin)
    await owner.put(f"{path}/admins/{part(admin.id)}", {"grants": ["post", "pin_posts"]})
    phone, lost = await add_phone(ada), await add_phone(bob)
    world.rejected.add(lost)
    await a_post(owner, path, "Fresh rye")
    await eventually(lambda: phone in world.devices)
    await ada.post(f"{path}/posts/views", {"seqs": [1]})

    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            report = (await owner.get(f"{path}/posts/1/report")).body
            if (report["pushed"], report["rejected"], report["views"]) == (1, 1, 1):
                break
            await asyncio.sleep(0.05)
    opened = await window(owner, f"/console/channels/{part(id_of(path))}")
    article = opened.page.locator(".posted article", has_text="Fresh rye")
    await article.get_by_role("button", name="Post options").click()
    await opened.by("menuitem", "Delivery report").click()
    dialog = opened.by("dialog", "Delivery report")
    await expect(dialog.locator("dd")).to_have_text(["4", "0", "1", "1", "0", "1"])
    await expect(dialog.get_by_text("Devices gone")).to_be_visible()
    await check(opened, "report")
    # Without the right to see insights there is no report to ask for.
    theirs = await window(admin, f"/console/channels/{part(id_of(path))}")
    article = theirs.page.locator(".posted article", has_text="Fresh rye")
    await article.get_by_role("button", name="Post options").click()
    await expect(theirs.by("menuitem", "Pin")).to_be_visible()
    await expect(theirs.by("menuitem", "Delivery report")).to_have_count(0)


async def test_a_browser_is_registered_again_at_each_start_until_its_user_signs_out(
    pushing: Api, window: OpenWindow
) -> None:
    user = pushing.new_user("user")
    opened = await window(user, "/find", permissions=["notifications"], signed_in=False)
    await opened.page.add_init_script(FAKE_SUBSCRIPTIONS)
    await opened.go(f"/#token={user.token}")
    await switch(opened, is_on=True)
    await expect(opened.page.locator(".notice", has_text="notified of new")).to_be_visible()
    (device,) = (await user.get("/v1/devices")).items
    assert device["platform"] == "web"
    assert device["endpoint"] == "https://push.invalid/send/browser"
    key = (await user.get("/v1/push")).body["vapid_public_key"]
    assert await opened.page.evaluate("subscriptionKey()") == key

    await user.delete(f"/v1/devices/{device['device_id']}")
    async with opened.page.expect_response(lambda answer: "/v1/devices/" in answer.url):
        await opened.page.reload()
    assert [each["device_id"] for each in (await user.get("/v1/devices")).items] == [
        device["device_id"]
    ]
    await switch(opened, is_on=False)
    await expect(opened.page.locator(".notice", has_text="no longer")).to_be_visible()
    assert (await user.get("/v1/devices")).items == []
    assert await opened.page.evaluate("subscriptionKey()") is None

    await switch(opened, is_on=True)
    await expect(opened.page.locator(".notice", has_text="notified of new")).to_be_visible()
    assert len((await user.get("/v1/devices")).items) == 1
    await opened.by("button", "Account menu").click()
    await opened.by("menuitem", "Sign out").click()
    await expect(opened.by("heading", "Sign in")).to_be_visible()
    assert (await user.get("/v1/devices")).items == []
    assert await opened.page.evaluate("subscriptionKey()") is None


async def test_a_refused_permission_is_explained_and_without_a_key_there_is_no_switch(
    pushing: Api, server: Api, window: OpenWindow
) -> None:
    user = pushing.new_user("user")
    opened = await window(user)
    await opened.page.evaluate("Notification.requestPermission = async () => 'denied'")
    await switch(opened, is_on=True)
    await expect(opened.page.locator(".notice", has_text="does not allow")).to_be_visible()
    assert (await user.get("/v1/devices")).items == []
    other = await window(server.new_user("user"))
    await other.by("button", "Account menu").click()
    await expect(other.by("menuitem", "Sign out")).to_be_visible()
    await expect(other.by("menuitemcheckbox", SWITCH)).to_have_count(0)


async def test_the_service_worker_shows_what_it_is_sent_and_opens_the_conversation(
    pushing: Api, window: OpenWindow
) -> None:
    owner, user = pushing.new_user("owner"), pushing.new_user("user")
    path = await a_chat_group(owner, user, name=fresh("Allotment"))
    news = await a_channel(owner, user)
    opened = await window(user, "/find", permissions=["notifications"], signed_in=False)
    page = opened.page
    await page.add_init_script(FAKE_SUBSCRIPTIONS)
    await opened.go(f"/#token={user.token}")
    await switch(opened, is_on=True)
    await expect(page.locator(".notice", has_text="notified of new")).to_be_visible()
    worker = await the_worker(page)
    message = {
        "notification_id": "n1",
        "type": "message.posted",
        "conversation_id": conversation_of(path),
        "group_id": id_of(path),
        "channel_id": None,
        "seq": 1,
        "kind": "text",
        "title": "Allotment",
        "body": "<b>Beans</b>",
        "unread": 1,
        "sent_at": "2026-11-29T15:00:00.000Z",
    }
    await worker.evaluate(RECORDING)
    for title in ("Allotment", ""):
        await worker.evaluate(PUSH, json.dumps(message | {"title": title}))
    shown = await worker.evaluate("shown")
    assert [each["title"] for each in shown] == ["Allotment", "New message"]
    assert {(each["body"], each["tag"]) for each in shown} == {
        ("<b>Beans</b>", conversation_of(path))
    }
    direct = message | {"conversation_id": "c2c_ute/1", "group_id": None}
    in_channel = message | {"channel_id": id_of(news)}
    to_channel = in_channel | {"group_id": None, "user_id": "ute"}
    for data, address in (
        (message, view_of(path)),
        (direct, "/with/ute%2F1"),
        (in_channel, view_of(news)),
        (to_channel, f"/console/channels/{part(id_of(news))}/inbox"),
    ):
        await worker.evaluate(CLICK, data)
        await expect(page).to_have_url(user.base + address)


# The headless browser shows no notifications, so what the worker asks for is recorded.
RECORDING = """() => {
  self.shown = [];
  registration.showNotification = async (title, options) => void shown.push({ title, ...options });
}"""
PUSH = "data => void dispatchEvent(new PushEvent('push', { data }))"
CLICK = """data => void dispatchEvent(Object.assign(new Event("notificationclick"), {
  notification: { data, close() {} },
  waitUntil: (done) => done.catch(() => {}),  // only a real click may move the focus
}))"""


async def the_worker(page: Page) -> Worker:
    """The page's service worker, once it runs."""
    workers = page.context.service_workers
    return workers[0] if workers else await page.context.wait_for_event("serviceworker")
