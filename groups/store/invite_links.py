"""Invite links. `_id` is the code, by which users who open a link find it.

Every change also writes the document of the link's group, so two of them never run past each other. A link that expired
or was revoked is kept for a while, so that those who manage it still see it; then the database deletes it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from pymongo import UpdateOne

from groups.kernel.batching.requests import RequestBatcher
from groups.kernel.ids import GroupId
from groups.kernel.mongo import DESCENDING, BatchedQuery, Database, Document, Index, Tx
from groups.limits import INVITE_LINK_KEPT_SECONDS
from groups.models import InviteLink

_KEPT = timedelta(seconds=INVITE_LINK_KEPT_SECONDS)


class InviteLinkStore:
    """The collection `invite_links`."""

    INDEXES = (
        Index(
            "invite_links",
            [("group_id", 1), ("created_at", DESCENDING), ("_id", 1)],
            "a group's invite links, newest first",
        ),
        Index(
            "invite_links",
            [("delete_at", 1)],
            "the TTL of ended invite links",
            expire_after_seconds=0,
        ),
    )

    def __init__(self, database: Database) -> None:
        self._links = database.collection("invite_links")
        self._reader = RequestBatcher(self._find_many)

    async def find_link(self, code: str, tx: Tx | None = None) -> InviteLink | None:
        """The link with this code. Without a `tx`, callers who ask at the same time share a query."""
        if tx is None:
            return await self._reader.find(code)
        row = await self._links.find_one({"_id": code}, session=tx.session)
        return _to_link(row) if row else None

    async def find_links(self, codes: Collection[str]) -> Mapping[str, InviteLink]:
        """The links with these codes; those that are gone are absent."""
        return await self._find_many(codes) if codes else {}

    async def _find_many(self, codes: Collection[str]) -> dict[str, InviteLink]:
        rows = await self._links.find({"_id": {"$in": list(codes)}}).to_list(None)
        return _by_code(rows)

    def query_links(self, codes: Collection[str]) -> BatchedQuery[dict[str, InviteLink]]:
        """As `find_links`, as a query to send together with others."""
        return BatchedQuery(self._links, {"_id": {"$in": list(codes)}}, _by_code)

    async def list_of_group(self, group_id: GroupId, tx: Tx | None = None) -> list[InviteLink]:
        """All links of the group, newest first: at most twice the limit of open ones."""
        # Uses index: group_id_1_created_at_-1__id_1
        cursor = self._links.find(
            {"group_id": group_id},
            sort=[("created_at", DESCENDING), ("_id", 1)],
            session=tx.session if tx is not None else None,
        )
        return [_to_link(row) for row in await cursor.to_list(None)]

    async def put(self, link: InviteLink, tx: Tx) -> None:
        """Store what those who manage the link decide of it; `uses` and `pending_requests` stay as they are stored."""
        values = link.model_dump(mode="python", exclude={"code", "uses", "pending_requests"})
        ends = [at for at in (link.expires_at, link.revoked_at) if at is not None]
        values["delete_at"] = min(ends) + _KEPT if ends else None
        await self._links.update_one(
            {"_id": link.code},
            {"$set": values, "$setOnInsert": {"uses": 0, "pending_requests": 0}},
            upsert=True,
            session=tx.session,
        )

    async def delete_links(self, codes: Sequence[str], tx: Tx) -> None:
        await self._links.delete_many({"_id": {"$in": list(codes)}}, session=tx.session)

    def count(self, code: str, tx: Tx, *, uses: int, pending_requests: int) -> None:
        """Add to the counts of the link, which stay if it is gone; collected (`Tx.write`)."""
        more = {"uses": uses, "pending_requests": pending_requests}
        tx.write(self._links, UpdateOne({"_id": code}, {"$inc": more}))

    async def clear_group(self, group_id: GroupId, tx: Tx) -> None:
        """Delete all links of the group, at most twice the limit of open ones."""
        links = await self.list_of_group(group_id, tx)
        if links:
            await self.delete_links([link.code for link in links], tx)


def _by_code(rows: list[Document]) -> dict[str, InviteLink]:
    return {row["_id"]: _to_link(row) for row in rows}


def _to_link(row: Document) -> InviteLink:
    row["code"] = row.pop("_id")
    return InviteLink.from_stored(row)
