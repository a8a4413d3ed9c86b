"""Membership against a simple model, step by step, with any actions in any order.

The model is a dictionary and a few rules. The services run on mongomock, in an event loop of the machine's own, since
Hypothesis calls the rules outside of any event loop.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.models import GroupType, Role
from tests.builders import ADA, BOB, CAT, DAN, EVE, ROOT, World, mock_world

T = TypeVar("T")

LIMIT = 4
USERS = st.sampled_from([ADA, BOB, CAT, DAN, EVE])
ACTORS = st.sampled_from([ADA, BOB, CAT, DAN, EVE, ROOT])
POWER = {Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


class Groups(RuleBasedStateMachine):
    """One Community of at most four members; the sets and `roles` are the expected state.

    The users in `left` left by themselves or declined to join, those in `invited` see an invitation, and those in
    `declined` are not asked again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world: World = mock_world(posts_per_second=0)
        self.group_id = GroupId("@TGS#_tea")
        self.roles: dict[str, Role] = {"ada": Role.OWNER}
        self.banned: set[str] = set()
        self.left: set[str] = set()
        self.invited: set[str] = set()
        self.declined: set[str] = set()
        self.posts = 0

    def teardown(self) -> None:
        self.loop.close()

    def done(self, call: Awaitable[object]) -> str | None:
        """Make the call. Returns the code of its error, or None."""
        try:
            self.loop.run_until_complete(_as_coroutine(call))
        except DomainError as refusal:
            return refusal.code
        return None

    def power(self, actor: Actor) -> int:
        if actor.is_app_admin:
            return 4
        role = self.roles.get(actor.user_id)
        return POWER[role] if role else 0

    def power_of(self, user_id: str) -> int:
        return POWER[self.roles[user_id]] if user_id in self.roles else 0

    @initialize()
    def create(self) -> None:
        made = self.world.group(
            group_id=self.group_id, type=GroupType.COMMUNITY, member_limit=LIMIT
        )
        self.loop.run_until_complete(made)

    @rule(user=USERS)
    def join(self, user: Actor) -> None:
        code = self.done(self.world.membership.join(user, self.group_id))
        if user.user_id in self.roles:
            assert code is None
        elif user.user_id in self.banned:
            assert code == "banned"
        elif len(self.roles) == LIMIT:
            assert code == "member_limit_reached"
        else:
            assert code is None
            self.came_in(user)

    def came_in(self, user: Actor) -> None:
        self.roles[user.user_id] = Role.MEMBER
        for those in (self.left, self.invited, self.declined):
            those.discard(user.user_id)

    @rule(user=USERS)
    def leave(self, user: Actor) -> None:
        code = self.done(self.world.membership.leave(user, self.group_id))
        if self.roles.get(user.user_id) is Role.OWNER:
            assert code == "owner_cannot_leave"
        else:
            assert code is None
            if self.roles.pop(user.user_id, None):
                self.left.add(user.user_id)

    @rule(user=USERS, accept=st.booleans())
    def answer(self, user: Actor, accept: bool) -> None:
        answer = self.world.chat.invitations.answer(user, self.group_id, accept=accept)
        is_invited, code = user.user_id in self.invited, self.done(answer)
        if not is_invited:
            # A member may accept again.
            assert code in {None, "invitation_not_found", "banned"}
        elif not accept:
            assert code is None
            self.invited.remove(user.user_id)
            self.left.add(user.user_id)
            self.declined.add(user.user_id)
        elif len(self.roles) == LIMIT:
            assert code == "member_limit_reached"
        else:
            assert code is None
            self.came_in(user)

    @rule(actor=ACTORS, user=USERS)
    def add(self, actor: Actor, user: Actor) -> None:
        code = self.done(self.world.membership.add(actor, self.group_id, user.user_id))
        if self.power(actor) < 2:
            assert code == "permission_denied"
        elif user.user_id in self.roles:
            assert code is None
        elif len(self.roles) == LIMIT:
            assert code == "member_limit_reached"
        else:
            assert code is None
            self.banned.discard(user.user_id)
            if actor.is_app_admin or user.user_id not in self.left | self.invited:
                self.came_in(user)
            elif user.user_id not in self.declined:
                self.invited.add(user.user_id)

    @rule(actor=ACTORS, user=USERS, ban=st.booleans())
    def remove(self, actor: Actor, user: Actor, ban: bool) -> None:
        code = self.done(self.world.membership.remove(actor, self.group_id, user.user_id, ban=ban))
        if self.power(actor) < 2 or self.power_of(user.user_id) >= self.power(actor):
            assert code == "permission_denied"
        elif self.roles.get(user.user_id) is Role.OWNER:
            assert code == "owner_cannot_leave"
        else:
            assert code is None
            self.roles.pop(user.user_id, None)
            if ban:
                self.banned.add(user.user_id)
                self.invited.discard(user.user_id)

    @rule(actor=ACTORS, user=USERS)
    def unban(self, actor: Actor, user: Actor) -> None:
        code = self.done(self.world.membership.unban(actor, self.group_id, user.user_id))
        assert code == (None if self.power(actor) >= 2 else "permission_denied")
        if code is None:
            self.banned.discard(user.user_id)

    @rule(actor=ACTORS, user=USERS, role=st.sampled_from([Role.ADMIN, Role.MEMBER]))
    def appoint(self, actor: Actor, user: Actor, role: Role) -> None:
        code = self.done(
            self.world.membership.change(actor, self.group_id, user.user_id, role=role)
        )
        is_own = actor.user_id == user.user_id
        if not is_own and self.power(actor) < 2:
            assert code == "permission_denied"
        elif user.user_id not in self.roles:
            assert code == "member_not_found"
        elif self.roles[user.user_id] is role:
            assert code is None
        elif self.power(actor) < 3 or self.roles[user.user_id] is Role.OWNER:
            assert code == "permission_denied"
        else:
            assert code is None
            self.roles[user.user_id] = role

    @rule(actor=ACTORS, user=USERS)
    def transfer(self, actor: Actor, user: Actor) -> None:
        code = self.done(self.world.membership.transfer(actor, self.group_id, user.user_id))
        if self.power(actor) < 3:
            assert code == "permission_denied"
        elif user.user_id not in self.roles:
            assert code == "member_not_found"
        else:
            assert code is None
            if self.roles[user.user_id] is not Role.OWNER:
                self.roles = {
                    u: Role.ADMIN if role is Role.OWNER else role for u, role in self.roles.items()
                }
                self.roles[user.user_id] = Role.OWNER

    @rule(actor=ACTORS)
    def post(self, actor: Actor) -> None:
        code = self.done(self.world.post(actor, self.group_id))
        if self.power(actor):
            assert code is None
            self.posts += 1
        else:
            banned = actor.user_id in self.banned
            assert code == ("banned" if banned else "posting_not_allowed")

    @rule(users=st.lists(USERS, min_size=2, max_size=6))
    def join_together(self, users: list[Actor]) -> None:
        """Join in one batch: each user gets the outcome of joining alone, in their order."""

        async def join() -> list[object]:
            calls = (self.world.membership.join(user, self.group_id) for user in users)
            return list(await asyncio.gather(*calls, return_exceptions=True))

        for user, outcome in zip(users, self.loop.run_until_complete(join()), strict=True):
            code = outcome.code if isinstance(outcome, DomainError) else None
            if user.user_id in self.roles:
                assert code is None
            elif user.user_id in self.banned:
                assert code == "banned"
            elif len(self.roles) == LIMIT:
                assert code == "member_limit_reached"
            else:
                assert code is None
                self.came_in(user)

    @invariant()
    def state_matches_the_model(self) -> None:
        if not self.loop.run_until_complete(self.world.rows("groups")):
            return  # not created yet

        async def look() -> None:
            for user in (ADA, BOB, CAT, DAN, EVE):
                shown, _ = await self.world.chat.invitations.list_of_user(
                    user, limit=1, cursor=None
                )
                assert bool(shown) is (user.user_id in self.invited)
            assert await self.world.members(self.group_id) == self.roles
            assert await self.world.bans(self.group_id) == sorted(self.banned)
            assert await self.world.seqs(ROOT, self.group_id) == list(
                range(max(1, self.posts - 99), self.posts + 1)
            )
            await self.world.check_sound(self.group_id)

        self.loop.run_until_complete(look())
        assert len(self.roles) <= LIMIT


async def _as_coroutine(call: Awaitable[T]) -> T:
    return await call


TestGroups = Groups.TestCase
TestGroups.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
