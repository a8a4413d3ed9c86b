"""Invite links as those see them who have one: what they lead to, and joining by them.

Promises:
    Exact: a link never lets in more than its `max_uses`, under any race and in any number of processes, since the join
    and its count are one transaction of the group's membership queue.
    Discreet: without a code nobody learns anything. With one, everybody learns the group's name, picture,
    introduction and number of members, and nothing else of a private group. A banned user learns nothing,
    and of a channel that the application hides only its owner learns anything.
    A preview costs two database commands, a join by a link one more than another join, at any size.
"""

from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound, InviteLinkNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import UserId
from groups.kernel.mongo import Database
from groups.models import Group, InviteLink, JoinRequest
from groups.service.membership.commands import Join, Membership
from groups.service.membership.queue import MembershipQueue, membership
from groups.service.stores import GroupStores

NOBODY = Actor(UserId(""))
"""A visitor without a token. No user has an empty id, so this is a stranger everywhere."""


@dataclass(frozen=True, slots=True)
class InvitePreview:
    """Where an invite link leads, for the user who opens it."""

    link: InviteLink
    group: Group
    is_member: bool
    request: JoinRequest | None
    """The user's own, which waits for an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitedService:
    """Shows and uses invite links."""

    database: Database
    stores: GroupStores
    queue: MembershipQueue
    clock: Clock

    async def preview(self, actor: Actor | None, code: str) -> InvitePreview:
        """Where the link leads; `actor` is None before somebody signs in. A member sees it also when it has ended.

        Raises: InviteLinkNotFound, InviteLinkEnded.
        """
        link = await self._known(code)
        group_id, stores = link.group_id, self.stores
        user_id = (actor or NOBODY).user_id
        of_group = stores.groups.query_group(group_id)
        of_members = stores.members.query_members(group_id, [user_id])
        of_restrictions = stores.restrictions.query_restrictions(group_id, [user_id])
        of_request = stores.requests.query_request(group_id, user_id)
        also = (of_members, of_restrictions, of_request) if actor is not None else ()
        await self.database.fetch_together(of_group, *also)
        group = of_group.result
        # One that the application hid is as if absent, and shows neither its name nor that it was there.
        if group is None or group.is_hidden:
            raise InviteLinkNotFound
        member = restriction = request = None
        if actor is not None:
            member = of_members.result.get(user_id)
            restriction = of_restrictions.result.get(user_id)
            request = of_request.result
        role = policy.effective_role_of(actor or NOBODY, member, restriction)
        if group.is_hidden and not policy.may_see(group, role):
            raise InviteLinkNotFound
        if member is None:
            policy.check(policy.joining_by_link_refusal(role, link, self.clock.now()))
        return InvitePreview(link, group, member is not None, request)

    async def join(
        self, actor: Actor, code: str, *, text: str = ""
    ) -> tuple[InviteLink, Membership]:
        """Join by the link, or ask to where it wants approval (`is_pending`). Repeating it changes nothing.

        A member, and a user who asked already, use nothing. Publishes: MembersJoined, or JoinRequested;
        InviteLinkUsed. Raises: InviteLinkNotFound, InviteLinkEnded, BusinessAccount, and what refuses other joins.
        """
        link = await self._known(code)
        try:
            outcome = await self.queue.submit(link.group_id, Join(actor, text, link.code))
        except GroupNotFound:
            raise InviteLinkNotFound from None
        return link, membership(outcome)

    async def _known(self, code: str) -> InviteLink:
        link = await self.stores.invite_links.find_link(code)
        if link is None or link.revoked_at is not None:
            raise InviteLinkNotFound
        return link
