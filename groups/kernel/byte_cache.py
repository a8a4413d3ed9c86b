"""A cache bounded in bytes: what it keeps together takes no more memory than it states.

Promises:
    Bounded: the oldest entries give way, whatever their sizes; an entry of more than a `1 / PARTS` of the bound is not
    kept, so that one does not drive out all others.
    Measured: `kept_bytes` tells what the caches of this process hold, by name, as a metric.
First in, first out: a value that is still wanted is made again at the price of one, and a hit costs a look into a dict.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PARTS: Final = 4
ENTRY_BYTES: Final = 120
"""What a place in a dict takes, just after it has grown."""


class ByteCache(Generic[K, V]):
    """Values by key. `size_of` estimates the memory that an entry alone keeps alive; it answers the same each time."""

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
        """Keep the value, if it is not too large; it is the newest then."""
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
        """Keep it no longer."""
        value = self._values.pop(key, None)
        if value is not None:
            self.size_bytes -= self._size_of(key, value) + ENTRY_BYTES

    def clear(self) -> None:
        """Keep nothing."""
        self._values.clear()
        self.size_bytes = 0


def caches() -> "list[ByteCache[Any, Any]]":
    """All caches of this process."""
    return list(_caches)


_caches: "WeakSet[ByteCache[Any, Any]]" = WeakSet()


def kept_bytes() -> Counter[str]:
    """What the caches of this process keep, by name."""
    kept: Counter[str] = Counter()
    for cache in _caches:
        kept[cache.name] += cache.size_bytes
    return kept
