"""One-to-one messages: between two users, and between a user and a channel.

Promises:
    Each pair has one stream, in which each message is stored once and seqs are dense (P2), also when both sides begin
    at once. It begins with its first message, which also gives each side its conversation, and a channel its thread.
    Nothing is written per device or per admin: a message costs the same few commands, and each side's unread follows
    from the head and its own cursor. A channel's cursor is in its thread, shared by all who read its inbox.
    Blocks and the rules of a channel's inbox are checked in the transaction that stores the message.
    A channel begins a thread with a subscriber, and with nobody whose unsubscribing, block or refusal was answered
    before; how many a day is exact across processes.

Users need no record: anybody may write to a user id that nobody has used yet, as they may add it to a group. A dialogue
with oneself holds notes.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from conversations import policy
from conversations.errors import AmbiguousConversationId, ConversationNotFound
from conversations.events import DialogueEvent, DialoguePosted
from conversations.models import (
    DEFAULT_SETTINGS,
    ConversationId,
    ConversationSettings,
    Dialogue,
    DialogueMessage,
    dialogue_of,
)
from conversations.service.inbox_rules import Writer
from conversations.service.inbox_threads import inbox_locks, opening_lock
from conversations.service.write_permission import PermissionQuery, WritePermission
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadKey, ThreadStore
from groups.errors import MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.models import Content, Message, Source, stream_of
from groups.service.messages.forwarding import ForwardService, forward_fingerprint_of
from groups.service.messages.pages import StreamPage, WantedPage
from groups.service.messages.posting import (
    ContentLoader,
    PendingPost,
    PostBatch,
    PostKey,
    Review,
    StreamsQuery,
    check_bounds,
    digest_of,
    fingerprint_of,
    loaded_once,
    post_key,
)
from groups.service.messages.stream import PostQueue, StreamService
from groups.service.write_locks import stream_lock

T = TypeVar("T")

UserWroteHook = Callable[[GroupId, UserId, Message, Tx], None]
"""Acts in the transaction that stores a user's message to a channel; it only collects writes (`Tx.write`)."""

NO_CHANNELS: Final[Mapping[Actor, GroupId]] = {}
AUTOMATIC: Final = Actor(UserId("channels-automatic"), is_app_admin=True)
"""Writes what channels send by rules of theirs. It is nobody's account, and no message names it."""
Settle = Callable[[Mapping[UserId, DialogueMessage | DomainError], Tx], Awaitable[None]]
"""Notes, in the transaction of the messages, what became of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DialoguePost(PendingPost):
    """A message on its way into a dialogue, seen from the writer's side; for a channel, from the user's."""

    dialogue: Dialogue
    is_to_user: bool = False
    """The caller says that a user is meant, even if a channel has a short id like theirs."""

    @property
    def writer(self) -> Writer:
        return Writer(self.actor, self.spoken_for is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A dialogue's stream: blocks and inbox rules decide who may write."""

    dialogue: Dialogue
    refusals: Mapping[Writer, DomainError | None]
    settings: ConversationSettings = DEFAULT_SETTINGS
    """The user's, in a dialogue with a channel."""
    channels_meant: Mapping[Actor, GroupId] = field(default_factory=lambda: NO_CHANNELS)
    """The channels that writers may have meant by the id of a user."""
    media_limit: int = 0
    takes_polls: bool = False
    takes_buttons: bool = False
    retention_days: int = 0
    member_count: None = None

    def refusal(
        self, post: _DialoguePost, now: datetime, *, is_repeated: bool
    ) -> DomainError | None:
        if is_repeated:
            return None
        meant = self.channels_meant.get(post.actor)
        if meant is not None and not post.is_to_user:
            return _ambiguous(post.dialogue, meant)
        return self.refusals[post.writer]

    def quoting_refusal(self, post: _DialoguePost, quoted: Message | None) -> DomainError | None:
        # Both sides may read all of it.
        if quoted is None:
            return MessageNotFound("There is no such message to quote")
        return MessageRecalled() if quoted.recalled_at is not None else None

    def signature_of(self, post: _DialoguePost) -> str:
        return ""

    def result(self, post: _DialoguePost, message: Message, *, is_new: bool) -> DialogueMessage:
        return DialogueMessage(post.dialogue, message, is_new=is_new)

    def event_of(self, message: Message, now: datetime) -> DialogueEvent:
        return dialogue_event(DialoguePosted, self.dialogue, (), message, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """The dialogues of one transaction; `dialogue.posted` goes to both sides of each."""

    targets: Mapping[StreamId, _Target]
    found: PermissionQuery
    read_seqs: Mapping[ThreadKey, int]
    """The cursors of the channels in their threads."""
    service: "DialogueService"

    def target_of(self, stream_id: StreamId) -> _Target:
        return self.targets[stream_id]

    async def record(self, batches: Sequence[PostBatch], tx: Tx) -> None:
        threads: dict[ThreadKey, PostBatch] = {}
        for batch in batches:
            dialogue = self.targets[batch.stream_id].dialogue
            if dialogue.channel_id is not None:
                threads[dialogue.channel_id, dialogue.user_id] = batch
        if threads:
            self._record_threads(threads, tx)
            self._record_words(threads, tx)
        for batch in batches:
            dialogue, newest_seqs = self.targets[batch.stream_id].dialogue, batch.newest_seqs
            sides = [(side.user_id, side.conversation_id) for side in dialogue.sides]
            written = {side: newest_seqs[side[0]] for side in sides if side[0] in newest_seqs}
            begun = sides if batch.is_new_stream else ()
            with_channel = dialogue.channel_id is not None
            self.service.settings.record_posts(
                written,
                begun,
                tx,
                with_channel=with_channel,
                absent=self.found.absent_settings(dialogue),
            )
            for added in batch.added:
                if added.message.broadcast_id is None:
                    staff = self.found.staff(dialogue)
                    event = dialogue_event(
                        DialoguePosted, dialogue, staff, added.message, batch.now
                    )
                else:
                    # The staff receive how far the broadcast is, not each of a hundred thousand messages.
                    user_id, peer_id, message = *dialogue, added.message
                    event = DialoguePosted(
                        at=batch.now, user_id=user_id, peer_id=peer_id, message=message
                    )
                tx.publish(event)

    def _record_words(self, threads: Mapping[ThreadKey, PostBatch], tx: Tx) -> None:
        """Tell the hook what users wrote to channels."""
        if self.service.user_wrote is None:
            return
        for (channel_id, user_id), batch in threads.items():
            for added in batch.added:
                if added.message.sender_id == user_id:
                    self.service.user_wrote(channel_id, user_id, added.message, tx)

    def _record_threads(self, threads: Mapping[ThreadKey, PostBatch], tx: Tx) -> None:
        """Move threads to the top, and their cursors to the channel's own messages; the inboxes' totals change too."""
        service, now = self.service, next(iter(threads.values())).now
        read_seqs: dict[ThreadKey, int] = {}
        unread: dict[ThreadKey, tuple[int, int]] = {}
        opened, counted, still = list[ThreadKey](), list[ThreadKey](), list[ThreadKey]()
        for key, batch in threads.items():
            channel_id, before = UserId(key[0]), self.read_seqs.get(key, 0)
            own = batch.newest_seqs.get(channel_id, 0)
            newest = batch.added[-1].message
            was_unread = batch.added[0].message.seq - 1 - before
            # A message that the server writes reads nothing for the staff. Where nothing is unread, it is none either.
            read = 0 if newest.automatic and was_unread > 0 else own
            read_seqs[key] = read
            unread[key] = was_unread, newest.seq - max(before, read)
            if own and batch.is_new_stream and batch.added[0].message.sender_id == channel_id:
                first = batch.added[0].message
                opened.append(key)
                if first.broadcast_id is None and not first.automatic:
                    counted.append(key)
            elif own and self.targets[batch.stream_id].settings.begun_by_channel:
                still.append(key)
        # First: if others write the same totals, this transaction ends there and begins again.
        service.totals.add_all(unread, tx)
        service.threads.record_messages(read_seqs, now, tx, stored=self.read_seqs)
        begun = [key for key, batch in threads.items() if batch.is_new_stream]
        service.threads.touch_guards_of(begun, tx)
        if opened:
            service.permission.record_openings(opened, counted, self.found.opened, now, tx)
        service.permission.hold_subscriptions(still, tx)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMany:
    """The same message of a channel to many users, on its way; each user once."""

    actor: Actor
    channel_id: GroupId
    user_ids: tuple[UserId, ...]
    content: Content | ContentLoader
    """Content within its bounds, or what loads it."""
    fingerprint: str
    key: str | None
    silent: bool
    broadcast_id: str | None = None
    """It is the key, too. So nobody gets it twice, also where another one of the staff goes on with it.

    The caller knows whom it has reached, so the keys are looked up only where a transaction runs again.
    """

    @property
    def dialogues(self) -> list[Dialogue]:
        """The threads, in one order, whatever that of the users, since the locks are taken in it."""
        return sorted(Dialogue(user_id, self.channel_id) for user_id in self.user_ids)

    def posts(self, review: Review | None) -> dict[StreamId, list[_DialoguePost]]:
        """The posts for one attempt of a transaction, which loads the content once."""
        content, key = self.content, None
        if not isinstance(content, Content):
            content = loaded_once(content)
        if self.broadcast_id is not None or self.key is not None:
            key = self._post_key()  # the same in each stream
        return {
            dialogue.stream_id: [
                _DialoguePost(
                    actor=self.actor,
                    dialogue=dialogue,
                    content=content,
                    key=key or self._post_key(),
                    silent=self.silent,
                    spoken_for=UserId(self.channel_id),
                    review=review,
                    broadcast_id=self.broadcast_id,
                )
            ]
            for dialogue in self.dialogues
        }

    def _post_key(self) -> PostKey:
        if self.broadcast_id is not None:
            digest = digest_of(self.fingerprint)
            return PostKey(f"b:{self.broadcast_id}", digest, is_callers=False)
        return post_key(self.key, self.fingerprint, shared_by=self.actor.user_id)


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
    user_wrote: UserWroteHook | None = None
    """Is called with each message of a user to a channel."""
    on_batch: InitVar[OnBatch | None] = None
    _queue: PostQueue[_DialoguePost, DialogueMessage] = field(init=False)
    _channel_queue: PostQueue[_DialoguePost, DialogueMessage] = field(init=False)
    """Of what channels write: each message of a channel may begin a thread, and those are counted one by one."""

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = self.streams.post_queue(
            self._open, name="dialogues", on_batch=on_batch, locks_of=_locks_of
        )
        self._channel_queue = self.streams.post_queue(
            self._open, name="channel messages", on_batch=on_batch, locks_of=_locks_of_channel
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
        is_to_user: bool = False,
        quoted_seq: int | None = None,
    ) -> DialogueMessage:
        """Add a message, which begins the dialogue if it is the first. With a `key`, a repeat returns the first one.

        The writer's own cursor moves to it. `quoted_seq`: the earlier message that it answers. `is_to_user`: the peer
        is a user, even if a channel has such a short id. Publishes: DialoguePosted.
        """
        fingerprint = fingerprint_of(content, silent=silent, quoted_seq=quoted_seq)
        return await self._submit(
            actor, dialogue, content, fingerprint, key, silent, for_channel, is_to_user, quoted_seq
        )

    async def forward(
        self,
        actor: Actor,
        dialogue: Dialogue,
        source: Source,
        *,
        key: str | None = None,
        silent: bool = False,
        for_channel: bool = False,
        is_to_user: bool = False,
    ) -> DialogueMessage:
        """Add a copy of a message from elsewhere, which shows its origin. Publishes: DialoguePosted."""
        load = self.forwards.loader(actor, source, silent=silent)
        fingerprint = forward_fingerprint_of(source, silent=silent)
        return await self._submit(
            actor, dialogue, load, fingerprint, key, silent, for_channel, is_to_user
        )

    async def _submit(
        self,
        actor: Actor,
        dialogue: Dialogue,
        content: Content | ContentLoader,
        fingerprint: str,
        key: str | None,
        silent: bool,
        for_channel: bool,
        is_to_user: bool,
        quoted_seq: int | None = None,
    ) -> DialogueMessage:
        post = _DialoguePost(
            actor=actor,
            dialogue=dialogue,
            is_to_user=is_to_user,
            content=content,
            key=post_key(key, fingerprint, shared_by=actor.user_id if for_channel else None),
            silent=silent,
            quoted_seq=quoted_seq,
            spoken_for=UserId(dialogue.peer_id) if for_channel else None,
        )
        queue = self._channel_queue if for_channel else self._queue
        return await queue.submit(dialogue.stream_id, post)

    async def post_to_many(
        self,
        actor: Actor,
        channel_id: GroupId,
        user_ids: Sequence[UserId],
        new: Content | Source,
        *,
        key: str | None = None,
        silent: bool = False,
    ) -> list[DialogueMessage | DomainError]:
        """Add the same message to the channel's threads with these users, in one transaction; each user once.

        Returns the message in each thread, or why there is none, in the order of the users. With a `key`, a repeat
        returns the first message of each thread. It costs few commands more than a message to one user. Publishes:
        DialoguePosted, for each message.
        """
        if isinstance(new, Source):
            fingerprint = forward_fingerprint_of(new, silent=silent)
            content: Content | ContentLoader = self.forwards.loader(actor, new, silent=silent)
        else:
            check_bounds(new, self.streams.limits)
            fingerprint = fingerprint_of(new, silent=silent)
            content = new
        to_many = ToMany(
            actor=actor,
            channel_id=channel_id,
            user_ids=tuple(user_ids),
            content=content,
            fingerprint=fingerprint,
            key=key,
            silent=silent,
        )
        review = await self.review_for_many(to_many)

        async def work(tx: Tx) -> Mapping[UserId, DialogueMessage | DomainError]:
            return await self.post_to_many_in(to_many, review, tx)

        outcomes = await self.run_for_many(to_many, work)
        return [outcomes[user_id] for user_id in user_ids]

    async def review_for_many(self, to_many: ToMany) -> Review | None:
        """One review of the message for all users, since they get the same. Raises: MessageRefused; ReviewUnavailable.

        None where there is no hook `before_post`.
        """
        if self.streams.before_post is None:
            return None
        return await self.streams.review_of_any(to_many.posts(None), self._open)

    async def post_to_many_in(
        self, to_many: ToMany, review: Review | None, tx: Tx
    ) -> Mapping[UserId, DialogueMessage | DomainError]:
        """As `post_to_many`, in a transaction of the caller (`run_for_many`)."""
        if not to_many.user_ids:
            return {}
        posts = to_many.posts(review)
        outcomes = await self.streams.post_all(posts, self._open, tx)
        return {
            user_id: outcomes[Dialogue(user_id, to_many.channel_id).stream_id][0]
            for user_id in to_many.user_ids
        }

    async def run_for_many(
        self, to_many: ToMany, work: Callable[[Tx], Awaitable[T]], *keys: str
    ) -> T:
        """Run the work in a transaction, with the locks of the threads with these users, and of more `keys`."""
        streams = [dialogue.stream_id for dialogue in to_many.dialogues]
        locks = [stream_lock(stream_id) for stream_id in streams]
        locks += sorted({lock for stream_id in streams for lock in inbox_locks(stream_id)})
        if streams and to_many.broadcast_id is None:
            locks += opening_lock(streams[0])
        return await self.database.run(work, *locks, *keys)

    async def post_automatically(
        self,
        channel_id: GroupId,
        keys: Mapping[UserId, str],
        content: Content,
        *,
        still_due: Callable[[Tx], Awaitable[Collection[UserId]]],
        settle: Settle,
    ) -> None:
        """Add a message that the server writes in the channel's name to the threads with users, under a key for each.

        `still_due` says in the transaction which of them are to get it, and `settle` notes there what became of each.
        A thread never gets two messages of one key. It costs as much as `post_to_many`. Nothing is counted against
        the threads that a channel may begin a day. Publishes: DialoguePosted, for each message.
        """
        check_bounds(content, self.streams.limits)
        dialogues = sorted(Dialogue(user_id, channel_id) for user_id in keys)
        post_keys = {
            # The digest is that of the key: a changed text is the same message all the same. `still_due` tells who has
            # it, so the keys are looked up only where the transaction runs again.
            user_id: PostKey(f"a:{key}", digest_of(key), is_callers=False)
            for user_id, key in keys.items()
        }

        def posts_of(
            users: Collection[UserId], review: Review | None
        ) -> dict[StreamId, list[_DialoguePost]]:
            return {
                dialogue.stream_id: [
                    _DialoguePost(
                        actor=AUTOMATIC,
                        dialogue=dialogue,
                        content=content,
                        key=post_keys[dialogue.user_id],
                        spoken_for=UserId(channel_id),
                        automatic=True,
                        review=review,
                    )
                ]
                for dialogue in dialogues
                if dialogue.user_id in users
            }

        review = None
        if self.streams.before_post is not None:
            review = await self.streams.review_of_any(posts_of(keys, None), self._open)

        async def work(tx: Tx) -> None:
            posts = posts_of(await still_due(tx), review)
            if posts:
                outcomes = await self.streams.post_all(posts, self._open, tx)
                users = {dialogue.stream_id: dialogue.user_id for dialogue in dialogues}
                found = {users[stream_id]: result for stream_id, [result] in outcomes.items()}
                await settle(found, tx)

        locks = [stream_lock(dialogue.stream_id) for dialogue in dialogues]
        locks += sorted({lock for d in dialogues for lock in inbox_locks(d.stream_id)})
        await self.database.run(work, *locks)

    async def _open(
        self, posts: Mapping[StreamId, Sequence[_DialoguePost]], query: StreamsQuery, tx: Tx
    ) -> _Targets:
        now = self.streams.clock.now()
        writers = {
            stream_id: {post.writer: post.dialogue for post in of_stream}
            for stream_id, of_stream in posts.items()
        }
        found = self.permission.query(writers.values(), now)
        threads = {
            (channel_id, dialogue.user_id)
            for of_writers in writers.values()
            for dialogue in of_writers.values()
            if (channel_id := dialogue.channel_id) is not None
        }
        queries = [*query.queries, *found.queries]
        of_threads = self.threads.query_read_seqs(threads) if threads else None
        if of_threads is not None:
            queries.append(of_threads)
        await self.database.fetch_together(*queries, tx=tx)
        opened, begins = dict(found.opened), Counter[UserId]()
        for stream_id, of_stream in posts.items():
            if stream_id not in query.states:
                sides = of_stream[0].dialogue.sides
                begins.update({side.user_id for side in sides})
        targets: dict[StreamId, _Target] = {}
        for stream_id, of_stream in posts.items():
            dialogue, is_begun = of_stream[0].dialogue, stream_id in query.states
            channels_meant = NO_CHANNELS
            if not is_begun and dialogue.channel_id is None:
                channels_meant = await self._channels_meant(of_stream, tx)
            refusals = await self.permission.refusals_in(
                found, writers[stream_id], tx, is_begun=is_begun, begins=begins
            )
            # Broadcasts have limits of their own.
            is_broadcast = of_stream[0].broadcast_id is not None
            if not is_begun and dialogue.channel_id is not None and not is_broadcast:
                refusals = self._with_openings(refusals, dialogue.channel_id, opened, now)
            targets[stream_id] = _Target(
                dialogue=dialogue,
                refusals=refusals,
                settings=found.settings_of(dialogue),
                channels_meant=channels_meant,
            )
        read_seqs = of_threads.result if of_threads is not None else {}
        return _Targets(targets=targets, found=found, read_seqs=read_seqs, service=self)

    def _with_openings(
        self,
        refusals: Mapping[Writer, DomainError | None],
        channel_id: GroupId,
        opened: dict[GroupId, int],
        now: datetime,
    ) -> Mapping[Writer, DomainError | None]:
        """The refusals in a thread that has not begun, also by the day's limit; where it begins, `opened` counts it."""
        allowed = [
            w
            for w, refusal in refusals.items()
            # An answer to what the user did is not counted: they wrote, or they subscribed.
            if w.is_for_channel and w.actor != AUTOMATIC and refusal is None
        ]
        if not allowed:
            return refusals
        before = opened.get(channel_id, 0)
        limit = self.permission.limits.opened_threads_per_day
        refusal = policy.opening_refusal(before, limit, now)
        if refusal is None:
            opened[channel_id] = before + 1
            return refusals
        return {**refusals, **dict.fromkeys(allowed, refusal)}

    async def _channels_meant(
        self, posts: Sequence[_DialoguePost], tx: Tx
    ) -> Mapping[Actor, GroupId]:
        """Return the channels whose short id is the id of the user that a post would begin a dialogue with."""
        meant: dict[Actor, GroupId] = {}
        for actor, peer_id in {
            post.actor: post.dialogue.peer_id for post in posts if not post.is_to_user
        }.items():
            channel_id = await self.permission.inbox_rules.channel_meant_by(actor, peer_id, tx)
            if channel_id is not None:
                meant[actor] = channel_id
        return meant

    async def page(
        self,
        actor: Actor,
        dialogue: Dialogue,
        wanted: WantedPage,
        *,
        for_channel: bool = False,
        is_to_user: bool = False,
    ) -> StreamPage:
        """Return the wanted page of messages. A dialogue that has not begun is empty.

        The first unread message is that of the actor; for a channel, of all who read its inbox. Raises: BadCursor;
        AmbiguousConversationId, as for writing.
        """
        await self.check_there(actor, dialogue, for_channel=for_channel)
        first_unread_seq = None
        if wanted.around_unread:
            first_unread_seq = await self._read_seq(dialogue, for_channel=for_channel) + 1
        page = await self.streams.page(
            dialogue.stream_id, wanted, first_unread_seq=first_unread_seq
        )
        if not page.messages and not is_to_user:
            await self.check_meant(actor, dialogue)
        return page

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
            await self.check_meant(actor, dialogue)
            raise MessageNotFound
        return DialogueMessage(dialogue, message)

    async def check_meant(self, actor: Actor, dialogue: Dialogue) -> None:
        """Raise AmbiguousConversationId if a channel may be meant by the id of a user, and no such dialogue has begun.

        Costs one or two commands, so callers ask when they found nothing.
        """
        if dialogue.channel_id is not None:
            return
        if await self.streams.heads([dialogue.stream_id]):
            return
        rules = self.permission.inbox_rules
        meant = await rules.channel_meant_by(actor, dialogue.peer_id, None)
        if meant is not None:
            raise _ambiguous(dialogue, meant)

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
        await self._channel_queue.close()


def _ambiguous(dialogue: Dialogue, meant: GroupId) -> AmbiguousConversationId:
    with_channel = Dialogue(dialogue.user_id, meant)
    return AmbiguousConversationId(dialogue.conversation_id, with_channel.conversation_id)


def _locks_of(key: str) -> tuple[str, ...]:
    return stream_lock(StreamId(key)), *inbox_locks(key)


def _locks_of_channel(key: str) -> tuple[str, ...]:
    return *_locks_of(key), *opening_lock(key)
