"""The names of the two database drivers, apart from the drivers: who reads settings loads neither."""

from enum import StrEnum


class Driver(StrEnum):
    """Which driver talks to the database. Motor runs PyMongo in threads; PyMongo's own API runs on the event loop."""

    MOTOR = "motor"
    PYMONGO = "pymongo"
