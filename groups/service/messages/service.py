"""The messages of groups: posting, previews and reading. `edits` and `pins` change them later."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
from groups.models import AccessContext, Content, Group, Member, Message, Tallies, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.messages.page_reader import PageReader, cut_messages, page_bounds
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
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A stored message, and the access of the caller who sees it."""

    message: Message
    access: AccessContext


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages, newest first, as the reader may see them; `tallies` may tell of more messages.

    `is_forward`: the page has the messages right after a seq, and fits. Otherwise rendering shows as many of the first
    messages as fit into a page, and goes on from there (`cursor_before`).
    """

    messages: list[Message]
    access: AccessContext
    next_cursor: str | None
    tallies: Tallies
    is_forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupPost(PendingPost):
    group_id: GroupId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A group's stream: its posting rule decides who may post, and `message.posted` goes to all members."""

    group: Group
    members: Mapping[UserId, Member]
    accesses: Mapping[Actor, AccessContext]
    signatures: Mapping[UserId, str]
    hooks: Hooks
    media_limit: int

    def refusal(self, post: PendingPost, now: datetime, *, is_repeated: bool) -> DomainError | None:
        access = self.accesses[post.actor]
        if not policy.may_see(self.group, access.effective_role):
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
        newest_seqs = {
            user_id: seq for user_id, seq in batch.newest_seqs.items() if user_id in self.members
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


class MessageService:
    """The message streams of groups."""

    def __init__(
        self,
        database: Database,
        groups: GroupStore,
        members: MemberStore,
        restrictions: RestrictionStore,
        messages: MessageStore,
        stream_store: StreamStore,
        streams: StreamService,
        guard: AccessGuard,
        page_reader: PageReader,
        hooks: Hooks,
        limits: GroupLimits,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._groups = groups
        self._members = members
        self._restrictions = restrictions
        self._messages = messages
        self._stream_store = stream_store
        self._streams = streams
        self._guard = guard
        self._page_reader = page_reader
        self._hooks = hooks
        self._media_limit = limits.channel_media_bytes
        self._queue: PostQueue[_GroupPost, VisibleMessage] = streams.post_queue(
            self._open, name="posts", on_batch=on_batch
        )

    # --- post -----------------------------------------------------------------------------------------------------

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
        """The message that the actor posted with this key."""
        query = self._messages.query_by_keys(stream_of(group_id), [(actor.user_id, key.stored)])
        await self._database.fetch(tx, query)
        for found in query.result.values():
            return found.message
        return None

    async def _open(
        self, posts: Sequence[_GroupPost], query: StreamQuery, tx: Tx
    ) -> _Target | type[DomainError]:
        group_id = posts[0].group_id
        actors = {post.actor for post in posts}
        authors = {actor.user_id for actor in actors}
        of_group = self._groups.query_group(group_id)
        of_members = self._members.query_members(group_id, authors)
        of_restrictions = self._restrictions.query_restrictions(group_id, authors)
        await self._database.fetch(tx, of_group, of_members, of_restrictions, *query.queries)
        group, members = of_group.result, of_members.result
        if group is None or query.of_state.result is None:
            return GroupNotFound
        accesses: dict[Actor, AccessContext] = {}
        for actor in actors:
            member = members.get(actor.user_id)
            restriction = of_restrictions.result.get(actor.user_id)
            role = policy.effective_role_of(actor, member, restriction)
            accesses[actor] = AccessContext(group=group, member=member, effective_role=role)
        return _Target(
            group=group,
            members=members,
            accesses=accesses,
            signatures=await self._signatures(group, authors, tx),
            hooks=self._hooks,
            media_limit=self._media_limit,
        )

    async def _signatures(
        self, group: Group, authors: Collection[UserId], tx: Tx
    ) -> Mapping[UserId, str]:
        """The names with which some of the authors sign their posts."""
        signatures = self._hooks.signatures
        if not group.is_channel or signatures is None:
            return {}
        return await signatures(group, authors, tx)

    # --- read -----------------------------------------------------------------------------------------------------

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
        before_seq, after_seq = page_bounds(cursor, before_seq, after_seq)
        if after_seq is None:
            page = await self._page_reader.read(
                group_id, actor.user_id, below=before_seq, limit=limit + 1
            )
            access = await self._guard.read_access_of(actor, group_id, found=page)
            messages, next_cursor = cut_messages(
                page.messages, floor=policy.history_floor(access), limit=limit
            )
            return MessagePage(messages, access, next_cursor, page.tallies)
        access = await self._guard.read_access_of(actor, group_id)
        stream_id = access.group.stream_id
        messages, next_cursor = await self._streams.page(
            stream_id,
            floor=policy.history_floor(access),
            limit=limit,
            before_seq=before_seq,
            after_seq=after_seq,
        )
        reader, seqs = self._hooks.tallies, [message.seq for message in messages]
        tallies = Tallies()
        if reader is not None:
            tallies = await reader.tallies_of(actor.user_id, stream_id, seqs)
        return MessagePage(messages, access, next_cursor, tallies, is_forward=True)

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> VisibleMessage:
        """One message."""
        access, message = await self._guard.find_message(actor, group_id, seq)
        return VisibleMessage(message, access)

    async def close(self) -> None:
        """Wait until every submitted post is committed or refused."""
        await self._queue.close()
