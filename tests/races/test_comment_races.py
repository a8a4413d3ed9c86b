"""Comments under races: dense numbers, exact counts, nothing orphaned. Two processes on one real database."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Final

import pytest
from rich.console import Console

from channels.comments.errors import CommentLimitReached, CommentsFrozen
from channels.comments.events import CommentPosted, CommentRecalled
from channels.comments.models import PostPlace
from channels.comments.service.comments import WrittenComment
from channels.limits import Limits
from channels.models import NewChannel
from channels.server.app import INDEXES, Services, create_services
from channels.verify.command import verify
from groups.errors import MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.events import read_event
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, ensure_indexes
from groups.kernel.text.emoji import Emoji
from groups.models import Commenting, Content, Kind

NEWS: Final = GroupId("@TOA#_news")
ADA: Final = Actor(UserId("ada"))
USERS: Final = [Actor(UserId(f"u{number}")) for number in range(20)]
LIMITS: Final = Limits(posts_per_second=0, stream_bytes_per_second=0, comments_per_second=0)
WELL: Final = Content(kind=Kind.TEXT, text="Well")


@pytest.fixture
async def processes(
    database: Database, second_database: Database
) -> AsyncIterator[tuple[Services, Services]]:
    """Two server processes, and a channel of ada's in which everyone may comment."""
    await ensure_indexes(database, INDEXES)
    limits = LIMITS.model_copy(update={"comments_per_post": 60})
    one, other = create_services(database, limits), create_services(second_database, limits)
    new = NewChannel(channel_id=NEWS, name="News", comments=Commenting.EVERYONE)
    await one.channels.channels.create(ADA, new)
    yield one, other
    await one.stop()
    await other.stop()


async def a_place(services: Services) -> PostPlace:
    posted = await services.chat.messages.post(ADA, NEWS, WELL)
    return PostPlace(NEWS, posted.message.seq)


async def together(calls: Sequence[Awaitable[object]]) -> list[object]:
    """The outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return list(outcomes)


async def is_clean(services: Services) -> bool:
    """Whether `channels verify` finds nothing: dense numbers, exact counts, nothing orphaned."""
    outcomes = await verify(
        services.database, LIMITS, console=Console(file=io.StringIO()), repair=False
    )
    assert [outcome.first for outcome in outcomes if outcome.first or outcome.unfinished] == []
    return True


async def count_on(services: Services, place: PostPlace) -> int | None:
    message = (await services.chat.messages.get(ADA, NEWS, place.seq)).message
    return message.comments


async def test_many_commenters_at_once_are_numbered_counted_and_limited_exactly(
    processes: tuple[Services, Services],
) -> None:
    place = await a_place(processes[0])
    outcomes = await together(
        [processes[n % 2].comments.comments.post(USERS[n % 20], place, WELL) for n in range(80)]
    )
    written = [one for one in outcomes if isinstance(one, WrittenComment)]
    assert sorted(one.message.seq for one in written) == list(range(1, 61))
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    assert [type(one) for one in refused] == [CommentLimitReached] * 20
    deletions = [
        processes[seq % 2].comments.comments.recall(ADA, place, seq) for seq in range(1, 31)
    ]
    reactions = [
        processes[n % 2].comments.reactions.react(user, place, 40, Emoji("👍"))
        for n, user in enumerate(USERS)
    ]
    await together([*deletions, *deletions_again(processes, place), *reactions])
    assert await count_on(processes[0], place) == 30
    assert await is_clean(processes[0])
    # The counts that events tell are those of their commits.
    rows = await processes[0].database.collection("events").find({}).sort("_id", 1).to_list(None)
    found = [read_event(event) for row in rows for event in row["events"]]
    counts = [e.comment_count for e in found if isinstance(e, CommentPosted | CommentRecalled)]
    assert counts[-1] == 30
    recalls = [e.comment_count for e in found if isinstance(e, CommentRecalled)]
    assert recalls == list(range(59, 29, -1))


def deletions_again(
    processes: tuple[Services, Services], place: PostPlace
) -> list[Awaitable[object]]:
    """Each comment is deleted in both processes."""
    return [
        processes[1 - seq % 2].comments.comments.recall(ADA, place, seq) for seq in range(1, 31)
    ]


async def test_a_post_that_is_deleted_meanwhile_leaves_no_comment(
    processes: tuple[Services, Services],
) -> None:
    one, other = processes
    for attempt in range(4):
        place = await a_place(one)
        comments = [
            processes[n % 2].comments.comments.post(user, place, WELL)
            for n, user in enumerate(USERS)
        ]
        reactions = [
            processes[n % 2].comments.reactions.react(user, place, 1, Emoji("👍"))
            for n, user in enumerate(USERS[:6])
        ]

        async def delete(place: PostPlace = place, seconds: float = 0.02 * attempt) -> None:
            await asyncio.sleep(seconds)
            await other.chat.edits.recall(ADA, NEWS, place.seq)

        outcomes = await together([*comments, delete(), *reactions])
        refused = [one for one in outcomes[:20] if isinstance(one, DomainError)]
        assert {type(one) for one in refused} <= {MessageRecalled}
        assert await is_clean(one)
        # Two processes delete the remains at once.
        await together([each.comments.cleanup.clear_ended() for each in processes])
    database = one.database
    for name in ("comment_streams", "reactions", "tallies"):
        assert await database.collection(name).count_documents({}) == 0, name
    left = {"stream_id": {"$regex": "^comments_"}}
    assert await database.collection("messages").count_documents(left) == 0
    assert await database.collection("streams").count_documents({}) == 1
    assert await is_clean(one)


async def test_a_channel_that_is_deleted_meanwhile_leaves_nothing(
    processes: tuple[Services, Services],
) -> None:
    one, other = processes
    places = [await a_place(one) for _ in range(3)]
    await one.comments.comments.post(ADA, places[0], WELL)

    async def delete() -> None:
        await asyncio.sleep(0.02)
        await one.chat.disbanding.disband(ADA, NEWS)

    await together(
        [
            delete(),
            *(
                processes[n % 2].comments.comments.post(user, places[n % 3], WELL)
                for n, user in enumerate(USERS * 2)
            ),
        ]
    )
    await other.chat.cleanup.resume()
    await one.chat.cleanup.wait()
    await other.chat.cleanup.wait()
    assert await is_clean(one)
    for name in ("messages", "streams", "comment_streams", "reactions", "tallies"):
        assert await one.database.collection(name).count_documents({}) == 0, name


async def test_nobody_comments_after_the_freeze(processes: tuple[Services, Services]) -> None:
    one, other = processes
    place = await a_place(one)

    async def freeze() -> int:
        await asyncio.sleep(0.01)
        frozen = await other.chat.pins.freeze_comments(ADA, NEWS, place.seq, frozen=True)
        return frozen.message.comments or 0

    outcomes = await together(
        [freeze(), *(one.comments.comments.post(user, place, WELL) for user in USERS)]
    )
    written = [one for one in outcomes[1:] if isinstance(one, WrittenComment)]
    assert {type(o) for o in outcomes[1:]} <= {WrittenComment, CommentsFrozen}
    assert outcomes[0] == len(written) == (await count_on(one, place) or 0)
