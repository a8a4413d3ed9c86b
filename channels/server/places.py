"""So many at once of each: sockets of an address, transfers of a user."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from groups.kernel.errors import RateLimited


class Places:
    """At most `most` at once for each key; 0: as many as it likes. `what` is what they are, in words."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one_of(self, key: str) -> Iterator[None]:
        """A place of this key, until the end.

        Raises: RateLimited where it has none left.
        """
        if self._most and self._taken[key] >= self._most:
            raise RateLimited(f"At most {self._most} {self._what} at once", retry_after_seconds=1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
