"""The call for the preview of a link."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from channels.link_previews.errors import LinkPreviewsOff, NoLinkPreview
from channels.link_previews.limits import ADDRESS_CHARACTERS
from channels.link_previews.service import LinkPreviewService
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Body, Response, post
from groups.kernel.errors import RateLimited
from groups.routes.responses.fields import WebAddress
from groups.routes.responses.messages import MediaResponse, media_response


class LinkToPreview(Body):
    """The address of a page."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://example.org/tea"}]})

    url: Annotated[
        WebAddress,
        Field(min_length=1, max_length=ADDRESS_CHARACTERS, examples=["https://example.org/tea"]),
    ]


class LinkPreviewResponse(Response):
    """Title, description and picture of a page, as `links` of a message take them (`image` by its `media_id`)."""

    url: str
    title: str
    description: str | None
    image: MediaResponse | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkPreviewRoutes:
    """Previews of links, for those who write."""

    tag = "Media"

    previews: LinkPreviewService

    # Not a GET: it stores an upload, and what is written in private belongs into no log of addresses.
    @post("/v1/link-previews", errors=[LinkPreviewsOff, NoLinkPreview, RateLimited])
    async def preview(self, actor: Actor, body: LinkToPreview) -> LinkPreviewResponse:
        """Look up the title, the description and the picture of a page, to post along with a link to it.

        The picture is an upload of yours then. Off unless the operator switched it on.
        """
        found = await self.previews.preview(actor, body.url)
        return LinkPreviewResponse(
            url=found.url,
            title=found.title,
            description=found.description or None,
            image=media_response(found.picture) if found.picture is not None else None,
        )
