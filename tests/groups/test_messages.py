"""The life of a message: posted once, dense, within size and rate; read both ways; edited; recalled."""

import asyncio
import math
from collections.abc import Awaitable
from typing import Any

import pytest

from groups.errors import (
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    PostingNotAllowed,
    RecallTooLate,
)
from groups.events import MessageEdited, MessagePosted
from groups.events import MessageRecalled as MessageRecalledEvent
from groups.kernel.errors import (
    BadCursor,
    DomainError,
    FieldTooLong,
    IdempotencyConflict,
    InvalidRequest,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import GroupId
from groups.kernel.paging import encode_cursor
from groups.models import Content, Kind, Link, Posting
from groups.service.lifecycle.update import GroupChanges
from groups.service.messages.stream_rates import BURST_SECONDS
from tests.builders import ADA, BOB, CAT, ROOT, World, mock_world, text

# --- post -------------------------------------------------------------------------------------------------------------


async def test_messages_are_numbered_from_one_without_a_hole(world: World) -> None:
    group_id = await world.group(BOB)
    assert [await world.post(user, group_id) for user in (ADA, BOB, ADA)] == [1, 2, 3]
    assert await world.seqs(ADA, group_id) == [1, 2, 3]
    _, stream = await world.groups.get(ADA, group_id)
    assert stream.head_seq == 3
    assert stream.last is not None
    assert (stream.last.seq, stream.last.sender_id, stream.last.preview) == (3, "ada", "hello")


async def test_a_refused_post_uses_no_seq(world: World) -> None:
    group_id = await world.group(BOB)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    outcomes = await asyncio.gather(
        *(world.messages.post(user, group_id, text()) for user in (ADA, BOB, CAT, ADA)),
        return_exceptions=True,
    )
    codes = [o.code if isinstance(o, DomainError) else None for o in outcomes]
    assert codes == [None, "muted", "posting_not_allowed", None]
    assert await world.seqs(ADA, group_id) == [1, 2]


async def test_a_post_is_published_once_with_the_message(world: World) -> None:
    group_id = await world.group(BOB)
    posted = await world.messages.post(BOB, group_id, text("hi"))
    (event,) = world.take(MessagePosted)
    assert event.message == posted.message
    assert (event.group_id, event.message.sender_id, event.message.content) == (
        group_id,
        "bob",
        text("hi"),
    )


async def test_a_member_may_not_post_where_only_staff_posts(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    assert await world.post(BOB, group_id) == 1
    await world.updates.update(ADA, group_id, GroupChanges(posting=Posting.OWNER_AND_ADMINS))
    with pytest.raises(PostingNotAllowed):
        await world.post(BOB, group_id)
    assert [await world.post(user, group_id) for user in (CAT, ADA, ROOT)] == [2, 3, 4]


async def test_a_body_holds_at_most_twelve_kibibytes(world: World) -> None:
    group_id = await world.group()
    limit = 12 * 1024
    assert world.limits.message_body_bytes == limit
    full = Content(
        kind=Kind.TEXT,
        title="茶" * 100,
        text="x" * (limit - 300 - 10 - 5 - 4),
        links=(Link(title="y" * 10, url="z" * 5),),
        custom_json="null",
    )
    assert full.size_bytes == limit
    await world.messages.post(ADA, group_id, full)
    for too_big, field in (
        (full.model_copy(update={"title": full.title + "x"}), "body"),
        (text("x" * (limit + 1)), "text"),
        (text("茶" * (limit // 3) + "x"), "text"),
    ):
        for refused in (
            world.messages.post(ADA, group_id, too_big),
            world.edits.edit(ADA, group_id, 1, too_big),
        ):
            with pytest.raises(FieldTooLong) as caught:
                await refused
            assert caught.value.details == {"field": field, "limit_bytes": limit}
    assert await world.seqs(ADA, group_id) == [1]


async def test_a_message_holds_at_most_twenty_links(world: World) -> None:
    group_id = await world.group()

    def linked(number: int) -> Content:
        return Content(kind=Kind.TEXT, text="see", links=(Link(title="t", url="u"),) * number)

    assert world.limits.links_per_message == 20
    await world.messages.post(ADA, group_id, linked(20))
    for refused in (
        world.messages.post(ADA, group_id, linked(21)),
        world.edits.edit(ADA, group_id, 1, linked(21)),
    ):
        with pytest.raises(InvalidRequest, match="20 links"):
            await refused


# --- once -------------------------------------------------------------------------------------------------------------


async def test_the_same_key_returns_the_first_message(world: World) -> None:
    group_id = await world.group()
    first = await world.messages.post(ADA, group_id, text("hi"), key="k")
    world.clock.move(seconds=5)
    again = await world.messages.post(ADA, group_id, text("hi"), key="k")
    assert again.message == first.message
    assert len(world.take(MessagePosted)) == 1
    assert await world.seqs(ADA, group_id) == [1]


async def test_the_same_key_with_another_body_is_a_conflict(world: World) -> None:
    group_id = await world.group()
    await world.messages.post(ADA, group_id, text("hi"), key="k")
    with pytest.raises(IdempotencyConflict):
        await world.messages.post(ADA, group_id, text("ho"), key="k")
    assert await world.post(ADA, group_id) == 2


async def test_a_key_counts_for_one_user_in_one_group(world: World) -> None:
    one, other = await world.group(BOB), await world.group()
    posts = [
        await world.messages.post(user, group_id, text(words), key="k")
        for user, group_id, words in ((ADA, one, "a"), (BOB, one, "b"), (ADA, other, "c"))
    ]
    assert [posted.message.seq for posted in posts] == [1, 2, 1]


async def test_the_same_key_twice_in_one_batch_is_one_message(world: World) -> None:
    group_id = await world.group()
    outcomes = await asyncio.gather(
        *(world.messages.post(ADA, group_id, text(w), key="k") for w in ("hi", "hi", "ho")),
        return_exceptions=True,
    )
    first, again, other = outcomes
    assert not isinstance(first, BaseException)
    assert first == again
    assert isinstance(other, IdempotencyConflict)
    assert await world.seqs(ADA, group_id) == [1]


async def test_without_a_key_the_same_words_are_two_messages(world: World) -> None:
    group_id = await world.group()
    assert [await world.post(ADA, group_id, "hi"), await world.post(ADA, group_id, "hi")] == [1, 2]


async def test_a_repeat_succeeds_after_the_author_lost_the_right_to_post(world: World) -> None:
    group_id = await world.group(BOB)
    first = await world.messages.post(BOB, group_id, text(), key="k")
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    again = await world.messages.post(BOB, group_id, text(), key="k")
    assert again.message == first.message
    with pytest.raises(Muted):
        await world.messages.post(BOB, group_id, text(), key="k2")


# --- rate -------------------------------------------------------------------------------------------------------------


async def _burst(world: World, group_id: GroupId, number: int) -> tuple[int, list[RateLimited]]:
    """How many of so many posts were taken, and the refusals."""
    outcomes = await asyncio.gather(
        *(world.messages.post(ADA, group_id, text()) for _ in range(number)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
    return number - len(refused), refused


async def test_a_group_accepts_at_most_forty_messages_a_second(world: World) -> None:
    group_id = await world.group()
    taken, refused = await _burst(world, group_id, 41)
    assert (taken, len(refused)) == (40, 1)
    assert refused[0].retry_after_seconds == pytest.approx(1 / 40)
    assert await world.post(ADA, await world.group()) == 1  # another group has a rate of its own


@pytest.mark.parametrize(
    ("milliseconds", "wanted"), [(0, 0), (24, 0), (25, 1), (500, 20), (1_000, 40), (60_000, 40)]
)
async def test_the_rate_refills_with_time_and_never_beyond_a_second(
    world: World, milliseconds: int, wanted: int
) -> None:
    group_id = await world.group()
    assert (await _burst(world, group_id, 50))[0] == 40
    world.clock.move(milliseconds=milliseconds)
    assert (await _burst(world, group_id, 50))[0] == wanted


async def test_a_refused_post_is_accepted_after_the_time_it_names(world: World) -> None:
    group_id = await world.group()
    _, refused = await _burst(world, group_id, 41)
    world.clock.move(seconds=refused[0].retry_after_seconds)
    assert await world.post(ADA, group_id) == 41


async def test_a_repeat_does_not_count_against_the_rate() -> None:
    world = mock_world(posts_per_second=1)
    group_id = await world.group()
    for _ in range(3):
        await world.messages.post(ADA, group_id, text(), key="k")
    with pytest.raises(RateLimited):
        await world.post(ADA, group_id)


async def test_a_rate_of_zero_is_no_limit() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.group()
    assert (await _burst(world, group_id, 100))[0] == 100


async def _refused(call: Awaitable[object]) -> RateLimited | None:
    try:
        await call
    except RateLimited as refused:
        return refused
    return None


async def test_edits_and_deletions_have_rates_of_their_own() -> None:
    world = mock_world(posts_per_second=4)
    group_id = await world.group()
    changes = world.chat.edits
    for number in range(6):
        world.clock.move(seconds=1)
        await world.post(ADA, group_id, f"m{number}")
    edits = [await _refused(changes.edit(ADA, group_id, 1, text(f"e{n}"))) for n in range(5)]
    assert [refused is None for refused in edits] == [True] * 4 + [False]
    # What changes nothing costs nothing, and is refused to nobody.
    assert await _refused(changes.edit(ADA, group_id, 1, text("e3"))) is None
    # A pin tells the message anew, like an edit.
    assert await _refused(world.chat.pins.pin(ADA, group_id, 2))
    frozen = world.chat.pins.freeze_reactions(ADA, group_id, 2, frozen=True)
    assert await _refused(frozen)
    recalls = [await _refused(changes.recall(ADA, group_id, seq)) for seq in range(1, 6)]
    assert [refused is None for refused in recalls] == [True] * 4 + [False]
    assert await _refused(changes.recall(ADA, group_id, 1)) is None
    assert await world.post(ADA, group_id) == 7
    assert recalls[4] is not None
    world.clock.move(seconds=recalls[4].retry_after_seconds)
    assert await _refused(changes.recall(ADA, group_id, 5)) is None
    assert await _refused(world.chat.pins.pin(ADA, group_id, 6)) is None


BYTES = 1024


@pytest.mark.parametrize("letter", ["x", "é", "\x01"])  # one byte of JSON, two, six
@pytest.mark.parametrize("is_edit", [False, True], ids=["posts", "edits"])
async def test_a_stream_has_a_limit_of_bytes_a_second(letter: str, is_edit: bool) -> None:
    world = mock_world(posts_per_second=0, stream_bytes_per_second=BYTES)
    group_id = await world.group()
    for name in ("first", "next"):
        await world.post(ADA, group_id, name)
    world.clock.move(seconds=60)
    contents = [text(f"{number:04}" + letter * 500) for number in range(100)]
    size, left, taken = len(contents[0].model_dump_json().encode()), float(BYTES * BURST_SECONDS), 0
    for content in contents:
        refused = await _refused(
            world.chat.edits.edit(ADA, group_id, 1, content)
            if is_edit
            else world.messages.post(ADA, group_id, content)
        )
        assert (refused is None) == (left >= 1), taken
        if refused is not None:
            assert refused.retry_after_seconds == pytest.approx((1 - left) / BYTES)
            break
        left, taken = left - size, taken + 1
    assert taken == math.ceil(BYTES * BURST_SECONDS / size)
    world.clock.move(seconds=60)
    assert await world.post(ADA, group_id)


async def test_short_posts_go_on_and_the_largest_for_two_seconds() -> None:
    world = mock_world()
    group_id = await world.group()
    for letters, seconds in ((1_000, 20), (12_000, 2)):
        world.clock.move(seconds=60)
        for _ in range(seconds):
            world.clock.move(seconds=1)
            calls = [world.messages.post(ADA, group_id, text("x" * letters)) for _ in range(40)]
            await asyncio.gather(*calls)
    taken = 0
    for _ in range(10):
        world.clock.move(seconds=1)
        calls = [world.messages.post(ADA, group_id, text("x" * 12_000)) for _ in range(40)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        taken += sum(not isinstance(outcome, RateLimited) for outcome in outcomes)
    most = world.limits.stream_bytes_per_second * 12 / 12_000
    assert taken < most


# --- read -------------------------------------------------------------------------------------------------------------


async def _talk(world: World, number: int) -> GroupId:
    group_id = await world.group(BOB)
    for n in range(1, number + 1):
        await world.post(ADA, group_id, f"m{n}")
    return group_id


async def _page(world: World, group_id: GroupId, **wanted: Any) -> tuple[list[int], str | None]:
    history = await world.messages.list_messages(BOB, group_id, **wanted)
    return [message.seq for message in history.messages], history.next_cursor


async def test_history_goes_back_in_time_page_by_page() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await _talk(world, 7)
    found, cursor = await _page(world, group_id, limit=3)
    assert found == [7, 6, 5]
    found, cursor = await _page(world, group_id, limit=3, cursor=cursor)
    assert found == [4, 3, 2]
    # What is posted meanwhile does not shift the pages.
    await world.post(ADA, group_id)
    found, cursor = await _page(world, group_id, limit=3, cursor=cursor)
    assert (found, cursor) == ([1], None)


async def test_a_gap_is_read_forward_in_pages_each_newest_first(world: World) -> None:
    group_id = await _talk(world, 7)
    found, cursor = await _page(world, group_id, limit=3, after_seq=2)
    assert found == [5, 4, 3]
    found, cursor = await _page(world, group_id, limit=3, cursor=cursor)
    assert (found, cursor) == ([7, 6], None)
    assert await _page(world, group_id, limit=3, after_seq=7) == ([], None)
    assert await _page(world, group_id, limit=3, after_seq=99) == ([], None)


async def test_history_before_a_seq_and_between_two(world: World) -> None:
    group_id = await _talk(world, 7)
    assert (await _page(world, group_id, limit=2, before_seq=5))[0] == [4, 3]
    assert await _page(world, group_id, limit=9, before_seq=1) == ([], None)
    assert await _page(world, group_id, limit=9, after_seq=2, before_seq=5) == ([4, 3], None)


async def test_a_full_last_page_has_no_next(world: World) -> None:
    group_id = await _talk(world, 4)
    assert (await _page(world, group_id, limit=4))[1] is None
    assert (await _page(world, group_id, limit=4, after_seq=0))[1] is None


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    group_id = await _talk(world, 3)
    for cursor in ("x", encode_cursor("members", "before", 3), encode_cursor("messages", 3)):
        with pytest.raises(BadCursor):
            await _page(world, group_id, limit=1, cursor=cursor)


async def test_one_message_is_read_by_its_seq(world: World) -> None:
    group_id = await _talk(world, 2)
    assert (await world.messages.get(BOB, group_id, 2)).message.content == text("m2")
    for seq in (0, 3, -1):
        with pytest.raises(MessageNotFound):
            await world.messages.get(BOB, group_id, seq)
    with pytest.raises(GroupNotFound):
        await world.messages.get(BOB, GroupId("none"), 1)


# --- edit -------------------------------------------------------------------------------------------------------------


async def test_an_edit_replaces_the_words_and_keeps_seq_and_time(world: World) -> None:
    group_id = await world.group(BOB)
    posted = (await world.messages.post(BOB, group_id, text("hi"))).message
    world.clock.move(seconds=5)
    world.heard.clear()
    edited = (await world.edits.edit(BOB, group_id, 1, text("ho"))).message
    assert edited == posted.model_copy(
        update={"content": text("ho"), "edited_at": world.clock.now(), "changed_version": 1}
    )
    assert [event.message for event in world.take(MessageEdited)] == [edited]
    assert (await world.messages.get(ADA, group_id, 1)).message == edited
    _, stream = await world.groups.get(ADA, group_id)
    assert stream.last is not None
    assert stream.last.preview == "ho"


async def test_an_edit_to_the_same_words_changes_and_publishes_nothing(world: World) -> None:
    group_id = await world.group(BOB)
    posted = (await world.messages.post(BOB, group_id, text("hi"))).message
    world.heard.clear()
    assert (await world.edits.edit(BOB, group_id, 1, text("hi"))).message == posted
    assert world.heard == []


async def test_editing_an_older_message_leaves_the_preview_in_lists(world: World) -> None:
    group_id = await _talk(world, 2)
    await world.edits.edit(ADA, group_id, 1, text("older"))
    _, stream = await world.groups.get(ADA, group_id)
    assert stream.last is not None
    assert stream.last.preview == "m2"


async def test_only_the_sender_edits_and_only_while_they_may_post(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    await world.post(BOB, group_id)
    for actor in (ADA, CAT):
        with pytest.raises(PermissionRefused):
            await world.edits.edit(actor, group_id, 1, text("x"))
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    with pytest.raises(Muted):
        await world.edits.edit(BOB, group_id, 1, text("x"))
    await world.edits.edit(ROOT, group_id, 1, text("by the application"))
    with pytest.raises(MessageNotFound):
        await world.edits.edit(ROOT, group_id, 2, text("x"))


async def test_in_a_channel_all_staff_edit(world: World) -> None:
    group_id = await world.channel(BOB, admins=[CAT])
    await world.post(ADA, group_id)
    edited = await world.edits.edit(CAT, group_id, 1, text("corrected"))
    assert edited.message.sender_id == "ada"


# --- recall -----------------------------------------------------------------------------------------------------------


async def test_a_deleted_message_keeps_id_seq_and_times_only(world: World) -> None:
    group_id = await world.group(BOB)
    posted = (await world.messages.post(BOB, group_id, text("hi"))).message
    world.clock.move(seconds=5)
    world.heard.clear()
    await world.edits.recall(BOB, group_id, 1)
    gone = {"content": None, "recalled_at": world.clock.now(), "changed_version": 1}
    tombstone = posted.model_copy(update=gone)
    assert (await world.messages.get(ADA, group_id, 1)).message == tombstone
    assert [event.message for event in world.take(MessageRecalledEvent)] == [tombstone]
    _, stream = await world.groups.get(ADA, group_id)
    assert stream.last is not None
    assert (stream.head_seq, stream.last.preview) == (1, "")
    # Nothing of the words is left in what is stored.
    assert [row["content"] for row in await world.rows("messages")] == [None]
    assert await world.post(BOB, group_id) == 2


async def test_deleting_twice_changes_and_publishes_nothing(world: World) -> None:
    group_id = await world.group(BOB)
    await world.post(BOB, group_id)
    await world.edits.recall(BOB, group_id, 1)
    first = (await world.messages.get(ADA, group_id, 1)).message
    world.heard.clear()
    world.clock.move(seconds=5)
    await world.edits.recall(BOB, group_id, 1)
    assert world.heard == []
    assert (await world.messages.get(ADA, group_id, 1)).message == first


async def test_a_deleted_message_cannot_be_edited(world: World) -> None:
    group_id = await world.group(BOB)
    await world.post(BOB, group_id)
    await world.edits.edit(BOB, group_id, 1, text("ho"))
    await world.edits.recall(BOB, group_id, 1)
    with pytest.raises(MessageRecalled):
        await world.edits.edit(BOB, group_id, 1, text("again"))


async def test_senders_delete_for_two_minutes_and_staff_at_any_time(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    for _ in range(4):
        await world.post(BOB, group_id)
    world.clock.move(seconds=120)
    await world.edits.recall(BOB, group_id, 1)
    world.clock.move(milliseconds=1)
    with pytest.raises(RecallTooLate):
        await world.edits.recall(BOB, group_id, 2)
    world.clock.move(days=365)
    for seq, actor in ((2, CAT), (3, ADA), (4, ROOT)):
        await world.edits.recall(actor, group_id, seq)
    history = await world.messages.list_messages(BOB, group_id, limit=9)
    assert [message.content for message in history.messages] == [None] * 4


async def test_members_cannot_delete_messages_of_others(world: World) -> None:
    group_id = await world.group(BOB, CAT)
    await world.post(BOB, group_id)
    with pytest.raises(PermissionRefused):
        await world.edits.recall(CAT, group_id, 1)
    with pytest.raises(MessageNotFound):
        await world.edits.recall(BOB, group_id, 2)


async def test_repeating_the_key_of_a_deleted_message_restores_nothing(world: World) -> None:
    group_id = await world.group()
    await world.messages.post(ADA, group_id, text(), key="k")
    await world.edits.recall(ADA, group_id, 1)
    again = await world.messages.post(ADA, group_id, text(), key="k")
    assert (again.message.seq, again.message.content) == (1, None)
    assert await world.seqs(ADA, group_id) == [1]
