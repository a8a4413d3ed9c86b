"""Several queries sent as one command.

A command costs the driver a third of a millisecond of CPU, and its caller twice that in waiting, however little it
reads. So a transaction that must know several things before it changes anything, and a reader that needs them at once,
ask for all of them together:

    group, members = groups.query_group(group_id), members.query_members(group_id, users)
    await database.fetch(tx, group, members)
    group.result, members.result

A store's `query_…` method returns such a query; its `find_…` and `read_…` methods send one of their own. Where no query
finds a document that is sure to exist, `Database.fetch_together` starts from none.

`$lookup` runs each query as it stands, with its own index and shard key, beside the document that the first one finds.
(`$unionWith` would be the plainer stage, but transactions do not take it.) A query may be `JoinedOn` an earlier one of
the same command; it then finds what belongs to the rows that the earlier one finds.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from bson import decode

from groups.kernel.mongo.decoded_cache import DecodedCache
from groups.kernel.mongo.driver import AWARE_INSTANTS, Collection, Document, aggregate

T = TypeVar("T")

_PREFIX: Final = "_answer_"
"""The beginning of the names of the fields that hold the queries' rows; a number follows."""
_LENGTH_BYTES: Final = 4  # documents and arrays begin with their length in bytes, little-endian


class JoinedOn(NamedTuple):
    """Restricts a query to what belongs to the rows of `query`: those whose field `key` is the field `by` here."""

    query: "BatchedQuery[Any]"
    key: str
    by: str

    def match(self, rows: list[Document]) -> Document:
        """The same condition, once the rows are known."""
        return {self.by: {"$in": [row[self.key] for row in rows]}}


class BatchedQuery(Generic[T]):
    """A query, and the function that makes its `result` of the rows; with a `cache`, of the cache's objects.

    With `parse_raw`, the result is made of the rows as they were sent, outside a transaction and not on mongomock.
    """

    def __init__(
        self,
        collection: Collection,
        match: Document,
        parse: Callable[[list[Any]], T],
        *stages: Document,
        cache: DecodedCache[Any] | None = None,
        joined_on: JoinedOn | None = None,
        parse_raw: Callable[[list[bytes]], T] | None = None,
    ) -> None:
        self.collection = collection
        self.joined_on = joined_on
        self.pipeline: list[Document] = [{"$match": match}, *stages]
        self._parse = parse
        self._parse_raw = parse_raw
        self._cache = cache
        self._results: list[T] = []

    @property
    def result(self) -> T:
        """The result. Raises: IndexError before `Database.fetch` has sent the query."""
        return self._results[0]

    @property
    def projected(self) -> list[Document]:
        """The pipeline without the fields that the cache ignores; mongomock cannot leave fields out."""
        ignored = list(self._cache.ignored_fields) if self._cache is not None else []
        return [*self.pipeline, {"$unset": ignored}] if ignored else self.pipeline

    def take_rows(self, rows: list[Document]) -> None:
        """Make the result of decoded rows."""
        if self._cache is not None:
            self._results = [self._parse([self._cache.parse(row) for row in rows])]
        else:
            self._results = [self._parse(rows)]

    def take_raw(self, rows: list[bytes]) -> None:
        """Make the result of rows that are not decoded yet."""
        if self._parse_raw is not None:
            self._results = [self._parse_raw(rows)]
        elif self._cache is not None:
            self._results = [self._parse([self._cache.decoded(row) for row in rows])]
        else:
            self._results = [self._parse([decode(row, AWARE_INSTANTS) for row in rows])]


def combined_pipeline(queries: Sequence[BatchedQuery[Any]]) -> list[Document]:
    """The pipeline on the first query's collection that answers all queries in one document."""
    first = queries[0]
    stages: list[Document] = [*first.projected, {"$replaceWith": {f"{_PREFIX}0": ["$$ROOT"]}}]
    return stages + _look_ups(queries, done=1)


def separate_pipeline(queries: Sequence[BatchedQuery[Any]]) -> list[Document]:
    """The pipeline on the database that answers all queries in one document, in this order."""
    return [{"$documents": [{}]}, *_look_ups(queries, done=0)]


def _look_ups(queries: Sequence[BatchedQuery[Any]], *, done: int) -> list[Document]:
    """The stages that add the rows of the queries after the first `done` to the one document."""
    stages: list[Document] = []
    field_of = {query: f"{_PREFIX}{number}" for number, query in enumerate(queries)}
    for query in queries[done:]:
        field = field_of[query]
        lookup: Document = {"from": query.collection.name, "pipeline": query.projected, "as": field}
        if query.joined_on is not None:
            other, key, by = query.joined_on
            lookup |= {"localField": f"{field_of[other]}.{key}", "foreignField": by}
        stages.append({"$lookup": lookup})
    return stages


async def fetch_one_by_one(queries: Sequence[BatchedQuery[Any]]) -> None:
    """Answer each query with a command of its own, for mongomock."""
    rows_of: dict[BatchedQuery[Any], list[Document]] = {}
    for query in queries:
        pipeline = query.pipeline
        if query.joined_on is not None:
            belonging = query.joined_on.match(rows_of[query.joined_on.query])
            pipeline = [{"$match": belonging}, *pipeline]
        rows_of[query] = await aggregate(query.collection, pipeline)
        query.take_rows(rows_of[query])


def distribute(queries: Sequence[BatchedQuery[Any]], answer: list[Document]) -> None:
    """Give each query its rows from the only document of the answer."""
    for number, query in enumerate(queries):
        query.take_rows(answer[0][f"{_PREFIX}{number}"] if answer else [])


def distribute_raw(queries: Sequence[BatchedQuery[Any]], answer: list[bytes]) -> None:
    """Give each query its rows, cut out of the bytes of the one document of the answer."""
    rows_of = _arrays_in(answer[0]) if answer else [[] for _ in queries]
    for query, rows in zip(queries, rows_of, strict=True):
        query.take_raw(rows)


def _arrays_in(raw: bytes) -> list[list[bytes]]:
    """The documents in each array of a BSON document that has no other fields."""
    arrays: list[list[bytes]] = []
    offset, end = _LENGTH_BYTES, len(raw) - 1  # a document ends in a zero
    while offset < end:
        # An element: one byte of type, its name up to a zero, its value.
        offset = raw.index(0, offset) + 1
        following = offset + int.from_bytes(raw[offset : offset + _LENGTH_BYTES], "little")
        rows: list[bytes] = []
        row, last = offset + _LENGTH_BYTES, following - 1
        while row < last:
            start = raw.index(0, row) + 1
            row = start + int.from_bytes(raw[start : start + _LENGTH_BYTES], "little")
            rows.append(raw[start:row])
        arrays.append(rows)
        offset = following
    return arrays
