"""Posts in a channel: pins, views, forwards, every kind of content, frozen reactions."""

from playwright.async_api import expect

from tests.api import Api, User, a_channel, a_post, fresh, id_of, part
from tests.browser.windows import OpenWindow, a_picture, view_of
from tests.sounds import wav


async def uploaded(user: User, data: bytes) -> str:
    media_id = (await user.call("POST", "/v1/media", data=data)).body["media_id"]
    assert isinstance(media_id, str)
    return media_id


async def test_pinned_posts_are_shown_above_and_lead_to_their_place(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 101):
        await a_post(owner, path, f"post {number}")
    for seq in (3, 50):
        await owner.put(f"{path}/posts/{seq}/pin")
    await reader.post(f"/v1/conversations/group_{id_of(path).replace('#', '%23')}/read")
    opened = await window(reader, view_of(path))
    strip = opened.by("region", "Pinned posts")
    await expect(strip).to_contain_text("1 of 2")
    await opened.by("button", "Pinned: post 50").click()
    await expect(opened.page.locator("[data-seq='50']")).to_be_in_viewport()
    await expect(opened.page.locator("[data-seq='50']")).to_be_focused()
    await opened.by("button", "Pinned: post 3").focus()
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.locator("[data-seq='3']")).to_be_in_viewport()
    await expect(strip).to_contain_text("1 of 2")
    await opened.by("button", "All pinned posts").click()
    await opened.by("menuitem", "post 50").click()
    await expect(opened.page.locator("[data-seq='50']")).to_be_in_viewport()
    await owner.delete(f"{path}/posts/50/pin")
    await expect(strip).to_have_text("post 3")
    await owner.put(f"{path}/posts/100/pin")
    await expect(opened.by("button", "Pinned: post 100")).to_be_visible()
    for seq in (3, 100):
        await owner.delete(f"{path}/posts/{seq}/pin")
    await expect(strip).to_be_hidden()


async def test_a_view_counts_once_and_only_for_posts_on_the_screen(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 21):
        await a_post(owner, path, f"post {number}\n" * 8)
    calls: list[str] = []
    opened = await window(reader)
    opened.page.on(
        "request",
        lambda sent: calls.append(sent.url) if sent.url.endswith("/posts/views") else None,
    )
    await opened.page.locator("a.row").click()
    first = opened.page.locator("[data-seq='1']")
    await expect(first).to_be_in_viewport()
    await expect(first.get_by_label("1 view")).to_be_visible()
    assert len(calls) == 1
    views = {item["seq"]: item["views"] for item in (await owner.get(f"{path}/posts")).items}
    assert views[1] == 1
    assert views[20] == 0
    await opened.page.locator(".to-newest").click()
    await expect(opened.page.locator("[data-seq='20']").get_by_label("1 view")).to_be_visible()
    owners = await window(owner, view_of(path))
    await expect(owners.page.locator("[data-seq='20']").get_by_label("2 views")).to_be_visible()
    assert (await owner.get(f"{path}/posts/20")).body["views"] == 2


async def test_a_forwarded_post_names_and_links_its_source(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    await owner.patch("/v1/users/me", {"name": "Grace Mbeki"})
    name = fresh("City news")
    first = await a_channel(owner, name=name)
    hidden = await a_channel(owner, settings={"visibility": "private"})
    path = await a_channel(owner, reader, settings={"signatures": True})
    for source in (first, hidden):
        await a_post(owner, source, "The bridge is open")
        forward = {"forward": {"channel_id": id_of(source), "seq": 1}}
        assert (await owner.post(f"{path}/posts", forward)).status == 201
    opened = await window(reader, view_of(path))
    await expect(opened.page.locator("[data-seq='1'] .forwarded")).to_have_text(
        f"Forwarded from {name}"
    )
    await expect(opened.page.locator("[data-seq='2'] .forwarded")).to_have_text("Forwarded")
    await expect(opened.page.locator("[data-seq='1'] .signature")).to_have_text("by Grace Mbeki")
    await opened.by("link", name).click()
    await expect(opened.by("heading", name)).to_be_visible()
    await expect(opened.page.locator("[data-seq='1']")).to_be_focused()


async def test_every_kind_of_content_is_shown(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    picture = await uploaded(owner, a_picture("a.png")["buffer"])
    paper = await uploaded(owner, b"%PDF-1.4\n%%EOF\n")
    for body in (
        {"kind": "text_and_image", "text": "With a picture", "images": [picture]},
        {"kind": "file", "file": paper, "text": "The paper"},
        {
            "kind": "location",
            "location": {"latitude": 1.5, "longitude": 2.5, "name": "Pier", "address": "Quay 4"},
        },
        {"kind": "custom", "custom": {"order": 7}, "title": "An order"},
        {
            "kind": "text",
            "title": "A title",
            "text": "See https://a.example/x.",
            "links": [{"title": "The plan", "url": "https://b.example/plan"}],
        },
        {"kind": "audio", "audio": await uploaded(owner, wav(65.2))},
        # As clients sent it that knew no sounds.
        {"kind": "video", "video": await uploaded(owner, wav(2))},
    ):
        posted = await owner.post(f"{path}/posts", body)
        assert posted.status == 201, posted
    opened = await window(reader, view_of(path))

    def post(seq: int) -> str:
        return f"[data-seq='{seq}']"

    page = opened.page
    await expect(page.locator(f"{post(1)} img")).to_have_js_property("complete", True)
    await expect(page.locator(f"{post(2)} a.file")).to_have_attribute("download", "")
    await expect(page.locator(f"{post(3)} .location")).to_contain_text("Quay 4")
    await expect(page.locator(f"{post(4)} .custom")).to_have_text("This post cannot be shown here")
    await expect(page.locator(f"{post(4)} .title")).to_have_text("An order")
    await expect(page.locator(f"{post(5)} .text a")).to_have_attribute(
        "href", "https://a.example/x"
    )
    await expect(page.locator(f"{post(5)} .links a")).to_contain_text("b.example")
    await expect(page.locator(f"{post(6)} figcaption")).to_have_text("1:05")
    await expect(page.locator(f"{post(7)} figcaption")).to_have_text("0:02")
    player = page.locator(f"{post(6)} audio")
    await player.evaluate("audio => { audio.preload = 'metadata'; audio.load(); }")
    # It was loaded: the content security policy allows it, and the player reads the same duration.
    await expect(player).to_have_js_property("duration", 65.2)


async def test_a_changed_count_does_not_render_the_post_again(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    media = await uploaded(owner, a_picture("a.png")["buffer"])
    await owner.post(f"{path}/posts", {"kind": "image", "images": [media]})
    opened = await window(reader, view_of(path))
    picture = opened.by("button", "Photo 1 of 1")
    await picture.focus()
    await owner.put(f"{path}/posts/1/reactions/%F0%9F%91%8D")
    await expect(opened.by("button", "👍, 1 reaction")).to_be_visible()
    await expect(opened.page.get_by_label("1 view")).to_be_visible()
    await expect(picture).to_be_focused()


async def test_frozen_reactions_can_be_removed_but_not_added(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path)
    await owner.put(f"{path}/posts/1/reactions/{part('🔥')}")
    await reader.put(f"{path}/posts/1/reactions/{part('🎉')}")
    await owner.put(f"{path}/posts/1/reactions-freeze")
    opened = await window(reader, view_of(path))
    await expect(opened.by("button", "🔥, 1 reaction")).to_be_disabled()
    await expect(opened.by("button", "Add reaction", exact=True)).to_have_count(0)
    await opened.by("button", "🎉, 1 reaction").click()
    await expect(opened.by("button", "🎉, 1 reaction")).to_have_count(0)
