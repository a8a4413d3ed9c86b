"""Sorts the driver's errors: run the transaction again, wait for the database, or a defect; and how long to wait."""

from typing import Final

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from groups.kernel.errors import Unavailable

_DRIVER_DOWN: Final = (ConnectionFailure, ExecutionTimeout, WTimeoutError)
INTERRUPTED: Final = 11601
"""The command was ended from outside, as `StaleTransactions` does to a process that stood still and goes on again."""
# NotWritablePrimary, InterruptedAtShutdown and the like: the server steps down, stops or recovers. 43 and 237: it lost
# a cursor meanwhile. 134: it has no majority to read from yet.
_OUTAGE_CODES: Final = frozenset(
    {6, 7, 43, 64, 89, 91, 134, 189, 237, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436}
    | {INTERRUPTED}
)
_DUPLICATE: Final = 11000

TOO_LARGE: Final = frozenset({10334, 13548, 17419, 17420})
"""The answer does not fit into a document, or into the server's buffer for it."""

PATIENCE_SECONDS: Final = 20.0
"""How long a write is retried: longer than an election or the restart of a killed `mongod` takes."""


def is_transient(error: PyMongoError) -> bool:
    """Whether the transaction certainly did not commit and may be run again."""
    # A duplicate: two transactions inserted the same key, and the next attempt reads what the winner stored.
    return error.has_error_label("TransientTransactionError") or is_duplicate(error)


def is_duplicate(error: PyMongoError) -> bool:
    """Whether the key that a command or a bulk inserts is there already."""
    if isinstance(error, BulkWriteError):
        return any(each["code"] == _DUPLICATE for each in error.details["writeErrors"])
    return isinstance(error, DuplicateKeyError)


def is_outage(error: Exception) -> bool:
    """Whether the error, ours or the driver's, means that the database is away, and not that the command is wrong."""
    if isinstance(error, Unavailable):
        return True
    # The driver says so of a connection that was opened to a member before that member joined its replica set.
    if isinstance(error, ConfigurationError) and "Sessions are not supported" in str(error):
        return True
    return isinstance(error, _DRIVER_DOWN) or (
        isinstance(error, OperationFailure) and error.code in _OUTAGE_CODES
    )
