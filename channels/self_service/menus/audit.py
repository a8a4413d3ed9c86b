"""Checks of menus: each belongs to a channel, which has the version of its menu."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from channels.self_service.menus.service import MenuCleanup, Profiles
from channels.self_service.menus.store import MenuStore
from groups.audit.joins import look_up
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_MENUS: Final = "menus"


def checks(database: Database, streams: StreamService, profiles: Profiles) -> list[Check]:
    """Return the checks of menus."""
    menus = MenuStore(database)
    audit = _Audit(
        database=database,
        streams=streams,
        profiles=profiles,
        menus=menus,
        cleanup=MenuCleanup(menus),
    )
    return [
        Check(
            "P9",
            "menus belong to channels",
            "menus",
            lambda snapshot: snapshot.count(_MENUS),
            audit.find_without_channel,
        ),
        Check(
            "P4",
            "channels have the version of their menu",
            "menus",
            lambda snapshot: snapshot.count(_MENUS),
            audit.find_wrong_versions,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    streams: StreamService
    profiles: Profiles
    menus: MenuStore
    cleanup: MenuCleanup

    async def find_without_channel(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Menus are deleted with their channel: a later channel with the same id must not have one."""
        stages: list[Document] = [
            {"$project": {"_id": 1}},
            look_up("channels", "_id", "channel"),
            look_up("disbanded", "_id", "disbanded"),
            {"$match": {"channel": [], "disbanded": []}},
        ]
        async for row in snapshot.rows(_MENUS, stages):
            repair = self._forget(GroupId(row["_id"]))
            yield Finding("P9", f"channel {row['_id']}", "does not exist, and has a menu", repair)

    def _forget(self, channel_id: GroupId) -> Repair:
        stream_id = stream_of(channel_id)

        async def step(tx: Tx) -> int:
            if await self.streams.exists(stream_id, tx):
                return 0
            return await self.cleanup.delete_some(stream_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self.database.run(step):
                deleted += more
            return f"deleted {deleted} documents" if deleted else None

        return repair

    async def find_wrong_versions(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Clients look for a menu only where the channel has a version of it, and read it anew when that differs."""
        own: Document = {"$ifNull": [{"$first": "$menu.version"}, 0]}
        stages: list[Document] = [
            {"$project": {"menu_version": 1}},
            look_up(_MENUS, "_id", "menu"),
            {"$match": {"$expr": {"$ne": [{"$ifNull": ["$menu_version", 0]}, own]}}},
            {"$project": {"menu_version": 1, "own": own}},
        ]
        async for row in snapshot.rows("channels", stages):
            problem = f"has menu_version {row.get('menu_version', 0)}, the menu has {row['own']}"
            repair = self._repair_version(GroupId(row["_id"]))
            yield Finding("P4", f"channel {row['_id']}", problem, repair)

    def _repair_version(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            menu = await self.menus.find(channel_id, tx)
            profile = await self.profiles.find_profile(channel_id, tx)
            version = menu.version if menu is not None else 0
            if profile is None or profile.menu_version == version:
                return None
            await self.profiles.update_profile(channel_id, {"menu_version": version}, tx)
            return f"set to {version}"

        return lambda: self.database.run(work)
