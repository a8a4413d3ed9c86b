"""Sends requests for reviews of messages (`channels.before_post`) over HTTP.

Promises: no redirect is followed, no cookie is kept, no proxy of the environment is used, and an answer is bounded.
"""

from collections.abc import Mapping

import aiohttp

from channels.before_post.models import ANSWER_BYTES, AT_ONCE, SECONDS, SendFailed

IDLE_SECONDS = 30.0  # that a connection is kept for the next review


class ReviewClient:
    """The connections to the address that reviews messages; they are opened with the first request."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Post the body; returns the body of an answer with status 200. Raises: SendFailed."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                auto_decompress=False,
            )
        try:
            async with self._http.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise SendFailed(f"the address answers {response.status}")
                answer = bytearray()
                async for chunk in response.content.iter_any():
                    answer += chunk
                    if len(answer) > ANSWER_BYTES:
                        raise SendFailed(f"the answer has more than {ANSWER_BYTES} bytes")
                return bytes(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise SendFailed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
