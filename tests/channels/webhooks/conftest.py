"""A receiver, and a server that may send to it."""

from collections.abc import AsyncIterator

import pytest

from tests.api import Api
from tests.channels.webhooks.receiver import LOOPBACK, Receiver, a_receiver
from tests.conftest import OpenApi


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as receiver:
        yield receiver


@pytest.fixture
async def server(api: OpenApi) -> Api:
    return await api(options=LOOPBACK)
