"""Several queries sent as one command: what a transaction must know before it changes anything.

A command costs the driver a third of a millisecond of CPU and its caller twice that in waiting, however little it asks.
`$lookup` runs each of them as it stands, with its own index and shard key, and hangs the answers on the document that
the first one finds. (`$unionWith` would be the plainer word; transactions do not take it.)

    group, seats = groups.lookup(group_id), members.lookup_many(group_id, users)
    await database.look_up(tx, group, seats)
    group.found, seats.found
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from groups.kernel.mongo.driver import Collection, Document

T = TypeVar("T")

_PART: Final = "_answer_"
"""How the fields begin that hold the others' answers; no stored document has one."""


class Lookup(Generic[T]):
    """A query and what its rows mean; `found` once it was answered."""

    def __init__(
        self,
        collection: Collection,
        match: Document,
        parse: Callable[[list[Document]], T],
        *stages: Document,
    ) -> None:
        self.collection = collection
        self.pipeline: list[Document] = [{"$match": match}, *stages]
        self._parse = parse
        self._answer: list[T] = []

    @property
    def found(self) -> T:
        """What was found. Raises: IndexError before the question was put."""
        return self._answer[0]

    def answer(self, rows: list[Document]) -> None:
        """Take the rows that were found."""
        self._answer = [self._parse(rows)]


def joined_pipeline(lookups: Sequence[Lookup[Any]]) -> list[Document]:
    """The pipeline, on the first one's collection, that answers all of them."""
    first, *others = lookups
    joins: list[Document] = [
        {
            "$lookup": {
                "from": other.collection.name,
                "pipeline": other.pipeline,
                "as": f"{_PART}{n}",
            }
        }
        for n, other in enumerate(others)
    ]
    return first.pipeline + joins


def hand_out(lookups: Sequence[Lookup[Any]], rows: list[Document]) -> None:
    """Give each of them its rows."""
    first, *others = lookups
    for number, other in enumerate(others):
        other.answer(rows[0].pop(f"{_PART}{number}") if rows else [])
    first.answer(rows)
