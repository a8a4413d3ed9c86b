"""What group chat's stored data must fulfil, and how it is set right where other records tell the truth.

A group's marker and its stream's flag are compared here; that the marker means a channel is for `channels.audit`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from groups.audit import admins, media, pins, streams
from groups.audit.store.groups import GroupAuditStore
from groups.audit.store.streams import StreamAuditStore
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.limits import GroupLimits
from groups.models import CHANNEL_MARKER, GroupType, stream_of, type_member_limit

Row = Mapping[str, Any]


def checks(database: Database, limits: GroupLimits, *, holders: Sequence[str] = ()) -> list[Check]:
    """All checks of group chat, in the order in which their repairs build on each other.

    `holders`: collections of higher packages whose documents use uploads as messages do.
    """
    audit = _Audit(database, GroupAuditStore(database), StreamAuditStore(database), limits)
    return [
        *streams.checks(database),
        Check(
            "P3",
            "each member has one record",
            "members",
            lambda snapshot: snapshot.count("members"),
            audit.members,
        ),
        Check(
            "P3",
            "each group has its stream, its owner, as many members as it says and may have",
            "groups",
            lambda snapshot: snapshot.count("groups"),
            audit.groups,
        ),
        Check(
            "P5",
            "nobody joined behind the head",
            "members",
            lambda snapshot: snapshot.count("members"),
            audit.joined,
        ),
        Check(
            "P9",
            "bans and join requests belong to groups",
            "bans and requests",
            _count_restrictions,
            audit.restrictions,
        ),
        *pins.checks(database, limits),
        *media.checks(database, holders),
        *admins.checks(database, limits),
    ]


async def _count_restrictions(snapshot: Snapshot) -> int:
    return await snapshot.count("restrictions") + await snapshot.count("join_requests")


class _Audit:
    def __init__(
        self,
        database: Database,
        store: GroupAuditStore,
        stream_store: StreamAuditStore,
        limits: GroupLimits,
    ) -> None:
        self._database = database
        self._store = store
        self._streams = stream_store
        self._limits = {kind.value: type_member_limit(kind, limits) for kind in GroupType}

    # --- members --------------------------------------------------------------------------------------------------

    async def members(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: a user is in a group once; owner and admins can be found as such."""
        async for row in self._store.crooked_members(snapshot):
            subject = f"member {row.get('user_id')} of {row.get('group_id')}"
            if row.get("misfiled"):
                yield Finding("P3", subject, f"filed as {row['_id']!r}")
            else:
                has = "has" if row.get("staff") else "lacks"
                problem = f"is {row['role']} and {has} the mark of owner and admins"
                yield Finding("P3", subject, problem, self._mending_staff(row["_id"]))

    def _mending_staff(self, key: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            changed = await self._store.mend_staff(key, tx)
            return "set the mark as the role asks" if changed else None

        return lambda: self._database.run(work)

    # --- groups ---------------------------------------------------------------------------------------------------

    async def groups(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: counts, limits, owners; groups and streams one to one."""
        async for row in self._store.crooked_groups(snapshot, self._limits):
            for finding in self._of_group(row):
                yield finding

    def _of_group(self, row: Row) -> list[Finding]:
        group_id, subject = GroupId(row["_id"]), f"group {row['_id']}"
        count = row["members"] or 0
        found: list[Finding] = []
        if row["group"] is None:
            if count:
                problem = f"does not exist, and has {count} members"
                found.append(Finding("P3", subject, problem, self._clearing_members(group_id)))
            if row["stream"] is not None:
                repair = self._deleting_stream(group_id)
                found.append(Finding("P3", subject, "does not exist, and has a stream", repair))
            return found
        if row["stream"] is None:
            found.append(Finding("P3", subject, "has no stream", self._rebuilding(group_id)))
        elif row["flagged"] != row["marked"]:
            marked = "carries" if row["marked"] else "does not carry"
            problem = f"{marked} the channel marker, and its stream says otherwise"
            found.append(Finding("P3", subject, problem, self._flagging(group_id)))
        if row["counted"] != count:
            problem = f"member_count is {row['counted']}, there are {count} members"
            found.append(Finding("P3", subject, problem, self._recounting(group_id)))
        limit = min(x for x in (row["limit"], row["of_type"]) if x is not None)
        if count > limit:
            found.append(Finding("P3", subject, f"has {count} members, its limit is {limit}"))
        wrong = _wrong_owner(row)
        if wrong:
            found.append(Finding("P3", subject, wrong))
        return found

    def _recounting(self, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            group = await self._store.find_group(group_id, tx)
            if group is None:
                return None
            count = await self._store.recount(group_id, tx)
            if count == group["member_count"]:
                return None
            return f"set member_count from {group['member_count']} to {count}"

        return lambda: self._database.run(work)

    def _clearing_members(self, group_id: GroupId) -> Repair:
        async def step(tx: Tx) -> int:
            if await self._store.is_known(group_id, tx):
                return 0
            return await self._store.delete_members(group_id, tx)

        async def repair() -> str | None:
            deleted = 0
            while more := await self._database.run(step):
                deleted += more
            return f"deleted {deleted} members" if deleted else None

        return repair

    def _deleting_stream(self, group_id: GroupId) -> Repair:
        stream_id = stream_of(group_id)

        async def work(tx: Tx) -> str | None:
            if await self._store.is_known(group_id, tx):
                return None
            count, _, _ = await self._streams.measure_messages(stream_id, tx)
            # Messages are never deleted, so what leads to them stays too: a backup may bring the group back.
            if count:
                return None
            await self._streams.delete(stream_id, tx)
            return "deleted the empty stream"

        return lambda: self._database.run(work)

    def _rebuilding(self, group_id: GroupId) -> Repair:
        stream_id = stream_of(group_id)

        async def work(tx: Tx) -> str | None:
            group = await self._store.find_group(group_id, tx)
            if group is None or await self._streams.find(stream_id, tx) is not None:
                return None
            _, _, newest = await self._streams.measure_messages(stream_id, tx)
            last = streams.last_in(newest)
            seq = last["seq"] if last else 0
            values = {"head_seq": seq, "is_channel": _is_marked(group), "last": last}
            await self._streams.put_head(stream_id, values, tx)
            return f"made the stream anew with head_seq {seq}"

        return lambda: self._database.run(work)

    def _flagging(self, group_id: GroupId) -> Repair:
        stream_id = stream_of(group_id)

        async def work(tx: Tx) -> str | None:
            group = await self._store.find_group(group_id, tx)
            stream = await self._streams.find(stream_id, tx)
            if group is None or stream is None or stream["is_channel"] == _is_marked(group):
                return None
            await self._streams.put_head(stream_id, {"is_channel": _is_marked(group)}, tx)
            return "had the stream say what the group's marker says"

        return lambda: self._database.run(work)

    # --- the rest -------------------------------------------------------------------------------------------------

    async def joined(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P5: a member joined at a head that there was."""
        async for row in self._store.joined_beyond_head(snapshot):
            problem = f"a member joined at seq {row['joined']}, head_seq is {row['head']}"
            repair = self._lowering_joined(GroupId(row["_id"]))
            yield Finding("P5", f"group {row['_id']}", problem, repair)

    def _lowering_joined(self, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            stream = await self._streams.find(stream_of(group_id), tx)
            if stream is None:
                return None
            changed = await self._store.lower_joined(group_id, stream["head_seq"], tx)
            return f"set joined_seq of {changed} members to the head" if changed else None

        return lambda: self._database.run(work)

    async def restrictions(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P9: a ban left behind would greet the members of the next group with that id."""
        for collection in ("restrictions", "join_requests"):
            async for row in self._store.rows_of_no_group(snapshot, collection):
                problem = f"does not exist, and has {row['rows']} {collection.replace('_', ' ')}"
                repair = self._clearing(collection, GroupId(row["_id"]))
                yield Finding("P9", f"group {row['_id']}", problem, repair)

    def _clearing(self, collection: str, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            if await self._store.is_known(group_id, tx):
                return None
            deleted = await self._store.delete_rows(collection, group_id, tx)
            return f"deleted {deleted}" if deleted else None

        return lambda: self._database.run(work)


def _wrong_owner(row: Row) -> str | None:
    owner, owners = row["owner"], row["owners"] or 0
    if owner is None:
        if row["type"] != GroupType.WORK.value:
            return "has no owner"
        return f"names no owner, and {row['owning']} has that role" if owners else None
    if owners == 1 and owner == row["owning"]:
        return None
    if not owners:
        return f"is owned by {owner}, who does not have that role"
    who = row["owning"] if owners == 1 else f"{owners} members"
    return f"is owned by {owner}, and the role of owner has {who}"


def _is_marked(group: Document) -> bool:
    return CHANNEL_MARKER in group["custom"]
