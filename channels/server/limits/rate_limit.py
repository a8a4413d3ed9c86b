"""How often one may ask: a token bucket a key, kept by this process.

A bucket holds one second's worth, so that a page that asks for thirty things at once is served at once. It is stored as
the instant at which it will be full again (GCRA): one number a key, and who was not heard of for a second needs none.
"""

from collections import Counter
from time import monotonic
from typing import Final

from cachetools import LRUCache

from groups.kernel.actor import Actor
from groups.kernel.errors import RateLimit, RateLimited

KEYS: Final = (
    8_192  # remembered at once, in 4 MB; with more in one second the least recent begins anew
)
DEBT_SECONDS: Final = 10.0  # until a bucket that was overspent elsewhere is full again
_NOTHING: Final = 1e-6  # of a request: what floats lose
FEW: Final = 0.2  # of the quota left: from here on answers tell how many


class Buckets:
    """One bucket for each key, all with the same rate."""

    def __init__(self, quota: RateLimit) -> None:
        self.quota = quota
        self._spent: Counter[str] = Counter()
        self._full_at: LRUCache[str, float] = LRUCache(maxsize=KEYS)

    def take(self, key: str) -> int:
        """Take one; how many are left.

        Raises: RateLimited.
        """
        now, rate = monotonic(), self.quota.per_second
        full_at = max(now, self._full_at.get(key, now))
        left = rate - (full_at - now) * rate - 1
        if left < -_NOTHING:
            raise self._refusal(-left / rate)
        self._full_at[key] = full_at + 1 / rate
        self._spent[key] += 1
        return int(left + _NOTHING)

    def check(self, key: str) -> None:
        """Refuse where `take` would, and take nothing.

        Raises: RateLimited.
        """
        now, rate = monotonic(), self.quota.per_second
        missing = (self._full_at.get(key, now) - now) * rate + 1 - rate
        if missing > _NOTHING:
            raise self._refusal(missing / rate)

    def reserve(self, key: str, most_seconds: float) -> float:
        """Take one, also of what comes within so many seconds; in how many seconds it is there.

        Raises: RateLimited where that is longer.
        """
        now, rate = monotonic(), self.quota.per_second
        full_at = max(now, self._full_at.get(key, now))
        seconds = full_at - now + (1 - rate) / rate
        if seconds > most_seconds:
            raise self._refusal(seconds - most_seconds)
        self._full_at[key] = full_at + 1 / rate
        return seconds if seconds * rate > _NOTHING else 0.0

    def count(self, key: str, requests: int) -> None:
        """Count what was spent elsewhere, also beyond what the bucket holds; at most for `DEBT_SECONDS`."""
        now = monotonic()
        full_at = max(now, self._full_at.get(key, now)) + requests / self.quota.per_second
        self._full_at[key] = min(full_at, now + DEBT_SECONDS)

    def collect(self) -> Counter[str]:
        """What each key took since this was asked last."""
        spent, self._spent = self._spent, Counter()
        return spent

    def _refusal(self, seconds: float) -> RateLimited:
        detail = f"At most {self.quota.per_second} requests a second"
        return RateLimited(detail, retry_after_seconds=seconds, rate_limit=self.quota)


class UserRates:
    """Requests a second of each user; the application's own back end speaks for many and is not bounded."""

    def __init__(self, per_second: int) -> None:
        quota = RateLimit("user", per_second)
        self.buckets = Buckets(quota) if per_second else None
        self._few = per_second * FEW

    def take(self, actor: Actor) -> tuple[RateLimit, int] | None:
        """Count one request of the user; his quota and what is left of it, once that is little.

        Raises: RateLimited.
        """
        if self.buckets is None or actor.is_app_admin:
            return None
        left = self.buckets.take(actor.user_id)
        return (self.buckets.quota, left) if left < self._few else None
