"""The embedded database: a real `mongod` that the server runs itself, for deployments without a MongoDB.

Promises: what a replica set of one node can do: transactions, change streams, and no loss of majority-committed writes
when the server or the database is killed. One server for each data directory. The database starts and stops with the
server, is restarted when it dies alone, and is found by commands that run beside the server. Only the user who runs the
server can reach it, through a Unix socket in the data directory, and read its files and log.

It does not promise a second node, or secrets from root. It needs a `mongod` on PATH or the `embedded` extra.
"""
