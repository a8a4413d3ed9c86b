"""The messages of a group: posted, tried out before that, read. What becomes of them later is `edits`.

Posts to one stream share group-commit batches: head and messages change in one transaction, so the seqs are dense
(P2), and a post costs the same few commands in a group of ten and of a million (P8). The posting rate is a token
bucket inside the stream document, which every post writes anyway, so it holds across processes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound
from groups.events import MessagePosted
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, IdempotencyConflict
from groups.kernel.group_commit import GroupCommit, OnBatch
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import AccessContext, Content, Group, Member, Message, Tallies, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.hooks import Hooks
from groups.service.media.service import media_ids_of
from groups.service.messages.batch import (
    ContentLoader,
    PendingPost,
    PostBatch,
    check_media_quota,
    prepared,
)
from groups.service.messages.page_reader import PageReader
from groups.service.messages.stream import StreamService, digest_of
from groups.service.write_locks import stream_lock
from groups.store.groups import GroupStore
from groups.store.media import MediaStore
from groups.store.members import MemberStore
from groups.store.messages import MessageStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message, and the author's standing when it was stored."""

    message: Message
    access: AccessContext


@dataclass(frozen=True, slots=True)
class History:
    """A page of messages, newest first, as the reader may see them; `tallies` also tells of some he may not.

    `is_forward`: the page is of those right after a seq, and fits. Otherwise whoever renders it shows as many of the
    first as fit into a page, and goes on from there (`cursor_before`).
    """

    messages: list[Message]
    access: AccessContext
    next_cursor: str | None
    tallies: Tallies
    is_forward: bool = False


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
        media: MediaStore,
        streams: StreamService,
        guard: AccessGuard,
        openings: PageReader,
        hooks: Hooks,
        limits: GroupLimits,
        clock: Clock,
        *,
        on_batch: OnBatch | None = None,
    ) -> None:
        self._database = database
        self._groups = groups
        self._members = members
        self._restrictions = restrictions
        self._messages = messages
        self._stream_store = stream_store
        self._media = media
        self._streams = streams
        self._guard = guard
        self._openings = openings
        self._hooks = hooks
        self._limits = limits
        self._clock = clock
        self._lane: GroupCommit[PendingPost, Posted] = GroupCommit(
            database,
            self._apply,
            name="posts",
            on_batch=on_batch,
            locks_of=lambda key: (stream_lock(stream_of(GroupId(key))),),
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
    ) -> Posted:
        """Add a message to the group's stream; with a `key`, doing it again answers the first one.

        The author's own read cursor moves to it. Publishes: MessagePosted. Raises: GroupNotFound; FieldTooLong;
        PostingNotAllowed; Muted; Banned; RateLimited at `posts_per_second` or `stream_bytes_per_second`;
        IdempotencyConflict.
        """
        entry = self._streams.entry(actor, content, key, silent=silent)
        return await self._lane.submit(group_id, entry)

    async def post_taken(
        self, actor: Actor, group_id: GroupId, take: ContentLoader, *, key: str, said: str
    ) -> Posted:
        """As `post`, of what `take` fetches in the same transaction; `said` tells other things under the same key.

        Raises: as `post`, and what `take` raises.
        """
        return await self._lane.submit(
            group_id, PendingPost(actor, take, key, True, digest_of(said))
        )

    async def find_taken(self, actor: Actor, group_id: GroupId, key: str, tx: Tx) -> Message | None:
        """The message that the actor's `post_taken` with this key made."""
        place = (actor.user_id, key)
        found = self._messages.lookup_by_keys(stream_of(group_id), [place])
        await self._database.look_up(tx, found)
        return found.found[place].message if place in found.found else None

    async def _apply(
        self, tx: Tx, key: str, posts: Sequence[PendingPost]
    ) -> Sequence[Posted | DomainError]:
        group_id = GroupId(key)
        stream_id = stream_of(group_id)
        authors = {post.actor.user_id for post in posts}
        keys = [(p.actor.user_id, p.key) for p in posts if p.is_callers_key or tx.attempt]
        of_group = self._groups.lookup(group_id)
        of_row = self._stream_store.lookup(stream_id)
        of_members = self._members.lookup_many(group_id, authors)
        of_restrictions = self._restrictions.lookup_many(group_id, authors)
        of_known = self._messages.lookup_by_keys(stream_id, keys)
        uploads = {
            i for p in posts if isinstance(p.content, Content) for i in media_ids_of(p.content)
        }
        of_media = self._media.lookup_many(uploads)
        await self._database.look_up(
            tx,
            *(of_group, of_row, of_members, of_restrictions, of_known),
            *([of_media] if uploads else []),
        )
        group, row, members, restrictions, known = (
            of_group.found,
            of_row.found,
            of_members.found,
            of_restrictions.found,
            of_known.found,
        )
        if group is None or row is None:
            return [GroupNotFound() for _ in posts]
        signatures = await self._signatures(group, authors, tx)
        batch = PostBatch(
            row,
            self._clock.now(),
            self._limits,
            stream_id,
            media_limit=self._limits.channel_media_bytes,
        )
        outcomes: list[Posted | DomainError] = []
        for post in posts:
            user_id = post.actor.user_id
            member = members.get(user_id)
            effective_role = policy.effective_role_of(post.actor, member, restrictions.get(user_id))
            access = AccessContext(group=group, member=member, effective_role=effective_role)
            is_taken = False
            try:
                if not policy.may_see(group, effective_role):
                    raise GroupNotFound
                first = known.get((user_id, post.key))
                if first is None:
                    refusal = policy.posting_refusal(access, batch.now)
                    if refusal is not None:
                        raise refusal
                    batch.rate.check()
                    ready = await prepared(post, of_media.found if uploads else {}, tx)
                    is_taken = ready.are_uploads_counted
                    batch.check_media(ready.content)
                    first = batch.add(post, ready, signatures.get(user_id, ""))
                    known[user_id, post.key] = first
                elif first.digest != post.digest:
                    raise IdempotencyConflict
                outcomes.append(Posted(first.message, access))
            except DomainError as error:
                if is_taken:
                    # Rolled back: what was taken out of its place must not be lost with the refusal.
                    raise
                outcomes.append(error)
        if batch.added:
            await self._store(batch, group, members, tx)
        return outcomes

    async def _signatures(
        self, group: Group, authors: Collection[UserId], tx: Tx
    ) -> Mapping[UserId, str]:
        """The names under which those of the authors post who sign."""
        if not group.is_channel or self._hooks.signatures is None:
            return {}
        return await self._hooks.signatures(group, authors, tx)

    async def _store(
        self, batch: PostBatch, group: Group, members: Mapping[UserId, Member], tx: Tx
    ) -> None:
        newest = batch.added[-1].message
        await self._streams.append(batch, tx)
        # The application's admin may post without being a member; he has no conversation then.
        newest_of = {
            added.message.sender_id: added.message.seq
            for added in batch.added
            if added.message.sender_id in members
        }
        for hook in self._hooks.messages_posted:
            await hook(newest.stream_id, newest_of, tx)
        for counted in self._hooks.messages_counted:
            await counted(group, len(batch.added), batch.now, tx)
        for added in batch.added:
            tx.publish(
                MessagePosted(
                    at=batch.now,
                    group_id=group.group_id,
                    is_channel=group.is_channel,
                    message=added.message,
                )
            )

    async def preview(
        self,
        actor: Actor,
        group_id: GroupId,
        content: Content | ContentLoader,
        *,
        silent: bool = False,
    ) -> Posted:
        """The message that posting this would make, under the next seq; nothing is stored.

        Raises: what refuses a post.
        """
        if isinstance(content, Content):
            self._streams.check_bounds(content)
        post = PendingPost(actor, content, "", False, "", silent)

        async def work(tx: Tx) -> Posted:
            access = await self._guard.access_of(actor, group_id, tx)
            now = self._clock.now()
            refusal = policy.posting_refusal(access, now)
            if refusal is not None:
                raise refusal
            uploads = media_ids_of(content) if isinstance(content, Content) else ()
            known = await self._media.find_many(uploads, tx) if uploads else {}
            of_row = self._stream_store.lookup(access.group.stream_id)
            await self._database.look_up(tx, of_row)
            row = of_row.found
            signatures = await self._signatures(access.group, [actor.user_id], tx)
            ready = await prepared(post, known, tx)
            if row is not None:
                limit = self._limits.channel_media_bytes
                check_media_quota(row.media_bytes, ready.content.media_bytes, limit)
            message = Message(
                stream_id=access.group.stream_id,
                seq=(row.stream.head_seq if row else 0) + 1,
                sender_id=actor.user_id,
                content=ready.content,
                created_at=now,
                silent=ready.silent,
                signature=signatures.get(actor.user_id, ""),
                origin=ready.origin,
            )
            return Posted(message, access)

        return await self._database.run(work)

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
    ) -> History:
        """A page of messages, newest first: the newest, those before a seq, or the ones right after a seq.

        `next_cursor` goes on in the same direction: back in time, or forward from `after_seq`.
        Raises: GroupNotFound; PermissionRefused; Banned; BadCursor.
        """
        before_seq, after_seq = self._streams.place(cursor, before_seq, after_seq)
        if after_seq is None:
            opening = await self._openings.read(
                group_id, actor.user_id, below=before_seq, limit=limit + 1
            )
            access = await self._guard.read_access_of(actor, group_id, found=opening)
            messages, next_cursor = self._streams.cut(
                opening.messages, floor=policy.history_floor(access), limit=limit
            )
            return History(messages, access, next_cursor, opening.tallies)
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
        return History(messages, access, next_cursor, tallies, is_forward=True)

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> Posted:
        """One message.

        Raises: GroupNotFound; PermissionRefused; Banned; MessageNotFound.
        """
        access, message = await self._guard.find_message(actor, group_id, seq)
        return Posted(message, access)

    async def hold(self, group_id: GroupId, seq: int, tx: Tx) -> Message | None:
        """A message to which the caller's transaction adds something, without asking for whom.

        The message is written, so that recalling it or clearing its group away conflicts with the transaction.
        """
        return await self._messages.touch(stream_of(group_id), seq, tx)

    async def close(self) -> None:
        """Wait until every submitted post is committed or refused."""
        await self._lane.close()
