"""Admins under races: their limit, removed grants, invitations. Two processes, one database."""

import asyncio
from collections.abc import Awaitable, Sequence

from groups.errors import (
    AdminLimitReached,
    Banned,
    GroupNotFound,
    InvitationNotFound,
    PostingNotAllowed,
)
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.ids import GroupId
from groups.models import AdminAction, Grant, Role
from groups.service.membership.service import Membership
from tests.builders import ADA, BOB, CAT, ROOT, OpenWorld, World, a_user, text


async def _together(calls: Sequence[Awaitable[object]]) -> list[object]:
    """The outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return list(outcomes)


async def _admins(world: World, group_id: GroupId) -> list[str]:
    return [u for u, role in (await world.members(group_id)).items() if role is Role.ADMIN]


async def test_racing_appointments_never_pass_the_limit_of_admins(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(admins=5) for _ in range(2)]
    appointed = [a_user(f"m{n}") for n in range(10)]
    invited = [a_user(f"i{n}") for n in range(10)]
    group_id = await worlds[0].channel(*appointed)
    for user in invited:
        await worlds[0].chat.invitations.invite(ADA, group_id, user.user_id, frozenset(Grant))
    appointing = [
        worlds[n % 2].membership.change(ADA, group_id, user.user_id, role=Role.ADMIN)
        for n, user in enumerate(appointed)
    ]
    accepting = [
        worlds[n % 2].chat.invitations.answer(user, group_id, accept=True)
        for n, user in enumerate(invited)
    ]
    outcomes = await _together(
        [call for pair in zip(appointing, accepting, strict=True) for call in pair]
    )
    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, AdminLimitReached) for outcome in outcomes) == 15
    assert len(await _admins(worlds[0], group_id)) == 5
    actions = [row["action"] for row in await worlds[0].rows("admin_log", group_id=group_id)]
    made = {AdminAction.ADMIN_ADDED.value, AdminAction.INVITATION_ACCEPTED.value}
    assert sum(action in made for action in actions) == 5
    await worlds[0].check_sound(group_id)


async def test_racing_dismissals_and_appointments_keep_the_limit(open_world: OpenWorld) -> None:
    worlds = [await open_world(admins=3) for _ in range(2)]
    crowd = [a_user(f"m{n}") for n in range(12)]
    group_id = await worlds[0].channel(*crowd)
    for user in crowd[:3]:
        await worlds[0].membership.change(ADA, group_id, user.user_id, role=Role.ADMIN)
    calls: list[Awaitable[object]] = []
    for n, user in enumerate(crowd):
        role = Role.MEMBER if n < 3 else Role.ADMIN
        calls.append(worlds[n % 2].membership.change(ADA, group_id, user.user_id, role=role))
    outcomes = await _together(calls)
    admins = await _admins(worlds[0], group_id)
    made = [o for o in outcomes[3:] if isinstance(o, Membership)]
    assert len(admins) == len(made) <= 3
    assert {m.member.user_id for m in made if m.member} == set(admins)


async def test_a_transfer_racing_appointments_keeps_limit_and_former_owner(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(admins=2) for _ in range(2)]
    crowd = [a_user(f"m{n}") for n in range(6)]
    group_id = await worlds[0].channel(BOB, *crowd)
    calls: list[Awaitable[object]] = [worlds[1].membership.transfer(ADA, group_id, BOB.user_id)]
    calls += [
        worlds[n % 2].membership.change(ROOT, group_id, user.user_id, role=Role.ADMIN)
        for n, user in enumerate(crowd)
    ]
    given, *_ = await _together(calls)
    admins = await _admins(worlds[0], group_id)
    assert len(admins) == 2
    assert isinstance(given, Membership) is ("ada" in admins)
    assert isinstance(given, Membership | AdminLimitReached)
    await worlds[0].check_sound(group_id)


async def test_no_post_is_accepted_after_the_grant_is_removed(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world(posts_per_second=0) for _ in range(2)]
    group_id = await worlds[0].group(admins=[BOB], posting="owner_and_admins")
    is_revoked = False
    late: list[bool] = []

    async def write(world: World) -> int:
        posted = 0
        while True:
            began_late = is_revoked
            try:
                await world.messages.post(BOB, group_id, text())
            except PostingNotAllowed:
                return posted
            late.append(began_late)
            posted += 1

    writing = [asyncio.create_task(write(world)) for world in worlds for _ in range(4)]
    while len(late) < 40:
        await asyncio.sleep(0)
        assert not all(task.done() for task in writing)
    await worlds[0].membership.change(
        ADA, group_id, BOB.user_id, role=Role.ADMIN, grants=frozenset({Grant.EDIT_POSTS})
    )
    is_revoked = True
    posted = sum(await asyncio.gather(*writing))
    assert posted == len(late) >= 40
    assert not any(late)


async def test_an_act_racing_the_removal_of_its_grant_is_before_or_after(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    crowd = [a_user(f"m{n}") for n in range(10)]
    group_id = await worlds[0].channel(*crowd, admins=[BOB])
    calls: list[Awaitable[object]] = [
        worlds[n % 2].membership.remove(BOB, group_id, user.user_id) for n, user in enumerate(crowd)
    ]
    calls.insert(
        5,
        worlds[0].membership.change(
            ADA, group_id, BOB.user_id, role=Role.ADMIN, grants=frozenset()
        ),
    )
    outcomes = await _together(calls)
    assert all(isinstance(o, Membership | PermissionRefused) for o in outcomes)
    gone = {u.user_id for u in crowd} - (await worlds[0].members(group_id)).keys()
    log = await worlds[0].rows("admin_log", group_id=group_id)
    log.sort(key=lambda row: str(row["_id"]))
    removed = [row["target_id"] for row in log if row["action"] == "subscriber_removed"]
    assert sorted(removed) == sorted(gone)
    assert sum(isinstance(o, PermissionRefused) for o in outcomes) == 10 - len(gone)


async def test_an_invitation_is_accepted_or_revoked_never_both(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].channel()
    for n in range(12):
        user = a_user(f"u{n}")
        invitations = [world.chat.invitations for world in worlds]
        await invitations[0].invite(ADA, group_id, user.user_id, frozenset(Grant))
        accepted, _ = await _together(
            [
                invitations[n % 2].answer(user, group_id, accept=True),
                invitations[(n + 1) % 2].revoke(ADA, group_id, user.user_id),
            ]
        )
        is_admin = user.user_id in await _admins(worlds[0], group_id)
        assert isinstance(accepted, Membership) is is_admin
        assert isinstance(accepted, Membership | InvitationNotFound)
        open_ones, _ = await invitations[0].list_of_group(ADA, group_id, limit=1, cursor=None)
        assert open_ones == []
    await worlds[0].check_sound(group_id)


async def test_an_acceptance_racing_a_ban_leaves_no_banned_admin(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].channel(CAT)
    for n in range(12):
        user = a_user(f"u{n}")
        await worlds[0].chat.invitations.invite(ADA, group_id, user.user_id, frozenset(Grant))
        accepted, _ = await _together(
            [
                worlds[n % 2].chat.invitations.answer(user, group_id, accept=True),
                worlds[(n + 1) % 2].membership.remove(ADA, group_id, user.user_id, ban=True),
            ]
        )
        assert isinstance(accepted, Membership | Banned | InvitationNotFound | GroupNotFound)
        assert user.user_id not in await worlds[0].members(group_id)
    await worlds[0].check_sound(group_id)


async def test_accepting_on_many_devices_at_once_joins_once(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].channel()
    await worlds[0].chat.invitations.invite(ADA, group_id, BOB.user_id, frozenset(Grant))
    outcomes = await _together(
        [worlds[n % 2].chat.invitations.answer(BOB, group_id, accept=True) for n in range(20)]
    )
    assert sum(isinstance(o, Membership) and o.changed for o in outcomes) == 1
    assert all(isinstance(o, Membership) for o in outcomes)
    rows = await worlds[0].rows("admin_log", group_id=group_id, action="invitation_accepted")
    assert len(rows) == 1
    await worlds[0].check_sound(group_id)
