"""Documents that are read again and again, made into models once: the same bytes mean the same.

Of a hot channel the database sends the same posts hundreds of times a second. To decode one and build its models takes
8 microseconds, to recognise its bytes half of one. So a memory keeps what documents meant, by their bytes.

Promises:
    Fresh: every reading asks the database, and answers what it said; only what the same bytes mean is not worked out
    again. So there is nothing to invalidate.
    Same: while it is kept, an unchanged document is answered with the same object, by which others tell that nothing
    changed. It is shared, so it must be one that nobody changes.
    Bounded: what is kept takes no more memory than `most_bytes`, by what the store says a document and its meaning take
    (`weigh`); the oldest gives way.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from bson import decode

from groups.kernel.byte_cache import ByteCache
from groups.kernel.mongo.driver import AWARE_INSTANTS, Collection, Document

T = TypeVar("T")

_LENGTH_BYTES: Final = 4  # a document begins with its length in bytes, little-endian


class DecodedCache(Generic[T]):
    """A collection whose documents are remembered; `parse` makes of one what is answered for it.

    The fields that are `unseen` are not read, so that a document in which only they changed is the same as before.
    """

    def __init__(
        self,
        collection: Collection,
        parse: Callable[[Document], T],
        *,
        most_bytes: int,
        weigh: Callable[[bytes, T], int],
        takes_bytes: bool,
        unseen: Sequence[str] = (),
    ) -> None:
        self._collection = collection
        self.parse = parse
        self._takes_bytes = takes_bytes
        self.unseen = unseen
        self._known: ByteCache[bytes, T] = ByteCache(collection.name, most_bytes, weigh)

    async def find(self, filter_: Document, **options: Any) -> list[T]:
        """What each document that is found means, in the order of the query; `options` are those of the driver."""
        if self.unseen:
            options["projection"] = dict.fromkeys(self.unseen, 0)
        if not self._takes_bytes:
            found = self._collection.find(filter_, **options)
            return [self.parse(document) for document in await found.to_list(None)]
        # Bytes, whatever the driver's types say of cursors.
        cursor: Any = self._collection.find_raw_batches(filter_, **options)
        batches: list[bytes] = await cursor.to_list(None)
        return [self.meaning_of(raw) for batch in batches for raw in _documents_in(batch)]

    def meaning_of(self, raw: bytes) -> T:
        """What the document of these bytes means."""
        known = self._known.get(raw)
        if known is not None:
            return known
        meaning = self.parse(decode(raw, AWARE_INSTANTS))
        self._known.put(raw, meaning)
        return meaning


def _documents_in(batch: bytes) -> Iterator[bytes]:
    start, end = 0, len(batch)
    while start < end:
        following = start + int.from_bytes(batch[start : start + _LENGTH_BYTES], "little")
        yield batch[start:following]
        start = following
