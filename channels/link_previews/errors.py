"""The errors of link previews."""

from typing import ClassVar

from groups.kernel.errors import NotFound, PermissionDenied


class LinkPreviewsOff(PermissionDenied):
    """The operator has not switched link previews on."""

    code: ClassVar[str] = "link_previews_off"
    summary: ClassVar[str] = "This server makes no previews of links"
    remedy: ClassVar[str] = (
        "Post the link without a preview, and do not ask again. The operator sets"
        " `CHANNELS_LIMIT_LINK_PREVIEWS_PER_MINUTE`."
    )


class NoLinkPreview(NotFound):
    """The address cannot be reached, may not be reached, or is no page with a title."""

    code: ClassVar[str] = "no_link_preview"
    summary: ClassVar[str] = "There is no preview of this link"
    remedy: ClassVar[str] = "Post the link without a preview."
