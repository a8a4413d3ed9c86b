"""Every call over HTTP: who is asking, what may be sent, and that whatever is wrong is a typed refusal, never a 500."""

import asyncio
import json
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import jwt
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.server.app import endpoints_for
from channels.server.tokens import AHEAD_SECONDS, BadToken, TokenVerifier
from groups.kernel.actor import Actor
from groups.kernel.endpoint import Endpoint
from groups.service.users import UserService
from tests.api import (
    SECRET,
    Answer,
    Api,
    a_channel,
    a_post,
    fresh,
    group_path,
    id_of,
    part,
)
from tests.conftest import OpenApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

own_loop = pytest.mark.asyncio(loop_scope="function")
"""For tests with a server of their own."""

JSON: Final = {"Content-Type": "application/json"}


def assert_problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The answer is this refusal, in the one shape of all; its details."""
    assert answer.refusal == (status, code), answer
    body = answer.body
    assert set(body) == {"type", "title", "status", "detail", "code", "details", "request_id"}
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    details = body["details"]
    assert isinstance(details, dict)
    return details


def is_refused(answer: Answer) -> bool:
    """Whether the answer is a problem that the caller is told of."""
    if not 400 <= answer.status < 500:
        return False
    assert_problem(answer, answer.status, answer.body["code"])
    return True


# --- who is asking --------------------------------------------------------------------------------------------------


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    given = {"sub": "ada", "exp": int(time.time()) + 3600} | claims
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


async def test_a_good_token_is_let_in(shared_api: Api) -> None:
    assert (await shared_api.bearer(signed()).get("/v1/unread")).status == 200


async def test_a_token_of_the_future_is_refused_with_the_reason(shared_api: Api) -> None:
    nearly = signed(iat=time.time() + AHEAD_SECONDS - 1)
    assert (await shared_api.bearer(nearly).get("/v1/unread")).status == 200
    refused = await shared_api.bearer(signed(iat=int(time.time()) + 50)).get("/v1/unread")
    assert refused.refusal == (401, "unauthenticated")
    assert "`iat` is in the future" in refused.body["detail"]


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none at all"),
        pytest.param("", id="empty"),
        pytest.param("not-a-token", id="not a token"),
        pytest.param(signed(secret="x" * 40), id="signed with another secret"),
        pytest.param(signed() + "x", id="a changed signature"),
        pytest.param(jwt.encode({"sub": "ada", "exp": 2**33}, "", algorithm="none"), id="unsigned"),
        pytest.param(signed(secret=SECRET * 2, algorithm="HS512"), id="another algorithm"),
        pytest.param(signed(exp=int(time.time()) - 1), id="expired"),
        pytest.param(signed(exp=None), id="without exp"),
        pytest.param(signed(nbf=2**32), id="not valid yet"),
        pytest.param(signed(sub=None), id="without sub"),
        pytest.param(signed(sub=""), id="an empty sub"),
        pytest.param(signed(sub="a" * 33), id="a sub of 33 bytes"),
        pytest.param(signed(sub="a\x00b"), id="a sub with NUL"),
        pytest.param(signed(more="x" * 5000), id="huge"),
    ],
)
async def test_without_a_good_token_nothing_is_answered(shared_api: Api, token: str | None) -> None:
    answer = await shared_api.bearer(token).get("/v1/unread")
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


OTHER_SECRET: Final = "x" * 40


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("not-a-token", "damaged, or no JWT"),
        ("a.b.c", "damaged, or no JWT"),
        (signed(secret=OTHER_SECRET), "signed with another secret"),
        (signed(secret=OTHER_SECRET, sub=None), "signed with another secret"),
        (signed(secret=OTHER_SECRET, exp=1), "signed with another secret"),
        (jwt.encode({"sub": "ada", "exp": 2**33}, "", algorithm="none"), "algorithm is not"),
        (signed(secret=SECRET * 2, algorithm="HS512"), "algorithm is not accepted: sign"),
        (signed(exp=int(time.time()) - 1), "has expired"),
        (signed(exp=None), "has no `exp`"),
        (signed(sub=None), "has no `sub`"),
        (signed(nbf=2**32), "`nbf` is in the future"),
        (signed(aud="us"), "has an `aud`"),
        (signed(sub=7), "`sub` is not"),
    ],
)
async def test_a_refused_token_says_why_and_nothing_of_its_content(
    shared_api: Api, token: str, words: str
) -> None:
    answer = await shared_api.bearer(token).get("/v1/unread")
    assert_problem(answer, 401, "unauthenticated")
    assert words in answer.body["detail"]
    assert SECRET not in answer.text
    assert "ada" not in answer.body["detail"]


@own_loop
async def test_a_reason_is_of_the_secret_that_signed_while_two_are_accepted() -> None:
    verifier = TokenVerifier(SECRET, previous=OTHER_SECRET)
    for secret in (SECRET, OTHER_SECRET):
        with pytest.raises(BadToken, match="has no `sub`"):
            verifier.verify(signed(secret=secret, sub=None))
    with pytest.raises(BadToken, match="another secret"):
        verifier.verify(signed(secret="y" * 40, sub=None))


@pytest.mark.parametrize("header", ["Basic YTpi", "Token {}", "{}", "Bearer", "Bearer  "])
async def test_only_the_bearer_scheme_is_known(shared_api: Api, header: str) -> None:
    nobody = shared_api.bearer(None)
    for scheme in ("Bearer {}", "bearer {}"):
        sent = {"Authorization": scheme.format(signed())}
        assert (await nobody.call("GET", "/v1/unread", headers=sent)).status == 200
    sent = {"Authorization": header.format(signed())}
    assert_problem(await nobody.call("GET", "/v1/unread", headers=sent), 401, "unauthenticated")


@own_loop
async def test_a_token_expires_by_the_clock_also_when_it_was_seen_before(api: OpenApi) -> None:
    server = await api()
    ada = server.new_user("ada", hours=1)
    server.clock.move(seconds=3500)
    assert (await ada.get("/v1/unread")).status == 200
    server.clock.move(seconds=101)
    assert_problem(await ada.get("/v1/unread"), 401, "unauthenticated")


PUBLIC: Final = {("GET", "/v1/media/{media_id}"), ("GET", "/v1/invite-links/{code}")}
"""Calls that a page may make without a token: an upload and an invite link are found by an id that nobody guesses."""


async def test_every_call_requires_a_token(shared_api: Api) -> None:
    nobody = shared_api.bearer(None)
    for endpoint in endpoints_for(shared_api.services):
        if (endpoint.spec.method, endpoint.spec.path) in PUBLIC:
            continue
        path = filled(endpoint, lambda name: "1")
        answer = await nobody.call(endpoint.spec.method, path, {})
        assert_problem(answer, 401, "unauthenticated")


# --- where it goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1", "/v1/", "/v1/nothing", "/v2/channels", "/v1/channels/x/nothing", "//v1"],
)
async def test_an_unknown_route_is_a_problem(shared_api: Api, path: str) -> None:
    assert_problem(await shared_api.new_user().get(path), 404, "route_not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(shared_api: Api) -> None:
    ada = shared_api.new_user()
    for method in ("PATCH", "DELETE", "PUT", "OPTIONS", "PROPFIND"):
        answer = await ada.call(method, "/v1/channels")
        assert assert_problem(answer, 405, "method_not_allowed") == {
            "allowed": ["GET", "HEAD", "POST"]
        }
        assert answer.headers["Allow"] == "GET, HEAD, POST"


# --- what is sent ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{'name': 'x'}", id="not quite JSON"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b'{"name": "\xff"}', id="not UTF-8 inside"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"name"', id="a word"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b'{"name": "x"} {}', id="two"),
        pytest.param(b'{"name": "x", "name_": 1}', id="an unknown field"),
        pytest.param(b'{"name": "x", "settings": {"hidden": true}}', id="an unknown inner field"),
        pytest.param(b'{"name": 7}', id="a number for a text"),
        pytest.param(b'{"name": null}', id="null for a text"),
        pytest.param(b'{"name": ["x"]}', id="a list for a text"),
        pytest.param(b'{"name": ""}', id="blank"),
        pytest.param(b'{"name": " "}', id="space only"),
        pytest.param(b'{"name": "a\\u0000b"}', id="NUL"),
        pytest.param(b'{"name": "\\ud800"}', id="a lone surrogate"),
        pytest.param(b'{"name": "\\udc00\\ud800"}', id="surrogates the wrong way round"),
        pytest.param(b'{"name": "x", "settings": {"signatures": "maybe"}}', id="no boolean"),
        pytest.param(b'{"name": "x", "settings": {"reactions_per_user": 1e400}}', id="infinity"),
        pytest.param(b'{"name": "x", "settings": {"reactions_per_user": NaN}}', id="inner NaN"),
        pytest.param(
            b'{"name": "x", "settings": {"reactions_per_user": ' + b"9" * 400 + b"}}",
            id="a very big number",
        ),
        pytest.param(
            b'{"name": "x", "settings": {"reactions_per_user": ' + b"9" * 5000 + b"}}",
            id="a number beyond any",
        ),
        pytest.param(
            b'{"name": "x", "settings": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", id="very deep"
        ),
    ],
)
async def test_a_body_that_does_not_fit_is_an_invalid_request(shared_api: Api, body: bytes) -> None:
    ada = shared_api.new_user()
    answer = await ada.call("POST", "/v1/channels", data=body, headers=JSON)
    errors = assert_problem(answer, 400, "invalid_request")["errors"]
    assert errors
    assert all(set(error) == {"field", "reason"} for error in errors)


@pytest.mark.parametrize(
    "custom",
    [
        pytest.param("1" + "0" * 30, id="an integer beyond 64 bits"),
        pytest.param("NaN", id="NaN"),
        pytest.param("[1, {}]".replace("{}", "Infinity"), id="infinity"),
        pytest.param("1e999", id="a number beyond any"),
        pytest.param("[" * 300 + "]" * 300, id="300 levels deep"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="100,000 levels deep"),
        pytest.param('"\\ud800"', id="a lone surrogate"),
        pytest.param('{"\\udfff": 1}', id="a lone surrogate as a key"),
    ],
)
async def test_custom_json_that_cannot_be_serialised_is_refused(
    shared_api: Api, custom: str
) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    for text, refused in (('{"deep": [[[1, 2.5, "故", null]]]}', False), (custom, True)):
        data = f'{{"kind": "custom", "custom": {text}}}'
        for call in (f"{path}/posts", f"{group_path(path)}/messages"):
            answer = await ada.call("POST", call, data=data, headers=JSON)
            assert is_refused(answer) is refused, answer
            if not refused:
                read = await ada.get(f"{path}/posts/{answer.body['seq']}")
                assert read.body["custom"] == json.loads(text)


async def test_only_json_is_read(shared_api: Api) -> None:
    ada = shared_api.new_user()
    body = b'{"name": "x"}'
    for good in ("application/json", "application/json; charset=utf-8"):
        sent = {"Content-Type": good}
        answer = await ada.call("POST", "/v1/channels", data=body, headers=sent)
        assert answer.status == 201
    for bad in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
        sent = {"Content-Type": bad}
        answer = await ada.call("POST", "/v1/channels", data=body, headers=sent)
        details = assert_problem(answer, 415, "unsupported_media_type")
        assert details["content_type"] == bad.split(";")[0]


@own_loop
async def test_a_body_is_taken_up_to_its_limit(api: OpenApi) -> None:
    server = await api(request_body_bytes=2000, message_body_bytes=10_000)
    ada = server.new_user("ada")
    path = await a_channel(ada)
    frame = len('{"kind":"text","text":""}')

    async def post(size: int) -> Answer:
        data = f'{{"kind":"text","text":"{"x" * (size - frame)}"}}'
        return await ada.call("POST", f"{path}/posts", data=data, headers=JSON)

    assert (await post(2000)).status == 201
    for size in (2001, 200_000):
        details = assert_problem(await post(size), 413, "body_too_large")
        assert details == {"limit_bytes": 2000}


async def test_unknown_and_doubled_query_parameters_are_refused(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    assert (await ada.get("/v1/channels?q=x&sort=new&limit=5")).status == 200
    for query in ("?colour=red", "?q=x&q=y", "?limit=0", "?limit=101", "?limit=x", "?sort=old"):
        assert_problem(await ada.get(f"/v1/channels{query}"), 400, "invalid_request")
    # A call without parameters takes none.
    assert (await ada.get(path)).status == 200
    assert_problem(await ada.get(f"{path}?x=1"), 400, "invalid_request")


async def test_a_foreign_or_made_up_cursor_is_refused(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    for _ in range(2):
        await a_channel(ada)
    cursor = (await ada.get("/v1/channels?owned=true&limit=1")).body["next_cursor"]
    assert (await ada.get(f"/v1/channels?owned=true&cursor={cursor}")).status == 200
    lists = ["/v1/channels?", "/v1/channels?sort=new&", "/v1/groups?", "/v1/conversations?"]
    for path in [*lists, "/v1/channels?subscribed=true&"]:
        assert_problem(await ada.get(f"{path}cursor={cursor}"), 400, "bad_cursor")
    for forged in ("x", "%00", "%FF", "W10", "bnVsbA", "a" * 1000, "WyJvd25lZCIsIFtdXQ"):
        answer = await ada.get(f"/v1/channels?owned=true&cursor={forged}")
        assert_problem(answer, 400, "bad_cursor")


# --- everywhere -----------------------------------------------------------------------------------------------------

NO_ID: Final = ("%00", "a%00b", "%0A", "a%20", "%E2%80%8B", "%7F", "a" * 4000)
"""What no id can be, as a path spells it."""

ODD: Final = (
    *NO_ID,
    "%20a",
    "%FF",
    "%C3%28",
    "%ED%A0%80",
    "%2F",
    "a%2Fb",
    "%25",
    "%",
    "%zz",
    "%2E%2E",
)
ODD_TOO: Final = ("..", ".", "故" * 40, "-1", "0", "1.5", "9" * 30, "true", "null", "$where", "{}")
ODD_WORDS: Final = tuple(part(word) if not word.isascii() else word for word in ODD_TOO)


def filled(endpoint: Endpoint, fill: Any) -> str:
    """The endpoint's path with its parts filled in."""
    path = endpoint.spec.path
    for name in endpoint.path:
        path = path.replace("{" + name + "}", fill(name))
    return path


def _odd_at(place: str, odd: str, name: str) -> str:
    return odd if name == place else "1"


def with_parts(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    return [endpoint for endpoint in endpoints if endpoint.path]


async def test_odd_words_in_a_path_are_refused_everywhere_and_never_a_defect(
    shared_api: Api,
) -> None:
    root = shared_api.new_user("root", admin=True)
    tried = 0
    for endpoint in with_parts(endpoints_for(shared_api.services)):
        for odd in (*ODD, *ODD_WORDS):
            for odd_name in endpoint.path:
                path = filled(endpoint, partial(_odd_at, odd_name, odd))
                answer = await root.call(endpoint.spec.method, path, {})
                ok = is_refused(answer) or harmless(endpoint, answer)
                assert ok, (endpoint.spec, odd, answer)
                tried += 1
    assert tried > 1000


def harmless(endpoint: Endpoint, answer: Answer) -> bool:
    """Where one may name what one likes: one's own conversation groups; users whom nobody has met."""
    path = endpoint.spec.path
    if path in {"/v1/users/{user_id}/channels", "/v1/users/{user_id}/groups"}:
        return answer.status == 200 and answer.items == []
    may = path.startswith("/v1/conversation-groups/{name}") or path in {
        "/v1/users/{user_id}/tokens",
        "/v1/users/{user_id}/restriction",
        "/v1/users/{user_id}/export",
        "/v1/blocks/{user_id}",
        "/v1/devices/{device_id}",
    }
    return may and answer.status < 300


@pytest.mark.parametrize("no_id", NO_ID)
async def test_impossible_ids_are_refused(shared_api: Api, no_id: str) -> None:
    ada = shared_api.new_user()
    for path in ("/v1/channels/{}", "/v1/groups/{}", "/v1/users/{}", "/v1/conversations/{}"):
        assert (await ada.get(path.format("nobody"))).status == 404
        assert_problem(await ada.get(path.format(no_id)), 400, "invalid_request")


async def test_a_body_of_the_wrong_kind_is_refused_by_every_call_that_takes_one(
    shared_api: Api,
) -> None:
    ada = shared_api.new_user("ada")
    channel = id_of(await a_channel(ada))
    await a_post(ada, f"/v1/channels/{part(channel)}")
    parts = {"channel_id": channel, "group_id": channel, "seq": "1", "user_id": ada.id}
    taking = [e for e in endpoints_for(shared_api.services) if e.body is not None]
    assert len(taking) > 15
    for endpoint in taking:
        path = filled(endpoint, lambda name: part(parts.get(name, fresh("x"))))
        for body in (b"[]", b"7", b'"x"', b'{"no_such_field": 1}', b"{", b"\xff", b"\x00"):
            answer = await ada.call(endpoint.spec.method, path, data=body, headers=JSON)
            assert_problem(answer, 400, "invalid_request")


TEXT: Final = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "故" * 60,
        "https://a.b",
        "javascript:x",
        "👍",
        "@TOA#_x",
        "ada",
        "official_account",
    ]
)
SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**63, max_value=2**70)
    | st.floats()
    | TEXT
)
ANYTHING: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def bodies(endpoint: Endpoint) -> st.SearchStrategy[Any]:
    """Random JSON, more often than not with the fields that the call knows."""
    assert endpoint.body is not None
    fields = list(endpoint.body.model_fields)
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(fields, ANYTHING))
    told = st.fixed_dictionaries(
        {}, optional={"settings": st.dictionaries(st.sampled_from(SETTINGS), ANYTHING, max_size=3)}
    )
    enums = st.fixed_dictionaries(
        {},
        optional={
            "kind": st.sampled_from(["text", "custom"]),
            "type": st.sampled_from(["community", "public", "meeting", "work"]),
            "name": st.text(min_size=1, max_size=5),
            "text": st.text(min_size=1, max_size=5),
            "custom": ANYTHING,
        },
    )
    only_known = st.builds(
        lambda a, b: {k: v for k, v in (a | b).items() if k in fields}, known, enums
    )
    return st.one_of(only_known, only_known, known, ANYTHING, st.builds(dict.__or__, known, told))


SETTINGS: Final = ["visibility", "reactions", "reactions_per_user", "signatures", "accept_messages"]


async def test_whatever_is_sent_is_never_a_defect(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    channel = id_of(await a_channel(ada, bob))
    group = await ada.post("/v1/groups", {"type": "public", "name": "Tea"})
    for path in (f"/v1/channels/{part(channel)}", f"/v1/groups/{part(group.body['group_id'])}"):
        await a_post(ada, path)
    parts = {
        "channel_id": channel,
        "group_id": group.body["group_id"],
        "seq": "1",
        "user_id": bob.id,
        "conversation_id": f"group_{channel}",
        "name": "mine",
        "draft_id": "a",
        "device_id": "a",
        "webhook_id": "a",
        "delivery_id": "a",
        "code": "a",
        "report_id": "a-1",
        "option": "0",
        "key": "a",
        "post_seq": "1",
        "comment_seq": "1",
    }
    await ada.put("/v1/conversation-groups/mine")
    taking = [e for e in endpoints_for(shared_api.services) if e.body is not None]
    drawn: list[tuple[Endpoint, object]] = []

    @settings(
        max_examples=400,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        endpoint = data.draw(st.sampled_from(taking), label="endpoint")
        drawn.append((endpoint, data.draw(bodies(endpoint), label="body")))

    # All drawn before the first is sent: the driver throws dice of its own, and Hypothesis must not see it do so.
    draw()
    for endpoint, body in drawn:
        path = filled(endpoint, lambda name: part(parts[name]))
        answer = await ada.call(endpoint.spec.method, path, body)
        assert answer.status < 300 or is_refused(answer), (endpoint.spec, body, answer)
    assert len(drawn) >= 400
    assert (await ada.get(f"/v1/channels/{part(channel)}")).status == 200


# --- request ids, defects, overload ---------------------------------------------------------------------------------


async def test_a_request_id_is_echoed_and_one_that_is_no_word_is_replaced(shared_api: Api) -> None:
    ada = shared_api.new_user()
    given = {"X-Request-Id": "abc123"}
    answer = await ada.call("GET", "/v1/channels/nothing", headers=given)
    assert answer.headers["X-Request-Id"] == answer.body["request_id"] == "abc123"
    assert (await ada.call("GET", "/v1/unread", headers=given)).headers["X-Request-Id"] == "abc123"
    for bad in ("a b", "x" * 65, "a\tb", "<script>", ""):
        answer = await ada.call("GET", "/v1/unread", headers={"X-Request-Id": bad})
        assert answer.headers["X-Request-Id"] not in {bad, ""}


async def test_request_ids_are_unique(shared_api: Api) -> None:
    ada = shared_api.new_user()
    seen = {(await ada.get("/v1/unread")).headers["X-Request-Id"] for _ in range(20)}
    assert len(seen) == 20


async def test_a_defect_is_an_opaque_500_and_the_log_has_it_under_the_request_id(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    ada = shared_api.new_user()
    monkeypatch.setattr(UserService, "get_own", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await ada.call("GET", "/v1/users/me", headers={"X-Request-Id": "findme"})
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert "Zero" not in answer.text
    (defect,) = (entry for entry in logs if entry["event"] == "defect")
    assert (defect["request_id"], defect["log_level"]) == ("findme", "error")
    assert defect["exc_info"]


@own_loop
async def test_requests_beyond_the_servers_limit_are_refused_not_queued(
    api: OpenApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await api(concurrent_requests=2)
    ada = server.new_user("ada")
    held, inside = asyncio.Event(), asyncio.Semaphore(0)
    real = UserService.get_own

    async def slow(self: UserService, actor: Actor) -> object:
        inside.release()
        await held.wait()
        return await real(self, actor)

    monkeypatch.setattr(UserService, "get_own", slow)
    waiting = [asyncio.create_task(ada.get("/v1/users/me")) for _ in range(2)]
    for _ in waiting:
        await asyncio.wait_for(inside.acquire(), 10)
    refused = await ada.get("/v1/unread")
    assert_problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "1"
    held.set()
    assert [answer.status for answer in await asyncio.gather(*waiting)] == [200, 200]
    assert (await ada.get("/v1/unread")).status == 200


@own_loop
async def test_an_open_socket_takes_no_request_s_place(api: OpenApi) -> None:
    server = await api(concurrent_requests=2)
    ada = server.new_user("ada")
    sockets = [await ada.socket() for _ in range(3)]
    assert (await ada.get("/v1/unread")).status == 200
    for socket in sockets:
        await socket.close()


async def test_how_long_a_socket_stays_is_no_request_s_time(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    with structlog.testing.capture_logs() as logs:
        await (await ada.socket()).close()
        assert (await ada.get("/v1/unread")).status == 200
    assert "/v1/socket" not in {entry.get("route") for entry in logs}
    assert 'route="/v1/socket"' not in (await ada.get("/metrics")).text


# --- idempotency keys, ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["k", "!~", "x" * 128, '{"a":1}'])
async def test_a_key_makes_a_repeat_answer_the_first_post(shared_api: Api, key: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    body = {"kind": "text", "text": "Hello"}
    first, second = [await ada.post(f"{path}/posts", body, idempotency_key=key) for _ in range(2)]
    assert (first.status, first.body) == (second.status, second.body) == (201, first.body)
    other = await ada.post(f"{path}/posts", body | {"text": "Other"}, idempotency_key=key)
    assert_problem(other, 409, "idempotency_conflict")
    assert (await ada.get(path)).body["head_seq"] == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "ä", "a\tb"])
async def test_a_key_that_is_none_is_refused(shared_api: Api, key: str) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    body = {"kind": "text", "text": "Hello"}
    answer = await ada.post(f"{path}/posts", body, idempotency_key=key)
    assert_problem(answer, 400, "invalid_request")
    assert (await ada.get(path)).body["head_seq"] == 0


async def test_a_key_is_its_user_s_own_and_its_channel_s_own(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path, other = await a_channel(ada, admins=(bob,)), await a_channel(ada)
    body = {"kind": "text", "text": "Hello"}
    for user, where, seq in ((ada, path, 1), (bob, path, 2), (ada, other, 1)):
        answer = await user.post(f"{where}/posts", body, idempotency_key="same")
        assert answer.body["seq"] == seq


async def test_creating_a_channel_or_a_group_with_a_key_creates_one(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    for path, body in (
        ("/v1/channels", {"name": "News"}),
        ("/v1/groups", {"type": "community", "name": "Tea"}),
    ):
        first, second = [await ada.post(path, body, idempotency_key="k") for _ in range(2)]
        assert (second.status, second.body) == (201, first.body)
        changed = await ada.post(path, body | {"name": "Other"}, idempotency_key="k")
        assert_problem(changed, 409, "idempotency_conflict")


async def test_a_channel_is_the_same_in_full_and_without_its_prefix(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    word = fresh("news/ü")
    created = await ada.post("/v1/channels", {"channel_id": f"@TOA#_{word}", "name": "News"})
    full, short = f"/v1/channels/{part('@TOA#_' + word)}", f"/v1/channels/{part(word)}"
    assert (await ada.get(full)).body == (await ada.get(short)).body == created.body
    assert (await ada.put(f"{short}/subscription")).body["channel_id"] == f"@TOA#_{word}"
    assert (await ada.get(group_path(full))).body["group_id"] == f"@TOA#_{word}"
    assert_problem(await ada.get(group_path(short)), 404, "group_not_found")


async def test_a_caller_that_goes_away_does_not_disturb_the_others(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    path = await a_channel(ada)
    calls = [
        asyncio.create_task(ada.post(f"{path}/posts", {"kind": "text", "text": f"{n}"}))
        for n in range(20)
    ]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    for call in calls[::2]:
        call.cancel()
    answers = [
        a for a in await asyncio.gather(*calls, return_exceptions=True) if isinstance(a, Answer)
    ]
    assert {answer.status for answer in answers} == {201}
    head = (await ada.get(path)).body["head_seq"]
    seqs = [post["seq"] for post in (await ada.get(f"{path}/posts?limit=100")).items]
    assert seqs == list(range(head, 0, -1))
