"""Fixtures that every test may use; nothing else."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.mongod import Mongod, scratch_directory


@pytest.fixture(scope="session")
def mongod_uri() -> Iterator[str]:
    """A real replica set for this worker's whole run; a fresh database in it is a test's own business.

    `CHANNELS_TEST_MONGODB_URI` names another one to use instead.
    """
    given = os.environ.get("CHANNELS_TEST_MONGODB_URI")
    if given:
        yield given
        return
    directory = scratch_directory()
    mongod = Mongod(directory)
    try:
        yield mongod.start().uri
    finally:
        mongod.stop()
        shutil.rmtree(directory, ignore_errors=True)
