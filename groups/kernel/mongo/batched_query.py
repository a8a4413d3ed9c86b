"""Several queries sent as one command: what a transaction must know before it changes anything, or a reader at once.

A command costs the driver a third of a millisecond of CPU and its caller twice that in waiting, however little it asks.
`$lookup` runs each of them as it stands, with its own index and shard key, beside the document that the first one
finds. (`$unionWith` would be the plainer word; transactions do not take it.)

    group, seats = groups.lookup(group_id), members.lookup_many(group_id, users)
    await database.look_up(tx, group, seats)
    group.found, seats.found

A look-up may go `JoinedOn` with another one of the command, and find what belongs to the rows that that one finds.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from bson import decode

from groups.kernel.mongo.decoded_cache import DecodedCache
from groups.kernel.mongo.driver import AWARE_INSTANTS, Collection, Document

T = TypeVar("T")

_PART: Final = "_answer_"
"""How the fields begin that hold the answers."""
_LENGTH_BYTES: Final = 4  # documents and arrays begin with their length in bytes, little-endian


class JoinedOn(NamedTuple):
    """Only what belongs to the rows that a look-up before it finds: their field `key` is the field `by` here."""

    of: "BatchedQuery[Any]"
    key: str
    by: str

    def match(self, rows: list[Document]) -> Document:
        """The same as a query, once the rows are known."""
        return {self.by: {"$in": [row[self.key] for row in rows]}}


class BatchedQuery(Generic[T]):
    """A query and what its rows mean; `found` once it was answered.

    With a `memory` of the collection, `parse` is given what the memory makes of each row in place of its document.
    """

    def __init__(
        self,
        collection: Collection,
        match: Document,
        parse: Callable[[list[Any]], T],
        *stages: Document,
        memory: DecodedCache[Any] | None = None,
        along: JoinedOn | None = None,
    ) -> None:
        self.collection = collection
        self.along = along
        self.pipeline: list[Document] = [{"$match": match}, *stages]
        self._parse = parse
        self._memory = memory
        self._answer: list[T] = []

    @property
    def found(self) -> T:
        """What was found. Raises: IndexError before the question was put."""
        return self._answer[0]

    @property
    def joined(self) -> list[Document]:
        """The pipeline without the fields that the memory does not see, which mongomock cannot leave out."""
        unseen = list(self._memory.unseen) if self._memory is not None else []
        return [*self.pipeline, {"$unset": unseen}] if unseen else self.pipeline

    def answer(self, rows: list[Document]) -> None:
        """Take the rows that were found."""
        if self._memory is None:
            self._answer = [self._parse(rows)]
        else:
            self._answer = [self._parse([self._memory.parse(row) for row in rows])]

    def answer_bytes(self, rows: list[bytes]) -> None:
        """Take the rows that were found, not decoded yet."""
        if self._memory is None:
            self._answer = [self._parse([decode(row, AWARE_INSTANTS) for row in rows])]
        else:
            self._answer = [self._parse([self._memory.meaning_of(row) for row in rows])]


def joined_pipeline(lookups: Sequence[BatchedQuery[Any]]) -> list[Document]:
    """The pipeline, on the first one's collection, that answers all of them in one document."""
    first = lookups[0]
    stages: list[Document] = [*first.joined, {"$replaceWith": {f"{_PART}0": ["$$ROOT"]}}]
    part_of = {first: f"{_PART}0"}
    for number, lookup in enumerate(lookups[1:], 1):
        part_of[lookup] = part = f"{_PART}{number}"
        join: Document = {
            "from": lookup.collection.name,
            "pipeline": lookup.joined,
            "as": part,
        }
        if lookup.along is not None:
            of, key, by = lookup.along
            join |= {"localField": f"{part_of[of]}.{key}", "foreignField": by}
        stages.append({"$lookup": join})
    return stages


async def look_up_one_by_one(lookups: Sequence[BatchedQuery[Any]]) -> None:
    """Answer them with a command each, where there is no other way (mongomock)."""
    rows_of: dict[BatchedQuery[Any], list[Document]] = {}
    for lookup in lookups:
        pipeline = lookup.pipeline
        if lookup.along is not None:
            pipeline = [{"$match": lookup.along.match(rows_of[lookup.along.of])}, *pipeline]
        rows_of[lookup] = await lookup.collection.aggregate(pipeline).to_list(None)
        lookup.answer(rows_of[lookup])


def hand_out(lookups: Sequence[BatchedQuery[Any]], rows: list[Document]) -> None:
    """Give each of them its rows."""
    for number, lookup in enumerate(lookups):
        lookup.answer(rows[0][f"{_PART}{number}"] if rows else [])


def hand_out_bytes(lookups: Sequence[BatchedQuery[Any]], rows: list[bytes]) -> None:
    """Give each of them its rows, as they stand in the bytes of the one document."""
    answers = _arrays_in(rows[0]) if rows else [[] for _ in lookups]
    for lookup, answer in zip(lookups, answers, strict=True):
        lookup.answer_bytes(answer)


def _arrays_in(raw: bytes) -> list[list[bytes]]:
    """Each array of documents that the document holds, whose other fields are none."""
    arrays: list[list[bytes]] = []
    place, end = _LENGTH_BYTES, len(raw) - 1  # a document ends in a zero
    while place < end:
        # An element: one byte of type, its name up to a zero, its value.
        place = raw.index(0, place) + 1
        following = place + int.from_bytes(raw[place : place + _LENGTH_BYTES], "little")
        rows: list[bytes] = []
        row, last = place + _LENGTH_BYTES, following - 1
        while row < last:
            start = raw.index(0, row) + 1
            row = start + int.from_bytes(raw[start : start + _LENGTH_BYTES], "little")
            rows.append(raw[start:row])
        arrays.append(rows)
        place = following
    return arrays
