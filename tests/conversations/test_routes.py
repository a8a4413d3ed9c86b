"""The endpoints: their paths, the bodies and names that they refuse, and their responses."""

from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from conversations.limits import ConversationLimits
from conversations.models import ConversationId
from conversations.routes.conversation_groups import ConversationGroupRoutes
from conversations.routes.conversations import (
    ConversationQuery,
    ConversationRoutes,
    UnreadQuery,
)
from conversations.routes.rendering import ConversationRendering
from conversations.routes.responses import (
    AddConversations,
    ChangeConversationGroup,
    ConversationGroupName,
    ReadScopeBody,
    ReadUpTo,
    RenameConversationGroup,
    UpdateConversation,
)
from groups.kernel.endpoint import Body, Rendered, endpoints_of
from groups.kernel.text.bounded import LIMITS
from tests.conversations.world import ADA, BOB, World

AnyJson = dict[str, Any]


def routes(world: World) -> tuple[ConversationRoutes, ConversationGroupRoutes]:
    mine = world.mine
    return (
        ConversationRoutes(
            conversation_list=mine.conversation_list,
            read_cursors=mine.read_cursors,
            settings=mine.settings,
            dialogues=mine.dialogues,
            rendering=ConversationRendering(),
        ),
        ConversationGroupRoutes(
            groups=mine.conversation_groups, conversation_list=mine.conversation_list
        ),
    )


def as_json(view: Any) -> AnyJson:
    if isinstance(view, Rendered):
        page: AnyJson = orjson.loads(view.json)
        return page
    shown: AnyJson = view.model_dump(mode="json")
    return shown


async def test_all_endpoints_of_the_design_are_declared(world: World) -> None:
    declared = [e for room in routes(world) for e in endpoints_of(room)]
    assert {f"{e.spec.method} {e.spec.path}" for e in declared} == {
        "GET /v1/conversations",
        "GET /v1/conversations/{conversation_id}",
        "PATCH /v1/conversations/{conversation_id}",
        "DELETE /v1/conversations/{conversation_id}",
        "POST /v1/conversations/{conversation_id}/read",
        "GET /v1/unread",
        "POST /v1/read",
        "GET /v1/conversation-groups",
        "PUT /v1/conversation-groups/{name}",
        "PATCH /v1/conversation-groups/{name}",
        "DELETE /v1/conversation-groups/{name}",
        "POST /v1/conversation-groups/{name}/conversations",
    }
    assert {e.tag for e in declared} == {"Conversations", "Conversation groups"}
    assert all(e.needs_actor for e in declared)


async def test_a_conversation_is_returned_in_full(world: World) -> None:
    calls, _ = routes(world)
    news = await world.group("news", BOB, is_channel=True)
    tea = await world.group("tea", BOB)
    await world.post(tea)
    await world.post(news)
    page = await calls.list_conversations(BOB, ConversationQuery())
    first, second = as_json(page)["items"]
    assert first == {
        "conversation_id": news,
        "type": "group",
        "group_id": "@TGS#_news",
        "peer_id": None,
        "title": "news",
        "face_url": "",
        "unread_count": 1,
        "read_seq": 0,
        "head_seq": 1,
        "version": 0,
        "last_message": {
            "seq": 1,
            "sender_id": None,
            "preview": "hello 0",
            "kind": "text",
            "recalled": False,
            "at": first["last_message"]["at"],
        },
        "muted": False,
        "muted_until": None,
        "notifications": "all",
        "accept": True,
        "pinned_at": None,
        "hidden": False,
        "draft": "",
        "custom_data": "",
        "conversation_groups": [],
        "is_channel": True,
        "verified": False,
    }
    assert first["last_message"]["at"].endswith(".000Z")
    assert second["last_message"]["sender_id"] == "ada"
    one = await calls.get_conversation(BOB, news)
    assert as_json(one) == first


async def test_an_update_returns_the_conversation_and_a_read_the_cursor(world: World) -> None:
    calls, _ = routes(world)
    tea = await world.group("tea", BOB)
    await world.post(tea, times=4)
    changed = await calls.update(BOB, tea, UpdateConversation(pinned=True, draft="Dear"))
    assert (changed.draft, changed.muted) == ("Dear", False)
    assert changed.pinned_at is not None
    mark = await calls.read(BOB, tea, ReadUpTo(seq=3))
    assert as_json(mark) == {"conversation_id": tea, "read_seq": 3, "unread_count": 1}
    assert (await calls.unread(BOB, UnreadQuery())).total == 1
    assert (await calls.read(BOB, tea, None)).unread_count == 0
    await world.post(tea)
    left = await calls.read_all(BOB, ReadScopeBody(scope="all"))
    assert as_json(left) == {"total": 0, "channels": 0, "chats": 0, "conversation_groups": {}}
    await calls.remove(BOB, tea)
    assert as_json(await calls.list_conversations(BOB, ConversationQuery()))["items"] == []


async def test_conversation_groups_are_returned_with_results(world: World) -> None:
    _, groups = routes(world)
    tea = await world.group("tea", BOB)
    await world.post(tea)
    body = AddConversations(conversation_ids=(tea, "c2c_ada"))
    made = await groups.put_group(BOB, "Mine", body)
    assert made.status == 201
    assert as_json(made.body) == {
        "name": "Mine",
        "unread_count": 1,
        "conversation_count": 1,
        "built_in": False,
        "results": [
            {"conversation_id": tea, "ok": True, "error": None},
            {
                "conversation_id": "c2c_ada",
                "ok": False,
                "error": {"code": "conversation_not_found", "detail": "No such conversation"},
            },
        ],
    }
    assert (await groups.put_group(BOB, "Mine", None)).status == 200
    renamed = await groups.rename(BOB, "Mine", RenameConversationGroup(name="Ours"))
    assert renamed.name == "Ours"
    taken = await groups.change(BOB, "Ours", ChangeConversationGroup(remove=(tea,)))
    assert taken.conversation_count == 0
    names = [item["name"] for item in as_json(await groups.list_groups(BOB))["items"]]
    assert names == ["channels", "chats", "Ours"]
    await groups.delete_group(BOB, "Ours")
    assert len((await groups.list_groups(BOB)).items) == 2
    assert len((await groups.list_groups(ADA)).items) == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (UpdateConversation, {"colour": "red"}),
        (UpdateConversation, {"muted": None}),
        (UpdateConversation, {"draft": None}),
        (UpdateConversation, {"draft": "x" * 12_289}),
        (UpdateConversation, {"custom_data": "é" * 129}),
        (UpdateConversation, {"draft": "\ud800"}),
        (ReadUpTo, {"seq": -1}),
        (ReadUpTo, {"seq": 2**53}),
        (ReadUpTo, {"until": 3}),
        (ReadScopeBody, {}),
        (ReadScopeBody, {"scope": ""}),
        (AddConversations, {"conversation_ids": ["\n"]}),
        (AddConversations, {"ids": []}),
        (ChangeConversationGroup, {"add": ["group_a"], "remove": ["group_a"]}),
        (RenameConversationGroup, {"name": ".."}),
        (RenameConversationGroup, {}),
    ],
)
def test_an_invalid_body_is_refused(kind: type[Body], body: AnyJson) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(body)


@pytest.mark.parametrize("name", ["", " ", "a\x1fb", "\ud800", ".", "x" * 33, "é" * 16 + "x"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ConversationGroupName).validate_python(name)


def test_a_name_is_limited_in_bytes_and_the_limit_can_be_set() -> None:
    adapter: TypeAdapter[str] = TypeAdapter(ConversationGroupName)
    assert adapter.validate_python("é" * 16) == "é" * 16
    limits = {LIMITS: ConversationLimits(conversation_group_name_bytes=40)}
    assert adapter.validate_python("x" * 40, context=limits) == "x" * 40


def test_the_empty_group_name_is_a_filter_of_its_own() -> None:
    query = ConversationQuery.model_validate({"conversation_group": "", "unread": "true"})
    assert (query.conversation_group, query.unread) == ("", True)
    assert ConversationId("") == ""
