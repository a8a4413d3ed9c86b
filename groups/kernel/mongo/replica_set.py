"""Makes a freshly started `mongod` a replica set of one node, for the embedded database and for tests.

Promises: when `ensure_single_node` returns, the node is a writable primary and its configuration names it by the
address it was reached at. Calling it again on such a node changes nothing. A set of several members is never changed:
it is another deployment.
"""

import asyncio
import time
from typing import Final
from urllib.parse import quote

from pymongo.errors import ConnectionFailure, OperationFailure

from groups.kernel.database_options import Driver
from groups.kernel.mongo.driver import Client, Document, close_client, create_client

_READY_SECONDS: Final = 45.0
"""How long a node may take to become primary.

The election of one node takes well under a second. But a node that was moved first asks the address in its old
configuration whether that is itself: for 30 seconds, where a program that listens there accepts and does not answer.
"""
_POLL_SECONDS: Final = 0.02
_NOT_YET_INITIALIZED: Final = 94
_TEMPORARY: Final = frozenset(
    {
        23,  # AlreadyInitialized: the stored configuration was still being loaded when it was read
        91,  # ShutdownInProgress, 11600 and 11602: it is being restarted
        _NOT_YET_INITIALIZED,
        103,  # NewReplicaSetConfigurationIncompatible: the node does not recognise itself yet
        109,  # ConfigurationInProgress
        11600,
        11602,
    }
)


class ReplicaSetFailed(Exception):
    """The node could not be made a primary; the message has its last answer."""


async def ensure_single_node(
    address: str, *, name: str = "channels", driver: Driver = Driver.MOTOR
) -> None:
    """Make the `mongod` at `address` the writable primary of a replica set of its own.

    The address is host:port or the path of a Unix socket. A node without a configuration is initiated. A node whose
    configuration names another address (a data directory that was moved) is reconfigured by force, which loses nothing,
    since there is no other member.

    Raises: ReplicaSetFailed after 45 seconds, or at once for a set of several members or of another name.
    """
    client = create_client(
        driver,
        f"mongodb://{quote(address, safe=':')}/",
        directConnection=True,
        serverSelectionTimeoutMS=2_000,
        connectTimeoutMS=2_000,
        socketTimeoutMS=10_000,
    )
    deadline = time.monotonic() + _READY_SECONDS
    last: Exception | str = "no answer"
    try:
        while time.monotonic() < deadline:
            try:
                await _configure(client, address, name)
                hello = await client.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    return
                last = f"the node is not primary: {hello.get('info') or 'no election yet'}"
            except ConnectionFailure as error:
                last = error
            except OperationFailure as error:
                if error.code not in _TEMPORARY:
                    raise ReplicaSetFailed(f"{address} refused: {error}") from error
                last = error
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await close_client(client)
    raise ReplicaSetFailed(f"{address} did not become primary in {_READY_SECONDS:.0f} s: {last}")


async def _configure(client: Client, address: str, name: str) -> None:
    try:
        answer = await client.admin.command("replSetGetConfig")
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        first: Document = {"_id": name, "members": [{"_id": 0, "host": address}]}
        await client.admin.command("replSetInitiate", first)
        return
    config: Document = answer["config"]
    if config["_id"] != name:
        raise ReplicaSetFailed(f"{address} belongs to the replica set {config['_id']!r}")
    members: list[Document] = config["members"]
    if len(members) != 1:
        raise ReplicaSetFailed(f"{address} belongs to a replica set of {len(members)} members")
    if members[0]["host"] != address:
        members[0]["host"] = address
        config["version"] += 1
        await client.admin.command("replSetReconfig", config, force=True)
