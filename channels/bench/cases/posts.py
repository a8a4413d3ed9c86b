"""The latency of a post must not depend on the number of subscribers."""

import statistics

from channels.bench.context import BenchContext
from channels.bench.models import Row, Series, Target, figures

WARM = 5  # posts to each channel that do not count


async def post(context: BenchContext) -> list[Row]:
    """One author posts in turn to channels of all sizes, so that noise affects all of them."""
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
    busy = 0.0
    for repeat in range(context.plan.repeats):
        context.say(f"post: {repeat + 1} of {context.plan.repeats}")
        outcome = await context.drive(
            turn * (context.plan.posts + WARM),
            connections=1,
            seconds=context.plan.posts * len(sizes),
        )
        outcome.only(201)
        busy = max(busy, outcome.busy)
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
            generator_busy=busy,
            notes=tuple(f"{int(size):,} subscribers: p50 {value:.2f} ms" for size, value in points),
            series=(Series(chart="latency", name="post, p50", points=points),),
        )
    ]
