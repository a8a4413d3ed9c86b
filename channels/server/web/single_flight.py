"""Values that many callers request at once are made once, and cached for a while.

Promises:
    Callers that come while a value is being made share its result or its error.
    A caller that goes away does not end the work that others wait for.
    The cache is bounded in bytes, and so is the number of values being made.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from channels.console.assets import Asset
from groups.kernel.byte_cache import ByteCache
from groups.kernel.errors import Unavailable

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

ASSETS_BYTES: Final = 8 * 1024 * 1024  # hundreds of pages, plain and compressed
_ENTRY_BYTES: Final = 600  # of a key and the cache entry
ASSETS_IN_WORK: Final = 256  # at once; further ones are refused


@dataclass(slots=True, eq=False)
class CachedValue(Generic[T]):
    """One value, which is made again when it is requested after `seconds`. Errors are cached like values."""

    make: Callable[[], Awaitable[T]]
    seconds: float
    timer: Callable[[], float] = time.monotonic
    _task: asyncio.Task[T] | None = field(init=False, default=None)
    _made_at: float = field(init=False, default=0.0)

    async def get(self) -> T:
        task = self._task
        is_old = self.timer() - self._made_at >= self.seconds
        if task is None or task.cancelled() or (task.done() and is_old):
            task = self._task = asyncio.create_task(self._made(), name="cached-value")
            task.add_done_callback(_look_at_error)
        return await asyncio.shield(task)

    async def _made(self) -> T:
        try:
            return await self.make()
        finally:
            self._made_at = self.timer()


class CachedAssets(Generic[K]):
    """Assets by key, each cached for `seconds`. Errors are not cached."""

    def __init__(self, seconds: float, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._timer = timer
        # With the instant at which each was made.
        self._kept: ByteCache[K, tuple[float, Asset]] = ByteCache(
            "public pages", ASSETS_BYTES, lambda _, made: made[1].size_bytes + _ENTRY_BYTES
        )
        self._tasks: dict[K, asyncio.Task[Asset]] = {}

    def is_at_hand(self, key: K) -> bool:
        """Whether the asset is cached or being made, so that `get` makes no work."""
        return self._fresh(key) is not None or key in self._tasks

    def _fresh(self, key: K) -> Asset | None:
        kept = self._kept.get(key)
        return kept[1] if kept and self._timer() - kept[0] < self._seconds else None

    async def get(self, key: K, make: Callable[[], Awaitable[Asset]]) -> Asset:
        """The asset of this key. `make` is called if it is neither cached nor being made."""
        fresh = self._fresh(key)
        if fresh is not None:
            return fresh
        task = self._tasks.get(key)
        if task is None:
            if len(self._tasks) >= ASSETS_IN_WORK:
                raise Unavailable("The server has too many pages to render; try again")
            task = self._tasks[key] = asyncio.create_task(self._made(key, make), name="asset")
            task.add_done_callback(_look_at_error)
        return await asyncio.shield(task)

    async def _made(self, key: K, make: Callable[[], Awaitable[Asset]]) -> Asset:
        try:
            asset = await make()
            self._kept.put(key, (self._timer(), asset))
            return asset
        finally:
            del self._tasks[key]


def _look_at_error(task: "asyncio.Task[T]") -> None:
    # If all callers went away, asyncio would log the error as never retrieved.
    if not task.cancelled():
        task.exception()
