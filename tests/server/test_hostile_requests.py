"""Requests meant to hurt, made for every call from the table of routes: operators, patterns, bombs, others' cursors.

Never a defect, never a hang, never what is somebody else's; what is hidden is answered as what is absent.
"""

import asyncio
import gzip
import json
import re
import tracemalloc
import zlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiohttp.compression_utils import ZLibDecompressor
from aiohttp.web_protocol import RequestHandler

import channels.server.web.not_found_delay
from channels.docs_site.generated.permission_table import Row
from channels.server.app import endpoints_for
from groups.kernel.endpoint import Endpoint
from groups.routes.responses.members import SetUser
from tests.api import (
    AS_LINES,
    PATIENCE_SECONDS,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    all_pages,
    conversation_of,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi
from tests.server.test_permission_matrix import BODIES, TABLES, cast_of
from tests.server.test_protocol import said

pytestmark = pytest.mark.asyncio(loop_scope="module")
own_loop = pytest.mark.asyncio(loop_scope="function")

JSON: Final = {"Content-Type": "application/json"}


# --- operators and patterns -----------------------------------------------------------------------------------------


async def a_place(api: Api) -> tuple[User, dict[str, str]]:
    """Somebody with one of everything, and what the parts of paths are called then."""
    ada, bob = api.new_user("ada"), api.new_user("bob")
    channel = await a_channel(ada, bob)
    await a_post(ada, channel)
    tea = await a_chat_group(ada, bob)
    await a_post(ada, tea)
    draft = await ada.post(f"{channel}/drafts", BODIES["draft"])
    await ada.put("/v1/conversation-groups/mine")
    await bob.post(f"/v1/conversations/{part(f'c2c_{id_of(channel)}')}/messages", BODIES["text"])
    return ada, {
        "channel_id": id_of(channel),
        "group_id": id_of(tea),
        "conversation_id": conversation_of(channel),
        "user_id": bob.id,
        "draft_id": draft.body["draft_id"],
        "broadcast_id": "none",
        "code": (await ada.post(f"{channel}/invite-links", {})).body["code"],
        "device_id": "phone",
        "seq": "1",
        "comment_seq": "1",
        "report_id": "none",
        "name": "mine",
        "emoji": "👍",
        "option": "0",
        "media_id": "none",
        "webhook_id": "none",
        "delivery_id": "none",
    }


def path_of(endpoint: Endpoint, parts: dict[str, str]) -> str:
    path = endpoint.spec.path
    for name in endpoint.path:
        path = path.replace("{" + name + "}", part(parts[name]))
    return path


def names_of(endpoint: Endpoint) -> Iterator[str]:
    """The query parameters of the call."""
    if endpoint.query is not None:
        for name, field in endpoint.query.model_fields.items():
            yield field.alias or name


NOTHING_LIKE_IT: Final = (
    ".*",
    "^",
    "$ne",
    '{"$ne":null}',
    '{"$gt":""}',
    "[$regex]=.*",
    "$where",
    "(?i)a|b",
    "a.b",
)
"""As text they name nothing that there is; as an operator or a pattern they would name everything."""


async def test_an_operator_in_a_query_is_a_text_or_refused_and_finds_nothing(
    shared_api: Api,
) -> None:
    ada, parts = await a_place(shared_api)
    tried = 0
    for endpoint in endpoints_for(shared_api.services):
        if endpoint.spec.method != "GET":
            continue
        for name in names_of(endpoint):
            path = path_of(endpoint, parts)
            for spelling in (f"{name}[$ne]=x", f"{name}[]=x", f"{name}.$gt=x", f"${name}=x"):
                refused = await ada.get(f"{path}?{part(spelling).replace('%3D', '=')}")
                assert refused.refusal == (400, "invalid_request"), (endpoint.spec, refused)
            for text in NOTHING_LIKE_IT:
                answer = await ada.get(f"{path}?{name}={part(text)}")
                tried += 1
                if answer.status < 300:
                    found = [item for item in answer.items if "error" not in item]
                    assert found == [], (endpoint.spec, name, text, answer)
                else:
                    assert 400 <= answer.status < 500, (endpoint.spec, name, text, answer)
    assert tried > 300


async def test_an_operator_for_a_value_is_refused_in_every_field_of_every_body(
    shared_api: Api,
) -> None:
    ada, parts = await a_place(shared_api)
    root = shared_api.new_user("root", admin=True)
    tried = 0
    for endpoint in endpoints_for(shared_api.services):
        if endpoint.body is None:
            continue
        example = endpoint.body.model_json_schema()["examples"][0]
        for field in endpoint.body.model_fields:
            if field == "custom":
                continue  # the application's own JSON, and in a group's custom fields a map
            for operator in (
                {"$ne": None},
                {"$gt": ""},
                [{"$regex": ".*"}],
                {"$where": "sleep(9)"},
            ):
                body = example | {field: operator}
                if endpoint.spec.path == "/v1/users" and isinstance(operator, list):
                    # Each user is answered by itself, and the call is the application's.
                    (item,) = (await root.post("/v1/users", body)).items
                    assert item["error"]["code"] == "invalid_request", item
                    tried += 1
                    continue
                refused = await ada.call(endpoint.spec.method, path_of(endpoint, parts), body)
                assert refused.refusal == (400, "invalid_request"), (endpoint.spec, field, refused)
                tried += 1
    assert tried > 150


async def test_an_operator_for_a_value_is_refused_in_every_field_of_a_user_in_a_list(
    shared_api: Api,
) -> None:
    root = shared_api.new_user("root", admin=True)
    user = {"user_id": shared_api.new_user("ada").id, "name": "Ada"}
    operators = ({"$ne": None}, {"$gt": ""}, [{"$regex": ".*"}], {"$where": "sleep(9)"})
    users = [user | {field: operator} for field in SetUser.model_fields for operator in operators]
    items = (await root.post("/v1/users", {"users": [*users, user]})).items
    assert [item.get("error", {}).get("code") for item in items] == [
        *(["invalid_request"] * len(users)),
        None,
    ]


KEYS: Final = [
    "$where",
    "a.b",
    "$",
    ".",
    "",
    "__proto__",
    "_id",
    "$ne",
    "🍵",
    "\u202eabc",
]


async def test_keys_that_mean_something_to_a_database_are_only_text(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    custom = {key: {key: key} for key in KEYS}
    for value in (custom, {"$set": {"owner_id": "eve"}}, [{"$inc": 1}]):
        posted = await ada.post(f"{path}/posts", {"kind": "custom", "custom": value})
        assert posted.status == 201, posted
        assert (await ada.get(f"{path}/posts/{posted.body['seq']}")).body["custom"] == value
    refused = await ada.post(f"{path}/posts", {"kind": "custom", "custom": {"a\x00b": 1}})
    assert refused.refusal == (400, "invalid_request"), refused
    for key in (*KEYS, "a\x00b"):
        if key in {"_id", "__proto__"}:
            continue  # words of letters, as any custom field's name
        refused = await ada.patch(group_path(path), {"custom": {key: "x"}})
        assert refused.refusal == (400, "invalid_request"), refused
    for name in ("$set", "a.b", "__proto__", "$where", "_id", "$", "a$b.c"):
        made = await ada.put(f"/v1/conversation-groups/{part(name)}")
        assert made.status == 201, made
    filed = await ada.get("/v1/unread")
    assert {"$set", "a.b", "__proto__", "_id", "$"} <= set(filed.body["conversation_groups"])
    assert (await ada.delete(f"/v1/conversation-groups/{part('$set')}")).status == 204
    assert "$where" in (await ada.get("/v1/unread")).body["conversation_groups"]


SLOW: Final = (
    "(a+)+$",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(.*a){20}",
    "(?=(a+))*$",
    "\\Q.*\\E",
    "\\E.*",
    "[a-z",
    "a{1,9999}",
    "(?#" + "(" * 40,
    "\\",
)


@pytest.mark.parametrize("pattern", SLOW)
async def test_a_pattern_that_would_take_for_ever_is_text(shared_api: Api, pattern: str) -> None:
    ada = shared_api.new_user("ada")
    await a_channel(ada, name="a" * 149 + "!")
    named = await a_channel(ada, name=f"Tea {pattern}")
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await ada.get(f"/v1/channels?q={part(pattern)}")
    assert id_of(named) in {item["channel_id"] for item in found.items}
    assert all(pattern.casefold() in item["name"].casefold() for item in found.items)


NAMES: Final = (
    "\u202egnp.exe",
    "a\u200bb",
    "\u2066x\u2069",
    "Z\u0351\u0350a\u0352l",
    "\ufeffada",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "'; DROP TABLE--",
    "\u0000",
    "a\r\nSet-Cookie: x=1",
    "\ud800",
)


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_kept_as_it_is_or_refused_and_never_a_defect(
    shared_api: Api, name: str
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    for where, field, shown in (
        (path, "name", path),
        (path, "introduction", path),
        (group_path(path), "name", group_path(path)),
        ("/v1/users/me", "name", "/v1/users/me"),
        (f"{group_path(path)}/members/me", "name_card", f"{group_path(path)}/members/me"),
    ):
        before = (await ada.get(shown)).body[field]
        changed = await ada.patch(where, {field: name})
        assert changed.refusal in {(200, None), (400, "invalid_request")}, changed
        # Of several lines, each ends in a line feed.
        kept = name.replace("\r\n", "\n") if changed.status == 200 else before
        assert (await ada.get(shown)).body[field] == kept
    page = await shared_api.bearer(None).get(f"/c/{part(id_of(path))}")
    assert page.status == 200
    assert "<script>alert" not in page.text


# --- bodies ---------------------------------------------------------------------------------------------------------

ZEROS: Final = 32 << 20
"""So much that it does not pass unseen, and packed so little that it is all sent before it is refused."""


def packed(encoding: str) -> bytes:
    """A thousandth of what it unpacks to."""
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    pieces = [packer.compress(b" " * (1 << 20)) for _ in range(ZEROS >> 20)]
    return b"".join(pieces) + packer.flush()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was begun to be inflated."""
    opened: list[object] = []

    def open_one(*given: Any, **options: Any) -> ZLibDecompressor:
        opened.append(options)
        return ZLibDecompressor(*given, **options)

    monkeypatch.setattr("aiohttp.http_parser.ZLibDecompressor", open_one)
    return opened


ENCODINGS: Final = ("gzip", "deflate", "br", "zstd", "x-gzip", "compress", "GZIP", "identity, gzip")


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_an_encoded_body_is_refused_and_never_inflated(
    shared_api: Api, windows: list[object], encoding: str
) -> None:
    root = shared_api.new_user("root", admin=True)
    channel = await a_channel(root)
    bomb = packed("deflate" if encoding == "deflate" else "gzip")
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for method, path, headers in (
        ("POST", "/v1/groups", JSON),
        ("PATCH", channel, JSON),
        ("POST", f"{channel}/posts", JSON),
        ("POST", f"{channel}/subscribers", AS_LINES),
        ("POST", "/v1/media", {}),
        ("POST", "/v1/media", form),
    ):
        said = {**headers, "Content-Encoding": encoding}
        tracemalloc.start()
        refused = await root.call(method, path, data=bomb, headers=said)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert refused.refusal == (415, "unsupported_media_type"), (path, refused)
        assert refused.body["details"]["header"] == "Content-Encoding"
        assert peak < ZEROS / 4
    assert windows == []
    assert (await root.get(channel)).body["subscriber_count"] == 1


async def test_a_body_that_is_encoded_for_the_way_is_refused_too(shared_api: Api) -> None:
    ada = shared_api.new_user()
    wire = gzip.compress(b'{"type": "community", "name": "Tea"}')
    answer = await said(
        shared_api,
        b"POST /v1/groups HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
        b"%x\r\n%s\r\n0\r\n\r\n" % (str(ada.token).encode(), len(wire), wire),
    )
    assert b" 415 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize("lines", [["identity"], ["Identity"], ["identity", "identity"], [""]])
async def test_a_body_that_says_it_is_not_encoded_is_read(
    shared_api: Api, lines: list[str]
) -> None:
    ada = shared_api.new_user()
    headers = [
        ("Authorization", f"Bearer {ada.token}"),
        *JSON.items(),
        *(("Content-Encoding", line) for line in lines),
    ]
    body = b'{"type": "community", "name": "Tea"}'
    async with ada.http.post(f"{ada.base}/v1/groups", data=body, headers=headers) as answer:
        assert answer.status == 201


PART_CODINGS: Final = [
    ("Content-Encoding: gzip", 415),
    ("Content-Transfer-Encoding: base64", 415),
    ("Content-Transfer-Encoding: quoted-printable", 415),
    ("Content-Transfer-Encoding: binary", 201),
    ("Content-Encoding: identity", 201),
]


@pytest.mark.parametrize(("line", "status"), PART_CODINGS)
async def test_a_part_of_a_form_is_taken_as_it_is_or_refused(
    shared_api: Api, windows: list[object], line: str, status: int
) -> None:
    ada = shared_api.new_user()
    head = 'Content-Disposition: form-data; name="file"; filename="a"'
    body = f"--x\r\n{head}\r\n{line}\r\n\r\n".encode() + packed("gzip") + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await ada.call("POST", "/v1/media", data=body, headers=headers)
    code = "unsupported_media_type" if status == 415 else None
    assert answer.refusal == (status, code)
    assert windows == []
    if status == 201:
        assert answer.body["size_bytes"] == len(packed("gzip"))


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        pytest.param([b"%x\r\n" % (1 << 16) + b" " * (1 << 16) + b"\r\n"] * 64, 413, id="no end"),
        pytest.param([b"zz\r\n{}\r\n"], 400, id="no size"),
        pytest.param([b"ffffffffffffffffff\r\n{}\r\n"], 400, id="a size beyond any"),
        pytest.param([b"-2\r\n{}\r\n"], 400, id="a negative size"),
        pytest.param(
            [b"2;" + b"x" * 70_000 + b"\r\n{}\r\n0\r\n\r\n"], 400, id="a size that goes on"
        ),
    ],
)
async def test_a_body_in_bad_chunks_is_refused(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, chunks: list[bytes], status: int
) -> None:
    # How long aiohttp waits for the rest of a body that was refused.
    monkeypatch.setitem(RequestHandler.__init__.__kwdefaults__ or {}, "lingering_time", 0.5)
    ada = shared_api.new_user()
    head = (
        f"POST /v1/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    answer = await said(shared_api, head.encode() + b"".join(chunks))
    assert f" {status} ".encode() in answer.partition(b"\r\n")[0], answer[:300]
    assert b"application/problem+json" in answer


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "a\r\nSet-Cookie: x=1",
        'a"; filename="b.exe',
        "\u202etxt.exe",
        "..\\..\\etc/passwd",
        "a\x00b",
    ],
)
async def test_a_files_name_puts_nothing_into_the_headers(shared_api: Api, name: str) -> None:
    ada = shared_api.new_user()
    stored = await ada.call("POST", "/v1/media", data=b"tea", headers={"X-File-Name": part(name)})
    assert stored.status == 201, stored
    got = await ada.get(stored.body["url"])
    assert "Set-Cookie" not in got.headers
    told = got.headers["Content-Disposition"]
    assert re.fullmatch(
        r"""attachment; filename="[^"/\\]*"(; filename\*=UTF-8''[\w%.~-]*)?""", told
    )
    assert told.isascii()
    assert told.isprintable()


async def test_only_one_word_of_a_request_is_echoed(shared_api: Api) -> None:
    ada = shared_api.new_user()
    for given in ("a b", "a,b", "<x>", "a" * 65, "é"):
        answer = await ada.get("/v1/unread", headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] != given
    lines = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Original-URL": "/v1/x"}
    answer = await ada.get("/v1/users/me", headers=lines)
    assert answer.status == 200
    assert "evil" not in answer.text + str(answer.headers)


# --- what is somebody else's ----------------------------------------------------------------------------------------


async def test_a_cursor_of_another_user_shows_nothing_of_his(shared_api: Api) -> None:
    """Every list of one's own, gone on with where somebody else's first page ended."""
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    for user in (ada, eve):
        for _ in range(3):
            channel = await a_channel(user)
            await a_chat_group(user)
            await a_post(user, channel)
            peer = shared_api.new_user("peer")
            await user.put(f"/v1/blocks/{peer.id}")
            host = shared_api.new_user("host")
            invited = await host.post(f"{await a_channel(host)}/invitations", {"user_id": user.id})
            assert invited.status == 201, invited
            made = await host.post(f"{await a_channel(host)}/invite-links", {"approval": True})
            await user.post(f"/v1/invite-links/{made.body['code']}/join")
    lists = (
        "/v1/channels?owned=true",
        "/v1/channels?subscribed=true",
        "/v1/groups?joined=true",
        "/v1/conversations?type=group",
        "/v1/blocks?",
        "/v1/invitations?",
        "/v1/join-requests?",
    )
    for path in lists:
        own = [item for page in await all_pages(eve, path) for item in page]
        first = await ada.get(f"{path}&limit=1")
        cursor = first.body["next_cursor"]
        assert cursor is not None, path
        answer = await eve.get(f"{path}&cursor={cursor}")
        if answer.status == 200:
            assert all(item in own for item in answer.items), (path, answer)
        else:
            assert answer.refusal == (400, "bad_cursor")


FILLED: Final = {
    "post": "1",
    "poll": "1",
    "asking": "1",
    "buttons": "1",
    "commented": "1",
    "draft": "none",
    "nobody": "nobody",
    "owner": "somebody",
}


def call_of(row: Row, place: str) -> tuple[str, str, dict[str, Any]]:
    """The row's call on this channel, the same whether there is one."""
    path = row.path.replace("👍", part("👍")).removesuffix("/")
    users = ("nobody", "owner", "member", "admin", "banned", "writer", "asker")
    words = ("post", "poll", "asking", "buttons", "form", "answer", "commented", "draft", "link")
    for word in (*words, "broadcast", *users):
        path = path.replace("{" + word + "}", FILLED.get(word, "somebody"))
    if row.body in {"lines", "tag-lines"}:
        return row.method, place + path, {"data": '{"user_id": "x"}\n', "headers": AS_LINES}
    if row.body in {"member", "nobody"}:
        return row.method, place + path, {"body": {"user_id": "somebody"}}
    if row.body == "forward":
        return row.method, place + path, {"body": {"forward": {"group_id": id_of(place), "seq": 1}}}
    return row.method, place + path, {"body": BODIES[row.body]} if row.body else {}


async def told(user: User, row: Row, place: str) -> object:
    """What the answer to the row's call lets one see, but for its number, its hour and the name that was asked for."""
    method, path, sent = call_of(row, place)
    answer = await user.call(method, path, **sent)
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name.lower() not in {"x-request-id", "date", "content-length"}
    }
    body = answer.body | {"request_id": ""} if answer.text else None
    return json.loads(json.dumps([answer.status, headers, body]).replace(id_of(place), "it"))


HIDDEN: Final = ("private channel", "private channel as group", "private dialogue")


@own_loop
@pytest.mark.timeout(300)
@pytest.mark.parametrize("table", HIDDEN)
async def test_every_call_answers_alike_for_hidden_and_missing(api: OpenApi, table: str) -> None:
    hidden, absent, stranger = await hidden_and_absent(await api(), table)
    compared = 0
    for row in TABLES[table][1]:
        if row.cells[0].startswith("404"):
            seen = [await told(stranger, row, place) for place in (hidden, absent)]
            assert seen[0] == seen[1], row
            compared += 1
    assert compared > 5


@own_loop
@pytest.mark.parametrize("table", HIDDEN)
async def test_response_times_do_not_reveal_hidden_channels(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Both are held back until the same moment; on this machine, whatever it does besides."""
    held: list[float] = []

    async def record(seconds: float) -> None:
        held.append(seconds)

    server = await api(absent_seconds=1000)
    hidden, absent, stranger = await hidden_and_absent(server, table)
    monkeypatch.setattr(
        channels.server.web.not_found_delay, "asyncio", SimpleNamespace(sleep=record)
    )
    for row in TABLES[table][1]:
        if row.cells[0].startswith("404"):
            for place in (hidden, absent):
                held.clear()
                await told(stranger, row, place)
                (seconds,) = held
                assert 900 < seconds <= 1000, row
    ears = await stranger.socket()
    held.clear()
    for place in (hidden, absent):
        await ears.tell(type="watch", conversation_id=f"group_{id_of(place)}".replace("_c2c_", "_"))
        assert (await ears.frame())["code"] == "group_not_found"
    assert len(held) == 2
    await ears.close()


BATCHES: Final = (
    ("GET", "/v1/channels?ids={ids}", "channel"),
    ("GET", "/v1/groups?ids={ids}", "channel"),
    ("GET", "/v1/users?ids={ids}", "user"),
    ("GET", "/v1/conversations?ids={ids}", "conversation"),
    ("PUT", "/v1/conversation-groups/{name}", "conversation"),
    ("POST", "/v1/conversation-groups/{name}/conversations", "conversation"),
)
"""The calls that answer each item by itself, and what kind of ids they take."""


@own_loop
async def test_response_times_do_not_reveal_hidden_items_of_a_batch(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole call is held where any of its items is not found, and holds no place meanwhile."""
    held: list[float] = []

    async def record(seconds: float) -> None:
        assert server.app.load_shedder.at_work == 0
        held.append(seconds)

    server = await api(absent_seconds=1000)
    hidden, absent, stranger = await hidden_and_absent(server, "private channel")
    own = await a_channel(stranger)
    assert (await stranger.patch("/v1/users/me", {"name": "Eve"})).status == 200
    monkeypatch.setattr(
        channels.server.web.not_found_delay, "asyncio", SimpleNamespace(sleep=record)
    )

    def ids_of(kind: str) -> tuple[str, list[str]]:
        match kind:
            case "channel":
                return id_of(own), [id_of(hidden), id_of(absent)]
            case "conversation":
                return conversation_of(own), [conversation_of(hidden), conversation_of(absent)]
            case _:
                return stranger.id, ["nobody-here"]

    async def ask(method: str, path: str, ids: list[str]) -> list[Any]:
        held.clear()
        if method == "GET":
            return (await stranger.get(path.format(ids=part(",".join(ids))))).items
        sent = {"conversation_ids": ids} if method == "PUT" else {"add": ids}
        answer = await stranger.call(method, path.format(name="mine"), sent)
        assert answer.status < 300, answer
        results: list[Any] = answer.body["results"]
        return results

    assert (await stranger.put("/v1/conversation-groups/mine")).status == 201
    for method, path, kind in BATCHES:
        mine, others = ids_of(kind)
        assert [item.get("error") for item in await ask(method, path, [mine])] == [None]
        assert held == [], (path, "what is there is not held back")
        for other in others:
            for ids in ([other], [mine, other]):
                items = await ask(method, path, ids)
                assert [item.get("error") is not None for item in items] == [
                    each == other for each in ids
                ]
                (seconds,) = held
                assert 900 < seconds <= 1000, (path, ids)


async def test_every_call_that_answers_item_by_item_is_asked_above(shared_api: Api) -> None:
    openapi = (await shared_api.bearer(None).get("/openapi.json")).body
    schemas = openapi["components"]["schemas"]

    def refers(schema: object, seen: frozenset[str] = frozenset()) -> bool:
        names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(schema))) - seen
        found = any(name.endswith("ItemError") for name in names)
        return found or any(refers(schemas[name], seen | names) for name in names)

    found = {
        (method.upper(), path)
        for path, methods in openapi["paths"].items()
        for method, call in methods.items()
        if refers([answer.get("content") for answer in call["responses"].values()])
    }
    asked = {(method, path.partition("?")[0]) for method, path, _ in BATCHES}
    applications = {
        ("POST", "/v1/channels/{channel_id}/subscribers"),
        ("POST", "/v1/channels/{channel_id}/subscriber-tags"),
        ("POST", "/v1/users"),
    }
    places = ("channels/{channel_id}", "groups/{group_id}")
    managers = {("POST", f"/v1/{place}/join-requests") for place in places}
    assert found - asked == applications | managers, "the application's, and those who may see all"
    assert asked <= found


@own_loop
@pytest.mark.parametrize("form", ["", "/feed.atom", "/feed.rss", "/feed.json"])
async def test_response_times_of_public_pages_reveal_nothing(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    held: list[float] = []

    async def record(seconds: float) -> None:
        held.append(seconds)

    server = await api(absent_seconds=1000)
    hidden, absent, _ = await hidden_and_absent(server, "private channel")
    group = await a_chat_group(server.new_user())
    monkeypatch.setattr(
        channels.server.web.not_found_delay, "asyncio", SimpleNamespace(sleep=record)
    )
    nobody = server.bearer(None)
    told = []
    for channel_id in (id_of(hidden), id_of(absent), id_of(group), "\0", "x" * 500):
        for method in ("GET", "HEAD"):
            held.clear()
            answer = await nobody.call(method, f"/c/{part(channel_id)}{form}")
            (seconds,) = held
            assert 900 < seconds <= 1000, channel_id
            text = re.sub(r'"request_id":"\w+"', "", answer.text)
            told.append((method, answer.status, answer.headers["Content-Type"], text))
    assert len(set(told)) == 2, "one for GET, one for HEAD"
    held.clear()
    public = await a_channel(server.new_user())
    assert (await nobody.get(f"/c/{part(id_of(public))}{form}")).status == 200
    assert held == []


async def hidden_and_absent(api: Api, table: str) -> tuple[str, str, User]:
    """The path of what is there, but not for the user; and of what is not there."""
    cast = await cast_of(api)
    hidden = (await TABLES[table][0](cast)).path
    assert "c-" in hidden
    return hidden, hidden.replace("c-", "x-"), cast["stranger"]
