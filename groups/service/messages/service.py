"""The messages of groups: posting, previews and reading. `edits` and `pins` change them later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from groups import policy
from groups.errors import GroupNotFound
from groups.events import MessagePosted
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError
from groups.kernel.group_commit import OnBatch
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import AccessContext, Content, Group, Message, Tallies, stream_of
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
    StreamQuery,
    fingerprint_of,
    post_key,
)
from groups.service.messages.stream import PostQueue, StreamService
from groups.store.messages import MessageStore

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
    """A group's stream: its posting rule decides who may post, and `message.posted` goes to all members."""

    group: Group
    accesses: Mapping[Actor, AccessContext]
    """Without actors who may not see the group."""
    signatures: Mapping[UserId, str]
    hooks: Hooks
    agreement: Agreement
    media_limit: int

    def refusal(self, post: PendingPost, now: datetime, *, is_repeated: bool) -> DomainError | None:
        access = self.accesses.get(post.actor)
        if access is None:
            return GroupNotFound()
        return None if is_repeated else policy.posting_refusal(access, now)

    def signature_of(self, post: PendingPost) -> str:
        return self.signatures.get(post.sender_id, "")

    def result(self, post: PendingPost, message: Message) -> VisibleMessage:
        return VisibleMessage(message, self.accesses[post.actor])

    async def before_append(self, batch: PostBatch, tx: Tx) -> None:
        """The stream is there since the group is."""

    async def after_append(self, batch: PostBatch, tx: Tx) -> None:
        # The application may post without being a member; it has no conversation then.
        members = {actor.user_id for actor, access in self.accesses.items() if access.member}
        agreeing = {
            access.member.user_id
            for access in self.accesses.values()
            if access.member and not access.member.has_agreed
        } & batch.newest_seqs.keys()
        if agreeing:
            await self.agreement.agree(self.group.group_id, agreeing, tx)
        newest_seqs = {
            user_id: seq for user_id, seq in batch.newest_seqs.items() if user_id in members
        }
        for hook in self.hooks.messages_posted:
            await hook(batch.stream_id, newest_seqs, tx)
        for counted in self.hooks.messages_counted:
            await counted(self.group, len(batch.added), batch.now, tx)
        for added in batch.added:
            tx.publish(
                MessagePosted(
                    at=batch.now,
                    group_id=self.group.group_id,
                    is_channel=self.group.is_channel,
                    message=added.message,
                )
            )


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
    ) -> VisibleMessage:
        """Add a message to the group's stream; with a `key`, doing it again answers the first one.

        The author's own read cursor moves to it. Publishes: MessagePosted.
        """
        known_as = post_key(key, fingerprint_of(content, silent=silent))
        post = _GroupPost(
            actor=actor, group_id=group_id, content=content, key=known_as, silent=silent
        )
        return await self._queue.submit(stream_of(group_id), post)

    async def post_loaded(
        self, actor: Actor, group_id: GroupId, load: ContentLoader, *, key: PostKey
    ) -> VisibleMessage:
        """As `post`, of what `load` fetches in the same transaction."""
        post = _GroupPost(actor=actor, group_id=group_id, content=load, key=key)
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
        query = self.messages.query_by_keys(stream_of(group_id), [(actor.user_id, key.stored)])
        await self.database.fetch(tx, query)
        found = query.result.get((actor.user_id, key.stored))
        return found.message if found is not None else None

    async def _open(
        self, posts: Sequence[_GroupPost], query: StreamQuery, tx: Tx
    ) -> _Target | type[DomainError]:
        accesses = await self.bulk_access.accesses_of(
            {post.actor for post in posts}, posts[0].group_id, tx, beside=query.queries
        )
        if not accesses or query.of_state.result is None:
            return GroupNotFound
        group = next(iter(accesses.values())).group
        signatures: Mapping[UserId, str] = {}
        if group.is_channel and self.hooks.signatures is not None:
            authors = {actor.user_id for actor in accesses}
            signatures = await self.hooks.signatures(group, authors, tx)
        return _Target(
            group=group,
            accesses=accesses,
            signatures=signatures,
            hooks=self.hooks,
            agreement=self.agreement,
            media_limit=self.limits.channel_media_bytes,
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
        read_seq = await read_cursor(member.user_id, access.group.stream_id)
        return max(read_seq, member.joined_seq) + 1

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> VisibleMessage:
        access, message = await self.guard.find_message(actor, group_id, seq)
        return VisibleMessage(message, access)

    async def close(self) -> None:
        await self._queue.close()
