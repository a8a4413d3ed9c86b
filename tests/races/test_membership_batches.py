"""Batches of membership changes in many groups: what befalls one group or user never touches the others."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest

from groups.errors import (
    Banned,
    GroupNotFound,
    GroupsPerUserReached,
    InvitationsPerUserReached,
    MemberLimitReached,
)
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.models import GroupType
from groups.service.membership import capacity
from groups.service.membership.service import Membership
from tests.builders import BOB, CAT, Deadline, OpenWorld, World, a_user

GROUPS: Final = 64
OWNERS: Final = [a_user(f"owner{number}") for number in range(GROUPS)]


@dataclass(slots=True)
class Batches:
    """The sizes of the batches of membership changes that a process began."""

    sizes: list[int] = field(default_factory=list)

    def note(self, name: str, size: int, waiting: int) -> None:
        if name == "membership":
            self.sizes.append(size)


async def some_groups(
    world: World, count: int, type: GroupType = GroupType.COMMUNITY
) -> list[GroupId]:
    """Groups of an owner each."""
    return [await world.group(owner=OWNERS[number], type=type) for number in range(count)]


async def outcomes_of(calls: Sequence[Awaitable[Membership]]) -> list[Membership | DomainError]:
    """The outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes: list[Membership | DomainError] = []
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
        outcomes.append(outcome)
    return outcomes


async def test_groups_that_refuse_or_conflict_touch_no_other_group_of_the_batch(
    open_world: OpenWorld,
) -> None:
    world, other = await open_world(), await open_world()
    groups = await some_groups(world, GROUPS - 1)
    full = await world.group(owner=OWNERS[-1], member_limit=1)
    deleted, closed, contended, *rest = groups
    users = {group: a_user(f"u{number}") for number, group in enumerate([*groups, full])}
    await world.disbanding.disband(OWNERS[0], deleted)
    await world.chat.cleanup.wait()
    await world.membership.remove(OWNERS[1], closed, users[closed].user_id, ban=True)
    # As long as this transaction is open, each attempt of the batch to write this group conflicts.
    async with other.database.transaction() as tx:
        await other.chat.stores.groups.touch([contended], tx)
        joins = {
            group: asyncio.ensure_future(world.membership.join(user, group))
            for group, user in users.items()
        }
        joined = await outcomes_of([join for group, join in joins.items() if group != contended])
        assert not joins[contended].done()
    assert (await joins[contended]).changed
    refusals = [type(outcome) for outcome in joined if isinstance(outcome, DomainError)]
    assert refusals == [GroupNotFound, Banned, MemberLimitReached]
    assert [o.group.member_count for o in joined if isinstance(o, Membership)] == [2] * len(rest)
    for group in (contended, full, rest[0], rest[-1]):
        await world.check_sound(group)


async def test_a_lone_join_beside_a_flood_is_committed_with_the_next_batches(
    open_world: OpenWorld,
) -> None:
    batches = Batches()
    world = await open_world(on_batch=batches.note)
    flooded, quiet = await some_groups(world, 2)
    flood = asyncio.gather(
        *(world.membership.join(a_user(f"u{number}"), flooded) for number in range(3_000))
    )
    batches.sizes.clear()
    deadline = Deadline()
    while len(batches.sizes) < 2:
        deadline.check("the flood")
        await asyncio.sleep(0)
    begun = len(batches.sizes)
    assert (await world.membership.join(BOB, quiet)).changed
    assert not flood.done()
    # Its own is the next one or the one after that; another may have begun while it was committed.
    assert len(batches.sizes) - begun <= 3
    await flood
    assert await world.member_count(flooded) == 3_001


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_user_who_joins_many_groups_at_once_is_in_as_many_as_the_limit_allows(
    open_world: OpenWorld, processes: int, more: int
) -> None:
    limit = 16
    worlds = [await open_world(groups_per_user=limit) for _ in range(processes)]
    groups = await some_groups(worlds[0], limit + more)
    outcomes = await outcomes_of(
        [worlds[n % processes].membership.join(BOB, group) for n, group in enumerate(groups)]
    )
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == limit
    assert sum(isinstance(outcome, GroupsPerUserReached) for outcome in outcomes) == more
    assert len(await worlds[0].rows("members", user_id=BOB.user_id)) == limit


async def test_a_batch_that_leaps_to_a_limit_falls_apart(
    open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity, "NEAR_LIMIT", 8)
    limit = 12
    world = await open_world(groups_per_user=limit)
    groups = await some_groups(world, limit + 1)
    outcomes = await outcomes_of([world.membership.join(BOB, group) for group in groups])
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == limit
    assert sum(isinstance(outcome, GroupsPerUserReached) for outcome in outcomes) == 1


async def test_leaving_one_group_makes_room_for_another_in_the_same_batch(
    open_world: OpenWorld,
) -> None:
    world = await open_world(groups_per_user=2)
    groups = await some_groups(world, 3)
    for group in groups[:2]:
        await world.membership.join(BOB, group)
    left, joined, refused = await outcomes_of(
        [
            world.membership.leave(BOB, groups[0]),
            world.membership.join(BOB, groups[2]),
            world.membership.join(CAT, groups[0]),
        ]
    )
    assert isinstance(left, Membership)
    assert isinstance(joined, Membership)
    assert isinstance(refused, Membership)
    await world.check_sound(groups[0])


async def test_a_user_who_is_invited_by_many_at_once_gets_as_many_invitations_as_the_limit_allows(
    open_world: OpenWorld,
) -> None:
    world = await open_world(invitations_per_user=3, added_groups_per_user=0)
    groups = await some_groups(world, 5)
    outcomes = await outcomes_of(
        [
            world.membership.add(OWNERS[number], group, BOB.user_id)
            for number, group in enumerate(groups)
        ]
    )
    assert [o.invitation is not None for o in outcomes if isinstance(o, Membership)] == [True] * 3
    assert sum(isinstance(o, InvitationsPerUserReached) for o in outcomes) == 2


async def test_others_add_a_user_to_as_many_groups_as_the_limit_allows_and_then_invite(
    open_world: OpenWorld,
) -> None:
    world = await open_world(added_groups_per_user=2)
    groups = await some_groups(world, 5, GroupType.WORK)
    outcomes = await outcomes_of(
        [
            world.membership.add(OWNERS[number], group, BOB.user_id)
            for number, group in enumerate(groups)
        ]
    )
    added = [o.member is not None for o in outcomes if isinstance(o, Membership)]
    assert (added.count(True), added.count(False)) == (2, 3)
    assert len(await world.rows("members", user_id=BOB.user_id)) == 2
