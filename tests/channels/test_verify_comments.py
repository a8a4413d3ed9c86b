"""`channels verify` on comments: clean without damage, also during writes; damage is found and repaired."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final

import pytest

from channels.comments.models import PostPlace
from channels.models import NewChannel
from channels.server.app import INDEXES, Services, create_services
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, ensure_indexes
from groups.kernel.text.emoji import Emoji
from groups.models import Commenting, message_key, stream_of
from tests.channels.test_verify import LIMITS, delete, outcomes_of, said, told, update

NEWS: Final = GroupId("@TOA#_news:ü")
POST: Final = PostPlace(NEWS, 1)
ADA, BOB = (Actor(UserId(name)) for name in ("ada", "bøb"))

Damage = Callable[[Database], Awaitable[object]]


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Services]:
    """A channel with a post that has two comments, one of them deleted, and a deleted post with one."""
    await ensure_indexes(database, INDEXES)
    services = create_services(database, LIMITS.model_copy(update={"comments_per_second": 0}))
    new = NewChannel(channel_id=NEWS, name="News", comments=Commenting.EVERYONE)
    await services.channels.channels.create(ADA, new)
    for text in ("one", "two"):
        await services.chat.messages.post(ADA, NEWS, said(text))
    comments = services.comments
    for place in (POST, PostPlace(NEWS, 2)):
        await comments.comments.post(BOB, place, said("well"))
        await comments.reactions.react(ADA, place, 1, Emoji("👍"))
    await comments.comments.post(ADA, POST, said("yes"), quoted_seq=1)
    await comments.comments.edit(ADA, POST, 2, said("yes!"))
    await comments.comments.recall(BOB, POST, 1)
    await services.chat.edits.recall(ADA, NEWS, 2)
    yield services
    await services.stop()


async def test_healthy_comments_are_clean_also_while_remains_are_deleted(town: Services) -> None:
    outcomes = await outcomes_of(town.database)
    assert told(outcomes) == []
    checked = {(outcome.check.promise, outcome.check.unit): outcome.checked for outcome in outcomes}
    assert (checked["P9", "streams of comments"], checked["P4", "commented posts"]) == (2, 2)
    await town.comments.cleanup.clear_ended()
    assert told(await outcomes_of(town.database)) == []
    assert await town.database.collection("comment_streams").count_documents({}) == 1
    await town.chat.disbanding.disband(ADA, NEWS)
    await town.chat.cleanup.wait()
    assert told(await outcomes_of(town.database)) == []
    assert await town.database.collection("messages").count_documents({}) == 0


DAMAGES: Final[dict[str, tuple[Damage, str, bool]]] = {
    "wrong count": (
        update("messages", POST.message_id, {"$set": {"comments": 7}}),
        f"P4 comments on post 1 of {NEWS}: counts 7 comments, there are 1",
        True,
    ),
    "lost count": (
        update("messages", POST.message_id, {"$unset": {"comments": ""}}),
        "counts 0 comments, there are 1",
        True,
    ),
    "unlisted": (delete("comment_streams", POST.stream_id), "are not listed", True),
    "not ended": (
        update("comment_streams", PostPlace(NEWS, 2).stream_id, {"$set": {"is_ended": False}}),
        "go on, although there is no such post",
        True,
    ),
    "ended": (
        update("comment_streams", POST.stream_id, {"$set": {"is_ended": True}}),
        "have ended, and can still be written",
        False,
    ),
    "lost comment": (
        delete("messages", message_key(POST.stream_id, 1)),
        f"P2 stream {POST.stream_id}: seq 1 is missing",
        False,
    ),
    "lost stream": (delete("streams", POST.stream_id), "have no stream", False),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damaged_comments_are_found_and_repaired_where_possible(
    town: Services, name: str
) -> None:
    damage, expected, is_mendable = DAMAGES[name]
    await damage(town.database)
    found = told(await outcomes_of(town.database))
    assert any(expected in line for line in found), found
    await outcomes_of(town.database, repair=True)
    after = told(await outcomes_of(town.database))
    assert (after == []) == is_mendable, after
    assert any(expected in line for line in after) != is_mendable, after


async def test_concurrent_comments_cause_no_false_finding(town: Services) -> None:
    dice, is_done, comments = random.Random(2), asyncio.Event(), town.comments

    async def act(number: int) -> None:
        user = Actor(UserId(f"u{number}"))
        while not is_done.is_set():
            posted = await town.chat.messages.post(ADA, NEWS, said("more"))
            place = PostPlace(NEWS, posted.message.seq)
            for _ in range(3):
                written = await comments.comments.post(user, place, said("well"))
                await comments.comments.post(user, POST, said("again"))
                with suppress(DomainError):
                    await comments.comments.recall(user, place, written.message.seq)
            if dice.random() < 0.5:
                await town.chat.edits.recall(ADA, NEWS, place.seq)
            await comments.cleanup.clear_ended()

    acting = [asyncio.create_task(act(number)) for number in range(4)]
    for _ in range(6):
        assert told(await outcomes_of(town.database)) == []
    is_done.set()
    await asyncio.gather(*acting)
    assert told(await outcomes_of(town.database)) == []
    head = (await town.chat.streams.heads([POST.stream_id]))[POST.stream_id].head_seq
    assert head > 10, "the writers wrote little"
    assert (await town.chat.streams.heads([stream_of(NEWS)]))[stream_of(NEWS)].head_seq > 3
