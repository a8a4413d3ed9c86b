"""Channels with up to a million subscribers: the bulk import, the latency of a post, the memory of the server."""

import statistics
from typing import Final

from channels.bench.cases.rows import cpu_for, cpu_of
from channels.bench.context import BenchContext
from channels.bench.cpu import CpuSeconds
from channels.bench.load import Outcome
from channels.bench.models import Row, Series, Target, figures
from channels.bench.processes import server

BATCH: Final = 5_000  # documents of one bare insert_many
STEPS: Final = 5  # of the import
WARM: Final = 5  # posts to each channel that do not count
READS: Final = 2_000  # before memory is measured


async def bulk_import(context: BenchContext) -> list[Row]:
    """`POST …/subscribers` with one line for each user; with the full plan up to the limit, and one user beyond it."""
    wanted = context.plan.imported
    name = await context.channel("crowd")
    users = [f"crowd-{each:07}" for each in range(wanted - 1)]  # the owner is one, too
    step = -(-wanted // STEPS)
    ours: list[float] = []
    bare: list[float] = []
    seconds = 0.0
    spent = CpuSeconds(0, 0)
    await context.subscribe(name, users[:1])  # a member whose document the bare ones copy
    async with context.store.bare_members(f"@TOA#_{name}") as members:
        # In turn, so that noise of the machine affects both, and both indexes grow alike.
        for first in range(1, len(users), step):
            part = users[first : first + step]
            context.say(f"import: {first + len(part):,} of {len(users):,} subscribers")
            before = context.spent()
            took = await context.import_users(name, part)
            spent += context.spent() - before
            seconds += took
            ours.append(len(part) / took)
            bare.append(len(part) / await members.insert(part, BATCH))
    context.made[wanted] = name
    rows = [
        Row(
            name="import",
            what=f"{wanted:,} subscribers through the bulk import",
            ours=figures("the bulk import", "/s", ours),
            baseline=figures("bare insert_many", "/s", bare),
            target=Target(bound="at_least", value=0.5),
            cpu=cpu_for(spent, len(users) - 1, "subscriber"),
            notes=(f"all in {seconds:.1f} s",),
        )
    ]
    if wanted == 1_000_000:
        call = context.request("PUT", f"/v1/channels/{name}/subscription", "one-too-many")
        refused = await context.drive([call], connections=1, seconds=5)
        rows.append(
            Row(
                name="import",
                what="the next one is refused (409)",
                ours=figures("answers of 409", "", [refused.statuses[409]]),
                target=Target(bound="at_least", value=1),
                cpu=cpu_for(refused.spent, 1),
            )
        )
    return rows


async def post(context: BenchContext) -> list[Row]:
    """Post in turn to channels of all sizes, so that noise affects all; the latency must not depend on the size."""
    sizes = context.plan.subscribers
    for size in sizes:
        if size not in context.made:
            context.say(f"post: a channel with {size:,} subscribers")
            name = await context.channel(f"size{size}")
            users = [f"{name}-{number:07}" for number in range(size - 1)]  # the owner is one, too
            await context.import_users(name, users)
            context.made[size] = name
    turn = [context.post_request(context.made[size]) for size in sizes]
    medians: list[list[float]] = [[] for _ in sizes]
    outcomes: list[Outcome] = []
    for repeat in range(context.plan.repeats):
        context.say(f"post: {repeat + 1} of {context.plan.repeats}")
        outcome = await context.drive(
            turn * (context.plan.posts + WARM),
            connections=1,
            seconds=context.plan.posts * len(sizes),
        )
        outcomes.append(outcome.only(201))
        for place in range(len(sizes)):
            mine = outcome.latencies[place :: len(sizes)][WARM:]
            medians[place].append(statistics.median(mine) * 1000)
    points = tuple(
        (float(size), round(statistics.median(values), 3))
        for size, values in zip(sizes, medians, strict=True)
    )
    return [
        Row(
            name="post",
            what=f"post latency p50, {sizes[-1]:,} / {sizes[0]:,} subscribers",
            ours=figures(f"{sizes[-1]:,} subscribers", "ms", medians[-1]),
            baseline=figures(f"{sizes[0]:,} subscribers", "ms", medians[0]),
            target=Target(bound="at_most", value=1.1),
            generator_busy=max(outcome.busy for outcome in outcomes),
            cpu=cpu_of(outcomes),
            notes=tuple(f"{int(size):,} subscribers: p50 {value:.2f} ms" for size, value in points),
            series=(Series(chart="latency", name="post, p50", points=points),),
        )
    ]


async def memory(context: BenchContext) -> list[Row]:
    """Resident memory of a fresh process after posts to the largest channel and reads of it."""
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
        for number in range(READS):
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
            cpu=cpu_of([outcome]),
        )
    ]
