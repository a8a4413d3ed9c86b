"""Read cursors: they move forward only, and never past the head.

Single reads of all users share group-commit batches, in one lane: a batch costs the same few commands however many
users and conversations it serves, and two lanes only halve what gathers for each transaction (measured with 16 callers
on 2 cores: 2,700 reads/s in one lane, 1,200 in two, 550 in eight). Against other processes a stored cursor moves by
`$max`, so no order of arrival can move it back.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conversations import policy
from conversations.errors import ConversationGroupNotFound, ConversationNotFound
from conversations.events import ConversationRead
from conversations.models import (
    BUILT_IN_GROUPS,
    NO_OVERLAY,
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
from conversations.service.guard import ConversationGuard, living, streams_of
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import stream_of
from groups.service.access.membership_reader import MembershipReader
from groups.service.write_locks import user_lock

LANE: Final = "reads"
"""The one key of the group commit."""

READS_AN_EVENT: Final = 500
"""Reading all of thousands is told in parts of about 40 kB, so that whoever passes them on holds little at a time."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A user has read a conversation up to `seq`; None: up to the head."""

    user_id: UserId
    conversation_id: ConversationId
    group_id: GroupId | None
    """None: it is one-to-one."""
    seq: int | None

    @property
    def key(self) -> ConversationKey:
        return self.user_id, self.conversation_id


class ReadCursorService:
    """Marks conversations read."""

    def __init__(
        self,
        database: Database,
        reader: MembershipReader,
        guard: ConversationGuard,
        overlays: ConversationSettingsStore,
        groups: ConversationGroupStore,
        clock: Clock,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._reader = reader
        self._guard = guard
        self._overlays = overlays
        self._groups = groups
        self._clock = clock
        self._lane: GroupCommit[_Read, ReadMark] = GroupCommit(
            database, self._apply, name="reads", on_batch=on_batch
        )

    async def read(
        self, actor: Actor, conversation_id: ConversationId, *, seq: int | None = None
    ) -> ReadMark:
        """Move the actor's cursor to `seq`, or to the head; backwards or again, it stays and nothing is published.

        Publishes: ConversationRead. Raises: ConversationNotFound.
        """
        group_id = group_of(conversation_id)
        if group_id is None and dialogue_of(actor.user_id, conversation_id) is None:
            raise ConversationNotFound
        read = _Read(actor.user_id, conversation_id, group_id, seq)
        return await self._lane.submit(LANE, read)

    async def _apply(
        self, tx: Tx, key: str, reads: Sequence[_Read]
    ) -> Sequence[ReadMark | DomainError]:
        found = await self._find(reads, tx)
        absent = {key for key, conversation in found.items() if conversation.overlay is NO_OVERLAY}
        moved: dict[ConversationKey, None] = {}
        for read in reads:
            conversation = found.get(read.key)
            if conversation is None:
                continue
            head = conversation.head_seq
            target = head if read.seq is None else min(read.seq, head)
            if target > conversation.read_seq:
                found[read.key] = _read_up_to(conversation, target)
                moved[read.key] = None
        await self._store({key: found[key] for key in moved}, absent, tx)
        # Each hears how it stands at the end of the batch, which is what is committed.
        return [
            _mark(found[read.key]) if read.key in found else ConversationNotFound()
            for read in reads
        ]

    async def _find(self, reads: Sequence[_Read], tx: Tx) -> dict[ConversationKey, Conversation]:
        pairs = [(r.group_id, r.user_id) for r in reads if r.group_id is not None]
        seats = await self._reader.find_memberships(pairs, tx) if pairs else {}
        talks = {
            read.key: dialogue
            for read in reads
            if read.group_id is None
            and (dialogue := dialogue_of(read.user_id, read.conversation_id)) is not None
        }
        streams = {stream_of(group_id) for group_id, _ in seats} | streams_of(talks.values())
        heads = await self._reader.find_heads(streams, tx)
        overlays = await self._overlays.find_many({read.key for read in reads}, tx)
        found: dict[ConversationKey, Conversation] = {}
        for read in reads:
            seat = seats.get((read.group_id, read.user_id)) if read.group_id else None
            head = heads.get(read.conversation_id)
            if seat is not None and head is not None:
                overlay = overlays.get(read.key, NO_OVERLAY)
                found[read.key] = conversation_from(read.conversation_id, seat, head, overlay)
        for key, dialogue in talks.items():
            for conversation_id, head in living([dialogue], heads).items():
                if key in overlays:
                    found[key] = dialogue_conversation(conversation_id, head, overlays[key])
        return found

    async def read_all(self, actor: Actor, scope: str) -> Unread:
        """Move the actor's cursors to the heads of all conversations in a `ReadScope` or a conversation group.

        Answers his unread totals after it. Publishes: ConversationRead, one for each `READS_AN_EVENT` conversations
        that were unread; all of them in one transaction, whose size the limit of groups a user bounds.
        Raises: ConversationGroupNotFound.
        """

        async def work(tx: Tx) -> Unread:
            names = [group.name for group in await self._groups.list_of_user(actor.user_id, tx)]
            if scope not in {*ReadScope, *BUILT_IN_GROUPS, *names}:
                raise ConversationGroupNotFound
            view = await self._guard.view(actor, tx)
            read = {
                conversation.conversation_id: _read_up_to(conversation, conversation.head_seq)
                for conversation in view.conversations()
                if conversation.unread_count and policy.is_in_scope(conversation, scope)
            }
            moved = {(actor.user_id, key): conversation for key, conversation in read.items()}
            absent = {key for key in moved if key[1] not in view.touched.read_seqs}
            await self._store(moved, absent, tx)
            seqs = {key: conversation.read_seq for key, conversation in read.items()}
            after = view.read_up_to(seqs)
            return policy.unread_totals(after, names, include_muted=False)

        return await self._database.run(work, user_lock(actor.user_id))

    async def _store(
        self,
        moved: Mapping[ConversationKey, Conversation],
        absent: Container[ConversationKey],
        tx: Tx,
    ) -> None:
        """Store the cursors of these users' conversations and tell each user of his in few events."""
        if not moved:
            return
        seqs = [(key, conversation.read_seq) for key, conversation in moved.items()]
        await self._overlays.advance(seqs, tx, absent=absent)
        now = self._clock.now()
        marks: dict[UserId, list[ReadMark]] = {}
        for (user_id, _), conversation in moved.items():
            marks.setdefault(user_id, []).append(_mark(conversation))
        for user_id, user_marks in marks.items():
            for start in range(0, len(user_marks), READS_AN_EVENT):
                reads = tuple(user_marks[start : start + READS_AN_EVENT])
                tx.publish(ConversationRead(at=now, user_id=user_id, reads=reads))

    async def close(self) -> None:
        """Wait until every submitted read is committed or refused."""
        await self._lane.close()


def _read_up_to(conversation: Conversation, seq: int) -> Conversation:
    return conversation._replace(overlay=conversation.overlay._replace(read_seq=seq))


def _mark(conversation: Conversation) -> ReadMark:
    return ReadMark.model_construct(
        conversation_id=conversation.conversation_id,
        read_seq=conversation.read_seq,
        unread_count=conversation.unread_count,
    )
