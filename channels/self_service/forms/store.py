"""Documents of forms: `_id` is `channel<US>name`, so a channel has one of each name, under any race."""

from channels.self_service.forms.models import Form
from groups.kernel.ids import GroupId, join_key
from groups.kernel.mongo import Database, Document, Index, Tx


class FormStore:
    """The collection `forms`."""

    INDEXES = (
        Index(
            "forms",
            [("channel_id", 1), ("name", 1)],
            "the forms of a channel, by name; their number",
        ),
    )

    def __init__(self, database: Database) -> None:
        self._forms = database.collection("forms")

    async def find(self, channel_id: GroupId, name: str, tx: Tx | None = None) -> Form | None:
        document = await self._forms.find_one(
            _key(channel_id, name), session=tx.session if tx else None
        )
        return Form.from_stored(document) if document else None

    async def list_after(self, channel_id: GroupId, *, after: str, limit: int) -> list[Form]:
        """The forms of the channel by name, behind `after`."""
        # Uses index: channel_id_1_name_1
        query: Document = {"channel_id": channel_id, "name": {"$gt": after}}
        cursor = self._forms.find(query, sort=[("name", 1)], limit=limit)
        return [Form.from_stored(document) for document in await cursor.to_list(None)]

    async def count(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """The number of the channel's forms, up to `limit`."""
        # Uses index: channel_id_1_name_1 (covered)
        cursor = self._forms.find(
            {"channel_id": channel_id}, {"_id": 0, "name": 1}, session=tx.session
        ).limit(limit)
        return len(await cursor.to_list(None))

    async def put(self, form: Form, tx: Tx) -> None:
        """Store the form, in place of the one of the same name."""
        values = form.model_dump(mode="python", exclude={"channel_id"})
        await self._forms.update_one(
            _key(form.channel_id, form.name), {"$set": values}, upsert=True, session=tx.session
        )

    async def delete(self, channel_id: GroupId, name: str, tx: Tx) -> bool:
        """Delete it; returns whether there was one."""
        result = await self._forms.delete_one(_key(channel_id, name), session=tx.session)
        return result.deleted_count == 1

    async def delete_some(self, channel_id: GroupId, limit: int, tx: Tx) -> int:
        """Delete up to `limit` of a deleted channel. Returns how many there were."""
        # Uses index: channel_id_1_name_1
        cursor = self._forms.find({"channel_id": channel_id}, {"name": 1}, session=tx.session)
        names = [row["name"] for row in await cursor.limit(limit).to_list(None)]
        if names:
            await self._forms.delete_many(
                {"channel_id": channel_id, "name": {"$in": names}}, session=tx.session
            )
        return len(names)


def _key(channel_id: GroupId, name: str) -> Document:
    return {"_id": join_key(channel_id, name), "channel_id": channel_id}
