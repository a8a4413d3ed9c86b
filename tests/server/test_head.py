"""HEAD: wherever GET is, with the status and the headers of GET, and not one byte of a body."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.api import PATIENCE_SECONDS, Api, User, a_channel, a_chat_group, a_post, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN: Final = {"date", "x-request-id"}
"""Headers that each response has of its own."""


async def raw(user: User, method: str, path: str, *lines: str) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers, and everything that follows until the server closes the connection.

    A second request on the same connection, which closes it, shows that the first response ended where it said.
    """
    where = urlsplit(user.base)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    # Problems hold the id of their request, which must be of the same length.
    named = ("X-Request-Id: same", f"Authorization: Bearer {user.token}", *lines)
    head = "".join(f"{line}\r\n" for line in named)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(PATIENCE_SECONDS):
        said = await reader.read(-1)
    writer.close()
    top, _, rest = said.partition(b"\r\n\r\n")
    status, *fields = top.decode().split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (field.partition(": ") for field in fields)
    }
    return status, headers, rest


def own_aside(headers: dict[str, str]) -> dict[str, str]:
    """The headers that are the same for GET and HEAD.

    aiohttp leaves out for HEAD the length of an empty body, and that a stream comes in chunks.
    """
    left_out = {("content-length", "0"), ("transfer-encoding", "chunked")}
    return {
        name: value
        for name, value in headers.items()
        if name not in OWN and (name, value) not in left_out
    }


@pytest.mark.parametrize("lines", [(), ("Origin: https://app.example",)], ids=["plain", "cross"])
async def test_every_route_of_get_answers_head_with_the_same_headers_and_no_body(
    shared_api: Api, lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # An export is asked for twice here; a user may ask for one a minute.
    monkeypatch.setattr("channels.user_data.service.export.EXPORT_SECONDS", 0.0)
    ada = shared_api.new_user("ada")
    channel, group = await a_channel(ada), await a_chat_group(ada)
    await a_post(ada, channel)
    await a_post(ada, group)
    media = await ada.call("POST", "/v1/media", data=b"tea", headers={"X-File-Name": "a.txt"})
    parts = {
        "channel_id": part(id_of(channel)),
        "group_id": part(id_of(group)),
        "conversation_id": part(f"group_{id_of(group)}"),
        "media_id": media.body["media_id"],
        "user_id": part(ada.id),
        "seq": "1",
        "emoji": part("👍"),
    }
    seen = set()
    for route in shared_api.app.router.routes():
        if route.method != "GET" or route.path in {"/metrics", "/v1/socket"}:
            continue
        path = "/".join(
            parts.get(each[1:-1], "none") if each.startswith("{") else each
            for each in route.path.split("/")
        )
        status, headers, body = await raw(ada, "GET", path, *lines)
        told, head, rest = await raw(ada, "HEAD", path, *lines)
        assert told == status, path
        assert own_aside(head) == own_aside(headers), path
        assert rest.startswith(b"HTTP/1.1 200 OK"), (path, rest[:80])
        assert body, path
        seen.add(int(status.split()[1]))
    assert seen >= {200, 404}


async def test_head_of_a_part_of_a_file_reads_none_of_it(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    media = await ada.call("POST", "/v1/media", data=b"0123456789")
    for header, status, length in (("Range: bytes=2-4", 206, "3"), ("Accept: */*", 200, "10")):
        told, head, rest = await raw(ada, "HEAD", media.body["url"], header)
        assert (int(told.split()[1]), head["content-length"]) == (status, length)
        assert rest.startswith(b"HTTP/1.1 200 OK")


async def test_head_has_the_permissions_of_get_and_opens_no_socket(shared_api: Api) -> None:
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    hidden = await a_channel(ada, settings={"visibility": "private"})
    assert (await ada.call("HEAD", hidden)).status == 200
    assert (await eve.call("HEAD", hidden)).status == 404
    assert (await shared_api.bearer(None).call("HEAD", hidden)).status == 401
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert (await ada.call("HEAD", "/v1/socket", headers=upgrade)).status == 400
