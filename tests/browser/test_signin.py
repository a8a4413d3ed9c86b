"""Signing in and out, and the places where a token must not appear."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, urlsplit

from playwright.async_api import Request, Route, expect

from channels.server.tokens import mint
from tests.api import SECRET, Api, a_chat_group
from tests.browser.windows import PLAIN_HOST, OpenWindow, view_of

BAD = "Failed to load resource: the server responded with a status of 401"


async def test_a_token_in_the_fragment_signs_in_and_leaves_no_trace(
    server: Api, window: OpenWindow
) -> None:
    ada = server.new_user("ada")
    opened = await window(ada, "/find")
    seen: list[Request] = []
    opened.page.on("request", lambda request: seen.append(request))
    await expect(opened.by("heading", "Find channels")).to_be_visible()
    assert opened.page.url == f"{server.base}/find"
    await opened.page.reload()
    await expect(opened.by("heading", "Find channels")).to_be_visible()
    assert ada.token is not None
    assert seen
    assert not [request.url for request in seen if ada.token in request.url]
    assert {urlsplit(request.url).netloc for request in seen} == {urlsplit(server.base).netloc}


async def test_a_pasted_token_signs_in_and_out(server: Api, window: OpenWindow) -> None:
    ada = server.new_user("ada")
    opened = await window(ada, signed_in=False)
    await opened.page.get_by_label("Access token").fill(f" {ada.token}\n")
    await opened.by("button", "Sign in").click()
    await opened.by("button", "Account menu").click()
    await opened.by("menuitem", "Sign out").click()
    await expect(opened.page.get_by_label("Access token")).to_be_focused()
    await opened.page.reload()
    await expect(opened.page.get_by_label("Access token")).to_be_visible()
    kept = await opened.page.evaluate("[sessionStorage.length, localStorage.length]")
    assert kept == [0, 0]


async def test_an_invalid_token_is_refused_in_the_form(server: Api, window: OpenWindow) -> None:
    ada = server.new_user("ada")
    opened = await window(ada, signed_in=False)
    opened.expected = (BAD,)
    token = opened.page.get_by_label("Access token")
    assert ada.token is not None
    for text in ("nonsense", ada.token[:-6] + "AAAAAA"):
        await token.fill(text)
        await opened.by("button", "Sign in").click()
        await expect(opened.page.get_by_role("alert")).to_have_text(
            "This access token is not valid. Check that you copied all of it."
        )
        await expect(token).to_be_focused()
        await token.fill("")


async def test_an_expired_session_asks_for_a_new_token(server: Api, window: OpenWindow) -> None:
    brief = server.new_user("ada", hours=2 / 3600)
    opened = await window(brief, "/find")
    opened.expected = ("401 (Unauthorized)",)  # when loading takes longer than the token is valid
    await expect(opened.page.get_by_role("alert")).to_contain_text("has expired")
    fresh = server.user_of(brief.id)
    await opened.page.get_by_label("Access token").fill(str(fresh.token))
    await opened.by("button", "Sign in").click()
    await expect(opened.by("heading", "Find channels")).to_be_visible()


async def test_a_link_with_a_bad_or_expired_token_says_so(server: Api, window: OpenWindow) -> None:
    ada = server.new_user("ada")
    ago = server.clock.now() - timedelta(hours=2)
    late = replace(ada, token=mint(SECRET, ada.id, admin=False, hours=1, now=ago))
    opened = await window(late)
    await expect(opened.page.get_by_role("alert")).to_contain_text("has expired")
    assert "token" not in opened.page.url
    other = await window(replace(late, token="nonsense"))
    await expect(other.page.get_by_role("alert")).to_contain_text("not valid")


async def test_the_app_works_over_plain_http(server: Api, window: OpenWindow) -> None:
    ada = server.new_user("ada")
    path = await a_chat_group(ada)
    away = replace(ada, base=server.base.replace("127.0.0.1", PLAIN_HOST))
    opened = await window(away, view_of(path))
    opened.expected = ("Cross-Origin-Opener-Policy",)
    assert await opened.page.evaluate("isSecureContext") is False
    await opened.by("textbox", "Write a message").fill("From the phone")
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.locator(".message")).to_contain_text("From the phone")


async def test_the_page_of_the_application_signs_people_in_where_there_is_one(
    server: Api, window: OpenWindow
) -> None:
    opened = await window(server.new_user("ada"), signed_in=False)
    page = opened.page

    async def with_address(route: Route) -> None:
        answer = await route.fetch()
        named = '<meta name="channels-sign-in" content="https://app.example/in?tenant=7">'
        body = (await answer.text()).replace("</head>", f"{named}</head>")
        await route.fulfill(response=answer, body=body)

    await page.route("**/channels/harbour?*", with_address)
    await page.goto(f"{server.base}/channels/harbour?post=2")
    back = quote(f"{server.base}/channels/harbour?post=2", safe="")
    await expect(opened.by("link", "Sign in")).to_have_attribute(
        "href", f"https://app.example/in?tenant=7&return_to={back}"
    )
    await expect(page.get_by_label("Access token")).to_be_hidden()
    await page.get_by_text("Sign in with an access token").click()
    await expect(page.get_by_label("Access token")).to_be_visible()
