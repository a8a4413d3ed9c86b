"""Bodies: every byte limit at its limit and one beyond, with the default and with a setting."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from groups.kernel.endpoint import Body
from groups.kernel.errors import InvalidRequest
from groups.kernel.text.bounded import LIMITS, TOO_LONG
from groups.limits import GroupLimits
from groups.models import Content, Kind
from groups.routes.responses.fields import split_ids
from groups.routes.responses.groups import CreateGroup, UpdateGroup
from groups.routes.responses.invite_links import AnswerRequest, CreateInviteLink
from groups.routes.responses.members import (
    ChangeMember,
    JoinGroup,
    NewOwner,
    UpdateUser,
)
from groups.routes.responses.writing import WriteMessage

URL = "https://example.org/"
GROUP = {"type": "community", "name": "Tea"}

LIMITED = [
    (CreateGroup, GROUP, "name", "group_name_bytes", 100, ""),
    (CreateGroup, GROUP, "introduction", "group_introduction_bytes", 400, ""),
    (CreateGroup, GROUP, "notification", "group_notification_bytes", 400, ""),
    (CreateGroup, GROUP, "face_url", "face_url_bytes", 500, URL),
    (UpdateGroup, {}, "notification", "group_notification_bytes", 400, ""),
    (UpdateGroup, {}, "face_url", "face_url_bytes", 500, URL),
    (JoinGroup, {}, "text", "request_text_bytes", 300, ""),
    (CreateInviteLink, {}, "name", "invite_link_name_bytes", 64, ""),
    (ChangeMember, {}, "name_card", "name_card_bytes", 50, ""),
    (UpdateUser, {}, "name", "user_name_bytes", 150, ""),
    (UpdateUser, {}, "face_url", "face_url_bytes", 500, URL),
]


def _taken(model: type[BaseModel], given: dict[str, Any], limits: GroupLimits | None = None) -> Any:
    return model.model_validate(given, context={LIMITS: limits or GroupLimits()})


def _refused(
    model: type[BaseModel], given: dict[str, Any], limits: GroupLimits | None = None
) -> str:
    with pytest.raises(ValidationError) as caught:
        _taken(model, given, limits)
    return caught.value.errors()[0]["type"]


@pytest.mark.parametrize(
    ("model", "base", "field", "limit_name", "limit", "start"),
    LIMITED,
    ids=[f"{row[0].__name__}.{row[2]}" for row in LIMITED],
)
def test_a_text_of_exactly_its_limit_is_accepted_and_one_byte_more_refused(
    model: type[Body],
    base: dict[str, Any],
    field: str,
    limit_name: str,
    limit: int,
    start: str,
) -> None:
    assert getattr(GroupLimits(), limit_name) == limit
    for allowed in (limit, 40):
        limits = GroupLimits.model_validate({limit_name: allowed})
        room = allowed - len(start)
        for full in (start + "x" * room, start + "茶" * (room // 3) + "x" * (room % 3)):
            assert len(full.encode()) == allowed
            assert getattr(_taken(model, {**base, field: full}, limits), field) == full
            assert _refused(model, {**base, field: full + "x"}, limits) == TOO_LONG


@pytest.mark.parametrize(("model", "base"), [(CreateGroup, GROUP), (UpdateGroup, {})])
def test_a_custom_key_has_at_most_16_bytes_and_a_value_512(
    model: type[Body], base: dict[str, Any]
) -> None:
    key, value = "k" * 16, "茶" * 170 + "xx"
    assert len(value.encode()) == 512
    assert _taken(model, {**base, "custom": {key: value}}).custom == {key: value}
    assert _refused(model, {**base, "custom": {key: value + "x"}}) == TOO_LONG
    for bad in ("k" * 17, "", "a.b", "$a", "a b", "é", "a\n", "a\x00"):
        assert _refused(model, {**base, "custom": {bad: "v"}}) == "string_pattern_mismatch"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00"])
def test_a_group_needs_a_name_of_one_line(name: str) -> None:
    assert _taken(CreateGroup, {**GROUP, "name": "a b"}).name == "a b"
    assert _refused(CreateGroup, {**GROUP, "name": name}) in {"blank", "control_character"}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org",
        "//example.org",
        "example",
        "http://",
        "\ud800",
    ],
)
def test_a_face_url_is_an_http_address_or_empty(url: str) -> None:
    for good in ("", "http://example.org/a.png", "https://例え.jp/茶"):
        assert _taken(UpdateGroup, {"face_url": good}).face_url == good
    assert _refused(UpdateGroup, {"face_url": url}) in {"bad_url", "string_unicode", "not_unicode"}


@pytest.mark.parametrize(
    ("model", "base"),
    [
        (CreateGroup, GROUP),
        (UpdateGroup, {"name": "Tea"}),
        (ChangeMember, {"name_card": "x"}),
        (WriteMessage, {"kind": "text", "text": "x"}),
        (JoinGroup, {}),
        (AnswerRequest, {"approve": True}),
        (NewOwner, {"user_id": "ada"}),
        (UpdateUser, {"name": "Ada"}),
    ],
)
def test_an_unknown_field_is_refused(model: type[Body], base: dict[str, Any]) -> None:
    _taken(model, base)
    assert _refused(model, {**base, "nmae": "x"}) == "extra_forbidden"


@pytest.mark.parametrize("field", ["visibility", "official_account", "member_count"])
def test_a_field_that_the_caller_may_not_set_is_unknown(field: str) -> None:
    assert _refused(CreateGroup, {**GROUP, field: "public"}) == "extra_forbidden"
    assert _refused(UpdateGroup, {"name": "Tea", field: "public"}) == "extra_forbidden"


def test_the_owner_is_named_when_a_group_is_created_and_never_by_a_change() -> None:
    _taken(CreateGroup, {**GROUP, "owner_id": "ada"})
    assert _refused(UpdateGroup, {"name": "Tea", "owner_id": "ada"}) == "extra_forbidden"


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (UpdateGroup, ["name", "custom", "posting", "reactions", "muted_all"]),
        (ChangeMember, ["role", "mute_seconds", "name_card"]),
        (UpdateUser, ["name", "face_url"]),
    ],
)
def test_null_is_refused_in_a_patch(model: type[Body], fields: list[str]) -> None:
    assert _taken(model, {}).model_fields_set == set()
    for field in fields:
        assert _refused(model, {field: None}) == "null"


def test_a_member_cannot_be_appointed_owner() -> None:
    assert _taken(ChangeMember, {"role": "admin"}).role == "admin"
    assert _refused(ChangeMember, {"role": "owner"}) == "literal_error"
    assert _refused(ChangeMember, {"mute_seconds": -1}) == "greater_than_equal"


def test_a_text_message_needs_a_text_and_a_custom_one_json() -> None:
    said = _taken(
        WriteMessage, {"kind": "text", "text": "hi", "links": [{"title": "t", "url": URL}]}
    )
    assert said.to_content().text == "hi"
    assert said.to_content().links[0].url == URL
    custom = _taken(WriteMessage, {"kind": "custom", "custom": {"a": [1, None, "茶"]}})
    assert custom.to_content() == Content(kind=Kind.CUSTOM, custom_json='{"a":[1,null,"茶"]}')
    assert _refused(WriteMessage, {"kind": "text", "text": " "}) == "empty_text"
    assert _refused(WriteMessage, {"kind": "custom"}) == "empty_custom"
    assert _refused(WriteMessage, {"kind": "poem", "text": "hi"}) == "enum"
    for url in ("", "javascript:x"):
        link = {"title": "t", "url": url}
        _refused(WriteMessage, {"kind": "text", "text": "hi", "links": [link]})


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_a_json_number_that_is_too_large_is_refused(value: int) -> None:
    def message(number: int) -> WriteMessage:
        body = json.dumps({"kind": "custom", "custom": {"n": number}})
        return WriteMessage.model_validate_json(body)

    assert message(2**64 - 1).to_content().custom_json == f'{{"n":{2**64 - 1}}}'
    with pytest.raises(InvalidRequest):
        message(value).to_content()


def test_a_lone_surrogate_is_refused() -> None:
    for body in (
        r'{"kind": "text", "text": "\ud800"}',
        r'{"kind": "text", "text": "hi", "title": "\udfff"}',
        r'{"kind": "custom", "custom": {"a": "\ud800"}}',
        r'{"kind": "custom", "custom": {"\ud800": 1}}',
    ):
        with pytest.raises(ValidationError):
            WriteMessage.model_validate_json(body)


def test_a_call_takes_fifty_ids_and_refuses_one_more() -> None:
    fifty = [f"g{n}" for n in range(50)]
    assert split_ids(",".join(fifty)) == fifty
    assert split_ids(",".join([*fifty, "g0", ""])) == fifty  # each counts once
    with pytest.raises(InvalidRequest):
        split_ids(",".join([*fifty, "g50"]))


def test_reactions_is_a_word_or_up_to_a_hundred_emoji() -> None:
    for good in ("all", "basic", "none"):
        assert _taken(UpdateGroup, {"reactions": good}).reactions == good
    assert _taken(UpdateGroup, {"reactions": ["❤", "👍"]}).reactions == ("❤️", "👍")
    assert len(_taken(UpdateGroup, {"reactions": ["👍"] * 100}).reactions) == 100
    for bad in ("some", [], ["yes"], ["👍"] * 101):
        _refused(UpdateGroup, {"reactions": bad})
