"""Ids: their alphabet, and that joined keys can be taken apart in one way only."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from groups.kernel.ids import (
    GROUP_ID_BYTES,
    ID_PATTERN,
    SEPARATOR,
    USER_ID_BYTES,
    GroupIdText,
    UserIdText,
    derive_id,
    is_id,
    join_key,
    mint_id,
)

USER: TypeAdapter[str] = TypeAdapter(UserIdText)
GROUP: TypeAdapter[str] = TypeAdapter(GroupIdText)


@pytest.mark.parametrize("text", ["ada", "Ada Byron", "@TGS#_tea", "茶", "a.b", "...", "🍵", "x/y"])
def test_printable_text_is_an_id(text: str) -> None:
    assert is_id(text, 48)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " ada",
        "ada ",
        ".",
        "..",
        "a\nb",
        "a\x00",
        "a\x1fb",
        "a\u200bb",
        "\u202eada",
        "a\u00a0b",
        "\ud800",
    ],
)
def test_invisible_or_ambiguous_text_is_not_an_id(text: str) -> None:
    assert not is_id(text, 48)


@pytest.mark.parametrize(("adapter", "limit"), [(USER, USER_ID_BYTES), (GROUP, GROUP_ID_BYTES)])
def test_an_ids_limit_counts_bytes_exactly(adapter: TypeAdapter[str], limit: int) -> None:
    for fits in ("x" * limit, "茶" * (limit // 3) + "x" * (limit % 3)):
        assert adapter.validate_python(fits) == fits
        with pytest.raises(ValidationError):
            adapter.validate_python(fits + "x")


@given(st.lists(st.text().filter(lambda text: is_id(text, 48)), min_size=1, max_size=4))
def test_a_joined_key_comes_apart_into_its_parts(parts: list[str]) -> None:
    assert join_key(*parts).split(SEPARATOR) == parts


@given(st.text(max_size=60) | st.text(st.sampled_from(" .a@\x00\x1f\x7f\xa0\u200b茶"), max_size=60))
def test_the_schema_pattern_fits_every_id_and_in_ascii_nothing_else(text: str) -> None:
    fits = re.fullmatch(ID_PATTERN, text) is not None and len(text) <= GROUP_ID_BYTES
    if text.isascii():
        assert fits == is_id(text, GROUP_ID_BYTES)
    else:
        assert fits or not is_id(text, GROUP_ID_BYTES)


def test_numbers_are_joined_in_decimal() -> None:
    assert join_key("group_tea", 12) == f"group_tea{SEPARATOR}12"


def test_minted_ids_differ_and_are_plain() -> None:
    minted = {mint_id() for _ in range(1_000)}
    assert len(minted) == 1_000
    assert {len(each) for each in minted} == {16}
    assert set("".join(minted)) <= set(string.ascii_lowercase + "234567")


def test_the_same_parts_derive_the_same_id_and_other_parts_another() -> None:
    assert derive_id("ada", "k") == derive_id("ada", "k")
    assert (
        len(
            {derive_id("ada", "k"), derive_id("bob", "k"), derive_id("adak"), derive_id("a", "dak")}
        )
        == 4
    )
