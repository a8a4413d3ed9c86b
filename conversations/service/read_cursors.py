"""Read cursors: they move forward only, and never past the head.

Single reads of all users share the batches of one commit queue. A batch takes the same few commands for any number of
users and conversations, of which one finds all that it must know. Two queues would halve the batches (measured with 16
callers on 2 cores: 2,700 reads/s with one queue, 1,200 with two, 550 with eight). A stored cursor moves by `$max`, so
no other process can move it back.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Final

from conversations import policy
from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.events import ConversationRead
from conversations.models import (
    BUILT_IN_GROUPS,
    DEFAULT_SETTINGS,
    Conversation,
    ConversationId,
    ConversationKey,
    ReadMark,
    ReadScope,
    Unread,
    conversation_from,
    dialogue_conversation,
    dialogue_of,
    group_of,
)
from conversations.service.guard import ConversationGuard, heads_of_existing, streams_of
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import GroupCommit, OnBatch, each_key
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.write_locks import user_lock

READS_AN_EVENT: Final = 500
"""Marking thousands as read publishes several events of about 40 kB each, which bounds the memory of their readers."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A user has read a conversation up to `seq`, or up to the head if it is None."""

    user_id: UserId
    conversation_id: ConversationId
    group_id: GroupId | None
    """None for a one-to-one conversation."""
    seq: int | None

    @property
    def key(self) -> ConversationKey:
        return self.user_id, self.conversation_id


@dataclass(kw_only=True, slots=True)
class ReadCursorService:
    """Marks conversations as read."""

    database: Database
    membership_reader: MembershipReader
    guard: ConversationGuard
    settings: ConversationSettingsStore
    groups: ConversationGroupStore
    clock: Clock
    on_batch: InitVar[OnBatch | None] = None
    _queue: GroupCommit[_Read, ReadMark] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = GroupCommit(
            self.database, each_key(self._apply), name="reads", on_batch=on_batch
        )

    async def mark_read(
        self, actor: Actor, conversation_id: ConversationId, *, seq: int | None = None
    ) -> ReadMark:
        """Move the actor's cursor forward to `seq`, or to the head. Publishes: ConversationRead, if it moves."""
        group_id = group_of(conversation_id)
        if group_id is None and dialogue_of(actor.user_id, conversation_id) is None:
            raise ConversationNotFound
        read = _Read(actor.user_id, conversation_id, group_id, seq)
        return await self._queue.submit("reads", read)  # one key, so all reads share the batches

    async def _apply(
        self, tx: Tx, key: str, reads: Sequence[_Read]
    ) -> Sequence[ReadMark | DomainError]:
        found = await self._find_conversations(reads, tx)
        absent = {
            key for key, conversation in found.items() if conversation.settings is DEFAULT_SETTINGS
        }
        moved: dict[ConversationKey, None] = {}
        for read in reads:
            conversation = found.get(read.key)
            if conversation is None:
                continue
            head = conversation.head_seq
            target = head if read.seq is None else min(read.seq, head)
            if target > conversation.read_seq:
                found[read.key] = conversation.read_up_to(target)
                moved[read.key] = None
        await self._store({key: found[key] for key in moved}, absent, tx)
        # Each caller gets the state at the end of the batch, since that is what is committed.
        return [
            _mark(found[read.key]) if read.key in found else ConversationNotFound()
            for read in reads
        ]

    async def _find_conversations(
        self, reads: Sequence[_Read], tx: Tx
    ) -> dict[ConversationKey, Conversation]:
        """The conversations that exist among these, with one command."""
        pairs = {(read.group_id, read.user_id) for read in reads if read.group_id is not None}
        dialogues = {
            read.key: dialogue
            for read in reads
            if read.group_id is None
            and (dialogue := dialogue_of(read.user_id, read.conversation_id)) is not None
        }
        stream_ids = {stream_of(group_id) for group_id, _ in pairs}
        of_memberships = self.membership_reader.query_pairs(pairs)
        of_settings = self.settings.query_settings_of_keys({read.key for read in reads})
        of_streams = self.membership_reader.query_streams(
            stream_ids | streams_of(dialogues.values())
        )
        await self.database.fetch_together(of_memberships, of_settings, of_streams, tx=tx)
        memberships, settings = of_memberships.result, of_settings.result
        heads = {stream_id: stream.head for stream_id, stream in of_streams.result.items()}
        found: dict[ConversationKey, Conversation] = {}
        for read in reads:
            membership = memberships.get((read.group_id, read.user_id)) if read.group_id else None
            head = heads.get(read.conversation_id)
            if membership is not None and head is not None:
                own = settings.get(read.key, DEFAULT_SETTINGS)
                found[read.key] = conversation_from(
                    read.user_id, read.conversation_id, membership, head, own
                )
        for key, dialogue in dialogues.items():
            for conversation_id, head in heads_of_existing([dialogue], heads).items():
                if key in settings:
                    found[key] = dialogue_conversation(conversation_id, head, settings[key])
        return found

    async def mark_all_read(self, actor: Actor, scope: str) -> Unread:
        """Move the cursors of all conversations in a `ReadScope` or a conversation group to their heads.

        Returns the unread totals afterwards. It is one transaction, whose size the limit of groups a user bounds.
        Publishes: ConversationRead, one for each `READS_AN_EVENT` conversations that were unread.
        """

        async def work(tx: Tx) -> Unread:
            names = [group.name for group in await self.groups.list_groups(actor.user_id, tx)]
            if scope not in {*ReadScope, *BUILT_IN_GROUPS, *names}:
                raise ConversationGroupNotFound
            snapshot = await self.guard.snapshot(actor, tx)
            read = {
                conversation.conversation_id: conversation.read_up_to(conversation.head_seq)
                for conversation in snapshot.conversations()
                if conversation.unread_count and policy.is_in_scope(conversation, scope)
            }
            moved = {(actor.user_id, key): conversation for key, conversation in read.items()}
            absent = {key for key in moved if key[1] not in snapshot.user_settings.read_seqs}
            await self._store(moved, absent, tx)
            seqs = {key: conversation.read_seq for key, conversation in read.items()}
            after = snapshot.with_read_seqs(seqs)
            return policy.unread_totals(after, names, self.clock.now(), include_muted=False)

        return await self.database.run(work, user_lock(actor.user_id))

    async def _store(
        self,
        moved: Mapping[ConversationKey, Conversation],
        absent: Container[ConversationKey],
        tx: Tx,
    ) -> None:
        """Store the cursors of these conversations and publish them, with few events for each user."""
        if not moved:
            return
        seqs = [(key, conversation.read_seq) for key, conversation in moved.items()]
        now = self.clock.now()
        await self.settings.advance_read_cursors(seqs, tx, at=now, absent=absent)
        marks: dict[UserId, list[ReadMark]] = {}
        for (user_id, _), conversation in moved.items():
            marks.setdefault(user_id, []).append(_mark(conversation))
        for user_id, user_marks in marks.items():
            for start in range(0, len(user_marks), READS_AN_EVENT):
                reads = tuple(user_marks[start : start + READS_AN_EVENT])
                tx.publish(ConversationRead(at=now, user_id=user_id, reads=reads))

    async def close(self) -> None:
        await self._queue.close()


def _mark(conversation: Conversation) -> ReadMark:
    return ReadMark.model_construct(
        conversation_id=conversation.conversation_id,
        read_seq=conversation.read_seq,
        unread_count=conversation.unread_count,
    )
