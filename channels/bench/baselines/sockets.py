"""A bare loop of `send_str` over WebSockets, as a tutorial would write it: nobody asks who may hear what.

`POST /send?frames=N&bytes=M` sends N texts of M bytes to every socket that is open.
"""

import asyncio
import sys
from typing import Final

import uvloop
from aiohttp import web

_open: Final[list[web.WebSocketResponse]] = []


async def _socket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    _open.append(socket)
    try:
        async for _ in socket:
            pass
    finally:
        _open.remove(socket)
    return socket


async def _send(request: web.Request) -> web.Response:
    text = "x" * int(request.query["bytes"])
    for _ in range(int(request.query["frames"])):
        for socket in list(_open):
            await socket.send_str(text)
    return web.Response(body=b"{}", content_type="application/json")


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    app = web.Application()
    app.router.add_get("/socket", _socket)
    app.router.add_post("/send", _send)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    print("Ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
