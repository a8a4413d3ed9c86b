"""A bare loop of `send_str` over WebSockets, as a tutorial would write it, without a check of permissions.

`POST /send?frames=N&bytes=M` sends N texts of M bytes to every socket that is open.
"""

from typing import Final

import uvloop
from aiohttp import web

from channels.bench.baselines.http import serve

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


if __name__ == "__main__":
    application = web.Application()
    application.router.add_get("/socket", _socket)
    application.router.add_post("/send", _send)
    uvloop.run(serve(application))
