"""Refusals as HTTP tells them: every domain error has one code and one status."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

import channels.server.app  # noqa: F401  # the composition root knows every package
from channels.errors import ChannelLimitReached, ChannelNotFound
from channels.server.tokens import BadToken
from channels.server.web.problems import (
    STATUS,
    BodyTooLarge,
    InternalError,
    general_problem_response,
    problem_of,
    status_of,
    validation_problem,
)
from groups.kernel.errors import DomainError, FieldTooLong, InvalidRequest, RateLimited, Unavailable
from groups.kernel.text.bounded import MaxBytes
from groups.kernel.text.emoji import Emoji, EmojiText

PROMISED = {
    400: ["invalid_request", "field_too_long", "bad_emoji", "bad_cursor"],
    401: ["unauthenticated"],
    403: [
        *("permission_denied", "posting_not_allowed", "muted", "banned", "reaction_not_allowed"),
    ],
    404: [
        *("channel_not_found", "group_not_found", "post_not_found", "message_not_found"),
        *("conversation_not_found", "conversation_group_not_found", "user_not_found"),
        "route_not_found",
    ],
    405: ["method_not_allowed"],
    409: [
        *("channel_id_taken", "group_id_taken", "owner_cannot_leave", "member_limit_reached"),
        *("channel_limit_reached", "reserved_custom_field", "conversation_group_limit_reached"),
        "idempotency_conflict",
    ],
    413: ["body_too_large"],
    415: ["unsupported_media_type"],
    429: ["rate_limited"],
    503: ["unavailable"],
}
"""The codes that the design names, by status; none is ever renamed."""


def subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def concrete_errors() -> list[type[DomainError]]:
    ours = ("channels.", "conversations.", "groups.", "reactions.")
    return sorted(
        {
            kind
            for kind in subclasses(DomainError)
            if "code" in vars(kind) and kind.__module__.startswith(ours)
        },
        key=lambda kind: kind.__name__,
    )


def test_every_error_has_a_snake_case_code_of_its_own_and_a_title() -> None:
    errors = concrete_errors()
    codes = Counter(kind.code for kind in errors)
    assert [code for code, times in codes.items() if times > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
    assert [kind for kind in errors if not kind.summary or not kind.__doc__] == []


def test_every_error_has_a_status_by_its_family_and_only_a_defect_is_500() -> None:
    assert [kind for kind in concrete_errors() if status_of(kind) == 500] == [InternalError]
    # RateLimited is a family and its only error.
    assert [kind for kind in STATUS if "code" in vars(kind)] == [RateLimited]


@pytest.mark.parametrize(("status", "codes"), PROMISED.items())
def test_the_codes_that_the_design_names_have_the_status_it_names(
    status: int, codes: list[str]
) -> None:
    found = {kind.code: int(status_of(kind)) for kind in concrete_errors()}
    assert {code: found.get(code) for code in codes} == dict.fromkeys(codes, status)


def test_the_fields_of_a_problem() -> None:
    assert problem_of(ChannelNotFound(), "r1").model_dump() == {
        "type": "about:blank",
        "title": "No such channel",
        "status": 404,
        "detail": "No such channel",
        "code": "channel_not_found",
        "details": {},
        "request_id": "r1",
    }


def test_details_are_typed() -> None:
    assert problem_of(ChannelLimitReached(limit=3), "r").details == {"limit": 3}
    assert problem_of(FieldTooLong("name", 150), "r").details == {
        "field": "name",
        "limit_bytes": 150,
    }
    assert problem_of(BodyTooLarge(limit_bytes=9), "r").details == {"limit_bytes": 9}


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (RateLimited(retry_after_seconds=2.4), "Retry-After", "3"),
        (RateLimited(retry_after_seconds=0.1), "Retry-After", "1"),
        (Unavailable(), "Retry-After", "1"),
        (BadToken(), "WWW-Authenticate", "Bearer"),
    ],
)
def test_errors_set_the_header_of_their_kind(error: DomainError, header: str, value: str) -> None:
    assert general_problem_response(error, "r").headers[header] == value


class _Inner(BaseModel):
    number: int = 0


class _Asked(BaseModel):
    text: Annotated[str, MaxBytes("no_such_limit", 3)] = ""
    emoji: EmojiText = Emoji("👍")
    inner: list[_Inner] = []


def refusal(text: str) -> DomainError:
    with pytest.raises(ValidationError) as caught:
        _Asked.model_validate_json(text)
    return validation_problem(caught.value, "body")


def test_invalid_fields_are_listed_with_their_reasons() -> None:
    error = refusal('{"inner": [{"number": "x"}], "text": 7}')
    assert isinstance(error, InvalidRequest)
    assert [told["field"] for told in error.details["errors"]] == ["text", "inner.0.number"]
    assert all(told["reason"] for told in error.details["errors"])


def test_a_text_too_long_and_a_word_for_an_emoji_have_codes_of_their_own() -> None:
    assert refusal('{"text": "故x"}').details == {"field": "text", "limit_bytes": 3}
    assert refusal('{"emoji": "hello"}').code == "bad_emoji"


def test_invalid_json_is_an_error_of_the_body() -> None:
    assert refusal("{").details["errors"][0]["field"] == "body"


def test_at_most_twenty_reasons_are_listed() -> None:
    many = ", ".join('{"number": "x"}' for _ in range(50))
    assert len(refusal(f'{{"inner": [{many}]}}').details["errors"]) == 20
