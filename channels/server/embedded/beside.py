"""The database for a command that runs beside the server, or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from channels.server.embedded.state import running_uri
from channels.server.embedded.supervisor import EmbeddedMongo
from channels.server.settings import Settings


@asynccontextmanager
async def database_uri(settings: Settings) -> AsyncIterator[str]:
    """The connection string of the deployment's database, valid until the body ends.

    It is the given MongoDB, or the embedded one of a server that runs on the data directory. When none runs, one is
    started, and stopped afterwards.

    Raises: StartupError.
    """
    if settings.mongodb_uri is not None:
        yield settings.mongodb_uri
        return
    running = running_uri(settings.data_dir)
    if running is not None:
        yield running
        return
    mongo = EmbeddedMongo(settings.data_dir, settings.embedded_cache_gb)
    await mongo.start()
    try:
        yield mongo.uri
    finally:
        await mongo.stop()
