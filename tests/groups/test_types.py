"""The four types of groups: joining, history, roles, disbanding."""

import pytest

from groups.errors import (
    GroupNotFound,
    JoiningNotAllowed,
    MessageNotFound,
    NotForThisType,
    OwnerCannotLeave,
)
from groups.events import MembersJoined, MembersLeft
from groups.kernel.errors import PermissionRefused
from groups.models import GroupType, JoinOption, Role, Visibility
from groups.service.lifecycle.create import NewGroup
from groups.service.lifecycle.update import GroupChanges
from tests.builders import ADA, BOB, CAT, DAN, ROOT, World

WORK, PUBLIC, MEETING, COMMUNITY = GroupType


@pytest.mark.parametrize(
    ("type", "option", "visibility", "history"),
    [
        (WORK, JoinOption.INVITE, Visibility.PRIVATE, False),
        (PUBLIC, JoinOption.APPROVAL, Visibility.PROFILE, False),
        (MEETING, JoinOption.FREE, Visibility.PROFILE, True),
        (COMMUNITY, JoinOption.FREE, Visibility.PROFILE, False),
    ],
)
async def test_defaults_follow_from_the_type(
    world: World, type: GroupType, option: JoinOption, visibility: Visibility, history: bool
) -> None:
    group = (await world.creation.create(ADA, NewGroup(type=type, name="Tea"))).group
    assert (group.join_option, group.visibility, group.history_visible) == (
        option,
        visibility,
        history,
    )
    assert (group.owner_id, group.member_count) == (ADA.user_id, 1)


# --- work -------------------------------------------------------------------------------------------------------------


async def test_a_work_group_is_invisible_to_strangers(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    assert (await world.groups.get(BOB, group_id))[0].group.group_id == group_id
    for refused in (
        world.groups.get(CAT, group_id),
        world.membership.join(CAT, group_id),
        world.messages.list_messages(CAT, group_id, limit=1),
        world.membership.leave(CAT, group_id),
    ):
        with pytest.raises(GroupNotFound):
            await refused


async def test_any_member_of_a_work_group_may_add_users(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    added = await world.membership.add(BOB, group_id, CAT.user_id)
    assert added.member is not None
    assert added.member.role is Role.MEMBER
    # In another type the same needs an admin.
    meeting = await world.group(BOB, type=MEETING)
    with pytest.raises(PermissionRefused):
        await world.membership.add(BOB, meeting, CAT.user_id)


async def test_the_join_option_of_a_work_group_cannot_change(world: World) -> None:
    with pytest.raises(NotForThisType):
        await world.creation.create(
            ADA, NewGroup(type=WORK, name="Tea", join_option=JoinOption.FREE)
        )
    group_id = await world.group(type=WORK)
    with pytest.raises(NotForThisType):
        await world.updates.update(ADA, group_id, GroupChanges(join_option=JoinOption.FREE))


async def test_a_work_group_has_no_admins_and_no_mute(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    change = world.membership.change
    for refused in (
        change(ADA, group_id, BOB.user_id, role=Role.ADMIN),
        change(ADA, group_id, BOB.user_id, mute_seconds=60),
        world.updates.update(ADA, group_id, GroupChanges(muted_all=True)),
    ):
        with pytest.raises(NotForThisType):
            await refused
    assert await world.members(group_id) == {"ada": Role.OWNER, "bob": Role.MEMBER}
    assert (await world.member(group_id, BOB)).muted_until is None


async def test_the_owner_of_a_work_group_may_leave(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    await world.membership.leave(ADA, group_id)
    group = (await world.groups.get(BOB, group_id))[0].group
    assert (group.owner_id, group.member_count) == (None, 1)
    assert await world.members(group_id) == {"bob": Role.MEMBER}
    # It lives on, and the application may give it a new owner.
    assert await world.post(BOB, group_id) == 1
    await world.membership.transfer(ROOT, group_id, BOB.user_id)
    assert await world.members(group_id) == {"bob": Role.OWNER}


@pytest.mark.parametrize("type", [PUBLIC, MEETING, COMMUNITY])
async def test_the_owner_of_any_other_group_cannot_leave(world: World, type: GroupType) -> None:
    group_id = await world.group(BOB, type=type)
    with pytest.raises(OwnerCannotLeave):
        await world.membership.leave(ADA, group_id)
    await world.membership.leave(BOB, group_id)
    assert await world.members(group_id) == {"ada": Role.OWNER}


async def test_only_the_application_disbands_a_work_group(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    for user in (ADA, BOB):
        with pytest.raises(PermissionRefused):
            await world.disbanding.disband(user, group_id)
    await world.disbanding.disband(ROOT, group_id)
    with pytest.raises(GroupNotFound):
        await world.groups.get(ADA, group_id)
    await world.chat.cleanup.wait()


async def test_the_former_owner_of_a_work_group_becomes_a_member(world: World) -> None:
    group_id = await world.group(BOB, type=WORK)
    await world.membership.transfer(ADA, group_id, BOB.user_id)
    assert await world.members(group_id) == {"ada": Role.MEMBER, "bob": Role.OWNER}


# --- public -----------------------------------------------------------------------------------------------------------


async def test_joining_a_public_group_waits_for_approval(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    asked = await world.membership.join(BOB, group_id, text="please")
    assert (asked.is_pending, asked.member) == (True, None)
    assert await world.members(group_id) == {"ada": Role.OWNER}
    await world.membership.approve(ADA, group_id, BOB.user_id)
    assert await world.members(group_id) == {"ada": Role.OWNER, "bob": Role.MEMBER}


async def test_the_join_option_opens_or_closes_a_public_group(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    await world.updates.update(ADA, group_id, GroupChanges(join_option=JoinOption.FREE))
    assert (await world.membership.join(BOB, group_id)).member is not None
    await world.updates.update(ADA, group_id, GroupChanges(join_option=JoinOption.INVITE))
    with pytest.raises(JoiningNotAllowed):
        await world.membership.join(CAT, group_id)
    assert (await world.membership.add(ADA, group_id, CAT.user_id)).member is not None


# --- meeting and community: history -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "seen"), [(WORK, [3]), (PUBLIC, [3]), (MEETING, [1, 2, 3]), (COMMUNITY, [3])]
)
async def test_history_before_joining_by_type(
    world: World, type: GroupType, seen: list[int]
) -> None:
    group_id = await world.group(type=type)
    await world.post(ADA, group_id)
    await world.post(ADA, group_id)
    await world.membership.add(ROOT, group_id, BOB.user_id)
    await world.post(ADA, group_id)
    assert await world.seqs(BOB, group_id) == seen
    assert (await world.messages.get(BOB, group_id, 3)).message.seq == 3
    if seen == [3]:
        with pytest.raises(MessageNotFound):
            await world.messages.get(BOB, group_id, 2)
        # Not even by paging: neither direction goes below the floor.
        history = await world.messages.list_messages(BOB, group_id, limit=10, after_seq=0)
        assert [message.seq for message in history.messages] == [3]
    # The owner was there, and the application's admin sees everything.
    assert await world.seqs(ADA, group_id) == await world.seqs(ROOT, group_id) == [1, 2, 3]


async def test_a_returning_member_sees_messages_from_then_on(world: World) -> None:
    group_id = await world.group(BOB)
    await world.post(ADA, group_id)
    assert await world.seqs(BOB, group_id) == [1]
    await world.membership.leave(BOB, group_id)
    await world.post(ADA, group_id)
    await world.membership.join(BOB, group_id)
    await world.post(ADA, group_id)
    assert await world.seqs(BOB, group_id) == [3]


async def test_making_history_visible_shows_it_to_all_members(world: World) -> None:
    group_id = await world.group()
    await world.post(ADA, group_id)
    await world.membership.join(BOB, group_id)
    assert await world.seqs(BOB, group_id) == []
    await world.updates.update(ADA, group_id, GroupChanges(history_visible=True))
    assert await world.seqs(BOB, group_id) == [1]


async def test_only_members_may_read(world: World) -> None:
    group_id = await world.group(BOB, type=MEETING)
    await world.post(ADA, group_id)
    assert await world.seqs(BOB, group_id) == [1]
    for refused in (
        world.messages.list_messages(DAN, group_id, limit=1),
        world.messages.get(DAN, group_id, 1),
    ):
        with pytest.raises(PermissionRefused):
            await refused


@pytest.mark.parametrize(
    ("type", "announced"), [(WORK, True), (PUBLIC, True), (MEETING, True), (COMMUNITY, False)]
)
async def test_joins_and_leaves_are_announced_by_type(
    world: World, type: GroupType, announced: bool
) -> None:
    group_id = await world.group(type=type)
    await world.membership.add(ROOT, group_id, BOB.user_id)
    await world.membership.leave(BOB, group_id)
    joined, left = world.heard
    assert isinstance(joined, MembersJoined)
    assert isinstance(left, MembersLeft)
    assert (joined.announce, left.announce) == (announced, announced)
