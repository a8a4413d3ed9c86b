"""When a request or a connection is tried again, and after which pause.

Promises:
    Bounded: a request is tried at most `attempts` times, and a retry never begins after `total_seconds`.
    Polite: a pause is never shorter than `Retry-After`; pauses double, and are random, so that the clients of a
    restarted server do not come back in the same instant.
"""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """The bounds of retries. `Retries(attempts=1)` never retries."""

    attempts: int = 5
    total_seconds: float = 60.0
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 15.0

    def pause_seconds(self, failures: int, retry_after_seconds: float | None = None) -> float:
        """The pause after so many failures in a row."""
        most = min(self.longest_pause_seconds, self.first_pause_seconds * 2 ** (failures - 1))
        pause = random.uniform(most / 2, most)
        if retry_after_seconds is None:
            return pause
        return max(pause, retry_after_seconds * random.uniform(1, 1.25))

    def next_pause(
        self, failures: int, spent_seconds: float, retry_after_seconds: float | None = None
    ) -> float | None:
        """The pause before the next attempt; None: give up."""
        if failures >= self.attempts:
            return None
        pause = self.pause_seconds(failures, retry_after_seconds)
        return pause if spent_seconds + pause <= self.total_seconds else None
