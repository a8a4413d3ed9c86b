"""Whether there is anything yet: the one thing that no service tells."""

from groups.kernel.mongo import Database


async def is_empty(database: Database) -> bool:
    """Whether the database holds no group, and so no channel either."""
    return await database.collection("groups").find_one({}, {"_id": 1}) is None
