"""Three `mongod` that are one replica set on loopback: who is primary, who is not, and its faults.

No event loop is needed. A `mongod` ends with the thread that
spawned it (Linux), so everything that spawns goes through one keeper.
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
STEP_DOWN_SECONDS: Final = 5  # for how long the one that stepped down is no candidate

Document = dict[str, Any]


class ReplicaSet:
    """The members keep their ports and data through every kill and start."""

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
        """Start all, make them one set, and wait until everyone has his role."""
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
        """End all of them; the data goes with its directory, so nobody waits for a primary to hand over."""
        for member in self.members:
            member.kill()

    def settle(self) -> None:
        """Return when one is primary and the others follow him."""
        _until(lambda: sorted(self._role(member) for member in self.members) == _SETTLED)

    def primary(self) -> Mongod:
        """The primary, once there is one."""
        found: list[Mongod] = []

        def look() -> bool:
            found.extend(member for member in self.members if self._role(member) == "primary")
            return bool(found)

        _until(look)
        return found[-1]

    def secondary(self) -> Mongod:
        """One of the others."""
        primary = self.primary()
        return next(member for member in self.members if member is not primary)

    def step_down(self) -> None:
        """Have the primary hand over."""
        primary = self.primary()
        with _direct(primary) as client:
            try:
                client.admin.command("replSetStepDown", STEP_DOWN_SECONDS, force=True)
            except AutoReconnect:
                return  # it may close the connection as it goes

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
