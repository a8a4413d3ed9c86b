"""The socket under bytes that no good client sends: broken frames, pieces without end, silence, floods."""

import asyncio
import base64
import json
import os
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

import pytest

import channels.server.realtime.socket
from channels.server.realtime.client_frames import FRAME_BYTES
from channels.server.realtime.close_codes import CLOSE_SECONDS, CloseCode
from channels.server.realtime.frame_guard import FRAMES_PER_SECOND, REFUSED_FRAMES
from channels.server.realtime.frames import text_frame
from channels.server.realtime.session import SocketSession
from channels.server.realtime.socket import Socket
from groups.kernel.ids import UserId
from tests.api import PATIENCE_SECONDS, Api, User
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
FINAL: Final = 0x80
PACKED: Final = 0x40
"""The bit of `permessage-deflate`, which the server never agrees to."""


@dataclass
class Wire:
    """A client that writes frames by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: str

    @classmethod
    async def open(cls, user: User, *, more: str = "", with_token: bool = True) -> Self:
        address = urlsplit(user.base)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        token = f"Authorization: Bearer {user.token}\r\n" if with_token else ""
        writer.write(
            "GET /v1/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"{token}{more}\r\n".encode()
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert " 101 " in head
        wire = cls(reader, writer, head)
        if with_token:
            assert json.loads((await wire.frame())[1])["type"] == "ready"
        return wire

    def send(
        self, first: int, data: bytes = b"", *, masked: bool = True, length: int | None = None
    ) -> None:
        """One frame: its first byte, and data of the length that it says."""
        length = len(data) if length is None else length
        bit = 0x80 if masked else 0
        if length < 126:
            head = struct.pack(">BB", first, bit | length)
        elif length < 2**16:
            head = struct.pack(">BBH", first, bit | 126, length)
        else:
            head = struct.pack(">BBQ", first, bit | 127, length)
        # A mask of zeros leaves the data as it is.
        self.writer.write(head + (b"\0\0\0\0" if masked else b"") + data)

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: what kind, and its data."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                (length,) = struct.unpack(">H", await self.reader.readexactly(2))
            return first & 0xF, await self.reader.readexactly(length)

    async def ended(self) -> int | None:
        """Read until the server ends the connection; the code it gave."""
        code = None
        try:
            while True:
                kind, data = await self.frame()
                if kind == CLOSE:
                    (code,) = struct.unpack(">H", data[:2])
                    # A client that answers lets the server end it at once.
                    self.send(FINAL | CLOSE, data[:2])
        except (asyncio.IncompleteReadError, ConnectionError):
            return code
        finally:
            self.writer.close()


async def is_well(api: Api) -> None:
    """Others are served as ever."""
    ears = await api.new_user("well").socket()
    await ears.tell(type="ping")
    assert (await ears.frame())["type"] == "pong"
    await ears.close()


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections whose reading has ended stay half as long, for tests that wait for their end."""
    monkeypatch.setattr("channels.server.realtime.frame_guard.CLOSE_SECONDS", CLOSE_SECONDS / 2)


PING_TEXT: Final = b'{"type": "ping"}'


async def test_frames_are_never_packed(shared_api: Api) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    wire = await Wire.open(shared_api.new_user(), more=offer)
    assert "permessage-deflate" not in wire.head
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(b"[" * (64 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    wire.send(FINAL | PACKED | TEXT, bomb[: FRAME_BYTES - 1])
    assert await wire.ended() == 1002
    await is_well(shared_api)


@pytest.mark.parametrize(
    ("first", "options"),
    [
        pytest.param(FINAL | 0x3, {}, id="an unknown kind"),
        pytest.param(FINAL | 0xB, {}, id="an unknown control"),
        pytest.param(FINAL | 0x20 | TEXT, {"data": PING_TEXT}, id="a reserved bit"),
        pytest.param(FINAL | PING, {"data": b"x" * 126}, id="a ping too long"),
        pytest.param(PING, {"data": b"x"}, id="a ping in pieces"),
        pytest.param(FINAL | 0x0, {"data": PING_TEXT}, id="a piece of nothing"),
        pytest.param(FINAL | TEXT, {"data": b"\xff\xfe"}, id="not UTF-8"),
        pytest.param(FINAL | CLOSE, {"data": b"\x01"}, id="half a close code"),
        pytest.param(FINAL | CLOSE, {"data": struct.pack(">H", 5)}, id="a close code that is none"),
        pytest.param(FINAL | TEXT, {"length": 2**40}, id="a terabyte is announced"),
        pytest.param(FINAL | TEXT, {"length": 2**63 + 1}, id="more than there is"),
        pytest.param(FINAL | BINARY, {"data": os.urandom(100)}, id="bytes"),
    ],
)
async def test_a_broken_frame_ends_only_its_own_connection(
    shared_api: Api, first: int, options: dict[str, Any]
) -> None:
    wire = await Wire.open(shared_api.new_user())
    wire.send(first, **options)
    code = await wire.ended()
    assert code in {1002, 1003, 1007, 1009, CloseCode.BAD_FRAME}, code
    await is_well(shared_api)


async def test_a_frame_may_come_in_pieces_and_by_the_byte(shared_api: Api) -> None:
    wire = await Wire.open(shared_api.new_user())
    wire.send(TEXT, PING_TEXT[:5])
    wire.send(FINAL | PING, b"meanwhile")
    wire.send(0x0, PING_TEXT[5:9])
    wire.send(FINAL | 0x0, PING_TEXT[9:])
    frames = [await wire.frame(), await wire.frame()]
    assert (0xA, b"meanwhile") in frames
    assert json.loads(dict(frames)[TEXT]) == {"type": "pong"}
    for byte in struct.pack(">BB", FINAL | TEXT, 0x80 | len(PING_TEXT)) + b"\0\0\0\0" + PING_TEXT:
        wire.writer.write(bytes([byte]))
        await wire.writer.drain()
    assert json.loads((await wire.frame())[1]) == {"type": "pong"}
    wire.writer.close()


async def test_pieces_without_end_are_no_way_around_the_limit(shared_api: Api) -> None:
    wire = await Wire.open(shared_api.new_user())
    wire.send(TEXT, b" " * 1000)
    for _ in range(FRAME_BYTES // 1000 + 1):
        wire.send(0x0, b" " * 1000)
    assert await wire.ended() == 1009


@pytest.mark.parametrize(
    "deep", ['{"a":' * 1500, "[" * 8000, '{"type":"watch","conversation_id":' * 200]
)
async def test_deep_json_gets_an_error_and_the_socket_stays(shared_api: Api, deep: str) -> None:
    ears = await shared_api.new_user().socket()
    await ears.socket.send_str(deep)
    assert (await ears.frame())["code"] == "invalid_request"
    await ears.tell(type="ping")
    assert (await ears.frame())["type"] == "pong"
    await ears.close()


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "watch", "conversation_id": "group_nothing"},
        {"type": "unwatch", "conversation_id": "group_nothing"},
        {"type": "auth", "token": "x" * 1000},
        {"type": "no such thing"},
    ],
)
async def test_thousands_of_frames_of_any_kind_are_a_flood(
    shared_api: Api, frame: dict[str, Any]
) -> None:
    ears = await shared_api.new_user().socket()
    for _ in range(FRAMES_PER_SECOND * 50):
        try:
            await ears.tell(**frame)
        except ConnectionError:  # closed already
            break
    assert await ears.closed() == CloseCode.FLOOD
    await is_well(shared_api)


async def test_a_client_without_auth_has_one_frame(shared_api: Api) -> None:
    wire = await Wire.open(shared_api.new_user(), with_token=False)
    for _ in range(1000):
        wire.send(FINAL | TEXT, PING_TEXT)
    assert await wire.ended() == CloseCode.BAD_TOKEN
    await is_well(shared_api)


FLOODS: Final = {
    "pings": (FINAL | PING, b""),
    "long pings": (FINAL | PING, b"x" * 125),
    "pongs that nobody asked for": (FINAL | PONG, b""),
    "empty texts": (FINAL | TEXT, b""),
    "fragments without end": (0x0, b""),
    "large texts": (FINAL | TEXT, b" " * (FRAME_BYTES - 2)),
    "bytes": (FINAL | BINARY, b""),
}


@own_loop
@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("with_token", [True, False], ids=["authenticated", "without a token"])
@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_frames_of_any_kind_is_closed_at_the_limit(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, kind: str, with_token: bool
) -> None:
    parsed = 0

    def count(self: Socket, **_: object) -> Any:
        nonlocal parsed
        parsed += 1
        return receive(self)

    receive = Socket.receive
    monkeypatch.setattr(Socket, "receive", count)
    server = await api()
    wire = await Wire.open(server.new_user(), with_token=with_token)
    first, data = FLOODS[kind]
    if not first & FINAL:
        wire.send(TEXT, data)
    pongs, code = 0, None
    errors: list[dict[str, Any]] = []
    for _ in range(2**20 // (len(data) + 6)):
        wire.send(first, data)
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while code is None:
            opcode, said = await wire.frame()
            pongs += opcode == PONG
            if opcode == TEXT:
                errors.append(json.loads(said))
            code = int.from_bytes(said[:2]) if opcode == CLOSE else None
    # Before authentication the first text or binary frame is refused already.
    first_is_refused = not with_token and first in {FINAL | TEXT, FINAL | BINARY}
    first_is_binary = first == FINAL | BINARY
    expected = CloseCode.BAD_FRAME if first_is_binary else CloseCode.BAD_TOKEN
    assert code == (expected if first_is_refused or first_is_binary else CloseCode.FLOOD)
    # The guard has let as many pass as may come at once; they are answered at the rate, and the others get an error.
    most = FRAMES_PER_SECOND + REFUSED_FRAMES
    assert FRAMES_PER_SECOND <= pongs < most if kind.endswith("pings") else pongs == 0
    assert parsed <= most + 1
    assert not errors or errors[-1]["type"] == "error"
    if code == CloseCode.FLOOD:
        assert errors[-1]["code"] == "rate_limited"
    wire.writer.close()
    await is_well(server)


async def test_a_burst_of_pings_is_answered_also_before_authentication(shared_api: Api) -> None:
    for with_token in (True, False):
        wire = await Wire.open(shared_api.new_user(), with_token=with_token)
        for number in range(FRAMES_PER_SECOND - 1):
            wire.send(FINAL | PING, b"%d" % number)
        for number in range(FRAMES_PER_SECOND - 1):
            assert await wire.frame() == (PONG, b"%d" % number)
        wire.send(FINAL | CLOSE, struct.pack(">H", 1000))
        assert await wire.ended() == 1000


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("with_token", [True, False], ids=["authenticated", "without a token"])
@pytest.mark.parametrize("first", [FINAL | TEXT, FINAL | PING, FINAL | CLOSE])
async def test_a_frame_without_a_mask_ends_its_connection(
    shared_api: Api, first: int, with_token: bool
) -> None:
    wire = await Wire.open(shared_api.new_user(), with_token=with_token)
    wire.send(first, b"", masked=False)
    assert await wire.ended() == 1002


@own_loop
@pytest.mark.parametrize("last", ["close", "broken", "flood", "half-close"])
async def test_a_client_that_does_not_read_is_let_go_whatever_it_sends_last(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    for module in ("frame_guard", "session", "socket"):
        monkeypatch.setattr(f"channels.server.realtime.{module}.CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(channels.server.realtime.socket, "HEARTBEAT_SECONDS", 0.5)
    server = await api()
    assert server.app.server is not None
    others = len(server.app.server.connections)
    user = server.new_user()
    wire = await Wire.open(user)
    (session,) = server.hub.sessions_of(UserId(user.id))
    assert isinstance(session, SocketSession)
    # uvloop's transports do not inherit from asyncio's classes.
    transport = cast(asyncio.Transport, wire.writer.transport)
    transport.pause_reading()
    while session.unread_bytes < 200_000:
        session.push(text_frame(b"x" * 50_000))
    match last:
        case "close":
            wire.send(FINAL | CLOSE, struct.pack(">H", 1000))
        case "broken":
            wire.send(FINAL | 0x3)
        case "flood":
            for _ in range(1000):
                wire.send(FINAL | PING)
        case "half-close":
            transport.write_eof()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(server.app.server.connections) > others or server.hub.user_count:
            await asyncio.sleep(0.01)
    transport.abort()


@own_loop
@pytest.mark.parametrize("begun", [b"", b"\x81\xff"], ids=["silent", "in the middle of a frame"])
async def test_a_peer_that_is_gone_without_a_word_is_forgotten(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """Half open: the connection stands, and nobody answers the pings."""
    monkeypatch.setattr(channels.server.realtime.socket, "HEARTBEAT_SECONDS", 0.2)
    server = await api()
    wire = await Wire.open(server.new_user())
    wire.writer.write(begun)
    assert server.hub.user_count == 1
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.hub.user_count:
            await asyncio.sleep(0.01)
    wire.writer.close()
