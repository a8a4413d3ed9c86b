"""Stored documents as bytes, which are decoded when they are looked at.

A page of posts is answered from JSON that was rendered before, as long as the stored bytes are the same. Comparing the
bytes of twenty posts takes a microsecond, decoding them 150. `keys` tell which documents they are without decoding any.

Two of them are equal where their bytes are. The converse does not hold: different bytes may stand for equal objects.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
T = TypeVar("T")

ROW_BYTES = 80
"""The memory of a row beside its bytes: the object's head, its key, and its places."""


class UndecodedRows(Sequence[T]):
    """Rows in an order, each with a number by which it is known."""

    __slots__ = ("_decode", "keys", "raw")

    def __init__(
        self, keys: Sequence[int], raw: Sequence[bytes], decode: Callable[[bytes], T]
    ) -> None:
        self.keys = keys
        self.raw = raw
        self._decode = decode

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> "UndecodedRows[T]": ...
    def __getitem__(self, place: int | slice) -> "T | UndecodedRows[T]":
        if isinstance(place, slice):
            return UndecodedRows(self.keys[place], self.raw[place], self._decode)
        return self._decode(self.raw[place])

    def __iter__(self) -> Iterator[T]:
        return map(self._decode, self.raw)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UndecodedRows):
            return self.raw == other.raw  # which tells the keys too
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # mypy does not know this way to say "not hashable"

    @property
    def memory_bytes(self) -> int:
        return sum(map(len, self.raw)) + ROW_BYTES * len(self.raw)


class UndecodedMap(Mapping[K, T], Generic[K, T]):
    """Rows by key."""

    __slots__ = ("_decode", "raw")

    def __init__(self, raw: Mapping[K, bytes], decode: Callable[[bytes], T]) -> None:
        self.raw = raw
        self._decode = decode

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, key: K) -> T:
        return self._decode(self.raw[key])

    def __iter__(self) -> Iterator[K]:
        return iter(self.raw)

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UndecodedMap):
            return self.raw == other.raw
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # mypy does not know this way to say "not hashable"

    @property
    def memory_bytes(self) -> int:
        return sum(map(len, self.raw.values())) + 2 * ROW_BYTES * len(self.raw)


def row_of(rows: Mapping[K, Any], key: K) -> object:
    """What stands under the key, as bytes where it is not decoded; None where nothing does. It is for comparing."""
    return rows.raw.get(key) if isinstance(rows, UndecodedMap) else rows.get(key)


def id_in(raw: bytes) -> str:
    """The `_id` of a stored document, which is a text: always its first field, and without a zero."""
    return raw[_ID_AT : raw.index(0, _ID_AT)].decode()


_ID_AT = 13
"""Behind the document's length (4 bytes), the first field's type and name (1 and 4), and the text's length (4)."""
