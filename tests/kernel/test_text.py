"""Texts: limits in bytes and a deployment's own, control characters, lines, and invalid Unicode."""

import re
from typing import Annotated

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from groups.kernel.text.bounded import (
    LIMITS,
    TOO_LONG,
    Line,
    MaxBytes,
    NotBlank,
    OneLine,
    Text,
    byte_length,
    json_without_controls,
)
from groups.limits import GroupLimits

TEN: TypeAdapter[str] = TypeAdapter(Annotated[str, MaxBytes("group_name_bytes", 10)])
LINE: TypeAdapter[str] = TypeAdapter(NotBlank)
TEXT: TypeAdapter[str] = TypeAdapter(Text)
LINES: tuple[TypeAdapter[str], ...] = (LINE, TypeAdapter(Line), TypeAdapter(OneLine))
CONTROLS = [
    chr(code)
    for code in (*range(0x20), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF)
    if chr(code) not in "\t\n\r"
]
BREAKS = ["\t", "\n", "\r", "\u2028", "\u2029"]


def _error(text: object, adapter: TypeAdapter[str] = TEN, **context: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(text, context=context or None)
    return caught.value.errors()[0]["type"]


def _fits_schema(text: str, adapter: TypeAdapter[str]) -> bool:
    return re.search(adapter.json_schema()["pattern"].removesuffix("$") + r"\Z", text) is not None


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
def test_a_text_is_accepted_exactly_when_its_bytes_fit(text: str) -> None:
    if len(text.encode()) <= 10:
        assert TEN.validate_python(text) == text
    else:
        assert _error(text) == TOO_LONG


def test_the_deployments_limit_overrides_the_default() -> None:
    limits = GroupLimits(group_name_bytes=4)
    assert TEN.validate_python("茶x", context={LIMITS: limits}) == "茶x"
    assert _error("茶xx", limits=limits) == TOO_LONG
    assert TEN.validate_python("x" * 12, context={LIMITS: GroupLimits(group_name_bytes=12)})


def test_a_refusal_names_the_limit_in_force() -> None:
    with pytest.raises(ValidationError) as caught:
        TEN.validate_python("xxxxx", context={LIMITS: GroupLimits(group_name_bytes=4)})
    assert caught.value.errors()[0]["ctx"] == {"limit_bytes": 4, "held_bytes": 5}


@pytest.mark.parametrize("text", ["\ud800", "tea\udfff", "\udc00\ud800"])
def test_a_lone_surrogate_is_refused_and_crashes_nothing(text: str) -> None:
    assert _error(text) == "not_unicode"
    assert byte_length("😀") == 4


def test_an_empty_text_is_accepted() -> None:
    assert TEN.validate_python("") == ""
    assert _error(None) == "string_type"


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\t"])
def test_a_blank_line_is_refused(text: str) -> None:
    assert _error(text, LINE) == "blank"
    assert LINE.validate_python(text + "x" if "\t" not in text else "x")


@pytest.mark.parametrize("control", [*CONTROLS, *BREAKS], ids=ascii)
def test_a_line_has_no_control_character_and_no_line_break(control: str) -> None:
    for line in LINES:
        assert line.validate_python("green tea") == "green tea"
        assert _error(f"green{control}tea", line) == "control_character"
        assert not _fits_schema(f"green{control}tea", line)


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_a_text_has_no_control_character_anywhere(control: str) -> None:
    for text in (control, f"{control}tea", f"green{control}tea", f"tea\n{control}"):
        assert _error(text, TEXT) == "control_character"
        assert not _fits_schema(text, TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\tone\n\ntwo\n",
        "a\u00a0b",
        "שלום \u202b12\u202c",
        "👨\u200d👩\u200d👧",
        "a\u2028b",
        "\ufeffa",
    ],
    ids=ascii,
)
def test_a_text_keeps_ordinary_writing(text: str) -> None:
    assert TEXT.validate_python(text) == text
    assert _fits_schema(text, TEXT)


def test_all_line_ends_of_a_text_become_newlines() -> None:
    assert TEXT.validate_python("one\r\ntwo\rthree\n\r\n") == "one\ntwo\nthree\n\n"


@given(st.text())
def test_the_schema_allows_exactly_what_is_accepted(text: str) -> None:
    for adapter in (TEXT, *LINES):
        is_taken = True
        try:
            adapter.validate_python(text)
        except ValidationError:
            is_taken = False
        assert is_taken == _fits_schema(text, adapter)


def test_json_has_no_control_characters_at_any_depth() -> None:
    def cleaned(value: object) -> object:
        return json_without_controls(value, orjson.dumps(value).decode())

    plain = {"a": ["\\u0001 as text", 1.5, None, True, {"ключ": "x\n\ty"}]}
    assert cleaned(plain) == plain
    assert cleaned([{"a\r\n": "b\r\n"}]) == [{"a\n": "b\n"}]
    for control in CONTROLS:
        for value in (control, [[control]], {"a": {control: 1}}, {"a": {"b": ["c", control]}}):
            with pytest.raises(PydanticCustomError):
                cleaned(value)


def test_the_schema_has_the_limit_in_characters_and_in_bytes() -> None:
    schema = TEN.json_schema()
    assert (schema["maxLength"], schema["x-limit-bytes"]) == (10, 10)
