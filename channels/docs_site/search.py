"""Finds the sections of the guides and the calls of the API that contain the words of a query.

Promises:
    The index is made once. A search looks words up and never scans the texts; it takes about a millisecond.
    Every word of the query is found as a word or as the beginning of one. If no section has all words, those with the
    most of them are found. The small words of a question are left out.
    Words in a title count most, then those in a heading, then those in the text.
"""

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Final, NamedTuple

QUERY_CHARACTERS: Final = 100
QUERY_WORDS: Final = 8
RESULTS: Final = 20
EXCERPT_CHARACTERS: Final = 180
_WORD: Final = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_TITLE, _HEADING, _TEXT = 12.0, 6.0, 1.0
_WHOLE: Final = 2.0  # how much more a whole word counts than the beginning of one
_FILLERS: Final = frozenset(
    re.findall(
        r"\w+",
        "a an and are at be by can do does for from how i if in into is it me my of on or should that the there this to"
        " we what when where which who why will with you your",
    )
)
"""Words of a question that say nothing about its subject."""
_COMPLETIONS: Final = 200  # words that may begin with a word of the query


@dataclass(frozen=True, slots=True)
class Passage:
    """What a search may find: a section of a guide, or a call of the API."""

    address: str
    title: str
    """Of its page."""
    heading: str
    """Empty for the beginning of a page."""
    part: str
    """The part of the navigation, or `API`."""
    text: str
    weight: float = 1.0
    """How much its words count."""


class Piece(NamedTuple):
    """A piece of an excerpt; `is_match` where it is a word that was searched for."""

    text: str
    is_match: bool


class Result(NamedTuple):
    """A passage that was found."""

    passage: Passage
    excerpt: Sequence[Piece]


class SearchIndex:
    """The words of all passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        weights: defaultdict[str, dict[int, float]] = defaultdict(dict)
        for number, passage in enumerate(passages):
            for word, weight in _weights_of(passage).items():
                weights[word][number] = weight * passage.weight
        self._weights = dict(weights)
        self._words = sorted(weights)

    def find(self, query: str, *, most: int = RESULTS) -> list[Result]:
        """The passages with the words of the query, the best first. Later words than `QUERY_WORDS` are ignored."""
        asked = dict.fromkeys(_words_of(query[:QUERY_CHARACTERS]))
        words = ([word for word in asked if word not in _FILLERS] or list(asked))[:QUERY_WORDS]
        if not words:
            return []
        scores: defaultdict[int, float] = defaultdict(float)
        matched: Counter[int] = Counter()
        for word in words:
            for number, weight in self._found(word).items():
                scores[number] += weight
                matched[number] += 1
        most_matched = max(matched.values(), default=0)
        found = [number for number, count in matched.items() if count == most_matched]
        found.sort(key=lambda number: (-scores[number], number))
        shown = re.compile(
            "|".join(rf"(?<![^\W_]){re.escape(_stem(word))}\w*" for word in words), re.I
        )
        return [
            Result(self._passages[number], excerpt(self._passages[number].text, shown))
            for number in found[:most]
        ]

    def _found(self, word: str) -> dict[int, float]:
        """The passages with this word or one that begins like it. Rare words count more."""
        found: dict[int, float] = {}
        stem = _stem(word)
        for other in self._completions(stem):
            factor = _WHOLE if other in (word, stem) else 1.0
            for number, weight in self._weights[other].items():
                found[number] = max(found.get(number, 0.0), factor * weight)
        rarity = math.log(1 + len(self._passages) / (1 + len(found)))
        return {number: weight * rarity for number, weight in found.items()}

    def _completions(self, stem: str) -> list[str]:
        start = bisect_left(self._words, stem)
        if len(stem) == 1:
            return [stem] if self._weights.get(stem) else []
        following = self._words[start : start + _COMPLETIONS]
        return list(takewhile(lambda word: word.startswith(stem), following))


def excerpt(text: str, shown: re.Pattern[str]) -> list[Piece]:
    """The words around the first match, with all matches in them marked."""
    first = shown.search(text)
    start = max(0, first.start() - EXCERPT_CHARACTERS // 3) if first else 0
    if start:
        start = text.find(" ", start) + 1
    end = min(len(text), start + EXCERPT_CHARACTERS)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + EXCERPT_CHARACTERS // 2)
    pieces: list[Piece] = []
    place = start
    for match in shown.finditer(text, start, end):
        if match.start() > place:
            pieces.append(Piece(text[place : match.start()], False))
        pieces.append(Piece(match[0], True))
        place = match.end()
    pieces.append(Piece(text[place:end], False))
    before = "…" if start else ""
    after = "…" if end < len(text) else ""
    pieces[0] = (
        pieces[0]._replace(text=before + pieces[0].text) if not pieces[0].is_match else pieces[0]
    )
    pieces[-1] = pieces[-1]._replace(text=pieces[-1].text + after)
    return [piece for piece in pieces if piece.text]


def _weights_of(passage: Passage) -> dict[str, float]:
    weights: defaultdict[str, float] = defaultdict(float)
    for word, count in Counter(_words_of(passage.text)).items():
        weights[word] += _TEXT * (1 + math.log(count))
    for word in _heading_words(passage.heading):
        weights[word] += _HEADING
    for word in _heading_words(passage.title):
        # The beginning of a page answers for the page.
        weights[word] += _TITLE if not passage.heading else _HEADING / 2
    return weights


def _heading_words(text: str) -> set[str]:
    """The words of a heading, also those that some write as one: `backup` for `Back up`."""
    words = _words_of(text)
    return {*words, *(first + second for first, second in pairwise(words))}


def _words_of(text: str) -> list[str]:
    """The words, and the parts of words that are joined by underscores."""
    found: list[str] = []
    for match in _WORD.finditer(text.casefold()):
        word = match[0]
        found.append(word)
        if "_" in word:
            found += word.split("_")
    return found


def _stem(word: str) -> str:
    """The word without a plural ending, so that `backups` finds `backup`."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
