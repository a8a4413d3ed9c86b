"""Join requests that wait for approval; `_id` is `group<US>user`."""

from collections.abc import Collection, Iterable

from pymongo import DeleteMany, InsertOne

from groups.kernel.ids import GroupId, UserId, join_key
from groups.kernel.mongo import BatchedQuery, Database, Document, Index, Tx
from groups.models import JoinRequest
from groups.store.users_by_group import UsersByGroup, match_users

Asked = dict[UserId, str | None]
"""Users who asked to join a group, each with the code of the invite link by which they asked, if any."""


class JoinRequestStore:
    """The collection `join_requests`."""

    INDEXES = (
        Index(
            "join_requests", [("group_id", 1), ("user_id", 1)], "the requests of a group, by user"
        ),
        Index("join_requests", [("user_id", 1), ("group_id", 1)], "the requests of a user"),
    )

    def __init__(self, database: Database) -> None:
        self._requests = database.collection("join_requests")

    def insert_many(self, requests: Iterable[JoinRequest], tx: Tx) -> None:
        """Insert the requests of users who are known to have none; collected (`Tx.write`)."""
        for request in requests:
            key = join_key(request.group_id, request.user_id)
            tx.write(self._requests, InsertOne({"_id": key, **request.model_dump(mode="python")}))

    def query_requests(self, users: UsersByGroup) -> BatchedQuery[dict[GroupId, Asked]]:
        """Those of the users who have a request, and by which link; as a query to send together with others."""
        return BatchedQuery(
            self._requests,
            match_users(users),
            _by_group,
            {"$project": {"group_id": 1, "user_id": 1, "invite_link": 1}},
        )

    def query_counts(self, user_ids: Collection[UserId]) -> BatchedQuery[dict[UserId, int]]:
        """The numbers of requests of these users, which are limited; as a query to send together with others."""
        # Uses index: user_id_1_group_id_1
        return BatchedQuery(
            self._requests,
            {"user_id": {"$in": list(user_ids)}},
            lambda rows: {row["_id"]: row["number"] for row in rows},
            {"$group": {"_id": "$user_id", "number": {"$sum": 1}}},
        )

    async def find_requests(self, group_id: GroupId, user_ids: Iterable[UserId], tx: Tx) -> Asked:
        """Those of the users who have a request, and by which link."""
        cursor = self._requests.find(
            match_users({group_id: list(user_ids)}),
            {"group_id": 1, "user_id": 1, "invite_link": 1},
            session=tx.session,
        )
        return _by_group(await cursor.to_list(None)).get(group_id, {})

    def query_request(self, group_id: GroupId, user_id: UserId) -> BatchedQuery[JoinRequest | None]:
        """The request of the user, if there is one; as a query to send together with others."""
        return BatchedQuery(
            self._requests,
            match_users({group_id: [user_id]}),
            lambda rows: JoinRequest.from_stored(rows[0]) if rows else None,
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

    async def list_of_user(self, user_id: UserId, *, after: str, limit: int) -> list[JoinRequest]:
        """The requests of the user by group id, behind `after`."""
        # Uses index: user_id_1_group_id_1
        query: Document = {"user_id": user_id, "group_id": {"$gt": after}}
        cursor = self._requests.find(query, sort=[("group_id", 1)], limit=limit)
        return [JoinRequest.from_stored(row) for row in await cursor.to_list(None)]

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        await self._requests.delete_many({"group_id": group_id}, session=tx.session)


def _by_group(rows: list[Document]) -> dict[GroupId, Asked]:
    found: dict[GroupId, Asked] = {}
    for row in rows:
        found.setdefault(row["group_id"], {})[row["user_id"]] = row.get("invite_link")
    return found
