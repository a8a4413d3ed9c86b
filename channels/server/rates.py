"""How often one user may ask: a sliding window a user, kept by this process."""

from typing import Final

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from groups.kernel.actor import Actor
from groups.kernel.errors import RateLimited

RETRY_SECONDS: Final = 1.0


class UserRates:
    """Requests a second of each user; the application's own back end speaks for many and is not bounded."""

    def __init__(self, per_second: int) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerSecond(per_second) if per_second else None
        self._per_second = per_second

    def check(self, actor: Actor) -> None:
        """Count one request of the user.

        Raises: RateLimited.
        """
        if self._rate is None or actor.is_app_admin:
            return
        if not self._limiter.hit(self._rate, actor.user_id):
            raise RateLimited(
                f"At most {self._per_second} requests a second", retry_after_seconds=RETRY_SECONDS
            )
