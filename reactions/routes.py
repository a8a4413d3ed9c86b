"""Endpoints of reactions: react, remove, the tally, the users who reacted."""

from collections.abc import Sequence
from dataclasses import dataclass

from groups.errors import (
    Banned,
    BusinessAccount,
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    ReactingBanned,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, Response, delete, get, put
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupIdText, UserId
from groups.kernel.paging import Page, PageQuery
from groups.kernel.text.emoji import EmojiText
from groups.models import User
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant
from groups.routes.responses.tallies import TallyResponse, rendered_tally, tally_response
from groups.service.users import UserService
from reactions.errors import (
    BadEmoji,
    DistinctReactionsReached,
    ReactionNotAllowed,
    ReactionsFrozen,
    ReactionsPerUserReached,
)
from reactions.models import Reaction
from reactions.service.reactions import ReactionService


class ReactorResponse(Response):
    """A user who holds the emoji."""

    user_id: UserId
    name: str
    face_url: str
    reacted_at: Instant


async def reactor_responses(
    users: UserService, reactions: Sequence[Reaction]
) -> list[ReactorResponse]:
    """Return the users who reacted, each with their name and avatar."""
    profiles = await users.find_users(reaction.user_id for reaction in reactions)
    responses: list[ReactorResponse] = []
    for reaction in reactions:
        user = profiles.get(reaction.user_id) or User(user_id=reaction.user_id)
        responses.append(
            ReactorResponse(
                user_id=user.user_id, name=user.name, face_url=user.face_url, reacted_at=reaction.at
            )
        )
    return responses


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionRoutes:
    """Reactions to the messages of groups, and so to the posts of channels."""

    tag = "Reactions"

    reactions: ReactionService
    users: UserService

    @put(
        "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}",
        errors=[
            UserRestricted,
            BadEmoji,
            GroupNotFound,
            PermissionRefused,
            Banned,
            BusinessAccount,
            ReactingBanned,
            MessageNotFound,
            MessageRecalled,
            ReactionNotAllowed,
            ReactionsFrozen,
            ReactionsPerUserReached,
            DistinctReactionsReached,
        ],
    )
    async def react(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """React with an emoji.

        Where a user may hold only one (`reactions_per_user` 1, as in channels), it replaces the old one.
        """
        return rendered_tally(await self.reactions.react(actor, group_id, seq, emoji))

    @delete(
        "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}",
        errors=[BadEmoji, GroupNotFound, PermissionRefused, Banned, MessageNotFound],
    )
    async def unreact(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, emoji: EmojiText
    ) -> Rendered[TallyResponse]:
        """Remove your reaction; this is always allowed."""
        return rendered_tally(await self.reactions.unreact(actor, group_id, seq, emoji))

    @get(
        "/v1/groups/{group_id}/messages/{seq}/reactions",
        errors=[GroupNotFound, PermissionRefused, Banned, MessageNotFound],
    )
    async def tally(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> TallyResponse:
        """Get the count of each emoji, their sum, and your own."""
        return tally_response(await self.reactions.get(actor, group_id, seq))

    @get(
        "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}",
        errors=[BadEmoji, GroupNotFound, PermissionRefused, Banned, MessageNotFound],
    )
    async def who(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, emoji: EmojiText, query: PageQuery
    ) -> Page[ReactorResponse]:
        """List the users who reacted with the emoji, by id: for members; in a channel for owner and admins only."""
        reactions, next_cursor = await self.reactions.list_reactors(
            actor, group_id, seq, emoji, limit=query.limit, cursor=query.cursor
        )
        return Page(items=await reactor_responses(self.users, reactions), next_cursor=next_cursor)
