"""The life of a message: posted, read, edited, recalled.

Posts to one stream share group-commit batches: head and messages change in one transaction, so the seqs are dense
(P2), and a post costs the same few commands in a group of ten and of a million (P8). The posting rate is a token
bucket inside the stream document, which every post writes anyway, so it holds across processes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound, MessageNotFound, MessageRecalled
from groups.events import MessageEdited, MessagePosted
from groups.events import MessageRecalled as MessageRecalledEvent
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.commit import GroupCommit
from groups.kernel.errors import (
    DomainError,
    FieldTooLong,
    IdempotencyConflict,
    InvalidRequest,
)
from groups.kernel.ids import GroupId, StreamId, UserId, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.limits import GroupLimits
from groups.models import Content, Group, LastMessage, Member, Message, Standing, stream_of
from groups.service.access import Access
from groups.service.hooks import Hooks
from groups.service.posting import Post, PostBatch
from groups.store import GroupStore, MemberStore, MessageStore


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message, and the author's standing when it was stored."""

    message: Message
    standing: Standing


@dataclass(frozen=True, slots=True)
class History:
    """A page of messages, newest first, as the reader may see them."""

    messages: list[Message]
    standing: Standing
    next_cursor: str | None


class MessageService:
    """The message streams of groups."""

    def __init__(
        self,
        database: Database,
        groups: GroupStore,
        members: MemberStore,
        messages: MessageStore,
        access: Access,
        hooks: Hooks,
        limits: GroupLimits,
        clock: Clock,
        *,
        on_batch: Callable[[str, int], None] | None = None,
    ) -> None:
        self._database = database
        self._groups = groups
        self._members = members
        self._messages = messages
        self._access = access
        self._hooks = hooks
        self._limits = limits
        self._clock = clock
        self._lane: GroupCommit[Post, Posted] = GroupCommit(
            database, self._apply, name="posts", on_batch=on_batch
        )

    # --- post -----------------------------------------------------------------------------------------------------

    async def post(
        self, actor: Actor, group_id: GroupId, content: Content, *, key: str | None = None
    ) -> Posted:
        """Add a message to the group's stream; with a `key`, doing it again answers the first one.

        The author's own read cursor moves to it. Publishes: MessagePosted. Raises: GroupNotFound; FieldTooLong;
        PostingNotAllowed; Muted; Banned; RateLimited at `posts_per_second`; IdempotencyConflict.
        """
        self._check_bounds(content)
        digest = hashlib.sha256(content.model_dump_json().encode()).hexdigest()[:16]
        # A key of our own when the caller has none: a batch whose outcome is unknown runs again, and must find itself.
        entry = Post(actor, content, f"c:{key}" if key else f"s:{mint_id()}", bool(key), digest)
        return await self._lane.submit(group_id, entry)

    def _check_bounds(self, content: Content) -> None:
        if len(content.links) > self._limits.links_per_message:
            reason = f"at most {self._limits.links_per_message} links a message"
            raise InvalidRequest(reason, errors=[{"field": "links", "reason": reason}])
        limit = self._limits.message_body_bytes
        if content.size_bytes > limit:
            too_long = "text" if len(content.text.encode()) > limit else "body"
            raise FieldTooLong(too_long, limit)

    async def _apply(
        self, tx: Tx, key: str, posts: Sequence[Post]
    ) -> Sequence[Posted | DomainError]:
        group_id = GroupId(key)
        stream_id = stream_of(group_id)
        authors = {post.actor.user_id for post in posts}
        keys = [(p.actor.user_id, p.key) for p in posts if p.is_callers_key or tx.attempt]
        of_group = self._groups.lookup(group_id)
        of_row = self._messages.lookup_stream(stream_id)
        of_members = self._members.lookup_many(group_id, authors)
        of_restrictions = self._members.lookup_restrictions(group_id, authors)
        of_known = self._messages.lookup_by_keys(stream_id, keys)
        await self._database.look_up(tx, of_group, of_row, of_members, of_restrictions, of_known)
        group, row, members, restrictions, known = (
            of_group.found,
            of_row.found,
            of_members.found,
            of_restrictions.found,
            of_known.found,
        )
        if group is None or row is None:
            return [GroupNotFound() for _ in posts]
        batch = PostBatch(row, self._clock.now(), self._limits.posts_per_second)
        outcomes: list[Posted | DomainError] = []
        for post in posts:
            user_id = post.actor.user_id
            member = members.get(user_id)
            rank = policy.rank_of(post.actor, member, restrictions.get(user_id))
            standing = Standing(group=group, member=member, rank=rank)
            try:
                if not policy.may_see(group, rank):
                    raise GroupNotFound
                first = known.get((user_id, post.key))
                if first is None:
                    refusal = policy.posting_refusal(group, member, rank, batch.now)
                    if refusal is not None:
                        raise refusal
                    first = known[user_id, post.key] = batch.add(post)
                elif first.digest != post.digest:
                    raise IdempotencyConflict
                outcomes.append(Posted(first.message, standing))
            except DomainError as error:
                outcomes.append(error)
        if batch.added:
            await self._store(batch, group, members, tx)
        return outcomes

    async def _store(
        self, batch: PostBatch, group: Group, members: Mapping[UserId, Member], tx: Tx
    ) -> None:
        newest = batch.added[-1].message
        await self._messages.advance(newest.stream_id, _last(newest), batch.tokens, batch.now, tx)
        await self._messages.insert_messages(batch.added, tx)
        # The application's admin may post without being a member; he has no conversation then.
        newest_of = {
            added.message.sender_id: added.message.seq
            for added in batch.added
            if added.message.sender_id in members
        }
        for hook in self._hooks.messages_posted:
            await hook(newest.stream_id, newest_of, tx)
        for added in batch.added:
            tx.publish(
                MessagePosted(
                    at=batch.now,
                    group_id=group.group_id,
                    is_channel=group.is_channel,
                    message=added.message,
                )
            )

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
        standing = await self._access.reading(actor, group_id)
        floor = policy.history_floor(standing)
        key = decode_cursor("messages", cursor, str, int)
        if key is not None:
            direction, seq = key
            if direction == "after":
                after_seq = int(seq)
            else:
                before_seq = int(seq)
        is_forward = after_seq is not None
        messages = await self._messages.list_messages(
            standing.group.stream_id,
            above=max(floor, after_seq or 0),
            below=before_seq,
            limit=limit + 1,
            oldest_first=is_forward,
        )
        messages, has_more = cut_page(messages, limit)
        next_cursor = None
        if has_more:
            next_cursor = encode_cursor(
                "messages", "after" if is_forward else "before", messages[-1].seq
            )
        if is_forward:
            messages.reverse()
        return History(messages, standing, next_cursor)

    async def get(self, actor: Actor, group_id: GroupId, seq: int) -> Posted:
        """One message.

        Raises: GroupNotFound; PermissionRefused; Banned; MessageNotFound.
        """
        standing = await self._access.reading(actor, group_id)
        message = await self._messages.find(standing.group.stream_id, seq)
        if message is None or seq <= policy.history_floor(standing):
            raise MessageNotFound
        return Posted(message, standing)

    async def hold(self, group_id: GroupId, seq: int, tx: Tx) -> Message | None:
        """A message to which the caller's transaction adds something, without asking for whom.

        The message is written, so that recalling it or clearing its group away conflicts with the transaction.
        """
        return await self._messages.touch(stream_of(group_id), seq, tx)

    async def has_stream(self, stream_id: StreamId, tx: Tx) -> bool:
        """Whether the stream lives, inside a caller's transaction: it does until its group is disbanded."""
        return await self._messages.find_stream(stream_id, tx) is not None

    # --- change ---------------------------------------------------------------------------------------------------

    async def edit(self, actor: Actor, group_id: GroupId, seq: int, content: Content) -> Posted:
        """Replace a message's content; the same content again changes nothing.

        Publishes: MessageEdited. Raises: GroupNotFound; MessageNotFound; MessageRecalled; FieldTooLong; and whatever
        would refuse a post.
        """
        self._check_bounds(content)

        async def work(tx: Tx) -> Posted:
            standing, message = await self._own_or_managed(actor, group_id, seq, tx)
            now = self._clock.now()
            refusal = policy.editing_refusal(standing, message, now)
            if refusal is not None:
                raise refusal
            if message.recalled_at is not None:
                raise MessageRecalled
            if message.content == content:
                return Posted(message, standing)
            edited = message.model_copy(update={"content": content, "edited_at": now})
            await self._messages.set_content(edited, tx)
            await self._messages.replace_preview(edited, content.preview, tx)
            group = standing.group
            tx.publish(
                MessageEdited(
                    at=now, group_id=group_id, is_channel=group.is_channel, message=edited
                )
            )
            return Posted(edited, standing)

        return await self._database.run(work)

    async def recall(self, actor: Actor, group_id: GroupId, seq: int) -> None:
        """Take a message back: its content goes, its seq stays. Recalling twice changes nothing.

        Publishes: MessageRecalled. Raises: GroupNotFound; MessageNotFound; PermissionRefused; RecallTooLate.
        """

        async def work(tx: Tx) -> None:
            standing, message = await self._own_or_managed(actor, group_id, seq, tx)
            now = self._clock.now()
            window = self._limits.recall_seconds
            refusal = policy.recalling_refusal(standing, message, now, window)
            if refusal is not None:
                raise refusal
            if message.recalled_at is not None:
                return
            recalled = message.model_copy(update={"content": None, "recalled_at": now})
            await self._messages.set_content(recalled, tx)
            await self._messages.replace_preview(recalled, "", tx)
            group = standing.group
            tx.publish(
                MessageRecalledEvent(
                    at=now, group_id=group_id, is_channel=group.is_channel, message=recalled
                )
            )

        await self._database.run(work)

    async def _own_or_managed(
        self, actor: Actor, group_id: GroupId, seq: int, tx: Tx
    ) -> tuple[Standing, Message]:
        standing = await self._access.standing(actor, group_id, tx)
        refusal = policy.reading_refusal(standing.group, standing.rank)
        if refusal is not None:
            raise refusal
        message = await self._messages.find(standing.group.stream_id, seq, tx)
        if message is None or seq <= policy.history_floor(standing):
            raise MessageNotFound
        return standing, message

    async def close(self) -> None:
        """Wait until every submitted post is committed or refused."""
        await self._lane.close()


def _last(message: Message) -> LastMessage:
    return LastMessage(
        seq=message.seq,
        sender_id=message.sender_id,
        preview=message.content.preview if message.content else "",
        at=message.created_at,
    )
