"""The version of a stream: what moves it, and what it gives to the messages that change."""

import pytest

from groups.errors import PinLimitReached
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId
from groups.models import Head, Kind, Stream, stream_of
from tests.builders import ADA, BOB, CAT, World, text


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
    assert heads[stream_id] == Head(1, True, posted_ms, 1, posted_ms + 5_000)
    assert heads[stream_id] == (await _stream(world, group_id)).head
    heads = await world.chat.streams.streams.find_heads([stream_id])
    assert heads[stream_id] == Head(1, True)


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
