"""Deployments for the fault tests: one for each file, since a start takes seconds. Each test has its own channel."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.deployment import Server
from tests.mongod import Mongod, scratch_directory


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    directory = scratch_directory()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def embedded(directory: Path) -> Iterator[Server]:
    """A server with an embedded database."""
    server = Server(directory).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def mongod(directory: Path) -> Iterator[Mongod]:
    """A database that is not embedded in a server."""
    mongod = Mongod(directory, cache_gb=0.25)
    try:
        yield mongod.start()
    finally:
        mongod.kill()


@pytest.fixture(scope="module")
def pair(directory: Path, mongod: Mongod) -> Iterator[tuple[Server, Server]]:
    """Two servers on one database."""
    servers = (
        Server(directory, mongodb_uri=mongod.uri, name="a"),
        Server(directory, mongodb_uri=mongod.uri, name="b"),
    )
    try:
        yield servers[0].start(), servers[1].start()
    finally:
        for server in servers:
            server.stop()
