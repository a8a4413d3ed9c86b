"""Invite links under races: `max_uses`, limits and counts are exact. Two processes on one real database."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Any

from groups.errors import (
    InviteLinkEnded,
    InviteLinkLimitReached,
    InviteLinkNotFound,
    JoinRequestsPerUserReached,
)
from groups.events import InviteLinkUsed, MembersJoined
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.models import GroupType, InviteLink
from groups.service.invite_links.managing import InviteLinkChanges, NewInviteLink
from tests.builders import ADA, BOB, OpenWorld, World, a_user


async def _together(calls: Sequence[Awaitable[object]]) -> Counter[str]:
    """The classes of the outcomes of concurrent calls. An error other than a `DomainError` fails the test."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, DomainError):
            raise outcome
    return Counter(
        type(outcome).__name__ if isinstance(outcome, DomainError) else "done"
        for outcome in outcomes
    )


async def _link(world: World, group_id: GroupId, **new: Any) -> InviteLink:
    return await world.chat.invite_links.create(ADA, group_id, NewInviteLink(**new))


async def _stored(world: World, link: InviteLink) -> InviteLink:
    return await world.chat.invite_links.get(ADA, link.group_id, link.code)


async def test_two_hundred_who_join_by_a_link_for_ten_make_ten_members(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group(type=GroupType.WORK)
    link = await _link(worlds[0], group_id, max_uses=10)
    # Each tries twice, as a client does that lost the answer.
    users = [a_user(f"u{n}") for n in range(200)]
    outcomes = await _together(
        [worlds[n % 2].chat.invited.join(user, link.code) for n, user in enumerate(users * 2)]
    )
    members = await worlds[0].members(group_id)
    assert len(members) == 1 + 10
    assert outcomes["done"] >= 10
    assert outcomes["done"] + outcomes[InviteLinkEnded.__name__] == 400
    assert (await _stored(worlds[0], link)).uses == 10
    outbox = await worlds[0].outbox()
    joined = [e for e in outbox if isinstance(e, MembersJoined) and e.invite_links]
    assert sorted(u for e in joined for u in e.invite_links) == sorted(set(members) - {"ada"})
    used = [e for e in outbox if isinstance(e, InviteLinkUsed)]
    assert used[-1].uses == 10
    await worlds[0].check_sound(group_id)


async def test_approvals_never_let_in_more_than_the_link_may(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    link = await _link(worlds[0], group_id, max_uses=3, approval=True)
    users = [a_user(f"u{n}") for n in range(12)]
    for user in users:
        await worlds[0].chat.invited.join(user, link.code)
    outcomes = await _together(
        [
            worlds[n % 2].chat.requests.answer(ADA, group_id, user.user_id, approve=True)
            for n, user in enumerate(users)
        ]
    )
    assert outcomes == {"done": 3, InviteLinkEnded.__name__: 9}
    stored = await _stored(worlds[0], link)
    assert (stored.uses, stored.pending_requests) == (3, 9)
    assert len(await worlds[0].requests(group_id)) == 9


async def test_requests_are_counted_exactly_while_they_are_made_and_closed(
    open_world: OpenWorld,
) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    link = await _link(worlds[0], group_id, approval=True)
    other = await _link(worlds[0], group_id)
    users = [a_user(f"u{n}") for n in range(30)]

    async def ask_and_more(n: int) -> None:
        chat, user = worlds[n % 2].chat, users[n]
        await chat.invited.join(user, link.code)
        chat = worlds[(n + 1) % 2].chat
        match n % 5:
            case 0:
                await chat.requests.withdraw(user, group_id)
            case 1:
                await chat.requests.answer(ADA, group_id, user.user_id, approve=False)
            case 2:
                await chat.membership.join(user, group_id)
            case 3:
                await chat.invited.join(user, other.code)
            case _:
                await chat.membership.remove(ADA, group_id, user.user_id, ban=True)

    assert await _together([ask_and_more(n) for n in range(30)]) == {"done": 30}
    for one, uses in ((link, 0), (other, 6)):
        stored = await _stored(worlds[0], one)
        assert (stored.uses, stored.pending_requests) == (uses, 0)
    assert await worlds[0].requests(group_id) == []
    await worlds[0].check_sound(group_id)


async def test_a_revoked_link_lets_in_nobody_more(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    link = await _link(worlds[0], group_id)
    users = [a_user(f"u{n}") for n in range(40)]

    async def join_late(n: int) -> None:
        await asyncio.sleep(n / 400)
        await worlds[n % 2].chat.invited.join(users[n], link.code)

    async def revoke() -> None:
        await asyncio.sleep(0.05)
        await worlds[1].chat.invite_links.revoke(ADA, group_id, link.code)

    outcomes = await _together([*(join_late(n) for n in range(40)), revoke()])
    stored = await _stored(worlds[0], link)
    assert stored.uses == len(await worlds[0].members(group_id)) - 1 == outcomes["done"] - 1
    assert set(outcomes) <= {"done", InviteLinkNotFound.__name__}


async def test_limits_of_links_and_of_requests_hold(open_world: OpenWorld) -> None:
    worlds = [await open_world(invite_links=3, join_requests_per_user=3) for _ in range(2)]
    groups = [await worlds[0].group() for _ in range(8)]
    new = NewInviteLink(approval=True)
    made = [worlds[n % 2].chat.invite_links.create(ADA, groups[0], new) for n in range(10)]
    assert await _together(made) == {"done": 3, InviteLinkLimitReached.__name__: 7}
    links = [await _link(worlds[0], group_id, approval=True) for group_id in groups[1:]]
    asked = [worlds[n % 2].chat.invited.join(BOB, link.code) for n, link in enumerate(links)]
    assert await _together(asked) == {"done": 3, JoinRequestsPerUserReached.__name__: 4}


async def test_changing_a_link_beside_joins_loses_no_use(open_world: OpenWorld) -> None:
    worlds = [await open_world() for _ in range(2)]
    group_id = await worlds[0].group()
    link = await _link(worlds[0], group_id, max_uses=100)
    joins = [worlds[n % 2].chat.invited.join(a_user(f"u{n}"), link.code) for n in range(30)]
    changes = [
        worlds[n % 2].chat.invite_links.change(
            ADA, group_id, link.code, InviteLinkChanges(name=f"name {n}")
        )
        for n in range(6)
    ]
    assert await _together([*joins, *changes]) == {"done": 36}
    assert (await _stored(worlds[0], link)).uses == 30
