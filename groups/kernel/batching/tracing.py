"""How a batch is traced. The tracer itself is the server's."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class BatchTracing(Protocol):
    """Traces batches, and who waits for them."""

    def submitted(self, caller: asyncio.Future[Any]) -> None:
        """Note that the current request waits for this future. Never waits, and never raises."""

    def batch(
        self, name: str, callers: Sequence[asyncio.Future[Any]]
    ) -> AbstractContextManager[None]:
        """Surrounds the transaction of a batch that serves these callers."""
