"""Clients of the server of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.client import Client, Retries
from tests.api import User

QUICK = Retries(first_pause_seconds=0.01, longest_pause_seconds=0.05)


@asynccontextmanager
async def client_of(
    user: User, *, base: str | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A client with the token of this user; `base` is another address of the server."""
    options = {"token": user.token, "retries": QUICK, **options}
    async with Client(base or user.base, **options) as client:
        yield client
