"""Rate limits: a token bucket for each key, in the memory of this process.

A bucket holds the requests of one second, so a page that sends thirty at once is served. It is stored as the instant at
which it is full again (GCRA): one number for each key, and none for keys that were idle for a second.
"""

from collections import Counter
from time import monotonic
from typing import Final

from cachetools import LRUCache

from groups.kernel.actor import Actor
from groups.kernel.errors import RateLimit, RateLimited

KEYS: Final = 8_192  # in 4 MB; beyond them the least recent key starts with a full bucket
DEBT_SECONDS: Final = 10.0
"""At most, until a bucket that was overspent in other processes is full again."""
_NOTHING: Final = 1e-6  # of a request: the error of floats
FEW: Final = 0.2  # of the quota; below it, responses show what is left


class TokenBuckets:
    """One bucket for each key, all with the same rate."""

    def __init__(self, quota: RateLimit) -> None:
        self.quota = quota
        self._spent: Counter[str] = Counter()
        self._full_at: LRUCache[str, float] = LRUCache(maxsize=KEYS)

    def take(self, key: str) -> int:
        """Take one token. Returns how many are left. Raises: RateLimited."""
        now, rate = monotonic(), self.quota.per_second
        full_at = max(now, self._full_at.get(key, now))
        left = rate - (full_at - now) * rate - 1
        if left < -_NOTHING:
            raise self._refusal(-left / rate)
        self._full_at[key] = full_at + 1 / rate
        self._spent[key] += 1
        return int(left + _NOTHING)

    def check(self, key: str) -> None:
        """Raise as `take` would, without taking a token. Raises: RateLimited."""
        now, rate = monotonic(), self.quota.per_second
        missing = (self._full_at.get(key, now) - now) * rate + 1 - rate
        if missing > _NOTHING:
            raise self._refusal(missing / rate)

    def reserve(self, key: str, most_seconds: float) -> float:
        """Take a token that comes within `most_seconds`. Returns the seconds until then. Raises: RateLimited."""
        now, rate = monotonic(), self.quota.per_second
        full_at = max(now, self._full_at.get(key, now))
        seconds = full_at - now + (1 - rate) / rate
        if seconds > most_seconds:
            raise self._refusal(seconds - most_seconds)
        self._full_at[key] = full_at + 1 / rate
        return seconds if seconds * rate > _NOTHING else 0.0

    def count(self, key: str, requests: int) -> None:
        """Count requests to other processes, even below zero, but for at most `DEBT_SECONDS`."""
        now = monotonic()
        full_at = max(now, self._full_at.get(key, now)) + requests / self.quota.per_second
        self._full_at[key] = min(full_at, now + DEBT_SECONDS)

    def collect(self) -> Counter[str]:
        """The tokens that each key took since the last call."""
        spent, self._spent = self._spent, Counter()
        return spent

    def _refusal(self, seconds: float) -> RateLimited:
        detail = f"At most {self.quota.per_second} requests a second"
        return RateLimited(detail, retry_after_seconds=seconds, rate_limit=self.quota)


class UserRates:
    """Requests a second of each user. The application's back end acts for many users and is not limited.

    `name`: what the limit is called in the headers of answers.
    """

    def __init__(self, per_second: int, name: str = "user") -> None:
        quota = RateLimit(name, per_second)
        self.buckets = TokenBuckets(quota) if per_second else None
        self._few = per_second * FEW

    def take(self, actor: Actor) -> tuple[RateLimit, int] | None:
        """Count one request of the user. Returns their quota and the rest of it, when little is left."""
        if self.buckets is None or actor.is_app_admin:
            return None
        left = self.buckets.take(actor.user_id)
        return (self.buckets.quota, left) if left < self._few else None
