"""A replica set of three `mongod` on loopback, and its roles and faults.

It needs no event loop. On Linux a `mongod` ends with the thread that spawned it, so one keeper thread spawns all of
them.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from channels.server.embedded.process import REPLICA_SET
from tests.mongod import HOST, Mongod

MEMBERS: Final = 3
SECONDS: Final = 60.0
STEP_DOWN_SECONDS: Final = 5  # during which the member that stepped down is no candidate

Document = dict[str, Any]


class ReplicaSet:
    """Three members, which keep their ports and data through every kill and start."""

    def __init__(self, directory: Path, *, election_ms: int) -> None:
        self._election_ms = election_ms
        self.members: list[Mongod] = []
        for number in range(MEMBERS):
            home = directory / f"member-{number}"
            home.mkdir(parents=True)
            self.members.append(Mongod(home, cache_gb=0.25))

    @property
    def uri(self) -> str:
        hosts = ",".join(f"{HOST}:{member.port}" for member in self.members)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def start(self) -> Self:
        """Start all members, initiate the set, and wait until each has its role."""
        for member in self.members:
            member.begin()
        for member in self.members:
            member.listens()
        config: Document = {
            "_id": REPLICA_SET,
            "members": [
                {"_id": number, "host": f"{HOST}:{member.port}"}
                for number, member in enumerate(self.members)
            ],
            "settings": {"electionTimeoutMillis": self._election_ms},
        }
        with _direct(self.members[0]) as client:
            client.admin.command("replSetInitiate", config)
        self.settle()
        return self

    def stop(self) -> None:
        """Kill all members. Their data is deleted with the directory, so no primary needs to hand over."""
        for member in self.members:
            member.kill()

    def settle(self) -> None:
        """Wait until one member is primary and the others follow it."""
        _until(lambda: sorted(self._role(member) for member in self.members) == _SETTLED)

    def primary(self) -> Mongod:
        """Wait for a primary, and return it."""
        found: list[Mongod] = []

        def look() -> bool:
            found.extend(member for member in self.members if self._role(member) == "primary")
            return bool(found)

        _until(look)
        return found[-1]

    def secondary(self) -> Mongod:
        """A member that is not the primary."""
        primary = self.primary()
        return next(member for member in self.members if member is not primary)

    def step_down(self) -> None:
        """Make the primary step down."""
        primary = self.primary()
        with _direct(primary) as client:
            try:
                client.admin.command("replSetStepDown", STEP_DOWN_SECONDS, force=True)
            except AutoReconnect:
                return  # the primary may close the connection when it steps down

    @staticmethod
    def _role(member: Mongod) -> str:
        try:
            with _direct(member) as client:
                hello: Document = client.admin.command("hello")
        except PyMongoError:
            return "away"
        if hello.get("isWritablePrimary"):
            return "primary"
        return "secondary" if hello.get("secondary") else "away"


_SETTLED: Final = ["primary", "secondary", "secondary"]


def _direct(member: Mongod) -> MongoClient[Document]:
    return MongoClient(
        f"mongodb://{HOST}:{member.port}/",
        directConnection=True,
        serverSelectionTimeoutMS=500,
        connectTimeoutMS=500,
        socketTimeoutMS=10_000,
    )


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the replica set does not settle"
        time.sleep(0.05)
