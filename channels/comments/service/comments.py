"""Comments: written, edited and deleted.

Promises:
    Exact: comments and the count on the post change in one transaction, which writes the post. So does what deletes the
    post or freezes its comments: one of the two runs again, and sees the other. Nothing is added to a deleted post.
    Dense seqs (P2), once for a key (P6) and group commit as for all streams: comments on any posts share transactions.
    Flat cost: a comment takes the same commands for any number of subscribers, and writes nothing for any of them.

A transaction that finds nobody to notify saves one command: the author comments on their own post.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from functools import partial

from channels.comments import policy
from channels.comments.errors import CommentLimitReached, CommentNotFound
from channels.comments.events import CommentEdited, CommentPosted, CommentRecalled
from channels.comments.models import PostPlace, comment_id_of, place_of, writer_of
from channels.comments.service.places import PlacesQuery, query_places
from channels.comments.store import CommentStreamStore
from channels.limits import ChannelLimits
from groups import policy as groups_policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import (
    AccessContext,
    AdminAct,
    AdminAction,
    Content,
    Message,
    message_key,
    stream_of,
)
from groups.service.access.bulk import BulkAccess
from groups.service.admin_log import AdminLog, content_for_log
from groups.service.hooks import BlockPair, BlockReader
from groups.service.messages.posting import (
    PendingPost,
    PostBatch,
    StreamsQuery,
    fingerprint_of,
    post_key,
)
from groups.service.messages.stream import PostQueue, StreamService
from groups.service.write_locks import message_lock, stream_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class _PendingComment(PendingPost):
    place: PostPlace

    @property
    def is_from_channel(self) -> bool:
        return self.spoken_for is not None


@dataclass(frozen=True, slots=True)
class WrittenComment:
    """A comment, and the access of the actor who wrote or changed it. `is_new`: nobody has reacted yet."""

    message: Message
    access: AccessContext
    is_new: bool = False


@dataclass(slots=True, kw_only=True)
class _Target:
    """The comments on one post: the channel's setting decides who may comment."""

    place: PostPlace
    post: Message | None
    accesses: Mapping[Actor, AccessContext]
    head_seq: int
    limit: int
    media_limit: int
    takes_polls: bool = False
    takes_buttons: bool = False
    retention_days: None = None
    """Comments end with their post."""
    member_count: None = None

    def refusal(
        self, post: _PendingComment, now: datetime, *, is_repeated: bool
    ) -> DomainError | None:
        access = self.accesses.get(post.actor)
        if access is None:
            return GroupNotFound()
        if is_repeated:
            return policy.reading_refusal(access, self.post)
        refusal = policy.commenting_refusal(access, self.post, now, as_channel=post.is_from_channel)
        if refusal is None and self.head_seq >= self.limit:
            return CommentLimitReached(limit=self.limit)
        return refusal

    def quoting_refusal(self, post: _PendingComment, quoted: Message | None) -> DomainError | None:
        if quoted is None:
            return CommentNotFound("There is no such comment to quote")
        return MessageRecalled() if quoted.recalled_at is not None else None

    def signature_of(self, post: _PendingComment) -> str:
        return ""

    def result(self, post: _PendingComment, message: Message, *, is_new: bool) -> WrittenComment:
        # Later ones of the batch find the limit reached.
        self.head_seq = max(self.head_seq, message.seq)
        return WrittenComment(message, self.accesses[post.actor], is_new)

    def event_of(self, message: Message, now: datetime) -> CommentPosted:
        return self.posted(message, now, self.count_before + 1, ())

    def posted(
        self, message: Message, now: datetime, count: int, notified: tuple[UserId, ...]
    ) -> CommentPosted:
        return CommentPosted(
            at=now,
            channel_id=self.place.channel_id,
            post_seq=self.place.seq,
            message=message,
            comment_count=count,
            notified=notified,
        )

    @property
    def count_before(self) -> int:
        return (self.post.comments or 0) if self.post is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """The posts of one transaction."""

    targets: Mapping[StreamId, _Target]
    query: StreamsQuery
    service: "CommentService"

    def target_of(self, stream_id: StreamId) -> _Target:
        return self.targets[stream_id]

    async def record(self, batches: Sequence[PostBatch], tx: Tx) -> None:
        service, targets = self.service, self.targets
        service.streams.add_comments(
            {targets[b.stream_id].place.message_id: len(b.added) for b in batches}, tx
        )
        begun = [targets[b.stream_id].place for b in batches if b.is_new_stream]
        if begun:
            service.store.insert_many(begun, tx)
        concerned = {
            (batch.stream_id, added.message.seq): self._concerned(batch.stream_id, added.message)
            for batch in batches
            for added in batch.added
        }
        may_know = await self._reachable(batches, concerned, tx)
        for batch in batches:
            target = targets[batch.stream_id]
            count = target.count_before + len(batch.added)
            for added in batch.added:
                message, channel_id = added.message, target.place.channel_id
                notified = tuple(
                    user_id
                    for user_id in concerned[batch.stream_id, message.seq]
                    if may_know(channel_id, user_id, writer_of(message))
                )
                tx.publish(target.posted(message, batch.now, count, notified))

    def _concerned(self, stream_id: StreamId, comment: Message) -> list[UserId]:
        """The authors of the post and of the quoted comment, without the one who comments."""
        post = self.targets[stream_id].post
        users = [post.sender_id] if post is not None else []
        if comment.quoted_seq is not None and self.query.of_quoted is not None:
            quoted = self.query.of_quoted.result.get(message_key(stream_id, comment.quoted_seq))
            users += [writer_of(quoted)] if quoted is not None else []
        return [user_id for user_id in dict.fromkeys(users) if user_id != writer_of(comment)]

    async def _reachable(
        self,
        batches: Sequence[PostBatch],
        concerned: Mapping[tuple[StreamId, int], Collection[UserId]],
        tx: Tx,
    ) -> Callable[[GroupId, UserId, UserId], bool]:
        """Whether a user may still read in the channel, and does not block the writer; one command for all."""
        service, by_channel = self.service, dict[GroupId, set[UserId]]()
        pairs = set[BlockPair]()
        for batch in batches:
            for added in batch.added:
                users = concerned[batch.stream_id, added.message.seq]
                channel_id = self.targets[batch.stream_id].place.channel_id
                if users:
                    by_channel.setdefault(channel_id, set()).update(users)
                    pairs |= {(user_id, writer_of(added.message)) for user_id in users}
        if not pairs:
            return lambda *_: False
        of_accesses = service.access.query(by_channel)
        of_blocks = service.blocks.query_blocks(pairs)
        await service.database.fetch_together(*of_accesses.queries, of_blocks, tx=tx)
        readers = {
            channel_id: {
                actor.user_id
                for actor, access in of_accesses.accesses_of(
                    [Actor(user_id) for user_id in users], channel_id
                ).items()
                if groups_policy.reading_refusal(access.group, access.effective_role) is None
            }
            for channel_id, users in by_channel.items()
        }
        return lambda channel_id, user_id, writer: (
            user_id in readers[channel_id] and (user_id, writer) not in of_blocks.result
        )


@dataclass(frozen=True, slots=True)
class _ChangeTarget:
    """A comment that the actor may change."""

    actor: Actor
    place: PostPlace
    access: AccessContext
    post: Message
    message: Message
    service: "CommentService"

    @property
    def takes_buttons(self) -> bool:
        return False

    async def record(self, changed: Message, now: datetime, tx: Tx) -> None:
        is_recalled = changed.recalled_at is not None
        if writer_of(self.message) != self.actor.user_id:
            action = AdminAction.COMMENT_DELETED if is_recalled else AdminAction.COMMENT_EDITED
            before = {
                "author_id": writer_of(self.message),
                **content_for_log(self.message.content),
            }
            act = AdminAct(
                self.actor,
                action,
                comment_id_of(self.place, changed.seq),
                before,
                content_for_log(changed.content),
            )
            await self.service.admin_log.record(tx, self.access.group, act)
        if not is_recalled:
            tx.publish(self.event_of(changed, now))
            return
        self.service.streams.add_comments({self.place.message_id: -1}, tx)
        tx.publish(
            CommentRecalled(
                at=now,
                channel_id=self.place.channel_id,
                post_seq=self.place.seq,
                message=changed,
                comment_count=(self.post.comments or 0) - 1,
            )
        )

    def event_of(self, changed: Message, now: datetime) -> CommentEdited:
        return CommentEdited(
            at=now, channel_id=self.place.channel_id, post_seq=self.place.seq, message=changed
        )


@dataclass(kw_only=True, slots=True)
class CommentService:
    """Writes comments. `take_turn` counts what a user writes, and refuses what is too much."""

    database: Database
    streams: StreamService
    store: CommentStreamStore
    access: BulkAccess
    blocks: BlockReader
    admin_log: AdminLog
    take_turn: Callable[[Actor], object]
    limits: ChannelLimits
    group_limits: GroupLimits
    clock: Clock
    on_batch: InitVar[OnBatch | None] = None
    _queue: PostQueue[_PendingComment, WrittenComment] = field(init=False)

    def __post_init__(self, on_batch: OnBatch | None) -> None:
        self._queue = self.streams.post_queue(
            self._open, name="comments", on_batch=on_batch, locks_of=_locks_of
        )

    async def post(
        self,
        actor: Actor,
        place: PostPlace,
        content: Content,
        *,
        key: str | None = None,
        quoted_seq: int | None = None,
        as_channel: bool = False,
    ) -> WrittenComment:
        """Add a comment to the post; with a `key`, a repeat returns the first one.

        `quoted_seq`: the comment on the same post that it answers. `as_channel`: the channel is the sender. Publishes:
        CommentPosted.
        """
        self.take_turn(actor)
        fingerprint = fingerprint_of(content, silent=False, quoted_seq=quoted_seq)
        pending = _PendingComment(
            actor=actor,
            place=place,
            content=content,
            key=post_key(key, fingerprint, shared_by=actor.user_id if as_channel else None),
            quoted_seq=quoted_seq,
            spoken_for=UserId(place.channel_id) if as_channel else None,
        )
        return await self._queue.submit(place.stream_id, pending)

    async def edit(
        self, actor: Actor, place: PostPlace, seq: int, content: Content
    ) -> WrittenComment:
        """Replace a comment's content; the same content again changes nothing. Publishes: CommentEdited."""

        async def open_message(tx: Tx) -> _ChangeTarget:
            target, refusal = await self._find(actor, place, seq, tx)
            groups_policy.check(
                refusal
                or policy.editing_refusal(
                    target.access, actor.user_id, target.post, target.message, self.clock.now()
                )
            )
            return target

        edited, target = await self.streams.edit(
            actor,
            place.stream_id,
            seq,
            content,
            open_message,
            media_limit=self.group_limits.channel_media_bytes,
        )
        return WrittenComment(edited, target.access)

    async def recall(self, actor: Actor, place: PostPlace, seq: int) -> None:
        """Delete a comment for everyone; its number stays. Repeating it changes nothing. Publishes: CommentRecalled."""
        # The post is written too: others who write it wait for this transaction.
        await self.streams.recall(
            place.stream_id,
            seq,
            partial(self._open_recall, actor, place, seq),
            message_lock(stream_of(place.channel_id), place.seq),
        )

    async def recall_in(self, actor: Actor, place: PostPlace, seq: int, tx: Tx) -> None:
        """As `recall`, in the caller's transaction, which holds the locks of the comment and of its post."""
        open_message = partial(self._open_recall, actor, place, seq)
        await self.streams.recall_in(place.stream_id, seq, open_message, tx)

    async def _open_recall(self, actor: Actor, place: PostPlace, seq: int, tx: Tx) -> _ChangeTarget:
        target, refusal = await self._find(actor, place, seq, tx)
        if target.message.sender_id != actor.user_id:
            # What a user wrote they may delete, whatever they may read now.
            groups_policy.check(refusal)
        groups_policy.check(policy.deleting_refusal(target.access, actor.user_id, target.message))
        return target

    async def _find(
        self, actor: Actor, place: PostPlace, seq: int, tx: Tx
    ) -> tuple[_ChangeTarget, DomainError | None]:
        """The comment, and why the actor may not know that the channel exists; None: they may."""
        of_place = query_places(self.access, self.streams, {place: [actor]})
        key = message_key(place.stream_id, seq)
        of_comment = self.streams.query_messages([key])
        await self.database.fetch_together(*of_place.queries, of_comment, tx=tx)
        access, refusal = of_place.accesses(place.channel_id).get(actor), None
        group = of_place.of_accesses.of_groups.result.get(place.channel_id)
        comment, post = of_comment.result.get(key), of_place.post(place)
        if group is None or (access is None and comment is None):
            raise GroupNotFound
        if access is None:
            access, refusal = groups_policy.access_of(actor, group, None), GroupNotFound()
        if comment is None or comment.sender_id != actor.user_id:
            groups_policy.check(refusal or policy.reading_refusal(access, post))
        if post is None or post.recalled_at is not None:
            raise MessageNotFound
        if comment is None:
            raise CommentNotFound
        return _ChangeTarget(actor, place, access, post, comment, self), refusal

    async def _open(
        self, posts: Mapping[StreamId, Sequence[_PendingComment]], query: StreamsQuery, tx: Tx
    ) -> _Targets:
        places = {stream_id: of_stream[0].place for stream_id, of_stream in posts.items()}
        actors = {places[i]: {post.actor for post in of_stream} for i, of_stream in posts.items()}
        found = query_places(self.access, self.streams, actors)
        await self.database.fetch_together(*found.queries, *query.queries, tx=tx)
        return _Targets(
            targets={i: self._target(places[i], found, query, i) for i in posts},
            query=query,
            service=self,
        )

    def _target(
        self, place: PostPlace, found: PlacesQuery, query: StreamsQuery, stream_id: StreamId
    ) -> _Target:
        state = query.states.get(stream_id)
        return _Target(
            place=place,
            post=found.post(place),
            accesses=found.accesses(place.channel_id),
            head_seq=state.stream.head_seq if state is not None else 0,
            limit=self.limits.comments_per_post,
            media_limit=self.group_limits.channel_media_bytes,
        )

    async def close(self) -> None:
        """Wait until every submitted comment is committed or refused."""
        await self._queue.close()


def _locks_of(key: str) -> tuple[str, ...]:
    place = place_of(key)
    assert place is not None, "a stream of comments"
    return stream_lock(StreamId(key)), message_lock(stream_of(place.channel_id), place.seq)
