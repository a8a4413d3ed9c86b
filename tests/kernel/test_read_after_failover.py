"""The write that reads name after an election; `tests/faults/test_replica_set.py` proves that it helps."""

from typing import Any

from bson import ObjectId, Timestamp
from pymongo.errors import ConfigurationError
from pymongo.hello import Hello
from pymongo.monitoring import ServerHeartbeatSucceededEvent

from groups.kernel.mongo import is_outage
from groups.kernel.mongo.connection import PrimaryWatcher, ReadAfterFailover
from tests.kernel.conftest import Connect


def told(watcher: PrimaryWatcher, seconds: int, election_id: ObjectId | None, **more: Any) -> None:
    """Let a member report itself: as the primary, unless `more` says otherwise."""
    hello: dict[str, Any] = {"setName": "rs", "isWritablePrimary": True, "ok": 1, **more}
    hello["lastWrite"] = {"opTime": {"ts": Timestamp(seconds, 1), "t": 1}}
    hello["$clusterTime"] = {"clusterTime": Timestamp(seconds + 5, 1)}
    if election_id is not None:
        hello["electionId"] = election_id
    reply = Hello(hello)
    watcher.succeeded(ServerHeartbeatSucceededEvent(0.1, reply, ("127.0.0.1", 1)))


def named(watcher: PrimaryWatcher) -> dict[str, Any]:
    return ReadAfterFailover(watcher).document


FIRST, SECOND = ObjectId("7fffffff0000000000000001"), ObjectId("7fffffff0000000000000002")


def test_a_read_names_the_last_write_its_primary_had_when_elected() -> None:
    watcher = PrimaryWatcher()
    assert named(watcher) == {"level": "majority"}
    told(watcher, 10, FIRST)
    told(watcher, 20, FIRST)
    assert named(watcher) == {"level": "majority", "afterClusterTime": Timestamp(10, 1)}
    told(watcher, 30, SECOND)
    assert named(watcher)["afterClusterTime"] == Timestamp(30, 1)


def test_a_member_that_is_not_the_primary_any_more_changes_nothing() -> None:
    watcher = PrimaryWatcher()
    told(watcher, 30, SECOND)
    told(watcher, 20, FIRST)  # an old primary that stood still and goes on
    told(watcher, 40, None, isWritablePrimary=False, secondary=True)
    assert named(watcher)["afterClusterTime"] == Timestamp(30, 1)


async def test_every_read_of_a_real_database_names_that_write(connect: Connect) -> None:
    database = await connect()
    said = database.collection("groups").read_concern.document
    assert said["level"] == "majority"
    assert isinstance(said["afterClusterTime"], Timestamp)
    assert await database.collection("groups").find_one({"_id": "tea"}) is None


def test_a_connection_from_before_the_member_joined_is_an_outage() -> None:
    said = "Sessions are not supported by this MongoDB deployment"
    assert is_outage(ConfigurationError(said))
    assert not is_outage(ConfigurationError("The server has no such thing"))
