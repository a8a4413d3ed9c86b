"""The list of posts: it lands exactly, keeps its place, keeps few posts in the page, and works by keyboard."""

import asyncio
from typing import Any, Final

from playwright.async_api import Route, expect

from tests.api import Api, User, a_channel, a_post, conversation_of, fresh, part
from tests.browser.test_posts import uploaded
from tests.browser.windows import OpenWindow, Window, a_picture, shown_seqs, view_of
from tests.sounds import wav
from tests.videos import film, webm_film

MOST_IN_THE_PAGE: Final = 90
"""Of the short posts of these tests: some seven screens."""


async def a_channel_of_films(owner: User, reader: User) -> str:
    """45 posts with films, with and without a known size and a cover, pictures and sounds."""
    cover = a_picture("cover.png", size=(320, 180))["buffer"]
    films = [
        await uploaded(owner, data)
        for data in (film(), film(cover=cover), film(360, 640), webm_film(0, 0))
    ]
    pictures = [
        await uploaded(owner, a_picture("a.png", size=size)["buffer"])
        for size in ((300, 200), (900, 1200))
    ]
    sound = await uploaded(owner, wav(2))
    path = await a_channel(owner, reader)
    for number in range(1, 46):
        body: dict[str, Any] = {
            "kind": "video",
            "video": films[number % 4],
            "text": f"Film {number}",
        }
        if number % 5 == 0:
            body = {"kind": "image", "images": [pictures[number // 5 % 2]]}
        elif number % 11 == 0:
            body = {"kind": "audio", "audio": sound}
        posted = await owner.post(f"{path}/posts", body)
        assert posted.status == 201, posted
    return path


async def read_up_to(user: User, path: str, seq: int) -> None:
    await user.post(f"/v1/conversations/{part(conversation_of(path))}/read", {"seq": seq})


async def top_of(window: Window, selector: str) -> float:
    box = await window.page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


async def test_films_and_pictures_do_not_move_what_one_landed_on(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel_of_films(owner, reader)
    await owner.delete(f"{path}/posts/30")
    await read_up_to(reader, path, 12)
    held = asyncio.Event()
    asked: list[str] = []

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    opened = await window(reader)
    opened.page.on("request", lambda sent: asked.append(sent.url))
    await opened.page.route("**/v1/media/**", hold)
    await opened.page.locator("a.row").click()
    await expect(opened.page.locator("[data-seq='13']")).to_be_in_viewport()
    landed = await top_of(opened, ".unread-line")
    held.set()
    await opened.page.wait_for_load_state("networkidle")
    assert abs(await top_of(opened, ".unread-line") - landed) < 2
    too_wide = await opened.page.evaluate(
        """() => [...document.querySelectorAll('.post :is(img, video, audio, figure, button)')].filter((one) => {
          const [part, card] = [one, one.closest('.post')].map((each) => each.getBoundingClientRect());
          return part.left < card.left || part.right > card.right + 0.5;
        }).map((one) => one.outerHTML)"""
    )
    assert too_wide == []
    small = opened.page.locator("[data-seq='20'] img, [data-seq='10'] img").first
    assert await small.evaluate("one => one.clientWidth") == 300

    # Links to posts: one that is there, one that was deleted, one that never was.
    await opened.go(f"{view_of(path)}?post=22")
    await expect(opened.page.locator("[data-seq='22']")).to_be_focused()
    await opened.page.wait_for_load_state("networkidle")
    await expect(opened.page.locator("[data-seq='22']")).to_be_in_viewport(ratio=0.9)
    await opened.go(f"{view_of(path)}?post=30")
    await expect(opened.page.locator("[data-seq='30']")).to_be_in_viewport(ratio=1)
    await expect(opened.page.locator(".notice")).to_have_text("This post was deleted.")
    await opened.go(f"{view_of(path)}?post=9999")
    await expect(opened.page.locator("[data-seq='45']")).to_be_focused()
    await expect(opened.page.locator(".notice")).to_contain_text("does not exist")
    assert not [url for url in asked if "Infinity" in url]


async def test_a_long_channel_keeps_few_posts_in_the_page_and_nothing_is_lost(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    other = await a_channel(owner, reader, name=fresh("Other"))
    path = await a_channel(owner, reader, name=fresh("Long"))
    for number in range(1, 160):
        await a_post(owner, path, f"post {number}")
    sound = await uploaded(owner, wav(65))
    await owner.post(f"{path}/posts", {"kind": "audio", "audio": sound, "text": "post 160"})
    await read_up_to(reader, path, 160)
    opened = await window(reader, view_of(path))
    page, keyboard = opened.page, opened.page.keyboard

    # The Tab key leads to the newest post and its controls, the arrow keys from one to the next.
    await expect(page.locator("[data-seq='160']")).to_be_in_viewport(ratio=1)
    await opened.by("button", "More options", exact=True).last.focus()
    await keyboard.press("Tab")
    await expect(page.locator("[data-seq='160']")).to_be_focused()
    await expect(page.get_by_role("listitem", name="post 160")).to_be_focused()
    await keyboard.press("Tab")
    player = page.locator("[data-seq='160'] audio")
    await expect(player).to_be_focused()
    await player.evaluate("one => one.play()")
    await page.locator("[data-seq='160']").focus()
    for _ in range(12):
        await keyboard.press("ArrowUp")
    await expect(page.locator("[data-seq='148']")).to_be_focused()
    await expect(page.locator("[data-seq='148']")).to_be_in_viewport(ratio=1)

    most = 0
    while (seqs := await shown_seqs(page))[0] > 1:
        most = max(most, len(seqs))
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        await page.locator(".scroller").evaluate("e => e.scrollTop = 0")
        await expect(page.locator(f"[data-seq='{seqs[0] - 1}']")).to_be_attached()
        await expect(page.locator(f"[data-seq='{seqs[0]}']")).to_be_in_viewport()
    assert most < MOST_IN_THE_PAGE
    # The player is out of the list, and plays on.
    assert await player.evaluate("one => !one.paused && !one.closest('ol')")
    # The post with the focus is gone, the list has it.
    await expect(page.locator("[data-seq='148']")).not_to_be_attached()
    await expect(page.locator(".scroller")).to_be_focused()
    await expect(page.get_by_text("This is the beginning")).to_be_attached()

    # What changes out of the page is right when it comes back; what is new is announced.
    await owner.put(f"{path}/posts/159/reactions/{part('👍')}")
    await owner.patch(f"{path}/posts/158", {"kind": "text", "text": "post 158, edited"})
    await a_post(owner, path, "the news")
    await expect(page.locator(".unseen")).to_have_text("New: the news")
    await keyboard.press("End")
    await expect(page.locator("[data-seq='161']")).to_be_focused()
    assert await player.evaluate("one => !one.paused && !!one.closest('ol')")
    await expect(page.locator("[data-seq='159']")).to_contain_text("👍")
    await expect(page.locator("[data-seq='158']")).to_contain_text("edited")
    for number in range(3):
        await a_post(owner, path, f"more {number}")
    await expect(page.locator(".unseen")).to_have_text("3 new messages")
    await expect(page.locator("[data-seq='164']")).to_be_in_viewport(ratio=1)
    # What grows by itself leaves the end on the screen; what unfolds at a click stays where it is.
    moved = await page.evaluate(
        """async () => {
          const post = document.querySelector("[data-seq='164']");
          const moves = [];
          for (const isClicked of [false, true]) {
            const { top } = post.getBoundingClientRect();
            if (isClicked) post.querySelector('.text').click();
            post.style.paddingBlockEnd = isClicked ? '500px' : '200px';
            for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
            moves.push(Math.round(post.getBoundingClientRect().top - top));
          }
          post.style.paddingBlockEnd = '';
          return moves;
        }"""
    )
    assert moved == [-200, 0]

    # Back leads to where one was, also from the list of channels.
    await page.locator(".scroller").evaluate("e => e.scrollTop -= 700")
    await expect(page.locator(".to-newest")).to_be_visible()
    seq = (await shown_seqs(page))[-20]
    before = await top_of(opened, f"[data-seq='{seq}']")
    await page.locator("a.row", has_text="Other").click()
    await expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    assert view_of(other) in page.url
    await page.go_back()
    await expect(page.locator(f"[data-seq='{seq}']")).to_be_attached()
    assert abs(await top_of(opened, f"[data-seq='{seq}']") - before) < 2
    await opened.by("link", "Channels", exact=True).first.click()
    await expect(page.locator(f"a.row[href='{view_of(path)}']")).to_be_focused()
