"""Endpoints of clicks on links."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from channels.errors import ChannelNotFound, PostNotFound
from channels.link_clicks.errors import ClicksNotCounted, LinkNotFound
from channels.link_clicks.service import ClickService
from channels.routes.responses import ChannelIdText
from groups.errors import Banned
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, get, post
from groups.kernel.errors import PermissionRefused
from groups.kernel.text.bounded import Line
from groups.kernel.text.markup import MOST_ADDRESS
from groups.routes.messages import Seq


class ClickBody(Body):
    """The link that was opened."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://example.org/"}]})

    url: Annotated[
        Line,
        Field(min_length=1, max_length=MOST_ADDRESS, description="As it is written in the post."),
    ]


class LinkClicksResponse(Response):
    """A link of a post, and how many users opened it. It is exact up to 512, as `views` are."""

    url: str
    clicks: int


class PostClicksResponse(Response):
    """The links of a post: those in its text, then its titled ones, each once, at most 50."""

    seq: int
    items: list[LinkClicksResponse]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickRoutes:
    """Clicks on links."""

    tag = "Posts"

    clicks: ClickService

    @post(
        "/v1/channels/{channel_id}/posts/{seq}/clicks",
        status=204,
        errors=[ChannelNotFound, Banned, PostNotFound, LinkNotFound, ClicksNotCounted],
    )
    async def report_click(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq, body: ClickBody
    ) -> None:
        """Report that you opened a link of a post, where the channel counts clicks (`count_clicks`).

        Each user counts once for each link. A client tells its user that clicks are counted, and reports none of a user
        who does not want to be tracked.
        """
        await self.clicks.report(actor, channel_id, seq, body.url)

    @get(
        "/v1/channels/{channel_id}/posts/{seq}/clicks",
        errors=[ChannelNotFound, PermissionRefused, PostNotFound],
        tag="Insights",
    )
    async def post_clicks(
        self, actor: Actor, channel_id: ChannelIdText, seq: Seq
    ) -> PostClicksResponse:
        """Get the links of a post with their clicks (owner, admins with `see_insights`)."""
        found = await self.clicks.of_post(actor, channel_id, seq)
        items = [LinkClicksResponse(url=one.url, clicks=one.clicks) for one in found]
        return PostClicksResponse(seq=seq, items=items)
