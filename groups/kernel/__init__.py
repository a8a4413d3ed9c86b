"""The base of every package; it holds no rule of chat.

Contents: errors and their families, the actor, byte-limited text, ids, the clock, transactions and group commit on
MongoDB (`mongo/`, `group_commit`), events with their outbox and bus (`events`, `event_bus`), page cursors, and the
declaration of HTTP endpoints (`endpoint`).

Promises: a change and the events that announce it are committed together or not at all (`mongo.Database.run`). One
caller's failure never fails another's (`group_commit.GroupCommit`).

Depends on: nothing of ours. Only `mongo/` knows the database driver, and no module knows the HTTP library.
"""
