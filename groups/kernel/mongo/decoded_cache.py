"""A cache of models by the bytes of the documents that they were decoded from.

The database sends the same posts of a hot channel hundreds of times a second. Decoding one and building its models
takes 8 microseconds, finding its bytes in a dict half of one.

Contract, which the stores and their callers rely on:
    Fresh: every read asks the database and returns what it sent. Only the decoding of bytes that were decoded before
    is skipped, so there is nothing to invalidate.
    Same object: while an entry is cached, an unchanged document is returned as the same object. A caller may compare
    objects with `is` to see that nothing changed, and may key its own caches by them.
    Shared: many callers hold the same object, so it must be immutable.
    Bounded: the entries take no more memory than `max_bytes`, by the store's estimate `size_of`. The oldest entries are
    dropped first; a dropped document is decoded again, into another object.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from bson import decode

from groups.kernel.byte_cache import ByteCache
from groups.kernel.mongo.driver import AWARE_INSTANTS, Collection, Document

T = TypeVar("T")

_LENGTH_BYTES: Final = 4  # a document begins with its length in bytes, little-endian


class DecodedCache(Generic[T]):
    """One collection's documents, each made into a `T` by `parse`.

    `ignored_fields` are not read: a document in which only they changed is the same as before. `reads_raw` is False on
    mongomock, where nothing is cached.
    """

    def __init__(
        self,
        collection: Collection,
        parse: Callable[[Document], T],
        *,
        max_bytes: int,
        size_of: Callable[[bytes, T], int],
        reads_raw: bool,
        ignored_fields: Sequence[str] = (),
    ) -> None:
        self.parse = parse
        self.ignored_fields = ignored_fields
        self._collection = collection
        self._reads_raw = reads_raw
        self._entries: ByteCache[bytes, T] = ByteCache(collection.name, max_bytes, size_of)

    async def find(self, filter_: Document, **options: Any) -> list[T]:
        """The documents that the filter finds, in the order of the query; `options` are those of the driver."""
        if self.ignored_fields:
            options["projection"] = dict.fromkeys(self.ignored_fields, 0)
        if not self._reads_raw:
            found = self._collection.find(filter_, **options)
            return [self.parse(document) for document in await found.to_list(None)]
        # The driver's types do not say that this cursor yields bytes.
        cursor: Any = self._collection.find_raw_batches(filter_, **options)
        batches: list[bytes] = await cursor.to_list(None)
        return [self.decoded(raw) for batch in batches for raw in _documents_in(batch)]

    def decoded(self, raw: bytes) -> T:
        """The object that the document of these bytes stands for."""
        cached = self._entries.get(raw)
        if cached is not None:
            return cached
        decoded = self.parse(decode(raw, AWARE_INSTANTS))
        self._entries.put(raw, decoded)
        return decoded


def _documents_in(batch: bytes) -> Iterator[bytes]:
    start, end = 0, len(batch)
    while start < end:
        following = start + int.from_bytes(batch[start : start + _LENGTH_BYTES], "little")
        yield batch[start:following]
        start = following
