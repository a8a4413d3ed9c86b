"""Posts to thousands of sockets, one and a burst; and thousands of clients that reconnect at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Literal

from channels.bench.cases.rows import cpu_for
from channels.bench.context import BenchContext
from channels.bench.listeners import Listeners, Opening, connected, mqtt_connect, mqtt_publish
from channels.bench.load import LoadFailed
from channels.bench.models import Figures, Row, Series, Target, figures
from channels.bench.processes import baseline, broker, find_broker, server
from channels.bench.scene import TEXT

SETTLE_SECONDS = 1.0  # after thousands of connections
WARM = 3  # posts that do not count
BASELINE_BYTES = 400  # a message of the baselines, for a post of half its size
AUTHORS = 16  # connections that post a burst
DELIVERY_SECONDS = 60.0
TOPIC = "bench/posts"


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Posts that reached all sockets: how many messages, in which time, and how busy the listeners were."""

    messages: int
    seconds: float
    busy: float


@dataclass(frozen=True, slots=True)
class _System:
    """One of the compared systems, with a process full of listeners."""

    listeners: Listeners
    sockets: int
    send: Callable[[int], asyncio.Task[object]]
    """Sends this many posts. The task ends when the system has responded to all of them."""

    async def deliver(self, posts: int) -> _Delivery:
        """Send the posts, and wait until each socket has all of them."""
        wanted = self.sockets * posts
        await self.listeners.expect(wanted, DELIVERY_SECONDS)
        started = time.monotonic()
        responses = self.send(posts)
        received = await self.listeners.received()
        # The load generator must end its job before the next one. Other senders may wait forever after a failure.
        await asyncio.wait([responses], timeout=2 * DELIVERY_SECONDS)
        if received.messages != wanted:
            raise LoadFailed(f"{received.messages} of {wanted} deliveries came")
        await responses
        return _Delivery(wanted, received.last_at - started, received.busy)


async def fanout(context: BenchContext) -> list[Row]:
    """From sending the post until the last socket has it, beside an MQTT broker doing the same."""
    rows: list[Row] = []
    points: list[tuple[float, float]] = []
    for sockets in context.plan.sockets:
        deliveries: list[list[_Delivery]] = []
        async with AsyncExitStack() as stack:
            system, _ = await stack.enter_async_context(_our_server(context, sockets))
            systems = [system]
            if program := find_broker():
                context.say(f"fanout: mosquitto, {sockets:,} subscribers")
                systems.append(await stack.enter_async_context(_mosquitto(program, sockets)))
            context.say(f"fanout: {sockets:,} sockets")
            await asyncio.sleep(SETTLE_SECONDS)
            # In turn, so that noise of the machine affects both.
            before = context.spent()
            for _ in range(context.plan.fanout_posts + WARM):
                deliveries.append([await each.deliver(1) for each in systems])
            spent = context.spent() - before
        deliveries = deliveries[WARM:]
        ours = figures(
            "until the last socket has it", "ms", [turn[0].seconds * 1000 for turn in deliveries]
        )
        points.append((float(sockets), ours.median))
        busiest = max(turn[0].busy for turn in deliveries)
        rows.append(
            _beside_broker(
                name="fanout",
                what=f"one post to {sockets:,} sockets, until the last has it",
                ours=ours,
                theirs=[each.seconds * 1000 for turn in deliveries for each in turn[1:]],
                bound="at_most",
                note=f"the listeners' share of a core while it went out: {busiest:.0%}",
            ).model_copy(update={"cpu": cpu_for(spent, len(deliveries) + WARM, "post")})
        )
    series = Series(chart="fanout", name="until the last socket has it", points=tuple(points))
    rows[-1] = rows[-1].model_copy(update={"series": (series,)})
    return rows


async def burst(context: BenchContext) -> list[Row]:
    """Many posts in a row to a thousand sockets, beside the broker and beside a bare loop of `send_str`."""
    sockets, posts = context.plan.sockets[0], context.plan.burst_posts
    what = f"{posts} posts in a row to {sockets:,} sockets"
    async with _our_server(context, sockets) as (system, call):

        async def send(posts: int) -> None:
            outcome = await context.drive(
                [call] * posts, connections=AUTHORS, seconds=DELIVERY_SECONDS
            )
            outcome.only(201)

        authors = replace(system, send=lambda posts: asyncio.create_task(send(posts)))
        await authors.deliver(20)  # warm
        before = context.spent()
        deliveries = await _bursts(context, "posts", authors)
        spent = context.spent() - before
        note = await _latency_beside_burst(context, system)
    busy = max(each.busy for each in deliveries)
    cpu = cpu_for(spent, posts * len(deliveries), "post")
    ours = figures("deliveries", "/s", _rates(deliveries))
    theirs: list[_Delivery] = []
    if program := find_broker():
        async with _mosquitto(program, sockets) as system:
            theirs = await _bursts(context, "mosquitto", system)
    row = _beside_broker(
        name="burst", what=what, ours=ours, theirs=_rates(theirs), bound="at_least", note=note
    )
    async with _send_str(context, sockets) as system:
        bare = await _bursts(context, "send_str", system)
    return [
        row.model_copy(update={"generator_busy": busy, "cpu": cpu}),
        Row(
            name="burst",
            what=f"{what}, the server's way to the sockets",
            ours=ours,
            baseline=figures("a bare aiohttp loop of send_str", "/s", _rates(bare)),
            target=Target(bound="at_least", value=1.0),
            generator_busy=busy,
            cpu=cpu,
        ),
    ]


async def storm(context: BenchContext) -> list[Row]:
    """Open all sockets at once, as after a restart, and measure the memory of an idle one."""
    sockets = context.plan.storm_sockets
    channel = await context.channel("storm")
    users = [f"storm-{number}" for number in range(sockets)]
    context.say(f"storm: {sockets:,} subscribers")
    await context.subscribe(channel, users)
    tokens = [context.token(user) for user in users]
    # A fresh process: one that had sockets before would reuse memory that it holds already.
    async with server(context.deployment) as fresh:
        before = fresh.memory_bytes
        spent = context.spent(fresh)
        context.say(f"storm: {sockets:,} sockets at once")
        opening = Opening(
            "websocket", fresh.host, fresh.port, "/v1/socket", tokens, at_once=sockets
        )
        with closing(Listeners()) as listeners:
            result = await listeners.open(opening)
            cpu = cpu_for(context.spent(fresh) - spent, sockets, "socket")
            growth = fresh.memory_bytes - before
    what = f"{sockets:,} sockets open and authenticate at once"
    rows = [
        Row(
            name="storm",
            what=f"{what}: the last is ready",
            ours=figures("seconds until the last is ready", "s", [result.seconds]),
            cpu=cpu,
        ),
        Row(
            name="storm",
            what=f"{what}: refused or lost",
            ours=figures("sockets that failed", "", [result.failed]),
            target=Target(bound="at_most", value=0),
            cpu=cpu,
        ),
    ]
    if before:
        rows.append(
            Row(
                name="storm",
                what="memory of an idle socket",
                ours=figures("resident bytes a socket", "KB", [growth / sockets / 1024]),
                cpu=cpu,
            )
        )
    return rows


async def _bursts(context: BenchContext, name: str, system: _System) -> list[_Delivery]:
    deliveries = []
    for repeat in range(context.plan.repeats):
        context.say(f"burst: {name}, {repeat + 1} of {context.plan.repeats}")
        deliveries.append(await system.deliver(context.plan.burst_posts))
    return deliveries


def _rates(deliveries: list[_Delivery]) -> list[float]:
    return [each.messages / each.seconds for each in deliveries]


async def _latency_beside_burst(context: BenchContext, system: _System) -> str:
    """The latency of another user's calls, during a burst and without one."""
    call = context.request("GET", "/v1/unread", "somebody")
    idle = await context.drive([call], connections=1, seconds=1, is_cycle=True)
    asking = asyncio.create_task(context.drive([call], connections=1, seconds=1, is_cycle=True))
    await system.deliver(context.plan.burst_posts)
    during = await asking
    return (
        f"GET /v1/unread of a user without channels: idle {idle.latency_text};"
        f" during a burst {during.latency_text}"
    )


def _beside_broker(
    *,
    name: str,
    what: str,
    ours: Figures,
    theirs: list[float],
    bound: Literal["at_most", "at_least"],
    note: str,
) -> Row:
    """The row without a baseline and a target if the broker, and so `theirs`, is missing."""
    row = Row(name=name, what=what, ours=ours, notes=(note,))
    if not theirs:
        return row.model_copy(update={"notes": (note, "mosquitto is not installed")})
    beside = figures("mosquitto, QoS 0", ours.unit, theirs)
    return row.model_copy(update={"baseline": beside, "target": Target(bound=bound, value=1.0)})


@asynccontextmanager
async def _our_server(context: BenchContext, sockets: int) -> AsyncIterator[tuple[_System, bytes]]:
    """A channel and this many subscribers with a socket each; one connection posts. And the request that posts."""
    channel = await context.channel(f"live{sockets}-{time.monotonic_ns()}")
    users = [f"listener-{number}" for number in range(sockets)]
    context.say(f"{sockets:,} subscribers with a socket each")
    await context.subscribe(channel, users)
    tokens = [context.token(user) for user in users]
    host, port = context.server.host, context.server.port
    call = context.post_request(channel)
    async with connected(Opening("websocket", host, port, "/v1/socket", tokens)) as listeners:
        reader, writer = await asyncio.open_connection(host, port)

        async def responses(posts: int) -> None:
            for _ in range(posts):
                await reader.readuntil(b"\r\n\r\n")

        def send(posts: int) -> asyncio.Task[object]:
            writer.write(call * posts)
            return asyncio.create_task(responses(posts))

        with closing(writer):
            yield _System(listeners, sockets, send), call


@asynccontextmanager
async def _mosquitto(program: str, sockets: int) -> AsyncIterator[_System]:
    """The broker with this many subscribers of one topic."""
    packet = mqtt_publish(TOPIC, (TEXT * 2).encode()[:BASELINE_BYTES])
    names = [f"listener-{number}" for number in range(sockets)]
    async with broker(program) as address:
        opening = Opening("mqtt", address.host, address.port, TOPIC, names, greetings=2)
        async with connected(opening) as listeners:
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(mqtt_connect("author"))
            await reader.readexactly(4)

            def send(posts: int) -> asyncio.Task[object]:
                writer.write(packet * posts)
                return asyncio.create_task(writer.drain())

            with closing(writer):
                yield _System(listeners, sockets, send)


@asynccontextmanager
async def _send_str(context: BenchContext, sockets: int) -> AsyncIterator[_System]:
    """The bare loop over this many sockets."""
    async with baseline("sockets") as address:

        def send(posts: int) -> asyncio.Task[object]:
            path = f"/send?frames={posts}&bytes={BASELINE_BYTES}"
            call = context.request("POST", path)
            return asyncio.create_task(
                context.drive([call], connections=1, seconds=DELIVERY_SECONDS, address=address)
            )

        opening = Opening(
            "websocket", address.host, address.port, "/socket", [""] * sockets, greetings=0
        )
        async with connected(opening) as listeners:
            yield _System(listeners, sockets, send)
