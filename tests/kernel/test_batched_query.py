"""Several queries in one command: each has its own result, inside a transaction and outside, and on mongomock."""

from typing import Any

import pytest

from groups.kernel.mongo import BatchedQuery, Database, JoinedOn, Tx
from tests.builders import START, mock_database
from tests.kernel.conftest import Connect

Document = dict[str, Any]


class Asked:
    """Queries for a box, for the things in it, and for a thing that does not exist."""

    def __init__(self, database: Database, box_id: str) -> None:
        self.boxes, self.things = database.collection("boxes"), database.collection("things")
        self.database = database
        self.known = database.decoded_cache(
            "things",
            dict,
            max_bytes=10_000,
            size_of=lambda raw, _: len(raw),
            ignored_fields=["touched"],
        )
        self.box = BatchedQuery(self.boxes, {"_id": box_id}, lambda rows: rows[0] if rows else None)
        self.inside = BatchedQuery(
            self.things, {"box": box_id}, list, {"$sort": {"_id": -1}}, cache=self.known
        )
        self.none = BatchedQuery(self.things, {"_id": "nothing"}, len)

    async def fetch(self, tx: Tx | None = None) -> tuple[Document | None, list[Document], int]:
        await self.database.fetch(tx, self.box, self.inside, self.none)
        return self.box.result, self.inside.result, self.none.result

    async def fill(self) -> None:
        """Two boxes of three things."""
        for name in ("red", "blue"):
            await self.boxes.insert_one({"_id": name, "at": START, "tags": ["a", {"b": [1]}, []]})
            for number in range(3):
                row = {"_id": f"{name}{number}", "box": name, "at": START, "touched": number}
                await self.things.insert_one(row)


def answer(name: str, *, touched: bool) -> tuple[Document, list[Document], int]:
    box = {"_id": name, "at": START, "tags": ["a", {"b": [1]}, []]}
    things: list[Document] = [
        {"_id": f"{name}{number}", "box": name, "at": START}
        | ({"touched": number} if touched else {})
        for number in (2, 1, 0)
    ]
    return box, things, 0


async def test_each_query_has_its_own_result_in_a_transaction_and_outside(connect: Connect) -> None:
    asked = Asked(await connect(), "red")
    await asked.fill()
    expected = answer("red", touched=False)
    assert await asked.fetch() == expected
    async with asked.database.transaction() as tx:
        assert await asked.fetch(tx) == expected


async def test_on_mongomock_results_are_the_same_except_for_ignored_fields() -> None:
    asked = Asked(mock_database(), "blue")
    await asked.fill()
    assert await asked.fetch() == answer("blue", touched=True)


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_all_results_are_empty_when_the_first_query_finds_nothing(
    connect: Connect, in_transaction: bool
) -> None:
    asked = Asked(await connect(), "green")
    await asked.fill()
    await asked.things.insert_one({"_id": "green0", "box": "green"})
    if in_transaction:
        async with asked.database.transaction() as tx:
            assert await asked.fetch(tx) == (None, [], 0)
    else:
        assert await asked.fetch() == (None, [], 0)


@pytest.mark.parametrize("way", ["mongomock", "outside", "in a transaction"])
async def test_a_joined_query_finds_what_belongs_to_the_rows_of_another(
    connect: Connect, way: str
) -> None:
    asked = Asked(mock_database() if way == "mongomock" else await connect(), "red")
    await asked.fill()
    labels = asked.database.collection("labels")
    for thing in ("red0", "red2", "blue1"):
        for text in ("old", "new"):
            await labels.insert_one({"thing": thing, "text": text})
    newest = BatchedQuery(asked.things, {"box": "red"}, len, {"$sort": {"_id": -1}}, {"$limit": 2})
    of_newest: BatchedQuery[set[str]] = BatchedQuery(
        labels,
        {"text": "new"},
        lambda rows: {row["thing"] for row in rows},
        joined_on=JoinedOn(newest, "_id", "thing"),
    )
    if way == "in a transaction":
        async with asked.database.transaction() as tx:
            await asked.database.fetch(tx, asked.box, newest, of_newest)
    else:
        await asked.database.fetch(None, asked.box, newest, of_newest)
    assert (newest.result, of_newest.result) == (2, {"red2"})


async def test_an_unchanged_document_is_the_same_object_and_a_changed_one_is_not(
    connect: Connect,
) -> None:
    asked = Asked(await connect(), "red")
    await asked.fill()
    _, before, _ = await asked.fetch()
    await asked.things.update_one({"_id": "red1"}, {"$inc": {"touched": 1}})
    await asked.things.update_one({"_id": "red2"}, {"$set": {"weight": 3}})
    _, after, _ = await asked.fetch()
    assert [one is other for one, other in zip(before, after, strict=True)] == [False, True, True]
    assert after[0]["weight"] == 3


async def test_many_and_large_rows_are_complete(connect: Connect) -> None:
    asked = Asked(await connect(), "full")
    await asked.boxes.insert_one({"_id": "full"})
    rows: list[Document] = [
        {"_id": f"{number:04}", "box": "full", "text": "x" * (number * 7)} for number in range(300)
    ]
    await asked.things.insert_many(rows)
    assert (await asked.fetch())[1] == rows[::-1]
