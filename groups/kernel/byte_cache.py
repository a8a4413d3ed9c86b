"""A cache bounded in bytes.

Promises:
    Bounded: the oldest entries are dropped to keep the bound. An entry larger than `1 / PARTS` of the bound is not
    cached, so that it does not drop all others.
    Measured: `cached_bytes` returns what the caches of this process hold, by name, for the metrics.
It is first in, first out: a value in use is dropped and made again now and then, but a hit costs one look into a dict.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PARTS: Final = 4
ENTRY_BYTES: Final = 120
"""The memory of an entry of a dict, just after the dict has grown."""


class ByteCache(Generic[K, V]):
    """Values by key. `size_of` estimates the memory that only this entry keeps alive, and is constant for an entry."""

    def __init__(self, name: str, max_bytes: int, size_of: Callable[[K, V], int]) -> None:
        self.name = name
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self._size_of = size_of
        self._values: dict[K, V] = {}
        self.get = self._values.get
        _caches.add(self)

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: K, value: V) -> None:
        """Cache the value as the newest, unless it is too large."""
        if key in self._values:
            self.pop(key)
        size = self._size_of(key, value) + ENTRY_BYTES
        if size > self.max_bytes // PARTS:
            return
        self._values[key] = value
        self.size_bytes += size
        while self.size_bytes > self.max_bytes:
            self.pop(next(iter(self._values)))

    def pop(self, key: K) -> None:
        """Drop the entry, if there is one."""
        value = self._values.pop(key, None)
        if value is not None:
            self.size_bytes -= self._size_of(key, value) + ENTRY_BYTES

    def clear(self) -> None:
        self._values.clear()
        self.size_bytes = 0


def caches() -> "list[ByteCache[Any, Any]]":
    """All caches of this process."""
    return list(_caches)


_caches: "WeakSet[ByteCache[Any, Any]]" = WeakSet()


def cached_bytes() -> Counter[str]:
    """The bytes that the caches of this process hold, by name."""
    kept: Counter[str] = Counter()
    for cache in _caches:
        kept[cache.name] += cache.size_bytes
    return kept
