"""MongoDB: the connection, transactions, queries, indexes, and the outbox.

Only this package and the stores know the driver, so that it can be replaced in one place.
"""

from gridfs.errors import NoFile
from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from groups.kernel.database_options import Driver
from groups.kernel.mongo.batched_query import BatchedQuery, JoinedOn
from groups.kernel.mongo.columns import Changed, as_columns, columns_in, is_since
from groups.kernel.mongo.connection import POOL_SIZE, OldServer, StandaloneServer
from groups.kernel.mongo.database import Database
from groups.kernel.mongo.driver import (
    ONE_REPLY,
    Collection,
    Document,
    GridFSBucket,
    Index,
    aggregate,
    milliseconds_of,
)
from groups.kernel.mongo.error_classes import is_outage
from groups.kernel.mongo.indexes import ensure_indexes
from groups.kernel.mongo.replica_set import ensure_single_node
from groups.kernel.mongo.transactions import Tx

__all__ = [
    "DESCENDING",
    "ONE_REPLY",
    "POOL_SIZE",
    "BatchedQuery",
    "Changed",
    "Collection",
    "Database",
    "Document",
    "Driver",
    "DuplicateKeyError",
    "GridFSBucket",
    "Index",
    "JoinedOn",
    "NoFile",
    "OldServer",
    "StandaloneServer",
    "Tx",
    "aggregate",
    "as_columns",
    "columns_in",
    "ensure_indexes",
    "ensure_single_node",
    "is_outage",
    "is_since",
    "milliseconds_of",
]
