"""Cuts folded texts into tokens: words, single characters of scripts without spaces, and single emoji."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

_IDEOGRAPHIC: Final = (
    "\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3105-\u312f"  # Kana, Bopomofo
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Korean
)
"""Of which one character means something."""
_UNSPACED: Final = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u109f\u1780-\u17d3"
"""Thai, Lao, Burmese, Khmer: alphabets whose words stand without spaces."""
_SYMBOLS: Final = (
    "\u203c\u2049\u2139\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d"
    "\u00a9\u00ae\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_LETTERS_OF_FLAGS: Final = "\U0001f1e6-\U0001f1ff"


def _marks() -> str:
    """The marks that belong to words and that Python does not count as letters: vowel signs of India, mostly."""
    blocks = (range(0x0300, 0x1E00), range(0xA600, 0xAC00), range(0x10A00, 0x11F00))
    marks = [chr(code) for block in blocks for code in block]
    return "".join(mark for mark in marks if unicodedata.category(mark).startswith("M"))


_CHARACTERS: Final = _IDEOGRAPHIC + _UNSPACED
_LETTER: Final = rf"[^\W_{_CHARACTERS}{_SYMBOLS}]"
_TOKEN: Final = re.compile(
    rf"({_LETTER}(?:{_LETTER}+|[{_marks()}])*)"
    rf"|([{_CHARACTERS}])"
    rf"|([{_LETTERS_OF_FLAGS}]{{2}}|[{_SYMBOLS}{_LETTERS_OF_FLAGS}])"
)
_IS_IDEOGRAPHIC: Final = re.compile(f"[{_IDEOGRAPHIC}]")
_IS_NO_WORD: Final = re.compile(rf"[{_CHARACTERS}{_SYMBOLS}{_LETTERS_OF_FLAGS}]")
_WORD: Final = re.compile(rf"{_LETTER}(?:{_LETTER}+|[{_marks()}])*")
_ASCII_WORD: Final = re.compile("[0-9A-Za-z]+")


class TokenKind(Enum):
    """What a token is; the values are the groups of the pattern."""

    WORD = 1
    CHARACTER = 2
    SYMBOL = 3


class Token(NamedTuple):
    """A part of a folded text: `text` is what is between `start` and `end`."""

    text: str
    kind: TokenKind
    start: int
    end: int


_KINDS: Final = {kind.value: kind for kind in TokenKind}


def tokens_of(folded: str) -> Iterator[Token]:
    """The tokens of a folded text, in order."""
    for match in _TOKEN.finditer(folded):
        text = sys.intern(match[0]) if len(match[0]) == 1 else match[0]
        yield Token(text, _KINDS[match.lastindex or 1], match.start(), match.end())


def parts_of(folded: str) -> list[tuple[str, str, str]]:
    """The texts of the tokens alone, each in the place of its kind: word, character, symbol. Half of the time."""
    return _TOKEN.findall(folded)


def words_of(folded: str) -> list[str] | None:
    """The texts of the tokens, where all of them are words; None where they are not. A third of the time."""
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return None if _IS_NO_WORD.search(folded) else _WORD.findall(folded)


def means_something_alone(character: str) -> bool:
    """Whether one such character is worth a search: a Chinese one is, a letter of Thai is not."""
    return _IS_IDEOGRAPHIC.match(character) is not None
