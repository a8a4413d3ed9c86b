"""The embedded database: a real `mongod` that the server runs itself, for deployments without a MongoDB.

What it promises: what a replica set of one node can do: transactions, change streams, and no loss of majority-committed
writes when the server or the database is killed. One server per data directory. The database starts and stops with the
server, is restarted when it dies alone, and is found by commands that run beside the server (`running_uri`,
`database_uri`).

Only the user who runs the server can reach it, through a Unix socket in the data directory, and read its files and log.

What it does not promise: a second node, and secrets from root.

What it depends on: a `mongod` on PATH or the `embedded` extra; `groups.kernel.mongo` to make it a replica set.

    mongo = EmbeddedMongo(Path("data"))
    await mongo.start()
    ...connect to mongo.uri...
    await mongo.stop()
"""

from channels.server.data_dir import load_or_create_secret
from channels.server.embedded.beside import database_uri
from channels.server.embedded.binary import find_mongod
from channels.server.embedded.state import running_uri
from channels.server.embedded.supervisor import EmbeddedMongo

__all__ = ["EmbeddedMongo", "database_uri", "find_mongod", "load_or_create_secret", "running_uri"]
