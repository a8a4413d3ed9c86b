"""A web site of another origin than the server, as an application embeds channels in it.

Its pages have a strict content security policy: they may load scripts of the site and of the channel server, call the
channel server, and show its pictures. They allow no style from anywhere, and no markup from text.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class ForeignSite:
    """Files by path. A page and its script are made by `add`."""

    origin: str = ""
    api: str = ""
    """The origin of the channel server, which the policy of the pages allows."""
    files: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, path: str, body: str, script: str = "", *, lang: str = "en") -> str:
        """A page with this body, which runs the script as a module. Returns its address."""
        self.files[f"{path}.js"] = "text/javascript", script
        page = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A page</title>'
            f'<link rel="icon" href="data:,"><script type="module" src="{path}.js"></script></head>'
            f"<body>{body}</body></html>"
        )
        self.files[path] = "text/html", page
        return self.origin + path

    async def answer(self, request: web.Request) -> web.Response:
        kind, text = self.files[request.path]
        policy = (
            f"default-src 'none'; script-src 'self' {self.api}; img-src {self.api} data:;"
            f" connect-src {self.api} {self.api.replace('http', 'ws')}; media-src {self.api};"
            " require-trusted-types-for 'script'; trusted-types 'none'"
        )
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=text, content_type=kind, charset="utf-8", headers=headers)


@asynccontextmanager
async def foreign_site() -> AsyncIterator[ForeignSite]:
    """Serves an empty site on a port of its own."""
    site = ForeignSite()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
