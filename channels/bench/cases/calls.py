"""Subscribing, reacting and reading under load, beside an empty aiohttp handler; and with several server processes."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final
from urllib.parse import quote

from channels.bench.cases.rows import cpu_of, refused_by
from channels.bench.context import BenchContext
from channels.bench.load import Outcome
from channels.bench.models import Row, Series, Target, figures
from channels.bench.processes import Address, baseline, server, usable_cores

CALLERS: Final = 256
READERS: Final = 64
MOST_A_SECOND: Final = 25_000
"""Calls prepared for each second of a measurement, so that it never runs out of users."""
KEPT: Final = Target(bound="at_least", value=0.7)
"""The ratio that several processes must reach, for up to as many processes as there are cores. With more, a process
waits for a core while others wait for its locks; that is measured without a target."""
EMOJI: Final = ("👍", "❤️", "🔥", "🎉")

_numbers = count()


async def subscribe(context: BenchContext) -> list[Row]:
    """`PUT …/subscription` to one channel, each call by a user who did not subscribe before."""
    await make_hot_channel(context)
    row = await _beside_empty(
        context,
        name="subscribe",
        what=f"subscribe to one channel, {CALLERS} callers",
        callers=CALLERS,
        measure=lambda: subscribe_new(context, context.server, CALLERS, context.plan.seconds),
        least=0.5,
    )
    context.say("subscribe: against concurrency")
    points = []
    for callers in context.plan.concurrency:
        outcome = await subscribe_new(context, context.server, callers, context.plan.seconds / 2)
        points.append((float(callers), round(outcome.per_second, 1)))
    series = Series(chart="throughput", name="subscribe", points=tuple(points))
    return [row.model_copy(update={"series": (series,)})]


async def make_hot_channel(context: BenchContext) -> None:
    """Create the channel of these cases, with a post, unless an earlier case did."""
    if not context.hot:
        context.hot = await context.channel("hot", posts=1)


async def subscribe_new(
    context: BenchContext, address: Address, callers: int, seconds: float
) -> Outcome:
    """Subscribe new users to the hot channel for this long. They may react afterwards."""
    batch = next(_numbers)
    most = int(min(MOST_A_SECOND, 400 + 120 * callers) * seconds)
    users = [f"s{batch}-{number}" for number in range(most)]
    path = f"/v1/channels/{context.hot}/subscription"
    requests = [context.request("PUT", path, user) for user in users]
    outcome = await context.drive(requests, connections=callers, seconds=seconds, address=address)
    outcome.some()
    # Requests were sent in this order, so about this many of the first ones had a response.
    context.subscribed += users[: len(outcome.latencies) - callers]
    return outcome


async def react(context: BenchContext) -> list[Row]:
    """`PUT …/reactions/{emoji}` on one post, each call by another subscriber."""
    await make_hot_channel(context)
    if len(context.subscribed) < CALLERS * 8:
        await subscribe_new(context, context.server, CALLERS, context.plan.seconds * 2)
    row = await _beside_empty(
        context,
        name="react",
        what=f"react to one post, {CALLERS} callers",
        callers=CALLERS,
        measure=lambda: react_anew(context, context.server),
        least=0.5,
    )
    return [row]


async def react_anew(context: BenchContext, address: Address) -> Outcome:
    """React to the hot post for this long: each subscriber once with each emoji in turn."""
    emoji = quote(EMOJI[next(_numbers) % len(EMOJI)])
    path = f"/v1/channels/{context.hot}/posts/1/reactions/{emoji}"
    requests = [context.request("PUT", path, user) for user in context.subscribed]
    outcome = await context.drive(requests, connections=CALLERS, address=address)
    return outcome.some()


async def read(context: BenchContext) -> list[Row]:
    """`GET …/posts?limit=20`, each post with reactions, each caller with one reaction of their own."""
    channel = await context.channel("library", posts=25)
    readers = [f"reader-{number}" for number in range(READERS)]
    await context.subscribe(channel, readers)
    path = f"/v1/channels/{channel}/posts"
    reactions = []
    for seq in range(6, 26):
        for place, user in enumerate(readers[:12]):
            emoji = quote(EMOJI[(seq + place) % len(EMOJI)])
            reactions.append(context.request("PUT", f"{path}/{seq}/reactions/{emoji}", user))
    # All others react to the newest post.
    newest = f"{path}/25/reactions/{quote(EMOJI[0])}"
    reactions += [context.request("PUT", newest, user) for user in readers[12:]]
    await context.prepare(reactions)
    requests = [context.request("GET", f"{path}?limit=20", user) for user in readers]
    row = await _beside_empty(
        context,
        name="read",
        what=f"read 20 posts with tallies, {READERS} callers",
        callers=READERS,
        measure=lambda: context.drive(requests, connections=READERS, is_cycle=True),
        least=0.3,
    )
    return [row]


async def workers(context: BenchContext) -> list[Row]:
    """Subscribing and reacting with 1, 2 and 4 processes, compared with the first count."""
    if context.deployment.server is not None:
        why = "the number of processes of a given server cannot be changed"
        return [Row(name="workers", what="several server processes", skipped=why)]
    await make_hot_channel(context)
    joins: dict[int, Outcome] = {}
    reactions: dict[int, Outcome] = {}
    for processes in context.plan.workers:
        context.say(f"workers: {processes}")
        async with server(context.deployment, workers=processes) as several:
            await subscribe_new(context, several, CALLERS, 1)
            joins[processes] = await subscribe_new(context, several, CALLERS, context.plan.seconds)
            reactions[processes] = await react_anew(context, several)
    rows: list[Row] = []
    first, *others = context.plan.workers
    cores = usable_cores()
    for what, outcomes in {"subscribe": joins, "react": reactions}.items():
        rates = {processes: outcome.per_second for processes, outcome in outcomes.items()}
        rows += [
            Row(
                name="workers",
                what=f"{what} on one channel, {processes} processes / {first}",
                ours=figures(f"{processes} processes", "/s", [rates[processes]]),
                baseline=figures("1 process", "/s", [rates[first]]),
                target=KEPT if processes <= cores else None,
                generator_busy=outcomes[processes].busy,
                cpu=cpu_of([outcomes[processes]]),
                baseline_cpu=cpu_of([outcomes[first]]),
                refused=refused_by([outcomes[first], outcomes[processes]]),
            )
            for processes in others
        ]
        points = tuple((float(processes), round(rate, 1)) for processes, rate in rates.items())
        series = Series(chart="workers", name=what, points=points)
        rows[-1] = rows[-1].model_copy(update={"series": (series,)})
    return rows


async def _beside_empty(
    context: BenchContext,
    *,
    name: str,
    what: str,
    callers: int,
    measure: Callable[[], Awaitable[Outcome]],
    least: float,
) -> Row:
    """Measure in turn with an empty handler under the same load; `least` is the ratio to reach."""
    ours: list[Outcome] = []
    theirs: list[Outcome] = []
    calls = [
        context.request("PUT", f"/empty/{number}", f"reader-{number}") for number in range(callers)
    ]
    async with baseline("http") as address:

        async def empty() -> Outcome:
            outcome = await context.drive(
                calls, connections=callers, is_cycle=True, address=address
            )
            return outcome.only(200)

        await empty()  # warm
        for repeat in range(context.plan.repeats):
            context.say(f"{name}: {repeat + 1} of {context.plan.repeats}")
            theirs.append(await empty())
            ours.append((await measure()).some())
    return Row(
        name=name,
        what=what,
        ours=figures(what, "/s", [outcome.per_second for outcome in ours]),
        baseline=figures(
            f"empty aiohttp handler, {callers} callers",
            "/s",
            [outcome.per_second for outcome in theirs],
        ),
        target=Target(bound="at_least", value=least),
        generator_busy=max(outcome.busy for outcome in (*ours, *theirs)),
        cpu=cpu_of(ours),
        refused=refused_by(ours),
        notes=(f"latency {ours[-1].latency_text}",),
    )
