"""The check for exactly one emoji."""

import emoji
import pytest
from pydantic import TypeAdapter, ValidationError

from groups.kernel.text.emoji import EmojiText, canonical_emoji

ONE: TypeAdapter[str] = TypeAdapter(EmojiText)


@pytest.mark.parametrize(
    "text",
    ["👍", "👍🏽", "🇫🇷", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👩🏾‍🚀", "1️⃣", "#️⃣", "❤️", "🫱🏻‍🫲🏿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
    ids=[
        "plain",
        "tone",
        "flag",
        "family",
        "joined flag",
        "joined tone",
        "keycap",
        "hash",
        "heart",
        "hands",
        "tags",
    ],
)
def test_one_emoji_is_accepted(text: str) -> None:
    assert ONE.validate_python(text) == text


@pytest.mark.parametrize(
    ("bare", "full"),
    [("❤", "❤️"), ("☀", "☀️"), ("1⃣", "1️⃣"), ("🏳‍🌈", "🏳️‍🌈"), ("❤‍🔥", "❤️‍🔥"), ("👍️", "👍")],
)
def test_an_emoji_has_one_spelling_with_and_without_its_selector(bare: str, full: str) -> None:
    assert bare != full
    assert ONE.validate_python(bare) == ONE.validate_python(full) == full


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "yes", "1", "#", "*", ":heart:", "👍👍", "👍 ", " 👍", "👍a", "👍\u200d", "🇫", "\ufe0f", "\u200d",
     "🏽", "🦰", "♥♥", "茶", "\x00", "\ud83d", "👍" * 40],
)  # fmt: skip
def test_a_text_that_is_not_exactly_one_emoji_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ONE.validate_python(text)


def test_the_refusal_has_a_type_of_its_own() -> None:
    with pytest.raises(ValidationError) as caught:
        ONE.validate_python("yes")
    assert caught.value.errors()[0]["type"] == "bad_emoji"


def test_every_emoji_of_unicode_is_known_in_one_spelling() -> None:
    full = [
        text
        for text, data in emoji.EMOJI_DATA.items()
        if data["status"] == emoji.STATUS["fully_qualified"]
    ]
    assert len(full) > 3_000
    assert [text for text in full if canonical_emoji(text) != text] == []
    lesser = [text for text, data in emoji.EMOJI_DATA.items()
              if data["status"] in {emoji.STATUS["minimally_qualified"], emoji.STATUS["unqualified"]}]  # fmt: skip
    assert [text for text in lesser if canonical_emoji(text) not in full] == []
    assert all(len(text) <= 64 for text in full)
