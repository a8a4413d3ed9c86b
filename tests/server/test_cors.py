"""Pages of other origins: what a browser is told, and which of them may open a socket."""

import aiohttp
import pytest

from channels.server.web.responses import REQUEST_ID_HEADER
from tests.api import Api
from tests.conftest import OpenApi

APP = "https://app.example.org"


@pytest.fixture
async def server(api: OpenApi) -> Api:
    return await api(allowed_origins=(APP,))


async def test_a_page_of_an_allowed_origin_may_read_answers_also_refusals(server: Api) -> None:
    ada = server.new_user("ada")
    for path, status in (("/v1/users/me", 200), ("/v1/nothing", 404), ("/v1/media/none", 404)):
        answer = await ada.get(path, headers={"Origin": APP})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Vary"] == "Origin"
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert exposed >= {
            REQUEST_ID_HEADER,
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Next-Cursor",
        }


@pytest.mark.parametrize(
    "origin", ["https://evil.example.org", "null", "https://app.example.org.x"]
)
async def test_a_page_of_another_origin_may_not(server: Api, origin: str) -> None:
    answer = await server.new_user("ada").get("/v1/users/me", headers={"Origin": origin})
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_preflight_response_lists_methods_and_headers(server: Api) -> None:
    nobody = server.bearer(None)
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT"}
    answer = await nobody.call("OPTIONS", "/v1/channels/x/subscription", headers=asked)
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    for header in ("Authorization", "Idempotency-Key", "Content-Type"):
        assert header in answer.headers["Access-Control-Allow-Headers"]
    assert "HEAD" in answer.headers["Access-Control-Allow-Methods"]


async def test_a_preflight_that_is_refused_names_the_setting(api: OpenApi, server: Api) -> None:
    closed = await api()
    asked = {"Origin": "https://x.example", "Access-Control-Request-Method": "PUT"}
    for one, reason in ((server, "does not name it"), (closed, "is not set")):
        nobody = one.bearer(None)
        refused = await nobody.call("OPTIONS", "/v1/channels", headers=asked)
        assert refused.refusal == (403, "origin_not_allowed")
        assert f"`CHANNELS_ALLOWED_ORIGINS` {reason}" in refused.body["detail"]
        assert "Access-Control-Allow-Origin" not in refused.headers
        plain = await nobody.call("OPTIONS", "/v1/channels", headers={"Origin": asked["Origin"]})
        assert plain.refusal == (405, "method_not_allowed")


async def test_a_page_of_another_origin_may_not_open_a_socket(server: Api) -> None:
    ada = server.new_user("ada")

    async def opened(**headers: str) -> int:
        bearer = {"Authorization": f"Bearer {ada.token}"}
        try:
            async with ada.http.ws_connect(
                ada.base + "/v1/socket", headers=bearer | headers
            ) as socket:
                assert (await socket.receive_json())["type"] == "ready"
                return 101
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status

    assert await opened(Origin="https://evil.example.org") == 403
    assert await opened(Origin=APP) == 101
    assert await opened(Origin=ada.base) == 101
    assert await opened() == 101


async def test_no_allowed_origin_and_all_origins(api: OpenApi) -> None:
    closed, open_to_all = await api(), await api(allowed_origins=("*",))
    answer = await closed.new_user("ada").get("/v1/users/me", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = await open_to_all.new_user("ada").get("/v1/users/me", headers={"Origin": APP})
    assert answer.headers["Access-Control-Allow-Origin"] == APP


async def test_responses_are_not_cached_and_not_sniffed(server: Api) -> None:
    ada = server.new_user("ada")
    for origin in ({}, {"Origin": APP}):
        answer = await ada.get("/v1/users/me", headers=origin)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_no_response_reveals_software_versions(server: Api) -> None:
    ada = server.new_user("ada")
    for path in (
        "/",
        "/v1/users/me",
        "/no/such/path",
        "/v1/users/me?x",
        "/c/none",
        "/openapi.json",
    ):
        for headers in ({}, {"Origin": APP}):
            answer = await ada.get(path, headers=headers)
            assert answer.headers.get("Server", "channels") == "channels", path
