"""The HTML page of the web app, which its scripts fill.

It contains facts that the API does not return: the limits of this deployment, which the scripts show in counters,
and whether public channels have a public page.
"""

import re
from email.utils import format_datetime
from functools import cache
from typing import Final

import jinja2
import orjson

from channels.console.assets import Assets
from channels.console.markup_html import markup_html
from channels.limits import Limits
from groups.kernel.clock import rfc3339

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PRELOADED: Final = (
    "js",
    "sdk/core",
    "js/client",
    "js/ui",
    "js/conversation",
    "js/reader",
    "js/texts",
)
"""Folders of the reader's scripts and of the SDK. Those of the console are loaded when it is opened."""


@cache
def templates() -> jinja2.Environment:
    """The templates of this package. Every value in a template is escaped, in HTML and in XML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("channels.console"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "markup": markup_html,
        "xml": _carried_by_xml,
        "rfc3339": rfc3339,
        "rfc5322": format_datetime,
    }
    return environment


def _carried_by_xml(text: str) -> str:
    """The text without the characters that XML cannot carry, such as control characters."""
    return _NOT_XML.sub("", text)


def shell(
    assets: Assets, limits: Limits, *, has_public_pages: bool, has_demo: bool = False
) -> bytes:
    """The page as HTML."""
    page = templates().get_template("app.html")
    return page.render(
        address=assets.address,
        modules=assets.modules(*_PRELOADED),
        styles=sorted(name for name in assets.files if name.startswith("css/app")),
        has_public_pages=has_public_pages,
        has_demo=has_demo,
        limits=orjson.dumps(limits.model_dump()).decode(),
    ).encode()


def demo_page(assets: Assets, name: str) -> bytes:
    """A page of the demo as HTML."""
    return templates().get_template(name).render(address=assets.address).encode()
