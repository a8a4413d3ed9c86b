"""An empty aiohttp handler: what any call costs before it does anything, on the same loop as the server's."""

import asyncio
import gc
import sys

import uvloop
from aiohttp import web


async def _empty(request: web.Request) -> web.Response:
    return web.Response(body=b"{}", content_type="application/json")


async def serve(port: int) -> None:
    """Answer `PUT /empty/{name}` until the process is ended."""
    app = web.Application()
    app.router.add_put("/empty/{name}", _empty)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    # The same courtesy that the server gives itself.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)
    print("Ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
