"""Subscribing, reacting and reading under load, beside an empty aiohttp handler."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final
from urllib.parse import quote

from channels.bench.context import BenchContext
from channels.bench.load import Outcome
from channels.bench.models import Figures, Row, Series, Target, figures
from channels.bench.processes import Address, Server, baseline

CALLERS: Final = 256
READERS: Final = 64
MOST_A_SECOND: Final = (
    25_000  # calls prepared for a measurement, so that it never runs out of users
)
EMOJI: Final = ("👍", "❤️", "🔥", "🎉")

_HALF: Final = Target(bound="at_least", value=0.5)
_THIRD: Final = Target(bound="at_least", value=0.3)
_numbers = count()


async def subscribe(context: BenchContext) -> list[Row]:
    """`PUT …/subscription` to one channel, each call by a user who did not subscribe before."""
    context.hot = await context.channel("hot")
    await context.post(context.hot, 1)

    async def ours() -> Outcome:
        return await subscribe_new(context, context.server, CALLERS, context.plan.seconds)

    row, _ = await _beside_empty(
        context, "subscribe", f"subscribe to one channel, {CALLERS} callers", CALLERS, ours, _HALF
    )
    context.say("subscribe: against concurrency")
    points = []
    for callers in context.plan.concurrency:
        outcome = await subscribe_new(context, context.server, callers, context.plan.seconds / 2)
        points.append((float(callers), round(outcome.per_second, 1)))
    series = Series(chart="throughput", name="subscribe", points=tuple(points))
    return [row.model_copy(update={"series": (series,)})]


async def subscribe_new(
    context: BenchContext, server: Server, callers: int, seconds: float
) -> Outcome:
    """Subscribe new users to the hot channel for this long. They may react afterwards."""
    batch = next(_numbers)
    most = int(min(MOST_A_SECOND, 400 + 120 * callers) * seconds)
    users = [f"s{batch}-{number}" for number in range(most)]
    path = f"/v1/channels/{context.hot}/subscription"
    requests = [context.request("PUT", path, user) for user in users]
    outcome = await context.drive(requests, connections=callers, seconds=seconds, server=server)
    outcome.only(200)
    # Requests were sent in this order, so about this many of the first ones had a response.
    context.subscribed += users[: len(outcome.latencies) - callers]
    return outcome


async def react(context: BenchContext) -> list[Row]:
    """`PUT …/reactions/{emoji}` on one post, each call by another subscriber."""
    await _need_subscribers(context)

    async def ours() -> Outcome:
        return await react_anew(context, context.server, CALLERS, context.plan.seconds)

    row, _ = await _beside_empty(
        context, "react", f"react to one post, {CALLERS} callers", CALLERS, ours, _HALF
    )
    return [row]


async def react_anew(
    context: BenchContext, server: Server, callers: int, seconds: float
) -> Outcome:
    """React to the hot post for this long: each subscriber once with each emoji in turn."""
    emoji = quote(EMOJI[next(_numbers) % len(EMOJI)])
    path = f"/v1/channels/{context.hot}/posts/1/reactions/{emoji}"
    requests = [context.request("PUT", path, user) for user in context.subscribed]
    outcome = await context.drive(requests, connections=callers, seconds=seconds, server=server)
    return outcome.only(200)


async def _need_subscribers(context: BenchContext) -> None:
    if not context.hot:
        context.hot = await context.channel("hot")
        await context.post(context.hot, 1)
    if len(context.subscribed) < CALLERS * 8:
        await subscribe_new(context, context.server, CALLERS, context.plan.seconds * 2)


async def read(context: BenchContext) -> list[Row]:
    """`GET …/posts?limit=20`, each post with reactions, each caller with one reaction of their own."""
    channel = await context.channel("library")
    await context.post(channel, 25)
    readers = [f"reader-{number}" for number in range(READERS)]
    path = f"/v1/channels/{channel}"
    await context.prepare(
        [context.request("PUT", f"{path}/subscription", user) for user in readers]
    )
    reactions = []
    for seq in range(6, 26):
        for place, user in enumerate(readers[:12]):
            emoji = quote(EMOJI[(seq + place) % len(EMOJI)])
            reactions.append(context.request("PUT", f"{path}/posts/{seq}/reactions/{emoji}", user))
    # All others react to the newest post.
    newest = f"{path}/posts/25/reactions/{quote(EMOJI[0])}"
    reactions += [context.request("PUT", newest, user) for user in readers[12:]]
    await context.prepare(reactions)
    requests = [context.request("GET", f"{path}/posts?limit=20", user) for user in readers]

    async def ours() -> Outcome:
        outcome = await context.drive(requests, connections=READERS, is_cycle=True)
        return outcome.only(200)

    what = f"read 20 posts with tallies, {READERS} callers"
    row, _ = await _beside_empty(context, "read", what, READERS, ours, _THIRD)
    return [row]


async def empty(context: BenchContext, address: Address, callers: int) -> Outcome:
    """The empty handler under the same load."""
    requests = [
        context.request("PUT", f"/empty/{number}", f"reader-{number}") for number in range(callers)
    ]
    outcome = await context.drive(requests, connections=callers, is_cycle=True, address=address)
    return outcome.only(200)


async def _beside_empty(
    context: BenchContext,
    name: str,
    what: str,
    callers: int,
    measure: Callable[[], Awaitable[Outcome]],
    target: Target,
) -> tuple[Row, list[Outcome]]:
    ours: list[Outcome] = []
    theirs: list[Outcome] = []
    async with baseline("http") as address:
        await empty(context, address, callers)  # warm
        for repeat in range(context.plan.repeats):
            context.say(f"{name}: {repeat + 1} of {context.plan.repeats}")
            theirs.append(await empty(context, address, callers))
            ours.append(await measure())
    latencies = [f"{outcome.quantile(q) * 1000:.1f}" for outcome in ours[-1:] for q in (0.5, 0.99)]
    row = Row(
        name=name,
        what=what,
        ours=rates(what, ours),
        baseline=rates(f"empty aiohttp handler, {callers} callers", theirs),
        target=target,
        generator_busy=max(outcome.busy for outcome in (*ours, *theirs)),
        notes=(f"latency p50 {latencies[0]} ms, p99 {latencies[1]} ms",),
    )
    return row, ours


def rates(what: str, outcomes: list[Outcome]) -> Figures:
    """Responses a second of each."""
    return figures(what, "/s", [outcome.per_second for outcome in outcomes])
