"""The one query of the demo, which no service offers."""

from groups.kernel.mongo import Database


async def is_empty(database: Database) -> bool:
    """Whether the database holds no group, and therefore no channel either."""
    return await database.collection("groups").find_one({}, {"_id": 1}) is None
