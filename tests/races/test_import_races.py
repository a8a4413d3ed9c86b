"""Imports beside joins, leaves and bans, in two processes: the count equals the records, and joins go on."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from groups.errors import MemberLimitReached
from groups.events import MembersJoined, MembersLeft
from groups.kernel.ids import GroupId, UserId
from groups.service.membership.service import Membership
from tests.builders import ADA, ROOT, Deadline, OpenWorld, World, a_user


async def _import(
    world: World, group_id: GroupId, user_ids: Sequence[str], *, batch: int
) -> list[str]:
    """The outcome of each id, imported in batches of this size."""

    async def batches() -> AsyncIterator[list[UserId]]:
        for first in range(0, len(user_ids), batch):
            yield [UserId(user_id) for user_id in user_ids[first : first + batch]]

    admissions = await world.chat.imports.begin(ROOT, group_id, batches())
    return [outcome async for admission in admissions for outcome in admission.outcomes]


async def test_the_limit_is_exact_when_imports_and_joins_race(open_world: OpenWorld) -> None:
    worlds = [await open_world(community_members=150) for _ in range(2)]
    group_id = await worlds[0].group()
    ids = [f"u{number:03}" for number in range(120)]
    imports = [
        asyncio.create_task(_import(worlds[0], group_id, ids[:80], batch=15)),
        asyncio.create_task(_import(worlds[1], group_id, ids[40:], batch=20)),
        asyncio.create_task(_import(worlds[0], group_id, ids[::-1], batch=25)),
    ]
    joins = await asyncio.gather(
        *(worlds[n % 2].membership.join(a_user(f"j{n}"), group_id) for n in range(60)),
        return_exceptions=True,
    )
    added = sum([(await each).count("added") for each in imports])
    joined = sum(isinstance(join, Membership) for join in joins)
    refused = sum(isinstance(join, MemberLimitReached) for join in joins)
    assert joined + refused == 60
    assert 1 + added + joined == 150
    assert await worlds[0].member_count(group_id) == 150
    await worlds[0].check_sound(group_id)


async def test_events_add_up_to_the_members_after_imports_race_leaves(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    ids = [f"u{number:03}" for number in range(60)]
    await _import(worlds[0], group_id, ids, batch=60)
    await asyncio.gather(
        _import(worlds[0], group_id, ids, batch=10),
        _import(worlds[1], group_id, ids, batch=7),
        *(worlds[n % 2].membership.leave(a_user(ids[n]), group_id) for n in range(0, 60, 2)),
        *(
            worlds[n % 2].membership.remove(ADA, group_id, UserId(ids[n]), ban=True)
            for n in range(1, 60, 6)
        ),
    )
    inside: set[str] = set()
    for event in await worlds[0].outbox():
        if isinstance(event, MembersJoined):
            assert not inside & set(event.user_ids)
            inside |= set(event.user_ids)
            assert event.member_count == len(inside)
        elif isinstance(event, MembersLeft):
            assert set(event.user_ids) <= inside
            inside -= set(event.user_ids)
    assert inside == set(await worlds[0].members(group_id))
    await worlds[0].check_sound(group_id)


async def test_joins_in_two_processes_succeed_during_an_import(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    joins = [
        asyncio.create_task(
            _join_in_turn(worlds[n], [f"j{n}{turn}" for turn in range(5)], group_id)
        )
        for n in range(2)
    ]

    async def batches() -> AsyncIterator[list[UserId]]:
        deadline, number = Deadline(), 0
        while not all(join.done() for join in joins):
            deadline.check("joins beside an import")
            yield [UserId(f"u{number + n:06}") for n in range(500)]
            number += 500

    admissions = await worlds[0].chat.imports.begin(ROOT, group_id, batches())
    added = [outcome async for admission in admissions for outcome in admission.outcomes]
    assert set(added) == {"added"}
    await asyncio.gather(*joins)
    assert await worlds[0].member_count(group_id) == 1 + len(added) + 10
    assert len(await worlds[0].members(group_id)) == 1 + len(added) + 10


async def _join_in_turn(world: World, user_ids: Sequence[str], group_id: GroupId) -> None:
    for user_id in user_ids:
        await world.membership.join(a_user(user_id), group_id)
