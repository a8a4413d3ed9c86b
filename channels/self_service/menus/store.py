"""Documents of menus: `_id` is the channel's id."""

from channels.self_service.menus.models import Menu
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Index, Tx


class MenuStore:
    """The collection `menus`."""

    INDEXES = (Index("menus", [], "found by _id only"),)

    def __init__(self, database: Database) -> None:
        self._menus = database.collection("menus")

    async def find(self, channel_id: GroupId, tx: Tx | None = None) -> Menu | None:
        row = await self._menus.find_one({"_id": channel_id}, session=tx.session if tx else None)
        return Menu.from_stored({**row, "channel_id": row["_id"]}) if row else None

    async def put(self, menu: Menu, tx: Tx) -> None:
        """Store the menu in place of the one before."""
        values = menu.model_dump(mode="python", exclude={"channel_id"})
        await self._menus.update_one(
            {"_id": menu.channel_id}, {"$set": values}, upsert=True, session=tx.session
        )

    async def delete(self, channel_id: GroupId, tx: Tx) -> bool:
        """Delete the menu; returns whether there was one."""
        result = await self._menus.delete_one({"_id": channel_id}, session=tx.session)
        return result.deleted_count == 1
