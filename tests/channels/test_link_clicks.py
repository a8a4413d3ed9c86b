"""Clicks on links: each user counts once for each link, where the channel counts, and only links of the post."""

import re
from collections.abc import Mapping
from typing import Any, Final

import pytest

from channels.link_clicks.links import MOST_LINKS, links_of
from groups.kernel.ids import GroupId
from groups.models import Content, Kind, stream_of
from tests.api import Answer, Api, User, a_channel, a_post, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAP: Final = "https://example.org/map?of=town#here"
SHOP: Final = "https://example.org/shop"
TEXT: Final = f"Look at [the map]({MAP}), at {SHOP}, and at [the map]({MAP}) again."
COUNTS: Final[dict[str, Any]] = {"settings": {"count_clicks": True}}


async def click(user: User, path: str, url: str, seq: int = 1) -> Answer:
    return await user.post(f"{path}/posts/{seq}/clicks", {"url": url})


async def clicks_of(user: User, path: str, seq: int = 1) -> dict[str, int]:
    answer = await user.get(f"{path}/posts/{seq}/clicks")
    assert answer.status == 200, answer
    return {item["url"]: item["clicks"] for item in answer.items}


async def followed(api: Api, address: str, headers: Mapping[str, str] | None = None) -> Any:
    """Status, and where it leads, or the page."""
    async with api.http.get(api.base + address, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location"), await answer.text()


async def test_each_user_counts_once_for_each_link(shared_api: Api) -> None:
    ada, bob, cid, dan = (shared_api.new_user(name) for name in ("ada", "bob", "cid", "dan"))
    app = shared_api.new_user("app", admin=True)
    path = await a_channel(ada, bob, cid, **COUNTS)
    await a_post(ada, path, TEXT)
    assert (await bob.get(path)).body["settings"]["count_clicks"] is True
    for user, url in ((bob, MAP), (bob, MAP), (cid, MAP), (dan, SHOP), (app, SHOP)):
        assert (await click(user, path, url)).status == 204
    assert await clicks_of(ada, path) == {MAP: 2, SHOP: 1}
    insights = (await ada.get(f"{path}/insights/posts")).items
    assert [(row["seq"], row["clicks"]) for row in insights] == [(1, 3)]
    days = (await ada.get(f"{path}/insights")).body["days"]
    assert days[-1]["clicks"] == 3
    # Nothing is shown to readers, and nobody can be listed.
    assert (await bob.get(f"{path}/posts/1/clicks")).refusal == (403, "permission_denied")
    assert "clicks" not in (await bob.get(f"{path}/posts/1")).body
    rows = shared_api.services.database.collection("link_clicks").find({})
    assert bob.id.encode() not in b"".join([row["sketch"] async for row in rows])


async def test_only_links_of_a_post_that_one_may_read_count_and_only_where_it_is_on(
    shared_api: Api,
) -> None:
    ada, bob, eve = (shared_api.new_user(name) for name in ("ada", "bob", "eve"))
    path = await a_channel(ada, bob, settings={"count_clicks": True, "visibility": "private"})
    await a_post(ada, path, TEXT)
    assert (await click(bob, path, SHOP)).status == 204
    assert (await click(eve, path, SHOP)).refusal == (404, "channel_not_found")
    assert (await click(bob, path, "https://evil.example/")).refusal == (404, "link_not_found")
    assert (await click(bob, path, SHOP, 2)).refusal == (404, "post_not_found")
    assert (await click(bob, path, "")).refusal == (400, "invalid_request")
    assert (await click(bob, path, "x" * 2049)).refusal == (400, "invalid_request")
    # A link that an edit takes away does not count any more, and is not shown.
    await ada.patch(f"{path}/posts/1", {"kind": "text", "text": f"Only {MAP}"})
    assert (await click(bob, path, SHOP)).refusal == (404, "link_not_found")
    assert await clicks_of(ada, path) == {MAP: 0}
    await ada.patch(path, {"settings": {"count_clicks": False}})
    assert (await click(bob, path, MAP)).refusal == (409, "clicks_not_counted")
    assert (await click(eve, path, MAP)).refusal == (404, "channel_not_found")
    await ada.delete(f"{path}/posts/1")
    assert (await ada.get(f"{path}/posts/1/clicks")).refusal == (404, "post_not_found")


async def test_the_links_of_a_post_are_found_once_each_and_not_without_bound() -> None:
    many = Content(kind=Kind.TEXT, text=" ".join(f"https://a.example/{n}" for n in range(60)))
    assert len(links_of(many)) == MOST_LINKS
    text = f"> - *{SHOP}*\n\n```\nhttps://code.example/\n```\n`{MAP}` mailto:ada@example.org"
    assert links_of(Content(kind=Kind.TEXT, text=text)) == [SHOP]
    assert links_of(None) == []


async def test_visitors_are_counted_by_a_redirect_that_leads_to_the_post_s_links_only(
    shared_api: Api,
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada, **COUNTS)
    await a_post(ada, path, TEXT)
    name = part(id_of(path).removeprefix("@TOA#_"))
    _, _, page = await followed(shared_api, f"/c/{name}")
    assert "Clicks on links are counted" in page
    assert MAP.replace("&", "&amp;") not in page
    ways = dict.fromkeys(re.findall(rf'href="(/l/{name}/1/[-\w]+)"', page))
    assert [(await followed(shared_api, way))[:2] for way in ways] == [(302, MAP), (302, SHOP)]
    assert await clicks_of(ada, path) == {MAP: 1, SHOP: 1}
    # The same visitor counts once; one who does not want to be tracked, and a prefetch, not at all.
    other = next(iter(ways))
    for header in ({}, {"DNT": "1"}, {"Sec-GPC": "1"}, {"Sec-Purpose": "prefetch"}):
        assert (await followed(shared_api, other, header))[:2] == (302, MAP)
    assert await clicks_of(ada, path) == {MAP: 1, SHOP: 1}
    for wrong in (f"/l/{name}/1/aaaaaaaaaaaa", f"/l/{name}/2/{other[-12:]}", f"/l/no/1/{other}"):
        assert (await followed(shared_api, wrong))[0] == 404
    # Switched off, it leads nowhere, and the page has the addresses themselves.
    await ada.patch(path, {"settings": {"count_clicks": False}})
    assert (await followed(shared_api, other))[0] == 404


async def test_clicks_end_with_their_channel(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada, **COUNTS)
    await a_post(ada, path, TEXT)
    assert (await click(ada, path, MAP)).status == 204
    clicks = shared_api.services.database.collection("link_clicks")
    of_channel = {"_id": re.compile("^" + re.escape(stream_of(GroupId(id_of(path)))))}
    assert await clicks.find_one(of_channel) is not None
    assert (await ada.delete(path)).status == 204
    await shared_api.services.chat.cleanup.wait()
    assert await clicks.find_one(of_channel) is None
