"""The messages of groups: posting, previews and reading. `edits` and `pins` change them later."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from groups import policy
from groups.errors import GroupNotFound
from groups.events import MessagePosted
from groups.kernel.actor import Actor
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import AccessContext, Content, Group, Member, Message, Tallies, stream_of
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.membership.agreement import Agreement
from groups.service.messages.page_reader import PageReader
from groups.service.messages.pages import StreamPage, WantedPage, cut_newest
from groups.service.messages.posting import (
    ContentLoader,
    PendingPost,
    PostBatch,
    PostKey,
    StreamsQuery,
    fingerprint_of,
    post_key,
)
from groups.service.messages.stream import PostQueue, StreamService
from groups.store.messages import KnownKey, MessageStore

Window = tuple[int | None, int]
"""The seq before which the messages of a page are, None for the newest ones, and how many of them."""


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A stored message, and the access of the caller who sees it."""

    message: Message
    access: AccessContext


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage(StreamPage):
    """A page of messages with their tallies, which may tell of more messages, and the reader's access."""

    access: AccessContext
    tallies: Tallies
    window: Window | None = None
    """Of a page of the newest messages, or of the newest before a seq."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupPost(PendingPost):
    group_id: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A group's stream: its posting rule decides who may post."""

    group: Group
    accesses: Mapping[Actor, AccessContext]
    """Without actors who may not see the group."""
    signatures: Mapping[UserId, str]
    media_limit: int

    @property
    def takes_polls(self) -> bool:
        return True

    @property
    def takes_buttons(self) -> bool:
        return self.group.is_channel

    @property
    def retention_days(self) -> int:
        return self.group.retention_days

    @property
    def member_count(self) -> int | None:
        return self.group.member_count if self.group.is_channel else None

    def refusal(self, post: PendingPost, now: datetime, *, is_repeated: bool) -> DomainError | None:
        access = self.accesses.get(post.actor)
        if access is None:
            return GroupNotFound()
        if is_repeated:
            return None
        content = post.content
        # Other content is a draft, whose author may ask, or a forward, which never asks.
        is_asking = isinstance(content, Content) and content.acknowledge
        refusal = policy.asking_refusal(access) if is_asking else None
        return policy.posting_refusal(access, now) or refusal

    def quoting_refusal(self, post: PendingPost, quoted: Message | None) -> DomainError | None:
        return policy.quoting_refusal(self.accesses[post.actor], quoted)

    def signature_of(self, post: PendingPost) -> str:
        return self.signatures.get(post.sender_id, "")

    def result(self, post: PendingPost, message: Message, *, is_new: bool) -> VisibleMessage:
        return VisibleMessage(message, self.accesses[post.actor])

    def event_of(self, message: Message, now: datetime) -> MessagePosted:
        group = self.group
        return MessagePosted(
            at=now, group_id=group.group_id, is_channel=group.is_channel, message=message
        )

    def members_among(self, users: Collection[UserId]) -> list[Member]:
        """Those of the authors who are members; the application may post without being one."""
        found = {
            access.member.user_id: access.member
            for access in self.accesses.values()
            if access.member is not None
        }
        return [member for user_id, member in found.items() if user_id in users]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    """The streams of groups in one transaction; `message.posted` goes to all members of each."""

    targets: Mapping[StreamId, _Target]
    authors: Collection[tuple[GroupId, UserId]]
    """The authors of the newest messages so far who are members."""
    hooks: Hooks
    agreement: Agreement

    def target_of(self, stream_id: StreamId) -> _Target | type[DomainError]:
        return self.targets.get(stream_id, GroupNotFound)

    async def record(self, batches: Sequence[PostBatch], tx: Tx) -> None:
        read: list[tuple[UserId, StreamId, int]] = []
        for batch in batches:
            target = self.targets[batch.stream_id]
            group, members = target.group, target.members_among(batch.newest_seqs)
            agreeing = [member.user_id for member in members if not member.has_agreed]
            if agreeing:
                await self.agreement.agree(group.group_id, agreeing, tx)
            batch.author_id = author_id = batch.last.sender_id
            seqs = {member.user_id: batch.newest_seqs[member.user_id] for member in members}
            before = batch.before.author_id
            if before is not None and (group.group_id, before) in self.authors:
                seqs.setdefault(before, batch.before.author_seq)
            # Of the newest author the stream tells it: where one writes after the other, no cursor is written.
            seqs.pop(author_id, None)
            read += [(user_id, batch.stream_id, seq) for user_id, seq in seqs.items()]
            for counted in self.hooks.messages_counted:
                await counted(group, len(batch.added), batch.now, tx)
            for added in batch.added:
                tx.publish(target.event_of(added.message, batch.now))
        if read:
            for hook in self.hooks.messages_posted:
                await hook(read, tx)


@dataclass(kw_only=True, slots=True)
class MessageService:
    """The message streams of groups."""

    database: Database
    messages: MessageStore
    streams: StreamService
    guard: AccessGuard
    bulk_access: BulkAccess
    page_reader: PageReader
    agreement: Agreement
    hooks: Hooks
    limits: GroupLimits
    on_batch: OnBatch | None
    _queue: PostQueue[_GroupPost, VisibleMessage] = field(init=False)

    def __post_init__(self) -> None:
        self._queue = self.streams.post_queue(self._open, name="posts", on_batch=self.on_batch)

    async def post(
        self,
        actor: Actor,
        group_id: GroupId,
        content: Content,
        *,
        key: str | None = None,
        silent: bool = False,
        quoted_seq: int | None = None,
    ) -> VisibleMessage:
        """Add a message to the group's stream; with a `key`, doing it again answers the first one.

        `quoted_seq`: the earlier message that it answers. The author's own read cursor moves to it. Publishes:
        MessagePosted.
        """
        fingerprint = fingerprint_of(content, silent=silent, quoted_seq=quoted_seq)
        post = _GroupPost(
            actor=actor,
            group_id=group_id,
            content=content,
            key=post_key(key, fingerprint),
            silent=silent,
            quoted_seq=quoted_seq,
        )
        return await self._queue.submit(stream_of(group_id), post)

    async def post_loaded(
        self,
        actor: Actor,
        group_id: GroupId,
        load: ContentLoader,
        *,
        key: PostKey,
        peek: ContentLoader | None = None,
    ) -> VisibleMessage:
        """As `post`, of what `load` fetches in the same transaction.

        Where `load` changes something, `peek` fetches the same and changes nothing.
        """
        post = _GroupPost(actor=actor, group_id=group_id, content=load, key=key, peek=peek)
        return await self._queue.submit(stream_of(group_id), post)

    async def preview(
        self,
        actor: Actor,
        group_id: GroupId,
        content: Content | ContentLoader,
        *,
        silent: bool = False,
    ) -> VisibleMessage:
        """The message that posting this would make, under the next seq; nothing is stored."""
        post = _GroupPost(
            actor=actor, group_id=group_id, content=content, key=post_key(None, ""), silent=silent
        )
        return await self._queue.preview(stream_of(group_id), post)

    async def find_posted(
        self, actor: Actor, group_id: GroupId, key: PostKey, tx: Tx
    ) -> Message | None:
        known_as = KnownKey(stream_of(group_id), actor.user_id, key.stored)
        query = self.messages.query_by_keys([known_as])
        await self.database.fetch(tx, query)
        found = query.result.get(known_as)
        return found.message if found is not None else None

    async def _open(
        self, posts: Mapping[StreamId, Sequence[_GroupPost]], query: StreamsQuery, tx: Tx
    ) -> _Targets:
        actors = {
            of_stream[0].group_id: {p.actor for p in of_stream} for of_stream in posts.values()
        }
        users = {i: {actor.user_id for actor in of_group} for i, of_group in actors.items()}
        of_accesses = self.bulk_access.query(users)
        of_authors = self.bulk_access.members.query_authors(query.of_states, users.keys())
        await self.database.fetch_together(*of_accesses.queries, *query.queries, of_authors, tx=tx)
        accesses: dict[GroupId, dict[Actor, AccessContext]] = {}
        for group_id, of_group in actors.items():
            found = of_accesses.accesses_of(of_group, group_id)
            if found and stream_of(group_id) in query.states:
                accesses[group_id] = found
        groups = of_accesses.of_groups.result
        channels = {i: users[i] for i in accesses if groups[i].is_channel}
        signatures: Mapping[GroupId, Mapping[UserId, str]] = {}
        if channels and self.hooks.signatures is not None:
            signatures = await self.hooks.signatures(channels, tx)
        return _Targets(
            targets={
                stream_of(group_id): _Target(
                    group=groups[group_id],
                    accesses=found,
                    signatures=signatures.get(group_id, {}),
                    media_limit=self.limits.channel_media_bytes,
                )
                for group_id, found in accesses.items()
            },
            authors=of_authors.result,
            hooks=self.hooks,
            agreement=self.agreement,
        )

    async def list_messages(
        self,
        actor: Actor,
        group_id: GroupId,
        *,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        cursor: str | None = None,
    ) -> MessagePage:
        """A page of messages, newest first: the newest, those before a seq, or the ones right after a seq.

        `next_cursor` goes on in the same direction: back in time, or forward from `after_seq`.
        """
        wanted = WantedPage(limit=limit, before_seq=before_seq, after_seq=after_seq, cursor=cursor)
        return await self.read_page(actor, group_id, wanted)

    async def read_page(self, actor: Actor, group_id: GroupId, wanted: WantedPage) -> MessagePage:
        """The wanted page of messages, as the actor may see them. Raises: BadCursor."""
        wanted, user_id = wanted.resolved(), actor.user_id
        if wanted.is_newest_first:
            # Nearly all pages: readers of the same one share a command, which reads all that a page needs.
            found = await self.page_reader.read(
                group_id, user_id, below=wanted.before_seq, limit=wanted.limit + 1
            )
            access = await self.guard.read_access_of(
                actor, group_id, found=(found.group, found.member)
            )
            messages, next_cursor = cut_newest(
                found.messages, floor=policy.history_floor(access), limit=wanted.limit
            )
            return MessagePage(
                messages=messages,
                next_cursor=next_cursor,
                is_cut=False,
                access=access,
                tallies=found.tallies,
                window=(wanted.before_seq, wanted.limit),
            )
        access = await self.guard.read_access_of(actor, group_id)
        stream_id = access.group.stream_id
        first_unread_seq = await self._first_unread(access) if wanted.around_unread else None
        page = await self.streams.page(
            stream_id,
            wanted,
            floor=policy.history_floor(access),
            first_unread_seq=first_unread_seq,
        )
        reader, seqs = self.hooks.tallies, [message.seq for message in page.messages]
        tallies = Tallies()
        if reader is not None:
            tallies = await reader.tallies_of(user_id, stream_id, seqs)
        return MessagePage(
            **{each.name: getattr(page, each.name) for each in fields(page)},
            access=access,
            tallies=tallies,
        )

    async def _first_unread(self, access: AccessContext) -> int | None:
        """The seq after the last message that the member has read; None: they are no member, or nobody counts reads."""
        member, read_cursor = access.member, self.hooks.read_cursor
        if member is None or read_cursor is None:
            return None
        stream_id = access.group.stream_id
        # The stream first: what it does not tell any more is stored by then.
        of_stream = self.streams.query_streams([stream_id])
        of_cursor = read_cursor(member.user_id, stream_id)
        await self.database.fetch_together(of_stream, of_cursor)
        stream = of_stream.result.get(stream_id)
        written = stream.head.read_by(member.user_id) if stream is not None else 0
        return max(of_cursor.result, written, member.joined_seq) + 1

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> VisibleMessage:
        access, message = await self.guard.find_message(actor, group_id, seq)
        return VisibleMessage(message, access)

    async def close(self) -> None:
        await self._queue.close()
