"""Routes of polls among the posts of channels: vote, take the vote back, close. Nobody learns who voted."""

from dataclasses import dataclass

from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText
from channels.service.guard import ChannelGuard
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Rendered, delete, post, put
from groups.routes.messages import Seq
from groups.routes.responses.polls import PollResponse, VoteBody
from reactions.polls.routes import CLOSING_ERRORS, VOTE_ERRORS, voted_response
from reactions.polls.service.polls import PollService


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPollRoutes:
    """Polls among posts: messages of the channel's group."""

    tag = "Posts"

    channel: ChannelGuard
    polls: PollService

    @put(
        "/v1/channels/{channel_id}/posts/{seq}/vote",
        errors=[ChannelNotFound, PostNotFound, *VOTE_ERRORS],
    )
    async def vote(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, body: VoteBody
    ) -> Rendered[PollResponse]:
        """Vote in a poll (subscribers), or change your vote: the options replace those that you chose before.

        Nobody learns how you voted, not even the owner.
        """
        async with self.channel(channel_id):
            voted = await self.polls.vote(actor, channel_id, seq, body.options)
        return voted_response(voted, self.polls)

    @delete(
        "/v1/channels/{channel_id}/posts/{seq}/vote",
        errors=[ChannelNotFound, PostNotFound, *VOTE_ERRORS],
    )
    async def take_vote_back(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> Rendered[PollResponse]:
        """Take your vote back, while the poll is open."""
        async with self.channel(channel_id):
            voted = await self.polls.vote(actor, channel_id, seq, ())
        return voted_response(voted, self.polls)

    @post(
        "/v1/channels/{channel_id}/posts/{seq}/poll/close",
        errors=[ChannelNotFound, PostNotFound, *CLOSING_ERRORS],
    )
    async def close_poll(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> Rendered[PollResponse]:
        """Close a poll now (owner, admin): it takes no more votes, and everybody sees the results."""
        async with self.channel(channel_id):
            closed = await self.polls.close_poll(actor, channel_id, seq)
        return voted_response(closed, self.polls)
