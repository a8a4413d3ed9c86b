"""The app in other languages: first paint, direction, plurals, dates; and the user's own profile and settings."""

from playwright.async_api import expect

from tests.api import Api, a_channel, fresh
from tests.browser.test_access import check
from tests.browser.windows import PHONE, OpenWindow, a_picture, screenshot, view_of

AT_BODY = """
new MutationObserver(() => {
  const { lang, dir, dataset } = document.documentElement;
  if (document.body) window.atBody ??= [lang, dir, dataset.theme ?? ""].join(" ");
}).observe(document, { childList: true, subtree: true });
"""
"""What the page said of itself when its body began, before anything could be painted."""

LOADED = """
performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .filter((one) => !one.name.includes("/v1/"))
  .map((one) => [new URL(one.name).pathname, one.encodedBodySize])
"""


async def test_the_app_speaks_the_language_of_the_browser_from_the_first_paint(
    server: Api, window: OpenWindow
) -> None:
    owner = server.new_user("owner")
    readers = [server.new_user() for _ in range(3)]
    path = await a_channel(owner, *readers, name=fresh("Tram news"))
    await owner.post(f"{path}/posts", {"kind": "text", "text": "Line 6 runs again"})
    opened = await window(
        readers[0], view_of(path), size=PHONE, locale="ar-EG", before_page=AT_BODY
    )
    page = opened.page
    # Four subscribers: a plural form that English lacks.
    await expect(page.get_by_text("4 مشتركين")).to_be_visible()
    await expect(page.locator(".day")).to_have_text("اليوم")
    assert await page.evaluate("window.atBody") == "ar rtl "
    loaded = dict(await page.evaluate(LOADED))
    texts = [name.partition("/texts/")[2] for name in loaded if "/texts/" in name]
    assert sorted(texts) == ["ar/app.json", "ar/errors.json", "ar/reader.json"]
    assert sum(loaded.values()) < 130_000
    await check(opened, "a channel in Arabic")
    for address in ("/", "/find", "/me", "/console"):
        await opened.go(address)
        await expect(page.get_by_role("heading", level=1).first).to_be_visible()
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
        await screenshot(page, f"arabic-{address.strip('/') or 'list'}")
    opened.expected = ("404",)
    await opened.go("/channels/missing")
    await expect(page.get_by_text("هذه القناة غير موجودة أو خاصة.")).to_be_visible()


async def test_a_user_changes_name_photo_theme_and_language(
    server: Api, window: OpenWindow
) -> None:
    ada = server.new_user("ada")
    opened = await window(ada, before_page=AT_BODY, color_scheme="light")
    page = opened.page
    await opened.by("button", "Account menu").focus()
    await page.keyboard.press("Enter")
    await expect(opened.by("menuitem", "Profile and settings")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(opened.by("heading", "Profile and settings")).to_be_focused()
    await page.locator("input[type=file]").set_input_files(a_picture("face.png"))
    await expect(page.locator(".picture-drop img")).to_be_visible()
    await page.get_by_label("Name").fill("x" * 151)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Name").fill("أدا لوفليس")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(page.locator(".account img")).to_be_visible()
    shown = (await ada.get("/v1/users/me")).body
    assert shown["name"] == "أدا لوفليس"
    assert shown["face_url"].startswith("/v1/media/")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(paper)
    await page.get_by_label("Dark").check()
    assert await page.evaluate(paper) != light
    await check(opened, "profile and settings, dark")
    await page.get_by_label("Language").select_option("de")
    await opened.by("button", "Save").last.click()
    await expect(opened.by("heading", "Profil und Einstellungen")).to_be_visible()
    assert await page.evaluate("window.atBody") == "de ltr dark"
    await opened.by("button", "Abmelden").click()
    await expect(opened.by("heading", "Anmelden")).to_be_visible()


async def test_emoji_are_found_by_names_in_the_language_of_the_app(
    server: Api, window: OpenWindow
) -> None:
    reader = server.new_user("reader")
    for locale, words, emoji, name, forward in (
        ("de-DE", "rakete", "🚀", "Rakete", "ArrowRight"),
        ("zh-CN", "打滚", "🤣", "笑得满地打滚", "ArrowRight"),
        ("ar-EG", "teapot", "🫖", "teapot", "ArrowLeft"),
    ):
        opened = await window(reader, f"/with/{reader.id}", locale=locale)
        page = opened.page
        await page.locator(".writer-line button[aria-haspopup]").click()
        search = page.locator(".emoji-picker input")
        await expect(search).to_be_focused()
        loaded = dict(await page.evaluate(LOADED))
        names = [each.rpartition("_")[2] for each in loaded if "/emoji/names_" in each]
        assert names == [{"de": "de.js", "zh": "zh-Hans.js"}.get(locale[:2], "en.js")]
        found = page.locator(".emoji-list button")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press(forward)
        await expect(found.nth(1)).to_be_focused()
        await search.fill(words)
        await expect(found.first).to_have_attribute("aria-label", name)
        await search.press("Enter")
        await expect(page.locator(".writer textarea")).to_have_value(emoji)
