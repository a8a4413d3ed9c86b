"""The driver's things under our names: documents, collections, operations, and the indexes a store declares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorGridFSBucket
from pymongo import DESCENDING, DeleteMany, DeleteOne, InsertOne, UpdateOne
from pymongo.errors import DuplicateKeyError

__all__ = [
    "AS_BYTES",
    "AWARE_INSTANTS",
    "DESCENDING",
    "NAIVE_INSTANTS",
    "ONE_REPLY",
    "Collection",
    "Document",
    "DuplicateKeyError",
    "GridFSBucket",
    "Index",
    "NoFile",
    "Operation",
    "milliseconds_of",
]

Document = dict[str, Any]
GridFSBucket = AsyncIOMotorGridFSBucket
Collection = AsyncIOMotorCollection[Document]
Operation = InsertOne[Document] | UpdateOne | DeleteOne | DeleteMany

ONE_REPLY: Final = 10_000
"""The `batch_size` of a look-up of many keys: at the default of 101 documents the rest costs a command more."""

AWARE_INSTANTS: Final[CodecOptions[Document]] = CodecOptions(document_class=dict, tz_aware=True)
NAIVE_INSTANTS: Final = CodecOptions(document_class=dict, tz_aware=False)
AS_BYTES: Final[CodecOptions[Any]] = CodecOptions(document_class=RawBSONDocument)
_EPOCH: Final = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
"""Naive, like what it is subtracted from."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds_of(instant: datetime) -> int:
    """A naive instant of the database, in milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True)
class Index:
    """One index beyond `_id`: its keys and the query that needs it (`why` is for the reader)."""

    collection: str
    keys: Sequence[tuple[str, int]]
    why: str
    unique: bool = False
    partial: Document | None = None
    expire_after_seconds: int | None = None
