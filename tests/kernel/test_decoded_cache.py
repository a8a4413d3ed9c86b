"""A decoded cache reads from the database every time, and decodes only new documents."""

from typing import Any, Final

from groups.kernel.byte_cache import ENTRY_BYTES, PARTS
from groups.kernel.mongo import Database
from tests.builders import START, mock_database
from tests.kernel.conftest import Connect

Document = dict[str, Any]

LONGEST: Final = 200
KEPT: Final = 4


class Reader:
    """A cache of `KEPT` documents of at most `LONGEST` bytes, and the documents that were parsed for it."""

    def __init__(self, database: Database) -> None:
        self.collection = database.collection("things")
        self.parsed: list[int] = []
        self._cache = database.decoded_cache(
            "things",
            self._parse,
            max_bytes=KEPT * (1_000 + ENTRY_BYTES),
            size_of=lambda raw, _: 1_000 + max(0, len(raw) - LONGEST),
        )

    def _parse(self, document: Document) -> Document:
        self.parsed.append(document["_id"])
        return document

    async def store(self, number: int, **values: object) -> None:
        await self.collection.replace_one({"_id": number}, {"at": START, **values}, upsert=True)

    async def find(self, *numbers: int) -> list[Document]:
        return await self._cache.find({"_id": {"$in": list(numbers)}}, sort=[("_id", 1)])


async def test_only_a_changed_document_is_decoded_again(
    connect: Connect,
) -> None:
    reader = Reader(await connect())
    await reader.store(1, name="a")
    await reader.store(2, name="b")
    one, two = await reader.find(1, 2)
    assert one == {"_id": 1, "at": START, "name": "a"}  # instants have a time zone, as everywhere
    await reader.store(2, name="c")
    again, changed = await reader.find(1, 2)
    assert again is one
    assert changed["name"] == "c"
    assert two["name"] == "b"
    assert reader.parsed == [1, 2, 2]


async def test_a_deleted_document_is_not_found_and_a_restored_one_is_the_same(
    connect: Connect,
) -> None:
    reader = Reader(await connect())
    await reader.store(1, name="a")
    first = await reader.find(1)
    await reader.collection.delete_one({"_id": 1})
    assert await reader.find(1) == []
    await reader.store(1, name="a")
    assert await reader.find(1) == first


async def test_the_oldest_document_is_dropped_at_the_bound(connect: Connect) -> None:
    reader = Reader(await connect())
    for number in (1, 2, 3, 4, 5):
        await reader.store(number)
    await reader.find(1, 2, 3, 4)
    await reader.find(1, 2, 3, 4)
    assert reader.parsed == [1, 2, 3, 4]
    await reader.find(5)
    await reader.find(2, 3, 4, 5)
    assert reader.parsed == [1, 2, 3, 4, 5]
    await reader.find(1)
    assert reader.parsed == [1, 2, 3, 4, 5, 1]


async def test_a_document_beyond_the_bound_is_read_and_not_cached(connect: Connect) -> None:
    reader = Reader(await connect())
    empty = 4 + 1 + 4 + 4 + 1 + 3 + 8 + 1 + 5 + 4 + 1 + 1  # BSON: _id (int32), at, name and its end
    assert KEPT == PARTS  # so that one document takes as much as an entry may
    for length, readings in ((LONGEST - empty, 1), (LONGEST - empty + 1, 2)):
        reader.parsed.clear()
        await reader.store(1, name="x" * length)
        for _ in range(2):
            (found,) = await reader.find(1)
            assert len(found["name"]) == length
        assert len(reader.parsed) == readings


async def test_a_reply_of_many_batches_is_read_completely(connect: Connect) -> None:
    reader = Reader(await connect())
    numbers = list(range(250))  # the first batch of the database has 101
    await reader.collection.insert_many([{"_id": number} for number in numbers])
    assert [found["_id"] for found in await reader.find(*numbers)] == numbers


async def test_on_mongomock_nothing_is_cached() -> None:
    reader = Reader(mock_database())
    await reader.store(1, name="a")
    assert await reader.find(1) == await reader.find(1)
    assert reader.parsed == [1, 1]
