"""Join requests that wait for approval; `_id` is `group<US>user`."""

from collections.abc import Iterable

from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx
from groups.models import JoinRequest


class JoinRequestStore:
    """The collection `join_requests`."""

    INDEXES = (
        Index(
            "join_requests", [("group_id", 1), ("user_id", 1)], "the requests of a group, by user"
        ),
    )

    def __init__(self, database: Database) -> None:
        self._requests = database.collection("join_requests")

    async def insert(self, request: JoinRequest, tx: Tx) -> bool:
        """Insert the request; False where the user has one already."""
        key = join_key(request.group_id, request.user_id)
        known: Document = {"_id": key, "group_id": request.group_id}
        if await self._requests.find_one(known, session=tx.session):
            return False
        document = {"_id": key, **request.model_dump(mode="python")}
        await self._requests.insert_one(document, session=tx.session)
        return True

    async def find_many(self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx) -> set[UserId]:
        """Those of the users who have a request."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        query: Document = {"_id": {"$in": keys}, "group_id": group_id}
        cursor = self._requests.find(query, {"user_id": 1}, session=tx.session)
        return {document["user_id"] for document in await cursor.to_list(None)}

    def lookup_any(self, group_id: GroupId, user_ids: Iterable[UserId]) -> BatchedQuery[bool]:
        """Whether any of the users has a request, as a query to send together with others."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        return BatchedQuery(
            self._requests,
            {"_id": {"$in": keys}, "group_id": group_id},
            bool,
            {"$limit": 1},
            {"$project": {"_id": 1}},
        )

    async def delete_many(self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx) -> int:
        """Delete the requests of these users; returns how many there were."""
        keys = [join_key(group_id, user_id) for user_id in user_ids]
        query: Document = {"_id": {"$in": keys}, "group_id": group_id}
        result = await self._requests.delete_many(query, session=tx.session)
        return result.deleted_count

    async def list_of_group(
        self, group_id: GroupId, *, after: str, limit: int
    ) -> list[JoinRequest]:
        """The requests by user id, behind `after`."""
        # Uses index: group_id_1_user_id_1
        query: Document = {"group_id": group_id, "user_id": {"$gt": after}}
        cursor = self._requests.find(query, sort=[("user_id", 1)], limit=limit)
        return [JoinRequest.from_stored(row) for row in await cursor.to_list(None)]

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._requests.delete_many({"group_id": group_id}, session=tx.session)
