"""The shapes of events: what their models refuse, and that changes are told where the resources have them.

Every event that any test receives over a socket is validated against its model (`tests.api.undescribed`).
"""

import json
from typing import Any, Final

import pytest

from channels.event_views.catalogue import CATALOGUE, words_of
from channels.event_views.examples import payloads
from channels.event_views.shapes import (
    EVENT,
    EVENT_MODELS,
    ChangedChannel,
    ChangedGroup,
    ChangedSettings,
)
from channels.routes.responses import ChannelResponse, SettingsResponse
from groups.routes.responses.groups import GroupResponse
from tests.api import Api, User, a_channel, a_chat_group, conversation_of, group_path, undescribed

over_http = pytest.mark.asyncio(loop_scope="module")

EVENTS: Final = [
    pytest.param(payload, id=f"{name}-{number}")
    for name, forms in payloads().items()
    for number, payload in enumerate(forms)
]


@pytest.mark.parametrize("payload", EVENTS)
def test_each_form_of_an_event_has_its_shape_and_no_other(payload: dict[str, Any]) -> None:
    assert undescribed(payload) == []
    for name in payload:
        if name == "stream_id" or payload[name] is None:
            continue
        without = {key: value for key, value in payload.items() if key != name}
        if name in {"mine", "pressed", "group_id"} or (
            name == "channel_id" and "post" not in payload
        ):
            # Not every form has these, so only the code decides which ones do.
            continue
        if name == "reason" and payload["type"] == "channel.suspended":
            continue  # only the owner learns it
        assert undescribed(without), f"{name} may be left out"
    assert undescribed({**payload, "more": 1})
    for name, value in payload.items():
        wrong: object = 7 if isinstance(value, str) or value is None else "7"
        assert undescribed({**payload, name: wrong}), f"{name} may be {wrong!r}"


@pytest.mark.parametrize("payload", EVENTS)
def test_an_event_names_its_conversation_where_there_is_one(payload: dict[str, Any]) -> None:
    conversation_id = payload.get("conversation_id")
    of_none = {"conversation_group", "block", "unread", "user", "report"}
    if payload["type"].partition(".")[0] in of_none or payload["type"] == "inbox.unread":
        assert (payload["stream_id"], conversation_id) == (None, None)
    elif "conversation_id" in payload:
        assert payload["stream_id"] == conversation_id
        assert conversation_id is not None
        assert conversation_id.startswith(("group_", "c2c_", "comments_"))
        assert undescribed({**payload, "stream_id": None})
        assert undescribed({**payload, "conversation_id": None})
    else:
        assert payload["stream_id"] == f"inbox_{payload['channel_id']}:{payload['user_id']}"


def test_the_names_of_changed_fields_are_those_of_the_resources() -> None:
    assert set(ChangedGroup.model_fields) <= set(GroupResponse.model_fields)
    of_channel = set(ChannelResponse.model_fields)
    assert set(ChangedChannel.model_fields) <= of_channel | set(GroupResponse.model_fields)
    settings = ChangedChannel.model_fields["settings"].annotation
    assert settings == ChangedSettings | None
    assert set(ChangedSettings.model_fields) == set(SettingsResponse.model_fields)


def test_the_catalogue_names_every_field_of_every_model() -> None:
    assert len(CATALOGUE) == len(EVENT_MODELS)
    for about in CATALOGUE.values():
        assert about.when
        assert about.receivers
        for kind, meaning in {**about.fields, **about.sometimes}.values():
            assert kind
            assert meaning
    assert list(words_of(str | None)) == ["text", "null"]


def test_the_models_have_one_schema_with_the_type_as_its_discriminator() -> None:
    schema = EVENT.json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(CATALOGUE)
    json.dumps(schema)


async def the_changes(user: User, owner: User, path: str, *changes: dict[str, Any]) -> list[Any]:
    """What `user` hears of each of these changes."""
    ears = await user.socket()
    for change in changes:
        changed = await owner.patch(path, change)
        assert changed.status in {200, 204}, changed
    events = await ears.until_now()
    await ears.close()
    return [event["changed"] for event in events if event["type"].endswith(".updated")]


@over_http
async def test_a_channel_s_changes_are_where_the_channel_has_them(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_channel(ada, bob)
    both = {"organization": "City", "settings": {"signatures": True, "reactions_per_user": 3}}
    assert await the_changes(
        bob,
        ada,
        path,
        {"settings": {"reactions": ["👍", "🎉"]}},
        both,
        {"custom_data": "x"},
    ) == [{"settings": {"reactions": ["👍", "🎉"]}}, both, {"custom_data": "x"}]
    shown = (await bob.get(path)).body
    assert shown["settings"]["reactions"] == ["👍", "🎉"]
    # What only the group behind it has is beside them.
    change = {"custom": {"season": "spring"}, "muted_all": True}
    (changed,) = await the_changes(bob, ada, group_path(path), change)
    assert changed["custom"]["season"] == "spring"
    assert changed["muted_all"] is True


@over_http
async def test_a_chat_group_s_changes_are_flat_as_the_group_is(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = await a_chat_group(ada, bob)
    change = {"name": "Tea house", "reactions": "basic", "muted_all": True}
    assert await the_changes(bob, ada, path, change) == [change]


@over_http
async def test_a_conversation_s_changes_are_those_of_the_conversation(shared_api: Api) -> None:
    ada, bob = shared_api.new_user("ada"), shared_api.new_user("bob")
    path = f"/v1/conversations/{conversation_of(await a_channel(ada, bob)).replace('#', '%23')}"
    pinned, unpinned, hidden = await the_changes(
        bob, bob, path, {"pinned": True}, {"pinned": False}, {"hidden": True, "muted": True}
    )
    assert pinned["pinned_at"].endswith("Z")
    assert unpinned == {"pinned_at": None}
    assert hidden == {"hidden": True, "muted": True, "muted_until": None}
