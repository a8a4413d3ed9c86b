"""An empty aiohttp handler: what any call costs before it does anything, on the same loop as the server's."""

import asyncio
import gc
import sys

import uvloop
from aiohttp import web


async def _empty(request: web.Request) -> web.Response:
    return web.Response(body=b"{}", content_type="application/json")


async def serve(app: web.Application) -> None:
    """Serve on the port in the command line, until the process is ended."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=4096).start()
    print("Ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    application = web.Application()
    application.router.add_put("/empty/{name}", _empty)
    # The server tunes its garbage collection, too.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)
    uvloop.run(serve(application))
