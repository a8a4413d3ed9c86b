"""Edits and deletions of messages in groups.

A deleted ("recalled") message loses its content and keeps its seq. Message, list preview, uploads, admin log (for the
message of another member) and event change in one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from groups import policy
from groups.events import MessageEdited, MessageRecalled
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import (
    AccessContext,
    AdminAct,
    AdminAction,
    Content,
    Message,
    post_id_of,
    stream_of,
)
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog, content_for_log
from groups.service.messages.service import VisibleMessage
from groups.service.messages.stream import StreamService

Refusal = Callable[[AccessContext, Message, datetime], DomainError | None]


@dataclass(frozen=True, slots=True)
class _Target:
    """A group's message that the actor may change."""

    actor: Actor
    access: AccessContext
    message: Message
    admin_log: AdminLog

    @property
    def takes_buttons(self) -> bool:
        return self.access.group.is_channel

    async def record(self, changed: Message, now: datetime, tx: Tx) -> None:
        group = self.access.group
        is_recalled = changed.recalled_at is not None
        if self.message.sender_id != self.actor.user_id:
            action = AdminAction.POST_DELETED if is_recalled else AdminAction.POST_EDITED
            # Who becomes an admin later reads the log, but not what was written before the group became a channel.
            is_private = changed.seq <= group.private_until_seq
            content = None if is_private else self.message.content
            before = {"author_id": self.message.sender_id, **content_for_log(content)}
            after = content_for_log(changed.content)
            target = post_id_of(group.group_id, changed.seq)
            act = AdminAct(self.actor, action, target, before, after)
            await self.admin_log.record(tx, group, act)
        tx.publish(self.event_of(changed, now))

    def event_of(self, changed: Message, now: datetime) -> MessageEdited | MessageRecalled:
        group = self.access.group
        event = MessageEdited if changed.recalled_at is None else MessageRecalled
        return event(at=now, group_id=group.group_id, is_channel=group.is_channel, message=changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditService:
    """Changes of messages in groups."""

    streams: StreamService
    guard: AccessGuard
    admin_log: AdminLog
    limits: GroupLimits
    clock: Clock

    async def edit(
        self, actor: Actor, group_id: GroupId, seq: int, content: Content
    ) -> VisibleMessage:
        """Replace a message's content; the same content again changes nothing. Publishes: MessageEdited."""
        edited, target = await self.streams.edit(
            actor,
            stream_of(group_id),
            seq,
            content,
            partial(self._open, actor, group_id, seq, policy.editing_refusal),
            media_limit=self.limits.channel_media_bytes,
        )
        return VisibleMessage(edited, target.access)

    async def recall(self, actor: Actor, group_id: GroupId, seq: int) -> None:
        """Delete a message for everyone: its content goes, its seq stays; idempotent. Publishes: MessageRecalled."""
        open_message = partial(self._open_recall, actor, group_id, seq)
        await self.streams.recall(stream_of(group_id), seq, open_message)

    async def recall_in(self, actor: Actor, group_id: GroupId, seq: int, tx: Tx) -> None:
        """As `recall`, in the caller's transaction, which holds the locks of the message's change."""
        open_message = partial(self._open_recall, actor, group_id, seq)
        await self.streams.recall_in(stream_of(group_id), seq, open_message, tx)

    async def _open(
        self, actor: Actor, group_id: GroupId, seq: int, refusal_of: Refusal, tx: Tx
    ) -> _Target:
        access, message = await self.guard.find_message(actor, group_id, seq, tx)
        policy.check(refusal_of(access, message, self.clock.now()))
        return _Target(actor, access, message, self.admin_log)

    async def _open_recall(self, actor: Actor, group_id: GroupId, seq: int, tx: Tx) -> _Target:
        access, message, may_always = await self.guard.find_message_to_recall(
            actor, group_id, seq, tx
        )
        if not may_always:
            window = self.limits.recall_seconds
            policy.check(policy.recalling_refusal(access, message, self.clock.now(), window))
        return _Target(actor, access, message, self.admin_log)
