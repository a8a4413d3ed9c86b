"""Checks groups and members, and repairs them where other records prove what is right.

Whether a group's marker fits its stream's flag is checked here; whether a marked group is a channel, in
`channels.audit`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from groups.audit import media
from groups.audit.invite_links import InviteLinkAudit
from groups.audit.store.groups import HAS_MARKING, GroupAuditStore
from groups.audit.store.invite_links import InviteLinkAuditStore
from groups.audit.store.streams import StreamAuditStore
from groups.audit.streams import StreamAudit, last_in
from groups.audit.terms import TermAudit
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Document, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.limits import GroupLimits
from groups.models import CHANNEL_MARKER, GroupType, stream_of, type_member_limit

Row = Mapping[str, Any]

_BANS_AND_REQUESTS = {"restrictions": "restrictions", "join_requests": "join requests"}
"""Collections whose documents belong to a group, with the words for them."""
_INVITATIONS_AND_LOGS = {
    "admin_invitations": "admin invitations",
    "invite_links": "invite links",
    "admin_log": "entries of an admin log",
}
"""As `_BANS_AND_REQUESTS`."""


def checks(database: Database, limits: GroupLimits, *, holders: Sequence[str] = ()) -> list[Check]:
    """All checks of group chat, ordered so that each repair builds on the earlier ones.

    `holders` are collections of higher packages whose documents hold uploads as messages do.
    """
    audit = _Audit(database, limits)
    streams = StreamAudit(database, StreamAuditStore(database), limits.pinned_messages)
    return [
        streams.of_seqs(),
        streams.of_versions(),
        TermAudit.of(database).of_terms(),
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
            "P12",
            "no group became a channel at a seq that its stream has not reached",
            "channels that were groups",
            lambda snapshot: snapshot.count("groups", [{"$match": HAS_MARKING}]),
            audit.markings,
        ),
        Check(
            "P9",
            "bans and join requests belong to groups",
            "bans and requests",
            partial(_count, _BANS_AND_REQUESTS),
            partial(audit.strays, _BANS_AND_REQUESTS),
        ),
        InviteLinkAudit(database, InviteLinkAuditStore(database)).of_counts(),
        streams.of_pins(),
        *media.checks(database, holders),
        Check(
            "P3",
            "no group has more admins than it may have",
            "groups",
            lambda snapshot: snapshot.count("groups"),
            audit.admins,
        ),
        Check(
            "P9",
            "invitations and admin logs belong to groups",
            "invitations and entries",
            partial(_count, _INVITATIONS_AND_LOGS),
            partial(audit.strays, _INVITATIONS_AND_LOGS),
        ),
    ]


async def _count(collections: Mapping[str, str], snapshot: Snapshot) -> int:
    return sum([await snapshot.count(collection) for collection in collections])


class _Audit:
    def __init__(self, database: Database, limits: GroupLimits) -> None:
        self._database = database
        self._store = GroupAuditStore(database)
        self._streams = StreamAuditStore(database)
        self._member_limits = {kind.value: type_member_limit(kind, limits) for kind in GroupType}
        self._admin_limit = limits.admins

    async def members(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: a user is in a group once; the owner and the admins have the flag of staff."""
        async for row in self._store.crooked_members(snapshot):
            subject = f"member {row.get('user_id')} of {row.get('group_id')}"
            if row.get("misfiled"):
                yield Finding("P3", subject, f"filed as {row['_id']!r}")
            else:
                has = "has" if row.get("staff") else "lacks"
                problem = f"is {row['role']} and {has} the mark of owner and admins"
                yield Finding("P3", subject, problem, self._repair_staff(row["_id"]))

    def _repair_staff(self, key: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            changed = await self._store.repair_staff(key, tx)
            return "set the mark as the role asks" if changed else None

        return lambda: self._database.run(work)

    async def groups(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: counts, limits and owners are right, and each group has one stream."""
        async for row in self._store.crooked_groups(snapshot, self._member_limits):
            for finding in self._of_group(row):
                yield finding

    def _of_group(self, row: Row) -> list[Finding]:
        group_id, subject = GroupId(row["_id"]), f"group {row['_id']}"
        count = row["members"] or 0
        found: list[Finding] = []
        if row["group"] is None:
            if count:
                problem = f"does not exist, and has {count} members"
                repair = self._deleting(group_id, self._store.delete_members, "members")
                found.append(Finding("P3", subject, problem, repair))
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

    def _deleting_stream(self, group_id: GroupId) -> Repair:
        stream_id = stream_of(group_id)

        async def work(tx: Tx) -> str | None:
            if await self._store.is_known(group_id, tx):
                return None
            count, _, _ = await self._streams.measure_messages(stream_id, tx)
            # A stream with messages stays, as messages do: a backup may restore the group.
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
            last = last_in(newest)
            seq = last["seq"] if last else 0
            values = {"head_seq": seq, "is_channel": _is_marked(group), "last": last}
            await self._streams.put_head(stream_id, values, tx)
            await self._streams.raise_version(stream_id, tx)
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
            return "set the stream's marker to the group's"

        return lambda: self._database.run(work)

    async def joined(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P5: no member joined at a seq that the stream has not reached."""
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

    async def markings(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P12: otherwise posts that are to come would be hidden as what was said in private."""
        async for row in self._store.marked_beyond_head(snapshot):
            problem = f"became a channel at seq {row['marked']}, head_seq is {row['head']}"
            repair = self._lowering_marking(GroupId(row["_id"]))
            yield Finding("P12", f"group {row['_id']}", problem, repair)

    def _lowering_marking(self, group_id: GroupId) -> Repair:
        async def work(tx: Tx) -> str | None:
            stream = await self._streams.find(stream_of(group_id), tx)
            if stream is None:
                return None
            is_changed = await self._store.lower_marking(group_id, stream["head_seq"], tx)
            return "set the seq of the marking to the head" if is_changed else None

        return lambda: self._database.run(work)

    async def admins(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """P3: no repair, because the owner decides which admin to dismiss."""
        rows = snapshot.rows(
            "members",
            [
                {"$match": {"role": "admin"}},
                {"$group": {"_id": "$group_id", "admins": {"$sum": 1}}},
                {"$match": {"admins": {"$gt": self._admin_limit}}},
            ],
        )
        async for row in rows:
            problem = f"has {row['admins']} admins, the limit is {self._admin_limit}"
            yield Finding("P3", f"group {row['_id']}", problem)

    async def strays(
        self, collections: Mapping[str, str], snapshot: Snapshot
    ) -> AsyncIterator[Finding]:
        """P9: documents of a group that does not exist would belong to the next group with its id."""
        for collection, what in collections.items():
            async for row in self._store.rows_of_no_group(snapshot, collection):
                group_id = GroupId(row["_id"])
                problem = f"does not exist, and has {row['rows']} {what}"
                repair = self._deleting(group_id, partial(self._store.delete_some, collection))
                yield Finding("P9", f"group {group_id}", problem, repair)

    def _deleting(
        self,
        group_id: GroupId,
        delete_some: Callable[[GroupId, Tx], Awaitable[int]],
        what: str = "",
    ) -> Repair:
        """Delete in steps what belongs to a group that does not exist."""

        async def step(tx: Tx) -> int:
            return (
                0 if await self._store.is_known(group_id, tx) else await delete_some(group_id, tx)
            )

        async def repair() -> str | None:
            deleted = 0
            while more := await self._database.run(step):
                deleted += more
            return f"deleted {deleted} {what}".strip() if deleted else None

        return repair


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
