"""The errors of clicks on links."""

from typing import ClassVar

from groups.kernel.errors import Conflict, NotFound


class LinkNotFound(NotFound):
    """The post has no such link. It may have been edited meanwhile."""

    code: ClassVar[str] = "link_not_found"
    summary: ClassVar[str] = "The post has no such link"
    remedy: ClassVar[str] = "Read the post anew: it was edited. The click is not counted."


class ClicksNotCounted(Conflict):
    """The channel does not count clicks."""

    code: ClassVar[str] = "clicks_not_counted"
    summary: ClassVar[str] = "This channel does not count clicks on links"
    remedy: ClassVar[str] = "Report clicks only where the channel's setting `count_clicks` is on."
