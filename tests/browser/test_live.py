"""Live updates: several windows, lost connections, a restarted server."""

import asyncio
import json
from collections.abc import Callable

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from channels.server.realtime.delivery import Skippable
from channels.server.realtime.session import SocketSession
from groups.kernel.ids import UserId
from tests.api import PATIENCE_SECONDS, Api, User, a_channel, a_post, conversation_of, id_of, part
from tests.browser.windows import GONE, OpenWindow, shown_seqs, view_of
from tests.flows.server_process import ServerProcess


async def test_two_windows_side_by_side_stay_in_step(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    left, right = await window(reader, view_of(path)), await window(reader)
    await expect(left.page.get_by_text("Nothing here yet.")).to_be_visible()
    for number in range(1, 4):
        await a_post(owner, path, f"post {number}")
    await expect(left.page.locator("[data-seq='3']")).to_be_visible()
    # Posts that were read in one window are not unread in the other.
    row = right.page.locator("a.row", has_text="News")
    await expect(row).to_contain_text("post 3")
    await expect(row.locator(".badge")).to_be_hidden()
    await right.by("button", "Options for News").click()
    await right.by("menuitem", "Mute always").click()
    await expect(left.page.locator("a.row").get_by_label("Muted")).to_be_visible()
    await owner.patch(path, {"name": "Night News"})
    for page in (left.page, right.page):
        await expect(page.locator("a.row", has_text="Night News")).to_be_visible()
    await expect(left.by("heading", "Night News")).to_be_visible()
    left.expected = ("status of 404",)  # views of its posts may be on their way
    await owner.delete(path)
    await expect(left.page.get_by_text("does not exist or is private")).to_be_visible()
    await expect(right.page.locator("a.row")).to_have_count(0)


async def test_an_answer_that_arrives_late_does_not_replace_what_is_newer(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    opened = await window(reader)
    await expect(opened.by("heading", "Channels")).to_be_visible()
    answered, may_arrive, arrived = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hold_the_first(route: Route) -> None:
        if answered.is_set():
            await route.continue_()
            return
        answer = await route.fetch()
        answered.set()
        await may_arrive.wait()
        await route.fulfill(response=answer)
        arrived.set()

    await opened.page.route("**/v1/conversations?ids=*", hold_the_first)
    path = await a_channel(owner, reader)
    await answered.wait()
    await a_post(owner, path, "newer than the answer")
    row = opened.page.locator("a.row", has_text="News")
    await expect(row).to_contain_text("newer than the answer")
    may_arrive.set()
    await arrived.wait()
    await opened.page.evaluate("new Promise((done) => setTimeout(done, 100))")
    await expect(row).to_contain_text("newer than the answer")


async def test_a_window_that_fell_behind_catches_up(
    server: Api, window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.server.realtime.session.LOOK_SECONDS", 3600)  # looked at below
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    for number in (1, 2):
        await a_post(owner, path, f"post {number}")
    shown = await window(reader, view_of(path))
    await expect(shown.page.locator("[data-seq='2']")).to_be_visible()
    (session,) = server.hub.sessions_of(UserId(reader.id))
    assert isinstance(session, SocketSession)
    session.skip(Skippable(conversation_of(path), None))
    await owner.patch(f"{path}/posts/1", {"kind": "text", "text": "edited meanwhile"})
    await a_post(owner, path, "posted meanwhile")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while session.skipped != {conversation_of(path): 3}:
            await asyncio.sleep(0.02)
    session.catch_up()
    await expect(shown.page.locator("[data-seq='3']")).to_contain_text("posted meanwhile")
    await expect(shown.page.locator("[data-seq='1']")).to_contain_text("edited meanwhile")
    await expect(shown.page.locator("a.row", has_text="News")).to_contain_text("posted meanwhile")


async def test_two_windows_of_one_user_agree_on_a_reaction_at_once(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path)
    left, right = await window(reader, view_of(path)), await window(reader, view_of(path))
    await left.by("button", "Add reaction").click()
    await left.by("button", "React with 🎉").click()
    await expect(right.by("button", "🎉, 1 reaction")).to_be_visible()
    for opened in (left, right):
        await expect(opened.by("button", "🎉, 1 reaction")).to_have_attribute(
            "aria-pressed", "true"
        )
    await right.by("button", "🎉, 1 reaction").click()
    for opened in (left, right):
        await expect(opened.by("button", "🎉")).to_have_count(0)


async def test_a_reaction_before_the_window_watches_is_not_missed(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    await a_post(owner, path)
    opened = await window(reader)
    # Browsers delay the next connection when a page is left while it connects.
    await expect(opened.page.locator("a.row")).to_be_visible()
    held: asyncio.Queue[Callable[[], None]] = asyncio.Queue()

    def slow_to_watch(socket: WebSocketRoute) -> None:
        server_side = socket.connect_to_server()

        def tell(frame: str | bytes) -> None:
            if json.loads(frame)["type"] == "watch":
                held.put_nowait(lambda: server_side.send(frame))
            else:
                server_side.send(frame)

        socket.on_message(tell)

    await opened.page.route_web_socket("**/v1/socket", slow_to_watch)
    await opened.go(view_of(path))
    let_go = await asyncio.wait_for(held.get(), PATIENCE_SECONDS)
    await expect(opened.page.locator("[data-seq='1']")).to_be_visible()
    await owner.put(f"{path}/posts/1/reactions/{part('🎉')}")
    await expect(opened.by("button", "🎉, 1 reaction")).to_have_count(0)
    let_go()
    await expect(opened.by("button", "🎉, 1 reaction")).to_be_visible()


async def read_up_to(user: User, path: str) -> int:
    row = await user.get(f"/v1/conversations/{part(conversation_of(path))}")
    return int(row.body["read_seq"])


async def test_a_server_restart_neither_doubles_nor_loses_posts(
    process: ServerProcess, window: OpenWindow
) -> None:
    owner, reader = process.user_of("owner"), process.user_of("reader")
    path = await a_channel(owner, reader)
    for number in range(1, 6):
        await a_post(owner, path, f"post {number}")
    to_channel = f"/v1/conversations/c2c_{part(id_of(path))}/messages"
    await reader.post(to_channel, {"kind": "text", "text": "asked before"})
    opened = await window(reader, view_of(path))
    console = await window(owner, f"/console/channels/{part(id_of(path))}/inbox")
    opened.expected = console.expected = GONE
    await expect(opened.page.locator("[data-seq='5']")).to_be_visible()
    await console.page.locator(".thread-row").click()
    thread = console.page.locator(".thread .text")
    await expect(thread).to_have_text(["asked before"])

    port = process.base.rpartition(":")[2]
    await process.stop()
    await expect(opened.page.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    # The windows stay offline meanwhile, and have to catch up with all of this.
    for away in (opened, console):
        await away.page.context.set_offline(True)
    await process.start("--port", port)
    owner, api_reader = process.user_of("owner"), process.user_of("reader")
    for number in range(6, 46):
        await a_post(owner, path, f"post {number}")
    await owner.patch(f"{path}/posts/2", {"kind": "text", "text": "post two, edited"})
    await owner.delete(f"{path}/posts/3")
    await owner.put(f"{path}/posts/4/reactions/{part('👍')}")
    await api_reader.post(to_channel, {"kind": "text", "text": "asked meanwhile"})
    await api_reader.patch(f"{to_channel}/1", {"kind": "text", "text": "asked better"})
    for away in (opened, console):
        await away.page.context.set_offline(False)

    await expect(thread).to_have_text(["asked better", "asked meanwhile"])
    await expect(opened.page.get_by_text("Connection lost")).to_be_hidden()
    # It goes on with the first one that was missed, and keeps only some of them in the page.
    await expect(opened.page.locator("[data-seq='6']")).to_be_in_viewport(ratio=1)
    seqs = await shown_seqs(opened.page)
    assert seqs == list(range(1, seqs[-1] + 1))
    await expect(opened.page.locator("[data-seq='2']")).to_contain_text("post two, edited")
    await expect(opened.page.locator("[data-seq='3']")).to_contain_text("was deleted")
    await expect(opened.page.locator("[data-seq='4']")).to_contain_text("👍")
    await a_post(owner, path, "post 46")
    await opened.page.locator(".to-newest").click()
    await expect(opened.page.locator("[data-seq='46']")).to_be_in_viewport(ratio=1)
    seqs = await shown_seqs(opened.page)
    assert seqs == list(range(seqs[0], 47))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await read_up_to(api_reader, path) < 46:
            await asyncio.sleep(0.05)
    await expect(opened.page).to_have_title("News – Channels")
    assert id_of(path) in opened.page.url.replace("%40", "@").replace("%23", "#")


async def test_the_oldest_of_too_many_windows_pauses_and_resumes(
    server: Api, window: OpenWindow
) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    opened = await window(reader, view_of(path))
    await expect(opened.page.get_by_text("Nothing here yet.")).to_be_visible()
    others = [await reader.socket() for _ in range(server.services.limits.sockets_per_user)]
    await expect(opened.page.get_by_text("You have too many windows open")).to_be_visible()
    await a_post(owner, path, "missed meanwhile")
    for ears in others:
        await ears.close()
    await opened.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(opened.page.locator("[data-seq='1']")).to_contain_text("missed meanwhile")
    await expect(opened.page.get_by_text("You have too many windows open")).to_be_hidden()
