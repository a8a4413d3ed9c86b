"""One-to-one messages: between two users, and between a user and a channel.

Promises:
    Each pair has one stream, in which each message is stored once and seqs are dense (P2), also when both sides begin
    at once. It begins with its first message, which also gives each side its conversation, and a channel its thread.
    Nothing is written per device or per admin: a message costs the same few commands, and each side's unread follows
    from the head and its own cursor. A channel's cursor is in its thread, shared by all who read its inbox.
    Blocks and the rules of a channel's inbox are checked in the transaction that stores the message.

Users need no record: anybody may write to a user id that nobody has used yet, as they may add it to a group. A dialogue
with oneself holds notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from conversations.errors import ConversationNotFound
from conversations.events import DialogueEvent, DialoguePosted
from conversations.models import ConversationId, Dialogue, DialogueMessage, dialogue_of
from conversations.service.inbox_rules import Writer
from conversations.service.inbox_threads import inbox_locks
from conversations.service.write_permission import WritePermission
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.errors import MessageNotFound
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import OnBatch
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import Content, Message, Source, stream_of
from groups.service.messages.forwarding import ForwardService, forward_fingerprint_of
from groups.service.messages.pages import StreamPage, WantedPage
from groups.service.messages.posting import (
    ContentLoader,
    PendingPost,
    PostBatch,
    StreamQuery,
    fingerprint_of,
    post_key,
)
from groups.service.messages.stream import PostQueue, StreamService
from groups.service.write_locks import stream_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class _DialoguePost(PendingPost):
    """A message on its way into a dialogue, seen from the writer's side; for a channel, from the user's."""

    dialogue: Dialogue

    @property
    def writer(self) -> Writer:
        return Writer(self.actor, self.spoken_for is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A dialogue's stream: blocks and inbox rules decide who may write, and `dialogue.posted` goes to both sides."""

    dialogue: Dialogue
    refusals: Mapping[Writer, DomainError | None]
    service: "DialogueService"
    media_limit: int = 0

    def refusal(
        self, post: _DialoguePost, now: datetime, *, is_repeated: bool
    ) -> DomainError | None:
        return None if is_repeated else self.refusals[post.writer]

    def signature_of(self, post: _DialoguePost) -> str:
        return ""

    def result(self, post: _DialoguePost, message: Message) -> DialogueMessage:
        return DialogueMessage(post.dialogue, message)

    async def before_append(self, batch: PostBatch, tx: Tx) -> None:
        """Begin the stream with its first message, and count what a channel has not read."""
        channel_id = self.dialogue.channel_id
        if batch.is_new_stream:
            await self.service.streams.begin(batch.stream_id, tx)
            if channel_id is not None:
                await self.service.threads.touch_guard(channel_id, self.dialogue.user_id, tx)
        if channel_id is not None:
            # Before the bulk: if others write the same totals, this transaction ends here and begins again.
            await self._count_unread(channel_id, batch, tx)

    async def _count_unread(self, channel_id: GroupId, batch: PostBatch, tx: Tx) -> None:
        """Move the thread to the top and its cursor to the channel's own message; the inbox's totals change with it."""
        user_id, head = self.dialogue.user_id, batch.added[-1].message.seq
        read_seq = batch.newest_seqs.get(UserId(channel_id), 0)
        threads, totals = self.service.threads, self.service.totals
        before = await threads.record_message(channel_id, user_id, batch.now, read_seq, tx)
        was_unread = batch.added[0].message.seq - 1 - before
        await totals.add(channel_id, user_id, was_unread, head - max(before, read_seq), tx)

    async def after_append(self, batch: PostBatch, tx: Tx) -> None:
        newest_seqs = batch.newest_seqs
        sides = [(side.user_id, side.conversation_id) for side in self.dialogue.sides]
        written = {side: newest_seqs[side[0]] for side in sides if side[0] in newest_seqs}
        begun = sides if batch.is_new_stream else ()
        await self.service.settings.record_posts(written, begun, tx)
        staff = await self.service.permission.staff(self.dialogue, tx)
        for added in batch.added:
            event = dialogue_event(DialoguePosted, self.dialogue, staff, added.message, batch.now)
            tx.publish(event)


def dialogue_event(
    kind: type[DialogueEvent],
    dialogue: Dialogue,
    staff: tuple[UserId, ...],
    message: Message,
    at: datetime,
) -> DialogueEvent:
    """Build the event for both sides about a message, or about its change."""
    # The author receives it on their other devices, also if it is the application, which is not among the staff.
    if message.author_id is not None and message.author_id not in staff:
        staff = (*staff, message.author_id)
    return kind(
        at=at, user_id=dialogue.user_id, peer_id=dialogue.peer_id, staff=staff, message=message
    )


@dataclass(kw_only=True, slots=True)
class DialogueService:
    """Messages of dialogues. `for_channel` in a call: the actor speaks as the channel, if its inbox rules allow it."""

    database: Database
    streams: StreamService
    forwards: ForwardService
    settings: ConversationSettingsStore
    threads: ThreadStore
    totals: InboxTotalStore
    permission: WritePermission
    on_batch: InitVar[OnBatch | None] = None
    _queue: PostQueue[_DialoguePost, DialogueMessage] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = self.streams.post_queue(
            self._open, name="dialogues", on_batch=on_batch, locks_of=_locks_of
        )

    @staticmethod
    def of(actor: Actor, conversation_id: ConversationId) -> Dialogue:
        """Return the actor's dialogue of this id, begun or not. Raises: ConversationNotFound if it cannot be one."""
        dialogue = dialogue_of(actor.user_id, conversation_id)
        if dialogue is None:
            raise ConversationNotFound
        return dialogue

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
        """Add a message, which begins the dialogue if it is the first. With a `key`, a repeat returns the first one.

        The writer's own cursor moves to it. Publishes: DialoguePosted.
        """
        fingerprint = fingerprint_of(content, silent=silent)
        return await self._submit(actor, dialogue, content, fingerprint, key, silent, for_channel)

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
        """Add a copy of a message from elsewhere, which shows its origin. Publishes: DialoguePosted."""
        load = self.forwards.loader(actor, source, silent=silent)
        fingerprint = forward_fingerprint_of(source, silent=silent)
        return await self._submit(actor, dialogue, load, fingerprint, key, silent, for_channel)

    async def _submit(
        self,
        actor: Actor,
        dialogue: Dialogue,
        content: Content | ContentLoader,
        fingerprint: str,
        key: str | None,
        silent: bool,
        for_channel: bool,
    ) -> DialogueMessage:
        post = _DialoguePost(
            actor=actor,
            dialogue=dialogue,
            content=content,
            key=post_key(key, fingerprint, shared_by=actor.user_id if for_channel else None),
            silent=silent,
            spoken_for=UserId(dialogue.peer_id) if for_channel else None,
        )
        return await self._queue.submit(dialogue.stream_id, post)

    async def _open(
        self, posts: Sequence[_DialoguePost], query: StreamQuery, tx: Tx
    ) -> _Target | type[DomainError]:
        await self.database.fetch(tx, query.of_state, query.of_known)
        if query.of_media is not None:
            # Not in the command that reads the stream: if the stream has not begun, that command finds nothing else.
            await self.database.fetch(tx, query.of_media)
        refusals = await self.permission.refusals(
            {post.writer: post.dialogue for post in posts},
            tx,
            is_begun=query.of_state.result is not None,
        )
        return _Target(dialogue=posts[0].dialogue, refusals=refusals, service=self)

    async def page(
        self,
        actor: Actor,
        dialogue: Dialogue,
        wanted: WantedPage,
        *,
        for_channel: bool = False,
    ) -> StreamPage:
        """Return the wanted page of messages. A dialogue that has not begun is empty. Raises: BadCursor.

        The first unread message is that of the actor; for a channel, of all who read its inbox.
        """
        await self.check_there(actor, dialogue, for_channel=for_channel)
        first_unread_seq = None
        if wanted.around_unread:
            first_unread_seq = await self._read_seq(dialogue, for_channel=for_channel) + 1
        return await self.streams.page(
            dialogue.stream_id, wanted, first_unread_seq=first_unread_seq
        )

    async def _read_seq(self, dialogue: Dialogue, *, for_channel: bool) -> int:
        """Return the last message that the user, or the channel, has read."""
        if for_channel:
            channel_id = GroupId(dialogue.peer_id)
            thread = await self.threads.find_thread(channel_id, dialogue.user_id)
            return thread.read_seq if thread is not None else 0
        conversation_id = dialogue.conversation_id
        stored = await self.settings.find_settings(dialogue.user_id, [conversation_id])
        return stored[conversation_id].read_seq if conversation_id in stored else 0

    async def get(
        self, actor: Actor, dialogue: Dialogue, seq: int, *, for_channel: bool = False
    ) -> DialogueMessage:
        await self.check_there(actor, dialogue, for_channel=for_channel)
        message = await self.streams.find(dialogue.stream_id, seq)
        if message is None:
            raise MessageNotFound
        return DialogueMessage(dialogue, message)

    async def check_there(
        self, actor: Actor, dialogue: Dialogue, *, for_channel: bool = False
    ) -> None:
        """Raise ConversationNotFound if the channel is deleted, or hidden and the actor never wrote with it."""
        channel_id = dialogue.channel_id
        if channel_id is None:
            return
        own = stream_of(channel_id)
        heads = await self.streams.heads([dialogue.stream_id, own])
        if own not in heads:
            raise ConversationNotFound
        if dialogue.stream_id not in heads:
            if for_channel:
                raise ConversationNotFound
            await self.permission.inbox_rules.check_may_see(actor, channel_id)

    async def close(self) -> None:
        await self._queue.close()


def _locks_of(key: str) -> tuple[str, ...]:
    return stream_lock(StreamId(key)), *inbox_locks(key)
