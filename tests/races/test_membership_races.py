"""Membership under races: the limit, the count, one owner, bans. Two processes on one real database."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest

from groups.errors import GroupIdTaken, GroupsPerUserReached, MemberLimitReached
from groups.events import GroupUpdated, MembersJoined, MembersLeft
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.ids import GroupId
from groups.models import AccessContext, GroupType, Role
from groups.service.lifecycle.create import NewGroup
from groups.service.membership.service import Membership
from tests.builders import ADA, BOB, CAT, DAN, OpenWorld, World, a_user

PUBLIC, MEETING = GroupType.PUBLIC, GroupType.MEETING


async def _together(calls: Sequence[Awaitable[object]]) -> list[object]:
    """The outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return list(outcomes)


async def test_a_hundred_joins_at_a_limit_of_three_admit_exactly_three(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(community_members=4) for _ in range(2)]
    group_id = await worlds[0].group()
    outcomes = await _together(
        [worlds[n % 2].membership.join(a_user(f"u{n}"), group_id) for n in range(100)]
    )
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, MemberLimitReached) for outcome in outcomes) == 97
    assert await worlds[0].member_count(group_id) == 4
    await worlds[0].check_sound(group_id)


async def test_fifty_concurrent_joins_of_one_user_make_one_member(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    outcomes = await _together([worlds[n % 2].membership.join(BOB, group_id) for n in range(50)])
    assert sum(isinstance(o, Membership) and o.changed for o in outcomes) == 1
    joins = [e for e in await worlds[0].outbox() if isinstance(e, MembersJoined)]
    assert [event.user_ids for event in joins] == [("ada",), ("bob",)]
    await worlds[0].check_sound(group_id)


async def test_two_approvals_of_the_last_place_admit_one(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group(type=PUBLIC, member_limit=2)
    users = [a_user(f"u{n}") for n in range(6)]
    for user in users:
        await worlds[0].membership.join(user, group_id)
    outcomes = await _together(
        [
            worlds[n % 2].membership.approve(ADA, group_id, user.user_id)
            for n, user in enumerate(users)
        ]
    )
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 1
    assert len(await worlds[0].requests(group_id)) == 5
    await worlds[0].check_sound(group_id)


async def test_concurrent_joins_respect_the_users_limit_of_groups(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(groups_per_user=3) for _ in range(2)]
    groups = [await worlds[0].group(owner=a_user(f"owner{n}")) for n in range(8)]
    outcomes = await _together(
        [worlds[n % 2].membership.join(BOB, group_id) for n, group_id in enumerate(groups)]
    )
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, GroupsPerUserReached) for outcome in outcomes) == 5
    assert len(await worlds[0].membership.list_group_ids(BOB.user_id)) == 3


async def test_concurrent_creations_respect_the_same_limit(open_world: OpenWorld) -> None:
    worlds = [await open_world(groups_per_user=3) for _ in range(2)]
    new = NewGroup(type=MEETING, name="Tea")
    outcomes = await _together([worlds[n % 2].creation.create(BOB, new) for n in range(8)])
    assert sum(isinstance(outcome, AccessContext) for outcome in outcomes) == 3
    assert len(await worlds[0].membership.list_group_ids(BOB.user_id)) == 3


async def test_concurrent_creations_with_one_id_make_one_group(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    users = [a_user(f"u{n}") for n in range(12)]
    new = NewGroup(type=MEETING, name="Tea", group_id=GroupId("tea"))
    outcomes = await _together(
        [worlds[n % 2].creation.create(user, new) for n, user in enumerate(users)]
    )
    (made,) = [outcome for outcome in outcomes if isinstance(outcome, AccessContext)]
    assert sum(isinstance(outcome, GroupIdTaken) for outcome in outcomes) == 11
    assert await worlds[0].members(GroupId("tea")) == {made.group.owner_id: Role.OWNER}
    assert len(await worlds[0].outbox()) == 1
    await worlds[0].check_sound(GroupId("tea"))


async def test_concurrent_creations_with_one_key_make_one_group(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    new = NewGroup(type=MEETING, name="Tea")
    outcomes = await _together(
        [worlds[n % 2].creation.create(ADA, new, key="k") for n in range(12)]
    )
    assert {o.group.group_id for o in outcomes if isinstance(o, AccessContext)} == {
        row["_id"] for row in await worlds[0].rows("groups")
    }
    assert len(await worlds[0].rows("members")) == len(await worlds[0].outbox()) == 1


# --- roles ------------------------------------------------------------------------------------------------------------


async def test_racing_transfers_leave_one_owner(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    users = [a_user(f"u{n}") for n in range(10)]
    group_id = await worlds[0].group(*users)
    outcomes = await _together(
        [
            worlds[n % 2].membership.transfer(ADA, group_id, user.user_id)
            for n, user in enumerate(users)
        ]
    )
    # After the first transfer, Ada was no longer the owner.
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, PermissionRefused) for outcome in outcomes) == 9
    transfers = [e for e in await worlds[0].outbox() if isinstance(e, GroupUpdated)]
    group = (await worlds[0].groups.get(ADA, group_id))[0].group
    assert [event.changed for event in transfers] == [{"owner_id": group.owner_id}]
    assert group.version == 2
    await worlds[0].check_sound(group_id)


@pytest.mark.parametrize("how", ["leaves", "is removed", "is banned"])
async def test_a_new_owner_who_leaves_meanwhile_leaves_one_owner(
    open_world: OpenWorld, how: str
) -> None:
    one, other = await open_world(), await open_world()
    for number in range(8):
        group_id = await one.group(BOB, name=str(number))
        going = (
            other.membership.leave(BOB, group_id)
            if how == "leaves"
            else other.membership.remove(ADA, group_id, BOB.user_id, ban=how == "is banned")
        )
        await _together([one.membership.transfer(ADA, group_id, BOB.user_id), going])
        await one.check_sound(group_id)


async def test_a_user_is_never_both_banned_and_a_member(open_world: OpenWorld) -> None:
    """The ban and the join write different documents; only the group's document makes them conflict."""
    one, other = await open_world(), await open_world()
    comings: list[Callable[[Actor, GroupId], Awaitable[object]]] = [
        lambda user, group_id: other.membership.join(user, group_id),
        lambda user, group_id: other.membership.approve(CAT, group_id, user.user_id),
    ]
    for type, coming in zip((MEETING, PUBLIC), comings, strict=True):
        group_id = await one.group(type=type, admins=[CAT])
        for number in range(15):
            user = a_user(f"u{number}")
            if type is PUBLIC:
                await one.membership.join(user, group_id)
            await _together(
                [
                    one.membership.remove(ADA, group_id, user.user_id, ban=True),
                    coming(user, group_id),
                ]
            )
            assert user.user_id in await one.bans(group_id)
        await one.check_sound(group_id)
        assert await one.requests(group_id) == []


async def test_a_user_never_has_both_a_ban_and_a_request(open_world: OpenWorld) -> None:
    one, other = await open_world(), await open_world()
    group_id = await one.group(type=PUBLIC)
    for number in range(15):
        user = a_user(f"u{number}")
        await _together(
            [
                one.membership.remove(ADA, group_id, user.user_id, ban=True),
                other.membership.join(user, group_id),
            ]
        )
    assert len(await one.bans(group_id)) == 15
    assert await one.requests(group_id) == []


# --- storms -----------------------------------------------------------------------------------------------------------


def _any_act(
    world: World, group_id: GroupId, users: list[Actor], dice: random.Random
) -> Awaitable[object]:
    """A random change of a membership."""
    calls, actor, target = world.membership, dice.choice(users), dice.choice(users).user_id
    match dice.randrange(9):
        case 0 | 1 | 2:
            return calls.join(actor, group_id)
        case 3:
            return calls.leave(actor, group_id)
        case 4:
            return calls.remove(actor, group_id, target, ban=dice.random() < 0.5)
        case 5:
            return calls.unban(actor, group_id, target)
        case 6:
            return calls.add(actor, group_id, target)
        case 7:
            role = dice.choice([Role.ADMIN, Role.MEMBER])
            return calls.change(actor, group_id, target, role=role)
        case _:
            return calls.transfer(actor, group_id, target)


@pytest.mark.parametrize("seed", range(4))
async def test_many_racing_changes_leave_a_right_count_and_one_owner(
    open_world: OpenWorld, seed: int
) -> None:
    worlds = [await open_world() for _ in range(2)]
    dice = random.Random(seed)
    users = [ADA, BOB, CAT, DAN, *(a_user(f"u{n}") for n in range(8))]
    group_id = await worlds[0].group(BOB, CAT, admins=[DAN], member_limit=7)
    for _ in range(5):
        outcomes = await _together(
            [_any_act(worlds[n % 2], group_id, users, dice) for n in range(40)]
        )
        assert any(not isinstance(outcome, DomainError) for outcome in outcomes)
        await worlds[0].check_sound(group_id)
    # Every change has its event, and there are no others: replaying the events gives the members.
    replayed: set[str] = set()
    for event in await worlds[0].outbox():
        if isinstance(event, MembersJoined):
            assert not replayed & set(event.user_ids)
            replayed |= set(event.user_ids)
            assert event.member_count == len(replayed)
        elif isinstance(event, MembersLeft):
            assert set(event.user_ids) <= replayed
            replayed -= set(event.user_ids)
            assert event.member_count == len(replayed)
    assert replayed == set(await worlds[0].members(group_id))
