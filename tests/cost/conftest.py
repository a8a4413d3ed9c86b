"""One server for the tests of a module, with a probe of the cost of each operation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest_asyncio

from tests.api import Api, MovedClock, open_api
from tests.builders import probed_database
from tests.probes import WorkProbe


@dataclass(frozen=True, slots=True)
class Watched:
    """A server, and the probe on its database."""

    api: Api
    probe: WorkProbe


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(mongod_uri: str) -> AsyncIterator[Watched]:
    """The application on a database of its own, probed from the first command on."""
    name = f"t{uuid4().hex[:12]}"
    probe = WorkProbe(mongod_uri, name)
    database = probed_database(mongod_uri, name, probe)
    await probe.start()
    try:
        # The first operation of a day examines other documents than later ones.
        async with open_api(database, clock=MovedClock.from_noon()) as api:
            # Unread totals are read behind a call, for some of many: `tests/server/test_unread_totals.py` bounds them.
            await api.app.unread_feed.close()
            # Counted behind a call, for many at once: `test_commands` lists the commands.
            await api.services.analytics.counting.close()
            await api.services.log.close()
            # Looks for comments of deleted posts every ten seconds.
            await api.services.comments.cleanup_task.stop()
            # The sockets of posts are added every two seconds.
            await api.services.reports.sockets.close()
            # Messages that end are looked for every 30 seconds, and users who are to be deleted every minute.
            await api.services.chat.retention_task.stop()
            await api.services.user_data.worker.close()
            # Polls that close are looked for every five seconds.
            await api.services.poll_closing.stop()
            # What is done once a minute: the database's clock is read, and webhooks and cases that have ended are
            # looked for.
            await api.services.clock_sync.stop()
            await api.services.webhooks.cleanup.stop()
            await api.services.abuse_reports.clearing.close()
            yield Watched(api, probe)
    finally:
        await probe.stop()
        await database.drop()
        await database.close()
