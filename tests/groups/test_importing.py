"""Imports: outcomes, costs and events, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from groups.errors import GroupNotFound, MemberLimitReached
from groups.events import MembersJoined
from groups.kernel.actor import Actor
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId, UserId
from groups.models import GroupType
from groups.service.membership.commands import ImportOutcome
from groups.service.membership.import_service import ImportService
from tests.builders import ADA, BOB, CAT, DAN, EVE, ROOT, OpenWorld, World, a_user, probed_database
from tests.probes import CommandProbe


async def batches_of(*batches: Sequence[str]) -> AsyncIterator[list[UserId]]:
    for batch in batches:
        yield [UserId(user_id) for user_id in batch]


async def imported(
    world: World, group_id: GroupId, *batches: Sequence[str], actor: Actor = ROOT
) -> list[ImportOutcome]:
    """The outcomes of these batches."""
    admissions = await world.chat.imports.begin(actor, group_id, batches_of(*batches))
    return [admission async for admission in admissions]


async def outcomes(world: World, group_id: GroupId, *user_ids: str) -> list[str]:
    """The outcome of each id of one batch."""
    (admission,) = await imported(world, group_id, user_ids)
    return list(admission.outcomes)


async def joins(world: World) -> list[tuple[tuple[str, ...], int]]:
    """Who joined with each event, and how many members there were then."""
    events = [event for event in await world.outbox() if isinstance(event, MembersJoined)]
    return [(event.user_ids, event.member_count) for event in events]


async def test_each_batch_is_imported_in_order_with_one_event(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.channel(BOB)
    before = await joins(world)
    first, second = await imported(world, group_id, ["cat", "bob", "dan", "cat"], ["eve", "dan"])
    assert first == ImportOutcome(["added", "present", "added", "present"], 4)
    assert second == ImportOutcome(["added", "present"], 5)
    assert (await joins(world))[len(before) :] == [(("cat", "dan"), 4), (("eve",), 5)]
    await world.check_sound(group_id)


async def test_importing_again_changes_and_publishes_nothing(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.channel()
    await imported(world, group_id, ["bob", "cat"])
    collections = ("groups", "members", "events", "users")
    before = [await world.rows(name) for name in collections]
    (again,) = await imported(world, group_id, ["bob", "cat"])
    assert again == ImportOutcome(["present", "present"], 3)
    assert [await world.rows(name) for name in collections] == before


async def test_an_imported_member_is_stored_like_one_who_joined(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.group()
    await world.post(ADA, group_id)
    await world.membership.join(BOB, group_id)
    await imported(world, group_id, ["cat"])
    (bob,) = await world.rows("members", group_id=group_id, user_id="bob")
    (cat,) = await world.rows("members", group_id=group_id, user_id="cat")
    assert cat == bob | {"_id": cat["_id"], "user_id": "cat"}
    assert list(cat) == list(bob)
    assert await world.member(group_id, CAT) == replace(
        await world.member(group_id, BOB), user_id=UserId("cat")
    )


@pytest.mark.parametrize("room", [0, 1, 2, 3])
async def test_at_the_limit_the_first_users_are_imported(open_world: OpenWorld, room: int) -> None:
    world = await open_world(community_members=2 + room)
    group_id = await world.group(BOB)
    told = await outcomes(world, group_id, "cat", "bob", "dan", "eve", "cat")
    full = "member_limit_reached"
    expected = ["added" if n < room else full for n in range(3)]
    again = "present" if room else full
    assert told == [expected[0], "present", *expected[1:], again]
    await world.check_sound(group_id)
    assert await world.member_count(group_id) == 2 + room


async def test_one_more_than_the_limit_is_refused_on_every_way_in(
    open_world: OpenWorld,
) -> None:
    world = await open_world(community_members=3)
    group_id = await world.group()
    assert await outcomes(world, group_id, "bob", "cat") == ["added", "added"]
    assert await outcomes(world, group_id, "dan") == ["member_limit_reached"]
    with pytest.raises(MemberLimitReached):
        await world.membership.join(DAN, group_id)
    with pytest.raises(MemberLimitReached):
        await world.membership.add(ROOT, group_id, DAN.user_id)
    await world.membership.leave(CAT, group_id)
    assert await outcomes(world, group_id, "dan", "eve") == ["added", "member_limit_reached"]
    await world.check_sound(group_id)


async def test_an_import_respects_the_users_limit_of_groups(open_world: OpenWorld) -> None:
    world = await open_world(groups_per_user=2)
    groups = [await world.group(owner=a_user(f"owner{n}")) for n in range(3)]
    assert await outcomes(world, groups[0], "bob") == ["added"]
    assert await outcomes(world, groups[1], "bob", "cat") == ["added", "added"]
    told = await outcomes(world, groups[2], "bob", "cat", "owner1", "dan")
    assert told == ["groups_per_user_reached", "added", "added", "added"]


async def test_an_import_lifts_a_ban_unless_the_group_is_full(open_world: OpenWorld) -> None:
    world = await open_world(community_members=2)
    group_id = await world.group()
    await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    await world.membership.remove(ADA, group_id, CAT.user_id, ban=True)
    told = await outcomes(world, group_id, "cat", "bob")
    assert told == ["added", "member_limit_reached"]
    assert await world.bans(group_id) == ["bob"]
    await world.check_sound(group_id)


async def test_an_import_keeps_a_mute_and_lifts_the_ban_beside_it(
    open_world: OpenWorld,
) -> None:
    world = await open_world()
    group_id = await world.group(BOB, CAT)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    muted_until = (await world.member(group_id, BOB)).muted_until
    assert muted_until is not None
    await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    await world.membership.leave(CAT, group_id)
    assert await outcomes(world, group_id, "bob", "cat") == ["added", "added"]
    assert (await world.member(group_id, BOB)).muted_until == muted_until
    assert (await world.member(group_id, CAT)).muted_until is None
    assert await world.bans(group_id) == []
    # It outlives the next leaving, too.
    await world.membership.leave(BOB, group_id)
    await world.membership.join(BOB, group_id)
    assert (await world.member(group_id, BOB)).muted_until == muted_until


async def test_an_import_closes_the_users_join_request(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.group(type=GroupType.PUBLIC)
    for user in (BOB, CAT):
        await world.membership.join(user, group_id)
    assert await world.requests(group_id) == ["bob", "cat"]
    assert await outcomes(world, group_id, "bob", "dan") == ["added", "added"]
    assert await world.requests(group_id) == ["cat"]


async def test_only_the_applications_admin_may_import(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.group(BOB, admins=[CAT])
    for actor in (ADA, BOB, CAT, EVE):
        with pytest.raises(PermissionRefused):
            await imported(world, group_id, ["dan"], actor=actor)
    assert await outcomes(world, group_id, "dan") == ["added"]
    with pytest.raises(GroupNotFound):
        await imported(world, GroupId("@TGS#_none"), ["dan"])


async def test_an_import_ends_when_its_group_is_disbanded(open_world: OpenWorld) -> None:
    world = await open_world()
    group_id = await world.group()
    gate = asyncio.Event()

    async def batches() -> AsyncIterator[list[UserId]]:
        yield [BOB.user_id]
        await gate.wait()
        yield [CAT.user_id]

    async with aclosing(await world.chat.imports.begin(ROOT, group_id, batches())) as admissions:
        assert (await anext(admissions)).outcomes == ["added"]
        await world.disbanding.disband(ADA, group_id)
        gate.set()
        with pytest.raises(GroupNotFound):
            await anext(admissions)
    await world.chat.cleanup.wait()
    assert await world.members(group_id) == {}


async def test_a_batch_of_a_thousand_costs_as_many_commands_as_one_of_ten(
    open_world: OpenWorld, mongod_uri: str
) -> None:
    world = await open_world()
    group_id = await world.group()
    probe = CommandProbe()
    name = world.database.collection("groups").database.name
    probed = probed_database(mongod_uri, name, probe)
    try:
        process = World(probed)
        await outcomes(process, group_id, "first")  # makes the connection and the session
        costs: list[Any] = []
        for size in (10, 1_000):
            user_ids = [f"u{size}-{number}" for number in range(size)]
            for expected in ("added", "present"):
                admissions = await process.chat.imports.begin(ROOT, group_id, batches_of(user_ids))
                probe.take()
                told = [admission.outcomes async for admission in admissions]
                assert told == [[expected] * size]
                costs.append(probe.take())
        assert costs[:2] == costs[2:]
        assert sum(costs[0].values()) <= 10
        writes = {"insert", "update", "delete"}
        assert costs[1].keys() & writes == set()
    finally:
        await probed.close()


class HeldQueue:
    """A queue whose database stands still: a batch is admitted when it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Semaphore(0)

    async def submit(self, group_id: GroupId, batch: Any) -> ImportOutcome:
        await self.released.acquire()
        return ImportOutcome(["added"] * len(batch.user_ids), 0)


async def test_only_one_batch_is_read_while_another_is_committed(
    world: World,
) -> None:
    group_id = await world.group()
    queue = HeldQueue()
    read = 0

    async def batches() -> AsyncIterator[list[UserId]]:
        nonlocal read
        while True:
            read += 1
            yield [BOB.user_id]

    async def settle() -> int:
        for _ in range(100):  # turns of the loop, many more than the few that it takes
            await asyncio.sleep(0)
        return read

    imports = ImportService(
        guard=world.chat.guard,
        queue=queue,  # type: ignore[arg-type]  # stands still on purpose
        admin_log=world.chat.admin_log,
    )
    async with aclosing(await imports.begin(ROOT, group_id, batches())) as admissions:
        taking = asyncio.ensure_future(anext(admissions))
        assert await settle() == 2  # one waits for the database, one is read
        queue.released.release()
        await taking
        assert await settle() == 3
        # Nobody takes the second admission: it is told to no one, and no batch begins behind the third.
        for _ in range(10):
            queue.released.release()
        assert await settle() == 3
