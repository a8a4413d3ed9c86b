"""The driver's types under our names, and the declaration of an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorGridFSBucket
from pymongo import DeleteMany, DeleteOne, InsertOne, UpdateOne

Document = dict[str, Any]
GridFSBucket = AsyncIOMotorGridFSBucket
Collection = AsyncIOMotorCollection[Document]
Operation = InsertOne[Document] | UpdateOne | DeleteOne | DeleteMany

ONE_REPLY: Final = 10_000
"""The `batch_size` of a query by many keys; with the default of 101 documents, the rest costs another command."""

AWARE_INSTANTS: Final[CodecOptions[Document]] = CodecOptions(document_class=dict, tz_aware=True)
NAIVE_INSTANTS: Final = CodecOptions(document_class=dict, tz_aware=False)
AS_BYTES: Final[CodecOptions[Any]] = CodecOptions(document_class=RawBSONDocument)
_EPOCH: Final = datetime.fromtimestamp(0, UTC).replace(tzinfo=None)  # naive; see `milliseconds_of`
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds_of(instant: datetime) -> int:
    """A naive instant as the database returns it, in milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


@dataclass(frozen=True, slots=True)
class Index:
    """An index, and the query that needs it (`why`, for the reader); without `keys`, only the collection is created."""

    collection: str
    keys: Sequence[tuple[str, int]]
    why: str
    unique: bool = False
    partial: Document | None = None
    expire_after_seconds: int | None = None
