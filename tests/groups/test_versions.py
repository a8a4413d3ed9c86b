"""The version of a stream: what moves it, pages of what changed since one, and pages around a seq."""

from typing import Any

import pytest

from groups.errors import PinLimitReached
from groups.kernel.actor import Actor
from groups.kernel.errors import BadCursor, PermissionRefused
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.paging import PAGE_BYTES
from groups.models import GroupType, Head, Kind, Message, Stream, stream_of
from groups.service.messages.pages import WantedPage, cursor_after, cursor_before, cut_around
from groups.service.messages.service import MessagePage
from tests.builders import ADA, BOB, CAT, START, World, mock_world, text


async def _stream(world: World, group_id: GroupId) -> Stream:
    return (await world.groups.get(ADA, group_id))[1]


async def test_every_change_of_a_message_moves_the_version_by_one(world: World) -> None:
    group_id = await world.channel(BOB, admins=[CAT])
    for _ in range(2):
        await world.post(ADA, group_id)
    stream = await _stream(world, group_id)
    assert (stream.version, stream.changed_at) == (0, None)
    world.clock.move(seconds=5)
    changes = [
        (1, world.edits.edit(ADA, group_id, 1, text("better"))),
        (2, world.chat.pins.pin(CAT, group_id, 2)),
        (1, world.chat.pins.freeze_reactions(ADA, group_id, 1, frozen=True)),
        (1, world.chat.pins.freeze_reactions(ADA, group_id, 1, frozen=False)),
        (2, world.chat.pins.unpin(CAT, group_id, 2)),
        (2, world.chat.pins.pin(CAT, group_id, 2)),
        (2, world.edits.recall(CAT, group_id, 2)),
    ]
    for version, (seq, change) in enumerate(changes, 1):
        await change
        stream = await _stream(world, group_id)
        assert (stream.version, stream.changed_at) == (version, world.clock.now())
        assert (await world.messages.get(BOB, group_id, seq)).message.changed_version == version
    assert (await world.messages.get(BOB, group_id, 1)).message.changed_version == 4


async def test_posts_and_what_changes_nothing_leave_the_version(world: World) -> None:
    group_id = await world.channel(BOB, admins=[CAT])
    await world.post(ADA, group_id)
    await world.edits.edit(ADA, group_id, 1, text("better"))
    await world.edits.edit(ADA, group_id, 1, text("better"))
    await world.chat.pins.unpin(ADA, group_id, 1)
    await world.chat.pins.freeze_reactions(ADA, group_id, 1, frozen=False)
    await world.post(ADA, group_id)
    with pytest.raises(PermissionRefused):
        await world.edits.edit(BOB, group_id, 1, text("mine"))
    assert (await _stream(world, group_id)).version == 1
    assert (await world.messages.get(BOB, group_id, 2)).message.changed_version == 0


async def test_a_refused_change_leaves_the_version(world: World) -> None:
    group_id = await world.channel()
    limit = world.limits.pinned_messages
    for seq in range(1, limit + 2):
        await world.post(ADA, group_id)
        if seq <= limit:
            await world.chat.pins.pin(ADA, group_id, seq)
    with pytest.raises(PinLimitReached):
        await world.chat.pins.pin(ADA, group_id, limit + 1)
    assert (await _stream(world, group_id)).version == limit


async def test_lists_of_heads_tell_version_and_time_where_asked(world: World) -> None:
    group_id = await world.channel()
    await world.post(ADA, group_id)
    posted_ms = round(world.clock.now().timestamp() * 1000)
    world.clock.move(seconds=5)
    await world.edits.edit(ADA, group_id, 1, text("better"))
    stream_id = stream_of(group_id)
    heads = await world.chat.streams.streams.find_heads([stream_id], with_times=True)
    assert heads[stream_id] == Head(1, True, posted_ms, 1, posted_ms + 5_000, ADA.user_id, 1)
    assert heads[stream_id] == (await _stream(world, group_id)).head
    heads = await world.chat.streams.streams.find_heads([stream_id])
    assert heads[stream_id] == Head(1, True, author_id=ADA.user_id, author_seq=1)


async def test_the_last_message_tells_its_kind_until_it_is_recalled(world: World) -> None:
    group_id = await world.channel()
    for _ in range(2):
        await world.post(ADA, group_id)
    last = (await _stream(world, group_id)).last
    assert last is not None
    assert (last.kind, last.is_recalled) == (Kind.TEXT, False)
    await world.edits.recall(ADA, group_id, 1)
    assert (await _stream(world, group_id)).last == last
    await world.edits.recall(ADA, group_id, 2)
    last = (await _stream(world, group_id)).last
    assert last is not None
    assert (last.kind, last.preview, last.is_recalled) == (None, "", True)


async def test_a_last_message_of_an_older_version_has_no_kind(world: World) -> None:
    group_id = await world.channel()
    await world.post(ADA, group_id)
    streams = world.database.collection("streams")
    await streams.update_one({"_id": stream_of(group_id)}, {"$unset": {"last.kind": ""}})
    last = (await _stream(world, group_id)).last
    assert last is not None
    assert (last.kind, last.is_recalled) == (None, False)
    # An older process that recalls it clears the preview alone.
    changed = {"$set": {"last.preview": "", "last.kind": "text"}}
    await streams.update_one({"_id": stream_of(group_id)}, changed)
    last = (await _stream(world, group_id)).last
    assert last is not None
    assert (last.kind, last.is_recalled) == (None, True)


# --- pages ------------------------------------------------------------------------------------------------------------


async def _changed(
    world: World, group_id: GroupId, since: int, actor: Actor = BOB, **wanted: Any
) -> tuple[list[int], MessagePage]:
    wanted_page = WantedPage(**{"limit": 50, "changed_since": since} | wanted)
    page = await world.messages.read_page(actor, group_id, wanted_page)
    return [message.seq for message in page.messages], page


async def test_changes_are_listed_in_their_order_each_message_once_as_it_is_now() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.channel(BOB)
    for _ in range(4):
        await world.post(ADA, group_id)
    assert (await _changed(world, group_id, 0))[0] == []
    for seq in (4, 1, 3):
        await world.edits.edit(ADA, group_id, seq, text("better"))
    await world.chat.pins.pin(ADA, group_id, 4)
    await world.edits.recall(ADA, group_id, 3)
    seqs, page = await _changed(world, group_id, 0)
    assert seqs == [1, 4, 3]
    assert [message.changed_version for message in page.messages] == [2, 4, 5]
    edited, pinned, recalled = page.messages
    assert edited.content == text("better")
    assert pinned.pinned_at is not None
    assert (recalled.content, recalled.recalled_at) == (None, world.clock.now())
    assert (page.version, page.next_cursor) == (5, None)
    assert (await _changed(world, group_id, 4))[0] == [3]
    seqs, page = await _changed(world, group_id, 5)
    assert (seqs, page.version) == ([], 5)


async def test_changes_are_paged_and_those_meanwhile_come_last() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.channel(BOB)
    for seq in range(1, 6):
        await world.post(ADA, group_id)
        await world.edits.edit(ADA, group_id, seq, text("better"))
    seqs, page = await _changed(world, group_id, 0, limit=2)
    assert (seqs, page.version) == ([1, 2], 2)
    await world.edits.edit(ADA, group_id, 1, text("best"))
    await world.edits.edit(ADA, group_id, 3, text("best"))
    seqs, page = await _changed(world, group_id, 0, limit=2, cursor=page.next_cursor)
    assert (seqs, page.version) == ([4, 5], 5)
    # A cursor is enough, and the version does as well.
    cursor = page.next_cursor
    wanted = WantedPage(limit=2, cursor=cursor)
    page = await world.messages.read_page(BOB, group_id, wanted)
    assert [message.seq for message in page.messages] == [1, 3]
    assert (page.version, page.next_cursor) == (7, None)
    assert (await _changed(world, group_id, 5, limit=2))[0] == [1, 3]


async def test_cursors_of_changes_and_of_seqs_are_not_mixed() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.channel(BOB)
    for seq in (1, 2):
        await world.post(ADA, group_id)
        await world.edits.edit(ADA, group_id, seq, text("better"))
    of_changes = (await _changed(world, group_id, 0, limit=1))[1].next_cursor
    of_seqs = (await world.messages.list_messages(BOB, group_id, limit=1)).next_cursor
    assert of_changes is not None
    assert of_seqs is not None
    places: list[dict[str, Any]] = [
        {"before_seq": 2},
        {"after_seq": 0},
        {"around_seq": 1},
        {"around_unread": True},
    ]
    for place in places:
        for cursor, right in ((of_changes, False), (of_seqs, True)):
            wanted = WantedPage(limit=1, cursor=cursor, **place)
            if right:
                page = await world.messages.read_page(BOB, group_id, wanted)
                assert [message.seq for message in page.messages] == [1]
            else:
                with pytest.raises(BadCursor):
                    await world.messages.read_page(BOB, group_id, wanted)
    with pytest.raises(BadCursor):
        await _changed(world, group_id, 0, cursor=of_seqs)


async def test_changes_of_what_a_member_may_not_see_are_left_out_page_by_page() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.group(type=GroupType.WORK)
    for seq in range(1, 5):
        await world.post(ADA, group_id)
        await world.edits.edit(ADA, group_id, seq, text("better"))
    await world.membership.add(ADA, group_id, BOB.user_id)
    await world.post(ADA, group_id)
    await world.edits.edit(ADA, group_id, 5, text("better"))
    assert (await _changed(world, group_id, 0, ADA))[0] == [1, 2, 3, 4, 5]
    assert (await _changed(world, group_id, 0))[0] == [5]
    seqs, page = await _changed(world, group_id, 0, limit=3)
    assert (seqs, page.version) == ([], 3)
    seqs, page = await _changed(world, group_id, 0, limit=3, cursor=page.next_cursor)
    assert (seqs, page.version, page.next_cursor) == ([5], 5, None)


@pytest.mark.parametrize(
    ("seq", "limit", "shown", "is_older", "is_newer"),
    [
        (5, 4, [7, 6, 5, 4], True, True),
        (5, 5, [7, 6, 5, 4, 3], True, True),
        (5, 1, [5], True, True),
        (5, 2, [6, 5], True, True),
        (1, 4, [3, 2, 1], False, True),
        (2, 4, [4, 3, 2, 1], False, True),
        (9, 4, [9, 8, 7, 6], True, False),
        (8, 4, [9, 8, 7, 6], True, False),
        (7, 4, [9, 8, 7, 6], True, False),
        (6, 4, [8, 7, 6, 5], True, True),
        (2**53 - 1, 4, [9, 8, 7, 6], True, False),
        (5, 100, [9, 8, 7, 6, 5, 4, 3, 2, 1], False, False),
    ],
)
async def test_a_page_around_a_seq_has_both_sides_and_goes_on_in_both(
    seq: int, limit: int, shown: list[int], is_older: bool, is_newer: bool
) -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.group(BOB)
    for _ in range(9):
        await world.post(ADA, group_id)

    async def read(**wanted: Any) -> MessagePage:
        return await world.messages.read_page(BOB, group_id, WantedPage(limit=limit, **wanted))

    page = await read(around_seq=seq)
    assert [message.seq for message in page.messages] == shown
    assert (page.next_cursor is not None, page.newer_cursor is not None) == (is_older, is_newer)
    seqs = list(shown)
    cursor = page.next_cursor
    while cursor is not None:
        older = await read(cursor=cursor)
        seqs += [message.seq for message in older.messages]
        cursor = older.next_cursor
    cursor = page.newer_cursor
    while cursor is not None:
        newer = await read(cursor=cursor)
        seqs = [message.seq for message in newer.messages] + seqs
        cursor = newer.next_cursor
    assert seqs == list(range(9, 0, -1))


async def test_a_page_around_what_a_member_may_not_see_begins_where_they_may() -> None:
    world = mock_world(posts_per_second=0)
    group_id = await world.group(type=GroupType.WORK)
    for _ in range(6):
        await world.post(ADA, group_id)
    await world.membership.add(ADA, group_id, BOB.user_id)
    page = await world.messages.read_page(BOB, group_id, WantedPage(limit=4, around_seq=1))
    assert (page.messages, page.next_cursor, page.newer_cursor) == ([], None, None)
    for _ in range(5):
        await world.post(ADA, group_id)
    page = await world.messages.read_page(BOB, group_id, WantedPage(limit=4, around_seq=1))
    assert [message.seq for message in page.messages] == [9, 8, 7]
    assert (page.next_cursor, page.newer_cursor is not None) == (None, True)


def test_a_page_around_a_seq_has_that_message_however_large_the_others_are() -> None:
    large = [
        Message(
            stream_id=StreamId("s"),
            seq=seq,
            sender_id=ADA.user_id,
            content=text("x" * (PAGE_BYTES // 5)),
            created_at=START,
        )
        for seq in range(9, 0, -1)
    ]
    page = cut_around(large, seq=4, floor=0, limit=8)
    assert [message.seq for message in page.messages] == [6, 5, 4, 3]
    assert (page.next_cursor, page.newer_cursor) == (cursor_before(3), cursor_after(6))
    huge = [message.model_copy(update={"content": text("x" * 2 * PAGE_BYTES)}) for message in large]
    page = cut_around(huge, seq=4, floor=0, limit=8)
    assert [message.seq for message in page.messages] == [4]
    assert (page.next_cursor, page.newer_cursor) == (cursor_before(4), cursor_after(4))
