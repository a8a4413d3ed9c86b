"""Endpoints of polls in groups: vote, take the vote back, close, who voted."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from groups.errors import (
    Banned,
    BusinessAccount,
    ChannelSuspended,
    GroupNotFound,
    MessageNotFound,
    MessageRecalled,
    Muted,
    PollClosed,
    PostingNotAllowed,
    ReactingBanned,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, Response, delete, get, post, put
from groups.kernel.errors import BadCursor, PermissionRefused, RateLimited
from groups.kernel.ids import GroupIdText, UserId
from groups.kernel.paging import Page, PageQuery
from groups.models import User
from groups.routes.messages import Seq
from groups.routes.responses.fields import Instant
from groups.routes.responses.polls import PollResponse, VoteBody, rendered_poll
from groups.service.users import UserService
from reactions.polls.errors import NotAPoll
from reactions.polls.service.polls import PollService, Voted

Option = Annotated[int, Field(ge=0, lt=100, examples=[0], description="Its place, from 0.")]

VOTE_ERRORS = (
    PermissionRefused,
    UserRestricted,
    ChannelSuspended,
    Banned,
    BusinessAccount,
    ReactingBanned,
    MessageRecalled,
    NotAPoll,
    PollClosed,
)
"""The errors of a vote, but for a group or message that does not exist."""
CLOSING_ERRORS = (
    PermissionRefused,
    UserRestricted,
    ChannelSuspended,
    PostingNotAllowed,
    Muted,
    Banned,
    MessageRecalled,
    NotAPoll,
    RateLimited,
)
"""The errors of closing a poll, which are those of an edit."""


class VoterResponse(Response):
    """A user who chose the option."""

    user_id: UserId
    name: str
    face_url: str
    voted_at: Instant


def voted_response(voted: Voted, polls: PollService) -> Rendered[PollResponse]:
    """Return the poll as its voter sees it."""
    return rendered_poll(voted.access, voted.poll, voted.tally, polls.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRoutes:
    """Polls among the messages of groups, and so among the posts of channels."""

    tag = "Polls"

    polls: PollService
    users: UserService

    @put(
        "/v1/groups/{group_id}/messages/{seq}/vote",
        errors=[GroupNotFound, MessageNotFound, *VOTE_ERRORS],
    )
    async def vote(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, body: VoteBody
    ) -> Rendered[PollResponse]:
        """Vote in a poll, or change your vote: the options replace those that you chose before."""
        voted = await self.polls.vote(actor, group_id, seq, body.options)
        return voted_response(voted, self.polls)

    @delete(
        "/v1/groups/{group_id}/messages/{seq}/vote",
        errors=[GroupNotFound, MessageNotFound, *VOTE_ERRORS],
    )
    async def take_vote_back(
        self, actor: Actor, group_id: GroupIdText, seq: Seq
    ) -> Rendered[PollResponse]:
        """Take your vote back, while the poll is open."""
        voted = await self.polls.vote(actor, group_id, seq, ())
        return voted_response(voted, self.polls)

    @get(
        "/v1/groups/{group_id}/messages/{seq}/vote/{option}",
        errors=[
            GroupNotFound,
            MessageNotFound,
            PermissionRefused,
            Banned,
            MessageRecalled,
            NotAPoll,
            BadCursor,
        ],
    )
    async def voters(
        self, actor: Actor, group_id: GroupIdText, seq: Seq, option: Option, query: PageQuery
    ) -> Page[VoterResponse]:
        """List the users who chose an option, by id: for members who see the results. In a channel nobody may."""
        votes, next_cursor = await self.polls.list_voters(
            actor, group_id, seq, option, limit=query.limit, cursor=query.cursor
        )
        profiles = await self.users.find_users(vote.user_id for vote in votes)
        items: list[VoterResponse] = []
        for vote in votes:
            user = profiles.get(vote.user_id) or User(user_id=vote.user_id)
            items.append(
                VoterResponse(
                    user_id=user.user_id, name=user.name, face_url=user.face_url, voted_at=vote.at
                )
            )
        return Page(items=items, next_cursor=next_cursor)

    @post(
        "/v1/groups/{group_id}/messages/{seq}/poll/close",
        errors=[GroupNotFound, MessageNotFound, BusinessAccount, *CLOSING_ERRORS],
    )
    async def close(self, actor: Actor, group_id: GroupIdText, seq: Seq) -> Rendered[PollResponse]:
        """Close a poll now (who may edit it): it takes no more votes, and everybody sees the results."""
        return voted_response(await self.polls.close_poll(actor, group_id, seq), self.polls)
