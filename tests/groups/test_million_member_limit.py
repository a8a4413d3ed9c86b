"""The million: the constant, its setting, the boundary, and a group that truly holds 1,000,000 members.

The form with a million real records is marked `scale` (`pytest -m scale -n0`); its short form, the same code at a
limit of a thousand, runs always.
"""

import asyncio
import time

import pytest

from channels.server.settings import Settings
from groups.errors import MemberLimitReached
from groups.kernel.ids import GroupId
from groups.limits import GroupLimits
from groups.models import GroupType, type_member_limit
from groups.service.membership.service import Membership
from tests.builders import (
    ADA,
    OpenWorld,
    World,
    a_user,
    mock_world,
    probed_database,
    seed_members,
)
from tests.probes import CommandProbe


def test_a_community_holds_a_million_members() -> None:
    assert GroupLimits().community_members == 1_000_000
    assert type_member_limit(GroupType.COMMUNITY, GroupLimits()) == 1_000_000


def test_the_setting_changes_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().limits.community_members == 1_000_000
    monkeypatch.setenv("CHANNELS_LIMIT_COMMUNITY_MEMBERS", "12")
    limits = Settings.load().limits
    assert type_member_limit(GroupType.COMMUNITY, limits) == 12
    assert type_member_limit(GroupType.MEETING, limits) == 6_000


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_a_community_refuses_one_more_than_its_limit(limit: int) -> None:
    world = mock_world(community_members=limit)
    group_id = await world.group()  # the owner counts
    for number in range(limit - 1):
        await world.membership.join(a_user(f"u{number}"), group_id)
    with pytest.raises(MemberLimitReached) as refused:
        await world.membership.join(a_user("one more"), group_id)
    assert refused.value.details == {"limit": limit}
    await world.check_sound(group_id)
    assert await world.member_count(group_id) == limit


async def test_racing_joins_take_the_last_place_of_a_thousand_once(open_world: OpenWorld) -> None:
    worlds = [await open_world(community_members=1_000) for _ in range(2)]
    await _race_for_the_last_place(worlds, limit=1_000)


@pytest.mark.scale
@pytest.mark.timeout(1_200)
async def test_racing_joins_take_the_last_place_of_a_million_once(
    open_world: OpenWorld, mongod_uri: str
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await _race_for_the_last_place(worlds, limit=1_000_000)
    await _check_a_post_costs_as_in_a_small_group(worlds[0], mongod_uri, group_id)


async def test_a_post_costs_as_many_commands_among_a_thousand_as_among_ten(
    open_world: OpenWorld, mongod_uri: str
) -> None:
    world = await open_world()
    group_id = await world.group()
    await _seed(world, group_id, 1_000)
    await _check_a_post_costs_as_in_a_small_group(world, mongod_uri, group_id)


async def _race_for_the_last_place(worlds: list[World], limit: int) -> GroupId:
    """Two processes, one place: `limit - 1` real member records, two who come at once, then one who comes late."""
    world = worlds[0]
    group_id = await world.group()
    await _seed(world, group_id, limit - 1)
    assert await world.member_count(group_id) == limit - 1
    outcomes = await asyncio.gather(
        *(each.membership.join(a_user(f"racer{n}"), group_id) for n, each in enumerate(worlds)),
        return_exceptions=True,
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, Membership)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, MemberLimitReached)]
    assert (len(won), len(lost)) == (1, 1)
    assert won[0].group.member_count == limit
    assert lost[0].details == {"limit": limit}
    for each in worlds:
        with pytest.raises(MemberLimitReached):
            await each.membership.join(a_user("late"), group_id)
    assert await _counted(world, group_id) == limit
    assert await world.member_count(group_id) == limit
    return group_id


async def _seed(world: World, group_id: GroupId, members: int) -> None:
    """Real records beside the owner's, until the group has so many members."""
    started = time.perf_counter()
    await seed_members(world.database, group_id, members - 1)
    assert await _counted(world, group_id) == members
    print(f"{members:,} members loaded in {time.perf_counter() - started:.1f} s")


async def _counted(world: World, group_id: GroupId) -> int:
    return await world.database.collection("members").count_documents({"group_id": group_id})


async def _check_a_post_costs_as_in_a_small_group(
    world: World, uri: str, group_id: GroupId
) -> None:
    """A post to this group and one to a group of ten send the same commands to the database."""
    small = await world.group(*(a_user(f"s{number}") for number in range(9)))
    probe = CommandProbe()
    probed = probed_database(uri, world.database.collection("groups").database.name, probe)
    try:
        process = World(probed)
        costs = []
        for place in (small, group_id):
            await process.post(ADA, place)  # makes the connection and the session
            probe.take()
            await process.post(ADA, place)
            costs.append(probe.take())
        assert costs[0] == costs[1]
        assert costs[0]["insert"] == 2  # the message and its event, nothing for a recipient
    finally:
        await probed.close()
