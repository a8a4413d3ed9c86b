"""What every package stands on; no rule of chat lives here.

What it holds: errors and their families, the actor, byte-limited text, ids, the clock, transactions and group
commit on MongoDB (`mongo/`, `commit`), events with their outbox and bus (`events`, `bus`), page cursors, and the
declaration of HTTP endpoints (`endpoint`).

What it promises: a change and the events that announce it are committed together or not at all (`mongo.Database.run`);
one caller's failure never fails another's (`commit.GroupCommit`).

What it depends on: nothing of ours. Only `mongo/` knows the database driver, and nothing here knows HTTP's library.
"""
