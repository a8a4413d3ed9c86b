"""Reserved words: no literal of a path, and no name of the program's own, can be a user's id."""

import importlib
import pkgutil
from itertools import permutations
from typing import Any, Final

import jwt
import pytest

import channels
import conversations
import groups
import reactions
from conversations.models import RESERVED_NAMES
from groups.kernel.actor import Actor
from groups.kernel.ids import RESERVED_USER_IDS, is_user_id
from tests.api import AS_LINES, SECRET, Api, a_channel, a_chat_group, a_post, id_of, part

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVALID: Final = (400, "invalid_request")
RESERVED: Final = sorted(RESERVED_USER_IDS)

NO_IDS: Final = frozenset(
    {"seq", "asset", "feed", "part", "digest", "folder", "page", "broadcast_id"}
)
"""Parameters that name nobody: numbers, long ids that the server makes, and pages and files of the program's own."""


def competing(paths: list[str]) -> set[tuple[str, str]]:
    """Each literal of a path that stands where another path, of the same shape otherwise, has a parameter."""
    found: set[tuple[str, str]] = set()
    split = [path.split("/") for path in dict.fromkeys(paths)]
    for one, other in permutations(split, 2):
        pairs = list(zip(one, other, strict=False))
        if len(one) == len(other) and all(a == b or "{" in a + b for a, b in pairs):
            found |= {(b[1:-1], a) for a, b in pairs if "{" in b and "{" not in a}
    return found


async def test_a_literal_competes_with_a_parameter_in_its_place() -> None:
    paths = ["/users/{user_id}", "/users/me", "/users/me/tokens", "/{kind}/list", "/groups/{id}"]
    assert competing(paths) == {
        ("user_id", "me"),
        ("user_id", "list"),
        ("id", "list"),
        ("kind", "users"),
        ("kind", "groups"),
    }


async def test_every_literal_that_competes_with_an_id_is_reserved(shared_api: Api) -> None:
    found = competing([route.path for route in shared_api.app.router.routes()])
    assert ("user_id", "me") in found
    reserved = {"user_id": RESERVED_USER_IDS, "peer_id": RESERVED_USER_IDS, "name": RESERVED_NAMES}
    for parameter, literal in found:
        if literal == "":  # a path that ends with a slash; no id is empty
            continue
        if parameter in NO_IDS:
            # A number is written in digits.
            assert parameter != "seq" or not literal.isdigit()
        else:
            assert literal in reserved.get(parameter, ()), (parameter, literal)


async def test_every_name_in_which_the_program_acts_is_reserved() -> None:
    acting = {
        value.user_id
        for package in (groups, conversations, reactions, channels)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__") and ".bench" not in module.name
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, Actor) and value.is_app_admin
    }
    assert len(acting) == 6
    assert acting <= RESERVED_USER_IDS


@pytest.mark.parametrize("word", RESERVED)
async def test_no_token_is_a_reserved_word_s(shared_api: Api, word: str) -> None:
    claims = {"sub": word, "exp": 9_999_999_999, "scope": "admin"}
    refused = await shared_api.bearer(jwt.encode(claims, SECRET)).get("/v1/users/me")
    assert refused.refusal == (401, "unauthenticated")
    assert "reserved word" in refused.body["detail"]


@pytest.mark.parametrize("word", RESERVED)
async def test_no_path_and_no_body_names_a_reserved_word(shared_api: Api, word: str) -> None:
    ada, app = shared_api.new_user("ada"), shared_api.new_user("app", admin=True)
    path, group = await a_channel(ada), await a_chat_group(ada)
    for spelled in (word, f"%{ord(word[0]):02x}{word[1:]}"):
        for call in (
            f"{path}/subscribers/{spelled}",
            f"{path}/admins/{spelled}",
            f"{path}/reaction-bans/{spelled}",
            f"{path}/comment-bans/{spelled}",
            f"/v1/blocks/{spelled}",
        ):
            assert (await app.put(call)).refusal == INVALID, call
        for call in (
            f"{path}/subscribers/{spelled}?ban=true",
            f"{path}/admins/{spelled}",
            f"{path}/bans/{spelled}",
            f"{group}/bans/{spelled}",
            f"{path}/invitations/{spelled}",
        ):
            assert (await app.delete(call)).refusal == INVALID, call
        answered = await app.post(f"{group}/join-requests/{spelled}", {"approve": True})
        assert answered.refusal == INVALID
        written = await ada.post(f"{path}/inbox/{spelled}/messages", {"kind": "text", "text": "Hi"})
        assert written.refusal == INVALID
    for call in (f"{path}/owner", f"{path}/invitations", f"{group}/owner"):
        refused = await app.post(call, {"user_id": word})
        assert refused.refusal == INVALID
        assert "reserved word" in refused.text
    said = await ada.post(f"/v1/conversations/c2c_{word}/messages", {"kind": "text", "text": "Hi"})
    assert said.refusal == (404, "conversation_not_found")
    assert (await app.get(path)).body["subscriber_count"] == 1


async def test_an_import_takes_no_reserved_word(shared_api: Api) -> None:
    ada, app = shared_api.new_user("ada"), shared_api.new_user("app", admin=True)
    path, fan = await a_channel(ada), shared_api.new_user("fan")
    lines = "\n".join(f'{{"user_id": "{user_id}"}}' for user_id in (*RESERVED, fan.id))
    answer = await app.call("POST", f"{path}/subscribers", data=lines, headers=AS_LINES)
    results = [result for line in answer.lines for result in line["results"]]
    refused = [result for result in results if result["result"] == "invalid_request"]
    assert [result["line"] for result in refused] == list(range(1, len(RESERVED) + 1))
    assert all("reserved word" in result["detail"] for result in refused)
    assert results[len(RESERVED) :] == [{"user_id": fan.id, "result": "added"}]


async def test_me_is_the_caller_and_an_id_ends_sessions_of_others(
    shared_api: Api,
) -> None:
    ada, app = shared_api.new_user("ada"), shared_api.new_user("app", admin=True)
    group = await a_chat_group(ada)
    assert (await ada.get(f"{group}/members/me")).body["user_id"] == ada.id
    changed = await ada.patch(f"{group}/members/me", {"name_card": "A."})
    assert changed.body["user_id"] == ada.id
    assert (await app.delete(f"/v1/users/{part(ada.id)}/tokens")).status == 204
    assert (await app.get("/v1/users/me")).status == 200
    assert (await ada.get("/v1/users/me")).refusal == (401, "unauthenticated")


async def test_data_of_a_user_with_a_reserved_id_is_still_shown(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob, settings={"accept_messages": "everyone"})
    said = await bob.post(
        f"/v1/conversations/c2c_{part(id_of(path))}/messages", {"kind": "text", "text": "Hi"}
    )
    assert said.status == 201
    await a_post(ada, path)
    await _rename(shared_api, bob.id, "me")
    assert {item["user_id"] for item in (await ada.get(f"{path}/subscribers")).items} == {
        ada.id,
        "me",
    }
    assert (await ada.get(f"{path}/inbox")).items[0]["user_id"] == "me"
    (message,) = (await ada.get(f"{path}/inbox/me/messages")).items
    assert message["text"] == "Hi"
    assert (await ada.get("/v1/users?ids=me")).items[0]["user_id"] == "me"


async def _rename(api: Api, before: str, after: str) -> None:
    """Have what is stored of a user be another's, as if an older version had taken him."""
    database = api.services.database
    for name in ("members", "threads", "streams", "messages"):
        collection = database.collection(name)
        for row in await collection.find({}).to_list(None):
            renamed = _with(row, before, after)
            if renamed != row:
                await collection.delete_one({"_id": row["_id"]})
                await collection.insert_one(renamed)


def _with(value: Any, before: str, after: str) -> Any:
    match value:
        case dict():
            return {key: _with(each, before, after) for key, each in value.items()}
        case list():
            return [_with(each, before, after) for each in value]
        case str():
            return value.replace(before, after)
        case _:
            return value


@pytest.mark.parametrize("text", ["Me", "ME", "me ", "m\u0435", "me2", "channels"])
async def test_an_id_that_resembles_a_reserved_word_is_valid(text: str) -> None:
    assert is_user_id(text) is (text == text.strip())
