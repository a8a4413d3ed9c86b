"""The HTML page of the web app, which its scripts fill.

It contains facts that the API does not return: the limits of this deployment, which the scripts show in counters,
and whether public channels have a public page.
"""

from functools import cache
from typing import Final

import jinja2
import orjson

from channels.console.assets import Assets
from channels.limits import Limits

_PRELOADED: Final = ("js", "js/client", "js/ui", "js/conversation", "js/reader", "js/texts")
"""Folders of the reader's scripts. Those of the console are loaded when it is opened."""


@cache
def templates() -> jinja2.Environment:
    """The templates of this package. Every value in a template is escaped."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("channels.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shell(assets: Assets, limits: Limits, *, has_public_pages: bool) -> bytes:
    """The page as HTML."""
    page = templates().get_template("app.html")
    return page.render(
        address=assets.address,
        modules=assets.modules(*_PRELOADED),
        styles=sorted(name for name in assets.files if name.startswith("css/app")),
        has_public_pages=has_public_pages,
        limits=orjson.dumps(limits.model_dump()).decode(),
    ).encode()
