"""What one emoji is: the Unicode set as the `emoji` package lists it, each in one spelling.

Skin tones, flags, joined families and keycaps are one emoji each. The same emoji with and without its variation
selector (`❤` and `❤️`) is one, and its fully qualified spelling is the one that is stored and shown.
"""

from typing import Annotated, Final

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


def canonical_emoji(text: str) -> str | None:
    """The one spelling of the emoji; None when the text is not exactly one emoji."""
    return _QUALIFIED.get(text.replace(_VARIATION_SELECTOR, ""))


def _checked(text: str) -> str:
    canonical = canonical_emoji(text)
    if canonical is None:
        raise PydanticCustomError("bad_emoji", "{text} is not an emoji", {"text": text[:40]})
    return canonical


EmojiText = Annotated[str, Field(max_length=64, examples=["👍"]), AfterValidator(_checked)]
"""One emoji as it arrives in a request, brought to its one spelling."""
