"""Bulk import of subscribers over HTTP: lines in and lines out at the same time."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest
from yarl import URL

from channels.routes import importing
from channels.server.web.streams import ndjson
from groups.kernel.endpoint import LINE_BYTES
from groups.kernel.mongo import Database
from tests.api import (
    AS_LINES,
    PATIENCE_SECONDS,
    Answer,
    Api,
    User,
    a_channel,
    conversation_of,
    fresh,
    id_of,
    part,
)
from tests.conftest import OpenApi

FULL: Final = "member_limit_reached"


@pytest.fixture(autouse=True)
def three_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make batches of three lines, so that a few lines are several batches."""
    monkeypatch.setattr(importing, "BATCH_LINES", 3)


def lines_of(user_ids: Iterable[str]) -> str:
    return "".join(json.dumps({"user_id": user_id}) + "\n" for user_id in user_ids)


async def import_lines(user: User, path: str, lines: str | bytes, query: str = "") -> Answer:
    return await user.call("POST", f"{path}/subscribers{query}", data=lines, headers=AS_LINES)


async def imported(user: User, path: str, *user_ids: str) -> list[tuple[str, str]]:
    """Import these users completely. Returns each id with its result."""
    answer = await import_lines(user, path, lines_of(user_ids))
    assert answer.status == 200, answer
    assert answer.lines[-1]["done"] is True
    results = [result for line in answer.lines for result in line["results"]]
    assert [result["user_id"] for result in results] == list(user_ids)
    return [(result["user_id"], result["result"]) for result in results]


def totals(line: dict[str, Any]) -> tuple[int, int, int, int]:
    """Received, added, present, refused."""
    return line["received"], line["added"], line["present"], line["refused"]


async def test_an_import_without_a_body_is_refused(api: OpenApi) -> None:
    server = await api()
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    path = await a_channel(ada)
    assert (await import_lines(root, path, "")).refusal == (400, "invalid_request")
    assert (await import_lines(root, path, "\n")).status == 200


async def count_of(user: User, path: str) -> int:
    return int((await user.get(path)).body["subscriber_count"])


async def subscribers_of(user: User, path: str) -> list[str]:
    return [item["user_id"] for item in (await user.get(f"{path}/subscribers?limit=100")).items]


@asynccontextmanager
async def upload(user: User, path: str, first: str) -> AsyncIterator["Upload"]:
    """An import that sends these lines first; the test then sends more and reads the response step by step."""
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
    waiting.put_nowait(
        first.encode()
    )  # the client sends its headers with the first bytes of the body

    async def body() -> AsyncIterator[bytes]:
        while (piece := await waiting.get()) is not None:
            yield piece

    url = URL(f"{user.base}{path}/subscribers", encoded=True)
    headers = {**AS_LINES, "Authorization": f"Bearer {user.token}"}
    async with user.http.post(url, data=body(), headers=headers) as response:
        assert response.status == 200
        yield Upload(waiting, response)


class Upload:
    """A request that is still being sent."""

    def __init__(
        self, waiting: "asyncio.Queue[bytes | None]", response: aiohttp.ClientResponse
    ) -> None:
        self._waiting = waiting
        self._response = response

    def send(self, lines: str) -> None:
        self._waiting.put_nowait(lines.encode())

    def end(self) -> None:
        self._waiting.put_nowait(None)

    async def line(self) -> dict[str, Any]:
        """The next line of the response."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = json.loads(await self._response.content.readline())
        assert isinstance(line, dict)
        return line

    def cut(self) -> None:
        """Close the connection before the end."""
        self._response.close()


async def test_each_batch_has_a_line_with_the_totals_so_far(api: OpenApi) -> None:
    server = await api()
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    path = await a_channel(ada)
    answer = await import_lines(root, path, lines_of(["b", ada.id, "c", "b", "d", "d", "e"]))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["X-Request-Id"]
    assert [totals(line) for line in answer.lines] == [
        (3, 2, 1, 0),
        (6, 3, 3, 0),
        (7, 4, 3, 0),
        (7, 4, 3, 0),
    ]
    assert [line["subscriber_count"] for line in answer.lines] == [3, 4, 5, 5]
    assert [line["done"] for line in answer.lines] == [False, False, False, True]
    results = [[(r["user_id"], r["result"]) for r in line["results"]] for line in answer.lines]
    assert results == [
        [("b", "added"), (ada.id, "present"), ("c", "added")],
        [("b", "present"), ("d", "added"), ("d", "present")],
        [("e", "added")],
        [],
    ]
    assert await subscribers_of(ada, path) == [ada.id, "b", "c", "d", "e"]
    assert await count_of(ada, path) == 5


async def test_an_import_of_blank_lines_adds_nobody(api: OpenApi) -> None:
    server = await api()
    path = await a_channel(server.new_user("ada"))
    for nothing in ("\n", "\r\n \n\n"):
        answer = await import_lines(server.new_user("root", admin=True), path, nothing)
        assert totals(answer.lines[-1]) == (0, 0, 0, 0)
        assert answer.lines[-1]["subscriber_count"] == 1
        assert answer.lines[-1]["done"] is True


async def test_a_bad_line_is_reported_in_its_place_and_stops_nothing(api: OpenApi) -> None:
    server = await api()
    path = await a_channel(server.new_user("ada"))
    bad = [
        b'{"user_id": "u',
        b"[]",
        b'"ada"',
        b"{}",
        b'{"user_id": 7}',
        b'{"user_id": null}',
        b'{"user_id": "a", "role": "admin"}',
        b'{"user_id": " a"}',
        b'{"user_id": "' + b"a" * 33 + b'"}',
        b'{"user_id": "a\\u0000b"}',
        b'{"user_id": "\xff"}',
        b'{"user_id": "a"}' + b" " * LINE_BYTES,
    ]
    good = [b'{"user_id": "u%d"}' % number for number in range(len(bad))]
    lines = b"\r\n\n".join(line for pair in zip(good, bad, strict=True) for line in pair)
    answer = await import_lines(server.new_user("root", admin=True), path, lines)
    assert totals(answer.lines[-1]) == (len(good) * 2, len(good), 0, len(bad))
    results = [result for line in answer.lines for result in line["results"]]
    assert [(r["user_id"], r["result"]) for r in results[::2]] == [
        (f"u{number}", "added") for number in range(len(good))
    ]
    # Every second line of the body is blank.
    assert [r.pop("line") for r in results[1::2]] == [4 * number + 3 for number in range(len(bad))]
    assert {r.pop("result") for r in results[1::2]} == {"invalid_request"}
    details = [r.pop("detail") for r in results[1::2]]
    assert details[3] == "user_id: Field required"
    assert details[6].startswith("role: ")
    assert details[8].startswith("user_id: must be 1 to 32 bytes")
    assert details[-1] == f"line: holds more than {LINE_BYTES} bytes"
    assert results[1::2] == [{}] * len(bad)


async def test_an_import_can_report_refused_lines_only(api: OpenApi) -> None:
    server = await api(community_members=2)
    path = await a_channel(server.new_user("ada"))
    root = server.new_user("root", admin=True)
    lines = lines_of(["b", "b"]) + "x\n" + lines_of(["c"])
    answer = await import_lines(root, path, lines, "?results=refused")
    results = [result for line in answer.lines for result in line["results"]]
    assert [(r.get("user_id"), r["result"]) for r in results] == [
        (None, "invalid_request"),
        ("c", FULL),
    ]
    assert totals(answer.lines[-1]) == (4, 1, 1, 2)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/x-ndjson", 200),
        ("application/x-ndjson; charset=utf-8", 200),
        ("application/jsonl", 200),
        ("application/json", 200),
        ("application/octet-stream", 200),
        ("application/x-www-form-urlencoded", 415),
        ("text/csv", 415),
    ],
)
async def test_an_import_accepts_content_types_for_lines(
    api: OpenApi, content_type: str, status: int
) -> None:
    server = await api()
    path = await a_channel(server.new_user("ada"))
    root = server.new_user("root", admin=True)
    headers = {"Content-Type": content_type}
    answer = await root.call("POST", f"{path}/subscribers", data=lines_of(["b"]), headers=headers)
    assert answer.status == status
    if status == 415:
        assert answer.refusal == (415, "unsupported_media_type")
    elif content_type == "application/octet-stream":  # a client that knows no NDJSON
        assert answer.headers["Content-Type"] == content_type
    else:
        assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert await count_of(root, path) == (2 if status == 200 else 1)


async def test_a_forbidden_import_fails_before_a_line_is_read(api: OpenApi) -> None:
    server = await api()
    ada, bob, root = (
        server.new_user("ada"),
        server.new_user("bob"),
        server.new_user("root", admin=True),
    )
    path, lines = await a_channel(ada, bob), lines_of(["c"])
    refused = (403, "permission_denied")
    for user in (ada, bob, server.new_user("eve")):
        assert (await import_lines(user, path, lines)).refusal == refused
    nobody = server.bearer(None)
    assert (await import_lines(nobody, path, lines)).refusal == (401, "unauthenticated")
    nowhere = "/v1/channels/nothing"
    assert (await import_lines(root, nowhere, lines)).refusal == (404, "channel_not_found")
    assert await count_of(ada, path) == 2
    assert (await import_lines(root, path, lines)).status == 200
    assert await count_of(ada, path) == 3


async def test_an_import_fills_the_channel_to_its_limit(api: OpenApi) -> None:
    server = await api(community_members=5)
    ada, eve, root = (
        server.new_user("ada"),
        server.new_user("eve"),
        server.new_user("root", admin=True),
    )
    path = await a_channel(ada)
    results = await imported(root, path, "a", "b", "c", "d", "e", "a", "f")
    added, full = "added", FULL
    assert [result for _, result in results] == [added, added, added, added, full, "present", full]
    assert await count_of(ada, path) == 5
    assert await imported(root, path, "g") == [("g", FULL)]
    assert (await eve.put(f"{path}/subscription")).refusal == (409, FULL)
    assert (await ada.put(f"{path}/subscribers/{eve.id}")).refusal == (409, FULL)
    assert (await ada.delete(f"{path}/subscribers/a")).status == 204
    assert [result for _, result in await imported(root, path, "g", "h")] == [added, full]
    assert await count_of(ada, path) == 5


async def test_an_import_lifts_bans(api: OpenApi) -> None:
    server = await api()
    ada, bob, root = (
        server.new_user("ada"),
        server.new_user("bob"),
        server.new_user("root", admin=True),
    )
    path = await a_channel(ada, bob)
    assert (await ada.delete(f"{path}/subscribers/{bob.id}?ban=true")).status == 204
    assert (await bob.put(f"{path}/subscription")).refusal == (403, "banned")
    assert await imported(root, path, bob.id) == [(bob.id, "added")]
    assert (await bob.put(f"{path}/subscription")).status == 200
    assert (await ada.get(f"{path}/bans")).items == []


async def test_the_body_of_an_import_has_no_size_limit(api: OpenApi) -> None:
    server = await api(request_body_bytes=1_000)
    path = await a_channel(server.new_user("ada"))
    lines = lines_of(f"u{number}" for number in range(100))
    assert len(lines) > 1_000
    answer = await import_lines(server.new_user("root", admin=True), path, lines)
    assert totals(answer.lines[-1]) == (100, 100, 0, 0)


async def test_a_client_that_pauses_gets_the_results_so_far(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndjson, "PAUSE_SECONDS", 0.05)
    server = await api()
    path = await a_channel(server.new_user("ada"))
    root, first = server.new_user("root", admin=True), lines_of(["b", "c", "d"])
    async with upload(root, path, first) as request:
        assert totals(await request.line()) == (3, 3, 0, 0)  # a full batch
        request.send(lines_of(["d"]) + '{"user_id": ')
        assert totals(await request.line()) == (
            4,
            3,
            1,
            0,
        )  # after a pause; half a line does not count yet
        request.send('"e"}')
        request.end()
        assert totals(await request.line()) == (5, 4, 1, 0)  # the last line needs no line end
        assert (await request.line())["done"] is True


async def test_a_broken_import_keeps_its_batches_and_can_be_repeated(api: OpenApi) -> None:
    server = await api()
    ada, root = server.new_user("ada"), server.new_user("root", admin=True)
    path = await a_channel(ada)
    user_ids = [f"u{number}" for number in range(20)]
    async with upload(root, path, lines_of(user_ids[:7])) as request:
        await request.line()
        assert (await request.line())["added"] == 6
        request.cut()
    assert await count_of(ada, path) >= 7
    results = await imported(root, path, *user_ids)
    assert {result for _, result in results[:6]} == {"present"}
    assert {result for _, result in results[7:]} == {"added"}
    assert await subscribers_of(ada, path) == sorted([ada.id, *user_ids])


async def test_deleting_the_channel_ends_the_import_with_an_error(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada")
    path = await a_channel(ada)
    root, first = server.new_user("root", admin=True), lines_of(["b", "c", "d"])
    async with upload(root, path, first) as request:
        assert (await request.line())["added"] == 3
        assert (await ada.delete(path)).status == 204
        request.send(lines_of(["e", "f", "g"]))
        last = await request.line()
        assert last["error"] == {"code": "channel_not_found", "detail": "No such channel"}
        assert totals(last) == (3, 3, 0, 0)
        assert last["done"] is False


async def test_only_the_imported_users_receive_an_event(api: OpenApi) -> None:
    server = await api()
    ada, bob, cat = (server.new_user(name) for name in ("ada", "bob", "cat"))
    root = server.new_user("root", admin=True)
    path = await a_channel(ada, cat)
    ears = {user.id: await user.socket() for user in (ada, bob, cat)}
    results = await imported(root, path, "x", bob.id, cat.id, *(fresh("y") for _ in range(5)))
    assert ("x", "added") in results
    heard = await ears[bob.id].hear("channel.subscribed", user_id=bob.id)
    assert heard["channel_id"] == id_of(path).replace("%40", "@").replace("%23", "#")
    assert await ears[ada.id].until_now() == []
    assert await ears[cat.id].until_now() == []
    await ada.post(f"{path}/posts", {"kind": "text", "text": "Hello"})
    assert (await ears[bob.id].hear("message.posted"))["seq"] == 1
    assert (await bob.get(f"/v1/conversations/{part(conversation_of(path))}")).status == 200
    # Importing Bob again sends no further event.
    await imported(root, path, bob.id)
    assert [event["type"] for event in await ears[bob.id].until_now()] == []


async def test_racing_imports_and_subscriptions_never_exceed_the_limit(
    api: OpenApi, second_database: Database
) -> None:
    here = await api(community_members=40)
    there = await api(database=second_database, community_members=40)
    ada = here.new_user("ada")
    path = await a_channel(ada)

    async def bring(server: Api, first: int) -> int:
        ids = [f"u{number}" for number in range(first, first + 20)]
        results = await imported(server.new_user("root", admin=True), path, *ids)
        return sum(result == "added" for _, result in results)

    async def come(server: Api) -> int:
        return int((await server.new_user("joiner").put(f"{path}/subscription")).status == 200)

    came = await asyncio.gather(
        *(bring(server, first) for server in (here, there) for first in (0, 10, 30)),
        *(come(server) for server in (here, there) for _ in range(10)),
    )
    assert sum(came) == 39
    assert await count_of(ada, path) == 40
    assert len(await subscribers_of(ada, path)) == 40
