"""Memberships: join, add, ask, mute, appoint, remove, ban, transfer."""

import asyncio
from datetime import timedelta

import pytest

from groups.errors import (
    Banned,
    GroupNotFound,
    GroupsPerUserReached,
    JoinRequestNotFound,
    MemberLimitReached,
    MemberNotFound,
    Muted,
    OwnerCannotLeave,
    PostingNotAllowed,
)
from groups.events import (
    GroupUpdated,
    JoinAnswered,
    JoinRefused,
    JoinRequested,
    LeaveReason,
    MemberChanged,
    MembersJoined,
    MembersLeft,
    StrangerBanned,
)
from groups.kernel.errors import BadCursor, DomainError, PermissionRefused
from groups.kernel.events import Event
from groups.kernel.ids import GroupId, UserId
from groups.models import GroupType, JoinOption, Role
from groups.service.hooks import Hooks
from groups.service.lifecycle.update import GroupChanges
from tests.builders import (
    ADA,
    BOB,
    CAT,
    DAN,
    EVE,
    ROOT,
    Deadline,
    Leaving,
    OpenWorld,
    World,
    a_user,
    mock_world,
    text,
)

PUBLIC, MEETING = GroupType.PUBLIC, GroupType.MEETING
OWNER, ADMIN, MEMBER = Role.OWNER, Role.ADMIN, Role.MEMBER


# --- join and leave ---------------------------------------------------------------------------------------------------


async def test_a_new_member_has_no_unread_backlog(world: World) -> None:
    group_id = await world.group()
    await world.post(ADA, group_id)
    joined = await world.membership.join(BOB, group_id)
    assert joined.member is not None
    assert (joined.member.role, joined.member.joined_seq) == (MEMBER, 1)
    assert joined.member.joined_at == world.clock.now()
    assert (joined.group.member_count, joined.changed, joined.is_pending) == (2, True, False)
    await world.check_sound(group_id)


async def test_joining_twice_changes_and_publishes_nothing(world: World) -> None:
    group_id = await world.group()
    first = await world.membership.join(BOB, group_id)
    assert len(world.take(MembersJoined)) == 1
    world.clock.move(seconds=5)
    again = await world.membership.join(BOB, group_id)
    assert (again.member, again.changed) == (first.member, False)
    assert world.heard == []
    await world.check_sound(group_id)


async def test_leaving_ends_the_membership_once(world: World) -> None:
    group_id = await world.group(BOB)
    assert (await world.membership.leave(BOB, group_id)).changed
    (event,) = world.take(MembersLeft)
    assert (event.user_ids, event.reason, event.member_count) == (("bob",), LeaveReason.LEFT, 1)
    assert not (await world.membership.leave(BOB, group_id)).changed
    assert world.heard == []
    assert await world.members(group_id) == {"ada": OWNER}
    with pytest.raises(PostingNotAllowed):
        await world.post(BOB, group_id)


async def test_the_limit_admits_exactly_its_number(world: World) -> None:
    group_id = await world.group(BOB, member_limit=3)
    await world.membership.join(CAT, group_id)
    with pytest.raises(MemberLimitReached) as refused:
        await world.membership.join(DAN, group_id)
    assert refused.value.details == {"limit": 3}
    # One leaves and one joins; a member who joins again is no new member.
    await world.membership.leave(BOB, group_id)
    await world.membership.join(DAN, group_id)
    assert not (await world.membership.join(CAT, group_id)).changed
    await world.check_sound(group_id)


async def test_each_event_of_a_batch_has_the_count_after_it(
    world: World,
) -> None:
    group_id = await world.group(BOB, CAT)
    await asyncio.gather(
        *(world.membership.join(user, group_id) for user in (DAN, EVE)),
        *(world.membership.leave(user, group_id) for user in (BOB, CAT)),
    )
    joined, left = world.heard
    assert isinstance(joined, MembersJoined)
    assert isinstance(left, MembersLeft)
    assert (joined.user_ids, joined.member_count) == (("dan", "eve"), 5)
    assert (left.user_ids, left.member_count) == (("bob", "cat"), 3)
    await world.check_sound(group_id)


async def test_a_batch_applies_its_commands_in_order(world: World) -> None:
    group_id = await world.group(member_limit=2)
    join, leave = world.membership.join, world.membership.leave
    outcomes = await asyncio.gather(
        join(BOB, group_id),
        join(CAT, group_id),
        leave(BOB, group_id),
        join(CAT, group_id),
        join(BOB, group_id),
        return_exceptions=True,
    )
    codes = [o.code if isinstance(o, DomainError) else None for o in outcomes]
    assert codes == [None, "member_limit_reached", None, None, "member_limit_reached"]
    assert await world.members(group_id) == {"ada": OWNER, "cat": MEMBER}
    await world.check_sound(group_id)


async def test_a_member_who_leaves_and_returns_in_one_batch_is_a_new_member() -> None:
    leaving = Leaving()
    world = mock_world(hooks=Hooks(members_left=[leaving]))
    group_id = await world.group(BOB)
    await world.post(ADA, group_id)
    world.clock.move(seconds=9)
    await asyncio.gather(
        world.membership.leave(BOB, group_id), world.membership.join(BOB, group_id)
    )
    member = await world.member(group_id, BOB)
    assert (member.joined_seq, member.joined_at) == (1, world.clock.now())
    assert leaving.left == [BOB.user_id]
    await world.check_sound(group_id)


async def test_a_user_cannot_be_in_more_groups_than_the_limit() -> None:
    world = mock_world(groups_per_user=3)
    groups = [await world.group(owner=a_user(f"owner{n}")) for n in range(4)]
    for group_id in groups[:3]:
        await world.membership.join(BOB, group_id)
    with pytest.raises(GroupsPerUserReached) as refused:
        await world.membership.join(BOB, groups[3])
    assert refused.value.details == {"limit": 3}
    # By every other way in too.
    with pytest.raises(GroupsPerUserReached):
        await world.membership.add(ROOT, groups[3], BOB.user_id)
    await world.membership.leave(BOB, groups[0])
    assert (await world.membership.join(BOB, groups[3])).changed


# --- add, remove, ban -------------------------------------------------------------------------------------------------


async def test_the_owner_and_admins_add_and_remove_members(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT], type=GroupType.PUBLIC)
    added = await world.membership.add(CAT, group_id, DAN.user_id)
    assert (added.member is not None, added.changed) == (True, True)
    assert not (await world.membership.add(CAT, group_id, DAN.user_id)).changed
    await world.membership.remove(CAT, group_id, DAN.user_id)
    assert not (await world.membership.remove(CAT, group_id, DAN.user_id)).changed
    assert [type(event) for event in world.heard] == [MembersJoined, MembersLeft]
    assert [e.reason for e in world.take(MembersLeft)] == [LeaveReason.REMOVED]
    for refused in (
        world.membership.add(BOB, group_id, DAN.user_id),
        world.membership.remove(BOB, group_id, CAT.user_id),
        world.membership.remove(CAT, group_id, CAT.user_id),
        world.membership.remove(CAT, group_id, ADA.user_id),
        world.membership.remove(BOB, group_id, EVE.user_id),
    ):
        with pytest.raises(PermissionRefused):
            await refused
    await world.check_sound(group_id)


async def test_nobody_can_remove_the_owner(world: World) -> None:
    group_id = await world.group(BOB)
    for ban in (False, True):
        with pytest.raises(OwnerCannotLeave):
            await world.membership.remove(ROOT, group_id, ADA.user_id, ban=ban)
    assert await world.bans(group_id) == []
    await world.membership.remove(ROOT, group_id, BOB.user_id)
    assert await world.members(group_id) == {"ada": OWNER}


async def test_a_removed_user_may_return_and_a_banned_one_may_not(world: World) -> None:
    group_id = await world.group(BOB, CAT)
    await world.membership.remove(ADA, group_id, BOB.user_id)
    await world.membership.remove(ADA, group_id, CAT.user_id, ban=True)
    assert [e.reason for e in world.take(MembersLeft)] == [LeaveReason.REMOVED, LeaveReason.BANNED]
    assert (await world.membership.join(BOB, group_id)).changed
    for refused in (
        world.membership.join(CAT, group_id),
        world.messages.post(CAT, group_id, text()),
        world.messages.list_messages(CAT, group_id, limit=1),
    ):
        with pytest.raises(Banned):
            await refused
    assert await world.bans(group_id) == ["cat"]


async def test_a_ban_publishes_one_event_and_is_lifted_once(world: World) -> None:
    group_id = await world.group(BOB)
    remove, unban = world.membership.remove, world.membership.unban
    assert (await remove(ADA, group_id, BOB.user_id, ban=True)).changed
    assert not (await remove(ADA, group_id, BOB.user_id, ban=True)).changed
    assert len(world.take(MembersLeft)) == 1
    await unban(ADA, group_id, BOB.user_id)
    await unban(ADA, group_id, BOB.user_id)
    assert world.heard == []
    assert (await world.bans(group_id), await world.rows("restrictions")) == ([], [])
    assert (await world.membership.join(BOB, group_id)).changed


async def test_a_user_can_be_banned_before_they_join(world: World) -> None:
    group_id = await world.group()
    assert (await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)).changed
    # Nobody is notified; every process ends the user's subscriptions.
    [heard] = world.heard
    assert isinstance(heard, StrangerBanned)
    assert heard.user_id == BOB.user_id
    with pytest.raises(Banned):
        await world.membership.join(BOB, group_id)


async def test_adding_lifts_a_ban_only_for_owner_and_admins(world: World) -> None:
    group_id = await world.group(CAT, type=GroupType.WORK)
    await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    with pytest.raises(Banned):
        await world.membership.add(CAT, group_id, BOB.user_id)
    await world.membership.add(ADA, group_id, BOB.user_id)
    assert await world.bans(group_id) == []
    await world.check_sound(group_id)


async def test_a_ban_stays_where_adding_fails_in_a_full_group(world: World) -> None:
    group_id = await world.group(CAT, member_limit=2)
    await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    with pytest.raises(MemberLimitReached):
        await world.membership.add(ADA, group_id, BOB.user_id)
    assert await world.bans(group_id) == ["bob"]
    with pytest.raises(Banned):
        await world.membership.join(BOB, group_id)


async def test_only_the_owner_and_admins_see_and_lift_bans(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    await world.membership.remove(CAT, group_id, DAN.user_id, ban=True)
    assert await world.bans(group_id, CAT) == ["dan"]
    for refused in (
        world.membership.list_bans(BOB, group_id, limit=9, cursor=None),
        world.membership.list_requests(BOB, group_id, limit=9, cursor=None),
        world.membership.unban(BOB, group_id, DAN.user_id),
    ):
        with pytest.raises(PermissionRefused):
            await refused
    assert await world.bans(group_id, CAT) == ["dan"]


# --- roles and ownership ----------------------------------------------------------------------------------------------


async def test_the_owner_appoints_and_dismisses_admins(world: World) -> None:
    group_id = await world.group(BOB, CAT)
    change = world.membership.change
    assert (await change(ADA, group_id, BOB.user_id, role=ADMIN)).changed
    assert not (await change(ADA, group_id, BOB.user_id, role=ADMIN)).changed
    (event,) = world.take(MemberChanged)
    assert (event.user_id, event.role, event.audience) == ("bob", ADMIN, None)
    for refused in (
        change(BOB, group_id, CAT.user_id, role=ADMIN),
        change(CAT, group_id, CAT.user_id, role=ADMIN),
        change(ADA, group_id, ADA.user_id, role=MEMBER),
        change(ROOT, group_id, ADA.user_id, role=MEMBER),
    ):
        with pytest.raises(PermissionRefused):
            await refused
    await change(ADA, group_id, BOB.user_id, role=MEMBER)
    assert await world.members(group_id) == {"ada": OWNER, "bob": MEMBER, "cat": MEMBER}


async def test_only_a_member_can_be_changed(world: World) -> None:
    group_id = await world.group(BOB)
    with pytest.raises(MemberNotFound):
        await world.membership.change(ADA, group_id, DAN.user_id, role=ADMIN)
    # An actor who may not list members must not learn here who is one.
    for user in (DAN, ADA):
        with pytest.raises(PermissionRefused):
            await world.membership.change(BOB, group_id, user.user_id, name_card="x")


async def test_a_name_card_is_changed_by_its_member_and_higher_roles(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    change = world.membership.change
    await change(BOB, group_id, BOB.user_id, name_card="Bobby")
    assert (await world.member(group_id, BOB)).name_card == "Bobby"
    assert not (await change(CAT, group_id, BOB.user_id, name_card="Bobby")).changed
    await change(CAT, group_id, BOB.user_id, name_card="")
    assert (await world.member(group_id, BOB)).name_card == ""
    with pytest.raises(PermissionRefused):
        await change(CAT, group_id, ADA.user_id, name_card="x")
    assert len(world.take(MemberChanged)) == 2


async def test_in_a_channel_a_members_change_reaches_staff_and_member_only(world: World) -> None:
    group_id = await world.channel(BOB, DAN, admins=[CAT])
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    (event,) = world.take(MemberChanged)
    assert set(event.audience or ()) == {"ada", "cat", "bob"}


async def test_the_former_owner_becomes_an_admin(world: World) -> None:
    group_id = await world.group(BOB, CAT)
    given = await world.membership.transfer(ADA, group_id, BOB.user_id)
    assert given.group.owner_id == "bob"
    assert await world.members(group_id) == {"ada": ADMIN, "bob": OWNER, "cat": MEMBER}
    changes = [(e.user_id, e.role) for e in world.heard if isinstance(e, MemberChanged)]
    assert changes == [("ada", ADMIN), ("bob", OWNER)]
    (event,) = world.take(GroupUpdated)
    assert event.changed == {"owner_id": "bob"}
    assert (await world.groups.get(ADA, group_id))[0].group.version == event.version == 2
    # The former owner has lost the owner's rights, and the new owner cannot leave.
    with pytest.raises(PermissionRefused):
        await world.membership.transfer(ADA, group_id, CAT.user_id)
    with pytest.raises(OwnerCannotLeave):
        await world.membership.leave(BOB, group_id)
    await world.membership.leave(ADA, group_id)
    await world.check_sound(group_id)


async def test_only_the_owner_transfers_a_group_and_only_to_members(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    with pytest.raises(MemberNotFound):
        await world.membership.transfer(ADA, group_id, DAN.user_id)
    for actor in (BOB, CAT):
        with pytest.raises(PermissionRefused):
            await world.membership.transfer(actor, group_id, BOB.user_id)
    assert not (await world.membership.transfer(ADA, group_id, ADA.user_id)).changed
    assert world.heard == []
    await world.check_sound(group_id)
    await world.membership.transfer(ROOT, group_id, CAT.user_id)
    assert await world.members(group_id) == {"ada": ADMIN, "bob": MEMBER, "cat": OWNER}


async def test_two_transfers_in_one_batch_leave_one_owner(world: World) -> None:
    group_id = await world.group(BOB, CAT)
    transfer = world.membership.transfer
    outcomes = await asyncio.gather(
        transfer(ADA, group_id, BOB.user_id),
        transfer(ADA, group_id, CAT.user_id),
        transfer(BOB, group_id, CAT.user_id),
        return_exceptions=True,
    )
    assert [isinstance(o, PermissionRefused) for o in outcomes] == [False, True, False]
    assert await world.members(group_id) == {"ada": ADMIN, "bob": ADMIN, "cat": OWNER}
    await world.check_sound(group_id)


# --- mutes ------------------------------------------------------------------------------------------------------------


async def test_a_muted_member_cannot_post_until_the_mute_ends(world: World) -> None:
    group_id = await world.group(BOB)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    (event,) = world.take(MemberChanged)
    assert event.muted_until == world.clock.now() + timedelta(seconds=60)
    world.clock.move(seconds=59, milliseconds=999)
    with pytest.raises(Muted):
        await world.post(BOB, group_id)
    world.clock.move(milliseconds=1)
    assert await world.post(BOB, group_id) == 1


async def test_a_mute_can_be_ended_early(world: World) -> None:
    group_id = await world.group(BOB)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=0)
    assert await world.post(BOB, group_id) == 1
    assert (await world.member(group_id, BOB)).muted_until is None
    assert await world.rows("restrictions") == []


@pytest.mark.parametrize("how", ["leaves", "is removed", "is banned"])
async def test_a_mute_outlives_leaving_and_joining_again(world: World, how: str) -> None:
    group_id = await world.group(BOB)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    match how:
        case "leaves":
            await world.membership.leave(BOB, group_id)
        case "is removed":
            await world.membership.remove(ADA, group_id, BOB.user_id)
        case _:
            await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
            await world.membership.unban(ADA, group_id, BOB.user_id)
    await world.membership.join(BOB, group_id)
    with pytest.raises(Muted):
        await world.post(BOB, group_id)
    world.clock.move(seconds=60)
    assert await world.post(BOB, group_id) == 1


async def test_a_new_owner_is_never_muted(world: World) -> None:
    group_id = await world.group(BOB)
    await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=60)
    await world.membership.transfer(ADA, group_id, BOB.user_id)
    assert (await world.member(group_id, BOB)).muted_until is None
    assert await world.post(BOB, group_id) == 1
    assert await world.rows("restrictions") == []


async def test_when_all_are_muted_only_the_owner_and_admins_post(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT])
    await world.updates.update(ADA, group_id, GroupChanges(muted_all=True))
    with pytest.raises(Muted):
        await world.post(BOB, group_id)
    assert [await world.post(actor, group_id) for actor in (CAT, ADA, ROOT)] == [1, 2, 3]
    await world.updates.update(ADA, group_id, GroupChanges(muted_all=False))
    assert await world.post(BOB, group_id) == 4


async def test_an_admin_mutes_only_members_with_a_lower_role(world: World) -> None:
    group_id = await world.group(BOB, admins=[CAT, DAN])
    change = world.membership.change
    await change(CAT, group_id, BOB.user_id, mute_seconds=1)
    for user in (CAT, DAN, ADA):
        with pytest.raises(PermissionRefused):
            await change(CAT, group_id, user.user_id, mute_seconds=1)
    with pytest.raises(PermissionRefused):
        await change(BOB, group_id, BOB.user_id, mute_seconds=0)


# --- join requests ----------------------------------------------------------------------------------------------------


async def test_asking_twice_makes_one_request_and_one_event(world: World) -> None:
    group_id = await world.group(type=PUBLIC, admins=[CAT])
    first = await world.membership.join(BOB, group_id, text="please")
    again = await world.membership.join(BOB, group_id, text="please!")
    assert (first.changed, first.is_pending) == (True, True)
    assert (again.changed, again.is_pending) == (False, True)
    (event,) = world.take(JoinRequested)
    assert (event.user_id, event.text, set(event.audience)) == ("bob", "please", {"ada", "cat"})
    found, _ = await world.membership.list_requests(CAT, group_id, limit=9, cursor=None)
    assert [(r.user_id, r.text, r.requested_at) for r in found] == [
        ("bob", "please", world.clock.now())
    ]
    assert await world.member_count(group_id) == 2


async def test_approving_turns_a_request_into_a_membership(world: World) -> None:
    group_id = await world.group(type=PUBLIC, admins=[CAT])
    await world.membership.join(BOB, group_id)
    world.heard.clear()
    assert (await world.membership.approve(CAT, group_id, BOB.user_id)).changed
    assert [e.user_ids for e in world.take(MembersJoined)] == [("bob",)]
    assert await world.requests(group_id) == []
    assert not (await world.membership.approve(CAT, group_id, BOB.user_id)).changed
    assert world.heard == []
    await world.check_sound(group_id)


async def test_a_refused_user_is_notified_and_may_ask_again(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    await world.membership.join(BOB, group_id)
    await world.membership.refuse(ADA, group_id, BOB.user_id)
    assert [e.user_id for e in world.take(JoinRefused)] == ["bob"]
    assert await world.requests(group_id) == []
    for answer in (world.membership.refuse, world.membership.approve):
        with pytest.raises(JoinRequestNotFound):
            await answer(ADA, group_id, BOB.user_id)
    assert (await world.membership.join(BOB, group_id)).is_pending
    assert await world.requests(group_id) == ["bob"]


async def test_a_user_withdraws_only_their_own_request(world: World) -> None:
    group_id = await world.group(CAT, type=PUBLIC)
    await world.membership.join(BOB, group_id)
    for actor in (CAT, DAN):
        with pytest.raises(PermissionRefused):
            await world.membership.refuse(actor, group_id, BOB.user_id)
        with pytest.raises(PermissionRefused):
            await world.membership.approve(actor, group_id, BOB.user_id)
    world.heard.clear()
    await world.membership.refuse(BOB, group_id, BOB.user_id)
    (answered,) = world.heard
    assert isinstance(answered, JoinAnswered)
    assert (answered.outcome, answered.audience) == ("withdrawn", (ADA.user_id,))
    with pytest.raises(JoinRequestNotFound):
        await world.membership.refuse(BOB, group_id, BOB.user_id)
    with pytest.raises(JoinRequestNotFound):
        await world.membership.approve(ADA, group_id, BOB.user_id)


async def test_a_request_reserves_no_place_below_the_limit(world: World) -> None:
    group_id = await world.group(type=PUBLIC, member_limit=2)
    for user in (BOB, CAT):
        assert (await world.membership.join(user, group_id)).is_pending
    await world.membership.approve(ADA, group_id, BOB.user_id)
    with pytest.raises(MemberLimitReached):
        await world.membership.approve(ADA, group_id, CAT.user_id)
    assert await world.requests(group_id) == ["cat"]
    await world.membership.leave(BOB, group_id)
    await world.membership.approve(ADA, group_id, CAT.user_id)
    await world.check_sound(group_id)


async def test_a_request_refused_and_repeated_in_one_batch_waits(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    await world.membership.join(BOB, group_id)
    _, again = await asyncio.gather(
        world.membership.refuse(ADA, group_id, BOB.user_id),
        world.membership.join(BOB, group_id, text="please"),
    )
    assert again.is_pending
    assert await world.requests(group_id) == ["bob"]


async def test_adding_or_banning_a_user_closes_their_request(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    for user in (BOB, CAT):
        await world.membership.join(user, group_id)
    await world.membership.add(ADA, group_id, BOB.user_id)
    assert await world.requests(group_id) == ["cat"]
    await world.membership.remove(ADA, group_id, CAT.user_id, ban=True)
    assert await world.requests(group_id) == []
    with pytest.raises(JoinRequestNotFound):
        await world.membership.approve(ADA, group_id, CAT.user_id)
    await world.check_sound(group_id)


async def test_approving_the_request_of_a_member_closes_it(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    await world.membership.join(BOB, group_id)
    await world.updates.update(ADA, group_id, GroupChanges(join_option=JoinOption.FREE))
    assert (await world.membership.join(BOB, group_id)).member is not None
    assert not (await world.membership.approve(ADA, group_id, BOB.user_id)).changed
    assert await world.requests(group_id) == []
    assert await world.members(group_id) == {"ada": OWNER, "bob": MEMBER}


async def test_banned_users_cannot_ask_and_the_application_joins_at_once(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    await world.membership.remove(ADA, group_id, BOB.user_id, ban=True)
    with pytest.raises(Banned):
        await world.membership.join(BOB, group_id)
    assert (await world.membership.join(ROOT, group_id)).member is not None


# --- lists ------------------------------------------------------------------------------------------------------------


async def _ids(world: World, group_id: GroupId, **wanted: object) -> list[str]:
    """All members in pages of two."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page, cursor = await world.membership.list_members(
            BOB,
            group_id,
            limit=2,
            cursor=cursor,
            **wanted,  # type: ignore[arg-type]  # the tests say which
        )
        found += [member.user_id for member in page]
        if cursor is None:
            return found


async def test_members_are_paged_by_id_and_filtered_by_prefix_or_role(world: World) -> None:
    users = [a_user(name) for name in ("bea", "ben", "béa", "b", "zoe", "茶")]
    group_id = await world.group(BOB, *users, admins=[CAT, DAN])
    everyone = sorted(["ada", "bob", "cat", "dan", *(user.user_id for user in users)])
    assert await _ids(world, group_id) == everyone
    assert await _ids(world, group_id, words="be") == ["bea", "ben"]
    assert await _ids(world, group_id, words="b") == ["b", "bea", "ben", "bob", "béa"]
    assert await _ids(world, group_id, words="茶") == ["茶"]
    assert await _ids(world, group_id, words="x") == []
    assert await _ids(world, group_id, staff_only=True) == ["ada", "cat", "dan"]


async def test_the_list_of_one_group_never_shows_another(world: World) -> None:
    one = await world.group(BOB, type=MEETING, group_id=GroupId("tea"))
    await world.group(EVE, type=MEETING, group_id=GroupId("tea2"))
    assert await _ids(world, one) == ["ada", "bob"]
    # Nor does a cursor that was made elsewhere lead there.
    _, cursor = await world.membership.list_members(ADA, one, limit=1, cursor=None)
    with pytest.raises(BadCursor):
        await world.membership.list_bans(ADA, one, limit=1, cursor=cursor)


async def test_bans_and_requests_are_paged(world: World) -> None:
    group_id = await world.group(type=PUBLIC)
    for number in range(3):
        await world.membership.join(a_user(f"asks{number}"), group_id)
        await world.membership.remove(ADA, group_id, UserId(f"banned{number}"), ban=True)
    for list_them, prefix in (
        (world.membership.list_bans, "banned"),
        (world.membership.list_requests, "asks"),
    ):
        first, cursor = await list_them(ADA, group_id, limit=2, cursor=None)
        rest, end = await list_them(ADA, group_id, limit=2, cursor=cursor)
        assert [item.user_id for item in (*first, *rest)] == [f"{prefix}{n}" for n in range(3)]
        assert end is None


async def test_members_see_themselves_and_others_only_where_listed(world: World) -> None:
    chat, channel = await world.group(BOB, CAT), await world.channel(BOB, CAT)
    get = world.membership.get_member
    assert (await get(BOB, chat, CAT.user_id)).user_id == "cat"
    assert (await get(BOB, channel, BOB.user_id)).user_id == "bob"
    assert (await get(ADA, channel, CAT.user_id)).user_id == "cat"
    for refused in (
        get(BOB, channel, CAT.user_id),
        get(DAN, chat, CAT.user_id),
        world.membership.list_members(BOB, channel, limit=1, cursor=None),
    ):
        with pytest.raises(PermissionRefused):
            await refused
    with pytest.raises(MemberNotFound):
        await get(BOB, chat, DAN.user_id)


async def test_every_call_on_a_missing_group_raises_group_not_found(world: World) -> None:
    await world.group()
    none = GroupId("@TGS#_none")
    calls = world.membership
    for refused in (
        calls.join(BOB, none),
        calls.add(ADA, none, BOB.user_id),
        calls.leave(BOB, none),
        calls.remove(ADA, none, BOB.user_id),
        calls.unban(ADA, none, BOB.user_id),
        calls.change(ADA, none, BOB.user_id, role=ADMIN),
        calls.transfer(ADA, none, BOB.user_id),
        calls.approve(ADA, none, BOB.user_id),
        calls.refuse(ADA, none, BOB.user_id),
        calls.list_members(ADA, none, limit=1, cursor=None),
        calls.get_member(ADA, none, ADA.user_id),
    ):
        with pytest.raises(GroupNotFound):
            await refused


# --- events, through the bus of another process -----------------------------------------------------------------------


async def test_another_process_receives_each_event_once(open_world: OpenWorld) -> None:
    world, other = await open_world(), await open_world()
    group_id = await world.group(type=MEETING)
    await other.bus.start()
    for _ in range(2):
        await world.membership.join(BOB, group_id)
        await world.membership.change(ADA, group_id, BOB.user_id, mute_seconds=0)
        await world.membership.change(ADA, group_id, BOB.user_id, role=ADMIN)
        await world.updates.update(ADA, group_id, GroupChanges(name="Coffee"))
        await world.messages.post(BOB, group_id, text(), key="k")
    for _ in range(2):
        await world.membership.leave(BOB, group_id)
    wanted = ["members.joined", "member.changed", "group.updated", "message.posted", "members.left"]
    deadline = Deadline()
    while not any(isinstance(event, MembersLeft) for event in other.heard):
        deadline.check("the last event")
        await asyncio.sleep(0.005)
    assert [event.type for event in other.heard] == wanted
    assert await _without_creation(world) == other.heard


async def _without_creation(world: World) -> list[Event]:
    return (await world.outbox())[1:]
