"""One emoji, as the `emoji` package lists the Unicode set, and its one spelling.

Skin tones, flags, joined families and keycaps are one emoji each. An emoji with and without its variation selector
(`❤` and `❤️`) is the same, and is stored and shown in its fully qualified spelling.
"""

from typing import Annotated, Final, NewType

import emoji
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_VARIATION_SELECTOR: Final = "\ufe0f"
_MAX_CHARACTERS: Final = 64  # more than any emoji has; a longer text is not even searched
_QUALIFIED: Final = {
    text.replace(_VARIATION_SELECTOR, ""): text
    for text, data in emoji.EMOJI_DATA.items()
    # A lone skin tone or hair colour is a component, not an emoji.
    if data["status"] == emoji.STATUS["fully_qualified"]
}

Emoji = NewType("Emoji", str)
"""One emoji in its one spelling."""


def canonical_emoji(text: str) -> Emoji | None:
    """The fully qualified spelling of the emoji; None when the text is not exactly one emoji."""
    if len(text) > _MAX_CHARACTERS:
        return None
    found = _QUALIFIED.get(text.replace(_VARIATION_SELECTOR, ""))
    return None if found is None else Emoji(found)


def _checked(text: str) -> Emoji:
    canonical = canonical_emoji(text)
    if canonical is None:
        raise PydanticCustomError("bad_emoji", "is not an emoji")
    return canonical


EMOJI: Final = "x-emoji"
"""Marks a text that is one emoji in a JSON schema."""

EmojiText = Annotated[
    Emoji, Field(examples=["👍"], json_schema_extra={EMOJI: True}), AfterValidator(_checked)
]
"""One emoji in a request, brought to its fully qualified spelling."""
