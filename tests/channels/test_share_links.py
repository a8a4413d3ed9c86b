"""Links to channels and posts: where they lead, their QR code, and who gets one."""

import asyncio
import io

import pytest
from PIL import Image

from channels.console.cards import HEIGHT, WIDTH, CardTexts, card
from channels.server.options import ServiceOptions
from channels.share_links.models import ShareOptions
from channels.share_links.qr import qr_svg
from tests.api import a_channel, a_post, id_of, part
from tests.conftest import OpenApi

ADDRESS = "https://news.example"


async def test_a_link_leads_to_the_public_page_or_into_the_app(api: OpenApi) -> None:
    options = ServiceOptions(share=ShareOptions(address=ADDRESS))
    server = await api(options=options)
    owner, stranger = server.new_user("owner"), server.new_user("stranger")
    path = await a_channel(owner, name="Tram <news>")
    await a_post(owner, path)
    await a_post(owner, path, "gone soon")
    await owner.delete(f"{path}/posts/2")
    name = part(id_of(path).removeprefix("@TOA#_"))
    link = (await stranger.get(f"{path}/share-link")).body
    assert (link["url"], link["is_public"]) == (f"{ADDRESS}/c/{name}", True)
    assert link["title"] == "Tram <news>"
    assert link["qr_svg"] == qr_svg(link["url"])
    assert link["embed_html"].startswith(
        f'<script type="module" src="{ADDRESS}/sdk/channel-feed.js">'
    )
    assert f'<channel-feed channel="{id_of(path)}">' in link["embed_html"]
    post = (await stranger.get(f"{path}/share-link?seq=1")).body
    assert post["url"] == f"{ADDRESS}/c/{name}/1"
    for seq in (2, 3):
        refused = await stranger.get(f"{path}/share-link?seq={seq}")
        assert refused.refusal == (404, "post_not_found")

    await owner.patch(path, {"settings": {"visibility": "private"}})
    assert (await stranger.get(f"{path}/share-link")).refusal == (404, "channel_not_found")
    link = (await owner.get(f"{path}/share-link?seq=1")).body
    assert link["url"] == f"{ADDRESS}/channels/{part(id_of(path))}?post=1"
    assert (link["is_public"], link["embed_html"]) == (False, None)


async def test_without_public_pages_every_link_leads_into_the_app(api: OpenApi) -> None:
    options = ServiceOptions(share=ShareOptions(address=ADDRESS, has_public_pages=False))
    server = await api(options=options)
    owner = server.new_user("owner")
    path = await a_channel(owner)
    link = (await owner.get(f"{path}/share-link")).body
    assert link["url"] == f"{ADDRESS}/channels/{part(id_of(path))}"


async def test_the_longest_address_has_a_code(api: OpenApi) -> None:
    longest = await asyncio.to_thread(qr_svg, f"{ADDRESS}/channels/{'%F0' * 600}")
    assert longest.startswith("<svg")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Überland", "Every eight minutes"),
        ("港口新闻", "每日 \U0001f389"),
        ("قناة", "مرحبا"),
        ("W" * 300, "x" * 5_000),
        ("\u202e\ufffd", ""),
        ("", "\u0000"),
    ],
)
def test_a_card_is_drawn_of_any_text(name: str, text: str) -> None:
    drawn = card(CardTexts(name, text, "news.example/c/tram"), key=name, face=None)
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, picture.size) == ("PNG", (WIDTH, HEIGHT))
        assert len(picture.getcolors() or []) > 1


def test_a_card_shows_the_picture_of_the_channel() -> None:
    face = io.BytesIO()
    Image.new("RGB", (64, 40), "#00ff00").save(face, "WEBP", lossless=True)
    drawn = card(CardTexts("Tram", "", "x"), key="tram", face=face.getvalue())
    with Image.open(io.BytesIO(drawn)) as picture:
        red, green, blue = picture.convert("RGB").getpixel((200, 260))  # type: ignore[misc]
        assert green > 200 > red
        assert blue < 100
