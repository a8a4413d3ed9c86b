"""Documents as bytes are decoded when they are looked at, and compared without."""

from typing import Any

from bson import decode, encode

from groups.kernel.undecoded import UndecodedMap, UndecodedRows, id_in, row_of


class Decoding:
    """Decodes the names of documents, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, raw: bytes) -> str:
        self.times += 1
        return str(decode(raw)["name"])


def stored(number: int, name: str = "") -> bytes:
    document: dict[str, Any] = {"_id": f"box\x1f{number}", "name": name or f"n{number}"}
    return encode(document)


def rows(decoding: Decoding, *numbers: int) -> UndecodedRows[str]:
    return UndecodedRows(numbers, [stored(number) for number in numbers], decoding)


def test_rows_are_cut_and_compared_without_decoding_any() -> None:
    decoding = Decoding()
    three = rows(decoding, 3, 2, 1)
    assert three == rows(decoding, 3, 2, 1)
    assert three[:2] == rows(decoding, 3, 2)
    assert three[:2] != three[1:]
    assert (len(three), list(three[1:].keys)) == (3, [2, 1])
    assert decoding.times == 0


def test_rows_are_decoded_when_they_are_looked_at() -> None:
    decoding = Decoding()
    three = rows(decoding, 3, 2, 1)
    assert (three[0], three[-1], decoding.times) == ("n3", "n1", 2)
    assert list(three) == ["n3", "n2", "n1"]
    assert three == ["n3", "n2", "n1"]
    assert three != ["n3", "n2"]


def test_a_map_is_compared_by_its_bytes_and_decoded_by_key() -> None:
    decoding = Decoding()
    two = UndecodedMap({1: stored(1), 2: stored(2)}, decoding)
    assert two == UndecodedMap({2: stored(2), 1: stored(1)}, decoding)
    assert two != UndecodedMap({1: stored(1), 2: stored(2, "other")}, decoding)
    assert (1 in two, 3 in two, list(two), len(two), decoding.times) == (True, False, [1, 2], 2, 0)
    assert (two[2], two.get(3), decoding.times) == ("n2", None, 1)
    assert two == {1: "n1", 2: "n2"}
    assert row_of(two, 1) == stored(1)
    assert row_of(two, 3) is row_of({}, 3) is None
    assert row_of({1: "n1"}, 1) == "n1"


def test_the_id_is_read_from_the_bytes() -> None:
    assert id_in(stored(12)) == "box\x1f12"
    assert id_in(encode({"_id": "Grüße\x1f1", "more": b"\0"})) == "Grüße\x1f1"
