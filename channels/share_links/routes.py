"""The endpoint of share links."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from channels.errors import ChannelNotFound, PostNotFound
from channels.routes.responses import ChannelIdText
from channels.share_links.service import ShareService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Query, Response, get
from groups.routes.messages import Seq


class ShareQuery(Query):
    """What to share."""

    seq: Annotated[
        Seq | None, Field(description="A post of the channel; without it the channel itself.")
    ] = None


class ShareLinkResponse(Response):
    """The link to a channel or to a post."""

    url: Annotated[
        str,
        Field(
            description="The public page where the channel has one, otherwise its place in the web app."
        ),
    ]
    is_public: Annotated[
        bool, Field(description="Anyone may open it. Otherwise it asks to sign in.")
    ]
    title: Annotated[str, Field(description="The name of the channel.")]
    qr_svg: Annotated[str, Field(description="The QR code of `url`, as an SVG document.")]
    embed_html: Annotated[
        str | None,
        Field(
            description="HTML that shows the newest posts on another site; null where the channel is not public."
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareRoutes:
    """Share links."""

    tag = "Channels"

    shares: ShareService

    @get("/v1/channels/{channel_id}/share-link", errors=[ChannelNotFound, PostNotFound])
    async def get_share_link(
        self, actor: Actor, channel_id: ChannelIdText, query: ShareQuery
    ) -> ShareLinkResponse:
        """Get the link to a channel or to a post, with its QR code."""
        link = await self.shares.get(actor, channel_id, query.seq)
        return ShareLinkResponse(
            url=link.url,
            is_public=link.is_public,
            title=link.title,
            qr_svg=link.qr_svg,
            embed_html=link.embed_html,
        )
