"""Thousands of live connections that only count what they receive, in a process of their own.

The same code receives from our server, from a bare WebSocket loop and from an MQTT broker, as far as their protocols
allow: a chunk is walked from one message's head to the next, and nothing is decoded. `CLOCK_MONOTONIC` is the same for
all processes of a machine, so an instant taken here can be compared with one taken where the post was sent.
"""

import asyncio
import base64
import os
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final, Literal, cast

import uvloop

from channels.bench.child import Child
from channels.bench.load import LoadFailed

CONNECTING: Final = 250  # connections being opened at once, unless a storm is wanted
OPEN_SECONDS: Final = 60.0

_TEXT: Final = 0x81
_PING: Final = 0x89
_PONG: Final = b"\x8a\x80\x00\x00\x00\x00"  # empty, masked with zeros


@dataclass(frozen=True, slots=True)
class Opening:
    """Connections to open, one for each token. `greetings`: messages before the counting begins."""

    protocol: Literal["websocket", "mqtt"]
    host: str
    port: int
    path: str
    """The path to upgrade; the topic to subscribe."""
    tokens: Sequence[str]
    greetings: int = 1
    at_once: int = CONNECTING


@dataclass(frozen=True, slots=True)
class Opened:
    """Seconds until the last connection was ready, and how many failed."""

    seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """Messages to count from now on, over all connections."""

    messages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Received:
    """The messages that came, the instant of the last one, and the share of a core that counting took."""

    messages: int
    last_at: float
    busy: float


@dataclass(slots=True)
class MessageCounter:
    """The messages of all connections; `reached` is set when all that are `wanted` have come."""

    messages: int = 0
    last_at: float = 0.0
    wanted: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, messages: int) -> None:
        self.messages += messages
        if self.messages >= self.wanted > 0:
            self.last_at = time.monotonic()
            self.reached.set()


class Listener(asyncio.Protocol, ABC):
    """One connection: opened, greeted, then counting."""

    def __init__(self, opening: Opening, token: str, counter: MessageCounter) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opening = opening
        self._token = token
        self._counter = counter
        self._greetings = opening.greetings
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello())

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_opening(ConnectionError(f"closed before it was ready: {exc}"))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        messages, place = self._walk(buffer)
        self._buffer = buffer[place:]
        if messages and self._greetings:
            greeted = min(messages, self._greetings)
            self._greetings -= greeted
            messages -= greeted
            if not self._greetings:
                self._end_opening()
        if messages:
            self._counter.count(messages)

    def _end_opening(self, error: Exception | None = None) -> None:
        if self.ready.done():
            return
        if error is not None:
            self.ready.set_exception(error)
        else:
            self.ready.set_result(None)

    @abstractmethod
    def _hello(self) -> bytes:
        """The first bytes to send."""

    @abstractmethod
    def _walk(self, buffer: bytes) -> tuple[int, int]:
        """How many whole messages the buffer begins with, and where the rest begins."""


class WebSocketListener(Listener):
    """A WebSocket client that reads only the headers of frames."""

    _is_upgraded = False

    def _hello(self) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        return (
            f"GET {self._opening.path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n"
        ).encode()

    def _walk(self, buffer: bytes) -> tuple[int, int]:
        place = 0
        if not self._is_upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return 0, 0
            if buffer[9:12] != b"101":
                self._end_opening(ConnectionError(f"refused with {buffer[9:12]!r}"))
                return 0, len(buffer)
            self._is_upgraded, place = True, end + 4
            if not self._greetings:
                self._end_opening()
        messages, end = 0, len(buffer)
        while end - place >= 2:
            size, head = buffer[place + 1], 2
            if size >= 126:
                head = 4 if size == 126 else 10
                size = int.from_bytes(buffer[place + 2 : place + head])
            following = place + head + size
            if following > end:
                break
            if buffer[place] == _TEXT:
                messages += 1
            elif buffer[place] == _PING:
                self._transport.write(_PONG)
            place = following
        return messages, place


class MqttListener(Listener):
    """An MQTT 3.1.1 client that subscribes to one topic with QoS 0; CONNACK and SUBACK are its greetings."""

    def _hello(self) -> bytes:
        subscribe = _mqtt_packet(0x82, b"\x00\x01" + _mqtt_text(self._opening.path) + b"\x00")
        return mqtt_connect(self._token) + subscribe

    def _walk(self, buffer: bytes) -> tuple[int, int]:
        messages = place = 0
        end = len(buffer)
        while end - place >= 2:
            size, shift, head = 0, 0, 1
            while head <= 4 and place + head < end:
                byte = buffer[place + head]
                size |= (byte & 0x7F) << shift
                shift += 7
                head += 1
                if byte < 0x80:
                    break
            else:
                break
            if place + head + size > end:
                break
            messages += 1
            place += head + size
        return messages, place


def _mqtt_packet(kind: int, body: bytes) -> bytes:
    size, length = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | 0x80 if size else digit)
        if not size:
            return bytes((kind,)) + bytes(length) + body


def _mqtt_text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2) + text.encode()


def mqtt_connect(client_id: str) -> bytes:
    """The packet that opens an anonymous MQTT session without keep-alive."""
    return _mqtt_packet(0x10, _mqtt_text("MQTT") + b"\x04\x02\x00\x00" + _mqtt_text(client_id))


def mqtt_publish(topic: str, payload: bytes) -> bytes:
    """The packet that publishes with QoS 0."""
    return _mqtt_packet(0x30, _mqtt_text(topic) + payload)


async def _open(opening: Opening, counter: MessageCounter, kept: list[Listener]) -> Opened:
    kind = WebSocketListener if opening.protocol == "websocket" else MqttListener
    loop = asyncio.get_running_loop()
    places = asyncio.Semaphore(opening.at_once)
    started = time.monotonic()

    async def one(token: str) -> bool:
        async with places:
            listener = kind(opening, token, counter)
            try:
                await loop.create_connection(lambda: listener, opening.host, opening.port)
                await asyncio.wait_for(listener.ready, OPEN_SECONDS)
            except (OSError, TimeoutError):
                return False
            kept.append(listener)
            return True

    outcomes = await asyncio.gather(*(one(token) for token in opening.tokens))
    return Opened(time.monotonic() - started, outcomes.count(False))


async def _receive(expectation: Expectation, counter: MessageCounter, pipe: Connection) -> Received:
    counter.messages, counter.wanted = 0, expectation.messages
    counter.reached.clear()
    cpu_before, started = time.process_time(), time.monotonic()
    pipe.send("listening")
    try:
        await asyncio.wait_for(counter.reached.wait(), expectation.seconds)
    except TimeoutError:
        counter.last_at = time.monotonic()
    busy = (time.process_time() - cpu_before) / (time.monotonic() - started)
    return Received(counter.messages, counter.last_at, busy)


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    counter, kept = MessageCounter(), list[Listener]()
    while True:
        try:
            order = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            return
        match order:
            case Opening():
                pipe.send(await _open(order, counter, kept))
            case Expectation():
                pipe.send(await _receive(order, counter, pipe))


def _run(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


class Listeners(Child):
    """A process full of connections, which end with it."""

    def __init__(self) -> None:
        super().__init__(_run)

    async def open(self, opening: Opening) -> Opened:
        """Open the connections; returns when each is ready or has failed."""
        opened: Opened = await self.ask(opening)
        return opened

    async def expect(self, messages: int, seconds: float) -> None:
        """Count from now on, up to this many messages or seconds. `received` returns the outcome."""
        await self.ask(Expectation(messages, seconds))

    async def received(self) -> Received:
        """Wait for the end of `expect`, and return its outcome."""
        received: Received = await self.receive()
        return received


@asynccontextmanager
async def connected(opening: Opening) -> AsyncIterator[Listeners]:
    """A process with all these connections open."""
    with closing(Listeners()) as listeners:
        opened = await listeners.open(opening)
        if opened.failed:
            raise LoadFailed(f"{opened.failed} of {len(opening.tokens)} connections did not open")
        yield listeners
