"""Control characters are refused in every text of every call, by the field's name; older stored ones are shown."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import pytest_asyncio

from channels.server.app import endpoints_for
from channels.server.web.openapi import document
from groups.kernel.ids import GroupId
from groups.models import stream_of
from tests.api import (
    Answer,
    Api,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    id_of,
    part,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT: Final = {"kind": "text", "text": "Hello"}
LINK: Final = {"title": "Tea", "url": "https://example.org/tea"}
PLACE: Final = {"latitude": 1.0, "longitude": 2.0}
NAMED: Final = {"name": "Tea"}
GROUP: Final = {"type": "community", "name": "Tea"}

# The call, as in `paths_of`, the body with BAD where the text is, and the field that the refusal names.
BAD: Final = "a\x01b"
MESSAGES: Final[list[tuple[dict[str, Any], str]]] = [
    ({"kind": "text", "text": BAD}, "text"),
    ({**TEXT, "title": BAD}, "title"),
    ({**TEXT, "links": [{**LINK, "title": BAD}]}, "links.0.title"),
    ({**TEXT, "links": [{**LINK, "url": f"https://example.org/{BAD}"}]}, "links.0.url"),
    ({"kind": "location", "location": {**PLACE, "name": BAD}}, "location.name"),
    ({"kind": "location", "location": {**PLACE, "address": BAD}}, "location.address"),
    ({"kind": "custom", "custom": {"a": [{"b": BAD}]}}, "body.custom"),
    ({**TEXT, "custom": [{BAD: 1}]}, "body.custom"),
]
OTHERS: Final[list[tuple[str, str, dict[str, Any], str]]] = [
    *(("POST", "/v1/channels", {**NAMED, field: BAD}, field) for field in ("organization", "introduction")),
    ("POST", "/v1/channels", {"name": BAD}, "name"),
    ("POST", "/v1/channels", {**NAMED, "custom_data": BAD}, "custom_data"),
    ("POST", "/v1/channels", {**NAMED, "face_url": f"https://example.org/{BAD}"}, "face_url"),
    *(("PATCH", "CHANNEL", {field: BAD}, field) for field in ("name", "organization", "introduction")),
    ("PATCH", "CHANNEL", {"custom_data": BAD}, "custom_data"),
    *(("POST", "/v1/groups", {**GROUP, field: BAD}, field) for field in ("name", "introduction")),
    ("POST", "/v1/groups", {**GROUP, "notification": BAD}, "notification"),
    ("POST", "/v1/groups", {**GROUP, "custom": {"k": BAD}}, "custom.k"),
    *(("PATCH", "GROUP", {field: BAD}, field) for field in ("name", "introduction", "notification")),
    ("PATCH", "GROUP", {"custom": {"k": BAD}}, "custom.k"),
    ("PUT", "GROUP/members/me", {"text": BAD}, "text"),
    ("PATCH", "GROUP/members/bob", {"name_card": BAD}, "name_card"),
    ("PATCH", "/v1/users/me", {"name": BAD}, "name"),
    ("PATCH", "CONVERSATION", {"draft": BAD}, "draft"),
    ("PATCH", "CONVERSATION", {"custom_data": BAD}, "custom_data"),
    ("PATCH", "/v1/conversation-groups/News", {"name": BAD}, "name"),
    ("PUT", f"/v1/conversation-groups/{part(BAD)}", {}, "name"),
]  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def places(shared_api: Api) -> dict[str, str]:
    owner = shared_api.new_user("owner")
    channel, group = await a_channel(owner), await a_chat_group(owner)
    await owner.put("/v1/conversation-groups/News")
    return {
        "OWNER": owner.id,
        "CHANNEL": channel,
        "GROUP": group,
        "CONVERSATION": f"/v1/conversations/{part(conversation_of(group))}",
    }


async def refused(
    owner: User, places: dict[str, str], method: str, path: str, body: object, field: str
) -> None:
    for name, place in places.items():
        path = path.replace(name, place)
    answer = await owner.call(method, path, body)
    assert answer.refusal == (400, "invalid_request"), answer
    [problem] = answer.body["details"]["errors"]
    assert problem["field"] == field, answer
    assert "control characters" in problem["reason"], answer


@pytest.mark.parametrize(("method", "path", "body", "field"), OTHERS)
async def test_they_are_refused_in_names_and_profiles(
    shared_api: Api, places: dict[str, str], method: str, path: str, body: object, field: str
) -> None:
    owner = shared_api.user_of(places["OWNER"])
    await refused(owner, places, method, path, body, field)


@pytest.mark.parametrize(("body", "field"), MESSAGES)
async def test_they_are_refused_in_whatever_is_written(
    shared_api: Api, places: dict[str, str], body: object, field: str
) -> None:
    owner = shared_api.user_of(places["OWNER"])
    await a_post(owner, places["CHANNEL"])
    for path in ("CHANNEL/posts", "CHANNEL/posts/preview", "GROUP/messages"):
        await refused(owner, places, "POST", path, body, field)
    await refused(owner, places, "POST", "/v1/conversations/c2c_bob/messages", body, field)
    await refused(owner, places, "PATCH", "CHANNEL/posts/1", body, field)
    inside = field if field == "body.custom" else f"post.{field}"
    await refused(owner, places, "POST", "CHANNEL/drafts", {"post": body}, inside)


async def test_lines_and_tabs_are_kept_and_carriage_returns_become_line_ends(
    shared_api: Api, places: dict[str, str]
) -> None:
    owner = shared_api.user_of(places["OWNER"])
    said = {"kind": "text", "text": "one\r\n\ttwo\nthree", "custom": {"a": "b\r\nc"}}
    posted = await owner.post(f"{places['CHANNEL']}/posts", said)
    assert posted.status == 201, posted
    assert (posted.body["text"], posted.body["custom"]) == ("one\n\ttwo\nthree", {"a": "b\nc"})


async def test_a_text_that_was_stored_before_they_were_refused_is_shown(shared_api: Api) -> None:
    owner = shared_api.new_user()
    channel = await a_channel(owner)
    await a_post(owner, channel)
    old = "\x01\x7f\x85 before"
    database = shared_api.services.database
    of_channel = {"stream_id": stream_of(GroupId(id_of(channel)))}
    await database.collection("messages").update_one(of_channel, {"$set": {"content.text": old}})
    await database.collection("groups").update_one(
        {"_id": id_of(channel)}, {"$set": {"introduction": old}}
    )
    page = await owner.get(f"{channel}/posts")
    assert [post["text"] for post in page.items] == [old]
    assert (await owner.get(f"{channel}/posts/1")).body["text"] == old
    assert (await owner.get(channel)).body["introduction"] == old


def strings(spec: dict[str, Any], part_of: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a string in a request, with its place."""
    if isinstance(part_of, list):
        for inner in part_of:
            yield from strings(spec, inner, place)
    if not isinstance(part_of, dict):
        return
    if "$ref" in part_of:
        name = part_of["$ref"].rpartition("/")[2]
        yield from strings(spec, spec["components"]["schemas"][name], f"{place}>{name}")
        return
    if part_of.get("type") == "string":
        yield place, part_of
    for key in ("anyOf", "oneOf", "items", "prefixItems", "additionalProperties", "schema"):
        yield from strings(spec, part_of.get(key), place)
    for name, inner in part_of.get("properties", {}).items():
        yield from strings(spec, inner, f"{place}.{name}")


EMOJI_ONLY: Final = "SettingsBody.reactions", "UpdateGroup.reactions"
"""Lists of emoji, each of which is checked as one."""


async def test_no_text_of_any_body_takes_a_nul(shared_api: Api) -> None:
    spec = document(endpoints_for(shared_api.services))
    taken, seen = set(), 0
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for place, schema in strings(spec, content, f"{method} {path} body"):
                    seen += 1
                    is_bound = "enum" in schema or "const" in schema or "format" in schema
                    pattern = schema.get("pattern")
                    if not is_bound and (pattern is None or re.search(pattern, "a\x00b")):
                        taken.add(place)
    assert seen > 100
    assert {place for place in taken if not place.endswith(EMOJI_ONLY)} == set()


def any_found(answer: Answer) -> bool:
    return any("error" not in item for item in answer.items)


async def test_a_nul_in_a_search_finds_nothing_or_is_refused(shared_api: Api) -> None:
    owner = shared_api.new_user()
    channel, group = await a_channel(owner), await a_chat_group(owner)
    for path in (
        f"{channel}/subscribers?q=a%00",
        f"{group}/members?q=a%00",
        f"{channel}/admin-log?actor_id=a%00",
        "/v1/users?ids=a%00",
        "/v1/channels?ids=a%00",
        "/v1/channels?q=a%00",
        "/v1/conversations?conversation_group=a%00",
    ):
        answer = await owner.get(path)
        found_nothing = answer.status == 404 or (answer.status == 200 and not any_found(answer))
        assert found_nothing or answer.refusal == (400, "invalid_request"), answer
