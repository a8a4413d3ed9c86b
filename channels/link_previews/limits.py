"""The limit of link previews that a deployment sets, and the bounds of one."""

from typing import Annotated, Final

from pydantic import Field

from groups.kernel.limits import About, LimitModel, Section, Source, Zero

PAGE_BYTES: Final = 256 * 1024
"""Of a page that are read: its head is at the beginning."""
PICTURE_BYTES: Final = 2 * 2**20
SECONDS: Final = 3.0
"""For a page with all its redirects, and again for its picture."""
REDIRECTS: Final = 3
ADDRESS_CHARACTERS: Final = 2_048
TITLE_CHARACTERS: Final = 200
DESCRIPTION_CHARACTERS: Final = 300
LEAST_PIXELS: Final = 40
"""The width and height of a picture that is worth showing; smaller ones count readers."""
KEPT_SECONDS: Final = 600.0
KEPT_PAGES: Final = 1_000
CONNECTIONS: Final = 16
"""Requests for pages at once, and as many for pictures."""


class LinkPreviewLimits(LimitModel):
    """The limits of link previews."""

    link_previews_per_minute: Annotated[
        int,
        Field(ge=0),
        Zero("link previews are off"),
        About(Section.USERS, Source.OURS, "`rate_limited`; `link_previews_off` with 0"),
    ] = 0
    """Pages that one user may have looked up for [previews of links](../how-to/link-previews.md), on one process.

    App admins are not limited.
    """
