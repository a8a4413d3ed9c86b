"""What an operator chooses about the database; apart from the connection, so that settings load without a driver."""

from enum import StrEnum
from typing import Final


class Driver(StrEnum):
    """Which driver talks to the database. Motor runs PyMongo in threads; PyMongo's own API runs on the event loop."""

    MOTOR = "motor"
    PYMONGO = "pymongo"


KEYS_PER_TRANSACTION: Final = 256
"""The most keys that a transaction of a group commit has by default: as many as a batch has entries."""
EVENT_RETENTION_SECONDS: Final = 86_400
"""How long an event stays in the log by default."""
