"""One post to thousands of sockets: the time until the last one has it, and deliveries a second in a burst."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from channels.bench.context import BenchContext, opened, text_of
from channels.bench.listeners import (
    Listeners,
    Opening,
    mqtt_connect,
    mqtt_publish,
)
from channels.bench.load import LoadFailed, Outcome
from channels.bench.models import Row, Series, Target, figures
from channels.bench.processes import Address, baseline, broker, find_broker

SETTLE_SECONDS = 1.0  # after thousands of connections
WARM = 3  # posts that do not count
POST_BYTES = 200
AUTHORS = 16  # connections that post a burst
HEAR_SECONDS = 60.0
TOPIC = "bench/posts"

_NO_BROKER = "mosquitto is not installed"


@asynccontextmanager
async def listening(context: BenchContext, sockets: int) -> AsyncIterator[tuple[str, Listeners]]:
    """A channel, and this many of its subscribers with a socket each."""
    channel = await context.channel(f"live{sockets}-{time.monotonic_ns()}")
    users = [f"ear-{number}" for number in range(sockets)]
    context.say(f"{sockets:,} subscribers with a socket each")
    path = f"/v1/channels/{channel}/subscription"
    await context.prepare([context.request("PUT", path, user) for user in users], connections=128)
    listeners = Listeners()
    async with opened(listeners):
        address = context.server.address
        opening = Opening(
            "websocket",
            address.host,
            address.port,
            "/v1/socket",
            [context.token(user) for user in users],
        )
        result = await listeners.open(opening)
        if result.failed:
            raise LoadFailed(f"{result.failed} of {sockets} sockets did not open")
        yield channel, listeners


async def fanout(context: BenchContext) -> list[Row]:
    """From sending the post until the last socket has it, beside an MQTT broker doing the same."""
    rows: list[Row] = []
    points: list[tuple[float, float]] = []
    program = find_broker()
    for sockets in context.plan.sockets:
        what = f"one post to {sockets:,} sockets, until the last has it"
        async with AsyncExitStack() as opened_for_row:
            channel, ears = await opened_for_row.enter_async_context(listening(context, sockets))
            ways = [await opened_for_row.enter_async_context(_posting(context, channel, ears))]
            if program is not None:
                context.say(f"fanout: mosquitto, {sockets:,} subscribers")
                ways.append(await opened_for_row.enter_async_context(_publishing(program, sockets)))
            context.say(f"fanout: {sockets:,} sockets")
            await asyncio.sleep(SETTLE_SECONDS)
            # In turn, so that noise of the machine affects both.
            for _ in range(context.plan.fanout_posts + WARM):
                for way in ways:
                    await way.once(sockets)
        ours = ways[0]
        row = Row(
            name="fanout",
            what=what,
            ours=figures("until the last socket has it", "ms", ours.milliseconds[WARM:]),
            notes=(f"the listeners' share of a core while it went out: {ours.busiest:.0%}",),
        )
        if program is None:
            row = row.model_copy(update={"notes": (*row.notes, _NO_BROKER)})
        else:
            theirs = ways[1].milliseconds[WARM:]
            row = row.model_copy(
                update={
                    "baseline": figures("mosquitto, QoS 0", "ms", theirs),
                    "target": Target(bound="at_most", value=1.0),
                }
            )
        rows.append(row)
        points.append((float(sockets), row.ours.median if row.ours else 0.0))
    series = Series(chart="fanout", name="until the last socket has it", points=tuple(points))
    rows[-1] = rows[-1].model_copy(update={"series": (series,)})
    return rows


@dataclass(slots=True)
class _Way:
    """One of the compared systems: the bytes that make it post, and its measurements."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    call: bytes
    is_answered: bool
    listeners: Listeners
    milliseconds: list[float] = field(default_factory=list)
    busiest: float = 0.0

    async def once(self, sockets: int) -> None:
        """Post once, and wait until the last socket has it.

        Raises: LoadFailed.
        """
        await self.listeners.expect(sockets, HEAR_SECONDS)
        started = time.monotonic()
        self.writer.write(self.call)
        received = await self.listeners.received()
        if received.messages != sockets:
            raise LoadFailed(f"{received.messages} of {sockets} sockets have the post")
        self.milliseconds.append((received.last_at - started) * 1000)
        self.busiest = max(self.busiest, received.busy)
        if self.is_answered:
            await self.reader.readuntil(b"\r\n\r\n")


@asynccontextmanager
async def _posting(
    context: BenchContext, channel: str, listeners: Listeners
) -> AsyncIterator[_Way]:
    body = {"kind": "text", "text": text_of(POST_BYTES)}
    call = context.request("POST", f"/v1/channels/{channel}/posts", body=body)
    address = context.server.address
    reader, writer = await asyncio.open_connection(address.host, address.port)
    async with opened(writer):
        yield _Way(writer, reader, call, True, listeners)


@asynccontextmanager
async def _publishing(program: str, sockets: int) -> AsyncIterator[_Way]:
    packet = mqtt_publish(TOPIC, text_of(POST_BYTES * 2).encode())
    async with broker(program) as address, _subscribed(address, sockets) as listeners:
        reader, writer = await _publisher(address)
        async with opened(writer):
            yield _Way(writer, reader, packet, False, listeners)


@asynccontextmanager
async def _subscribed(address: Address, sockets: int) -> AsyncIterator[Listeners]:
    listeners = Listeners()
    async with opened(listeners):
        names = [f"ear-{number}" for number in range(sockets)]
        opening = Opening("mqtt", address.host, address.port, TOPIC, names, greetings=2)
        result = await listeners.open(opening)
        if result.failed:
            raise LoadFailed(f"{result.failed} of {sockets} MQTT subscribers did not connect")
        yield listeners


async def _publisher(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(mqtt_connect("author"))
    await reader.readexactly(4)
    return reader, writer


# --- bursts -----------------------------------------------------------------------------------------------------------


async def burst(context: BenchContext) -> list[Row]:
    """Many posts in a row to a thousand sockets, beside the broker and beside a bare loop of `send_str`."""
    sockets, posts = context.plan.sockets[0], context.plan.burst_posts
    what = f"{posts} posts in a row to {sockets:,} sockets"
    ours: list[float] = []
    busy: list[float] = []
    latencies: list[str] = []
    async with listening(context, sockets) as (channel, listeners):
        await _burst(context, channel, listeners, sockets, 20)  # warm
        for repeat in range(context.plan.repeats):
            context.say(f"burst: {repeat + 1} of {context.plan.repeats}")
            rate, share = await _burst(context, channel, listeners, sockets, posts)
            ours.append(rate)
            busy.append(share)
        latencies = await _beside_a_burst(context, channel, listeners, sockets, posts)
    mine = figures("deliveries", "/s", ours)
    rows = [
        Row(
            name="burst",
            what=what,
            ours=mine,
            generator_busy=max(busy),
            notes=tuple(latencies),
        )
    ]
    program = find_broker()
    if program is None:
        rows[0] = rows[0].model_copy(update={"notes": (*latencies, _NO_BROKER)})
    else:
        theirs = await _mqtt_bursts(context, program, sockets, posts)
        rows[0] = rows[0].model_copy(
            update={
                "baseline": figures("mosquitto, QoS 0", "/s", theirs),
                "target": Target(bound="at_least", value=1.0),
            }
        )
    loop = await _bare_bursts(context, sockets, posts)
    rows.append(
        Row(
            name="burst",
            what=f"{what}, the server's way to the sockets",
            baseline=figures("a bare aiohttp loop of send_str", "/s", loop),
            target=Target(bound="at_least", value=1.0),
            ours=mine,
            generator_busy=max(busy),
        )
    )
    return rows


async def _burst(
    context: BenchContext, channel: str, listeners: Listeners, sockets: int, posts: int
) -> tuple[float, float]:
    """Deliveries a second from the first call until the last frame, and how busy the listeners were."""
    body = {"kind": "text", "text": text_of(POST_BYTES)}
    call = context.request("POST", f"/v1/channels/{channel}/posts", body=body)
    await listeners.expect(sockets * posts, HEAR_SECONDS)
    started = time.monotonic()
    posting = asyncio.create_task(
        context.drive([call] * posts, connections=AUTHORS, seconds=HEAR_SECONDS)
    )
    received = await listeners.received()
    (await posting).only(201)
    if received.messages != sockets * posts:
        raise LoadFailed(f"{received.messages} of {sockets * posts} deliveries came")
    return received.messages / (received.last_at - started), received.busy


async def _beside_a_burst(
    context: BenchContext, channel: str, listeners: Listeners, sockets: int, posts: int
) -> list[str]:
    """The latency of another user's calls, during a burst and without one."""
    call = context.request("GET", "/v1/unread", "somebody")
    idle = await context.drive([call], connections=1, seconds=1, is_cycle=True)
    body = {"kind": "text", "text": text_of(POST_BYTES)}
    post = context.request("POST", f"/v1/channels/{channel}/posts", body=body)
    await listeners.expect(sockets * posts, HEAR_SECONDS)
    address = context.server.address
    asking = asyncio.create_task(context.drive([call], connections=1, seconds=1, is_cycle=True))
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(post * posts)
    writing = asyncio.create_task(_discard(reader))
    during = await asking
    await listeners.received()
    writing.cancel()
    writer.close()

    def told(outcome: Outcome) -> str:
        return f"p50 {outcome.quantile(0.5) * 1000:.1f}, p99 {outcome.quantile(0.99) * 1000:.1f} ms"

    return [
        f"GET /v1/unread of one who has nothing: idle {told(idle)}; during a burst {told(during)}"
    ]


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


async def _mqtt_bursts(
    context: BenchContext, program: str, sockets: int, posts: int
) -> list[float]:
    rates: list[float] = []
    packet = mqtt_publish(TOPIC, text_of(POST_BYTES * 2).encode())
    async with broker(program) as address, _subscribed(address, sockets) as listeners:
        _, writer = await _publisher(address)
        for repeat in range(context.plan.repeats):
            context.say(f"burst: mosquitto, {repeat + 1} of {context.plan.repeats}")
            await listeners.expect(sockets * posts, HEAR_SECONDS)
            started = time.monotonic()
            writer.write(packet * posts)
            received = await listeners.received()
            rates.append(received.messages / (received.last_at - started))
        writer.close()
    return rates


async def _bare_bursts(context: BenchContext, sockets: int, posts: int) -> list[float]:
    rates: list[float] = []
    async with baseline("sockets") as address:
        listeners = Listeners()
        async with opened(listeners):
            opening = Opening(
                "websocket", address.host, address.port, "/socket", [""] * sockets, greetings=0
            )
            await listeners.open(opening)
            call = context.request("POST", f"/send?frames={posts}&bytes={POST_BYTES * 2}")
            for repeat in range(context.plan.repeats):
                context.say(f"burst: send_str, {repeat + 1} of {context.plan.repeats}")
                await listeners.expect(sockets * posts, HEAR_SECONDS)
                started = time.monotonic()
                sending = asyncio.create_task(
                    context.drive([call], connections=1, seconds=HEAR_SECONDS, address=address)
                )
                received = await listeners.received()
                rates.append(received.messages / (received.last_at - started))
                await sending
    return rates
