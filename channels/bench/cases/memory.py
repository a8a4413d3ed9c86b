"""The memory of a server process that serves the largest channel without sockets: nothing for each subscriber."""

from channels.bench.context import BenchContext
from channels.bench.models import Row, Target, figures
from channels.bench.processes import server

CALLS = 2_000


async def memory(context: BenchContext) -> list[Row]:
    """Resident memory of a fresh process after posts to, reads of and new subscribers for the largest channel."""
    largest = max(context.made, default=0)
    what = f"server memory with a channel of {largest:,} subscribers, no sockets"
    if context.deployment.server is not None:
        why = "the memory of a given server cannot be read"
        return [Row(name="memory", what=what, skipped=why)]
    if not largest:
        return [Row(name="memory", what=what, skipped="no channel was filled: measure `post` too")]
    path = f"/v1/channels/{context.made[largest]}"
    async with server(context.deployment) as fresh:
        calls = [context.post_request(context.made[largest], "Something to read")] * 50
        for number in range(CALLS):
            user = f"memory-{number}"
            calls.append(context.request("GET", f"{path}/posts?limit=20", user))
            calls.append(context.request("GET", "/v1/unread", user))
        calls += [context.request("GET", f"{path}/subscribers?limit=100")] * 50
        outcome = await context.drive(calls, connections=64, seconds=30, address=fresh)
        outcome.only(200, 201)
        resident = fresh.memory_bytes
    return [
        Row(
            name="memory",
            what=what,
            ours=figures("resident memory", "MB", [resident / 2**20]),
            target=Target(bound="at_most", value=150),
        )
    ]
