"""Checks and repairs of stored views and days.

`groups.audit` checks that `member_count` is the number of members; its repairs come first.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from channels.analytics.audit.store import AnalyticsAuditStore
from channels.analytics.wiring import build_counter
from channels.audit import REPAIR_ACTOR
from channels.limits import ChannelLimits
from groups.kernel.background_counter import BackgroundCounter
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.wiring import GroupChat, GroupCore

SHOWN_SECONDS: Final = 1.0
"""How long a post may show fewer views than are counted: older versions raised the number after the batch."""
OUTDATED: Final = 1_000  # posts checked again in one query


def checks(database: Database, chat: GroupCore | GroupChat, limits: ChannelLimits) -> list[Check]:
    """Return all checks of analytics, in the order in which their repairs build on each other."""
    store, counting = AnalyticsAuditStore(database), build_counter(database, limits)
    audit = _Audit(database=database, store=store, chat=chat, counting=counting)
    return [
        Check(
            "P4",
            "posts show the views that are counted",
            "views of posts",
            lambda snapshot: snapshot.count("views"),
            audit.find_wrong_views,
        ),
        Check(
            "P3",
            "a channel's last day ends with its members",
            "channels",
            lambda snapshot: snapshot.count("channels"),
            audit.find_wrong_days,
        ),
        muted_count(database, chat),
    ]


def muted_count(database: Database, chat: GroupCore | GroupChat) -> Check:
    """Return the check of the number of members who have muted a group."""
    return Check(
        "P4",
        "as many have muted a group as are counted",
        "groups",
        lambda snapshot: snapshot.count("groups"),
        _MutedAudit(database=database, store=AnalyticsAuditStore(database), chat=chat).find_wrong,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: AnalyticsAuditStore
    chat: GroupCore | GroupChat
    counting: BackgroundCounter

    async def find_wrong_views(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.views_without_message(snapshot):
            # If the stream exists, the message is missing (P2), and a backup may bring it back.
            repair = None if row["stream"] else self._delete_views(row["_id"])
            yield Finding("P4", _name(row["_id"]), "does not exist, and has views", repair)
        outdated: dict[str, int] = {}
        async for row in self.store.outdated_posts(snapshot):
            outdated[row["_id"]] = row["count"]
            if len(outdated) == OUTDATED:
                async for finding in self._still_outdated(outdated):
                    yield finding
                outdated.clear()
        async for finding in self._still_outdated(outdated):
            yield finding

    async def _still_outdated(self, counts: dict[str, int]) -> AsyncIterator[Finding]:
        if not counts:
            return
        # A server of an older version updates the posts right after each batch; the snapshot may lie between the two.
        await asyncio.sleep(SHOWN_SECONDS)
        for message_id, shown in (await self.store.find_shown(counts)).items():
            if shown < counts[message_id]:
                problem = f"shows {shown} views, {counts[message_id]} are counted"
                yield Finding("P4", _name(message_id), problem, self._raise_shown(message_id))

    def _raise_shown(self, message_id: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            count = await self.store.find_count(message_id, tx)
            query = self.chat.view_counts.query_shown([message_id])
            await self.database.fetch(tx, query)
            shown = query.result.get(message_id)
            if shown is None or shown >= count:
                return None
            self.chat.view_counts.raise_to({message_id: count}, tx)
            return f"shows {count} views"

        return lambda: self.database.run(work)

    def _delete_views(self, message_id: str) -> Repair:
        stream_id, _ = _stream_and_seq(message_id)

        async def work(tx: Tx) -> str | None:
            if await self.chat.streams.exists(stream_id, tx):
                return None
            deleted = await self.store.delete_views(message_id, tx)
            return "deleted its views" if deleted else None

        return lambda: self.database.run(work)

    async def find_wrong_days(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        # Includes the repairs of `groups.audit`.
        await snapshot.renew(older_than=0)
        # The numbers that the last days will end with, where counts wait to be added up.
        waiting = {
            row["channel_id"]: row["subscribers"]
            async for row in self.store.waiting_subscribers(snapshot)
        }
        async for row in self.store.wrong_subscribers(snapshot):
            if waiting.get(row["_id"]) == row["members"]:
                continue
            problem = (
                f"{row['day']} ends with {row['counted']} subscribers, there are {row['members']}"
            )
            repair = self._repair_day(GroupId(row["_id"]))
            yield Finding("P3", f"channel {row['_id']}", problem, repair)

    def _repair_day(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            accesses = await self.chat.bulk_access.accesses_of({REPAIR_ACTOR}, channel_id, tx)
            if REPAIR_ACTOR not in accesses:
                return None
            members = accesses[REPAIR_ACTOR].group.member_count
            before = await self.store.put_subscribers(channel_id, members, tx)
            if before in {None, members}:
                return None
            return f"set the last day's subscribers from {before} to {members}"

        async def repair() -> str | None:
            # What waits would replace the number again. What is counted after this line comes with the right number.
            await self.counting.catch_up()
            return await self.database.run(work)

        return repair


@dataclass(frozen=True, kw_only=True, slots=True)
class _MutedAudit:
    database: Database
    store: AnalyticsAuditStore
    chat: GroupCore | GroupChat

    async def find_wrong(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        # Without settings of non-members, which `conversations.audit` has deleted.
        await snapshot.renew(older_than=0)
        async for row in self.store.wrong_muted(snapshot):
            problem = f"{row['counted']} members are counted who muted it, {row['muted']} have"
            yield Finding(
                "P4", f"group {row['_id']}", problem, self._recount_muted(GroupId(row["_id"]))
            )

    def _recount_muted(self, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if not await self.chat.bulk_access.accesses_of({REPAIR_ACTOR}, group_id, tx):
                return None
            before, after = await self.store.recount_muted(group_id, tx)
            return f"counted again: {after}" if before != after else None

        return lambda: self.database.run(work)


def _stream_and_seq(message_id: str) -> tuple[StreamId, int]:
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq) if seq.isdecimal() else 0


def _name(message_id: str) -> str:
    stream_id, seq = _stream_and_seq(message_id)
    return f"message {seq} of {stream_id}"
