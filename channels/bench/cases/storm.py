"""All clients reconnect at once, as after a restart: all are admitted, and how long the last one waits."""

from contextlib import closing

from channels.bench.context import BenchContext
from channels.bench.listeners import Listeners, Opening
from channels.bench.models import Row, Target, figures
from channels.bench.processes import server


async def storm(context: BenchContext) -> list[Row]:
    """Open all sockets in the same moment, and measure the memory of an idle one."""
    sockets = context.plan.storm_sockets
    channel = await context.channel("storm")
    users = [f"storm-{number}" for number in range(sockets)]
    context.say(f"storm: {sockets:,} subscribers")
    await context.subscribe(channel, users)
    tokens = [context.token(user) for user in users]
    # A fresh process: one that had sockets before would reuse memory that it holds already.
    async with server(context.deployment) as fresh:
        before = fresh.memory_bytes
        context.say(f"storm: {sockets:,} sockets at once")
        opening = Opening(
            "websocket", fresh.host, fresh.port, "/v1/socket", tokens, at_once=sockets
        )
        with closing(Listeners()) as listeners:
            result = await listeners.open(opening)
            growth = fresh.memory_bytes - before
    what = f"{sockets:,} sockets open and authenticate at once"
    rows = [
        Row(
            name="storm",
            what=f"{what}: the last is ready",
            ours=figures("seconds until the last is ready", "s", [result.seconds]),
        ),
        Row(
            name="storm",
            what=f"{what}: refused or lost",
            ours=figures("sockets that failed", "", [result.failed]),
            target=Target(bound="at_most", value=0),
        ),
    ]
    if before:
        rows.append(
            Row(
                name="storm",
                what="memory of an idle socket",
                ours=figures("resident bytes a socket", "KB", [growth / sockets / 1024]),
            )
        )
    return rows
