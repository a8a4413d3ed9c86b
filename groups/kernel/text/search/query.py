"""What a user searches for: words, "phrases", and a last word that may not be finished.

Words and phrases may come in any order and in any field; all of them must be there. What stands together in the query
stands together in the text: `foo-bar` finds "foo bar", and `東京` these two characters side by side. The last word is
found by its beginning, unless a space or a quotation mark ends it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

from groups.kernel.text.search.folding import fold, fold_with_places, utf16_length
from groups.kernel.text.search.terms import BEGINNING, Term, term_of
from groups.kernel.text.search.tokens import Token, TokenKind, means_something_alone, tokens_of

MOST_HIGHLIGHTS: Final = 100
"""Of one text; a longer list helps nobody."""
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PART: Final = re.compile(r'"([^"]*)("?)|[^\s"]+')


class Highlight(NamedTuple):
    """A part of a text that matches, in UTF-16 code units."""

    start: int
    end: int


class Clause(NamedTuple):
    """Tokens that must follow one another. `is_open`: the last one is the beginning of a word."""

    tokens: tuple[str, ...]
    kinds: tuple[TokenKind, ...]
    is_open: bool

    def may_be_in(self, folded: str) -> bool:
        """Whether all its tokens are somewhere in the folded text, be it inside of words."""
        return all(token in folded for token in self.tokens)

    def term_texts(self) -> Iterator[tuple[str, str]]:
        """The texts of the terms that every text has which the clause matches, and what each of them stands for."""
        last = len(self.tokens) - 1
        for place, (text, kind) in enumerate(zip(self.tokens, self.kinds, strict=True)):
            if kind is TokenKind.CHARACTER:
                if place < last and self.kinds[place + 1] is TokenKind.CHARACTER:
                    pair = text + self.tokens[place + 1]
                    yield pair, pair
                if means_something_alone(text):
                    yield text, text
            elif place < last or not self.is_open or len(text) >= BEGINNING:
                yield text[:BEGINNING], text


@dataclass(frozen=True)
class SearchQuery:
    """A parsed query."""

    clauses: tuple[Clause, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The query that a user wrote; any text is one. Without words or emoji it has no clauses."""
        text = text.translate(_QUOTES)
        clauses: list[Clause] = []
        for part in _PART.finditer(text):
            is_quoted = part[1] is not None
            is_last = part.end() == len(text)
            found = list(tokens_of(fold(part[1] if is_quoted else part[0])))
            if not found:
                continue
            # A quotation that nobody has ended yet is still being written.
            is_open = is_last and not part[2] and found[-1].kind is TokenKind.WORD
            clauses.append(
                Clause(tuple(t.text for t in found), tuple(t.kind for t in found), is_open)
            )
        if len(clauses) == 1 and not list(clauses[0].term_texts()):
            # Two letters begin too many words, so alone they stand for the word of two letters.
            clauses = [clauses[0]._replace(is_open=False)]
        return cls(tuple(dict.fromkeys(clauses)))

    @cached_property
    def terms(self) -> Mapping[Term, int]:
        """The terms of every text that the query matches, each with a guess how rare it is: more is rarer."""
        found: dict[Term, int] = {}
        for clause in self.clauses:
            for text, meant in clause.term_texts():
                # A pair of Chinese characters tells about as much as a word of six letters.
                found[term_of(text)] = len(meant) if meant.isascii() else len(meant.encode())
        return found

    def match(self, text: str, *others: str) -> list[Highlight] | None:
        """Where the query matches the first text; None where it does not match these texts together.

        A clause is matched by one of the texts. The places are in order, and do not overlap.
        """
        fields = [fold(text), *(fold(other) for other in others if other)]
        if not all(any(clause.may_be_in(field) for field in fields) for clause in self.clauses):
            return None  # nearly always where it does not match, and in a tenth of the time
        folded = fold_with_places(text)
        left, spans = list[Clause](), list[tuple[int, int]]()
        for clause, found in _occurrences(self.clauses, list(tokens_of(folded.text))):
            if found:
                spans += found
            else:
                left.append(clause)
        for field in fields[1:]:
            if left:
                tokens = list(tokens_of(field))
                left = [clause for clause, found in _occurrences(left, tokens) if not found]
        if left:
            return None
        return _highlights(text, sorted(folded.span(*span) for span in spans))


def _occurrences(
    clauses: Sequence[Clause], tokens: Sequence[Token]
) -> Iterator[tuple[Clause, list[tuple[int, int]]]]:
    """Each clause with the places where it occurs among the tokens of one text."""
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(token.text, []).append(place)
    for clause in clauses:
        found: list[tuple[int, int]] = []
        if clause.is_open and len(clause.tokens) == 1:
            beginning = clause.tokens[0]
            found = [
                (tokens[place].start, tokens[place].start + len(beginning))
                for text, at in places.items()
                if text.startswith(beginning)
                for place in at[:MOST_HIGHLIGHTS]
            ]
        else:
            for place in places.get(clause.tokens[0], ()):
                end = _end_of(clause, tokens, place)
                if end is not None:
                    found.append((tokens[place].start, end))
                    if len(found) >= MOST_HIGHLIGHTS:
                        break
        yield clause, found


def _end_of(clause: Clause, tokens: Sequence[Token], place: int) -> int | None:
    """Where the clause ends, if it occurs from this token on."""
    following = tokens[place : place + len(clause.tokens)]
    if len(following) < len(clause.tokens):
        return None
    last = len(following) - 1
    for number, (wanted, token) in enumerate(zip(clause.tokens, following, strict=True)):
        if number == last and clause.is_open:
            return token.start + len(wanted) if token.text.startswith(wanted) else None
        if wanted != token.text:
            return None
    return following[-1].end


def _highlights(text: str, spans: Sequence[tuple[int, int]]) -> list[Highlight]:
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    found: list[Highlight] = []
    place = units = 0
    for start, end in merged[:MOST_HIGHLIGHTS]:
        begins = units + utf16_length(text[place:start])
        units = begins + utf16_length(text[start:end])
        place = end
        found.append(Highlight(begins, units))
    return found
