"""The composer: every kind of post, uploads that fail or are refused, and what survives; at all sizes of a window."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import FilePayload, Locator, Page, ViewportSize, expect

from tests import sounds
from tests.api import Api, User, a_channel, a_post, id_of, part
from tests.browser.test_access import check
from tests.browser.windows import PHONE, WIDE, OpenWindow, Window, a_picture

NARROW: ViewportSize = {"width": 320, "height": 640}
UPLOADS = "**/v1/media"


def console_of(path: str) -> str:
    """The address of a channel in the console."""
    return f"/console/channels/{part(id_of(path))}"


def a_file(name: str, kind: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": data}


PDF = a_file("menu.pdf", "application/pdf", b"%PDF-1.4 a menu")


async def choose(opened: Window, button: str, *files: FilePayload) -> None:
    """Chooses files by the button of this name."""
    async with opened.page.expect_file_chooser() as opening:
        await opened.by("button", button, exact=True).click()
    await (await opening.value).set_files(list(files))


def done(page: Page) -> Locator:
    return page.locator(".attachment[data-state=done]")


async def post(opened: Window) -> None:
    await opened.by("button", "Post", exact=True).click()
    await expect(opened.page.get_by_label("Text", exact=True)).to_have_value("")
    await expect(opened.page.locator(".attachment")).to_have_count(0)
    await expect(opened.page.locator(".place-fields")).to_be_hidden()


async def a_film(page: Page) -> FilePayload:
    """A second of a green film, recorded by the browser itself."""
    data = await page.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [320, 180];
          const pen = canvas.getContext("2d");
          const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
          const parts = [];
          recorder.ondataavailable = (event) => parts.push(event.data);
          const stopped = new Promise((resolve) => (recorder.onstop = resolve));
          recorder.start();
          for (let frame = 0; frame < 25; frame += 1) {
            pen.fillStyle = frame % 2 ? "green" : "darkgreen";
            pen.fillRect(0, 0, 320, 180);
            await new Promise((resolve) => setTimeout(resolve, 40));
          }
          recorder.stop();
          await stopped;
          return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
        }"""
    )
    return a_file("bakery.webm", "video/webm", bytes(data))


async def test_a_post_of_each_kind_is_composed_previewed_and_edited(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    opened = await window(owner, console_of(path))
    page = opened.page
    text = page.get_by_label("Text", exact=True)
    preview = page.locator(".preview-stage article")
    await expect(page.get_by_text("Up to 10 photos (29.4 MB each), or one video")).to_be_visible()

    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Write a text, or add photos")).to_be_visible()
    await expect(text).to_be_focused()
    await choose(opened, "Video", await a_film(page))
    await expect(page.get_by_text("Write a text, or add photos")).to_be_hidden()
    await expect(done(page).locator("img")).to_have_attribute("src", re.compile("^blob:"))
    await expect(done(page)).to_contain_text("320 × 180")
    await expect(preview.locator("video")).to_be_attached()
    await post(opened)
    await choose(opened, "File", PDF)
    await expect(preview.get_by_text("menu.pdf")).to_be_visible()
    await post(opened)
    # What is pasted or dropped is attached as what it is; the server knows a sound by its bytes.
    await choose(opened, "Audio", a_file("bells.wav", "audio/wav", sounds.wav(2.0)))
    await expect(done(page)).to_contain_text("0:02")
    await post(opened)
    await opened.by("button", "Location", exact=True).click()
    await page.get_by_label("Name of the place").fill("Market hall")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Enter a latitude from −90 to 90")).to_be_visible()
    await page.get_by_label("Latitude").fill("52,52 n")
    await page.get_by_label("Longitude").fill("181")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("Enter a longitude from −180 to 180")).to_be_visible()
    await page.get_by_label("Latitude").fill("52.52, -13.405")
    await expect(page.get_by_label("Longitude")).to_have_value("-13.405")
    await expect(preview.get_by_text("Market hall")).to_be_visible()
    await post(opened)

    posts = (await owner.get(f"{path}/posts")).items[::-1]
    assert [one["kind"] for one in posts] == ["video", "file", "audio", "location"]
    assert posts[0]["video"]["name"] == "bakery.webm"
    assert posts[1]["file"]["name"] == "menu.pdf"
    assert posts[2]["audio"]["duration_seconds"] == 2
    place = {"latitude": 52.52, "longitude": -13.405, "name": "Market hall", "address": ""}
    assert posts[3]["location"] == place

    # An edit keeps the file, and adds to it.
    menu = page.locator("[data-seq='2']").get_by_role("button", name="Post options")
    await menu.click()
    await opened.by("menuitem", "Edit").click()
    await expect(done(page)).to_contain_text("menu.pdf")
    await text.fill("This week")
    await opened.by("button", "Save changes").click()
    await expect(page.locator("[data-seq='2']")).to_contain_text("This week")
    edited = (await owner.get(f"{path}/posts/2")).body
    assert (edited["kind"], edited["file"]["name"]) == ("file", "menu.pdf")


async def test_what_a_post_does_not_take_is_refused_in_words(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    opened = await window(owner, console_of(path))
    page = opened.page
    refused = page.locator(".attach-refusals")
    await choose(opened, "Photos", *(a_picture(f"{number}.png") for number in range(11)))
    await expect(refused).to_have_text("“10.png” was not added. A post takes up to 10 photos.")
    await expect(done(page)).to_have_count(10)
    await choose(opened, "File", PDF)
    await expect(refused).to_contain_text("“menu.pdf” was not added. A post takes photos, or one")
    await opened.by("button", "Location", exact=True).click()
    await expect(refused).to_contain_text("“Location” was not added.")
    await opened.by("button", "Move 1.png one place earlier").click()
    await expect(page.locator(".attachment").first).to_contain_text("1.png")
    for number in range(10):
        await opened.by("button", f"Remove {number}.png").click()
    await choose(opened, "File", a_file("nothing.txt", "text/plain", b""))
    await expect(refused).to_have_text("“nothing.txt” was not added. The file is empty.")
    # Larger than a photo may be, which is known before anything is sent.
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    await page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(29_360_129)], "wall.png", { type: "image/png" }));
          const zone = document.querySelector(".drop-zone");
          for (const type of ["dragover", "drop"])
            zone.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(refused).to_have_text(
        "“wall.png” was not added. It has 29.4 MB, and a photo may have up to 29.4 MB."
    )
    assert not [url for url in sent if url.endswith("/v1/media")]
    await choose(opened, "Video", a_file("talk.mp4", "video/mp4", b"no film at all"))
    await expect(refused).to_contain_text("“talk.mp4” is attached as a file")


async def test_nothing_is_lost_by_a_failed_upload_a_lost_connection_or_a_closed_tab(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    opened = await window(owner, console_of(path))
    opened.expected = ("ERR_FAILED", "ERR_INTERNET_DISCONNECTED", "WebSocket")
    page = opened.page
    await page.route(UPLOADS, lambda route: route.abort())
    await choose(opened, "Photos", a_picture("rye.png"))
    row = page.locator(".attachment")
    await expect(row).to_contain_text("Cannot reach the server.")
    await opened.by("button", "Post", exact=True).click()
    await expect(page.get_by_text("An upload failed. Try it again or remove it.")).to_be_visible()
    await page.unroute(UPLOADS)
    await opened.by("button", "Try to upload rye.png again").click()
    await expect(done(page)).to_contain_text("rye.png")
    await page.get_by_label("Text", exact=True).fill("Bread at eight")

    # The post arrives, its answer does not; the tab is closed, and the next one posts it again.
    async def lose_answer(route: Any) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/posts", lose_answer)
    await opened.by("button", "Post", exact=True).click()
    await expect(page.locator(".composer-foot .error")).to_contain_text("Cannot reach the server.")
    await page.close()
    page = opened.page = await page.context.new_page()
    opened.record_errors()
    await opened.go(f"{console_of(path)}#token={owner.token}")
    await expect(page.get_by_label("Text", exact=True)).to_have_value("Bread at eight")
    await expect(done(page)).to_contain_text("rye.png")
    await post(opened)
    assert len((await owner.get(f"{path}/posts")).items) == 1

    # An edit that is not saved survives, too, and leaves the new post alone.
    await page.get_by_label("Text", exact=True).fill("Tomorrow")
    await opened.by("button", "Post options").click()
    await opened.by("menuitem", "Edit").click()
    await page.get_by_label("Text", exact=True).fill("Bread at nine")
    await page.reload()
    await expect(opened.by("heading", "Edit post 1")).to_be_visible()
    await expect(page.get_by_label("Text", exact=True)).to_have_value("Bread at nine")
    await opened.by("button", "Save changes").click()
    await expect(page.locator(".posted article")).to_contain_text("Bread at nine")
    await expect(page.get_by_label("Text", exact=True)).to_have_value("Tomorrow")
    # The server deletes an upload that no post used for a day. The rest of the draft stands.
    await choose(opened, "File", PDF)
    await expect(done(page)).to_contain_text("menu.pdf")
    opened.expected += ("status of 404",)
    await page.evaluate(
        """() => {
          const key = Object.keys(localStorage).find((one) => one.startsWith("channels.draft."));
          localStorage[key] = localStorage[key].replace(/"media_id":"[a-z2-7]+"/, '"media_id":"aaaaaaaa"');
        }"""
    )
    await page.reload()
    await expect(page.locator(".attachment")).to_contain_text("The server has deleted this upload")
    await expect(page.get_by_label("Text", exact=True)).to_have_value("Tomorrow")
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('channels.draft.')).length"
    assert await page.evaluate(kept) == 1
    await opened.by("button", "Account menu").click()
    await opened.by("menuitem", "Sign out").click()
    await expect(page.get_by_label("Access token")).to_be_visible()
    assert await page.evaluate(kept) == 0


async def test_post_and_preview_stay_in_sight_at_every_size(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    await a_post(owner, path, "Bread at eight")
    opened = await window(owner, console_of(path))
    page = opened.page
    await page.get_by_label("Text", exact=True).fill("Rye and spelt\n" * 30)
    await opened.by("button", "Location", exact=True).click()
    for _ in range(3):
        await opened.by("button", "Add link").click()
    for size in (WIDE, PHONE, NARROW):
        await page.set_viewport_size(size)
        for name in ("Title", "Text", "Latitude"):
            await page.get_by_label(name, exact=True).scroll_into_view_if_needed()
            await expect(opened.by("button", "Post", exact=True)).to_be_in_viewport(ratio=1)
            await expect(page.locator(".preview-head")).to_be_in_viewport(ratio=1)
        if size is not WIDE:
            await expect(page.locator(".preview-line")).to_contain_text("Rye and spelt")
            await opened.by("button", "Show the whole preview").click()
            await expect(page.locator(".preview-stage article")).to_be_in_viewport()
            # Scrolled to its end, the dock covers no part of a button, which axe would take for too small a target.
            await page.locator(".composer").evaluate(
                "form => form.scrollIntoView({ block: 'end' })"
            )
            await check(opened, f"composer, {size['width']}")
            await opened.by("button", "Show the whole preview").click()
        else:
            await check(opened, "composer, wide")
        form = page.locator(".composer")
        assert not await form.evaluate("form => form.scrollWidth > form.clientWidth")


async def scheduled(owner: User, path: str) -> dict[str, datetime]:
    """When each scheduled post is published, by its text."""
    return {
        draft["post"]["text"]: datetime.fromisoformat(draft["publish_at"])
        for draft in (await owner.get(f"{path}/drafts?scheduled=true")).items
    }


async def test_scheduled_posts_are_moved_in_a_calendar_by_keyboard_mouse_and_dialog(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    zone = ZoneInfo("Europe/Berlin")
    # The 10th to the 24th of the next month are in one view, and the clocks stay.
    month = (datetime.now(zone).replace(day=1) + timedelta(days=32)).replace(day=10)
    at = month.replace(hour=9, minute=30, second=0, microsecond=0)
    for text, when in (("Rye", at), ("Spelt", at + timedelta(days=1))):
        body = {"post": {"kind": "text", "text": text}, "publish_at": when.isoformat()}
        assert (await owner.post(f"{path}/drafts", body)).status == 201
    opened = await window(owner, console_of(path), timezone_id="Europe/Berlin")
    page = opened.page
    await page.locator(".drafts-panel").get_by_role("button", name="Calendar").click()
    await expect(page.locator(".calendar-zone")).to_contain_text("Time zone: Europe/Berlin (GMT+")
    today = page.locator(".calendar-day[tabindex='0']")
    await expect(today).to_have_attribute("aria-current", "date")

    def cell(day: datetime) -> Locator:
        return page.locator(f"[data-day='{day:%Y-%m-%d}']")

    # By keyboard: to the next month, to the day, into it, and back.
    await today.focus()
    await page.keyboard.press("PageDown")
    for _ in range(6):
        await page.keyboard.press("ArrowUp")
        if await page.evaluate("+document.activeElement.dataset.day.slice(8) <= 7"):
            break
    for _ in range(15):
        if await page.evaluate("document.activeElement.dataset.day") == f"{at:%Y-%m-%d}":
            break
        await page.keyboard.press("ArrowRight")
    await expect(cell(at)).to_be_focused()
    await expect(cell(at)).to_have_accessible_name(re.compile(" 10, .*, 1 scheduled post$"))
    await page.keyboard.press("Enter")
    await expect(
        opened.page.get_by_role("button", name=re.compile(r"9:30.AM, Rye"))
    ).to_be_focused()
    await check(opened, "calendar")
    await page.keyboard.press("ArrowDown")
    await expect(cell(at).get_by_role("button", name="New post on")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(cell(at)).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await opened.by("menuitem", "Change time").press("Enter")
    time = opened.by("dialog").get_by_label("Date and time")
    await expect(time).to_have_value(f"{at:%Y-%m-%dT%H:%M}")
    await time.fill("2020-01-01T09:00")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Choose a time from now to one year ahead.")).to_be_visible()
    later = at + timedelta(days=2, hours=1)
    await time.fill(f"{later:%Y-%m-%dT%H:%M}")
    await page.keyboard.press("Enter")
    await expect(
        cell(later).get_by_role("button", name=re.compile(r"10:30.AM, Rye"))
    ).to_be_visible()

    # By mouse: a post keeps its time of day.
    target = at + timedelta(days=4)
    await cell(at + timedelta(days=1)).get_by_role("button", name="Spelt").drag_to(cell(target))
    await expect(
        cell(target).get_by_role("button", name=re.compile(r"9:30.AM, Spelt"))
    ).to_be_visible()
    assert await scheduled(owner, path) == {"Rye": later, "Spelt": target}
    await cell(target).get_by_role("button", name=re.compile(r"9:30.AM, Spelt")).click()
    await opened.by("menuitem", "Edit").click()
    await expect(opened.by("heading", "Edit scheduled post")).to_be_visible()
    await opened.by("button", "Cancel").click()
    await cell(target).get_by_role("button", name=re.compile(r"9:30.AM, Spelt")).click()
    await opened.by("menuitem", "Delete draft").click()
    await opened.by("dialog").get_by_role("button", name="Delete draft").click()
    await expect(cell(target).get_by_role("button", name="Spelt")).to_have_count(0)
    await cell(target).hover()
    await cell(target).get_by_role("button", name="New post on").click()
    await expect(page.locator(".composer").get_by_label("Date and time")).to_have_value(
        f"{target:%Y-%m-%d}T09:00"
    )
    # A narrow window has the list, whose menu moves posts as well.
    await page.set_viewport_size(PHONE)
    await expect(page.locator(".calendar")).to_be_hidden()
    await page.locator(".draft-row").get_by_role("button", name="Options for “Rye”").click()
    await expect(opened.by("menuitem", "Change time")).to_be_visible()
