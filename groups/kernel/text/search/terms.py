"""The terms by which an index finds a text: small numbers, which stand for beginnings of words, for pairs and emoji.

Every term is an entry of an index that each post pays for, so a word has one: its beginning of `BEGINNING` characters.
That finds whole words and unfinished ones. What begins alike and is another word is compared and left out
(`groups.kernel.text.search.query`). Scripts without spaces have a term for each pair of neighbours, and for each
character that means something alone. A term is stored as a number of 32 bits, half of what the texts would take.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from groups.kernel.text.search.folding import fold
from groups.kernel.text.search.tokens import means_something_alone, parts_of, words_of

MOST_TERMS: Final = 1_000
"""Of one message: of its first 1,000 different words, or 500 Chinese characters. Each is an entry of an index."""
BEGINNING: Final = 3
"""The characters of a word that its term is made of; shorter words are taken whole."""

Term = int
"""From -2^31 to 2^31 - 1, so that the database stores four bytes."""


def term_of(text: str) -> Term:
    """The number of a folded text."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) - 2**31


def terms_of(texts: Iterable[str], most: int = MOST_TERMS) -> list[Term]:
    """The terms of a message with these texts, ascending: the first `most` that occur."""
    found: dict[str, None] = {}
    for text in texts:
        if text:
            found.update(dict.fromkeys(_term_texts_of(fold(text))))
            if len(found) >= most:
                break
    return sorted({term_of(text) for text in list(found)[:most]})


def _term_texts_of(folded: str) -> Iterable[str]:
    words = words_of(folded)
    if words is not None:
        return [word[:BEGINNING] for word in words]
    return _mixed_term_texts_of(folded)


def _mixed_term_texts_of(folded: str) -> Iterator[str]:
    before = ""  # the character before, where the token before was one
    for word, character, symbol in parts_of(folded):
        if character:
            if before:
                yield before + character
            if means_something_alone(character):
                yield character
        else:
            yield word[:BEGINNING] or symbol
        before = character
