"""A business account in the web app: it is named as one, runs channels, and has no controls of a person."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ViewportSize, expect

from tests.api import Api, a_channel, a_post, id_of, part
from tests.browser.test_access import RULES
from tests.browser.windows import PHONE, WIDE, OpenWindow, screenshot, view_of

UNAUTHORIZED = "Failed to load resource: the server responded with a status of 401"


@pytest.mark.parametrize(
    "size", [pytest.param(WIDE, marks=pytest.mark.long), PHONE], ids=["wide", "phone"]
)
async def test_a_business_account_is_led_to_the_console(
    server: Api, window: OpenWindow, size: ViewportSize
) -> None:
    shop, ada = server.new_user("shop", business=True), server.new_user("ada")
    await shop.patch("/v1/users/me", {"name": "Corner Shop"})
    path = await a_channel(ada, name="Ada's News")
    await a_post(ada, path)
    opened = await window(shop, "/find", size=size)
    account = opened.page.locator(".account-kind")
    await expect(account).to_contain_text("Business account")
    await expect(opened.by("button", "Subscribe")).to_have_count(0)
    await expect(opened.page.get_by_text("cannot subscribe, react or write")).to_be_visible()
    found = await Axe().run(opened.page, options=RULES)
    assert [violation["id"] for violation in found.response["violations"]] == []
    await screenshot(opened.page, f"business-{size['width']}")
    await opened.go(view_of(path))
    await expect(opened.page.get_by_text("cannot subscribe, react or write")).to_be_visible()
    for name in ("Subscribe", "Add reaction"):
        await expect(opened.by("button", name)).to_have_count(0)
    await expect(opened.by("link", "Message this channel")).to_have_count(0)
    await opened.page.locator("#content").get_by_role("link", name="Open the console").click()
    await expect(opened.by("heading", "Your channels")).to_be_visible()
    await expect(account).to_contain_text("Business account")


async def test_a_person_is_not_named_so_and_cannot_write_to_a_business_account(
    server: Api, window: OpenWindow
) -> None:
    shop, ada = server.new_user("shop", business=True), server.new_user("ada")
    await a_channel(shop, name="Offers")
    opened = await window(ada, f"/with/{part(shop.id)}")
    await expect(opened.page.get_by_text("is a business account")).to_be_visible()
    await expect(opened.by("textbox")).to_have_count(0)
    await expect(opened.page.locator(".account-kind")).to_have_count(0)


async def test_a_business_account_posts_in_its_channel(server: Api, window: OpenWindow) -> None:
    shop = server.new_user("shop", business=True)
    path = await a_channel(shop, name="Offers")
    opened = await window(shop, f"/console/channels/{part(id_of(path))}")
    await opened.by("textbox", "Text").fill("Bread is cheap today")
    await opened.by("button", "Post").click()
    posts = opened.by("list", "Posts")
    await expect(posts.get_by_text("Bread is cheap today")).to_be_visible()
    await expect(opened.by("button", "Add reaction")).to_have_count(0)


async def test_a_token_of_the_other_kind_is_refused_in_the_form(
    server: Api, window: OpenWindow
) -> None:
    shop = server.new_user("shop", business=True)
    assert (await shop.get("/v1/users/me")).status == 200
    opened = await window(server.user_of(shop.id), signed_in=False)
    opened.expected = (UNAUTHORIZED,)
    token = opened.page.get_by_label("Access token")
    await token.fill(str(opened.user.token))
    await opened.by("button", "Sign in").click()
    await expect(opened.page.get_by_role("alert")).to_contain_text("the other kind of account")
