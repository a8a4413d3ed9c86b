"""`channels verify` finds and repairs what would stop webhooks."""

import io

from rich.console import Console

from channels.limits import Limits
from channels.verify.command import verify
from groups.kernel.mongo import Database
from tests.api import Api, a_channel, a_post
from tests.channels.webhooks.receiver import (
    Receiver,
    a_webhook,
    answering,
    caught_up,
    until_delivery,
)


async def findings(database: Database, *, repair: bool = False) -> list[str]:
    console = Console(file=io.StringIO())
    outcomes = await verify(database, Limits(), console=console, repair=repair)
    return [finding.problem for outcome in outcomes for finding in outcome.first]


async def test_damage_is_found_and_repaired_and_what_waits_is_sent(
    server: Api, receiver: Receiver, database: Database
) -> None:
    owner = server.new_user("owner")
    path = await a_channel(owner)
    receiver.replies["/a"] = answering(500)
    webhook = await a_webhook(owner, path, receiver.url("/a"), "message.posted")
    await a_post(owner, path)
    await until_delivery(owner, webhook, lambda each: each["attempts_made"] == 1)
    await caught_up(server)
    assert await findings(database) == []
    await database.collection("webhook_queues").delete_many({})
    await database.collection("webhook_guards").update_one({}, {"$inc": {"webhooks": 2}})
    problems = await findings(database, repair=True)
    assert problems == [
        "there are 1 webhooks, and 3 are counted",
        "deliveries wait, and no queue has them sent",
    ]
    assert await findings(database) == []
    del receiver.replies["/a"]
    server.clock.move(seconds=10)
    await receiver.wait_for("/a", 2)
    await database.collection("channels").delete_many({})
    assert "its channel does not exist" in await findings(database, repair=True)
    await server.services.webhooks.cleanup.sweep()
    assert await database.collection("webhooks").find_one({}) is None
