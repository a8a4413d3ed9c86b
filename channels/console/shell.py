"""The one page of the web app: empty, until its scripts fill it.

Carries what the scripts cannot ask the API for: the limits of this deployment, so that counters count to the right
end, and whether public channels have a page for everyone.
"""

from functools import cache
from typing import Final

import jinja2
import orjson

from channels.console.assets import Assets
from channels.limits import Limits

_FOLDERS: Final = ("js", "js/client", "js/ui", "js/conversation", "js/reader", "js/texts")
"""Loaded at once; the console's own modules and texts come when the console is opened."""


@cache
def templates() -> jinja2.Environment:
    """The templates of this package; whatever is put into one is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("channels.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shell(assets: Assets, limits: Limits, *, has_public_pages: bool) -> bytes:
    """The page as HTML."""
    styles = sorted(name for name in assets.files if name.startswith("css/app"))
    page = templates().get_template("app.html")
    return page.render(
        address=assets.address,
        modules=assets.modules(*_FOLDERS),
        styles=styles,
        has_public_pages=has_public_pages,
        limits=orjson.dumps(limits.model_dump()).decode(),
    ).encode()
