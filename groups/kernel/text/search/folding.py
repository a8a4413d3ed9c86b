"""Folds texts for search, so that what people take for the same is equal: case, accents, widths, ligatures, skin tones.

The text is brought to Unicode's compatibility form (NFKC), then each character is folded by itself: small letters, no
accents of Latin, Greek and Cyrillic, no vowel points of Hebrew and Arabic, nothing invisible. Marks that are a part of
their word stay: those of India and South-East Asia, and the sound marks of Kana.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_OWN: Final = {
    "ı": "i",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ħ": "h",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
}
"""Letters that Unicode does not take apart, and that people without such a keyboard write so."""
_DROPPED: Final = re.compile(
    "["
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # accents
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # points of Hebrew
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"  # and of Arabic
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # which picture to show
    "\U0001f3fb-\U0001f3ff"  # skin tones
    "]"
)
_JOINS_THE_ONE_BEFORE: Final = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\uffa0-\uffdc]")
"""Characters without a combining class that NFKC may join to the one before: Korean letters, marks of narrow Kana."""


class _Table(dict[int, str]):
    """The folded form of each character, computed when it is met first; at most one entry a Unicode character."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if unicodedata.category(character) == "Cf":  # joiners, directions, soft hyphens
        return ""
    parts = unicodedata.normalize("NFD", character.casefold())
    bare = "".join(_OWN.get(part, part) for part in _DROPPED.sub("", parts))
    return unicodedata.normalize("NFC", bare)


_TABLE: Final = _Table()


def fold(text: str) -> str:
    """The folded text, which may be shorter or longer."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).translate(_TABLE)


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A folded text that knows where its characters came from."""

    text: str
    _starts: list[int] | None
    """The first and last places of the characters of the original; None: the same as here."""
    _ends: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original, in characters, that is folded to this part, which is not empty."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]


def fold_with_places(text: str) -> FoldedText:
    """As `fold`, with the place of each character."""
    if text.isascii():
        return FoldedText(text.lower(), None, None)
    if unicodedata.is_normalized("NFKC", text):
        folded = text.translate(_TABLE)
        lengths = [len(_TABLE[ord(character)]) for character in text]
        if all(length == 1 for length in lengths):
            return FoldedText(folded, None, None)
        starts = [place for place, length in enumerate(lengths) for _ in range(length)]
        return FoldedText(folded, starts, [place + 1 for place in starts])
    pieces = _pieces_of(text)
    ends_of_pieces = list(accumulate(map(len, pieces)))
    parts: list[str] = []
    starts, ends = [], []
    for piece, end in zip(pieces, ends_of_pieces, strict=True):
        part = fold(piece)
        parts.append(part)
        starts += [end - len(piece)] * len(part)
        ends += [end] * len(part)
    return FoldedText("".join(parts), starts, ends)


def _pieces_of(text: str) -> list[str]:
    """The text in pieces that NFKC changes each by itself: a character with what may be joined to it."""
    pieces: list[str] = []
    for character in text:
        is_joined = pieces and (
            unicodedata.category(character).startswith("M")
            or _JOINS_THE_ONE_BEFORE.match(character)
            # What a compatibility form begins with decides too: some signs are a blank and an accent.
            or unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
        )
        if is_joined:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def utf16_length(text: str) -> int:
    """The length in UTF-16 code units, as JavaScript counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
