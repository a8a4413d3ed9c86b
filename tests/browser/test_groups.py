"""Chat groups: creating, joining, managing members, leaving and deleting; editing messages."""

from urllib.parse import unquote

from playwright.async_api import expect

from tests.api import Api, a_chat_group, a_post, id_of
from tests.browser.windows import OpenWindow, Window, a_picture, view_of


async def begin(window: Window, entry: str) -> None:
    await window.by("button", "Chats").click()
    await window.by("button", "New chat").click()
    await window.by("menuitem", entry).click()


async def test_a_new_group_appears_to_its_members_at_once(server: Api, window: OpenWindow) -> None:
    ada, bob, eve = server.new_user("ada"), server.new_user("bob"), server.new_user("eve")
    mine, bobs = await window(ada), await window(bob)
    await bobs.by("button", "Chats").click()
    await begin(mine, "New group")
    await mine.by("button", "Create group").click()
    await expect(mine.page.get_by_role("alert")).to_have_text("Enter a name.")
    await mine.page.get_by_label("Group name").fill("Crew")
    people = mine.page.get_by_label("Add members by user id")
    await people.fill(bob.id)
    await people.press("Enter")
    await people.fill("nobody")
    await people.press("Enter")
    await mine.by("button", "Remove nobody").click()
    await people.fill(eve.id)  # typed, but not added to the list
    await mine.by("button", "Create group").click()
    await expect(mine.by("heading", "Crew")).to_be_visible()
    await expect(mine.page.locator(".conversation-head")).to_contain_text("3 members")
    await bobs.page.locator("a.row", has_text="Crew").click()
    await bobs.by("textbox", "Write a message").fill("Aye")
    await bobs.page.keyboard.press("Enter")
    await expect(mine.page.locator(".message", has_text="Aye")).to_be_visible()
    group = (await ada.get("/v1/groups")).items[0]
    assert (group["type"], group["member_count"]) == ("work", 3)


async def test_a_user_joins_a_group_by_its_id_and_leaves_it(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, name="Tea")
    opened = await window(bob)
    await begin(opened, "Join a group")
    address = opened.page.get_by_label("Group id")
    opened.expected = ("status of 404",)
    await address.fill("nowhere")
    await opened.by("button", "Open").click()
    await expect(opened.page.get_by_role("alert")).to_contain_text("There is no group")
    await address.fill(id_of(path))
    await opened.by("button", "Open").click()
    await opened.by("button", "Join", exact=True).click()
    await expect(opened.by("textbox", "Write a message")).to_be_visible()
    await expect(opened.page.locator("a.row", has_text="Tea")).to_be_visible()
    await a_post(ada, path, "Welcome")
    await expect(opened.page.locator(".message", has_text="Welcome")).to_be_visible()
    await (
        opened.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    )
    await opened.by("menuitem", "Leave group").click()
    await opened.by("button", "Leave group").click()
    await expect(opened.page.locator("a.row")).to_have_count(0)
    assert (await bob.get(path)).body["joined_at"] is None


async def test_owner_approves_and_declines_requests_to_join(
    server: Api, window: OpenWindow
) -> None:
    ada, bob, eve = server.new_user("ada"), server.new_user("bob"), server.new_user("eve")
    path = await a_chat_group(ada, type="public", name="Book club")
    bobs, eves = await window(bob, view_of(path)), await window(eve, view_of(path))
    for opened in (bobs, eves):
        await opened.by("button", "Request to join").click()
        await expect(opened.page.get_by_text("Request sent.")).to_be_visible()
    mine = await window(ada, view_of(path))
    await mine.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await mine.by("menuitem", "Members").click()
    await mine.by("button", f"Approve {bob.id}").click()
    await expect(bobs.by("textbox", "Write a message")).to_be_visible()
    await mine.by("button", f"Decline {eve.id}").click()
    await expect(eves.by("button", "Request to join")).to_be_visible()
    await expect(mine.by("button", f"Remove {bob.id}")).to_be_visible()
    assert (await eve.get(path)).body["joined_at"] is None


async def test_owner_adds_and_removes_members_and_deletes_the_group(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, name="Tea", type="public")
    mine, bobs = await window(ada, view_of(path)), await window(bob)
    await bobs.by("button", "Chats").click()
    await mine.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await mine.by("menuitem", "Members").click()
    await mine.page.get_by_label("Add a member by user id").fill(bob.id)
    await mine.by("button", "Add", exact=True).click()
    await expect(bobs.page.locator("a.row", has_text="Tea")).to_be_visible()
    await mine.by("button", f"Remove {bob.id}").click()
    await (
        mine.by("dialog", "Remove member").get_by_role("button", name="Remove", exact=True).click()
    )
    await expect(bobs.page.locator("a.row")).to_have_count(0)
    await expect(mine.by("button", f"Remove {bob.id}")).to_be_hidden()
    await mine.page.keyboard.press("Escape")
    await mine.page.locator(".conversation-head").get_by_role("button", name="More options").click()
    await mine.by("menuitem", "Delete group").click()
    await mine.by("button", "Delete group").click()
    await expect(mine.page.locator("a.row")).to_have_count(0)
    assert (await ada.get(path)).status == 404


async def test_editing_a_message_keeps_its_picture(server: Api, window: OpenWindow) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, bob)
    picture = a_picture("cup.png")["buffer"]
    media_id = (await ada.call("POST", "/v1/media", data=picture)).body["media_id"]
    body = {"kind": "text_and_image", "text": "Tae at four", "images": [media_id]}
    assert (await ada.post(f"{path}/messages", body)).status == 201
    mine, bobs = await window(ada, view_of(path)), await window(bob, view_of(path))
    await mine.by("button", "Message options").click()
    await mine.by("menuitem", "Edit").click()
    await mine.by("textbox", "Write a message").fill("Tea at four")
    await mine.by("button", "Send").click()
    await expect(bobs.page.locator("[data-seq='1']")).to_contain_text("Tea at four")
    await expect(bobs.page.locator("[data-seq='1']")).to_contain_text("edited")
    await expect(mine.by("textbox", "Write a message")).to_have_value("")
    await expect(mine.page.locator(".shelf")).to_be_hidden()
    changed = (await bob.get(f"{path}/messages/1")).body
    assert [image["media_id"] for image in changed["images"]] == [media_id]


async def test_all_names_on_a_page_are_loaded_with_one_call(
    server: Api, window: OpenWindow
) -> None:
    ada, named, bare, comma = (server.new_user(name) for name in ("ada", "named", "bare", "com,ma"))
    await named.patch("/v1/users/me", {"name": "Named Person"})
    await comma.patch("/v1/users/me", {"name": "Comma Person"})
    path = await a_chat_group(ada, named, bare, comma)
    for user in (named, bare, comma):
        await a_post(user, path, "Goodbye")
        assert (await user.delete(f"{path}/members/me")).status == 204
    opened = await window(ada)
    asked: list[str] = []
    opened.page.on("request", lambda request: asked.append(unquote(request.url)))
    await opened.by("button", "Chats").click()
    await opened.page.locator("a.row").click()
    senders = opened.page.locator(".sender")
    await expect(senders).to_have_text(["Named Person", bare.id, "Comma Person"])
    users = [url.partition("/v1/users")[2] for url in asked if "/v1/users" in url]
    assert sorted(users) == sorted([f"/{comma.id}", f"?ids={named.id},{bare.id}"])


async def test_an_author_deletes_what_they_wrote_before_the_group_became_a_channel(
    server: Api, window: OpenWindow
) -> None:
    ada, bob = server.new_user("ada"), server.new_user("bob")
    path = await a_chat_group(ada, bob, name="Tea")
    await a_post(bob, path, "Between us")
    await a_post(ada, path, "Yes, between us")
    asked = {"group_id": id_of(path), "name": "Tea news", "share_history": True}
    assert (await ada.post("/v1/channels", asked)).status == 201
    opened = await window(bob)
    await opened.page.locator("a.row", has_text="Tea news").click()
    for text, can_delete in (("Yes, between us", 0), ("Between us", 1)):
        post = opened.page.locator("article", has=opened.page.get_by_text(text, exact=True))
        await post.get_by_role("button", name="Post options").click()
        await expect(opened.by("menuitem", "Delete for everyone")).to_have_count(can_delete)
        if not can_delete:
            await opened.page.keyboard.press("Escape")
    await opened.by("menuitem", "Delete for everyone").click()
    dialog = opened.by("dialog", "Delete for everyone")
    await dialog.get_by_role("button", name="Delete for everyone").click()
    await expect(opened.page.get_by_text("This post was deleted.")).to_be_visible()
    await opened.page.locator(".conversation-head").get_by_role("button", name="Tea news").click()
    await expect(opened.page.get_by_text("Its owner made earlier messages public")).to_be_visible()
