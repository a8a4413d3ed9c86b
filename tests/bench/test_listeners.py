"""The listeners count whole messages, however the bytes are split."""

import asyncio
from typing import Any, Literal, cast

import pytest

from channels.bench.listeners import (
    Listener,
    MessageCounter,
    MqttListener,
    Opening,
    WebSocketListener,
    mqtt_connect,
    mqtt_publish,
)
from channels.server.realtime.frames import text_frame

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class FakeTransport:
    """Records the bytes that are written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def listener(kind: type[Listener], greetings: int) -> tuple[Any, MessageCounter, FakeTransport]:
    protocol: Literal["websocket", "mqtt"] = "websocket" if kind is WebSocketListener else "mqtt"
    opening = Opening(protocol, "127.0.0.1", 1, "/v1/socket", [], greetings)
    counter, transport = MessageCounter(), FakeTransport()
    made = kind(opening, "token", counter)
    made.connection_made(cast(asyncio.Transport, transport))
    return made, counter, transport


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[place : place + size] for place in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 10**6])
async def test_websocket_frames_are_counted_across_chunks(size: int) -> None:
    made, counter, transport = listener(WebSocketListener, greetings=1)
    texts = [b"ready", b"a" * 10, b"b" * 300, b"c" * 70_000, b""]
    for chunk in pieces_of(UPGRADED + b"".join(map(text_frame, texts)), size):
        made.data_received(chunk)
    assert made.ready.done()
    assert counter.messages == 4  # the greeting does not count
    assert b"Authorization: Bearer token" in transport.written[0]


async def test_a_ping_is_answered_and_not_counted() -> None:
    made, counter, transport = listener(WebSocketListener, greetings=0)
    made.data_received(UPGRADED + b"\x89\x00" + text_frame(b"x"))
    assert counter.messages == 1
    assert transport.written[1][0] == 0x8A


async def test_a_refused_upgrade_is_a_failure() -> None:
    made, _, _ = listener(WebSocketListener, greetings=1)
    made.data_received(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
    with pytest.raises(ConnectionError, match="401"):
        await made.ready


@pytest.mark.parametrize("size", [1, 2, 5, 10**6])
async def test_mqtt_packets_are_counted_across_chunks(size: int) -> None:
    made, counter, transport = listener(MqttListener, greetings=2)
    acknowledged = b"\x20\x02\x00\x00" + b"\x90\x03\x00\x01\x00"
    published = [mqtt_publish("t", b"x" * bytes_) for bytes_ in (0, 100, 200, 20_000)]
    for chunk in pieces_of(acknowledged + b"".join(published), size):
        made.data_received(chunk)
    assert made.ready.done()
    assert counter.messages == 4
    assert transport.written[0].startswith(mqtt_connect("token"))


async def test_the_time_of_the_last_wanted_message_is_taken() -> None:
    made, counter, _ = listener(WebSocketListener, greetings=0)
    counter.wanted = 2
    made.data_received(UPGRADED + text_frame(b"one"))
    assert not counter.reached.is_set()
    made.data_received(text_frame(b"two"))
    assert counter.reached.is_set()
    assert counter.last_at > 0
