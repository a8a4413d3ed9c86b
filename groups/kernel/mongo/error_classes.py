"""What the driver's errors mean for us: run it again, wait for the database, or a defect; and how long to wait."""

from typing import Final

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from groups.kernel.errors import Unavailable

_DRIVER_DOWN: Final = (
    ConnectionFailure,
    ServerSelectionTimeoutError,
    NetworkTimeout,
    ExecutionTimeout,
    WTimeoutError,
)
# NotWritablePrimary, InterruptedAtShutdown and their kin: the server steps down, stops or recovers; 43 and 237: it
# forgot a cursor meanwhile; 134: it has no majority to read from yet; 11601: the command was ended from outside, as
# `orphans` does to a process that stood still and goes on at that very moment.
INTERRUPTED: Final = 11601
_CODES_OF_CHANGE: Final = frozenset(
    {6, 7, 43, 64, 89, 91, 134, 189, 237, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436}
    | {INTERRUPTED}
)


TOO_LARGE: Final = frozenset({10334, 13548, 17419, 17420})
"""The answer does not fit into a document, or into the buffer that it is made in."""

PATIENCE_SECONDS: Final = 20.0
"""How long a write is retried: longer than an election or the restart of a killed `mongod` takes."""


def is_transient(error: PyMongoError) -> bool:
    """Whether the transaction surely did not commit and may be run again."""
    return error.has_error_label("TransientTransactionError") or isinstance(
        # Two transactions that insert the same key: the look-up of the next attempt sees the winner.
        error,
        DuplicateKeyError,
    )


def is_outage(error: Exception) -> bool:
    """Whether the error, ours or the driver's, tells of a database that is away, not of a command that is wrong."""
    if isinstance(error, Unavailable):
        return True
    # What the driver says over a connection to a member that had not joined its replica set yet when it was opened.
    if isinstance(error, ConfigurationError) and "Sessions are not supported" in str(error):
        return True
    return isinstance(error, _DRIVER_DOWN) or (
        isinstance(error, OperationFailure) and error.code in _CODES_OF_CHANGE
    )
