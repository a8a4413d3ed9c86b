"""One HTTP request, with what the server found out about it. aiohttp's own mapping for that is slower."""

from collections.abc import Mapping

from aiohttp import web


class Request(web.BaseRequest):
    """A request, made by `HttpServer.request`."""

    request_id: str = ""
    user_id: str | None = None
    rate: Mapping[str, str] | None = None
    """Headers with the rest of the caller's quota, when little is left."""
    waited_seconds: float = 0.0
    """How long it has waited for something to happen, which is no latency of the server."""
    origin: str | None = None
    """The origin of the calling page, if it may read the response."""

    @property
    def is_abandoned(self) -> bool:
        """Whether the client has ended the connection."""
        return self.transport is None or self.transport.is_closing()

    async def read(self) -> bytes:
        """The body. It can be read once: a kept body would stay in memory while its connection is idle."""
        try:
            return await super().read()
        finally:
            self._read_bytes = None
