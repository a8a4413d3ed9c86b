"""The calls on reactions, as they are declared."""

import pytest
from pydantic import ValidationError

from groups.kernel.endpoint import Endpoint, endpoints_of
from groups.kernel.ids import UserId
from groups.kernel.paging import PageQuery
from groups.routes.responses.tallies import TallyResponse
from reactions.routes import ReactionRoutes, ReactorResponse
from tests.reactions.scene import ADA, BOB, HEART, THUMB, Scene

ONE = "/v1/groups/{group_id}/messages/{seq}/reactions/{emoji}"
ALL = "/v1/groups/{group_id}/messages/{seq}/reactions"


@pytest.fixture
def scene() -> Scene:
    return Scene.in_memory()


@pytest.fixture
def calls(scene: Scene) -> dict[tuple[str, str], Endpoint]:
    endpoints = endpoints_of(ReactionRoutes(reactions=scene.reactions, users=scene.users))
    return {(each.spec.method, each.spec.path): each for each in endpoints}


EndpointHandlers = dict[tuple[str, str], Endpoint]


async def test_reacting_and_taking_back_return_the_tally(
    scene: Scene, calls: EndpointHandlers
) -> None:
    group_id = await scene.a_group()
    reacted = await calls["PUT", ONE].handler(ADA, group_id, 1, THUMB)
    tally = TallyResponse.model_validate_json(reacted.json)
    assert tally == TallyResponse(counts={THUMB: 1}, total=1, mine=(THUMB,))
    assert await calls["GET", ALL].handler(ADA, group_id, 1) == tally
    unreacted = await calls["DELETE", ONE].handler(ADA, group_id, 1, THUMB)
    assert TallyResponse.model_validate_json(unreacted.json) == TallyResponse()


async def test_reactors_are_shown_with_names(scene: Scene, calls: EndpointHandlers) -> None:
    group_id = await scene.a_group()
    await scene.users.update(ADA, {"name": "Ada"})
    for who in (ADA, BOB):
        await scene.reactions.react(who, group_id, 1, THUMB)
    page = await calls["GET", ONE].handler(BOB, group_id, 1, THUMB, PageQuery(limit=1))
    at = scene.clock.now()
    assert page.items == [
        ReactorResponse(user_id=UserId("ada"), name="Ada", face_url="", reacted_at=at)
    ]
    rest = PageQuery(limit=1, cursor=page.next_cursor)
    page = await calls["GET", ONE].handler(BOB, group_id, 1, THUMB, rest)
    assert page.items == [
        ReactorResponse(user_id=UserId("bob"), name="", face_url="", reacted_at=at)
    ]
    assert page.next_cursor is None


@pytest.mark.parametrize("call", [("PUT", ONE), ("DELETE", ONE), ("GET", ONE)])
@pytest.mark.parametrize(
    "text", ["", "x", "tea", ":)", THUMB + THUMB, THUMB + " ", "\u200d", "🏽", "a" * 999]
)
def test_every_call_refuses_text_that_is_not_one_emoji(
    calls: EndpointHandlers, call: tuple[str, str], text: str
) -> None:
    emoji = calls[call].path["emoji"]
    assert emoji.validate_python("\u2764") == HEART
    with pytest.raises(ValidationError) as refused:
        emoji.validate_python(text)
    assert [error["type"] for error in refused.value.errors()] == ["bad_emoji"]
