"""The life of drafts: create, list, change, delete, publish.

Users who may post in the channel see its drafts. Changing and deleting other users' drafts takes the same rights as
changing and deleting their posts.

One transaction removes a draft and posts it, so it is published once. Users publish a draft immediately; the scheduler
publishes drafts that are due.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from channels.drafts.errors import (
    BadPublishAt,
    DraftLimitReached,
    DraftNotFound,
    DraftPublished,
    ScheduleLimitReached,
)
from channels.drafts.models import Draft, NewDraft
from channels.drafts.store import DraftPosition, DraftStore, position_of
from channels.errors import ChannelNotFound
from channels.events import DraftScheduled
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339, to_milliseconds
from groups.kernel.errors import IdempotencyConflict
from groups.kernel.ids import GroupId, StreamId, derive_id, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import AccessContext, AdminAct, AdminAction, Content, Grant, Group, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.messages.draft_content import DraftContent
from groups.service.messages.forwarding import ForwardService
from groups.service.messages.posting import LoadedContent, PostKey, digest_of
from groups.service.messages.service import MessageService, VisibleMessage
from groups.service.write_locks import group_lock

CLEANUP_STEP: Final = 20  # drafts a transaction: each may hold ten uploads
_GROUP_PREFIX: Final = stream_of(GroupId(""))

TouchChannel = Callable[[GroupId, Tx], Awaitable[bool]]
"""Writes the channel's document without a visible change. Returns False if there is none.

Two transactions that add a draft to a channel conflict there, so the limits are exact; so does deleting the channel.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftService:
    """The drafts of channels."""

    database: Database
    drafts: DraftStore
    touch_channel: TouchChannel
    channel: ChannelGuard
    draft_content: DraftContent
    forwards: ForwardService
    messages: MessageService
    admin_log: AdminLog
    guard: AccessGuard
    limits: ChannelLimits
    clock: Clock

    async def create(
        self,
        actor: Actor,
        channel_id: GroupId,
        new: NewDraft,
        *,
        publish_at: datetime | None,
        key: str | None,
    ) -> Draft:
        """Create a draft, to be published at `publish_at` if given. With a `key`, repeating returns the same draft.

        Publishes: DraftScheduled, if it is scheduled.
        """
        draft_id = mint_id() if key is None else derive_id(actor.user_id, channel_id, key)
        said = new.model_dump_json() + (rfc3339(publish_at) if publish_at else "")
        digest = hashlib.sha256(said.encode()).hexdigest()[:16] if key else ""

        async def work(tx: Tx) -> Draft:
            await self.draft_content.check_may_post(actor, channel_id, tx)
            if key:
                first = await self.drafts.find_draft(channel_id, draft_id, tx)
                if first is not None:
                    if first.digest != digest:
                        raise IdempotencyConflict
                    return first
                posted = await self.messages.find_posted(actor, channel_id, _key_of(draft_id), tx)
                if posted is not None:
                    raise DraftPublished(seq=posted.seq)
            now = self.clock.now()
            loaded = await self._load_content(actor, new, tx)
            draft = Draft(
                channel_id=channel_id,
                draft_id=draft_id,
                author_id=actor.user_id,
                by_app=actor.is_app_admin,
                content=loaded.content,
                silent=loaded.silent,
                origin=loaded.origin,
                publish_at=publish_at and self._check_publish_at(publish_at, now),
                created_at=now,
                updated_at=now,
                digest=digest,
            )
            await self._check_limit(draft, tx)
            await self.drafts.insert(draft, tx)
            self._publish_schedule(draft, now, tx)
            return draft

        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id))

    async def change(
        self,
        actor: Actor,
        channel_id: GroupId,
        draft_id: str,
        *,
        new: NewDraft | None = None,
        publish_at: datetime | None = None,
        sets_publish_at: bool = False,
    ) -> Draft:
        """Change the content of the draft, or its `publish_at` (None: not scheduled). The actor becomes its author.

        A new `publish_at` clears a failure. Publishes: DraftScheduled, if `publish_at` is set.
        """

        async def work(tx: Tx) -> Draft:
            access = await self.draft_content.check_may_post(actor, channel_id, tx)
            before = await self.drafts.find_draft(channel_id, draft_id, tx)
            if before is None:
                raise DraftNotFound
            self._check_may_change(actor, access, before, Grant.EDIT_POSTS)
            now = self.clock.now()
            values: dict[str, object] = {
                "author_id": actor.user_id,
                "by_app": actor.is_app_admin,
                "updated_at": now,
                "version": before.version + 1,
            }
            if new is not None:
                loaded = await self._load_content(actor, new, tx, instead_of=before.content)
                values["content"] = loaded.content
                values["silent"] = loaded.silent
                values["origin"] = loaded.origin
            if sets_publish_at:
                values["publish_at"] = publish_at and self._check_publish_at(publish_at, now)
                values["failure"] = None
            draft = before.model_copy(update=values)
            if (draft.publish_at is None) != (before.publish_at is None):
                await self._check_limit(draft, tx)
            await self.drafts.replace(draft, tx)
            await self._record(tx, actor, AdminAction.DRAFT_CHANGED, access.group, before, draft)
            if sets_publish_at:
                self._publish_schedule(draft, now, tx)
            return draft

        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id))

    async def delete(self, actor: Actor, channel_id: GroupId, draft_id: str) -> None:
        """Delete the draft; this cancels a scheduled post."""

        async def work(tx: Tx) -> None:
            access = await self.draft_content.check_may_post(actor, channel_id, tx)
            draft = await self.drafts.take_draft(channel_id, draft_id, tx)
            if draft is None:
                raise DraftNotFound
            self._check_may_change(actor, access, draft, Grant.DELETE_POSTS)
            await self.draft_content.release(draft.content, tx)
            await self._record(tx, actor, AdminAction.DRAFT_DELETED, access.group, draft)

        async with self.channel(channel_id):
            await self.database.run(work, group_lock(channel_id))

    async def publish(self, actor: Actor, channel_id: GroupId, draft_id: str) -> VisibleMessage:
        """Publish the draft now, in the actor's name; repeating it returns the same post. Publishes: MessagePosted."""
        async with self.channel(channel_id):
            posted, _ = await self.post(actor, channel_id, draft_id)
            return posted

    async def post(
        self, actor: Actor, channel_id: GroupId, draft_id: str, *, due_by: datetime | None = None
    ) -> tuple[VisibleMessage, bool]:
        """Publish the draft, with `due_by` only if it is due by then. Raises errors of groups, not of channels.

        Returns the post, and False if it existed already.
        """
        took = False

        async def take(tx: Tx) -> LoadedContent:
            nonlocal took
            draft = await self.drafts.take_draft(channel_id, draft_id, tx, due_by=due_by)
            if draft is None:
                raise DraftNotFound
            took = True
            if draft.author_id != actor.user_id:
                access = await self.guard.access_of(actor, channel_id, tx)
                await self._record(tx, actor, AdminAction.DRAFT_PUBLISHED, access.group, draft)
            return LoadedContent(
                draft.content, draft.silent, draft.origin, are_uploads_counted=True
            )

        async def peek(tx: Tx) -> LoadedContent:
            draft = await self.drafts.find_draft(channel_id, draft_id, tx)
            if draft is None:
                raise DraftNotFound
            return LoadedContent(
                draft.content, draft.silent, draft.origin, are_uploads_counted=True
            )

        # The key lets a repeat by the same actor find the post. Removing the draft makes sure that there is only one.
        key = _key_of(draft_id)
        posted = await self.messages.post_loaded(actor, channel_id, take, key=key, peek=peek)
        return posted, took

    async def _record(
        self,
        tx: Tx,
        actor: Actor,
        action: AdminAction,
        group: Group,
        draft: Draft,
        after: Draft | None = None,
    ) -> None:
        """Record the action in the channel's admin log, unless the draft was the actor's own.

        Admins who may not post can read the log but not the drafts. So an entry names the draft, its author, the kind
        of content and its `publish_at`, but does not contain its text.
        """
        if draft.author_id != actor.user_id:
            then = _log_entry(after) if after is not None else {}
            act = AdminAct(actor, action, draft.draft_id, _log_entry(draft), then)
            await self.admin_log.record(tx, group, act)

    async def _load_content(
        self, actor: Actor, new: NewDraft, tx: Tx, *, instead_of: Content | None = None
    ) -> LoadedContent:
        """Return the content of the draft, or a copy of the forwarded message, and count its uploads as used."""
        if isinstance(new.content, Content):
            content = await self.draft_content.keep(actor, new.content, tx, instead_of=instead_of)
            return LoadedContent(content, new.silent)
        copy = await self.forwards.loader(actor, new.content, silent=new.silent)(tx)
        await self.draft_content.keep_copy(copy, tx, instead_of=instead_of)
        return copy

    def _check_publish_at(self, publish_at: datetime, now: datetime) -> datetime:
        latest = now + timedelta(seconds=self.limits.schedule_ahead_seconds)
        if not now < publish_at <= latest:
            raise BadPublishAt(now=rfc3339(now), latest=rfc3339(latest))
        return publish_at

    async def _check_limit(self, draft: Draft, tx: Tx) -> None:
        """Raise if the channel already has as many drafts, or scheduled posts, as it may have."""
        if not await self.touch_channel(draft.channel_id, tx):
            raise ChannelNotFound
        is_scheduled = draft.publish_at is not None
        limit = self.limits.scheduled_posts if is_scheduled else self.limits.drafts
        there_are = await self.drafts.count_drafts(
            draft.channel_id, scheduled=is_scheduled, limit=limit, tx=tx
        )
        if there_are >= limit:
            raise (ScheduleLimitReached if is_scheduled else DraftLimitReached)(limit=limit)

    def _publish_schedule(self, draft: Draft, now: datetime, tx: Tx) -> None:
        if draft.due_at is not None:
            tx.publish(DraftScheduled(at=now, channel_id=draft.channel_id, due_at=draft.due_at))

    async def get(self, actor: Actor, channel_id: GroupId, draft_id: str) -> Draft:
        async with self.channel(channel_id):
            await self.draft_content.check_may_post(actor, channel_id)
        draft = await self.drafts.find_draft(channel_id, draft_id)
        if draft is None:
            raise DraftNotFound
        return draft

    async def list_drafts(
        self, actor: Actor, channel_id: GroupId, *, scheduled: bool, limit: int, cursor: str | None
    ) -> tuple[list[Draft], str | None]:
        """Return a page of the scheduled posts by `publish_at`, or of the other drafts by creation."""
        async with self.channel(channel_id):
            await self.draft_content.check_may_post(actor, channel_id)
        name = "scheduled" if scheduled else "drafts"
        key = decode_cursor(name, cursor, int, int, str)
        after = None
        if key is not None:
            after = DraftPosition(_instant_of(int(key[0])), _instant_of(int(key[1])), str(key[2]))
        found = await self.drafts.list_drafts(
            channel_id, scheduled=scheduled, after=after, limit=limit + 1
        )
        page, has_more = cut_page(found, limit, json_size)
        if not has_more:
            return page, None
        last = position_of(page[-1])
        instants = (_milliseconds_of(last.order_at), _milliseconds_of(last.created_at))
        return page, encode_cursor(name, *instants, last.draft_id)

    @staticmethod
    def _check_may_change(actor: Actor, access: AccessContext, draft: Draft, grant: Grant) -> None:
        if draft.author_id == actor.user_id:
            return
        refusal = policy.grant_refusal(access, grant)
        if refusal is not None:
            raise refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftCleanup:
    """Deletes the drafts of a channel whose stream has ended, and releases their uploads (a hook of `groups`)."""

    drafts: DraftStore
    content: DraftContent

    async def forget(self, channel_id: GroupId, draft_id: str, tx: Tx) -> None:
        """Delete a draft whose author is deleted, and release its uploads; without such a draft nothing happens."""
        draft = await self.drafts.take_draft(channel_id, draft_id, tx)
        if draft is not None:
            await self.content.release(draft.content, tx)

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = GroupId(stream_id.removeprefix(_GROUP_PREFIX))
        drafts = await self.drafts.take_drafts(channel_id, CLEANUP_STEP, tx)
        for draft in drafts:
            await self.content.release(draft.content, tx)
        return len(drafts)


def _key_of(draft_id: str) -> PostKey:
    """The idempotency key of the draft's post. Keys of clients have another prefix."""
    key = f"d:{draft_id}"
    return PostKey(key, digest_of(key))


def _log_entry(draft: Draft) -> dict[str, object]:
    at = rfc3339(draft.publish_at) if draft.publish_at else None
    return {"author_id": draft.author_id, "kind": draft.content.kind.value, "publish_at": at}


def _milliseconds_of(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant_of(milliseconds: int) -> datetime:
    # A forged cursor may have any number. It must not cause an error.
    bounded = min(max(milliseconds, 0), 253_402_300_799_000)
    return to_milliseconds(datetime.fromtimestamp(bounded / 1000, UTC))
