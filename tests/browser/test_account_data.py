"""The data of an account: its user downloads it and deletes the account, and so does the application's admin."""

import json

from playwright.async_api import Route, expect

from tests.api import Api, a_channel, a_post, fresh, id_of, part
from tests.browser.test_access import check
from tests.browser.test_console_running import lines_of
from tests.browser.test_reporting import check_narrow
from tests.browser.windows import OpenWindow, Window


async def download(opened: Window) -> list[dict[str, object]]:
    """The lines of the file that the panel saves."""
    async with opened.page.expect_download() as waited:
        await opened.by("button", "Download data").click()
    await expect(opened.page.get_by_text("The file is complete.")).to_be_visible()
    return [json.loads(line) for line in lines_of(await (await waited.value).path())]


async def test_users_download_their_data_and_delete_their_account(
    server: Api, window: OpenWindow
) -> None:
    user, other = server.new_user("user"), server.new_user("other")
    await user.patch("/v1/users/me", {"name": "Ann Leaves"})
    name = fresh("Bakery")
    path = await a_channel(other, user, name=name)
    owned = await a_channel(user, name=fresh("Mine"))
    opened = await window(user, "/me")
    opened.expected = ("status of 409", "status of 401", "WebSocket")
    asked: list[str] = []

    async def break_off(route: Route) -> None:
        """The first answer ends in the middle of the line behind its first cursor."""
        answer = await route.fetch()
        lines = (await answer.body()).splitlines(keepends=True)
        if not asked:
            first = next(n for n, line in enumerate(lines) if b'"type":"cursor"' in line)
            lines = [*lines[: first + 1], lines[first + 1][:9]]
        asked.append(route.request.url)
        await route.fulfill(response=answer, body=b"".join(lines))

    await opened.page.route("**/export*", break_off)
    lines = await download(opened)
    assert [("cursor=" in url) for url in asked] == [False, True]
    assert lines[-1]["type"] == "end"
    assert "cursor" not in {line["type"] for line in lines}
    assert any("Ann Leaves" in json.dumps(line) for line in lines)
    assert any(id_of(path) in json.dumps(line) for line in lines)
    await check_narrow(opened, "profile and settings")

    # Nothing is deleted before the id is typed, nor while a channel would be without an owner.
    await opened.by("button", "Delete account…").click()
    dialog = opened.by("dialog", "Delete your account")
    sure = dialog.get_by_role("button", name="Delete forever")
    await expect(sure).to_be_disabled()
    await dialog.get_by_label(f"Type {user.id} to confirm").fill(user.id)
    await check(opened, "deleting an account")
    await sure.click()
    await expect(dialog.get_by_text("still owns channels or groups")).to_be_visible()
    await dialog.get_by_role("link", name=id_of(owned)).click()
    await expect(opened.by("heading", "Delete channel")).to_be_visible()
    assert (await user.delete(owned)).status == 204
    await opened.go("/me")
    await opened.by("button", "Delete account…").click()
    await dialog.get_by_label(f"Type {user.id} to confirm").fill(user.id)
    await sure.click()
    await expect(opened.page.get_by_text("Your account is being deleted.")).to_be_visible()
    await expect(opened.by("button", "Sign in", exact=True)).to_be_visible()
    assert (await user.get("/v1/users/me")).status == 401


async def test_the_applications_admin_downloads_and_deletes_an_account(
    server: Api, window: OpenWindow
) -> None:
    user, owner = server.new_user("user"), server.new_user("owner")
    admin = server.new_user("admin", admin=True)
    path = await a_channel(owner, user)
    await a_post(owner, path, "Hello")
    await user.put(f"{path}/posts/1/reactions/{part('🎉')}")
    opened = await window(admin, "/console/moderation/accounts")
    opened.expected = ("status of 404",)
    await opened.page.get_by_label("User id").fill(user.id)
    await opened.by("button", "Open account").click()
    await expect(opened.page.locator(".person")).to_contain_text(user.id)
    lines = await download(opened)
    assert any("🎉" in json.dumps(line, ensure_ascii=False) for line in lines)
    await check_narrow(opened, "an account")
    await opened.by("button", "Delete account…").click()
    dialog = opened.by("dialog", "Delete the account")
    await dialog.get_by_label(f"Type {user.id} to confirm").fill(user.id)
    await dialog.get_by_role("button", name="Delete forever").click()
    await expect(opened.page.get_by_text("Deleted on")).to_be_visible()
    assert (await owner.get(path)).body["subscriber_count"] == 1
