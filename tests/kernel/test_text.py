"""Byte limits: bytes are not characters, a deployment may set its own, what is not Unicode is refused."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from groups.kernel.text import LIMITS, TOO_LONG, MaxBytes, NotBlank, byte_length
from groups.limits import GroupLimits

TEN: TypeAdapter[str] = TypeAdapter(Annotated[str, MaxBytes("group_name_bytes", 10)])
LINE: TypeAdapter[str] = TypeAdapter(NotBlank)


def _error(text: object, adapter: TypeAdapter[str] = TEN, **context: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(text, context=context or None)
    return caught.value.errors()[0]["type"]


@pytest.mark.parametrize(
    ("fits", "too_long"),
    [
        ("x" * 10, "x" * 11),
        ("é" * 5, "é" * 5 + "x"),
        ("茶" * 3 + "x", "茶" * 3 + "xx"),
        ("🍵🍵xx", "🍵🍵xxx"),
    ],
)
def test_the_limit_counts_bytes_exactly(fits: str, too_long: str) -> None:
    assert TEN.validate_python(fits) == fits
    assert _error(too_long) == TOO_LONG


@given(st.text())
def test_a_text_is_taken_exactly_when_its_bytes_fit(text: str) -> None:
    if len(text.encode()) <= 10:
        assert TEN.validate_python(text) == text
    else:
        assert _error(text) == TOO_LONG


def test_the_deployments_limit_goes_before_the_default() -> None:
    limits = GroupLimits(group_name_bytes=4)
    assert TEN.validate_python("茶x", context={LIMITS: limits}) == "茶x"
    assert _error("茶xx", limits=limits) == TOO_LONG
    assert TEN.validate_python("x" * 12, context={LIMITS: GroupLimits(group_name_bytes=12)})


def test_a_refusal_names_the_limit_in_force() -> None:
    with pytest.raises(ValidationError) as caught:
        TEN.validate_python("xxxxx", context={LIMITS: GroupLimits(group_name_bytes=4)})
    assert caught.value.errors()[0]["ctx"] == {"limit_bytes": 4}


@pytest.mark.parametrize("text", ["\ud800", "tea\udfff", "\udc00\ud800"])
def test_a_lone_surrogate_is_a_refusal_and_not_a_crash(text: str) -> None:
    assert _error(text) == "not_unicode"
    assert byte_length("😀") == 4


def test_no_text_is_no_text() -> None:
    assert TEN.validate_python("") == ""
    assert _error(None) == "string_type"


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\t"])
def test_a_blank_line_is_refused(text: str) -> None:
    assert _error(text, LINE) == "blank"
    assert LINE.validate_python(text + "x" if "\t" not in text else "x")


@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\x1f", "\x7f"])
def test_a_line_holds_no_control_character(control: str) -> None:
    assert LINE.validate_python("green tea") == "green tea"
    assert _error(f"green{control}tea", LINE) == "control_character"


def test_the_schema_tells_both_characters_and_bytes() -> None:
    schema = TEN.json_schema()
    assert (schema["maxLength"], schema["x-limit-bytes"]) == (10, 10)
