"""Unread totals of users with many channels beside the bare queries; the list of a user in thousands of groups."""

import asyncio
import statistics

from channels.bench.cases.rows import cpu_of
from channels.bench.context import BenchContext
from channels.bench.load import Outcome
from channels.bench.models import Row, Target, figures

TURNS = 20  # of each reader in one measurement


async def unread(context: BenchContext) -> list[Row]:
    """`GET /v1/unread`, one reader after the other, beside the queries that it needs."""
    readers = await _readers(context)
    channels = context.plan.channels_of_a_user
    ours: list[float] = []
    theirs: list[float] = []
    outcomes: list[Outcome] = []
    requests = [context.request("GET", "/v1/unread", user) for user in readers]
    for repeat in range(context.plan.repeats):
        context.say(f"unread: {repeat + 1} of {context.plan.repeats}")
        bare = [await context.store.bare_unread(user) for user in readers * TURNS]
        theirs.append(statistics.median(bare) * 1000)
        outcome = await context.drive(requests * TURNS, connections=1, seconds=60)
        outcomes.append(outcome.only(200))
        ours.append(outcome.quantile(0.5) * 1000)
    together = await context.drive(requests, connections=len(readers), is_cycle=True)
    together.only(200)
    bare_together = await _bare_together(context, readers)
    return [
        Row(
            name="unread",
            what=f"unread totals with {channels:,} channels",
            ours=figures("GET /v1/unread, p50", "ms", ours),
            baseline=figures("the bare queries in motor, p50", "ms", theirs),
            target=Target(bound="at_most", value=1.5),
            generator_busy=max(outcome.busy for outcome in outcomes),
            cpu=cpu_of(outcomes),
            notes=(
                f"{len(readers)} users at once: {together.per_second:.0f}/s,"
                f" the bare queries {bare_together:.0f}/s",
            ),
        )
    ]


async def _bare_together(context: BenchContext, readers: list[str]) -> float:
    loop = asyncio.get_running_loop()
    started = loop.time()
    turns = 0
    while loop.time() - started < context.plan.seconds:
        await asyncio.gather(*(context.store.bare_unread(user) for user in readers))
        turns += 1
    return turns * len(readers) / (loop.time() - started)


async def _readers(context: BenchContext) -> list[str]:
    """Create users who subscribe to the same channels, with unread posts in each."""
    users = [f"inbox-{number}" for number in range(context.plan.readers)]
    names = [f"shelf-{number}" for number in range(context.plan.channels_of_a_user)]
    context.say(f"unread: {len(users)} users with {len(names):,} channels each")
    bodies = [{"channel_id": f"@TOA#_{name}", "name": name} for name in names]
    await context.prepare([context.request("POST", "/v1/channels", body=body) for body in bodies])
    paths = [f"/v1/channels/{name}" for name in names]
    await context.prepare(
        [context.request("PUT", f"{path}/subscription", user) for path in paths for user in users]
    )
    posts = [context.post_request(name, "Something to read") for name in names]
    await context.prepare(posts)
    await context.prepare(
        [context.request("POST", "/v1/read", user, {"scope": "all"}) for user in users]
    )
    await context.prepare(posts)
    return users


async def inbox(context: BenchContext) -> list[Row]:
    """A user in thousands of groups: the first page of their list, their totals, marking all of it read."""
    groups = context.plan.inbox_groups
    what = f"the inbox of a user in {groups:,} groups"
    subscribed = context.plan.channels_of_a_user
    user = "inbox-0"
    context.say(f"inbox: {groups - subscribed:,} chat groups more")
    body = {"type": "meeting", "name": "Tea"}
    await context.prepare(
        [context.request("POST", "/v1/groups", user, body)] * (groups - subscribed)
    )
    rows: list[Row] = []
    for name, call in {
        "conversation list, first page": context.request("GET", "/v1/conversations?limit=50", user),
        "unread totals": context.request("GET", "/v1/unread", user),
        "read everything again": context.request("POST", "/v1/read", user, {"scope": "all"}),
    }.items():
        context.say(f"inbox: {name}")
        outcome = await context.drive([call] * 15, connections=1, seconds=60)
        values = [latency * 1000 for latency in outcome.only(200).latencies[1:]]
        rows.append(
            Row(
                name="inbox",
                what=f"{what}: {name}",
                ours=figures(name, "ms", values),
                generator_busy=outcome.busy,
                cpu=cpu_of([outcome]),
            )
        )
    return rows
