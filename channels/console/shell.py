"""The HTML page of the web app, which its scripts fill, and what browsers need to install the app.

The page contains facts that the API does not return: the limits of this deployment, which the scripts show in counters,
whether public channels have a public page, and the languages of the app. It is the same page for all users:
`js/first_paint.js` sets the language that its user chose.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import cache
from typing import Final, Literal

import jinja2
import orjson

from channels.console.assets import STYLE, Assets
from channels.console.languages import incomplete_areas, page_texts
from channels.console.markup_html import markup_html
from channels.limits import Limits
from groups.kernel.clock import rfc3339

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START: Final = "js/start.js"
_KEPT_FOLDERS: Final = ("js/", "sdk/core/")
_POLLS: Final = "css/polls.css"
"""Posts that are read without the server may be polls."""
_NOT_KEPT: Final = (
    *("js/console/", "js/texts/console/", "js/me/", "js/account/", "js/texts/account.js"),
    *("js/invites/", "js/texts/invites.js", "js/reports/report_dialog.js", "js/texts/reports.js"),
    *("js/reader/broadcasts_dialog.js", "js/texts/broadcasts.js"),
)
"""The console, the user's settings and account, invites, reports and broadcasts are of little use without the server.

Texts of other languages are kept when they are loaded.
"""
_ICON_SIZES: Final = (192, 512)
_PAPER: Final = "#f6f2ea"
_ACCENT: Final = "#8a3251"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Facts of a deployment that the app shows, beside the limits."""

    has_public_pages: bool
    has_demo: bool = False
    sign_in_url: str | None = None
    """The page that signs people in; None: the app asks for a token."""
    may_export: bool = False
    """Whether users may export what is stored of them."""
    may_delete: bool = False
    """Whether users may delete themselves."""


def shell(
    assets: Assets, limits: Limits, deployment: Deployment, views: Sequence[str] = ()
) -> bytes:
    """The page as HTML. It loads ahead what the app's start and these scripts of views import."""
    page = templates().get_template("app.html")
    return page.render(
        address=assets.address,
        modules=assets.with_imports([_START, *views]),
        style=STYLE,
        deployment=deployment,
        languages=orjson.dumps(incomplete_areas()).decode(),
        limits=orjson.dumps(limits.model_dump()).decode(),
    ).encode()


def manifest(assets: Assets) -> bytes:
    """The web app manifest, by which browsers install the app."""
    sizes = [
        {
            "src": assets.address(f"icons/{purpose}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for purpose in ("any", "maskable")
        for size in _ICON_SIZES
    ]
    icon = {"src": assets.address("icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    return orjson.dumps(
        {
            "id": "/",
            "name": "Channels",
            "short_name": "Channels",
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": _PAPER,
            "theme_color": _ACCENT,
            "icons": [*sizes, icon],
        },
        option=orjson.OPT_INDENT_2,
    )


def service_worker(assets: Assets) -> bytes:
    """The service worker, with the files of the reader that it keeps. Each version of the files has another one."""
    files = [
        assets.address(name)
        for name in assets.files
        if name in {STYLE, _POLLS, "icon.svg"}
        or (name.startswith(_KEPT_FOLDERS) and not name.startswith(_NOT_KEPT))
    ]
    kept = orjson.dumps({"version": assets.digest, "page": "/", "files": files})
    return b"self.SHELL = " + kept + b";\n" + assets.files["service_worker.js"].body


NotThere = Literal["channel", "page", "invite", "ended"]
"""The kinds of things that are not there: a channel, any page, an invite link, or one that has ended."""


def not_found_page(assets: Assets, what: NotThere, language: str) -> bytes:
    """A page as HTML that says what is not there, in a language of the app, with a link to the app."""
    page = templates().get_template("missing.html")
    texts = page_texts(language)
    return page.render(address=assets.address, texts=texts, what=what).encode()


def demo_page(assets: Assets, name: str) -> bytes:
    """A page of the demo as HTML."""
    return templates().get_template(name).render(address=assets.address).encode()
