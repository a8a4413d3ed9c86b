"""Join requests, as those see them who answer them, and as the users who asked.

Every answer is a command in the group's membership queue, so it never runs past a join, a ban or another answer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.paging import page_by_text
from groups.models import Group, InviteLink, JoinRequest
from groups.service.access.guard import AccessGuard
from groups.service.membership.commands import Approve, Refuse
from groups.service.membership.queue import MembershipQueue
from groups.store.groups import GroupStore
from groups.store.invite_links import InviteLinkStore
from groups.store.join_requests import JoinRequestStore


@dataclass(frozen=True, slots=True)
class RequestPage:
    """A page of a group's join requests, and the invite links by which they were made, as far as these still exist."""

    requests: Sequence[JoinRequest]
    links: Mapping[str, InviteLink]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequestService:
    """Lists, answers and withdraws join requests."""

    requests: JoinRequestStore
    links: InviteLinkStore
    groups: GroupStore
    guard: AccessGuard
    queue: MembershipQueue

    async def list_of_group(
        self, actor: Actor, group_id: GroupId, *, limit: int, cursor: str | None
    ) -> RequestPage:
        """A page of the requests that wait, by user id (those who manage members)."""
        policy.check(policy.managing_refusal(await self.guard.access_of(actor, group_id)))
        read = partial(self.requests.list_of_group, group_id)
        found, next_cursor = await page_by_text(
            "requests", cursor, limit, read, lambda one: one.user_id
        )
        codes = {one.invite_link for one in found if one.invite_link is not None}
        return RequestPage(found, await self.links.find_links(codes), next_cursor)

    async def list_of_user(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[JoinRequest, Group]], str | None]:
        """A page of the actor's own requests that wait, by group id, each with its group.

        A request reveals that its group exists, and its name: a user who could ask knew both. Those to
        channels that the application hides are left out, so a page may have fewer than `limit`.
        """
        read = partial(self.requests.list_of_user, actor.user_id)
        found, next_cursor = await page_by_text(
            "own requests", cursor, limit, read, lambda one: one.group_id
        )
        groups = await self.groups.find_many([one.group_id for one in found]) if found else {}
        known = [(one, groups[one.group_id]) for one in found if one.group_id in groups]
        return [(one, group) for one, group in known if not group.is_hidden], next_cursor

    async def answer(
        self, actor: Actor, group_id: GroupId, user_id: UserId, *, approve: bool
    ) -> None:
        """Approve or refuse a request. Publishes: MembersJoined or JoinRefused; JoinAnswered.

        Raises: JoinRequestNotFound; InviteLinkEnded, where the link by which they asked has no use left.
        """
        command = Approve(actor, user_id) if approve else Refuse(actor, user_id)
        await self.queue.submit(group_id, command)

    async def answer_many(
        self, actor: Actor, group_id: GroupId, user_ids: Sequence[UserId], *, approve: bool
    ) -> list[DomainError | None]:
        """Answer the requests of several users, each as `answer` does; returns what refused each of them, in order.

        They share a transaction, and one that is refused changes nothing for the others.
        """
        policy.check(policy.managing_refusal(await self.guard.access_of(actor, group_id)))

        async def one(user_id: UserId) -> DomainError | None:
            try:
                await self.answer(actor, group_id, user_id, approve=approve)
            except DomainError as refusal:
                return refusal
            return None

        return list(await asyncio.gather(*map(one, user_ids)))

    async def withdraw(self, actor: Actor, group_id: GroupId) -> None:
        """Withdraw the actor's own request. Publishes: JoinAnswered. Raises: JoinRequestNotFound."""
        await self.queue.submit(group_id, Refuse(actor, actor.user_id))
