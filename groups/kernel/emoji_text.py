"""What one emoji is: the Unicode set as the `emoji` package lists it, each in one spelling.

Skin tones, flags, joined families and keycaps are one emoji each. The same emoji with and without its variation
selector (`❤` and `❤️`) is one, and its fully qualified spelling is the one that is stored and shown.
"""

from typing import Annotated, Final, NewType

import emoji
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_VARIATION_SELECTOR: Final = "\ufe0f"

_QUALIFIED: Final = {
    text.replace(_VARIATION_SELECTOR, ""): text
    for text, data in emoji.EMOJI_DATA.items()
    # A lone skin tone or hair colour is a component, not an emoji.
    if data["status"] == emoji.STATUS["fully_qualified"]
}

_LONGEST: Final = (
    64  # characters; more than any emoji has, so that a long text is not even searched
)


Emoji = NewType("Emoji", str)
"""One emoji in its one spelling."""


def canonical_emoji(text: str) -> Emoji | None:
    """The one spelling of the emoji; None when the text is not exactly one emoji."""
    if len(text) > _LONGEST:
        return None
    found = _QUALIFIED.get(text.replace(_VARIATION_SELECTOR, ""))
    return None if found is None else Emoji(found)


def _checked(text: str) -> Emoji:
    canonical = canonical_emoji(text)
    if canonical is None:
        raise PydanticCustomError("bad_emoji", "is not an emoji")
    return canonical


EMOJI: Final = "x-emoji"
"""How a JSON schema marks a text that is one emoji."""

EmojiText = Annotated[
    Emoji, Field(examples=["👍"], json_schema_extra={EMOJI: True}), AfterValidator(_checked)
]
"""One emoji as it arrives in a request, brought to its one spelling."""
