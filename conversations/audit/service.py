"""What users' stored settings must fulfil, and how they are set right.

Overlays are compared with memberships in slices by user: what a user set, and where he is a member, is read at one
instant, and no slice is ever compared with another. So this holds at any size, also where all of it together takes
longer than the database keeps one state. Dialogues are compared at once, since each belongs to two users.
"""

from collections.abc import AsyncIterator

from conversations.audit.inboxes.service import InboxAudit
from conversations.audit.store.dialogues import DialogueAuditStore
from conversations.audit.store.settings import SettingsAuditStore
from conversations.limits import ConversationLimits
from conversations.models import C2C_PREFIX, ConversationId, group_of
from groups.kernel.audit import Check, Finding, Repair
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, StreamId, UserId, join_key
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX, inbox_stream_of
from groups.service.access.membership_reader import MembershipReader


def checks(
    database: Database, memberships: MembershipReader, limits: ConversationLimits
) -> list[Check]:
    """All checks of conversations, in the order in which their repairs build on each other."""
    audit = _Audit(
        database,
        SettingsAuditStore(database),
        DialogueAuditStore(database),
        memberships,
        limits,
    )
    return [
        Check(
            "P5",
            "what a user set belongs to a membership",
            "conversations",
            lambda snapshot: snapshot.number("conversations"),
            audit.seats,
        ),
        Check(
            "P5",
            "nobody read behind the head",
            "conversations",
            lambda snapshot: snapshot.number("conversations"),
            audit.cursors,
        ),
        Check(
            "P5",
            "conversations are in conversation groups that exist and are not too full",
            "conversation groups",
            lambda snapshot: snapshot.number("conversation_groups"),
            audit.groups,
        ),
        Check(
            "P5",
            "each user in a dialogue has its conversation, read no further than its head",
            "dialogues",
            DialogueAuditStore.count,
            audit.dialogues,
        ),
        Check(
            "P5",
            "each dialogue with a channel has its thread, read no further than its head",
            "threads",
            lambda snapshot: snapshot.number("threads"),
            audit.threads,
        ),
        audit.inboxes.check(),
    ]


class _Audit:
    def __init__(
        self,
        database: Database,
        overlays: SettingsAuditStore,
        dialogues: DialogueAuditStore,
        memberships: MembershipReader,
        limits: ConversationLimits,
    ) -> None:
        self._database = database
        self._overlays = overlays
        self._dialogues = dialogues
        self._memberships = memberships
        self._limits = limits
        self.inboxes = InboxAudit(database)

    async def seats(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Nothing outlives a membership: whoever comes back begins anew."""
        after: str | None = ""
        while after is not None:
            await snapshot.renew()
            until = await self._overlays.slice_end(snapshot, after)
            async for row in self._overlays.without_seat(snapshot, after, until):
                user_id, _, conversation_id = row["_id"].partition(SEPARATOR)
                yield Finding(
                    "P5",
                    f"{user_id} in {conversation_id}",
                    "settings without a membership",
                    self._deleting(user_id, conversation_id),
                )
            after = until

    def _deleting(self, user_id: UserId, conversation_id: ConversationId) -> Repair:
        group_id = group_of(conversation_id)

        async def work(tx: Tx) -> str | None:
            if group_id is None:
                return None
            if await self._memberships.find_memberships([(group_id, user_id)], tx):
                return None
            key = join_key(user_id, conversation_id)
            return "deleted" if await self._overlays.delete(key, user_id, tx) else None

        return lambda: self._database.run(work)

    async def cursors(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Unread is never negative."""
        async for row in self._overlays.read_beyond_head(snapshot):
            head = row["head"]
            async for overlay in self._overlays.overlays_beyond(snapshot, row["_id"], head):
                seq = max(overlay.get("read_seq") or 0, overlay.get("hidden_at_seq") or 0)
                yield Finding(
                    "P5",
                    f"{overlay['user_id']} in {row['_id']}",
                    f"read or hid seq {seq}, head_seq is {head}",
                    self._lowering(overlay["user_id"], row["_id"], row["_id"]),
                )

    def _lowering(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId
    ) -> Repair:
        async def work(tx: Tx) -> str | None:
            heads = await self._memberships.find_heads([stream_id], tx)
            if stream_id not in heads:
                return None
            head = heads[stream_id].head_seq
            key = join_key(user_id, conversation_id)
            lowered = await self._overlays.lower(key, user_id, head, tx)
            return f"set back to the head, {head}" if lowered else None

        return lambda: self._database.run(work)

    async def dialogues(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """A dialogue is in the list of each user in it, and no other is."""
        async for row in self._dialogues.crooked_sides(snapshot):
            user_id, _, stream_id = row["_id"].partition(SEPARATOR)
            head = row["head"]
            if head is None:
                conversation_id = row["conversation_id"]
                subject, problem = f"{user_id} in {conversation_id}", "has no stream"
                repair = self._dropping_dialogue(user_id, conversation_id, stream_id)
            elif row["held"] is None:
                conversation_id = _conversation_of(user_id, stream_id)
                subject, problem = f"{user_id} in {conversation_id}", "is missing in his list"
                repair = self._holding(user_id, conversation_id, stream_id)
            else:
                conversation_id = row["conversation_id"]
                seq = max(row["read"] or 0, row["hidden"] or 0)
                subject = f"{user_id} in {conversation_id}"
                problem = f"read or hid seq {seq}, head_seq is {head}"
                repair = self._lowering(user_id, conversation_id, stream_id)
            yield Finding("P5", subject, problem, repair)

    def _dropping_dialogue(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId
    ) -> Repair:
        async def work(tx: Tx) -> str | None:
            if await self._memberships.find_heads([stream_id], tx):
                return None
            key = join_key(user_id, conversation_id)
            return "deleted" if await self._overlays.delete(key, user_id, tx) else None

        return lambda: self._database.run(work)

    def _holding(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId
    ) -> Repair:
        async def work(tx: Tx) -> str | None:
            if not await self._memberships.find_heads([stream_id], tx):
                return None
            is_new = await self._overlays.hold(user_id, conversation_id, tx)
            return "put into his list, unread" if is_new else None

        return lambda: self._database.run(work)

    async def threads(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """What users and a channel say to each other is in its inbox."""
        async for row in self._dialogues.crooked_threads(snapshot):
            channel_id, user_id, head = row["channel_id"], row["user_id"], row["head"]
            subject = f"thread of {channel_id} with {user_id}"
            repair = self._mending_thread(GroupId(channel_id), UserId(user_id))
            if head is None:
                yield Finding("P5", subject, "has no stream", repair)
            elif not row["channel"]:
                # Never repaired: messages are not deleted, and a backup may bring the channel back.
                yield Finding("P5", subject, "is of a channel that does not exist")
            elif row["read"] is None:
                yield Finding("P5", subject, "is missing in the inbox", repair)
            else:
                problem = f"read up to seq {row['read']}, head_seq is {head}"
                yield Finding("P5", subject, problem, repair)

    def _mending_thread(self, channel_id: GroupId, user_id: UserId) -> Repair:
        stream_id = inbox_stream_of(channel_id, user_id)

        async def work(tx: Tx) -> str | None:
            heads = await self._memberships.find_heads([stream_id], tx, with_times=True)
            head = heads.get(stream_id)
            done = None
            if head is None:
                if await self._dialogues.delete(channel_id, user_id, tx):
                    done = "deleted"
            elif await self._dialogues.hold(channel_id, user_id, head.active_ms, tx):
                done = "put into the inbox, unread"
            elif await self._dialogues.lower(channel_id, user_id, head.head_seq, tx):
                done = f"set back to the head, {head.head_seq}"
            if done is not None:
                await self.inboxes.recount(channel_id, tx)
            return done

        return lambda: self._database.run(work)

    async def groups(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """The tabs of a user and what is in them."""
        limit = self._limits.conversations_per_group
        async for row in self._overlays.crooked_groups(snapshot, limit):
            user_id, name, held = row["user_id"], row["name"], row["held"]
            subject = f"conversation group {name} of {user_id}"
            if row["exists"]:
                yield Finding("P5", subject, f"holds {held} conversations, its limit is {limit}")
            else:
                problem = f"does not exist, and {held} conversations are in it"
                yield Finding("P5", subject, problem, self._dropping(user_id, name))
        limit = self._limits.conversation_groups
        async for row in self._overlays.users_beyond_limit(snapshot, limit):
            problem = f"has {row['made']} conversation groups, the limit is {limit}"
            yield Finding("P5", f"user {row['_id']}", problem)

    def _dropping(self, user_id: UserId, name: str) -> Repair:
        async def work(tx: Tx) -> str | None:
            if await self._overlays.group_exists(join_key(user_id, name), user_id, tx):
                return None
            dropped = await self._overlays.drop_name(user_id, name, tx)
            return f"took {dropped} conversations out of it" if dropped else None

        return lambda: self._database.run(work)


def _conversation_of(user_id: UserId, stream_id: StreamId) -> ConversationId:
    """What the user calls his dialogue with this stream."""
    if stream_id.startswith(INBOX_PREFIX):
        peer, _, _ = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    else:
        one, _, other = stream_id.removeprefix(C2C_PREFIX).partition(PAIR_SEPARATOR)
        peer = other if one == user_id else one
    return ConversationId(C2C_PREFIX + peer)
