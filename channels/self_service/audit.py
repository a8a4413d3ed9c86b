"""Checks of menus and automatic messages: each belongs to a channel, and what repeats them says the same."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from channels.self_service.automatic_messages.delivery.store import DeliveryStore
from channels.self_service.automatic_messages.models import Rule
from channels.self_service.automatic_messages.service import AutomaticMessageCleanup
from channels.self_service.automatic_messages.store import AutomaticMessageStore, wanting_of
from channels.self_service.menus.service import MenuCleanup
from channels.self_service.menus.store import MenuStore
from channels.store import ChannelStore
from groups.audit.joins import look_up
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import stream_of
from groups.service.messages.stream import StreamService

_MENUS: Final = "menus"
_RULES: Final = "automatic_messages"
_FOLLOWED: Final = "automatic_channels"
_NO_GUARD: Final[Document] = {"$match": {"_id": {"$gt": ""}}}
_OF_CHANNELS: Final = {
    _MENUS: "$_id",
    _RULES: "$channel_id",
    _FOLLOWED: "$_id",
    "automatic_jobs": "$channel_id",
    "automatic_marks": "$channel_id",
}
"""The collections whose documents belong to channels, and where each has the channel's id."""


def checks(database: Database, streams: StreamService) -> list[Check]:
    """Return the checks of menus and automatic messages."""
    rules = AutomaticMessageStore(database)
    audit = _Audit(
        database=database,
        streams=streams,
        profiles=ChannelStore(database),
        menus=MenuStore(database),
        rules=rules,
        cleanups=(
            AutomaticMessageCleanup(rules, DeliveryStore(database)),
            MenuCleanup(MenuStore(database)),
        ),
    )
    return [
        Check(
            "P9",
            "menus and automatic messages belong to channels",
            "menus and automatic messages",
            audit.count,
            audit.find_without_channel,
        ),
        Check(
            "P4",
            "channels have the version of their menu",
            "menus",
            lambda snapshot: snapshot.count(_MENUS),
            audit.find_wrong_versions,
        ),
        Check(
            "P9",
            "automatic messages are followed",
            "automatic messages",
            lambda snapshot: snapshot.count(_RULES),
            audit.find_wrong_followed,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    streams: StreamService
    profiles: ChannelStore
    menus: MenuStore
    rules: AutomaticMessageStore
    cleanups: Sequence[AutomaticMessageCleanup | MenuCleanup]

    async def count(self, snapshot: Snapshot) -> int:
        """How many menus and rules there are."""
        return await snapshot.count(_MENUS) + await snapshot.count(_RULES)

    async def find_without_channel(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """All of it is deleted with its channel: a later channel with the same id must not have it."""
        found: set[str] = set()
        for collection, channel_id in _OF_CHANNELS.items():
            stages: list[Document] = [
                _NO_GUARD,
                {"$group": {"_id": channel_id}},
                look_up("channels", "_id", "channel"),
                look_up("disbanded", "_id", "disbanded"),
                {"$match": {"channel": [], "disbanded": []}},
            ]
            found |= {row["_id"] async for row in snapshot.rows(collection, stages)}
        for channel_id in sorted(found):
            problem = "does not exist, and has a menu or automatic messages"
            yield Finding("P9", f"channel {channel_id}", problem, self._forget(GroupId(channel_id)))

    def _forget(self, channel_id: GroupId) -> Repair:
        stream_id = stream_of(channel_id)

        async def step(tx: Tx) -> int:
            if await self.streams.exists(stream_id, tx):
                return 0
            return sum([await cleanup.delete_some(stream_id, tx) for cleanup in self.cleanups])

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

    async def find_wrong_followed(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The consumer of the event log only knows what `automatic_channels` tells."""
        is_greeting: Document = {"$eq": ["$rule", Rule.GREETING.value]}
        of_rules: dict[str, tuple[bool, bool]] = {}
        stages: list[Document] = [
            {"$match": {"enabled": True}},
            {
                "$group": {
                    "_id": "$channel_id",
                    "greets": {"$max": is_greeting},
                    "answers": {"$max": {"$not": [is_greeting]}},
                }
            },
        ]
        async for row in snapshot.rows(_RULES, stages):
            of_rules[row["_id"]] = row["greets"], row["answers"]
        followed: dict[str, Any] = {
            row["_id"]: (row["greets"], row["answers"])
            async for row in snapshot.rows(_FOLLOWED, [_NO_GUARD])
        }
        for channel_id in sorted(of_rules.keys() | followed.keys()):
            if of_rules.get(channel_id) != followed.get(channel_id):
                problem = "is not followed as its automatic messages say"
                repair = self._repair_followed(GroupId(channel_id))
                yield Finding("P9", f"channel {channel_id}", problem, repair)

    def _repair_followed(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            # Changes of rules write the guard too, so one of the two runs again.
            await self.rules.touch_guard(tx)
            rules = (await self.rules.list_enabled([channel_id], tx)).get(channel_id, [])
            wanting = wanting_of(rules)
            before = (await self.rules.list_wanting(tx)).get(channel_id)
            if before == wanting or (before is None and not any(wanting)):
                return None
            await self.rules.put_wanting(channel_id, wanting, tx)
            return "stored what it does by itself"

        return lambda: self.database.run(work)
