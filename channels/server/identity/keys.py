"""The keys of the identity provider as this process knows them: fetched, kept, and fetched anew.

Promises:
    Keys are fetched every `REFRESH_SECONDS`, so a key that the provider withdraws ends its tokens within that time.
    A token with an unknown key has the keys fetched anew, at most once in `RETRY_SECONDS`. All who wait share that
    fetch; hostile tokens cannot cause more.
    While the provider is away, the keys that are known stay good; the log and the metrics say so.
    No request waits for a fetch, except those whose key is unknown, and those for at most `FETCH_SECONDS`.
    The address of the keys comes from the settings alone, never from a token.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Final

import aiohttp
import structlog

from channels.server.identity.errors import RETRY_SECONDS, IdentityProviderUnavailable
from channels.server.identity.key_set import KEY_SET_BYTES, BadKeySet, KeySet
from groups.kernel.background import PeriodicTask, cancel

REFRESH_SECONDS: Final = 3_600.0
FETCH_SECONDS: Final = 2.0
MOST_WAITING: Final = 1_000  # requests that wait for one fetch; further ones are refused at once

Load = Callable[[], Awaitable[bytes]]
"""Loads the document of the key set. Raises: OSError, TimeoutError, aiohttp.ClientError, BadKeySet."""

log = structlog.get_logger("channels.identity")


class ProviderKeys:
    """The keys of one provider."""

    def __init__(
        self,
        load: Load,
        *,
        source: str,
        timer: Callable[[], float] = time.monotonic,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """`source` names the provider in the log. `on_failure` is called for each fetch that fails."""
        self._load = load
        self._source = source
        self.timer = timer
        self._on_failure = on_failure
        self._keys = KeySet()
        self._fetch: asyncio.Task[bool] | None = None
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._is_away = False
        self._waiting = 0
        self.on_withdrawn: list[Callable[[Collection[str]], None]] = []
        """Called with the thumbprints of keys that the provider does not list any more."""
        self.find = self._keys.find
        self._refreshing = PeriodicTask(self.refresh_if_due, RETRY_SECONDS, name="identity-keys")

    @property
    def age_seconds(self) -> float:
        """How old the keys are; 0 before the first ones are here."""
        return 0.0 if self._fetched_at is None else self.timer() - self._fetched_at

    @property
    def is_loaded(self) -> bool:
        return self._fetched_at is not None

    def has(self, thumbprint: str) -> bool:
        """Whether the provider lists the key, as this process knows."""
        return thumbprint in self._keys.by_thumbprint

    async def start(self) -> None:
        """Fetch the keys, for at most `FETCH_SECONDS`, and then regularly. A provider that is away stops nothing."""
        await self._fetched()
        self._refreshing.start()

    async def stop(self) -> None:
        await self._refreshing.stop()
        if self._fetch is not None:
            await cancel(self._fetch)

    async def refresh_if_due(self) -> None:
        """Fetch the keys if they are old, or could not be fetched the last time."""
        if self._is_away or self.age_seconds >= REFRESH_SECONDS or not self.is_loaded:
            await self._fetched()

    async def fetch_for_unknown(self) -> None:
        """Fetch the keys for a token whose key is not known; those who wait at the same time share one fetch.

        Raises: IdentityProviderUnavailable where the fetch fails, or the last one is less than `RETRY_SECONDS` ago.
        """
        if self._fetch is None and self._tried_at is not None:
            left = self._tried_at + RETRY_SECONDS - self.timer()
            if left > 0:
                raise IdentityProviderUnavailable(retry_after_seconds=left)
        if self._waiting >= MOST_WAITING:
            raise IdentityProviderUnavailable
        self._waiting += 1
        try:
            if not await self._fetched():
                raise IdentityProviderUnavailable
        finally:
            self._waiting -= 1

    async def _fetched(self) -> bool:
        """Fetch the keys, or wait for the fetch that is under way; whether it succeeded."""
        if self._fetch is None:
            self._fetch = asyncio.create_task(self._refresh(), name="identity-fetch")
            self._fetch.add_done_callback(self._end_fetch)
        # Shielded: a client that leaves must not end it for the others.
        return await asyncio.shield(self._fetch)

    def _end_fetch(self, task: asyncio.Task[bool]) -> None:
        self._fetch = None

    async def _refresh(self) -> bool:
        self._tried_at = self.timer()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = await self._load()
            keys = KeySet.parse(document)
        except (OSError, aiohttp.ClientError, BadKeySet) as error:
            self._on_failure()
            log.warning(
                "the keys of the identity provider cannot be fetched; those that are known stay good",
                source=self._source,
                reason=str(error) or type(error).__name__,
                age_seconds=round(self.age_seconds),
            )
            self._is_away = True
            return False
        if self._is_away:
            log.info("the keys of the identity provider are here again", source=self._source)
        if not keys.by_thumbprint:
            log.warning("the identity provider has no key that can be used", source=self._source)
        self._is_away = False
        self._fetched_at = self.timer()
        withdrawn = self._keys.by_thumbprint.keys() - keys.by_thumbprint.keys()
        self._keys = keys
        self.find = keys.find
        if withdrawn:
            log.info(
                "the identity provider withdrew keys", source=self._source, keys=len(withdrawn)
            )
            for listener in self.on_withdrawn:
                listener(withdrawn)
        return True


def load_url(url: str) -> Load:
    """Loads the key set from the provider: no redirects, and no more than `KEY_SET_BYTES`."""

    async def load() -> bytes:
        # A session for each: there is one fetch an hour, and a kept connection would be closed by then.
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:
                raise BadKeySet(f"the provider answers {response.status}")
            document = bytearray()
            async for chunk in response.content.iter_any():
                document += chunk
                if len(document) > KEY_SET_BYTES:
                    raise BadKeySet(f"it has more than {KEY_SET_BYTES} bytes")
            return bytes(document)

    return load


def load_file(path: Path) -> Load:
    """Loads the key set from a file of this machine."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(KEY_SET_BYTES + 1)

    async def load() -> bytes:
        document = await asyncio.to_thread(read)
        if len(document) > KEY_SET_BYTES:
            raise BadKeySet(f"it has more than {KEY_SET_BYTES} bytes")
        return document

    return load
