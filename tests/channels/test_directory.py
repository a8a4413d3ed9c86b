"""Finding channels: the directory by size, age and activity, by words and ids, and a user's own lists."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.api import (
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    id_of,
    open_api,
    open_database,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(mongod_uri: str) -> AsyncIterator[Api]:
    """A deployment with the channels of `SCENE` and a private one."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(mongod_uri))
        api = await stack.enter_async_context(open_api(database))
        await fill(api)
        yield api


ADA: Final = "ada-of-town"
SCENE: Final = [
    # name, introduction, subscribers without the owner, posts
    ("City News", "What happens in town", 3, 1),
    ("Tea (hot)", "a.b*c [x] ^$", 1, 0),
    ("Sports", "CITY league", 2, 2),
    ("城市新闻", "每天的消息", 1, 0),
    ("Ünïcode", "100% \\ path", 0, 1),
    ("Quiet", "", 0, 0),
]
"""In the order of creation. Each round writes one post in each channel, so later channels are more recently active."""


async def fill(api: Api) -> None:
    ada = api.user_of(ADA)
    fans = [api.new_user("fan") for _ in range(3)]
    paths = []
    for name, introduction, subscribers, _ in SCENE:
        path = await a_channel(ada, *fans[:subscribers], name=name, introduction=introduction)
        paths.append(path)
    await a_channel(ada, *fans, name="Secret City", settings={"visibility": "private"})
    await a_chat_group(ada, name="City chat")
    for number in range(2):
        for path, (_, _, _, posts) in zip(paths, SCENE, strict=True):
            if number < posts:
                await a_post(ada, path)


async def names(user: User, query: str = "") -> list[str]:
    return [channel["name"] for channel in (await user.get(f"/v1/channels?{query}")).items]


POPULAR: Final = ["City News", "Sports", {"Tea (hot)", "城市新闻"}, {"Ünïcode", "Quiet"}]
NEW: Final = [name for name, *_ in reversed(SCENE)]
ACTIVE: Final = ["Sports", "Ünïcode", "City News", {"Tea (hot)", "城市新闻", "Quiet"}]


def assert_ordered(found: list[str], order: list[Any]) -> None:
    """Check the order of the names; those of a set may be in any order."""
    rest = list(found)
    for place in order:
        size = len(place) if isinstance(place, set) else 1
        head, rest = rest[:size], rest[size:]
        assert (set(head) == place) if isinstance(place, set) else (head == [place]), found
    assert rest == []


@pytest.mark.parametrize(
    ("query", "order"),
    [("", POPULAR), ("sort=popular", POPULAR), ("sort=new", NEW), ("sort=active", ACTIVE)],
)
async def test_the_directory_is_sorted_as_asked(town: Api, query: str, order: list[Any]) -> None:
    assert_ordered(await names(town.new_user(), query), order)


@pytest.mark.parametrize("sort", ["popular", "new", "active"])
@pytest.mark.parametrize("limit", [1, 2, 4, 6, 7])
async def test_pages_show_each_channel_once_in_the_same_order(
    town: Api, sort: str, limit: int
) -> None:
    user = town.new_user()
    whole = await names(user, f"sort={sort}")
    pages = await all_pages(user, f"/v1/channels?sort={sort}", limit=limit)
    assert [channel["name"] for page in pages for channel in page] == whole
    assert [len(page) for page in pages[:-1]] == [limit] * (-(-len(whole) // limit) - 1)
    assert pages[-1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("city", {"City News", "Sports"}),
        ("CITY", {"City News", "Sports"}),
        ("City News", {"City News"}),
        ("news in", set()),
        ("新闻", {"城市新闻"}),
        ("消息", {"城市新闻"}),
        ("ünïc", {"Ünïcode"}),
        ("secret", set()),
        ("chat", set()),
        ("(hot)", {"Tea (hot)"}),
        ("a.b*c [x] ^$", {"Tea (hot)"}),
        ("100% \\", {"Ünïcode"}),
        (".*", set()),
        (".", {"Tea (hot)"}),
        ("^City", set()),
        ("|", set()),
        ("(", {"Tea (hot)"}),
        ("[", {"Tea (hot)"}),
        ("\\", {"Ünïcode"}),
        ("\\d", set()),
        ("$", {"Tea (hot)"}),
        ("x" * 100, set()),
    ],
)
@pytest.mark.parametrize("sort", ["popular", "active"])
async def test_search_words_are_text_and_never_a_pattern(
    town: Api, words: str, expected: set[str], sort: str
) -> None:
    assert set(await names(town.new_user(), f"q={part(words)}&sort={sort}")) == expected


async def test_a_search_finds_channels_by_id_too(town: Api) -> None:
    (channel,) = (await town.new_user().get(f"/v1/channels?q={part('City News')}")).items
    word = channel["channel_id"].removeprefix("@TOA#_")
    assert "City News" in await names(town.new_user(), f"q={part(word)}")


@pytest.mark.parametrize(
    "query", [f"q={'x' * 101}", "q=%00", "sort=random", "limit=101", "q=a&p=1"]
)
async def test_an_invalid_search_is_refused(town: Api, query: str) -> None:
    refused = await town.new_user().get(f"/v1/channels?{query}")
    assert refused.refusal == (400, "invalid_request")


async def test_the_directory_shows_a_channel_as_its_own_route_does(town: Api) -> None:
    owner, eve = town.user_of(ADA), town.new_user("eve")
    for user, role in ((owner, "owner"), (eve, None)):
        (listed,) = (await user.get(f"/v1/channels?q={part('City News')}")).items
        assert listed["role"] == role
        assert listed == (await user.get(f"/v1/channels/{part(listed['channel_id'])}")).body


# --- by id ----------------------------------------------------------------------------------------------------------


async def test_each_id_has_its_own_result_in_the_order_given(shared_api: Api) -> None:
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    news = await a_channel(ada)
    secret = await a_channel(ada, settings={"visibility": "private"})
    group = await a_chat_group(ada)
    asked = ["none", id_of(secret), id_of(news), id_of(group)]
    query = ",".join(part(each) for each in asked)
    missing = {"code": "channel_not_found", "detail": "No such channel"}
    for user, hidden in ((eve, {0, 1, 3}), (ada, {0, 3})):
        items = (await user.get(f"/v1/channels?ids={query}")).items
        assert [item["channel_id"] for item in items] == ["@TOA#_none", *asked[1:]]
        assert {place for place, item in enumerate(items) if item.get("error") == missing} == hidden
    shown = (await ada.get(f"/v1/channels?ids={query}")).items[2]
    assert shown == (await ada.get(news)).body


async def test_one_call_takes_50_ids_and_no_more(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    ids = ",".join(f"none{number}" for number in range(50))
    assert len((await ada.get(f"/v1/channels?ids={ids}")).items) == 50
    refused = await ada.get(f"/v1/channels?ids={ids},more")
    assert refused.refusal == (400, "invalid_request")
    assert refused.body["details"]["errors"][0]["field"] == "ids"


# --- own lists --------------------------------------------------------------------------------------------------------


async def ids_of(user: User, query: str) -> list[str]:
    """The ids of a whole list, read two at a time."""
    pages = await all_pages(user, f"/v1/channels?{query}", limit=2)
    return [channel["channel_id"] for page in pages for channel in page]


async def test_the_channels_i_subscribe_to_are_listed_by_id(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(4)]
    paths.append(await a_channel(ada, bob, settings={"visibility": "private"}))
    await a_channel(ada)
    await a_chat_group(ada, bob)
    await bob.delete(f"{paths[1]}/subscription")
    mine = sorted(id_of(path) for path in paths if path != paths[1])
    assert await ids_of(bob, "subscribed=true") == mine
    listed = (await bob.get("/v1/channels?subscribed=true")).items
    assert all(channel["role"] == "member" and channel["subscribed_at"] for channel in listed)


async def test_the_channels_i_own_are_listed_by_id(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    paths = [await a_channel(ada, bob) for _ in range(5)]
    await a_channel(bob, ada)
    await a_chat_group(ada)
    await ada.post(f"{paths[0]}/owner", {"user_id": bob.id})
    await ada.delete(paths[1])
    assert await ids_of(ada, "owned=true") == sorted(id_of(path) for path in paths[2:])
    assert id_of(paths[0]) in await ids_of(bob, "owned=true")


ONE_LIST: Final = "give at most one of ids, subscribed, owned, suspended and all"
ONLY_DIRECTORY: Final = (
    "q and sort search the directory: leave out ids, subscribed, owned and suspended"
)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("subscribed=true&owned=true", ONE_LIST),
        ("ids=none&subscribed=true", ONE_LIST),
        ("ids=none&owned=true", ONE_LIST),
        ("ids=&owned=true", ONE_LIST),
        ("all=true&owned=true", ONE_LIST),
        ("subscribed=true&q=tea", ONLY_DIRECTORY),
        ("owned=true&q=tea", ONLY_DIRECTORY),
        ("ids=none&q=tea", ONLY_DIRECTORY),
        ("subscribed=true&sort=popular", ONLY_DIRECTORY),
    ],
)
async def test_filters_that_do_not_combine_are_refused_and_not_ignored(
    shared_api: Api, query: str, reason: str
) -> None:
    refused = await shared_api.new_user().get(f"/v1/channels?{query}")
    assert refused.refusal == (400, "invalid_request")
    assert refused.body["details"]["errors"] == [{"field": "query", "reason": reason}]


async def test_a_filter_that_is_off_combines_with_every_other(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    for query in ("subscribed=false&q=tea", "owned=false&ids=none", "subscribed=true&q="):
        assert (await ada.get(f"/v1/channels?{query}")).status == 200


async def test_a_user_without_channels_has_empty_lists(shared_api: Api) -> None:
    eve = shared_api.new_user("eve")
    for query in ("subscribed=true", "owned=true"):
        answer = await eve.get(f"/v1/channels?{query}")
        assert (answer.items, answer.body["next_cursor"]) == ([], None)


async def test_only_the_application_lists_private_channels(
    town: Api,
) -> None:
    ada, app = town.user_of(ADA), town.new_user("back-end", admin=True)
    public = [channel["name"] for page in await all_pages(ada, "/v1/channels") for channel in page]
    assert "Secret City" not in public
    for sort in ("popular", "new", "active"):
        pages = await all_pages(app, f"/v1/channels?all=true&sort={sort}", limit=3)
        assert [len(page) for page in pages] == [3, 3, 1]
        names = [channel["name"] for page in pages for channel in page]
        assert sorted(names) == sorted([*public, "Secret City"])
        found = await app.get(f"/v1/channels?all=true&q=city&sort={sort}")
        hits = {channel["name"] for channel in found.items}
        assert hits == {"City News", "Sports", "Secret City"}
        assert (await app.get(f"/v1/channels?q=secret&sort={sort}")).items == []
    (secret,) = (await app.get("/v1/channels?all=true&q=secret")).items
    assert (secret["settings"]["visibility"], secret["role"], secret["grants"]) == (
        "private",
        None,
        [],
    )
    for user in (ada, town.new_user("stranger")):
        refused = await user.get("/v1/channels?all=true&q=secret")
        assert refused.refusal == (403, "permission_denied")
