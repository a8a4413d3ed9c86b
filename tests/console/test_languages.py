"""Every language of the app has each text of the English one, with its values and its plural forms."""

import json
import re
from pathlib import Path

import pytest
from babel import Locale

from channels.console.languages import (
    SOURCE,
    STATIC,
    Text,
    english_keys,
    incomplete_areas,
    language_for,
    languages,
    page_texts,
    translated,
)

FORMS = re.compile(r'(\w+):\s+("(?:[^"\\]|\\.)*")')


def english(area: str) -> dict[str, Text]:
    """The English texts of an area, read from its module as `biome` formats it."""
    if area == "public":
        return translated(SOURCE, area)
    module = (STATIC / "js" / "texts" / f"{area}.js").read_text(encoding="utf-8")
    body = "{" + module.partition("export default {")[2].rpartition("};")[0] + "}"
    quoted = re.sub(r"^\s*//.*$", "", FORMS.sub(r'"\1": \2', body), flags=re.M)
    texts: dict[str, Text] = json.loads(re.sub(r",(\s*})", r"\1", quoted))
    return texts


def values_of(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", languages()[1:])
def test_a_language_has_every_text_with_its_values_and_plural_forms(language: str) -> None:
    forms = set(Locale.parse(language, sep="-").plural_form.tags) | {"other"}
    areas = [*english_keys(), "public"]
    files = {
        path.relative_to(STATIC / "texts" / language).with_suffix("").as_posix()
        for path in (STATIC / "texts" / language).rglob("*.json")
    }
    assert files == set(areas)
    for area in areas:
        source, own = english(area), translated(language, area)
        assert source.keys() == own.keys(), area
        for key, text in source.items():
            found = own[key]
            if isinstance(text, str):
                assert isinstance(found, str), key
                assert values_of(found) == values_of(text), key
                continue
            assert isinstance(found, dict), key
            assert set(found) == forms, key
            needed = values_of(text["other"])
            for form, one in found.items():
                # The forms for none, one and two may say it in words.
                in_words = form in {"zero", "one", "two"}
                assert values_of(one) <= needed if in_words else values_of(one) == needed, key


def test_no_english_is_loaded_beside_a_complete_translation() -> None:
    assert set(languages()) == {"en", "de", "zh-Hans", "ar"}
    assert incomplete_areas() == {"ar": [], "de": [], "zh-Hans": []}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,de;q=0.5", "en"),
        ("fr, ar;q=0.3, en;q=0.2", "ar"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("zh-TW,de;q=0.9", "de"),
        ("zh-Hant, zh-SG;q=0.1", "zh-Hans"),
        ("de;q=0, ar", "ar"),
        ("*", "en"),
        ("de;q=x, ;q=1, 💥, en;q=0.1", "en"),
        (",".join(["fr"] * 100) + ",de", "en"),
    ],
)
def test_a_public_page_is_in_the_language_that_its_reader_prefers(
    header: str, language: str
) -> None:
    assert language_for(header) == language


def test_texts_of_pages_have_the_plural_forms_and_numbers_of_their_language() -> None:
    arabic, german = page_texts("ar"), page_texts("de")
    assert arabic.direction == "rtl"
    assert german.direction == "ltr"
    shown = [arabic.text("subscribers", n=n) for n in (0, 1, 2, 3, 11, 100)]
    assert len(set(shown)) == 6
    assert german.text("subscribers", n=12345) == "12.345 Abonnenten"


def test_every_translation_is_data_without_markup() -> None:
    for path in sorted(Path(STATIC / "texts").rglob("*.json")):
        assert not re.search(r"<\w|&\w+;", path.read_text(encoding="utf-8")), path
