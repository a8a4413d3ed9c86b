"""Cursors: a list reads back its own; any other text is refused and crashes nothing."""

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groups.kernel.errors import BadCursor
from groups.kernel.paging import Key, cut_page, decode_cursor, encode_cursor


def _forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63) + 1, 2**63 - 1))
@example("", 0)
@example("\x00\U0010ffff", -1)
def test_a_cursor_decodes_to_the_key_it_was_made_of(text: str, number: int) -> None:
    cursor = encode_cursor("list", text, number)
    assert decode_cursor("list", cursor, str, int) == (text, number)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


def test_without_a_cursor_a_list_starts_at_its_beginning() -> None:
    assert decode_cursor("list", None, str) is None


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (["other", "a"], (str,)),
        (["list"], (str,)),
        (["list", "a", "b"], (str,)),
        (["list", 1], (str,)),
        (["list", "1"], (int,)),
        (["list", True], (int,)),
        (["list", 1.0], (int,)),
        (["list", None], (str,)),
        (["list", ["a"]], (str,)),
        (["list", {"$gt": ""}], (str,)),
        (["list", 2**63], (int,)),
        (["list", -(2**63)], (int,)),
        (["list", "\ud800"], (str,)),
        ({"list": "a"}, (str,)),
        ("list", (str,)),
        (7, (str,)),
        (None, (str,)),
        ([], (str,)),
    ],
)
def test_a_forged_cursor_is_refused(value: object, kinds: tuple[type[Key], ...]) -> None:
    with pytest.raises(BadCursor):
        decode_cursor("list", _forged(value), *kinds)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "x",
        "!!!!",
        "tée",
        "\ud800",
        " ",
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[").decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b'["list", ' + b"9" * 5_000 + b"]").decode(),
        base64.urlsafe_b64encode(b'["list", NaN]').decode(),
    ],
)
def test_text_that_is_not_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor("list", cursor, int)


@given(st.text())
def test_no_text_crashes_the_decoder(text: str) -> None:
    try:
        found = decode_cursor("list", text, str)
    except BadCursor:
        return
    assert found is not None
    assert isinstance(found[0], str)


def test_a_page_is_cut_at_its_limit_and_knows_whether_more_follow() -> None:
    assert cut_page([1, 2, 3], 3) == ([1, 2, 3], False)
    assert cut_page([1, 2, 3], 2) == ([1, 2], True)
    assert cut_page([], 2) == ([], False)
