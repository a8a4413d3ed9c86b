"""The API's description: it is valid, complete, and what it says of requests and answers is true."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from channels.event_views.public import PUBLIC_EVENT_TYPES
from channels.server.app import endpoints_for
from channels.server.realtime.close_codes import CloseCode
from channels.server.web.openapi import document
from channels.server.web.pages.static import FILES, PAGES
from channels.server.web.problems import status_of
from groups.kernel.clock import rfc3339
from groups.kernel.errors import DomainError
from groups.kernel.paging import encode_cursor
from groups.kernel.text.emoji import EMOJI
from tests.api import (
    AS_LINES,
    Answer,
    Api,
    Declared,
    User,
    a_channel,
    a_chat_group,
    a_post,
    conversation_of,
    group_path,
    id_of,
    part,
    undescribed,
)
from tests.channels.test_link_previews import a_known_page

pytestmark = pytest.mark.asyncio(loop_scope="module")

Spec = dict[str, Any]
LIKE: Final = part("👍")


@pytest.fixture(scope="module")
def spec(shared_api: Api) -> Spec:
    return document(endpoints_for(shared_api.services))


def operations(spec: Spec) -> Iterator[tuple[str, str, Spec]]:
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def validator(spec: Spec, schema: Spec) -> Draft202012Validator:
    """A validator for a schema of the document, which finds the others by reference."""
    resource = DRAFT202012.create_resource(spec)
    registry: Registry[Any] = Registry().with_resource("urn:spec", resource)

    def rooted(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"urn:spec{inner}" if key == "$ref" else rooted(inner)
                for key, inner in value.items()
            }
        return [rooted(inner) for inner in value] if isinstance(value, list) else value

    return Draft202012Validator(rooted(schema), registry=registry)


async def test_it_is_served_to_everyone(shared_api: Api, spec: Spec) -> None:
    for _ in range(2):  # made for the first who asks, and kept
        answer = await shared_api.bearer(None).get("/openapi.json")
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.body == spec


async def test_it_is_valid_openapi_3_1(spec: Spec) -> None:
    assert spec["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(spec).iter_errors()] == []


async def test_it_holds_every_route_of_the_application(shared_api: Api, spec: Spec) -> None:
    about_the_server = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json"}
    served = {(route.method, route.path) for route in shared_api.app.router.routes()}
    api = {
        (method, path)
        for method, path in served
        if not path.startswith(("/docs", "/assets/", "/c/", "/i/", "/l/", "/sdk/"))
        and path not in {*about_the_server, *PAGES, *FILES, "/v1/socket"}
    }
    assert {(method, path) for method, path, _ in operations(spec)} == api


async def test_every_operation_has_an_id_of_its_own_a_summary_and_a_tag(spec: Spec) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(spec)]
    assert len(ids) == len(set(ids))
    for _, path, operation in operations(spec):
        assert operation["summary"], path
        assert operation["tags"][0] in {tag["name"] for tag in spec["tags"]}


async def test_the_socket_and_its_close_codes_are_described(spec: Spec) -> None:
    told = spec["info"]["description"]
    assert "/v1/socket" in told
    for code in CloseCode:
        assert f"{code.value} {code.name.lower()}" in told


async def test_each_event_of_back_ends_is_a_webhook_whose_examples_fit(spec: Spec) -> None:
    assert list(spec["webhooks"]) == list(PUBLIC_EVENT_TYPES)
    ids = {operation["operationId"] for _, _, operation in operations(spec)}
    for name, item in spec["webhooks"].items():
        assert item["post"]["operationId"] not in ids
        content = item["post"]["requestBody"]["content"]["application/json"]
        # Fields may be added later. Now there are none that the schema does not have.
        exact = {**resolved(spec, content["schema"]), "additionalProperties": False}
        fits = validator(spec, exact)
        assert content["examples"]
        for example in content["examples"].values():
            event = example["value"]
            assert event["type"] == name
            assert [error.message for error in fits.iter_errors(event)] == []
            assert undescribed(event) == []
            for field in ("event_id", "type", "at", "stream_id"):
                without = {key: value for key, value in event.items() if key != field}
                assert not fits.is_valid(without), f"{field} may be left out"
            for field in exact["properties"].keys() - event.keys():
                assert not fits.is_valid({**event, field: None}), f"{field} may be null"


def examples(part: Any, place: str = "") -> Iterator[tuple[str, Spec, Any]]:
    """Every example of the document: its place, its schema, and the value."""
    if isinstance(part, dict):
        schema = part.get("schema", part)
        values = part["examples"] if isinstance(part.get("examples"), list) else []
        for value in [*values, *([part["example"]] if "example" in part else [])]:
            yield place, {key: one for key, one in schema.items() if key != "examples"}, value
        if "default" in part:
            yield f"{place}.default", part, part["default"]
        for name, inner in part.items():
            if name not in {"examples", "example", "default"}:
                yield from examples(inner, f"{place}.{name}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from examples(inner, f"{place}.{number}")


async def test_every_example_and_default_fits_its_own_schema(spec: Spec) -> None:
    wrong, seen = [], 0
    for place, schema, value in examples(spec):
        faults = [error.message for error in validator(spec, schema).iter_errors(value)]
        wrong += [f"{place}: {fault}" for fault in faults]
        seen += not place.endswith(".default")
    assert not wrong, "\n".join(wrong)
    assert seen > 50, "they were not found"


def resolved(spec: Spec, schema: Spec) -> Spec:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        found = spec["components"]["schemas"][name]
        assert isinstance(found, dict)
        return found
    return schema


def kinds() -> dict[str, type[DomainError]]:
    """The domain errors by code."""

    def below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
        for inner in kind.__subclasses__():
            yield inner
            yield from below(inner)

    return {kind.code: kind for kind in below(DomainError) if "code" in vars(kind)}


async def test_every_body_has_an_example_that_is_a_good_request(
    shared_api: Api, spec: Spec
) -> None:
    with_body = [e for e in endpoints_for(shared_api.services) if e.body or e.line]
    assert with_body
    for endpoint in with_body:
        body = endpoint.body or endpoint.line
        assert body is not None
        operation = spec["paths"][endpoint.spec.path][endpoint.spec.method.lower()]
        content, *_ = operation["requestBody"]["content"].values()
        schema = content["schema"]
        examples = resolved(spec, schema).get("examples", [])
        assert examples, endpoint.spec
        for example in examples:
            assert not list(validator(spec, schema).iter_errors(example)), (endpoint.spec, example)
            body.model_validate(example)


def strings_in(schema: Any) -> Iterator[Spec]:
    """The schemas of free text below this one, and in what it refers to by name is looked up elsewhere."""
    match schema:
        case {"type": "string"} if not schema.keys() & {"enum", "const", "format"}:
            yield schema
        case dict():
            for name, inner in schema.items():
                if name not in {"examples", "discriminator"}:
                    yield from strings_in(inner)
        case list():
            for inner in schema:
                yield from strings_in(inner)


async def test_every_text_field_declares_its_control_characters(
    shared_api: Api, spec: Spec
) -> None:
    bodies = {
        body.__name__: body.model_json_schema()
        for endpoint in endpoints_for(shared_api.services)
        if (body := endpoint.body or endpoint.line) is not None
    }
    assert len(bodies) > 10
    for name, schema in bodies.items():
        for text in strings_in(schema):
            if EMOJI in text:
                continue  # emoji are a list, none of which holds any
            assert "pattern" in text, (name, text)
            for control in ("\x00", "\x01", "\x1b", "\x7f", "\x85"):
                assert re.search(text["pattern"], f"a{control}b") is None, (name, text)


def codes_of(operation: Spec, status: int) -> set[str]:
    response = operation["responses"].get(str(status), {})
    return set(re.findall(r"`([a-z_]+)`:", response.get("description", "")))


async def test_documented_codes_exist_under_their_status(spec: Spec) -> None:
    known = kinds()
    for method, path, operation in operations(spec):
        for status in operation["responses"]:
            for code in codes_of(operation, int(status)):
                assert code in known, (method, path, code)
                assert status_of(known[code]) == int(status)


async def test_an_undeclared_error_code_fails_its_test(
    shared_api: Api,
) -> None:
    ada = shared_api.new_user("ada")
    absent = await ada.get("/v1/channels/none")
    assert absent.refusal == (404, "channel_not_found")
    declared = Declared(shared_api.services, shared_api.app)
    declared.check(absent)
    with pytest.raises(AssertionError, match="and does not declare it"):
        declared.check(replace(absent, path="/v1/unread"))


async def test_every_example_of_a_path_parameter_is_there(spec: Spec) -> None:
    for _, path, operation in operations(spec):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                assert parameter["required"] is True
                assert "{" + parameter["name"] + "}" in path


# --- what is answered is what is described ---------------------------------------------------------------------------

EVERYWHERE: Final = {"method_not_allowed", "route_not_found", "body_too_large"}
"""Refusals of the server itself, before any call."""


async def test_whatever_is_answered_is_as_described(shared_api: Api, spec: Spec) -> None:
    answers: list[tuple[str, Answer]] = []
    router = [
        (method, path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"))
        for method, path, _ in operations(spec)
    ]

    def route_of(answer: Answer) -> str:
        path = answer.path.partition("?")[0]
        fitting = [p for m, p, form in router if m == answer.method and form.match(path)]
        return min(fitting, key=lambda p: p.count("{"))

    def note(answer: Answer) -> None:
        answers.append((route_of(answer), answer))

    shared_api.on_answer.append(note)
    try:
        await a_flow(shared_api)
    finally:
        shared_api.on_answer.remove(note)
    assert len(answers) > 60
    for path, answer in answers:
        operation = spec["paths"][path][answer.method.lower()]
        status = str(answer.status)
        assert status in operation["responses"], (path, answer)
        if answer.status >= 400:
            assert answer.refusal[1] in codes_of(operation, answer.status), (path, answer)
        response = operation["responses"][status]
        if answer.status == 204:
            assert answer.text == ""
            continue
        content = response["content"]
        if "*/*" in content:
            continue  # bytes
        media_type = answer.headers["Content-Type"].partition(";")[0]
        assert media_type in content, (path, answer)
        if media_type == "text/csv":
            continue
        schema = content[media_type]["schema"]
        told = answer.lines if media_type == "application/x-ndjson" else [answer.body]
        for body in told:
            errors = [e.message for e in validator(spec, schema).iter_errors(body)]
            assert errors == [], (path, answer)
            assert_told_in_full(spec, schema, answer, body)
    succeeded = {(answer.method, path) for path, answer in answers if answer.status < 300}
    assert {(method, path) for method, path, _ in operations(spec)} - succeeded == set()


def assert_told_in_full(spec: Spec, schema: Spec, answer: Answer, body: Any) -> None:
    """No field is answered that the description does not know."""
    properties = resolved(spec, schema).get("properties")
    if answer.status < 300 and properties is not None:
        assert set(body) == set(properties), answer


async def a_flow_of_invite_links(api: Api, path: str, ada: User, bob: User) -> None:
    """Invite links and join requests of a channel, or of a chat group."""
    hal, ivy, jon = (api.new_user(name) for name in ("hal", "ivy", "jon"))
    link = (await ada.post(f"{path}/invite-links", {"approval": True})).body
    at, mine = f"{path}/invite-links/{link['code']}", f"/v1/invite-links/{link['code']}"
    await bob.get(f"{path}/invite-links")
    await ada.get(f"{path}/invite-links?state=open")
    await ada.get(at)
    await ada.patch(at, {"max_uses": 5})
    for user in (hal, ivy, jon):
        await user.get(mine)
        await user.post(f"{mine}/join", {"text": "May I?"})
    await hal.get("/v1/join-requests")
    await ada.get(f"{path}/join-requests")
    await ada.post(f"{path}/join-requests/{hal.id}", {"approve": True})
    await ada.post(f"{path}/join-requests", {"user_ids": [ivy.id], "approve": False})
    await jon.delete(f"{path}/join-requests/me")
    await ada.patch(at, {"approval": False})
    await ivy.post(f"{mine}/join")
    await ada.delete(at)
    await ivy.get(mine)


async def a_flow_of_running(api: Api, channel: str, ada: User, bob: User, cat: User) -> None:
    """Admins, invitations, bans from reacting, the admin log."""
    fay, gus = api.new_user("fay"), api.new_user("gus")
    await ada.put(f"{channel}/admins/{cat.id}", {"grants": ["post"]})
    await ada.put(f"{channel}/admins/{bob.id}", {"grants": ["fly"]})
    await ada.get(f"{channel}/admins")
    await cat.patch(f"{channel}/posts/1", {"kind": "text", "text": "Mine now"})
    await cat.patch(channel, {"name": "Mine"})
    for user in (fay, gus, cat):
        await ada.post(f"{channel}/invitations", {"user_id": user.id})
    await bob.post(f"{channel}/invitations", {"user_id": fay.id})
    await ada.get(f"{channel}/invitations")
    await fay.get("/v1/invitations")
    for user in (fay, bob):
        await user.post(f"{channel}/invitations/me", {"accept": True})
    await ada.delete(f"{channel}/invitations/{gus.id}")
    await cat.put(f"{channel}/reaction-bans/{bob.id}")
    await ada.put(f"{channel}/reaction-bans/{bob.id}")
    await bob.put(f"{channel}/posts/1/reactions/{LIKE}")
    await ada.get(f"{channel}/reaction-bans")
    await ada.delete(f"{channel}/reaction-bans/{bob.id}")
    await a_flow_of_invite_links(api, channel, ada, bob)
    await ada.get(f"{channel}/admin-log?limit=3")
    await bob.get(f"{channel}/admin-log")


async def a_flow(api: Api) -> None:
    """Each call once with success, and some that are refused."""
    ada, bob, cat, eve = (api.new_user(name) for name in ("ada", "bob", "cat", "eve"))
    root = api.new_user("root", admin=True)
    await ada.patch("/v1/users/me", {"name": "Ada", "face_url": "https://example.org/a.png"})
    await ada.get("/v1/users/me")
    await bob.get(f"/v1/users/{ada.id}")
    await bob.get("/v1/users/nobody")
    await bob.get(f"/v1/users?ids={ada.id},nobody")
    await bob.get("/v1/users")
    app = api.new_user("app", admin=True)
    for user in (bob, app):
        await user.post("/v1/users", {"users": [{"user_id": "dee", "name": "Dee"}, {}]})
        await user.get(f"/v1/users/{ada.id}/groups")
        await user.get(f"/v1/users/{ada.id}/channels")
        await user.get("/v1/groups?all=true")

    channel = await a_channel(ada, bob, admins=(cat,), organization="City", custom_data="{}")
    await eve.put(f"{channel}/subscription")
    await bob.get(channel)
    await root.get(channel)
    await ada.patch(channel, {"introduction": "All of it", "settings": {"reactions": ["👍", "❤️"]}})
    await bob.patch(channel, {"name": "Mine"})
    for query in ("", "?q=News", "?sort=new&limit=1", "?sort=active", "?owned=true"):
        await ada.get(f"/v1/channels{query}")
    mine = "/v1/channels?subscribed=true"
    await bob.get(mine)
    await root.put(f"{channel}/verified")
    await root.delete(f"{channel}/verified")
    await bob.delete(f"{channel}/verified")
    for user in (root, bob):
        await user.put(f"{channel}/default")
        await user.get("/v1/default-channels")
        await user.delete(f"{channel}/default")
    await a_flow_of_moderation(root, ada, bob, channel)
    for since in ("2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "none"):
        await eve.get(f"{mine}&updated_since={since}")
    for query in ("", "?limit=1", "?conversation_group=none", "?cursor=nonsense"):
        await bob.get(f"/v1/feed{query}")
    for query in (
        "q=hello&limit=1",
        "q=hello&conversation_id=none",
        "q=...",
        "q=he&cursor=x",
        "q=",
    ):
        await bob.get(f"/v1/search/messages?{query}")
    start = (await bob.get("/v1/sync?limit=1")).body["sync_token"]
    for since in ("none", encode_cursor("sync-all", 0, 0, "")):
        await eve.get(f"/v1/sync?since={since}")
    await bob.get(f"/v1/channels?ids=nothing,{part('@TOA#_none')}")
    for _ in range(2):
        await ada.put(f"{channel}/subscribers/{api.new_user().id}")
        await ada.put(f"{channel}/subscribers/{bob.id}")
    await ada.get(f"{channel}/subscribers?limit=1")
    await ada.get(f"{channel}/subscribers?staff=true")
    await bob.get(f"{channel}/subscribers")
    lines = '{"user_id": "fay"}\n\n{"user_id": "fay"}\n{"name": "Fay"}\n'
    await root.call("POST", f"{channel}/subscribers", data=lines, headers=AS_LINES)
    await root.call("POST", f"{channel}/subscribers?results=some", data=lines, headers=AS_LINES)
    await root.post(f"{channel}/subscribers?results=refused", {"user_id": "gus"})
    await root.call("POST", f"{channel}/subscribers", data="x", headers={"Content-Type": "a/b"})
    await ada.call("POST", f"{channel}/subscribers", data=lines, headers=AS_LINES)

    media = await ada.call("POST", "/v1/media", data=b"hello", headers={"X-File-Name": "a.txt"})
    await bob.get(media.body["url"])
    await bob.get(f"{media.body['url']}?size=thumb")
    await ada.call("POST", "/v1/media", data=b"")
    await ada.post("/v1/link-previews", {"url": "https://example.org/"})
    await ada.post("/v1/link-previews", {"url": a_known_page(api)})
    await a_post(ada, channel)
    file = {"kind": "file", "file": media.body["media_id"]}
    await ada.post(f"{channel}/posts/preview", file)
    await ada.post(f"{channel}/posts/preview", {"kind": "file", "file": "none"})
    custom = {"kind": "custom", "title": "T", "custom": {"a": [1, None]}, "links": [LINK]}
    await ada.post(f"{channel}/posts", custom)
    await bob.post(f"{channel}/posts", {"kind": "text", "text": "me too"})
    await bob.put(f"{channel}/posts/1/reactions/{LIKE}")
    await bob.put(f"{channel}/posts/1/reactions/{part('🍵')}")
    await bob.put(f"{channel}/posts/1/reactions/hello")
    await bob.get(f"{channel}/posts/1/reactions")
    await ada.get(f"{channel}/posts/1/reactions/{LIKE}")
    await bob.get(f"{channel}/posts/1/reactions/{LIKE}")
    await bob.delete(f"{channel}/posts/1/reactions/{LIKE}")
    await ada.patch(f"{channel}/posts/1", {"kind": "text", "text": "Better"})
    await bob.post(f"{channel}/posts/views", {"seqs": [1, 2]})
    await bob.post(f"{channel}/posts/views", {"seqs": []})
    clicked = {"url": "https://example.org/"}
    await bob.post(f"{channel}/posts/1/clicks", clicked)
    await ada.patch(channel, {"settings": {"count_clicks": True}})
    await ada.patch(f"{channel}/posts/1", {"kind": "text", "text": f"See {clicked['url']}"})
    for seq, url in ((1, clicked["url"]), (1, "https://example.org/2"), (9, "x")):
        await bob.post(f"{channel}/posts/{seq}/clicks", {"url": url})
    for user in (ada, bob):
        await user.get(f"{channel}/posts/1/clicks")
    for way in ("insights", "insights/posts"):
        await ada.get(f"{channel}/{way}")
        await ada.get(f"{channel}/{way}", headers={"Accept": "text/csv"})
        await bob.get(f"{channel}/{way}")
    for seq, user in ((1, ada), (9, ada), (1, bob)):
        await user.get(f"{channel}/posts/{seq}/report")
        await user.get(f"{channel}/share-link?seq={seq}")
    await ada.get(f"{channel}/insights?from=2026-01-02&to=2026-01-01")
    events = f"/v1/events?channel_id={part(id_of(channel))}"
    for query in ("", "&after=start", "&after=nonsense", "&types=nothing", "&wait=99"):
        await ada.get(f"{events}{query}")
    await bob.get(events)
    await ada.get("/v1/events")
    await ada.delete(f"{channel}/posts/2")
    await bob.get(f"{channel}/posts")
    await ada.get(f"{channel}/posts?after_seq=0&limit=1")
    await bob.get(f"{channel}/posts/2")
    await bob.get(f"{channel}/posts/9")
    await ada.patch(f"{channel}/posts/2", {"kind": "text", "text": "too late"})
    await a_flow_of_polls(ada, bob, channel)
    await a_flow_of_curation(ada, bob, channel)
    await a_flow_of_drafts(ada, bob, channel)
    await a_flow_of_canned_replies(ada, bob, channel)
    await a_flow_of_buttons_and_forms(ada, bob)
    await a_flow_of_self_service(ada, bob, channel)
    await a_flow_of_broadcasts(ada, bob, channel)
    await a_flow_of_comments(ada, bob, channel)
    await a_flow_of_webhooks(ada, channel)
    await a_flow_of_webhooks(root, "/v1")

    conversation = conversation_of(channel)
    one = f"/v1/conversations/{part(conversation)}"
    await bob.get("/v1/conversations?unread=true")
    await bob.get(f"/v1/conversations?ids=c2c_nobody,{part(conversation)}")
    await bob.get("/v1/conversations?conversation_group=nothing")
    await bob.get(one)
    await bob.get("/v1/conversations/group_none")
    await bob.patch(one, {"pinned": True, "draft": "Dear"})
    await bob.put("/v1/conversation-groups/news", {"conversation_ids": [conversation, "group_x"]})
    await bob.post("/v1/conversation-groups/news/conversations", {"remove": [conversation]})
    await bob.post("/v1/conversation-groups/none/conversations", {"add": [conversation]})
    await bob.patch("/v1/conversation-groups/news", {"name": "papers"})
    await bob.get("/v1/conversation-groups")
    await bob.put("/v1/conversation-groups/channels", {})
    await bob.get("/v1/unread?include_muted=true")
    await bob.post(f"{one}/read", {"seq": 1})
    await bob.post("/v1/read", {"scope": "all"})
    await bob.post("/v1/read", {"scope": "nothing"})
    await bob.delete("/v1/conversation-groups/papers")
    await bob.delete(one)

    talk = f"/v1/conversations/{part('c2c_' + id_of(channel))}"
    inbox = f"{channel}/inbox/{bob.id}"
    text = {"kind": "text", "text": "When do you open?"}
    await bob.post(f"{talk}/messages", text)
    await bob.post("/v1/conversations/group_x/messages", text)
    await bob.get(f"{talk}/messages")
    await bob.get(f"{talk}/messages?with_posts=true")
    await bob.get(f"{talk}/messages/1")
    await bob.patch(f"{talk}/messages/1", {"kind": "text", "text": "When?"})
    await cat.get(f"{channel}/inbox")
    await bob.get(f"{channel}/inbox")
    await cat.get(f"{channel}/inbox/unread")
    for tags in (["order"], [""], []):
        await cat.put(f"{inbox}/tags", {"tags": tags})
        await cat.get(f"{channel}/inbox/tags")
        await cat.get(f"{channel}/inbox?tag=order")
    await bob.put(f"{inbox}/tags", {"tags": []})
    await cat.get(f"{inbox}/messages")
    await cat.post(f"{inbox}/messages", text)
    await cat.get(f"{inbox}/messages/2")
    await cat.patch(f"{inbox}/messages/2", {"kind": "text", "text": "At nine"})
    await cat.patch(f"{inbox}/messages/1", text)
    await cat.post(f"{channel}/inbox/{ada.id}/messages", text)
    for sender in (cat, root):
        await sender.post(f"{channel}/inbox/messages", {**text, "user_ids": [bob.id, "nobody"]})
    await bob.patch(talk, {"accept": True})
    await bob.patch(f"/v1/conversations/c2c_{ada.id}", {"accept": True})
    await bob.patch(talk, {"muted_until": "2001-01-01T00:00:00Z"})
    for side, place in ((bob, talk), (cat, inbox)):
        await side.put(f"{place}/messages/1/reactions/{part('👍')}")
        await side.delete(f"{place}/messages/1/reactions/{part('👍')}")
        await side.put(f"{place}/messages/9/reactions/{part('👍')}")
    await cat.post(f"{inbox}/read")
    await cat.delete(f"{inbox}/messages/2")
    await bob.delete(f"{talk}/messages/1")
    await bob.get("/v1/conversations?type=c2c")
    await bob.put(f"/v1/blocks/{ada.id}")
    await bob.get("/v1/blocks")
    await ada.post(f"/v1/conversations/c2c_{bob.id}/messages", text)
    forward = {"forward": {"conversation_id": f"c2c_{bob.id}", "seq": 1}}
    await ada.post(f"/v1/conversations/c2c_{bob.id}/messages", forward)
    await bob.delete(f"/v1/blocks/{ada.id}")
    await bob.get("/v1/push")
    phone = {"platform": "gateway", "pushkey": "k", "app_id": "app", "locale": "en"}
    await bob.put("/v1/devices/phone", phone)
    await bob.get("/v1/devices")
    for device_id in ("phone", "none"):
        await bob.get(f"/v1/devices/{device_id}")
        await bob.delete(f"/v1/devices/{device_id}")
    await a_flow_of_running(api, channel, ada, bob, cat)

    await ada.delete(f"{channel}/admins/{cat.id}")
    await ada.delete(f"{channel}/subscribers/{eve.id}?ban=true")
    await eve.put(f"{channel}/subscription")
    await ada.get(f"{channel}/bans")
    await ada.delete(f"{channel}/bans/{eve.id}")
    await ada.delete(f"{channel}/subscription")
    token = (await bob.get(mine)).body["sync_token"]
    await bob.delete(f"{channel}/subscription")
    await bob.get(f"{mine}&updated_since={token}")
    await bob.get(f"/v1/sync?since={start}")
    await ada.post(f"{channel}/owner", {"user_id": cat.id})
    await cat.delete(channel)
    await bob.get(channel)

    tea = await a_chat_group(ada, bob)
    club = await a_chat_group(ada, type="public", custom={"level": "3"}, group_id=None)
    await bob.get(tea)
    await bob.get("/v1/groups")
    await bob.get("/v1/groups?ids=none")
    await ada.patch(tea, {"custom": {"a": "b"}, "reactions": "basic"})
    await ada.patch(tea, {"custom": {"official_account": "1"}})
    await bob.get(f"{tea}/members")
    await bob.get(f"{tea}/members/me")
    await bob.get(f"{tea}/members/{eve.id}")
    await bob.patch(f"{tea}/members/me", {"name_card": "Bobby"})
    await ada.patch(f"{tea}/members/{bob.id}", {"mute_seconds": 60})
    await bob.post(f"{tea}/messages", {"kind": "text", "text": "still"})
    await ada.patch(f"{tea}/members/{bob.id}", {"mute_seconds": 0})
    await a_post(bob, tea)
    await bob.get(f"{tea}/messages")
    await bob.get(f"{tea}/messages/1")
    await bob.patch(f"{tea}/messages/1", {"kind": "text", "text": "Better"})
    await ada.put(f"{tea}/messages/1/reactions/{LIKE}")
    await ada.get(f"{tea}/messages/1/reactions")
    await bob.get(f"{tea}/messages/1/reactions/{LIKE}")
    await ada.delete(f"{tea}/messages/1/reactions/{LIKE}")
    await bob.delete(f"{tea}/messages/1")
    await bob.get("/v1/conversations")
    await bob.get(f"{tea}/messages/1")
    await bob.put(f"{club}/members/me", {"text": "May I?"})
    await eve.put(f"{club}/members/me")
    await ada.get(f"{club}/join-requests")
    await ada.post(f"{club}/join-requests/{bob.id}", {"approve": True})
    await eve.delete(f"{club}/join-requests/me")
    await ada.post(f"{club}/join-requests/{eve.id}", {"approve": False})
    await a_flow_of_invite_links(api, tea, ada, bob)
    await ada.put(f"{tea}/members/{cat.id}")
    await cat.delete(f"{tea}/members/me")
    for accept in (False, True):
        await ada.put(f"{tea}/members/{cat.id}")
        await ada.get(f"{tea}/invitations")
        await cat.get("/v1/invitations")
        await cat.post(f"{tea}/invitations/me", {"accept": accept})
        await ada.delete(f"{tea}/invitations/{cat.id}")
    await bob.delete(f"{tea}/members/{cat.id}")
    await ada.delete(f"{tea}/members/{cat.id}?ban=true")
    await ada.get(f"{tea}/bans")
    await ada.delete(f"{tea}/bans/{cat.id}")
    await cat.put(f"{tea}/members/me")
    await cat.delete(f"{tea}/members/me")
    await ada.post(f"{tea}/owner", {"user_id": bob.id})
    await bob.delete(tea)
    await bob.get(group_path(channel))
    await bob.delete(f"/v1/users/{eve.id}/tokens")
    await bob.delete("/v1/users/me/tokens")


LINK: Final = {"title": "More", "url": "https://example.org/tea"}


async def a_flow_of_polls(ada: User, bob: User, channel: str) -> None:
    poll = {"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "multiple": True}
    tea = await a_chat_group(ada, bob)
    for path, calls in ((channel, "posts"), (tea, "messages")):
        asked = await ada.post(f"{path}/{calls}", {"kind": "poll", "poll": poll})
        message = f"{path}/{calls}/{asked.body['seq']}"
        await ada.patch(message, {"kind": "text", "text": "No poll"})
        for options in ([0, 1], [9]):
            await bob.put(f"{message}/vote", {"options": options})
        await bob.get(message)
        await bob.get(f"{path}/{calls}?limit=2")
        await bob.get(f"{group_path(channel)}/messages/{asked.body['seq']}/vote/0")
        await ada.get(f"{tea}/messages/1/vote/0?limit=1")
        await bob.delete(f"{message}/vote")
        await ada.put(f"{path}/{calls}/99/vote", {"options": [0]})
        await bob.post(f"{message}/poll/close")
        await ada.post(f"{message}/poll/close")
        await bob.put(f"{message}/vote", {"options": [0]})
        await bob.delete(f"{message}/vote")
        asking = {"kind": "text", "text": "Read this", "acknowledge": True}
        asked = await ada.post(f"{path}/{calls}", asking)
        seq = asked.body["seq"]
        await bob.put(f"{message}/acknowledgement")
        message = f"{path}/{calls}/{seq}"
        await ada.put(f"{message}/acknowledgement")
        await ada.get(f"{message}/acknowledgements?state=missing&limit=1")
        await bob.put(f"{message}/acknowledgement")
        await ada.get(f"{message}/acknowledgements")
        await bob.get(f"{message}/acknowledgements")
        for _ in range(2):
            await ada.post(f"{message}/acknowledgements/reminder")


async def a_flow_of_curation(ada: User, bob: User, channel: str) -> None:
    for mark in ("pin", "reactions-freeze"):
        for user, seq in ((bob, 1), (ada, 1), (ada, 2), (ada, 9)):
            await user.put(f"{channel}/posts/{seq}/{mark}")
        await bob.put(f"{channel}/posts/1/reactions/{LIKE}")
        await bob.get(f"{channel}/pins")
        await ada.delete(f"{channel}/posts/1/{mark}")
    forward = {"forward": {"channel_id": id_of(channel), "seq": 1}, "silent": True}
    await ada.post(f"{channel}/posts/preview", forward)
    await ada.post(f"{channel}/posts", forward)
    for seq in (2, 9):
        gone = {"forward": {"channel_id": id_of(channel), "seq": seq}}
        await ada.post(f"{channel}/posts", gone)
        await ada.post(f"{group_path(channel)}/messages", gone)
    await ada.patch(channel, {"settings": {"protect_content": True}})
    await ada.post(f"{channel}/posts", forward)
    await ada.post(f"{group_path(channel)}/messages", forward)
    await bob.get(f"{channel}/posts")


async def a_flow_of_webhooks(user: User, path: str) -> None:
    for url in ("https://hooks.invalid/", "https://127.0.0.1/"):
        made = await user.post(f"{path}/webhooks", {"url": url}, idempotency_key="hook")
    made = await user.post(f"{path}/webhooks", {"url": "https://hooks.invalid/"})
    one = f"{path}/webhooks/{made.body['webhook_id']}"
    await user.get(f"{path}/webhooks")
    tried = await user.post(f"{one}/test")
    await user.get(f"{one}/deliveries?status=waiting")
    delivery = f"{one}/deliveries/{tried.body['delivery_id']}"
    await user.get(delivery)
    await user.post(f"{delivery}/replay")
    await user.post(f"{one}/replay", {"since": "2026-01-01T00:00:00Z"})
    await user.post(f"{one}/rotate-secret")
    await user.patch(one, {"enabled": False, "event_types": ["message.posted"]})
    await user.post(f"{one}/test")
    for _ in range(2):
        await user.get(one)
        await user.delete(one)


async def a_flow_of_moderation(root: User, ada: User, bob: User, channel: str) -> None:
    about = {"target": {"type": "channel", "channel_id": id_of(channel)}, "reason": "spam"}
    await bob.post("/v1/reports", {**about, "text": "One"})
    made = await bob.post("/v1/reports", {**about, "text": "Two"})
    one = f"/v1/reports/{made.body['report_id']}"
    user = f"/v1/users/{part(bob.id)}/restriction"
    for reader in (root, ada):
        await reader.get("/v1/reports")
        await reader.get(one)
        await reader.get(f"{channel}/reports")
        await reader.get("/v1/admin-log")
        await reader.get("/v1/restrictions")
        await reader.get("/v1/channels?suspended=true")
        await reader.post(f"{one}/resolution", {"action": "delete"})
        await reader.post(f"{one}/resolution", {"action": "dismiss"})
        await reader.put(f"{channel}/suspension", {"mode": "readable", "reason": "Spam"})
        await reader.get(channel)
        await reader.delete(f"{channel}/suspension")
        await reader.put(user, {"reason": "Spam"})
        await bob.get("/v1/users/me/restriction")
        await reader.get(user)
        await bob.post("/v1/channels", {"name": "More"})
        await reader.delete(user)
    for leaver in ("nobody-at-all", ada.id):
        path = f"/v1/users/{part(leaver)}"
        for reader in (root, bob):
            await reader.get(f"{path}/export")
            await reader.get(f"{path}/export?cursor=x")
            await reader.get(f"{path}/deletion")
            await reader.call("DELETE", path, {"confirm": "me"})
            await reader.call("DELETE", path, {"confirm": leaver})
            await reader.get(f"{path}/deletion")


async def a_flow_of_comments(ada: User, bob: User, channel: str) -> None:
    """Comments, in all their states: off, open, frozen, banned, deleted."""
    said = {"kind": "text", "text": "Well"}
    post = f"{channel}/posts/{(await a_post(ada, channel))['seq']}"
    await bob.post(f"{post}/comments", said)
    await ada.patch(channel, {"settings": {"comments": "subscribers"}})
    for body in (said, {**said, "quoted_seq": 1}, {"kind": "image"}, {**said, "quoted_seq": 9}):
        await bob.post(f"{post}/comments", body)
    await ada.post(f"{post}/comments", {**said, "as_channel": True})
    await bob.post(f"{channel}/posts/99/comments", said)
    await bob.get(f"{post}/comments")
    for seq in (2, 9):
        one = f"{post}/comments/{seq}"
        await ada.get(one)
        await bob.patch(one, said)
        for how in ("PUT", "DELETE"):
            await ada.call(how, f"{one}/reactions/{LIKE}")
    await bob.delete(f"{post}/comments/3")
    await ada.delete(f"{post}/comments/1")
    await ada.put(f"{channel}/comment-bans/{bob.id}")
    await ada.get(f"{channel}/comment-bans")
    await bob.get(f"{channel}/comment-bans")
    await bob.post(f"{post}/comments", said)
    await ada.delete(f"{channel}/comment-bans/{bob.id}")
    await ada.put(f"{post}/comments-freeze")
    await bob.post(f"{post}/comments", said)
    await ada.delete(f"{post}/comments-freeze")
    await ada.delete(post)
    await bob.get(f"{post}/comments")


async def a_flow_of_canned_replies(ada: User, bob: User, channel: str) -> None:
    one = f"{channel}/canned-replies/hours"
    await ada.put(one, {"text": "We open at nine"})
    for user in (ada, bob):
        await user.get(f"{channel}/canned-replies")
        await user.put(one, {"text": ""})
    for _ in range(2):
        await ada.delete(one)


async def a_flow_of_buttons_and_forms(ada: User, bob: User) -> None:
    channel = await a_channel(ada, bob)
    rows = [
        [{"text": "Order", "kind": "event", "data": "tea"}],
        [{"text": "Site", "kind": "link", "url": "https://example.org/"}],
        [{"text": "Call", "kind": "reply", "reply": "Call me"}],
    ]
    content = {"kind": "text", "text": "Tea?", "buttons": rows}
    offered = await ada.post(f"{channel}/posts", content)
    sent = await ada.post(f"{channel}/inbox/{part(bob.id)}/messages", content)
    with_channel = f"/v1/conversations/{part('c2c_' + id_of(channel))}/messages"
    for message in (
        f"{channel}/posts/{offered.body['seq']}",
        f"{with_channel}/{sent.body['seq']}",
    ):
        for press in ("0/press", "0/press?text=Other", "1/press", "2/press", "9/press"):
            await bob.put(f"{message}/buttons/{press}")
    form = {"title": "Order", "fields": [{"name": "size", "label": "Size"}]}
    one = f"{channel}/forms/order"
    for user in (bob, ada):
        await user.put(one, form)
        await user.get(one)
        await user.get(f"{channel}/forms")
        for answers in ({"size": "Large"}, {}, {"size": 1}):
            await user.post(f"{one}/answers", {"answers": answers})
    for _ in range(2):
        await ada.delete(one)


async def a_flow_of_self_service(ada: User, bob: User, channel: str) -> None:
    text = {"text": "Welcome"}
    below = [{"text": "Call me", "kind": "event", "data": "call"}]
    entries = [
        {"text": "Hours", "kind": "reply", "reply": "hours"},
        {"text": "More", "entries": below},
    ]
    bodies = {
        "menu": {"entries": entries},
        "greeting": {**text, "buttons": [below]},
        "auto-replies/price": {"keywords": ["price"], "answer": text},
        "opening-hours": {
            "time_zone": "Europe/Berlin",
            "weekly": {"mon": [["09:00", "17:00"]]},
            "away": text,
        },
    }
    for name, body in bodies.items():
        if "/" not in name:
            await ada.get(f"{channel}/{name}")
        for user in (ada, bob):
            await user.put(f"{channel}/{name}", body)
            await user.get(f"{channel}/{name}")
    await ada.get(f"{channel}/auto-replies")
    for entry in ("1", "2", "2.1", "3"):
        # As the owner, whose thread no other flow counts on.
        await ada.post(f"{channel}/menu/selections", {"entry": entry})
    for name in bodies:
        for user in (bob, ada, ada):
            await user.delete(f"{channel}/{name}")


async def a_flow_of_broadcasts(ada: User, bob: User, channel: str) -> None:
    hello = {"kind": "text", "text": "Hello"}
    await ada.put(f"{channel}/subscribers/{bob.id}/tags", {"tags": ["vip"]})
    await ada.put(f"{channel}/subscribers/nobody/tags", {"tags": ["vip"]})
    lines = f'{{"user_id": "{bob.id}", "add": ["new"]}}\n{{\n'
    headers = {"Content-Type": "application/x-ndjson"}
    for user in (ada, bob):
        await user.call("POST", f"{channel}/subscriber-tags", data=lines, headers=headers)
        await user.get(f"{channel}/subscriber-tags")
        await user.post(f"{channel}/broadcasts/audience", {"segment": {"all": ["vip"]}})
        await user.get(f"{channel}/broadcasts")
        await user.put(f"{channel}/broadcast-opt-out")
        await user.get(f"{channel}/broadcast-opt-out")
        await user.delete(f"{channel}/broadcast-opt-out")
    for more in ({"start_at": "2000-01-01T00:00:00Z"}, {"rate": 0}, {"kind": "text", "text": ""}):
        await ada.post(f"{channel}/broadcasts", {**hello, **more})
    soon = rfc3339(datetime.now(UTC) + timedelta(hours=1))
    made = await ada.post(f"{channel}/broadcasts", {**hello, "start_at": soon})
    one = f"{channel}/broadcasts/{made.body['broadcast_id']}"
    for path in (one, f"{channel}/broadcasts/none"):
        await ada.get(path)
        await ada.get(f"{path}/not-reached")
        for call in ("stop", "stop", "resume", "stop"):
            await ada.post(f"{path}/{call}")


async def a_flow_of_drafts(ada: User, bob: User, channel: str) -> None:
    text = {"kind": "text", "text": "Later"}
    for hours in ({}, {"publish_at": "2000-01-01T00:00:00Z"}):
        await ada.post(f"{channel}/drafts", {"post": text, **hours})
    await bob.post(f"{channel}/drafts", {"post": text})
    soon = rfc3339(datetime.now(UTC) + timedelta(hours=1))
    scheduled = await ada.post(f"{channel}/drafts", {"post": text, "publish_at": soon})
    one = f"{channel}/drafts/{scheduled.body['draft_id']}"
    await ada.get(one)
    await ada.get(f"{channel}/drafts?scheduled=true")
    await bob.get(f"{channel}/drafts")
    await ada.patch(one, {"publish_at": None})
    for _ in range(2):
        await ada.post(f"{one}/publish")
        await ada.delete(one)
    await ada.post(f"{channel}/drafts/none/publish")
    other = await ada.post(f"{channel}/drafts", {"post": text})
    await ada.delete(f"{channel}/drafts/{other.body['draft_id']}")


@pytest.mark.parametrize(("key", "is_good"), [("shop_7", True), ("shop 7", False)])
async def test_the_document_refuses_keys_that_the_server_refuses(
    shared_api: Api, spec: Spec, key: str, *, is_good: bool
) -> None:
    ada = shared_api.new_user("ada")
    operation = spec["paths"]["/v1/groups"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = {"type": "community", "name": "Tea", "custom": {key: "x"}}
    assert validator(spec, schema).is_valid(body) is is_good
    assert (await ada.post("/v1/groups", body)).status == (201 if is_good else 400)

    header = next(p for p in operation["parameters"] if p["name"] == "Idempotency-Key")
    assert validator(spec, header["schema"]).is_valid(key) is is_good
    del body["custom"]
    answer = await ada.post("/v1/groups", body, idempotency_key=key)
    assert answer.status == (201 if is_good else 400)
