"""The errors of searches."""

from typing import ClassVar

from groups.kernel.errors import InvalidInput


class SearchTooShort(InvalidInput):
    """The query has nothing to search for."""

    code: ClassVar[str] = "search_too_short"
    summary: ClassVar[str] = (
        "The search needs a word, an emoji, or two characters that stand together"
    )
    remedy: ClassVar[str] = (
        "Wait for more of the query. A query of punctuation alone finds nothing, and neither does a single letter of a "
        "script that is written without spaces, such as Thai."
    )
