"""What leads to a channel or a post."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ShareOptions:
    """How the links of a deployment begin, and whether anyone may open them."""

    address: str = "http://localhost"
    """The address that visitors know this server by, without a slash at its end."""
    has_public_pages: bool = True
    """Whether public channels have a page for everyone."""


LOCAL_LINKS: Final = ShareOptions()
"""Links that open on the machine of the server only."""


@dataclass(frozen=True, slots=True)
class ShareLink:
    """The link to a channel or to one of its posts."""

    url: str
    is_public: bool
    """Whether it opens for everyone. Otherwise it leads to the app, which asks to sign in."""
    title: str
    qr_svg: str
    embed_html: str | None
    """Shows the newest posts on another site; None where the channel is not public."""
