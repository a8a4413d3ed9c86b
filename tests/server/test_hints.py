"""Errors that tell the way: the first reason in words, and hints for paths that are nearly right."""

from typing import Any, Final

import pytest

from tests.api import Api, a_channel

pytestmark = pytest.mark.asyncio(loop_scope="module")


WHOLE: Final = "limit: must be a whole number between 1 and 100"


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("GET", "/v1/channels?limit=0", None, WHOLE),
        ("GET", "/v1/channels?limit=101", None, WHOLE),
        ("GET", "/v1/channels?limit=x", None, WHOLE),
        ("GET", "/v1/channels/none/posts?after_seq=-1", None, "after_seq: must be at least 0"),
        ("GET", "/v1/channels?owned=maybe", None, "owned: must be true or false"),
        ("GET", "/v1/channels?sort=size", None, "sort: must be 'popular', 'new' or 'active'"),
        ("GET", "/v1/channels?foo=1", None, "unknown field `foo`"),
        ("GET", "/v1/users/me?foo=1", None, "query: takes no parameters"),
        ("GET", "/v1/channels?q=a&q=b", None, "query: names a parameter twice"),
        ("GET", "/v1/users", None, "ids: is missing"),
        ("POST", "/v1/channels", {"name": " "}, "name: must not be blank"),
        ("POST", "/v1/channels", {"name": 7}, "name: must be text"),
        ("POST", "/v1/channels", {}, "name: is missing"),
        ("POST", "/v1/channels", [], "body: must be an object"),
        (
            "POST",
            "/v1/channels",
            {"nmae": "x"},
            "name: is missing (and 1 more, in `details.errors`)",
        ),
        (
            "POST",
            "/v1/channels",
            {"name": "x", "settings": {"signatures": "yes"}},
            "settings.signatures: must be true or false",
        ),
    ],
)
async def test_the_detail_of_an_invalid_request_is_its_first_reason(
    shared_api: Api, method: str, path: str, body: Any, detail: str
) -> None:
    ada = shared_api.new_user("ada")
    answer = await (ada.get(path) if body is None else ada.call(method, path, body))
    assert answer.refusal == (400, "invalid_request")
    assert answer.body["detail"] == detail
    assert answer.body["details"]["errors"]


async def test_a_text_too_long_says_how_long_it_is_and_may_be(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    answer = await ada.post("/v1/channels", {"name": "é" * 75 + "x"})
    assert answer.refusal == (400, "field_too_long")
    assert answer.body["detail"] == "name: has 151 bytes of UTF-8; at most 150 are allowed"
    assert answer.body["details"] == {"field": "name", "limit_bytes": 150}


async def test_no_reason_repeats_what_was_sent(shared_api: Api) -> None:
    ada = shared_api.new_user("ada")
    for path in ("limit=s3cret", "sort=s3cret", "owned=s3cret", "q=a%00s3cret"):
        assert "s3cret" not in (await ada.get(f"/v1/channels?{path}")).body["detail"]


CUT = "In a path, write `#` as `%23`"


@pytest.mark.parametrize(
    ("method", "path", "status", "hint"),
    [
        ("GET", "/v1/channels/@TOA", 404, CUT),
        ("GET", "/v1/channels/%40TOA", 404, CUT),
        ("GET", "/v1/groups/@TGS", 404, CUT),
        ("PUT", "/v1/channels/@TOA", 405, CUT),
        ("GET", "/v1/channels/", 404, "Leave out the slash at the end: `/v1/channels`"),
        (
            "POST",
            "/v1/channels/news/posts/",
            404,
            "Leave out the slash at the end: `/v1/channels/n",
        ),
        ("GET", "/users/me", 404, "The calls of the API begin with `/v1`: `/v1/users/me`"),
        ("POST", "/channels/news/posts", 404, "The calls of the API begin with `/v1`: `/v1/chan"),
        ("PATCH", "/channels/news", 405, "The calls of the API begin with `/v1`: `/v1/channels/ne"),
        ("GET", "/users/me/", 404, "The calls of the API begin with `/v1`: `/v1/users/me`"),
    ],
)
async def test_a_path_that_is_nearly_right_gets_a_hint(
    shared_api: Api, method: str, path: str, status: int, hint: str
) -> None:
    answer = await shared_api.new_user("ada").call(method, path)
    assert answer.status == status
    assert hint in answer.body["detail"]


async def test_other_paths_get_none_and_a_hidden_channel_is_told_apart_by_nothing(
    shared_api: Api,
) -> None:
    ada, eve = shared_api.new_user("ada"), shared_api.new_user("eve")
    hidden = await a_channel(ada, settings={"visibility": "private"})
    asked = ["/v1/nothing", "/v1/nothing/", "/nothing", hidden, "/v1/channels/none"]
    details = [(await eve.get(path)).body["detail"] for path in asked]
    assert details == ["No such route"] * 3 + ["No such channel"] * 2
