"""Join requests that wait for approval; `_id` is `group<US>user`."""

from collections.abc import Iterable

from pymongo import DeleteMany, InsertOne

from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx
from groups.models import JoinRequest
from groups.store.users_by_group import UsersByGroup, match_users


class JoinRequestStore:
    """The collection `join_requests`."""

    INDEXES = (
        Index(
            "join_requests", [("group_id", 1), ("user_id", 1)], "the requests of a group, by user"
        ),
    )

    def __init__(self, database: Database) -> None:
        self._requests = database.collection("join_requests")

    def insert_many(self, requests: Iterable[JoinRequest], tx: Tx) -> None:
        """Insert the requests of users who are known to have none; collected (`Tx.write`)."""
        for request in requests:
            key = join_key(request.group_id, request.user_id)
            tx.write(self._requests, InsertOne({"_id": key, **request.model_dump(mode="python")}))

    def query_requests(self, users: UsersByGroup) -> BatchedQuery[dict[GroupId, set[UserId]]]:
        """Those of the users who have a request, as a query to send together with others."""
        return BatchedQuery(
            self._requests,
            match_users(users),
            _by_group,
            {"$project": {"group_id": 1, "user_id": 1}},
        )

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

    def delete_requests(self, users: UsersByGroup, tx: Tx) -> None:
        """Delete the requests of these users; collected (`Tx.write`)."""
        if users:
            tx.write(self._requests, DeleteMany(match_users(users)))

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


def _by_group(rows: list[Document]) -> dict[GroupId, set[UserId]]:
    found: dict[GroupId, set[UserId]] = {}
    for row in rows:
        found.setdefault(row["group_id"], set()).add(row["user_id"])
    return found
