"""Streams under races: dense seqs, each post once, events that match. Two processes on one real database."""

import asyncio
from collections.abc import Awaitable, Sequence

from groups.errors import Banned, GroupIdTaken, GroupNotFound, PostingNotAllowed, RecallTooLate
from groups.events import MessageEdited, MessagePosted, MessageRecalled
from groups.kernel.errors import (
    DomainError,
    IdempotencyConflict,
    PermissionRefused,
    RateLimited,
)
from groups.kernel.ids import GroupId
from groups.models import GroupType, Message
from groups.service.lifecycle.create import NewGroup
from groups.service.messages.pages import WantedPage
from groups.service.messages.service import MessagePage, VisibleMessage
from tests.builders import ADA, BOB, CAT, DAN, ROOT, OpenWorld, World, a_user, text


async def _together(calls: Sequence[Awaitable[object]]) -> list[object]:
    """The outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return list(outcomes)


async def _stored(world: World, group_id: GroupId) -> list[int]:
    rows = await world.rows("messages", stream_id=f"group_{group_id}")
    return sorted(row["seq"] for row in rows)


async def test_two_hundred_racing_posts_leave_no_gap(open_world: OpenWorld) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    group_id = await worlds[0].group(admins=[BOB, CAT])
    admins = (ADA, BOB, CAT)
    outcomes = await _together(
        [worlds[n % 2].messages.post(admins[n % 3], group_id, text(f"m{n}")) for n in range(200)]
    )
    dense = list(range(1, 201))
    assert sorted(o.message.seq for o in outcomes if isinstance(o, VisibleMessage)) == dense
    assert await _stored(worlds[0], group_id) == dense
    _, stream = await worlds[0].groups.get(ADA, group_id)
    assert stream.last is not None
    assert (stream.head_seq, stream.last.seq) == (200, 200)
    # The events are in the order of the seqs, and have the messages that the authors got.
    published = [e.message for e in await worlds[0].outbox() if isinstance(e, MessagePosted)]
    assert [message.seq for message in published] == dense
    returned = {o.message.seq: o.message for o in outcomes if isinstance(o, VisibleMessage)}
    assert {message.seq: message for message in published} == returned
    assert {m.content.text for m in published if m.content} == {f"m{n}" for n in range(200)}


async def test_racing_posts_with_one_key_make_one_message(open_world: OpenWorld) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    group_id = await worlds[0].group()
    outcomes = await _together(
        [worlds[n % 2].messages.post(ADA, group_id, text("hi"), key="k") for n in range(40)]
    )
    assert {o.message for o in outcomes if isinstance(o, VisibleMessage)} == {
        (await worlds[0].messages.get(ADA, group_id, 1)).message
    }
    assert await _stored(worlds[0], group_id) == [1]
    assert sum(isinstance(e, MessagePosted) for e in await worlds[0].outbox()) == 1


async def test_racing_posts_of_two_bodies_with_one_key_make_one_message(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    group_id = await worlds[0].group()
    outcomes = await _together(
        [worlds[n % 2].messages.post(ADA, group_id, text(f"m{n % 2}"), key="k") for n in range(20)]
    )
    assert sum(isinstance(o, VisibleMessage) for o in outcomes) == 10
    assert sum(isinstance(o, IdempotencyConflict) for o in outcomes) == 10
    assert await _stored(worlds[0], group_id) == [1]


async def test_the_rate_holds_over_all_processes(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    outcomes = await _together(
        [worlds[n % 2].messages.post(ADA, group_id, text()) for n in range(60)]
    )
    assert sum(isinstance(o, VisibleMessage) for o in outcomes) == 40
    assert sum(isinstance(o, RateLimited) for o in outcomes) == 20
    assert await _stored(worlds[0], group_id) == list(range(1, 41))


async def test_an_edit_racing_a_recall_leaves_no_content(open_world: OpenWorld) -> None:
    one, other = await open_world(), await open_world()
    group_id = await one.group(BOB)
    for seq in range(1, 11):
        await one.post(BOB, group_id)
        outcomes = await _together(
            [
                one.edits.edit(BOB, group_id, seq, text("ho")),
                other.edits.recall(ADA, group_id, seq),
            ]
        )
        assert not isinstance(outcomes[1], RecallTooLate)
        message = (await one.messages.get(ADA, group_id, seq)).message
        assert message.content is None
        assert message.recalled_at is not None
        # The last event is the recall.
        of_this = [
            e
            for e in await one.outbox()
            if isinstance(e, MessageEdited | MessageRecalled) and e.message.seq == seq
        ]
        assert isinstance(of_this[-1], MessageRecalled)


async def test_disbanding_while_others_join_and_post_leaves_nothing_behind(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    new = NewGroup(type=GroupType.PUBLIC, name="Tea", group_id=GroupId("tea"))
    for _ in range(3):
        await worlds[0].creation.create(ADA, new)
        await worlds[0].membership.add(ADA, GroupId("tea"), BOB.user_id)
        one, other = (w for w in worlds)
        calls: list[Awaitable[object]] = [other.disbanding.disband(ADA, GroupId("tea"))]
        for number in range(15):
            user = a_user(f"u{number}")
            calls += [
                one.membership.join(user, GroupId("tea")),
                one.messages.post(BOB, GroupId("tea"), text()),
                one.membership.add(ADA, GroupId("tea"), user.user_id),
                other.messages.post(ADA, GroupId("tea"), text()),
                other.membership.remove(ADA, GroupId("tea"), DAN.user_id, ban=True),
                one.membership.change(ADA, GroupId("tea"), BOB.user_id, mute_seconds=number),
            ]
        # Disband in the middle: later calls are refused, and the changes of earlier ones are cleaned up.
        calls[0], calls[40] = calls[40], calls[0]
        outcomes = await _together(calls)
        assert outcomes[40] is None
        await asyncio.gather(*(world.chat.cleanup.wait() for world in worlds))
        for name in ("groups", "streams", "members", "messages", "restrictions", "join_requests"):
            assert (name, await one.rows(name)) == (name, [])
        assert await one.rows("disbanded") == []


async def test_disbanding_at_once_in_two_processes_happens_once(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group(BOB)
    outcomes = await _together(
        [w.disbanding.disband(actor, group_id) for w in worlds for actor in (ADA, ROOT)]
    )
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, GroupNotFound) for outcome in outcomes) == 3
    await asyncio.gather(*(world.chat.cleanup.wait() for world in worlds))
    assert await worlds[0].rows("members") == []


async def test_an_id_is_free_again_only_when_the_cleanup_is_done(open_world: OpenWorld) -> None:
    one, other = await open_world(), await open_world()
    new = NewGroup(type=GroupType.MEETING, name="Tea", group_id=GroupId("tea"))
    await one.creation.create(ADA, new)
    for number in range(30):
        await one.membership.join(a_user(f"u{number}"), GroupId("tea"))
    await one.post(ADA, GroupId("tea"))
    await one.disbanding.disband(ADA, GroupId("tea"))
    while True:
        try:
            await other.creation.create(BOB, new)
            break
        except GroupIdTaken:
            await asyncio.sleep(0)
    assert list(await one.members(GroupId("tea"))) == ["bob"]
    assert await one.post(BOB, GroupId("tea")) == 1
    await one.chat.cleanup.wait()
    assert await one.seqs(BOB, GroupId("tea")) == [1]
    await one.check_sound(GroupId("tea"))


async def test_readers_who_share_a_query_get_their_committed_rights(
    open_world: OpenWorld,
) -> None:
    world, other = await open_world(), await open_world()
    group_id = await world.group(BOB, CAT, DAN)
    await world.messages.post(ADA, group_id, text("hello"))

    async def read() -> dict[str, object]:
        readers = {"ada": ADA, "bob": BOB, "cat": CAT, "dan": DAN}
        calls = [world.messages.list_messages(user, group_id, limit=9) for user in readers.values()]
        return dict(zip(readers, await _together(calls), strict=True))

    first = await read()
    assert [isinstance(page, MessagePage) for page in first.values()] == [True] * 4
    # In another process, so that only the database knows.
    await other.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    await other.membership.leave(CAT, group_id)
    await other.edits.edit(ADA, group_id, 1, text("better"))
    second = await read()
    shown = {
        name: page.messages[0].content if isinstance(page, MessagePage) else type(page)
        for name, page in second.items()
    }
    assert shown == {
        "ada": text("better"),
        "bob": Banned,
        "cat": PermissionRefused,
        "dan": text("better"),
    }


async def test_a_reader_who_follows_the_changes_ends_with_exactly_the_truth(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    group_id = await worlds[0].channel(DAN, admins=[BOB, CAT])
    for _ in range(6):
        await worlds[0].post(ADA, group_id)

    def changes_of(seq: int, world: World) -> list[Awaitable[object]]:
        pins, edits = world.chat.pins, world.edits
        return [
            edits.edit(BOB, group_id, seq, text(f"{seq} by Bob {world is worlds[0]}")),
            edits.edit(CAT, group_id, seq, text(f"{seq} by Cat {world is worlds[0]}")),
            pins.pin(BOB, group_id, seq),
            pins.unpin(CAT, group_id, seq),
            pins.freeze_reactions(ADA, group_id, seq, frozen=True),
            pins.freeze_reactions(BOB, group_id, seq, frozen=False),
            *([edits.recall(CAT, group_id, seq)] if seq % 3 == 0 else []),
        ]

    are_done = asyncio.Event()
    known: dict[int, Message] = {}

    async def follow() -> int:
        version = 0
        while True:
            is_last = are_done.is_set()
            page = await worlds[1].messages.read_page(
                DAN, group_id, WantedPage(limit=2, changed_since=version)
            )
            for message in page.messages:
                assert message.changed_version > version
                version = message.changed_version
                known[message.seq] = message
            assert page.version == version
            if is_last and page.next_cursor is None:
                return version

    async def change() -> None:
        calls = [
            change for seq in range(1, 7) for world in worlds for change in changes_of(seq, world)
        ]
        await _together(calls)
        are_done.set()

    version, _ = await asyncio.gather(follow(), change())
    page = await worlds[0].messages.list_messages(DAN, group_id, limit=100)
    assert known == {message.seq: message for message in page.messages}
    _, stream = await worlds[0].groups.get(ADA, group_id)
    assert stream.version == version
    # Versions are dense, and events come in their order.
    published = [
        event.message.changed_version
        for event in await worlds[0].outbox()
        if isinstance(event, MessageEdited | MessageRecalled)
    ]
    assert published == list(range(1, version + 1))


# --- batches over many streams ----------------------------------------------------------------------------------------


async def test_posts_to_many_groups_leave_no_gap_in_any(open_world: OpenWorld) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    groups = [await worlds[0].group(BOB) for _ in range(8)]
    outcomes = await _together(
        [
            worlds[n % 2].messages.post((ADA, BOB)[n % 3 == 0], groups[n % 8], text(f"m{n}"))
            for n in range(160)
        ]
    )
    assert all(isinstance(outcome, VisibleMessage) for outcome in outcomes)
    for group_id in groups:
        assert await _stored(worlds[0], group_id) == list(range(1, 21))
        _, stream = await worlds[0].groups.get(ADA, group_id)
        assert stream.head_seq == 20
    published = [e for e in await worlds[0].outbox() if isinstance(e, MessagePosted)]
    for group_id in groups:
        seqs = [event.message.seq for event in published if event.group_id == group_id]
        assert seqs == list(range(1, 21))


async def test_a_key_is_known_in_its_own_stream_alone(open_world: OpenWorld) -> None:
    world = await open_world(posts_per_second=0)
    groups = [await world.group() for _ in range(10)]
    for _ in range(2):
        outcomes = await _together(
            [
                world.messages.post(ADA, group_id, text(f"in {number}"), key="k")
                for number, group_id in enumerate(groups)
                for _ in range(2)
            ]
        )
        assert {o.message.seq for o in outcomes if isinstance(o, VisibleMessage)} == {1}
        assert len(outcomes) == 20
    for group_id in groups:
        assert await _stored(world, group_id) == [1]


async def test_in_a_batch_over_many_groups_each_refusal_is_one_groups_own(
    open_world: OpenWorld,
) -> None:
    world, other = [await open_world(posts_per_second=1) for _ in range(2)]
    groups = [await world.group() for _ in range(64)]
    deleted, closed, busy, contended, *rest = groups
    await world.disbanding.disband(ADA, deleted)
    await world.post(ADA, busy)
    streams = other.database.collection("streams")
    async with other.database.transaction() as tx:
        # Another process is in the middle of a change of this stream.
        key = {"_id": f"group_{contended}"}
        await streams.update_one(key, {"$inc": {"touched": 1}}, session=tx.session)
        calls = {
            group_id: asyncio.create_task(
                world.messages.post(BOB if group_id == closed else ADA, group_id, text())
            )
            for group_id in groups
        }
        stuck = calls.pop(contended)
        outcomes = dict(zip(calls, await _together(list(calls.values())), strict=True))
        assert not stuck.done()
    assert all(isinstance(outcomes[group_id], VisibleMessage) for group_id in rest)
    assert isinstance(outcomes[deleted], GroupNotFound)
    assert isinstance(outcomes[closed], PostingNotAllowed)
    assert isinstance(outcomes[busy], RateLimited)
    assert (await stuck).message.seq == 1
    assert [await _stored(world, group_id) for group_id in rest] == [[1]] * len(rest)
