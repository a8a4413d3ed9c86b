"""Ordinary load: many channels with few callers each, where the other cases have one channel with many callers.

Calls over many channels stand beside the same calls on one; a mix like an app's beside an empty handler; a quiet
channel beside a flooded one; lone writes beside a bare transaction; and several processes on one channel beside as many
on channels of their own. The servers refuse what they cannot serve in time, as they are delivered, and what they refuse
is counted.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from typing import Final, Protocol

from channels.bench.cases.rows import cpu_of, refused_by
from channels.bench.context import BenchContext
from channels.bench.cpu import precise_seconds
from channels.bench.load import Generator, LoadFailed, Outcome, together
from channels.bench.models import Figures, Row, Series, Target, figures
from channels.bench.processes import Server, baseline, server
from channels.bench.scene import (
    HOT,
    LIST,
    POST,
    REACT,
    SHARES,
    SUBSCRIBE,
    UNREAD,
    Call,
    Kind,
    Mix,
    Scene,
    Source,
    make_scene,
)

MOST_A_SECOND: Final = 25_000
"""Writes prepared for each second of a measurement, so that it never runs out of them."""
REPEATED: Final = 10_000  # different calls of a measurement whose calls may repeat
IMPORTS: Final = 4  # at once
MAKERS: Final = 16  # connections that make the scene: few, since these servers refuse what they cannot serve in time
MANY: Final = 256  # callers of a flood, and of several processes together
FLOOD_TIMES: Final = 3  # as long as another measurement: a lone caller has few latencies
HEAD_START: Final = 0.5  # seconds of a flood before the lone caller begins, and after they ended
COLD: Final = "cold-scene"
BUSY_CALLERS: Final = 64  # callers of another process than the one that is watched
SETTLE_SECONDS: Final = 1.0  # after a start
LAG_SECONDS: Final = 0.2  # until the last event has reached every process

SPREAD: Final = Target(bound="at_least", value=0.6)
OF_WRITES: Final = {16: SPREAD, 64: SPREAD, 256: SPREAD}
OF_PAGES: Final = {64: Target(bound="at_least", value=0.5)}
OF_LISTS: Final = {64: Target(bound="at_least", value=0.7)}
OF_LONE: Final = Target(bound="at_most", value=1.6)
OF_PROCESSES: Final = Target(bound="at_least", value=0.9)
OF_BYSTANDERS: Final = Target(bound="at_most", value=20)


class _Calls(Protocol):
    """Endless calls: `Source` and `Mix`."""

    def take(self, count: int) -> list[Call]: ...

    def used(self, count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Way:
    """One side of a comparison: its calls, and whether they may repeat."""

    what: str
    calls: _Calls
    repeats: bool


def spread(
    name: str, kind: Kind, targets: Mapping[int, Target]
) -> Callable[[BenchContext], Awaitable[list[Row]]]:
    """The case that measures the kind over all channels beside the same on one, with each number of callers."""

    async def case(context: BenchContext) -> list[Row]:
        return await _spread_beside_hot(context, name, kind, targets)

    return case


async def lists(context: BenchContext) -> list[Row]:
    """Conversation lists beside lists of users of the same channels, and beside unread totals."""
    rows = await _spread_beside_hot(context, "lists", LIST, {})
    listed = _way(context, LIST, "conversation list")
    totals = _way(context, UNREAD, "unread totals")
    *others, last = await _beside(
        context, "lists", "conversation list / unread totals", listed, totals, OF_LISTS
    )
    # The chart has the lists already.
    return [*rows, *others, last.model_copy(update={"series": last.series[1:]})]


async def mix(context: BenchContext) -> list[Row]:
    """The calls of an app, beside an empty handler."""
    scene = await scene_of(context)
    sources = [_source(context, kind, is_hot=False) for kind, _ in SHARES]
    way = _Way("a mix like an app's", Mix(sources), repeats=False)
    empty = [
        context.request("PUT", f"/empty/{number}", user)
        for number, user in enumerate(scene.everybody[:MANY])
    ]
    rows: list[Row] = []
    points: list[tuple[float, float]] = []
    await _warm(context, way)
    async with baseline("http") as address:
        for callers in context.plan.ordinary.callers:
            ours: list[Outcome] = []
            theirs: list[Outcome] = []
            for _ in range(context.plan.ordinary.repeats):
                context.say(f"mix: {_callers(callers)}")
                outcome = await context.drive(
                    empty,
                    connections=callers,
                    seconds=context.plan.ordinary.seconds / 2,
                    is_cycle=True,
                    address=address,
                )
                theirs.append(outcome.only(200))
                ours.append(await _measure(context, way, callers))
            rates = _rates(way.what, ours)
            rows.append(
                Row(
                    name="mix",
                    what=f"{way.what}, {_callers(callers)}",
                    ours=rates,
                    baseline=_rates(f"empty aiohttp handler, {_callers(callers)}", theirs),
                    generator_busy=_busiest(ours + theirs),
                    cpu=cpu_of(ours),
                    refused=refused_by(ours),
                    notes=(f"latency {ours[-1].latency_text}",),
                )
            )
            points.append((float(callers), rates.median))
    line = Series(chart="mix", name=way.what, points=tuple(points))
    rows[-1] = rows[-1].model_copy(update={"series": (line,)})
    return rows


async def flood(context: BenchContext) -> list[Row]:
    """One caller on a quiet channel, alone and while 256 callers flood another channel with the same."""
    scene = await scene_of(context)
    await context.channel(COLD)
    rows: list[Row] = []
    seconds = context.plan.ordinary.seconds * FLOOD_TIMES
    # A generator of its own, which is not delayed by the responses to the flood.
    with closing(Generator()) as other:
        for kind in (SUBSCRIBE, POST):
            quiet = _Way("", Source(scene, kind, _cold_seat), repeats=False)
            alone: list[Outcome] = []
            beside: list[Outcome] = []
            floods: list[Outcome] = []
            for _ in range(context.plan.ordinary.repeats):
                context.say(f"flood: {kind.what}")
                alone.append(await _measure(context, quiet, 1, seconds=seconds, generator=other))
                many = _way(context, kind, "", is_hot=True)
                length = seconds + 2 * HEAD_START
                # Before either begins, since it takes as long as the flood is ahead.
                requests = _requests(context, many, MANY, length)
                flooding = asyncio.create_task(_send(context, many, requests, MANY, length))
                await asyncio.sleep(HEAD_START)
                beside.append(await _measure(context, quiet, 1, seconds=seconds, generator=other))
                floods.append(await flooding)
            rows += _flood_rows(kind, alone, beside, floods)
    return rows


async def lone(context: BenchContext) -> list[Row]:
    """A subscribe and a post of one caller on a quiet server, beside a bare transaction, in turns."""
    await scene_of(context)
    count = context.plan.ordinary.writes
    bare: list[float] = []
    found: dict[str, list[Outcome]] = {SUBSCRIBE.what: [], POST.what: []}
    async with context.store.bare_writes() as writes:
        # The first turn warms all of them.
        for repeat in range(1 + context.plan.ordinary.lone_repeats):
            context.say(f"lone: {repeat} of {context.plan.ordinary.lone_repeats}")
            latencies = [await writes.commit() for _ in range(count)]
            bare.append(statistics.median(latencies) * 1000)
            for kind in (SUBSCRIBE, POST):
                source = _source(context, kind, is_hot=True)
                calls = [context.call(call) for call in source.take(count)]
                source.used(count)
                outcome = await context.drive(calls, connections=1, seconds=30)
                found[kind.what].append(outcome.some())
    return [
        Row(
            name="lone",
            what=f"a lone {what}, p50",
            ours=figures(what, "ms", [_ms(outcome, 0.5) for outcome in outcomes[1:]]),
            baseline=figures(
                "a bare majority transaction of an update and two inserts", "ms", bare[1:]
            ),
            target=OF_LONE,
            generator_busy=_busiest(outcomes[1:]),
            cpu=cpu_of(outcomes[1:]),
            refused=refused_by(outcomes[1:]),
            notes=(f"latency {outcomes[-1].latency_text}",),
        )
        for what, outcomes in found.items()
    ]


async def processes(context: BenchContext) -> list[Row]:
    """Several server processes that write to one channel, beside as many that write to a channel of their own."""
    plan = context.plan.ordinary
    if context.deployment.server is not None:
        why = "the number of processes of a given server cannot be changed"
        return [Row(name="processes", what="several processes on one channel", skipped=why)]
    scene = await scene_of(context)
    own = [f"own-{number}" for number in range(max(plan.processes))]
    for name in own:
        context.say(f"processes: {name}")
        await context.channel(name)
        await context.import_users(name, scene.everybody)
        await context.prepare([context.post_request(name)] * plan.posts, connections=MAKERS)
    load = _Shared(scene, own)
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        servers = [context.server]
        for count in plan.processes:
            while len(servers) < count:
                starting = server(context.deployment, sheds_load=True)
                servers.append(await stack.enter_async_context(starting))
            for kind in (SUBSCRIBE, REACT, POST):
                context.say(f"processes: {count}, {kind.what}")
                # The first turn warms the processes.
                turns = [
                    (
                        await load.drive(context, kind, servers, is_apart=False),
                        await load.drive(context, kind, servers, is_apart=True),
                    )
                    for _ in range(1 + plan.repeats)
                ][1:]
                on_one, on_own = [turn[0] for turn in turns], [turn[1] for turn in turns]
                rows.append(
                    _row(
                        "processes",
                        f"{kind.what}, {count} processes on one channel / on their own",
                        _rates("one channel", on_one),
                        _rates(f"a channel for each of {count} processes", on_own),
                        on_one,
                        on_own,
                        OF_PROCESSES,
                    )
                )
    return rows


async def bystander(context: BenchContext) -> list[Row]:
    """Processor time of a process that nobody is connected to, for each event of another process."""
    what = "processor time of a process on which nobody listens, for a {} on another"
    name = "bystander"
    if context.deployment.server is not None:
        why = "a second process beside a given server cannot be started"
        return [Row(name=name, what=what.format("write"), skipped=why)]
    await scene_of(context)
    rows: list[Row] = []
    seconds = context.plan.ordinary.seconds
    async with server(context.deployment, sheds_load=True) as other:
        assert other.pid is not None  # it was started here
        if precise_seconds(other.pid) is None:
            why = "the kernel does not count the processor time of threads"
            return [Row(name=name, what=what.format("write"), skipped=why)]
        await asyncio.sleep(SETTLE_SECONDS)
        before = _precise(other)
        await asyncio.sleep(seconds)
        idle = (_precise(other) - before) / seconds
        for kind in (SUBSCRIBE, REACT, POST):
            way = _way(context, kind, kind.what)
            outcomes: list[Outcome] = []
            values: list[float] = []
            for _ in range(context.plan.ordinary.repeats):
                context.say(f"bystander: {kind.what}")
                before, started = _precise(other), time.monotonic()
                outcome = await _measure(context, way, BUSY_CALLERS)
                await asyncio.sleep(LAG_SECONDS)
                used = _precise(other) - before - idle * (time.monotonic() - started)
                values.append(max(used, 0) / len(outcome.latencies) * 1e6)
                outcomes.append(outcome)
            rows.append(
                Row(
                    name=name,
                    what=what.format(kind.what),
                    ours=figures(f"{kind.what}, {BUSY_CALLERS} callers", "µs", values),
                    target=OF_BYSTANDERS,
                    generator_busy=_busiest(outcomes),
                    cpu=cpu_of(outcomes),
                    refused=refused_by(outcomes),
                    notes=(f"without any event it takes {idle * 1000:.1f} ms a second",),
                )
            )
    return rows


def _precise(process: Server) -> float:
    seconds = None if process.pid is None else precise_seconds(process.pid)
    if seconds is None:
        raise LoadFailed("the second process ended")
    return seconds


async def scene_of(context: BenchContext) -> Scene:
    """The scene, which the first call of this makes. Raises: LoadFailed."""
    if context.scene is not None:
        return context.scene
    if context.scene_failure:
        # It is half made: to begin again would only meet what is there.
        raise LoadFailed(context.scene_failure)
    try:
        context.scene = await _make_scene(context)
    except LoadFailed as error:
        context.scene_failure = f"the channels and users could not be made: {error}"
        raise
    return context.scene


async def _make_scene(context: BenchContext) -> Scene:
    plan = context.plan.ordinary
    made = make_scene(plan.channels, plan.users, plan.channels_of_a_user, plan.posts)
    names = [HOT, *made.channels]
    context.say(f"ordinary: {plan.channels} channels")
    await context.prepare([context.create_request(name) for name in names], connections=MAKERS)
    context.say(f"ordinary: {plan.users:,} users")
    at_once = asyncio.Semaphore(IMPORTS)

    async def fill(name: str, users: Sequence[str]) -> None:
        async with at_once:
            await context.import_users(name, users)

    await fill(HOT, made.everybody)
    await asyncio.gather(*(fill(name, made.subscribers[name]) for name in made.channels))
    context.say("ordinary: posts")
    # All of a channel in a row, so that they share transactions.
    posts = [context.post_request(name) for name in names for _ in range(plan.posts)]
    await context.prepare(posts, connections=2 * MAKERS)
    return made


@dataclass(slots=True)
class _Shared:
    """Calls for several processes, all on one channel or on one for each process; no call twice."""

    scene: Scene
    channels: Sequence[str]
    used: Counter[str] = field(default_factory=Counter)
    """Calls so far, by kind and channel."""

    async def drive(
        self, context: BenchContext, kind: Kind, servers: Sequence[Server], *, is_apart: bool
    ) -> Outcome:
        """Send the calls to all servers at once."""
        count = len(servers)
        seconds = context.plan.ordinary.seconds
        each = REPEATED // count if kind.repeats else int(MOST_A_SECOND * seconds / count)
        names = self.channels[:count] if is_apart else [self.channels[0]] * count
        shares = [
            (
                where,
                [
                    context.call(self._call(kind, name, place + number * count))
                    for number in range(each)
                ],
            )
            for place, (where, name) in enumerate(zip(servers, names, strict=True))
        ]
        outcomes = await context.drive_several(
            shares, connections=MANY, seconds=seconds, is_cycle=kind.repeats
        )
        most = max(_sent(outcome) for outcome in outcomes)
        for name in set(names):
            self.used[f"{kind.what} {name}"] += most * count
        whole = together(outcomes)
        whole.spent = outcomes[0].spent
        return whole.some()

    def _call(self, kind: Kind, channel: str, number: int) -> Call:
        number += self.used[f"{kind.what} {channel}"]
        everybody = self.scene.everybody
        user = everybody[number % len(everybody)]
        if kind is SUBSCRIBE:
            user = f"new-{number}"
        return kind.call(channel, user, 1 + number // len(everybody) % self.scene.posts)


async def _spread_beside_hot(
    context: BenchContext, name: str, kind: Kind, targets: Mapping[int, Target]
) -> list[Row]:
    scene = await scene_of(context)
    many = _way(context, kind, kind.many.format(len(scene.channels)))
    one = _way(context, kind, kind.one, is_hot=True)
    return await _beside(context, name, f"{kind.what}, spread / hot", many, one, targets)


async def _beside(
    context: BenchContext,
    name: str,
    what: str,
    ours: _Way,
    theirs: _Way,
    targets: Mapping[int, Target],
) -> list[Row]:
    """Measure two ways in turn, with each number of callers."""
    rows: list[Row] = []
    for way in (ours, theirs):
        await _warm(context, way)
    for callers in context.plan.ordinary.callers:
        pairs: list[tuple[Outcome, Outcome]] = []
        for _ in range(context.plan.ordinary.repeats):
            context.say(f"{name}: {_callers(callers)}")
            pairs.append(
                (await _measure(context, ours, callers), await _measure(context, theirs, callers))
            )
        mine, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        rows.append(
            _row(
                name,
                f"{what}, {_callers(callers)}",
                _rates(ours.what, mine),
                _rates(theirs.what, other),
                mine,
                other,
                targets.get(callers),
            )
        )
    lines = tuple(
        Series(
            chart=name,
            name=way.what,
            points=tuple(
                (float(callers), rates.median)
                for callers, row in zip(context.plan.ordinary.callers, rows, strict=True)
                if (rates := row.ours if way is ours else row.baseline)
            ),
        )
        for way in (ours, theirs)
    )
    rows[-1] = rows[-1].model_copy(update={"series": lines})
    return rows


async def _measure(
    context: BenchContext,
    way: _Way,
    callers: int,
    *,
    seconds: float | None = None,
    generator: Generator | None = None,
) -> Outcome:
    length = context.plan.ordinary.seconds if seconds is None else seconds
    requests = _requests(context, way, callers, length)
    return await _send(context, way, requests, callers, length, generator=generator)


async def _warm(context: BenchContext, way: _Way) -> None:
    await _measure(context, way, MAKERS, seconds=context.plan.ordinary.seconds / 2)


def _requests(context: BenchContext, way: _Way, callers: int, seconds: float) -> list[bytes]:
    most = int(min(MOST_A_SECOND, 1_000 + 300 * callers) * seconds)
    count = min(REPEATED, most) if way.repeats else most
    return [context.call(call) for call in way.calls.take(count)]


async def _send(
    context: BenchContext,
    way: _Way,
    requests: Sequence[bytes],
    callers: int,
    seconds: float,
    *,
    generator: Generator | None = None,
) -> Outcome:
    outcome = await context.drive(
        requests,
        connections=callers,
        seconds=seconds,
        is_cycle=way.repeats,
        generator=generator,
    )
    way.calls.used(_sent(outcome))
    return outcome.some()


def _way(context: BenchContext, kind: Kind, what: str, *, is_hot: bool = False) -> _Way:
    return _Way(what, _source(context, kind, is_hot=is_hot), kind.repeats)


def _source(context: BenchContext, kind: Kind, *, is_hot: bool) -> Source:
    """The one source of these calls in this run, so that no case sends a call of another one again."""
    assert context.scene is not None  # made before
    key = (kind.what, is_hot)
    if key not in context.sources:
        seat = kind.hot if is_hot else kind.spread
        context.sources[key] = Source(context.scene, kind, seat)
    return context.sources[key]


def _cold_seat(scene: Scene, number: int) -> tuple[str, str, int]:
    return COLD, f"cold-{number}", 1


def _sent(outcome: Outcome) -> int:
    return sum(outcome.statuses.values()) + outcome.missing


def _flood_rows(
    kind: Kind, alone: list[Outcome], beside: list[Outcome], floods: list[Outcome]
) -> list[Row]:
    flooded = _rates("the flood", floods)
    return [
        Row(
            name="flood",
            what=f"{kind.what} on a quiet channel beside {MANY} callers on another, {label}",
            ours=figures("beside the flood", "ms", [_ms(outcome, share) for outcome in beside]),
            baseline=figures("without it", "ms", [_ms(outcome, share) for outcome in alone]),
            generator_busy=_busiest(beside + floods),
            # The lone caller's part cannot be told from that of the flood.
            cpu=cpu_of(floods),
            refused=refused_by(beside + floods),
            notes=(f"the flood: {flooded.median:,.0f}/s, {floods[-1].latency_text}",),
        )
        for label, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _row(
    name: str,
    what: str,
    ours: Figures,
    theirs: Figures,
    mine: list[Outcome],
    other: list[Outcome],
    target: Target | None,
) -> Row:
    """A row whose two sides are measured on our server."""
    cpu, other_cpu = cpu_of(mine), cpu_of(other)
    notes = [
        f"{ours.what}: {mine[-1].latency_text}",
        f"{theirs.what}: {other[-1].latency_text}",
    ]
    if cpu.total and other_cpu.total:
        notes.append(
            f"processor time of server and mongod: {cpu.total / other_cpu.total:.2f} times the baseline's"
        )
    return Row(
        name=name,
        what=what,
        ours=ours,
        baseline=theirs,
        target=target,
        generator_busy=_busiest(mine + other),
        cpu=cpu,
        baseline_cpu=other_cpu,
        refused=refused_by(mine + other),
        notes=tuple(notes),
    )


def _rates(what: str, outcomes: Sequence[Outcome]) -> Figures:
    return figures(what, "/s", [outcome.per_second for outcome in outcomes])


def _busiest(outcomes: Sequence[Outcome]) -> float:
    return max(outcome.busy for outcome in outcomes)


def _ms(outcome: Outcome, share: float) -> float:
    return outcome.quantile(share) * 1000


def _callers(number: int) -> str:
    return f"{number} callers" if number > 1 else "1 caller"
