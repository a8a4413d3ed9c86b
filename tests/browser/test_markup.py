"""The marks in texts, as the web app draws them: the shared table of cases, hostile texts, long texts, public pages."""

from typing import Final

from playwright.async_api import expect

from tests.api import Api, a_channel
from tests.browser.windows import OpenWindow, view_of
from tests.console.test_markup import CASES, HOSTILE, SIZE

# What is drawn, as the table of cases has it: the elements, and of attributes only what they lead to.
_DRAW: Final = """async ([cases, hostile, size]) => {
    const { src } = document.querySelector("script[type=module]");
    const load = (name) => import(src.replace("js/start.js", name));
    const { textElement } = await load("js/ui/markup.js");
    const { parseMarkup, plainText } = await load("sdk/core/markup.js");
    const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const shown = (node, isCode = false) => {
        if (node.nodeType === Node.TEXT_NODE)
            return escaped(node.data).replaceAll("\\n", isCode ? "\\n" : "<br>");
        const name = node.localName;
        const inside = [...node.childNodes].map((child) => shown(child, isCode || name === "pre")).join("");
        const given = ["href", "start"].filter((key) => node.hasAttribute(key));
        const values = given.map((key) => ` ${key}=${node.getAttribute(key)}`);
        return `<${name}${values.join("")}>${inside}</${name}>`;
    };
    const addressed = (html) => html.replace(/ href=([^ >]*)/g, (_, url) => ` href=${new URL(url).href}`);
    const wrong = [];
    for (const { is, text, html, plain } of cases) {
        const element = textElement(text);
        const parts = element.localName === "p" ? [element] : [...element.childNodes];
        const drawn = parts.map((node) => shown(node)).join("");
        if (addressed(drawn) !== addressed(html)) wrong.push([is, drawn, html]);
        if (plain !== undefined && plainText(text) !== plain) wrong.push([is, plainText(text), plain]);
        for (const link of element.querySelectorAll("a[href^=http]"))
            if (!link.rel.includes("noopener") || link.target !== "_blank") wrong.push([is, link.rel]);
    }
    const slow = hostile.filter((part) => {
        const text = part.repeat(4 * size).slice(0, 4 * size);
        const begun = performance.now();
        parseMarkup(text);
        return performance.now() - begun > 500;
    });
    return { wrong, slow };
}"""


async def test_the_app_draws_what_the_table_of_cases_says(server: Api, window: OpenWindow) -> None:
    opened = await window(server.new_user("marks"))
    found = await opened.page.evaluate(_DRAW, [CASES, HOSTILE, SIZE])
    assert found == {"wrong": [], "slow": []}


async def test_a_long_text_is_cut_off_until_one_reads_more(server: Api, window: OpenWindow) -> None:
    owner, reader = server.new_user("owner"), server.new_user("reader")
    path = await a_channel(owner, reader)
    lines = [f"- **{n}** of the list" for n in range(40)]
    text = "\n".join(["Some *marks*:", *lines, "", "Ends with https://example.org/end"])
    for body in (text, "Short **text**"):
        assert (await owner.post(f"{path}/posts", {"kind": "text", "text": body})).status == 201
    opened = await window(reader, view_of(path))
    # Lists show the text without its marks.
    await expect(opened.page.locator("a.row[aria-current] .preview")).to_have_text("Short text")
    post = opened.page.locator("[data-seq='1']")
    button, link = post.get_by_role("button", name="Read more"), post.locator(".text a")
    await expect(button).to_have_attribute("aria-expanded", "false")
    assert await opened.page.get_by_role("button", name="Read more").count() == 1
    await expect(link).not_to_be_in_viewport()
    before = await post.evaluate("element => element.clientHeight")
    await button.focus()
    await opened.page.keyboard.press("Enter")
    await expect(post.get_by_role("button", name="Show less")).to_be_focused()
    assert await post.evaluate("element => element.clientHeight") > before
    # An element that is made anew shows what was shown.
    assert (
        await owner.patch(f"{path}/posts/1", {"kind": "text", "text": text + "!"})
    ).status == 200
    await expect(post.locator(".text")).to_contain_text("end!")
    await expect(post.get_by_role("button", name="Show less")).to_be_visible()
    await post.get_by_role("button", name="Show less").click()
    assert await post.evaluate("element => element.clientHeight") == before
    # By keyboard, a link in the hidden part shows it.
    await link.focus()
    await expect(post.get_by_role("button", name="Show less")).to_be_visible()
