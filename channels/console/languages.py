"""The languages of the web app and the public pages: which there are, and the texts of pages that the server renders.

English texts of the app are modules in `static/js/texts`, and are the source. A translation is a folder
`static/texts/<language>` with a JSON file for each of them. `public.json` holds the texts of public pages, also in
English, since the server reads them. How a translator works is in `channels/docs/how-to/translate.md`.

Promises:
    A translation may lack a key or a plural form. English, or the form `other`, is shown in its place.
    Plural forms, numbers and dates follow Unicode's data of the language (CLDR).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import orjson
from babel import Locale
from babel.core import get_global, parse_locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

STATIC: Final = Path(__file__).parent / "static"
SOURCE: Final = "en"
_KEY: Final = re.compile(r'^  "([\w.]+)":', re.MULTILINE)
_VALUE: Final = re.compile(r"\{(\w+)\}")
_HEADER_CHARACTERS: Final = 200
"""Of `Accept-Language`; browsers send less than 100. What comes after them is not read."""

Text = str | dict[str, str]
"""A text, or one for each plural form of its language."""


@cache
def languages() -> tuple[str, ...]:
    """The tags of all languages, English first."""
    found = sorted(path.name for path in (STATIC / "texts").iterdir() if path.is_dir())
    return (SOURCE, *(name for name in found if name != SOURCE))


def english_keys() -> dict[str, set[str]]:
    """The keys of each area of the app, such as `console/posts`."""
    root = STATIC / "js" / "texts"
    areas = {
        path.relative_to(root).with_suffix("").as_posix(): _KEY.findall(path.read_text("utf-8"))
        for path in sorted(root.rglob("*.js"))
    }
    return {area: set(keys) for area, keys in areas.items() if keys}


def translated(language: str, area: str) -> dict[str, Text]:
    """The texts of an area in a language; empty if there is no such file."""
    path = STATIC / "texts" / language / f"{area}.json"
    texts: dict[str, Text] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return texts


@cache
def incomplete_areas() -> dict[str, list[str]]:
    """By language, the areas that lack a key, beside which the app loads the English texts."""
    english = english_keys()
    return {
        language: [
            area for area, keys in english.items() if keys - translated(language, area).keys()
        ]
        for language in languages()
        if language != SOURCE
    }


@dataclass(frozen=True, slots=True)
class PageTexts:
    """The texts of public pages in one language, with its numbers and dates."""

    language: str
    texts: dict[str, Text]
    locale: Locale

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    def text(self, key: str, **values: str | int) -> str:
        """The text of a key with its values. Numbers are formatted; `n` also selects the plural form."""
        found = self.texts[key]
        if isinstance(found, dict):
            found = found.get(self.locale.plural_form(int(values["n"])), found["other"])
        return _VALUE.sub(lambda match: self._shown(values[match[1]]), found)

    def _shown(self, value: str | int) -> str:
        return value if isinstance(value, str) else format_decimal(value, locale=self.locale)

    def time(self, instant: datetime) -> str:
        """Date and time in UTC, in the order of the language."""
        both = str(self.locale.datetime_formats["medium"])
        day, clock = (
            format_date(instant, locale=self.locale),
            format_time(instant, "short", locale=self.locale),
        )
        return both.replace("{0}", clock).replace("{1}", day)


@cache
def page_texts(language: str) -> PageTexts:
    """The texts of public pages in a language of `languages`."""
    texts = {**translated(SOURCE, "public"), **translated(language, "public")}
    return PageTexts(language, texts, Locale.parse(language, sep="-"))


@lru_cache(maxsize=256)
def language_for(accept_language: str) -> str:
    """The language of `languages` that the reader prefers, by the header `Accept-Language`; English if there is none.

    A language is taken for all its regions, but not for another script: `zh-TW` is no wish for `zh-Hans`.
    """
    wishes = []
    for part in accept_language[:_HEADER_CHARACTERS].split(","):
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            wishes.append((float(weight or 1), _written(tag)))
        except ValueError:
            continue  # not of the header's form
    known = {_written(language): language for language in reversed(languages())}
    for quality, wish in sorted(wishes, key=lambda one: -one[0]):
        if quality > 0 and wish in known:
            return known[wish]
    return SOURCE


def _written(tag: str) -> tuple[str, str]:
    """Language and script of a tag, the script also where the tag leaves it to the region.

    Raises: ValueError for what is no tag.
    """
    language, region, script, *_ = parse_locale(tag, sep="-")
    if script is None:
        likely = get_global("likely_subtags")
        full = likely.get(f"{language}_{region}") or likely.get(language)
        script = parse_locale(full)[2] if full else None
    return language, script or ""
