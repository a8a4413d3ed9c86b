"""Search in texts, in ten scripts: what is alike, what terms find, and where a query matches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groups.kernel.text.search.folding import fold, fold_with_places, utf16_length
from groups.kernel.text.search.query import MOST_HIGHLIGHTS, Highlight, SearchQuery
from groups.kernel.text.search.terms import MOST_TERMS, terms_of
from groups.kernel.text.search.tokens import tokens_of

SENTENCES = [
    "The quick brown fox jumps over the naïve café owner's straße.",  # Latin
    "Съешь ещё этих мягких французских булок",  # Cyrillic
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",  # Greek
    "صِف خَلقَ خَودٍ كَمِثلِ الشَمسِ",  # Arabic
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה",  # Hebrew
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा",  # Devanagari
    "我能吞下玻璃而不伤身体。東京都に住む",  # Chinese, Japanese
    "ガラスを食べられます。ｶﾞﾗｽ",  # Japanese, also narrow
    "키스의 고유조건은 입술끼리 만나야 하고",  # Korean
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",  # Thai
    "ga 👍🏽 naar 🇳🇱 met 👨‍👩‍👧 ❤️ 10️⃣",  # emoji
]
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(
        alphabet=sorted(set("".join(SENTENCES)) | set("\u0301\u3099\u200d\ufe0f½ﬁ\uff9e")),
        max_size=60,
    ),
)


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT)
def test_folding_with_places_is_folding_and_keeps_inside_the_text(text: str) -> None:
    folded = fold_with_places(text)
    assert folded.text == fold(text)
    assert fold(fold(text)) == fold(text)
    spans = [folded.span(place, place + 1) for place in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=3), st.data())
def test_terms_find_every_text_that_a_part_of_it_matches(
    texts: list[str], data: st.DataObject
) -> None:
    text = " ".join(texts)
    start = data.draw(st.integers(0, len(text) - 1))
    part = text[start : start + data.draw(st.integers(1, 30))].replace('"', "")
    query = SearchQuery.parse(data.draw(st.sampled_from([part, f'"{part}"', part.upper()])))
    found = query.match(text)
    if found is not None:
        assert set(query.terms) <= set(terms_of([text]))
        units = utf16_length(text)
        assert all(0 <= place.start < place.end <= units for place in found)
        ends = [place.end for place in found[:-1]]
        assert all(end <= later.start for end, later in zip(ends, found[1:], strict=True))


@settings(max_examples=60, deadline=None)
@given(ANY_TEXT, ANY_TEXT)
def test_any_query_and_any_text_are_taken(query: str, text: str) -> None:
    parsed = SearchQuery.parse(query)
    found = parsed.match(text)
    if parsed.clauses and found is not None:
        assert set(parsed.terms) <= set(terms_of([text]))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_word_of_a_sentence_finds_it_and_its_beginning_too(sentence: str) -> None:
    for word in sentence.split():
        query = SearchQuery.parse(f"{word} ")
        if query.clauses:
            assert query.match(sentence), word
    half = sentence[: len(sentence) * 2 // 3]
    assert SearchQuery.parse(half).match(sentence), half


@pytest.mark.parametrize(
    ("query", "text", "shown"),
    [
        ("STRASSE", "In der Straße", ["Straße"]),
        ("cafe", "ein cafe\u0301 heute", ["cafe\u0301"]),
        ("ångstrom", "ANGSTRÖM", ["ANGSTRÖM"]),
        ("istanbul", "İSTANBUL", ["İSTANBUL"]),
        ("ёлка", "ЕЛКА", ["ЕЛКА"]),
        ("مرحبا", "مَرْحَبًا بك", ["مَرْحَبًا"]),
        ("שלום", "שָׁלוֹם", ["שָׁלוֹם"]),
        ("ガ", "ｶﾞｽ", ["ｶﾞ"]),
        ("京都", "東京都に", ["京都"]),
        ("하세", "안녕하세요", ["하세"]),
        ("สวัส", "สวัสดีครับ", ["สวัส"]),
        ("हिन", "मैं हिन्दी", ["हिन"]),
        ("👍", "ok 👍🏽!", ["👍"]),
        ("👩", "🙂 👨‍👩‍👧", ["👩"]),
        ("🇩🇪", "🇫🇷🇩🇪", ["🇩🇪"]),
        ("meet", "Meeting, meetings; a meet", ["Meet", "meet", "meet"]),
        ('"new york"', "york new, New  York", ["New  York"]),
        ("foo-bar", "Foo bar", ["Foo bar"]),
        ("wor 🌍 hel ", None, []),
        ("meet ", "a meeting", None),
        ("meeting fox", "a meeting", None),
        ("東都", "東京都", None),
        ("🇪🇫", "🇫🇷🇩🇪", None),
        ('"new york', "in New Yorkshire", ["New York"]),
        ("york n", "New York", ["N", "York"]),
        ("ne", "New York", None),
        ("ne", "né en 1990", ["né"]),
        ("“new york”", "in New York", ["New York"]),
    ],
)
def test_what_a_query_matches(query: str, text: str | None, shown: list[str] | None) -> None:
    if text is None:
        assert len(SearchQuery.parse(query).clauses) == 3
        return
    found = SearchQuery.parse(query).match(text)
    if shown is None:
        assert found is None
        return
    assert found is not None
    assert set(SearchQuery.parse(query).terms) <= set(terms_of([text]))
    units = text.encode("utf-16-le")
    assert [units[2 * start : 2 * end].decode("utf-16-le") for start, end in found] == shown


def test_words_may_be_in_several_fields_but_a_phrase_in_one() -> None:
    assert SearchQuery.parse("budget report").match("The report", "budget.pdf") == [
        Highlight(4, 10)
    ]
    assert SearchQuery.parse('"report budget"').match("The report", "budget.pdf") is None
    assert SearchQuery.parse("budget").match("The report", "budget.pdf") == []


@pytest.mark.parametrize("query", ["", " ", "...", '"', '""', "!?", "ก"])
def test_a_query_without_anything_to_find_has_no_terms(query: str) -> None:
    assert not SearchQuery.parse(query).terms


def test_long_texts_have_a_bounded_number_of_terms_and_highlights() -> None:
    text = "".join(f"{chr(0x4E00 + number)}{chr(0x4E01 + number)}" for number in range(MOST_TERMS))
    assert len(terms_of([text])) > 0.99 * MOST_TERMS  # some may share a number
    assert len(terms_of([text])) <= MOST_TERMS
    assert len(terms_of(["x " * 10_000])) == 1
    found = SearchQuery.parse("x").match("x " * 5_000)
    assert found is not None
    assert len(found) == MOST_HIGHLIGHTS
    # The first ones are those that are found.
    assert set(SearchQuery.parse(text[:4]).terms) <= set(terms_of([text]))
    assert not set(SearchQuery.parse(text[-4:]).terms) <= set(terms_of([text]))


def test_tokens_stand_where_they_say() -> None:
    for sentence in SENTENCES:
        folded = fold(sentence)
        assert all(folded[token.start : token.end] == token.text for token in tokens_of(folded))
