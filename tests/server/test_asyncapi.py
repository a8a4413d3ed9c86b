"""The socket's description: it is valid, complete, and its examples are what clients and server really send."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # ships no types

from channels.event_views.catalogue import SOCKET_EVENT_TYPES
from channels.event_views.examples import payloads
from channels.server.realtime.client_frames import CLIENT_FRAMES, parsed
from channels.server.realtime.close_codes import CloseCode
from channels.server.realtime.server_frames import SERVER_FRAME, SERVER_FRAMES
from channels.server.web.asyncapi import document
from tests.api import Api, a_channel, a_chat_group, a_post, conversation_of, part, undescribed

over_http = pytest.mark.asyncio(loop_scope="module")

Spec = dict[str, Any]
SPEC: Final[Spec] = document()
GIVEN: Final = os.environ.get("CHANNELS_NODE_MODULES")
"""Where `.ci/run` installed the packages of channels/package.json."""
NODE_MODULES: Final = Path(GIVEN or Path(__file__).parents[2] / "channels" / "node_modules")
OFFICIAL: Final = NODE_MODULES / "@asyncapi" / "specs" / "schemas" / "3.0.0-without-$id.json"
FRAME_TYPES: Final = {
    model.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]  # a Literal
    for model in (*CLIENT_FRAMES, *SERVER_FRAMES)
}


def references(part_of: Any) -> Iterator[str]:
    if isinstance(part_of, dict):
        if isinstance(part_of.get("$ref"), str):
            yield part_of["$ref"]
        for inner in part_of.values():
            yield from references(inner)
    elif isinstance(part_of, list):
        for inner in part_of:
            yield from references(inner)


def resolved(reference: str) -> Any:
    found: Any = SPEC
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return resolved(found["$ref"]) if isinstance(found, dict) and "$ref" in found else found


def fits(schema: Spec) -> Draft7Validator:
    """A validator for a schema of the document, which finds the others by reference."""
    return Draft7Validator({**schema, "components": SPEC["components"]})


@pytest.mark.skipif(
    GIVEN is None and not OFFICIAL.exists(), reason="no schema: run `npm ci` in channels/"
)
def test_it_is_valid_by_the_schema_of_asyncapi() -> None:
    schema = json.loads(OFFICIAL.read_text(encoding="utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(SPEC)] == []
    wrong = {**SPEC, "operations": {"ping": {**SPEC["operations"]["ping"], "action": "ask"}}}
    assert not Draft7Validator(schema).is_valid(wrong)


@over_http
async def test_it_is_served_to_everyone(shared_api: Api) -> None:
    answer = await shared_api.bearer(None).get("/asyncapi.json")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.body == SPEC


def test_every_frame_and_event_is_a_message_of_one_operation() -> None:
    assert all(resolved(reference) is not None for reference in references(SPEC))
    messages = set(SPEC["components"]["messages"])
    assert messages == {*FRAME_TYPES, *SOCKET_EVENT_TYPES} - {"event"}
    assert set(SPEC["channels"]["socket"]["messages"]) == messages
    named: Counter[str] = Counter()
    for name, operation in SPEC["operations"].items():
        own = [one["$ref"].rpartition("/")[2] for one in operation["messages"]]
        answers = [one["$ref"] for one in operation.get("reply", {}).get("messages", ())]
        named.update(own)
        named.update(one.rpartition("/")[2] for one in answers)
        if operation["action"] == "receive":
            assert own == [name]
            assert answers[-1].endswith("/error"), "every frame may be refused"
    assert set(named) == messages
    assert {name for name, times in named.items() if times > 1} == {"error"}
    for code in CloseCode:
        assert f"{code.value} {code.name.lower()}" in SPEC["info"]["description"]


def test_every_example_fits_its_schema_and_what_the_code_reads_and_writes() -> None:
    of_clients = {"auth", "watch", "unwatch", "ping"}
    for name, message in SPEC["components"]["messages"].items():
        assert message["examples"], name
        for example in message["examples"]:
            frame = example["payload"]
            errors = [error.message for error in fits(message["payload"]).iter_errors(frame)]
            assert errors == [], name
            text = json.dumps(frame)
            if name in of_clients:
                assert parsed(text).type == frame["type"] == name
                assert not fits(message["payload"]).is_valid({**frame, "loud": True})
            else:
                SERVER_FRAME.validate_json(text)
                # What a later version adds is no fault.
                assert fits(message["payload"]).is_valid({**frame, "later": True})
            if name in SOCKET_EVENT_TYPES:
                assert frame["event"]["type"] == name
                assert undescribed(frame["event"]) == []


def keys_of(event: Spec) -> dict[str, set[str]]:
    """The fields of an event, and of the resource in it."""
    named = [name for name in ("post", "channel") if name in event]
    return {"": set(event)} | {name: set(event[name]) for name in named}


@over_http
async def test_what_is_really_sent_has_exactly_the_fields_of_the_examples(
    shared_api: Api,
) -> None:
    ada, bob, cat = (shared_api.new_user(name) for name in ("ada", "bob", "cat"))
    hers, his = await ada.socket(), await bob.socket()
    channel = await a_channel(ada, bob)
    group = await a_chat_group(ada, join_option="approval")
    heard = [await his.hear("channel.subscribed")]
    watched = conversation_of(channel)
    await his.tell(type="watch", conversation_id=watched)
    assert (await his.answer())["type"] == "watching"
    await a_post(ada, channel)
    assert (await ada.put(f"{channel}/posts/1/reactions/{part('👍')}")).status == 200
    await ada.patch(channel, {"introduction": "What happens in town"})
    read = await bob.post(f"/v1/conversations/{part(watched)}/read", {"seq": 1})
    assert read.status == 200, read
    assert (await cat.put(f"{group}/members/me", {"text": "May I?"})).status == 202
    for name in ("message.posted", "reactions.changed", "channel.updated", "conversation.read"):
        heard.append(await his.hear(name))
    heard.append(await hers.hear("join.requested"))
    for event in heard:
        name = event["type"]
        # Of a channel, or of a group.
        assert keys_of(event) in [keys_of(example) for example in payloads()[name]], name
    for one in (hers, his):
        await one.close()
