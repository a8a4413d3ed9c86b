"""The driver's things under our names: documents, collections, operations, and the indexes a store declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import DESCENDING, DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.errors import DuplicateKeyError

__all__ = [
    "DESCENDING",
    "ONE_REPLY",
    "Collection",
    "Document",
    "DuplicateKeyError",
    "Index",
    "Operation",
]

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Operation = InsertOne[Document] | UpdateOne | DeleteOne | DeleteMany

ONE_REPLY: Final = 10_000
"""The `batch_size` of a look-up of many keys: at the default of 101 documents the rest costs a command more."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index beyond `_id`: its keys and the query that needs it (`why` is for the reader)."""

    collection: str
    keys: Sequence[tuple[str, int]]
    why: str
    unique: bool = False
    partial: Document | None = None
    expire_after_seconds: int | None = None
