"""Checks the stored data of conversations, and repairs it.

Settings are compared with memberships in slices of users. Each slice reads a user's settings and memberships at one
instant, and no slice is compared with another. So the check works at any size, even if it takes longer in total than
the database keeps one snapshot. Dialogues are compared in one go, since each belongs to two users.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from conversations.audit.store import ConversationAuditStore
from conversations.limits import ConversationLimits
from conversations.models import C2C_PREFIX, ConversationId, group_of
from groups.kernel.data_checks import Check, Finding, Repair
from groups.kernel.ids import PAIR_SEPARATOR, SEPARATOR, GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.kernel.mongo.snapshot import Snapshot
from groups.models import INBOX_PREFIX, inbox_stream_of
from groups.service.access.membership_reader import MembershipReader


def checks(
    database: Database, memberships: MembershipReader, limits: ConversationLimits
) -> list[Check]:
    """Return all checks of conversations, in the order in which their repairs build on each other."""
    audit = _Audit(
        database=database,
        store=ConversationAuditStore(database),
        membership_reader=memberships,
        limits=limits,
    )
    return [
        Check(
            "P5",
            "settings of conversations belong to a membership",
            "conversations",
            lambda snapshot: snapshot.count("conversations"),
            audit.find_settings_without_membership,
        ),
        Check(
            "P5",
            "no read cursor is past the head",
            "conversations",
            lambda snapshot: snapshot.count("conversations"),
            audit.find_wrong_read_cursors,
        ),
        Check(
            "P5",
            "conversation groups that hold conversations exist and are not too full",
            "conversation groups",
            lambda snapshot: snapshot.count("conversation_groups"),
            audit.find_wrong_groups,
        ),
        Check(
            "P5",
            "each user in a dialogue has its conversation, read no further than its head",
            "dialogues",
            ConversationAuditStore.count_dialogues,
            audit.find_wrong_dialogues,
        ),
        Check(
            "P5",
            "each dialogue with a channel has its thread, read no further than its head",
            "threads",
            lambda snapshot: snapshot.count("threads"),
            audit.find_wrong_threads,
        ),
        # After the threads: its repair counts the threads as they are then.
        Check(
            "P5",
            "the totals of each inbox are those of its threads",
            "inboxes",
            ConversationAuditStore.count_inboxes,
            audit.find_wrong_totals,
        ),
        Check(
            "P5",
            "the tags in use in each inbox are those of its threads",
            "inboxes with tags",
            lambda snapshot: snapshot.count("inbox_tags"),
            audit.find_wrong_tags,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Audit:
    database: Database
    store: ConversationAuditStore
    membership_reader: MembershipReader
    limits: ConversationLimits

    async def find_settings_without_membership(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        """Settings end with the membership: a user who joins again starts with the defaults."""
        after: str | None = ""
        while after is not None:
            await snapshot.renew()
            until = await self.store.slice_end(snapshot, after)
            async for row in self.store.without_membership(snapshot, after, until):
                user_id, _, conversation_id = row["_id"].partition(SEPARATOR)
                repair = self._repair(partial(self._delete_settings, user_id, conversation_id))
                subject = f"{user_id} in {conversation_id}"
                yield Finding("P5", subject, "settings without a membership", repair)
            after = until

    def _repair(self, work: Callable[[Tx], Awaitable[str | None]]) -> Repair:
        return lambda: self.database.run(work)

    async def _delete_settings(
        self, user_id: UserId, conversation_id: ConversationId, tx: Tx
    ) -> str | None:
        group_id = group_of(conversation_id)
        if group_id is None:
            return None
        if await self.membership_reader.find_memberships([(group_id, user_id)], tx):
            return None
        is_deleted = await self.store.delete_settings(user_id, conversation_id, tx)
        return "deleted" if is_deleted else None

    async def find_wrong_read_cursors(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.conversations_past_head(snapshot):
            conversation_id, head = row["_id"], row["head"]
            async for settings in self.store.settings_past_head(snapshot, conversation_id, head):
                seq = max(settings.get("read_seq") or 0, settings.get("hidden_at_seq") or 0)
                user_id = settings["user_id"]
                problem = f"read or hid seq {seq}, head_seq is {head}"
                work = partial(self._lower_seqs, user_id, conversation_id, conversation_id)
                subject = f"{user_id} in {conversation_id}"
                yield Finding("P5", subject, problem, self._repair(work))

    async def _lower_seqs(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId, tx: Tx
    ) -> str | None:
        heads = await self.membership_reader.find_heads([stream_id], tx, with_hidden=True)
        if stream_id not in heads:
            return None
        head = heads[stream_id].head_seq
        lowered = await self.store.lower_seqs(user_id, conversation_id, head, tx)
        return f"set back to the head, {head}" if lowered else None

    async def find_wrong_dialogues(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.wrong_sides(snapshot):
            user_id, _, stream_id = row["_id"].partition(SEPARATOR)
            head, conversation_id = row["head"], row["conversation_id"]
            if head is None:
                problem, work = "has no stream", self._delete_dialogue
            elif row["held"] is None:
                conversation_id = _conversation_of(user_id, stream_id)
                problem, work = "is missing in their list", self._add_dialogue
            else:
                seq = max(row["read"] or 0, row["hidden"] or 0)
                problem, work = f"read or hid seq {seq}, head_seq is {head}", self._lower_seqs
            repair = self._repair(partial(work, user_id, conversation_id, stream_id))
            yield Finding("P5", f"{user_id} in {conversation_id}", problem, repair)

    async def _delete_dialogue(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId, tx: Tx
    ) -> str | None:
        if await self.membership_reader.find_heads([stream_id], tx, with_hidden=True):
            return None
        is_deleted = await self.store.delete_settings(user_id, conversation_id, tx)
        return "deleted" if is_deleted else None

    async def _add_dialogue(
        self, user_id: UserId, conversation_id: ConversationId, stream_id: StreamId, tx: Tx
    ) -> str | None:
        if not await self.membership_reader.find_heads([stream_id], tx, with_hidden=True):
            return None
        is_new = await self.store.insert_missing(user_id, conversation_id, tx)
        return "added to their list, unread" if is_new else None

    async def find_wrong_threads(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.wrong_threads(snapshot):
            channel_id, user_id, head = row["channel_id"], row["user_id"], row["head"]
            subject = f"thread of {channel_id} with {user_id}"
            repair = self._repair(partial(self._repair_thread, channel_id, user_id))
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

    async def _repair_thread(self, channel_id: GroupId, user_id: UserId, tx: Tx) -> str | None:
        stream_id = inbox_stream_of(channel_id, user_id)
        heads = await self.membership_reader.find_heads(
            [stream_id], tx, with_times=True, with_hidden=True
        )
        head = heads.get(stream_id)
        done = None
        if head is None:
            if await self.store.delete_thread(channel_id, user_id, tx):
                done = "deleted"
        elif await self.store.insert_missing_thread(channel_id, user_id, head.active_ms, tx):
            done = "added to the inbox, unread"
        elif await self.store.lower_read_seq(channel_id, user_id, head.head_seq, tx):
            done = f"set back to the head, {head.head_seq}"
        if done is not None:
            await self._recount(channel_id, tx)
        return done

    async def find_wrong_groups(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        limit = self.limits.conversations_per_group
        async for row in self.store.wrong_groups(snapshot, limit):
            user_id, name, held = row["user_id"], row["name"], row["held"]
            subject = f"conversation group {name} of {user_id}"
            if row["exists"]:
                yield Finding("P5", subject, f"holds {held} conversations, its limit is {limit}")
            else:
                problem = f"does not exist, and {held} conversations are in it"
                repair = self._repair(partial(self._remove_group, user_id, name))
                yield Finding("P5", subject, problem, repair)
        limit = self.limits.conversation_groups
        async for row in self.store.users_beyond_limit(snapshot, limit):
            problem = f"has {row['made']} conversation groups, the limit is {limit}"
            yield Finding("P5", f"user {row['_id']}", problem)

    async def _remove_group(self, user_id: UserId, name: str, tx: Tx) -> str | None:
        if await self.store.group_exists(user_id, name, tx):
            return None
        removed = await self.store.remove_group(user_id, name, tx)
        return f"removed {removed} conversations from it" if removed else None

    async def find_wrong_totals(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.wrong_totals(snapshot):
            counted = f"{row['messages']} in {row['threads']} threads"
            there_are = f"{row['unread']} in {row['with_unread']}"
            problem = f"counts {counted} as unread, there are {there_are}"
            repair = self._repair(partial(self._recount, row["_id"]))
            yield Finding("P5", f"inbox of {row['_id']}", problem, repair)

    async def _recount(self, channel_id: GroupId, tx: Tx) -> str | None:
        unread = await self.store.count_unread(channel_id, tx)
        if unread == await self.store.find_totals(channel_id, tx):
            return None
        await self.store.put_totals(channel_id, unread, tx)
        return f"counted again: {unread.messages} unread in {unread.threads} threads"

    async def find_wrong_tags(self, snapshot: Snapshot) -> AsyncIterator[Finding]:
        async for row in self.store.wrong_tags(snapshot):
            channel_id, listed, used = row["_id"], sorted(row["listed"]), sorted(row["used"])
            problem = f"lists the tags {listed}, its threads have {used}"
            repair = self._repair(partial(self._collect_tags, channel_id))
            yield Finding("P5", f"inbox of {channel_id}", problem, repair)

    async def _collect_tags(self, channel_id: GroupId, tx: Tx) -> str | None:
        used = await self.store.tags_of_threads(channel_id, tx)
        if used == await self.store.find_tags(channel_id, tx):
            return None
        await self.store.put_tags(channel_id, used, tx)
        return f"collected again: {used}"


def _conversation_of(user_id: UserId, stream_id: StreamId) -> ConversationId:
    """Return the id that the user's dialogue with this stream has for them."""
    if stream_id.startswith(INBOX_PREFIX):
        peer, _, _ = stream_id.removeprefix(INBOX_PREFIX).partition(PAIR_SEPARATOR)
    else:
        one, _, other = stream_id.removeprefix(C2C_PREFIX).partition(PAIR_SEPARATOR)
        peer = other if one == user_id else one
    return ConversationId(C2C_PREFIX + peer)
