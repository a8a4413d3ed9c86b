"""Canned replies: listed, stored and deleted by the owner, and by admins who may read the inbox.

Promises:
    Exact: the limit holds under any race, since every call that adds one writes the channel's document.
    Ended with the channel: they are deleted when its stream has ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from channels import policy
from channels.canned_replies.errors import CannedReplyLimitReached, CannedReplyNotFound
from channels.canned_replies.models import CannedReply
from channels.canned_replies.store import CannedReplyStore
from channels.errors import ChannelNotFound
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard, InboxGuard
from conversations.models import ConversationId, group_of
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import page_by_text
from groups.models import AdminAct, AdminAction, Group
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.write_locks import group_lock

CLEANUP_STEP: Final = 1_000  # documents a transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class CannedReplyService:
    """The canned replies of channels. The admin log records each change, without the text."""

    database: Database
    replies: CannedReplyStore
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]]
    channel: ChannelGuard
    inbox: InboxGuard
    guard: AccessGuard
    admin_log: AdminLog
    limits: ChannelLimits
    clock: Clock

    async def list_replies(
        self, actor: Actor, channel_id: GroupId, *, limit: int, cursor: str | None
    ) -> tuple[list[CannedReply], str | None]:
        """A page of the channel's canned replies, by name. Raises: PermissionRefused, BadCursor."""
        await self.inbox.check(actor, channel_id)
        read = partial(self.replies.list_after, channel_id)
        return await page_by_text("canned replies", cursor, limit, read, lambda one: one.name)

    async def put(self, actor: Actor, channel_id: GroupId, name: str, text: str) -> CannedReply:
        """Store a canned reply under this name, in place of an earlier one; repeating it changes nothing.

        Raises: PermissionRefused; CannedReplyLimitReached, for a new name.
        """

        async def work(tx: Tx) -> CannedReply:
            group = await self._group(actor, channel_id, tx)
            known = await self.replies.find(channel_id, name, tx)
            if known is not None and known.text == text:
                return known
            if known is None:
                await self._check_limit(channel_id, tx)
            reply = CannedReply(
                channel_id=channel_id,
                name=name,
                text=text,
                changed_at=self.clock.now(),
                changed_by=actor.user_id,
            )
            await self.replies.put(reply, tx)
            await self._record(actor, AdminAction.CANNED_REPLY_CHANGED, group, name, tx)
            return reply

        async with self.channel(channel_id):
            return await self.database.run(work, group_lock(channel_id))

    async def delete(self, actor: Actor, channel_id: GroupId, name: str) -> None:
        """Delete a canned reply. Raises: PermissionRefused, CannedReplyNotFound."""

        async def work(tx: Tx) -> None:
            group = await self._group(actor, channel_id, tx)
            if not await self.replies.delete(channel_id, name, tx):
                raise CannedReplyNotFound
            await self._record(actor, AdminAction.CANNED_REPLY_DELETED, group, name, tx)

        async with self.channel(channel_id):
            await self.database.run(work, group_lock(channel_id))

    async def _group(self, actor: Actor, channel_id: GroupId, tx: Tx) -> Group:
        """The channel's group, if the actor may answer in its inbox."""
        access = await self.guard.access_of(actor, channel_id, tx)
        refusal = policy.inbox_refusal(access)
        if refusal is not None:
            raise refusal
        return access.group

    async def _check_limit(self, channel_id: GroupId, tx: Tx) -> None:
        if not await self.touch_channel(channel_id, tx):
            raise ChannelNotFound
        limit = self.limits.canned_replies
        if await self.replies.count(channel_id, limit, tx) >= limit:
            raise CannedReplyLimitReached(limit=limit)

    async def _record(
        self, actor: Actor, action: AdminAction, group: Group, name: str, tx: Tx
    ) -> None:
        # All admins read the log, also those who may not read the inbox: so without the text.
        await self.admin_log.record(tx, group, AdminAct(actor, action, name))


@dataclass(frozen=True, slots=True)
class CannedReplyCleanup:
    """Deletes the canned replies of a channel whose stream has ended (a hook of `groups`)."""

    replies: CannedReplyStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = group_of(ConversationId(stream_id))
        if channel_id is None:
            return 0
        return await self.replies.delete_some(channel_id, CLEANUP_STEP, tx)
