"""What comes over a connection that is no request, or only the beginning of one; none of it is logged or sent back."""

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

import channels.server.web.handlers
import channels.server.web.protocol
import channels.server.web.streams.uploads
from groups.service.media.upload_files import UploadReceiver
from tests.api import AS_LINES, PATIENCE_SECONDS, Api, a_channel, part
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")
TOKEN = b"eyJhbGciOiJIUzI1NiJ9.very.secret"


async def said(api: Api, *sent: bytes) -> bytes:
    """All that the server answers before it ends the connection; after a whole request, its answer is awaited."""
    address = urlsplit(api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    begun = b""
    try:
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            if piece.endswith(b"\r\n\r\n") and piece is not sent[-1]:
                begun = await reader.readuntil(b"}")
        async with asyncio.timeout(PATIENCE_SECONDS):
            return begun + await reader.read()
    finally:
        writer.close()


NO_HTTP = [
    b"GET /v1/unread HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN + b"\x00\r\n\r\n",
    b"GET /v1/unread?t=" + TOKEN + b" HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /v1/ " + TOKEN + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nAuthorization: Bearer " + TOKEN + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n " + TOKEN + b"\r\n\r\n",
    b"POST /v1/groups HTTP/1.1\r\nHost: x\r\nContent-Length: -4\r\n\r\n" + TOKEN,
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"\x16\x03\x01\x02\x00" + TOKEN + b"\r\n\r\n",
    b"GET /" + TOKEN + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("request_bytes", NO_HTTP)
async def test_malformed_http_gets_a_problem_and_is_not_logged(
    shared_api: Api, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await said(shared_api, request_bytes)
    assert b" 400 Bad Request" in answer.partition(b"\r\n")[0]
    assert b"application/problem+json" in answer
    assert b'"code":"invalid_request"' in answer
    told = answer.decode() + caplog.text
    assert "secret" not in told
    assert "Traceback" not in told
    assert "aiohttp" not in told


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [b"GET /healthz HT"],
        [b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: 1\r\n"],
        [b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost"],
    ],
)
async def test_a_head_that_never_ends_ends_its_connection(
    shared_api: Api, sent: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    answer = await said(shared_api, *sent)
    assert answer.count(b"HTTP/1.1 200") == (1 if len(sent) > 1 and b"\r\n\r\n" in sent[0] else 0)


async def test_a_connection_with_a_request_under_way_is_not_ended(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    ears = await shared_api.new_user("ada").socket()
    await asyncio.sleep(0.5)  # longer than a head may take
    await ears.tell(type="ping")
    assert (await ears.frame())["type"] == "pong"
    await ears.close()


async def test_a_socket_does_not_reveal_the_server_software(shared_api: Api) -> None:
    address = urlsplit(shared_api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head
    assert b"aiohttp" not in head
    writer.close()


@pytest.mark.parametrize("path", ["/v1/groups", "/v1/media"])
async def test_a_body_that_never_ends_is_refused(
    shared_api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (channels.server.web.handlers, channels.server.web.streams.uploads):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.2)
    # How long aiohttp waits for the rest of a body that was refused.
    monkeypatch.setitem(RequestHandler.__init__.__kwdefaults__ or {}, "lingering_time", 0.5)
    ada = shared_api.new_user("ada")
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
    answer = await said(shared_api, f"{head}Content-Length: 100\r\n\r\n".encode(), b'{"type"')
    assert b" 400 Bad Request" in answer
    assert b"did not come within" in answer


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="\x00\x1b"',
        b'Content-Disposition: form-data; name="file"; filename="a\x00b"',
        b"Content-Disposition: form-data; name=\"file\"; filename*=nothing''%ff",
        b": empty",
        b"Content-Disposition form-data",
        b'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Length: -1',
        b'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: x',
        b"X: " + b"a" * 20_000,
    ],
)
@pytest.mark.filterwarnings("ignore::aiohttp.BadContentDispositionParam")
async def test_a_form_whose_parts_have_bad_heads_is_no_defect(shared_api: Api, head: bytes) -> None:
    form = b"--b\r\n" + head + b"\r\n\r\nbytes\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await shared_api.new_user("ada").call("POST", "/v1/media", data=form, headers=kind)
    assert answer.status in {201, 400, 415}, answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/groups", {"type": "community", "name": "Tea", "history_visible": 0}),
        ("/v1/groups", {"type": "community", "name": "Tea", "member_limit": "9"}),
        ("/v1/groups", {"type": "community", "name": "Tea", "member_limit": True}),
        ("/v1/conversations/group_x/read", {"seq": False}),
        ("/v1/conversations/group_x/read", {"seq": "1"}),
        ("/v1/channels/x/invitations/me", {"accept": 1}),
        ("/v1/channels/x/posts/views", {"seqs": ["1"]}),
    ],
)
async def test_a_value_of_another_type_is_not_bent_to_fit(
    shared_api: Api, path: str, body: object
) -> None:
    refused = await shared_api.new_user("ada").post(path, body)
    assert refused.refusal == (400, "invalid_request")


@pytest.mark.parametrize("day", ["0", "1700000000", "-1", "2026-01-01T00:00:00", "2026-1-1"])
async def test_a_day_is_a_date_and_no_number(shared_api: Api, day: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.get(f"{path}/insights?to={part(day)}")).refusal == (400, "invalid_request")


@own_loop
async def test_a_user_has_so_many_uploads_under_way_and_no_more(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api(uploads_per_user=2)
    ada, bob = server.new_user("ada"), server.new_user("bob")
    going = asyncio.Event()
    receive = UploadReceiver.receive

    async def slow(self: UploadReceiver, *arguments: object) -> object:
        await going.wait()
        return await receive(self, *arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(UploadReceiver, "receive", slow)
    under_way = [asyncio.create_task(ada.call("POST", "/v1/media", data=b"x")) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.services.chat.media.uploads_under_way < 2:
            await asyncio.sleep(0.01)
    refused = await ada.call("POST", "/v1/media", data=b"x")
    assert refused.refusal == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    going.set()
    assert [(await one).status for one in under_way] == [201, 201]
    for user in (ada, bob):
        assert (await user.call("POST", "/v1/media", data=b"x")).status == 201
    assert not server.services.chat.media.uploads_under_way


# --- the deadline of a head, and bodies that take longer ------------------------------------------------------------


async def lines_in_time(seconds: float, pieces: int) -> AsyncIterator[bytes]:
    """Lines of an import that come over so many seconds."""
    for number in range(pieces):
        yield b'{"user_id": "slow-%d"}\n' % number
        await asyncio.sleep(seconds / pieces)


async def test_an_import_may_take_longer_than_a_head(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    owner, back_end = shared_api.new_user("owner"), shared_api.new_user("back", admin=True)
    path = await a_channel(owner)
    async with back_end.http.post(
        f"{shared_api.base}{path}/subscribers",
        data=lines_in_time(1.0, 10),
        headers={"Authorization": f"Bearer {back_end.token}", **AS_LINES},
    ) as response:
        last = (await response.text()).splitlines()[-1]
    assert json.loads(last)["added"] == 10
    assert json.loads(last)["done"] is True


@pytest.mark.parametrize("apart", [0.0, 0.01, 0.3])
async def test_an_upload_may_take_longer_than_a_head_however_its_bytes_are_cut(
    shared_api: Api, apart: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    ada = shared_api.new_user("ada")
    address = urlsplit(shared_api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = (
        f"POST /v1/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
        "Content-Length: 30\r\n\r\n"
    )
    # The first piece of the body comes in one segment with the head, or right behind it.
    writer.write(head.encode() + b"x" * 10 if not apart else head.encode())
    for _ in range(2 if not apart else 3):
        await asyncio.sleep(apart or 0.3)
        writer.write(b"x" * 10)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await reader.readline()).startswith(b"HTTP/1.1 201")
    writer.close()


async def test_curl_may_take_longer_than_a_head(
    shared_api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    ada = shared_api.new_user("ada")
    (tmp_path / "file").write_bytes(b"x" * 200_000)
    curl = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "--limit-rate", "100k", "-H", f"Authorization: Bearer {ada.token}"),
        *("--data-binary", f"@{tmp_path / 'file'}", f"{shared_api.base}/v1/media"),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await curl.communicate()
    assert json.loads(printed)["size_bytes"] == 200_000


async def test_the_next_head_has_its_deadline_after_a_long_body(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels.server.web.protocol, "HEAD_SECONDS", 0.2)
    ada = shared_api.new_user("ada")
    address = urlsplit(shared_api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"Host: x\r\nAuthorization: Bearer {ada.token}\r\nContent-Length: 2\r\n\r\n"
    writer.write(f"POST /v1/media HTTP/1.1\r\n{head}x".encode())
    await asyncio.sleep(0.3)
    writer.write(b"x")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await reader.readline()).startswith(b"HTTP/1.1 201")
        await reader.readuntil(b"}")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost")
        assert await reader.read() == b""
    writer.close()


# --- how many connections there are ---------------------------------------------------------------------------------


class Idle:
    """A connection on which nothing is asked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def has_ended(self) -> bool:
        return self._reader.at_eof() or self._reader.exception() is not None

    def close(self) -> None:
        self._writer.close()


async def opened(api: Api, count: int, home: str = "127.0.0.1") -> list[Idle]:
    """So many connections from this address."""
    address = urlsplit(api.base)
    made = []
    for _ in range(count):
        ends = await asyncio.open_connection(address.hostname, address.port, local_addr=(home, 0))
        made.append(Idle(*ends))
    return made


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what must come: the server meets a connection a moment after it was opened or closed."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


async def asked(api: Api, path: str = "/openapi.json", home: str = "127.0.0.1") -> int:
    """The status of one request on a new connection from this address."""
    address = urlsplit(api.base)
    reader, writer = await asyncio.open_connection(
        address.hostname, address.port, local_addr=(home, 0)
    )
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])


def count_of(api: Api) -> int:
    return len(api.app._connections._counted)


@own_loop
async def test_the_oldest_idle_connection_of_an_address_makes_room(
    api: OpenApi,
) -> None:
    server = await api(address_connections=5)
    idle = await opened(server, 5)
    await until(lambda: count_of(server) == 5)
    assert not any(one.has_ended() for one in idle)
    assert await asked(server) == 200
    assert count_of(server) <= 5
    await until(lambda: idle[0].has_ended())
    assert not any(one.has_ended() for one in idle[1:])
    for one in idle:
        one.close()


@own_loop
async def test_an_address_takes_no_places_from_another(api: OpenApi) -> None:
    server = await api(connections=20)
    idle = await opened(server, 300, "127.0.0.2")
    await until(lambda: idle[-11].has_ended())
    assert count_of(server) == 10, "half of what the process may hold"
    others = await opened(server, 5, "127.0.0.3")
    assert await asked(server) == 200
    assert await asked(server, home="127.0.0.2") == 200
    assert not any(one.has_ended() for one in others)
    for one in (*idle, *others):
        one.close()


@own_loop
async def test_unauthenticated_sockets_make_room_too(api: OpenApi) -> None:
    server = await api(address_connections=3)
    sockets = [await opened_socket(server) for _ in range(4)]
    await until(lambda: count_of(server) == 3)
    assert await asked(server) == 200
    for writer in sockets:
        writer.close()


@own_loop
async def test_sockets_of_known_users_are_not_their_address_s(api: OpenApi) -> None:
    server = await api(address_connections=3)
    ears = [await server.new_user("ada").connect() for _ in range(6)]
    for ear in ears:
        await ear.frame()
    assert await asked(server) == 200
    for ear in ears:
        await ear.tell(type="ping")
        assert (await ear.frame())["type"] == "pong"
        await ear.close()


@own_loop
async def test_beyond_the_capacity_operators_are_answered_and_all_others_refused(
    api: OpenApi,
) -> None:
    server = await api(connections=4)
    ears = [await server.new_user("ada").connect() for _ in range(4)]
    for ear in ears:
        await ear.frame()
    assert await asked(server) == 503
    for path in ("/healthz", "/readyz", "/metrics"):
        assert await asked(server, path) == 200
    await ears.pop().close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await asked(server) != 200:
            await asyncio.sleep(0.02)
    for ear in ears:
        await ear.close()


@own_loop
async def test_connections_beyond_the_capacity_are_bounded_too(api: OpenApi) -> None:
    server = await api(connections=1)
    ear = await server.new_user("ada").connect()
    await ear.frame()
    idle = await opened(server, channels.server.web.protocol.CROWDED + 10)
    await until(lambda: idle[9].has_ended())
    assert len(server.app._connections._crowded) == channels.server.web.protocol.CROWDED
    assert await asked(server, "/healthz") == 200
    for one in idle:
        one.close()
    await ear.close()


@own_loop
async def test_a_trusted_proxy_is_bounded_by_the_capacity_alone(api: OpenApi) -> None:
    server = await api(connections=20, trusted_proxies=(ip_network("127.0.0.1"),))
    idle = await opened(server, 18)
    await until(lambda: count_of(server) == 18)
    for one in idle:
        one.close()


@pytest.mark.parametrize(("size", "ends"), [(14_000, False), (17_000, True)])
async def test_a_connection_ends_with_the_answer_to_a_large_head(
    shared_api: Api, size: int, ends: bool
) -> None:
    address = urlsplit(shared_api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    lines = "".join(f"X-{number}: {'y' * 1000}\r\n" for number in range(size // 1000))
    for _ in range(1 if ends else 2):
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        assert b" 200 " in await reader.readline()
        await reader.readuntil(b"}")
    if ends:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read() == b""
    writer.close()


@own_loop
async def test_an_idle_connection_keeps_no_body_and_no_response(
    api: OpenApi,
) -> None:
    server = await api()
    ada = server.new_user("ada")
    refused = await ada.post("/v1/groups", {"type": "community", "name": "x" * 50_000})
    assert refused.status == 400
    (connection,) = server.app._connections._counted
    assert connection.request is not None
    assert connection.request._read_bytes is None
    assert (await server.bearer(None).get("/docs/api/schemas")).status == 200
    gc.collect()
    answers = [thing for thing in gc.get_objects() if type(thing) is web.Response]
    assert not any(answer.body for answer in answers)


async def opened_socket(api: Api) -> asyncio.StreamWriter:
    """A socket that does not say whose it is."""
    address = urlsplit(api.base)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"GET /v1/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return writer
