"""Compares messages with keywords: pure. Case, accents, widths and punctuation do not count, as in searches."""

from collections.abc import Sequence

from channels.self_service.automatic_messages.models import Match
from groups.kernel.text.search.folding import fold
from groups.kernel.text.search.tokens import tokens_of

Words = tuple[str, ...]


def words_in(text: str) -> Words:
    """The words of the text as they are compared; in scripts without spaces, each character is one."""
    return tuple(token.text for token in tokens_of(fold(text)))


def matches(message: Words, keywords: Sequence[str], match: Match) -> bool:
    """Whether one of the keywords is in the message, or is all of it."""
    return any(_has(message, words_in(keyword), match) for keyword in keywords)


def _has(message: Words, keyword: Words, match: Match) -> bool:
    if not keyword:
        return False
    if match is Match.EXACT:
        return message == keyword
    length = len(keyword)
    return any(
        message[start : start + length] == keyword for start in range(len(message) - length + 1)
    )
