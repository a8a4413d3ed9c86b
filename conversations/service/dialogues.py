"""One-to-one messages: between two users, and between a user and a channel.

Promises:
    One stream a pair, in which each message is stored once and seqs are dense (P2), whoever begins, also both at once.
    It begins with its first message, which also gives each side its conversation, and a channel its thread.
    Nothing is written per device or per admin: a message costs the same few commands, and each side's unread follows
    from the head and its own cursor. A channel's cursor is in its thread, shared by all who read its inbox.
    Who blocks and whom a channel takes messages from is asked in the transaction that stores the message.

Users need no record: a user id that nobody has used yet may be written to, as it may be added to a group. Who writes to
himself takes notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from conversations.errors import ConversationNotFound
from conversations.events import (
    DialogueEvent,
    DialoguePosted,
)
from conversations.models import ConversationId, Dialogue, DialogueMessage, dialogue_of
from conversations.service.inbox_locks import inbox_locks
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import WritePermission
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, IdempotencyConflict
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import Content, Message, Source, stream_of
from groups.service.messages.batch import PendingPost, PostBatch, prepared
from groups.service.messages.forwarding import ForwardService, said_by
from groups.service.messages.stream import StreamService
from groups.service.write_locks import stream_lock


@dataclass(frozen=True, slots=True)
class PendingDialoguePost:
    """A message on its way into a dialogue, seen from the side of who writes; for a channel, from the user's."""

    dialogue: Dialogue
    post: PendingPost

    @property
    def writer(self) -> Writer:
        return Writer(self.post.actor, self.post.voice is not None)


class DialogueService:
    """Messages of dialogues. `for_channel` in a call: the actor speaks as the channel, which the desk must allow."""

    def __init__(
        self,
        database: Database,
        streams: StreamService,
        forwards: ForwardService,
        overlays: ConversationSettingsStore,
        threads: ThreadStore,
        totals: InboxTotalStore,
        admission: WritePermission,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._streams = streams
        self._forwards = forwards
        self._overlays = overlays
        self._threads = threads
        self._totals = totals
        self._admission = admission
        self._lane: GroupCommit[PendingDialoguePost, Message] = GroupCommit(
            database, self._apply, name="dialogues", on_batch=on_batch, locks_of=_locks_of
        )

    @staticmethod
    def of(actor: Actor, conversation_id: ConversationId) -> Dialogue:
        """The actor's dialogue of this id, begun or not.

        Raises: ConversationNotFound for what cannot be one.
        """
        dialogue = dialogue_of(actor.user_id, conversation_id)
        if dialogue is None:
            raise ConversationNotFound
        return dialogue

    # --- write ----------------------------------------------------------------------------------------------------

    async def post(
        self,
        actor: Actor,
        dialogue: Dialogue,
        content: Content,
        *,
        key: str | None = None,
        silent: bool = False,
        for_channel: bool = False,
    ) -> DialogueMessage:
        """Add a message, the first of which begins the dialogue; with a `key`, doing it again answers the first one.

        The writer's own cursor moves to it. Publishes: DialoguePosted. Raises: ConversationNotFound;
        MessagesNotAccepted; PeerBlocked; DialogueLimitReached; UnansweredLimitReached; Banned; Muted;
        PermissionRefused; FieldTooLong; MediaNotFound; WrongMediaKind; RateLimited at `posts_per_second`;
        IdempotencyConflict.
        """
        voice = UserId(dialogue.peer_id) if for_channel else None
        letter = PendingDialoguePost(
            dialogue, self._streams.entry(actor, content, key, silent=silent, voice=voice)
        )
        return DialogueMessage(dialogue, await self._lane.submit(dialogue.stream_id, letter))

    async def forward(
        self,
        actor: Actor,
        dialogue: Dialogue,
        source: Source,
        *,
        key: str | None = None,
        silent: bool = False,
        for_channel: bool = False,
    ) -> DialogueMessage:
        """Add a copy of a message from elsewhere, which tells where it comes from; with a `key`, once.

        Publishes: DialoguePosted. Raises: as `post`; GroupNotFound, MessageNotFound, PermissionRefused, Banned,
        MessageRecalled, ForwardingNotAllowed for the source.
        """
        voice = UserId(dialogue.peer_id) if for_channel else None
        take, said = (
            self._forwards.taking(actor, source, silent=silent),
            said_by(source, silent=silent),
        )
        letter = PendingDialoguePost(
            dialogue, self._streams.entry_of(actor, take, said, key, voice=voice)
        )
        return DialogueMessage(dialogue, await self._lane.submit(dialogue.stream_id, letter))

    async def _apply(
        self, tx: Tx, key: str, letters: Sequence[PendingDialoguePost]
    ) -> Sequence[Message | DomainError]:
        opened = await self._streams.open(StreamId(key), [letter.post for letter in letters], tx)
        batch, known = opened.batch, opened.known
        refusals = await self._admission.refusals(
            {letter.writer: letter.dialogue for letter in letters}, tx, is_begun=not opened.is_new
        )
        outcomes: list[Message | DomainError] = []
        for letter in letters:
            post = letter.post
            try:
                first = known.get((post.sender_id, post.key))
                if first is None:
                    refusal = refusals[letter.writer]
                    if refusal is not None:
                        raise refusal
                    batch.rate.check()
                    ready = await prepared(post, opened.media, tx)
                    first = known[post.sender_id, post.key] = batch.add(post, ready)
                elif first.digest != post.digest:
                    raise IdempotencyConflict
                outcomes.append(first.message)
            except DomainError as error:
                outcomes.append(error)
        if batch.added:
            await self._store(letters[0].dialogue, batch, tx, is_new=opened.is_new)
        return outcomes

    async def _store(self, dialogue: Dialogue, batch: PostBatch, tx: Tx, *, is_new: bool) -> None:
        stream_id, channel_id = dialogue.stream_id, dialogue.channel_id
        if is_new:
            await self._streams.begin(stream_id, tx)
            if channel_id is not None:
                await self._threads.touch_guard(channel_id, dialogue.user_id, tx)
        newest = {added.message.sender_id: added.message.seq for added in batch.added}
        if channel_id is not None:
            # Before the bulk: where others are at the same totals, this transaction ends here, and begins again.
            await self._count_unread(channel_id, dialogue.user_id, batch, newest, tx)
        await self._streams.append(batch, tx)
        sides = [(side.user_id, side.conversation_id) for side in dialogue.sides]
        written = {side: newest[side[0]] for side in sides if side[0] in newest}
        await self._overlays.say(written, sides if is_new else (), tx)
        staff = await self.staff(dialogue, tx)
        for added in batch.added:
            tx.publish(self.event_of(DialoguePosted, dialogue, staff, added.message, batch.now))

    async def _count_unread(
        self,
        channel_id: GroupId,
        user_id: UserId,
        batch: PostBatch,
        newest: Mapping[UserId, int],
        tx: Tx,
    ) -> None:
        """Move the thread to the top and its cursor to what the channel says; the inbox's totals change with them."""
        head, read_seq = batch.added[-1].message.seq, newest.get(UserId(channel_id), 0)
        before = await self._threads.advance(channel_id, user_id, batch.now, read_seq, tx)
        was_unread = batch.added[0].message.seq - 1 - before
        await self._totals.add(channel_id, user_id, was_unread, head - max(before, read_seq), tx)

    async def staff(self, dialogue: Dialogue, tx: Tx) -> tuple[UserId, ...]:
        """Who hears of it for the channel; nobody where the other side is a user."""
        if dialogue.channel_id is None:
            return ()
        return await self._admission.inbox_rules.staff(dialogue.channel_id, tx)

    @staticmethod
    def event_of(
        kind: type[DialogueEvent],
        dialogue: Dialogue,
        staff: tuple[UserId, ...],
        message: Message,
        at: datetime,
    ) -> DialogueEvent:
        """What tells a message, or a change of it, to both sides."""
        # The admin who wrote hears it on his other devices also where he is none, but the application.
        if message.author_id is not None and message.author_id not in staff:
            staff = (*staff, message.author_id)
        return kind(
            at=at,
            user_id=dialogue.user_id,
            peer_id=dialogue.peer_id,
            staff=staff,
            message=message,
        )

    # --- read -----------------------------------------------------------------------------------------------------

    async def page(
        self,
        actor: Actor,
        dialogue: Dialogue,
        *,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        cursor: str | None = None,
        for_channel: bool = False,
    ) -> tuple[list[DialogueMessage], str | None]:
        """A page of messages, newest first: the newest, those before a seq, or the ones right after a seq.

        What was never begun is empty, as long as it could be. Raises: ConversationNotFound; BadCursor.
        """
        await self.check_there(actor, dialogue, for_channel=for_channel)
        messages, next_cursor = await self._streams.page(
            dialogue.stream_id,
            limit=limit,
            before_seq=before_seq,
            after_seq=after_seq,
            cursor=cursor,
        )
        return [DialogueMessage(dialogue, message) for message in messages], next_cursor

    async def get(
        self, actor: Actor, dialogue: Dialogue, seq: int, *, for_channel: bool = False
    ) -> DialogueMessage:
        """One message.

        Raises: ConversationNotFound; MessageNotFound.
        """
        await self.check_there(actor, dialogue, for_channel=for_channel)
        message = await self._streams.find(dialogue.stream_id, seq)
        if message is None:
            raise MessageNotFound
        return DialogueMessage(dialogue, message)

    async def check_there(
        self, actor: Actor, dialogue: Dialogue, *, for_channel: bool = False
    ) -> None:
        """Refuse a dialogue with a channel that is gone, or that the actor must not know of and never talked with.

        Raises: ConversationNotFound.
        """
        channel_id = dialogue.channel_id
        if channel_id is None:
            return
        own = stream_of(channel_id)
        heads = await self._streams.heads([dialogue.stream_id, own])
        if own not in heads:
            raise ConversationNotFound
        if dialogue.stream_id not in heads:
            if for_channel:
                raise ConversationNotFound
            await self._admission.inbox_rules.check_may_see(actor, channel_id)

    async def close(self) -> None:
        """Wait until every submitted message is committed or refused."""
        await self._lane.close()


def _locks_of(key: str) -> tuple[str, ...]:
    return stream_lock(StreamId(key)), *inbox_locks(key)
