"""A page is bounded in bytes as in items, whatever the list: nothing is lost, nothing comes twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from groups.kernel import paging
from groups.kernel.clock import rfc3339
from groups.kernel.ids import GroupId
from groups.models import stream_of
from groups.routes import rendering
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    conversation_of,
    id_of,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL_PAGE: Final = 20_000
ITEMS: Final = 12
QUOTES: Final = '"' * 2_000
"""Two bytes of JSON each."""

Fill = Callable[[Api, User], Awaitable[tuple[str, int]]]
"""Fills a list of the user's with large items; its path, and how many there are."""


def set_page_bytes(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (paging, rendering):
        monkeypatch.setattr(module, "PAGE_BYTES", size)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    set_page_bytes(monkeypatch, SMALL_PAGE)


async def posted(user: User, path: str, text: str = QUOTES) -> None:
    answer = await user.post(path, {"kind": "text", "text": text})
    assert answer.status == 201, answer


async def posts(api: Api, user: User) -> tuple[str, int]:
    path = f"{await a_channel(user)}/posts"
    for _ in range(ITEMS):
        await posted(user, path)
    return path, ITEMS


async def messages(api: Api, user: User) -> tuple[str, int]:
    path = f"{await a_chat_group(user)}/messages"
    for _ in range(ITEMS):
        await posted(user, path)
    return path, ITEMS


async def dialogue(api: Api, user: User) -> tuple[str, int]:
    path = f"/v1/conversations/{part(f'c2c_{api.new_user().id}')}/messages"
    for _ in range(ITEMS):
        await posted(user, path)
    return path, ITEMS


async def timeline(api: Api, user: User) -> tuple[str, int]:
    channel = await a_channel(user, settings={"accept_messages": "everyone"})
    reader = api.new_user()
    assert (await reader.put(f"{channel}/subscription")).status in {200, 201}
    path = f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages"
    for _ in range(ITEMS // 2):
        await posted(user, f"{channel}/posts")
        await posted(reader, path)
    user.token, user.id = reader.token, reader.id
    return f"{path}?with_posts=true", ITEMS


async def inbox(api: Api, user: User) -> tuple[str, int]:
    channel = await a_channel(user, settings={"accept_messages": "everyone"})
    writer = api.new_user()
    for _ in range(ITEMS):
        await posted(writer, f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages")
    return f"{channel}/inbox/{writer.id}/messages", ITEMS


async def drafts(api: Api, user: User) -> tuple[str, int]:
    channel = await a_channel(user)
    for _ in range(ITEMS):
        kept = await user.post(f"{channel}/drafts", {"post": {"kind": "text", "text": QUOTES}})
        assert kept.status == 201, kept
    return f"{channel}/drafts", ITEMS


async def conversations(api: Api, user: User) -> tuple[str, int]:
    for number in range(ITEMS):
        kept = await user.patch(
            f"/v1/conversations/{part(conversation_of(await a_chat_group(user)))}",
            {"draft": QUOTES, "pinned": number % 3 == 0},
        )
        assert kept.status == 200, kept
    return "/v1/conversations", ITEMS


async def named_conversations(api: Api, user: User) -> tuple[str, int]:
    path, _ = await conversations(api, user)
    ids = [item["conversation_id"] for item in (await user.get(f"{path}?limit=100")).items]
    cursor = (await user.get(f"{path}?limit=100")).body["next_cursor"]
    while cursor:
        more = await user.get(f"{path}?limit=100&cursor={cursor}")
        ids += [item["conversation_id"] for item in more.items]
        cursor = more.body["next_cursor"]
    return f"{path}?ids={part(','.join([*ids, 'c2c_nobody']))}", ITEMS + 1


async def owned(api: Api, user: User) -> tuple[str, int]:
    for _ in range(ITEMS):
        await a_channel(user, custom_data='"' * 1_500, organization='"' * 500)
    return "/v1/channels?owned=true", ITEMS


async def subscribed(api: Api, user: User) -> tuple[str, int]:
    await owned(api, user)
    return "/v1/channels?subscribed=true", ITEMS


async def changed(api: Api, user: User) -> tuple[str, int]:
    await owned(api, user)
    yesterday = part(rfc3339(api.clock.now() - timedelta(days=1)))
    return f"/v1/channels?subscribed=true&updated_since={yesterday}", ITEMS


def directory(sort: str) -> Fill:
    async def fill(api: Api, user: User) -> tuple[str, int]:
        word = f"w{user.id}"
        for _ in range(ITEMS):
            channel = await a_channel(
                user, introduction=word, custom_data='"' * 1_500, organization='"' * 500
            )
            await posted(user, f"{channel}/posts", "Hello")
        return f"/v1/channels?q={word}&sort={sort}", ITEMS

    return fill


async def named_channels(api: Api, user: User) -> tuple[str, int]:
    channels = [await a_channel(user, custom_data='"' * 2_000) for _ in range(ITEMS)]
    return f"/v1/channels?ids={part(','.join(map(id_of, channels)))}", ITEMS


LARGE_FIELDS: Final = {f"k{n}": '"' * 512 for n in range(4)}


async def joined(api: Api, user: User) -> tuple[str, int]:
    for _ in range(ITEMS):
        await a_chat_group(user, custom=LARGE_FIELDS)
    return "/v1/groups", ITEMS


async def named_groups(api: Api, user: User) -> tuple[str, int]:
    groups = [await a_chat_group(user, custom=LARGE_FIELDS) for _ in range(ITEMS)]
    return f"/v1/groups?ids={part(','.join(map(id_of, groups)))}", ITEMS


async def admin_log(api: Api, user: User) -> tuple[str, int]:
    channel = await a_channel(user)
    for number in range(ITEMS):
        text = f"{number}" + '"' * 390
        texts = dict.fromkeys(("organization", "introduction", "custom_data"), text)
        assert (await user.patch(channel, texts)).status == 200
    return f"{channel}/admin-log", ITEMS + 1  # and that it was created


LISTS: Final[dict[str, Fill]] = {
    fill.__name__: fill
    for fill in (
        posts,
        messages,
        dialogue,
        timeline,
        inbox,
        drafts,
        conversations,
        named_conversations,
        owned,
        subscribed,
        changed,
        joined,
        named_channels,
        named_groups,
        admin_log,
    )
} | {f"directory by {sort}": directory(sort) for sort in ("popular", "new", "active")}


async def read_all(user: User, path: str, limit: int) -> list[Answer]:
    joint = "&" if "?" in path else "?"
    answers: list[Answer] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        answers.append(await user.get(f"{path}{joint}limit={limit}{more}"))
        cursor = answers[-1].body["next_cursor"]
        assert len(answers) <= 2 * ITEMS, "it ends"
    return answers


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("name", LISTS)
async def test_a_page_ends_before_its_byte_limit_and_the_next_continues(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    user = shared_api.new_user()
    path, count = await LISTS[name](shared_api, user)
    small = await read_all(user, path, 100)
    one_by_one = await read_all(user, path, 2)
    set_page_bytes(monkeypatch, 2**20)
    # With another limit, since a page that was cut is kept for those who ask for the same.
    whole = await read_all(user, path, 99)
    assert len(whole) == 1
    assert len(whole[0].text) > 2 * SMALL_PAGE
    assert len(whole[0].items) == count
    for answers in (small, one_by_one):
        assert [item for answer in answers for item in answer.items] == whole[0].items
        for answer in answers:
            assert answer.items or answer is answers[-1]
            assert len(answer.text) <= SMALL_PAGE * 1.1, (len(answer.text), len(answer.items))
    # As many as fit, so that an honest reader asks no more often than he must.
    assert len(small) <= 2 + 1.6 * len(whole[0].text) / SMALL_PAGE


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("name", ["posts", "messages", "dialogue", "inbox"])
async def test_reading_forward_goes_on_where_a_page_had_too_many_bytes(
    shared_api: Api, name: str
) -> None:
    user = shared_api.new_user()
    path, count = await LISTS[name](shared_api, user)
    answers = await read_all(user, f"{path}?after_seq=0", 100)
    assert len(answers) > 2
    seqs: list[int] = []
    for answer in answers:
        assert len(answer.text) <= SMALL_PAGE * 1.1
        seqs += reversed([item["seq"] for item in answer.items])
    assert seqs == list(range(1, count + 1))
    # And by seq, as one does who has no cursor.
    held = 0
    while found := (await user.get(f"{path}?after_seq={held}&limit=100")).items:
        assert found[-1]["seq"] == held + 1
        held = found[0]["seq"]
    assert held == count


@pytest.mark.parametrize("name", ["posts", "messages", "dialogue", "inbox", "drafts"])
async def test_an_item_that_is_larger_than_a_page_is_a_page(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    user = shared_api.new_user()
    path, count = await LISTS[name](shared_api, user)
    set_page_bytes(monkeypatch, 10)
    answers = await read_all(user, path, 100)
    assert [len(answer.items) for answer in answers] == [1] * count


async def test_a_hundred_posts_of_maximal_size_are_pages_of_a_mebibyte(
    shared_api: Api,
) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = await a_channel(ada, bob)
    for number in range(100):
        await posted(ada, f"{channel}/posts", f"{number:04}" + '"' * (12 * 1024 - 4))
    # As a message of control characters was, when they were still taken: six bytes of JSON each.
    stored = shared_api.services.database.collection("messages")
    mine: dict[str, Any] = {"stream_id": stream_of(GroupId(id_of(channel))), "seq": {"$lte": 20}}
    await stored.update_many(mine, {"$set": {"content.text": "\x01" * 12 * 1024}})
    for user in (ada, bob):
        answers = await read_all(user, f"{channel}/posts", 100)
        assert [item["seq"] for a in answers for item in a.items] == list(range(100, 0, -1))
        assert all(len(answer.text) <= paging.PAGE_BYTES + 200 for answer in answers)
        assert len(answers) == 4
