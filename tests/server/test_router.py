"""The router by itself: which route a path finds, with which parameters, and what it answers when there is none."""

import pytest
from aiohttp import web

from channels.server.web.problems import RouteNotFound, WrongMethod
from channels.server.web.router import Parameters, Router


async def answer(request: web.BaseRequest, parameters: Parameters) -> web.StreamResponse:
    raise NotImplementedError  # never called here


@pytest.fixture
def router() -> Router:
    router = Router()
    for method, path in [
        ("GET", "/v1/groups"),
        ("GET", "/v1/groups/{group_id}"),
        ("PUT", "/v1/groups/{group_id}/members/me"),
        ("GET", "/v1/groups/{group_id}/members/{user_id}"),
        ("PUT", "/v1/groups/{name}/members/{user_id}"),
        ("PUT", "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}"),
    ]:
        router.add(method, path, answer)
    return router


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/v1/groups", "/v1/groups", {}),
        ("GET", "/v1/groups/tea", "/v1/groups/{group_id}", {"group_id": "tea"}),
        ("GET", "/v1/groups/%40TGS%23_tea", "/v1/groups/{group_id}", {"group_id": "@TGS#_tea"}),
        ("GET", "/v1/groups/a%2Fb", "/v1/groups/{group_id}", {"group_id": "a/b"}),
        ("GET", "/v1/groups/a%252Fb", "/v1/groups/{group_id}", {"group_id": "a%2Fb"}),
        ("GET", "/v1/groups/a+b", "/v1/groups/{group_id}", {"group_id": "a+b"}),
        ("GET", "/v1/groups/%FF", "/v1/groups/{group_id}", {"group_id": "%FF"}),
        (
            "PUT",
            "/v1/groups/tea/members/me",
            "/v1/groups/{group_id}/members/me",
            {"group_id": "tea"},
        ),
        (
            "GET",
            "/v1/groups/tea/members/me",
            "/v1/groups/{group_id}/members/{user_id}",
            {"group_id": "tea", "user_id": "me"},
        ),
        (
            "PUT",
            "/v1/groups/tea/members/bob",
            "/v1/groups/{name}/members/{user_id}",
            {"name": "tea", "user_id": "bob"},
        ),
        (
            "PUT",
            "/v1/groups/tea/messages/7/reactions/%F0%9F%91%8D",
            "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}",
            {"group_id": "tea", "seq": "7", "emoji": "👍"},
        ),
    ],
)
def test_a_path_finds_its_route(
    router: Router, method: str, path: str, route: str, parameters: dict[str, str]
) -> None:
    match = router.find(method, path)
    assert (match.route.path, match.parameters) == (route, parameters)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v1/groups/", "//v1/groups", "/v1/groups//members/me", "/v1/groups/tea/x"],
)
def test_unknown_paths_match_no_route(router: Router, path: str) -> None:
    with pytest.raises(RouteNotFound):
        router.find("GET", path)


def test_a_wrong_method_lists_the_allowed_ones(router: Router) -> None:
    with pytest.raises(WrongMethod) as refusal:
        router.find("DELETE", "/v1/groups/tea/members/me")
    assert refusal.value.details["allowed"] == ["GET", "HEAD", "PUT"]


def test_two_handlers_for_one_call_are_a_defect(router: Router) -> None:
    with pytest.raises(ValueError, match="has a handler"):
        router.add("GET", "/v1/groups/{id}", answer)
