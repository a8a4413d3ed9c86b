"""One HTTP request, with what the server found out about it on its way; aiohttp's own place for that is slow to ask."""

from collections.abc import Mapping

from aiohttp import web


class Request(web.BaseRequest):
    """A request as `connections.Listener` makes them."""

    request_id: str = ""
    user_id: str | None = None
    rate: Mapping[str, str] | None = None
    """The headers that tell what little is left of the caller's quota."""
    origin: str | None = None
    """The origin of the page that asks and may read the answer."""

    async def read(self) -> bytes:
        """The body, which can be read once: kept, it would stay as long as its connection is idle."""
        try:
            return await super().read()
        finally:
            self._read_bytes = None
