"""The cost of default channels: nothing where there are none, and little for each person where there are."""

import asyncio
from collections import Counter

import pytest

from tests.api import PATIENCE_SECONDS, User, a_channel
from tests.cost.conftest import Watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

OF_MARKS = "find default_subscriptions"
OF_AN_IMPORT = {
    "aggregate groups": 1,
    "update groups": 1,
    "insert members": 1,
    "update default_subscriptions": 1,
    "insert events": 1,
    "commitTransaction": 1,
}


async def sent_for(watched: Watched, user: User) -> Counter[str]:
    """The commands of a request of this user, and of what it leaves to the background."""
    await watched.probe.take()
    assert (await user.get("/v1/invitations")).status == 200
    task = watched.api.services.default_channels.newcomers._task
    if task is not None:
        await task
    return Counter((await watched.probe.take()).commands)


async def test_a_first_request_costs_more_only_where_there_is_a_default_channel(
    watched: Watched,
) -> None:
    defaults, app = watched.api.services.default_channels, watched.api.new_user(admin=True)
    await defaults.sweep.close()  # its steps are counted below
    bob = watched.api.new_user("bob")
    without = await sent_for(watched, bob)
    assert await sent_for(watched, watched.api.new_user()) == without
    path = await a_channel(watched.api.new_user("ada"))
    assert (await app.put(f"{path}/default")).status == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not defaults.known.numbers:
            await asyncio.sleep(0.01)
    # A person who is new; the same one again; one whom only another process knows.
    cid = watched.api.new_user("cid")
    assert await sent_for(watched, cid) - without == {OF_MARKS: 1, **OF_AN_IMPORT}
    assert await sent_for(watched, cid) == without
    defaults.newcomers._seen.clear()
    assert await sent_for(watched, cid) - without == {OF_MARKS: 1}

    # The sweep: the same commands for ten people and for hundreds, once the others are decided.
    await defaults.sweep.run()
    costs: list[Counter[str]] = []
    for number in (10, 300):
        users = [{"user_id": f"p{number}-{n}", "name": "A person"} for n in range(number)]
        for first in range(0, number, 50):
            assert (await app.post("/v1/users", {"users": users[first : first + 50]})).status == 200
        await app.delete(f"{path}/default")
        assert (await app.put(f"{path}/default")).status == 200
        version = defaults.known.version
        async with asyncio.timeout(PATIENCE_SECONDS):
            while defaults.known.version == version and not defaults.known.numbers:
                await asyncio.sleep(0.01)
        await watched.probe.take()
        await defaults.sweep.run()
        costs.append(Counter((await watched.probe.take()).commands))
    assert costs[0] == costs[1]
    assert costs[0]["insert members"] == 1
    await app.delete(f"{path}/default")
