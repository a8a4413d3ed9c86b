"""Pages of several channels and groups that are read at once show what each shows when it is read alone.

Two processes: what happens on one is read on the other, where it was read before and is read again. `_Shelf` is what
one reader reads together: channels and chat groups, of which the first one changes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio

from groups.service.messages.page_reader import AHEAD, PageReader
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    id_of,
    open_api,
    open_database,
    part,
)
from tests.channels.test_marking import channel_path

pytestmark = pytest.mark.asyncio(loop_scope="module")

THUMB: Final = part("👍")
HEART: Final = part("❤")
NOT_FOUND: Final = (404, "channel_not_found")
BANNED: Final = (403, "banned")
LIMIT: Final = 3


@dataclass(frozen=True, slots=True)
class _Two:
    """Two processes on one database."""

    here: Api
    there: Api


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(mongod_uri: str) -> AsyncIterator[_Two]:
    async with (
        open_database(mongod_uri) as database,
        open_api(database) as here,
        open_api(database) as there,
    ):
        yield _Two(here, there)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """`owner` and `other` act on the other process; `reader` reads on this one. `path` is the first channel."""

    two: _Two
    owner: User
    other: User
    reader: User
    path: str
    others: Sequence[str]

    @property
    def same_reader(self) -> User:
        """The reader on the other process."""
        return self.two.there.user_of(self.reader.id)

    def wanted(self) -> list[str]:
        """The pages to read: of the first channel through two windows, and one of each of the others."""
        pages = [
            f"{self.path}/posts?limit={LIMIT}",
            f"{self.path}/posts?limit={LIMIT}&before_seq=4",
        ]
        for path in self.others:
            calls = "posts" if path.startswith("/v1/channels/") else "messages"
            pages.append(f"{path}/{calls}?limit={LIMIT}")
        return pages

    async def together(self, reader: User | None = None) -> list[Answer]:
        """What the reader, or another one, reads at once."""
        user = self.two.here.user_of((reader or self.reader).id)
        with _counting() as together:
            while True:
                answers = await asyncio.gather(*(user.get(page) for page in self.wanted()))
                if together:  # nearly always: all came before the first command was sent
                    return list(answers)

    async def alone(self, reader: User | None = None) -> list[Answer]:
        """The same, one after the other, on a process that kept nothing of it."""
        user = self.two.there.user_of((reader or self.reader).id)
        return [await user.get(page) for page in self.wanted()]


@contextmanager
def _counting() -> Iterator[list[int]]:
    """How many pages each command of several pages was for."""
    counts: list[int] = []
    read_together = PageReader._read_together

    async def counted(reader: PageReader, wanted: Any) -> Any:
        counts.append(len(wanted))
        return await read_together(reader, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PageReader, "_read_together", counted)
        yield counts


async def a_shelf(two: _Two, **body: Any) -> _Shelf:
    owner, other = two.there.new_user("owner"), two.there.new_user("other")
    reader = two.here.new_user("reader")
    path = await a_channel(owner, other, reader, **body)
    for _ in range(5):
        await a_post(owner, path)
    second = await a_channel(owner, reader, other)
    await a_post(owner, second)
    assert (await other.put(f"{second}/posts/1/reactions/{THUMB}")).status == 200
    empty = await a_channel(owner)
    group = await a_chat_group(owner, other, reader)
    await a_post(other, group)
    shelf = _Shelf(two, owner, other, reader, path, [second, empty, group])
    assert (await other.put(f"{path}/posts/5/reactions/{HEART}")).status == 200
    assert (await shelf.same_reader.put(f"{path}/posts/3/reactions/{THUMB}")).status == 200
    return shelf


def shown(answers: Sequence[Answer]) -> list[tuple[int, Any]]:
    return [
        (answer.status, answer.body if answer.status == 200 else answer.refusal)
        for answer in answers
    ]


async def nothing(shelf: _Shelf) -> None:
    """No change."""


async def post(shelf: _Shelf) -> None:
    await a_post(shelf.owner, shelf.path, "new")


async def post_more_than_are_looked_for(shelf: _Shelf) -> None:
    for number in range(AHEAD + LIMIT + 1):
        await a_post(shelf.owner, shelf.path, f"new {number}")


async def post_to_the_empty_channel(shelf: _Shelf) -> None:
    await a_post(shelf.owner, shelf.others[1])


async def edit(shelf: _Shelf) -> None:
    better = {"kind": "text", "text": "Better"}
    assert (await shelf.owner.patch(f"{shelf.path}/posts/3", better)).status == 200


async def recall(shelf: _Shelf) -> None:
    assert (await shelf.owner.delete(f"{shelf.path}/posts/3")).status == 204


async def pin(shelf: _Shelf) -> None:
    assert (await shelf.owner.put(f"{shelf.path}/posts/5/pin")).status == 200


async def freeze(shelf: _Shelf) -> None:
    assert (await shelf.owner.put(f"{shelf.path}/posts/5/reactions-freeze")).status == 200


async def react(shelf: _Shelf) -> None:
    assert (await shelf.same_reader.put(f"{shelf.path}/posts/4/reactions/{THUMB}")).status == 200


async def another_reacts(shelf: _Shelf) -> None:
    assert (await shelf.other.put(f"{shelf.path}/posts/3/reactions/{THUMB}")).status == 200


async def swap_reactions(shelf: _Shelf) -> None:
    """The reader holds what the other one held, and the other way round: all counts stay."""
    for user, before, after in (
        (shelf.same_reader, THUMB, HEART),
        (shelf.other, HEART, THUMB),
    ):
        for seq in (3, 5):
            path = f"{shelf.path}/posts/{seq}/reactions"
            assert (await user.delete(f"{path}/{before}")).status == 200
            assert (await user.put(f"{path}/{after}")).status == 200


async def unreact(shelf: _Shelf) -> None:
    path = f"{shelf.path}/posts/3/reactions/{THUMB}"
    assert (await shelf.same_reader.delete(path)).status == 200


async def see(shelf: _Shelf) -> None:
    seen = await shelf.other.post(f"{shelf.path}/posts/views", {"seqs": [3, 5]})
    assert [each["views"] for each in seen.items] == [1, 1]


async def rename(shelf: _Shelf) -> None:
    assert (await shelf.owner.patch(shelf.path, {"name": "Newer"})).status == 200


async def write_in_the_group(shelf: _Shelf) -> None:
    await a_post(shelf.other, shelf.others[2], "and more")


Change = Callable[[_Shelf], Awaitable[None]]
CHANGES: Final[list[Change]] = [
    nothing,
    post,
    post_more_than_are_looked_for,
    post_to_the_empty_channel,
    edit,
    recall,
    pin,
    freeze,
    react,
    another_reacts,
    swap_reactions,
    unreact,
    see,
    rename,
    write_in_the_group,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_whatever_happened_on_another_process_is_seen_at_once(
    two: _Two, change: Change
) -> None:
    shelf = await a_shelf(two)
    before = await shelf.together()
    assert {answer.status for answer in before} == {200}
    await change(shelf)
    after, alone = await shelf.together(), await shelf.alone()
    assert shown(after) == shown(alone)
    assert (shown(after) == shown(before)) == (change is nothing)
    # The owner's view has the authors, and no reactions of the reader.
    of_owner = await shelf.together(shelf.owner)
    assert shown(of_owner) == shown(await shelf.alone(shelf.owner))
    assert shown(of_owner) != shown(after)
    assert shown(await shelf.together()) == shown(alone)


async def ban(shelf: _Shelf) -> tuple[int, str]:
    path = f"{shelf.path}/subscribers/{part(shelf.reader.id)}?ban=true"
    assert (await shelf.owner.delete(path)).status == 204
    return BANNED


async def leave_a_private_one(shelf: _Shelf) -> tuple[int, str]:
    settings = {"settings": {"visibility": "private"}}
    assert (await shelf.owner.patch(shelf.path, settings)).status == 200
    assert {answer.status for answer in await shelf.together()} == {200}
    assert (await shelf.same_reader.delete(f"{shelf.path}/subscription")).status == 204
    return NOT_FOUND


async def delete_the_channel(shelf: _Shelf) -> tuple[int, str]:
    assert (await shelf.owner.delete(shelf.path)).status == 204
    return NOT_FOUND


@pytest.mark.parametrize("end", [ban, leave_a_private_one, delete_the_channel])
async def test_a_reader_who_may_no_longer_read_one_page_still_reads_the_others(
    two: _Two, end: Callable[[_Shelf], Awaitable[tuple[int, str]]]
) -> None:
    shelf = await a_shelf(two)
    before = await shelf.together()
    refusal = await end(shelf)
    after = await shelf.together()
    assert [answer.refusal for answer in after[:2]] == [refusal, refusal]
    assert shown(after)[2:] == shown(before)[2:]


async def test_a_reader_who_left_a_public_channel_reads_it_as_a_stranger(two: _Two) -> None:
    shelf = await a_shelf(two)
    before = await shelf.together()
    assert (await shelf.same_reader.delete(f"{shelf.path}/subscription")).status == 204
    assert shown(await shelf.together()) == shown(await shelf.alone()) == shown(before)


async def test_a_new_channel_of_the_same_id_shows_nothing_of_the_old_one(two: _Two) -> None:
    shelf = await a_shelf(two)
    await shelf.together()
    assert (await shelf.owner.delete(shelf.path)).status == 204
    body = {"channel_id": id_of(shelf.path), "name": "Again"}
    while (made := await shelf.owner.post("/v1/channels", body)).status == 409:
        await asyncio.sleep(0.02)  # until the remains of the old one are cleared
    assert made.status == 201, made
    fresh = await shelf.together()
    assert [answer.items for answer in fresh[:2]] == [[], []]
    for number in range(5):
        await a_post(shelf.owner, shelf.path, f"again {number}")
    after = await shelf.together()
    assert [post["text"] for post in after[0].items] == ["again 4", "again 3", "again 2"]
    assert shown(after) == shown(await shelf.alone())


async def test_what_was_written_before_the_marking_stays_hidden_from_later_subscribers(
    two: _Two,
) -> None:
    owner, early = two.there.new_user("owner"), two.there.new_user("early")
    late = two.here.new_user("late")
    paths = []
    for _ in range(3):
        group = await a_chat_group(owner, early)
        for number in range(1, 5):
            await a_post(early, group, f"{number}")
        made = {"group_id": id_of(group), "name": "Tea news"}
        assert (await owner.post("/v1/channels", made)).status == 201
        paths.append(channel_path(group))
        assert (await late.put(f"{paths[-1]}/subscription")).status == 200
        await a_post(owner, paths[-1], "5")
    shelf = _Shelf(two, owner, early, late, paths[0], paths[1:])
    answers = await shelf.together()
    assert [[post["seq"] for post in answer.items] for answer in answers] == [[5], [], [5], [5]]
    assert [answer.body["next_cursor"] for answer in answers] == [None] * 4
    of_early = await shelf.together(early)
    assert [post["seq"] for post in of_early[0].items] == [5, 4, 3]
    assert [post["author_id"] for post in of_early[0].items] == [None, early.id, early.id]
    # And back: what was shown to the one is not shown to the other.
    assert shown(await shelf.together()) == shown(answers)


async def test_cursors_go_on_where_pages_that_were_read_together_end(two: _Two) -> None:
    shelf = await a_shelf(two)
    pages = await shelf.together()
    further = await asyncio.gather(
        *(
            shelf.reader.get(f"{shelf.path}/posts?limit={LIMIT}&cursor={page.body['next_cursor']}")
            for page in (pages[0], pages[0])
        ),
        shelf.reader.get(f"{shelf.others[0]}/posts?limit={LIMIT}&before_seq=1000"),
    )
    assert [[post["seq"] for post in page.items] for page in further] == [[2, 1], [2, 1], [1]]
    assert [page.body["next_cursor"] for page in further] == [None] * 3


async def test_pages_are_exact_while_everything_changes(two: _Two) -> None:
    """Each reading shows at least all posts and reactions that were answered before it began."""
    shelf = await a_shelf(two)
    await shelf.together()
    posted = {shelf.path: 5, shelf.others[0]: 1}
    is_over = False

    async def write(path: str) -> None:
        for _ in range(12):
            posted[path] = (await a_post(shelf.owner, path))["seq"]

    async def read() -> None:
        while not is_over:
            least = dict(posted)
            answers = await asyncio.gather(
                *(shelf.reader.get(f"{path}/posts?limit={LIMIT}") for path in posted)
            )
            for path, answer in zip(posted, answers, strict=True):
                seqs = [one["seq"] for one in answer.items]
                assert seqs[0] >= least[path]
                assert seqs == list(range(seqs[0], max(0, seqs[0] - LIMIT), -1))

    readers = [asyncio.ensure_future(read()) for _ in range(3)]
    await asyncio.gather(*(write(path) for path in posted))
    is_over = True
    await asyncio.gather(*readers)
