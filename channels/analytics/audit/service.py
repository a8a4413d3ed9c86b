"""What stored views and days must fulfil, and how they are set right.

That `member_count` is the number of member records is for `groups.audit`, whose repairs come first.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from channels.analytics.audit.store import ReachAuditStore
from channels.audit.service import REPAIR_ACTOR
from groups.kernel.audit import Check, Finding, Repair
from groups.kernel.ids import SEPARATOR, GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.wiring import GroupChat, GroupCore

SHOWN_SECONDS: Final = 1.0
"""How long after its batch a post may show fewer views than are counted; a server needs milliseconds."""
LAGGING: Final = 1_000  # posts looked at again together


def checks(database: Database, chat: GroupCore | GroupChat) -> list[Check]:
    """All checks of reach, in the order in which their repairs build on each other."""
    audit = _Audit(database, ReachAuditStore(database), chat)
    return [
        Check(
            "P4",
            "posts show the views that are counted",
            "views of posts",
            lambda snapshot: snapshot.number("views"),
            audit.views,
        ),
        Check(
            "P3",
            "a channel's last day ends with its members",
            "channels",
            lambda snapshot: snapshot.number("channels"),
            audit.days,
        ),
        muted_count(database, chat),
    ]


def muted_count(database: Database, chat: GroupCore | GroupChat) -> Check:
    """That as many are counted as have muted a group."""
    return Check(
        "P4",
        "as many have muted a group as are counted",
        "groups",
        lambda snapshot: snapshot.number("groups"),
        _Audit(database, ReachAuditStore(database), chat).muted,
    )


class _Audit:
    def __init__(
        self, database: Database, store: ReachAuditStore, chat: GroupCore | GroupChat
    ) -> None:
        self._database = database
        self._store = store
        self._chat = chat

    # --- views ----------------------------------------------------------------------------------------------------

    async def views(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Views of what is not there, and posts that show fewer than are counted."""
        async for row in self._store.of_no_message(snapshot):
            # Where the stream lives on, the message is what is missing (P2), and it may come back from a backup.
            repair = None if row["stream"] else self._deleting(row["_id"])
            yield Finding("P4", _name(row["_id"]), "does not exist, and has views", repair)
        lagging: dict[str, int] = {}
        async for row in self._store.lagging(snapshot):
            lagging[row["_id"]] = row["count"]
            if len(lagging) == LAGGING:
                async for finding in self._still_lagging(lagging):
                    yield finding
                lagging.clear()
        async for finding in self._still_lagging(lagging):
            yield finding

    async def _still_lagging(self, counts: dict[str, int]) -> AsyncIterator[Finding]:
        if not counts:
            return
        # A server shows a batch's views right after it, which the snapshot may have fallen between.
        await asyncio.sleep(SHOWN_SECONDS)
        for message_id, shown in (await self._store.find_shown(counts)).items():
            if shown < counts[message_id]:
                problem = f"shows {shown} views, {counts[message_id]} are counted"
                yield Finding("P4", _name(message_id), problem, self._raising(message_id))

    def _raising(self, message_id: str) -> Repair:
        stream_id, seq = _place(message_id)

        async def work(tx: Tx) -> str | None:
            count = await self._store.find_count(message_id, tx)
            shown = await self._chat.view_counts.shown(stream_id, [seq], tx)
            if seq not in shown or shown[seq] >= count:
                return None
            await self._chat.view_counts.raise_to(stream_id, {seq: count}, tx)
            return f"shows {count} views"

        return lambda: self._database.run(work)

    def _deleting(self, message_id: str) -> Repair:
        stream_id, _ = _place(message_id)

        async def work(tx: Tx) -> str | None:
            if await self._chat.streams.exists(stream_id, tx):
                return None
            deleted = await self._store.delete_views(message_id, tx)
            return "deleted its views" if deleted else None

        return lambda: self._database.run(work)

    # --- days -----------------------------------------------------------------------------------------------------

    async def days(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The subscribers at the end of the last day on which somebody came or went, and the members."""
        # What `groups.audit` has mended meanwhile counts.
        await snapshot.renew(older_than=0)
        async for row in self._store.other_subscribers(snapshot):
            problem = (
                f"{row['day']} ends with {row['counted']} subscribers, there are {row['members']}"
            )
            repair = self._ending(GroupId(row["_id"]))
            yield Finding("P3", f"channel {row['_id']}", problem, repair)

    def _ending(self, channel_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            accesses = await self._chat.bulk_access.accesses_of({REPAIR_ACTOR}, channel_id, tx)
            if REPAIR_ACTOR not in accesses:
                return None
            members = accesses[REPAIR_ACTOR].group.member_count
            before = await self._store.put_subscribers(channel_id, members, tx)
            if before in {None, members}:
                return None
            return f"set the last day's subscribers from {before} to {members}"

        return lambda: self._database.run(work)

    # --- muted ----------------------------------------------------------------------------------------------------

    async def muted(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The counter of those who have muted a group."""
        # Settings of strangers, which `conversations.audit` has deleted meanwhile, do not count.
        await snapshot.renew(older_than=0)
        async for row in self._store.other_muted(snapshot):
            problem = f"{row['counted']} members are counted who muted it, {row['muted']} have"
            yield Finding(
                "P4", f"group {row['_id']}", problem, self._recounting(GroupId(row["_id"]))
            )

    def _recounting(self, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if not await self._chat.bulk_access.accesses_of({REPAIR_ACTOR}, group_id, tx):
                return None
            before, after = await self._store.recount_muted(group_id, tx)
            return f"counted anew: {after}" if before != after else None

        return lambda: self._database.run(work)


def _place(message_id: str) -> tuple[StreamId, int]:
    stream_id, _, seq = message_id.rpartition(SEPARATOR)
    return StreamId(stream_id), int(seq) if seq.isdecimal() else 0


def _name(message_id: str) -> str:
    stream_id, seq = _place(message_id)
    return f"message {seq} of {stream_id}"
