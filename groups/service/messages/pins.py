"""Pins messages, and freezes their reactions and comments.

All are marks on the message, so reading a page of messages costs no extra query. The pins are also listed in the
stream's document, which makes their limit exact: two pins at once write the same document, so one of them runs again
and sees the other. A post writes that document too, and runs again when it meets a pin or a freeze, which are rare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from groups import policy
from groups.errors import GroupNotFound, MessageRecalled, PinLimitReached
from groups.events import MessageEdited
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import AccessContext, AdminAct, AdminAction, Message, post_id_of, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.hooks import ReactionsClosedHook
from groups.service.messages.service import VisibleMessage
from groups.service.messages.stream_changes import StreamChanges
from groups.service.write_locks import message_change_locks
from groups.store.messages import MessageStore
from groups.store.streams import StreamStore


@dataclass(frozen=True, slots=True)
class PinnedMessages:
    """The pinned messages, the newest pin first, as the reader may see them."""

    messages: Sequence[Message]
    access: AccessContext


@dataclass(frozen=True, slots=True, kw_only=True)
class PinService:
    """Marks on the messages of groups."""

    database: Database
    streams: StreamStore
    changes: StreamChanges
    messages: MessageStore
    guard: AccessGuard
    admin_log: AdminLog
    limits: GroupLimits
    clock: Clock
    reactions_closed: Sequence[ReactionsClosedHook] = ()

    async def pin(self, actor: Actor, group_id: GroupId, seq: int) -> VisibleMessage:
        """Pin a message; a pinned one keeps its place among the pins. Publishes: MessageEdited."""

        async def work(tx: Tx) -> VisibleMessage:
            access, message = await self.guard.find_message(actor, group_id, seq, tx)
            policy.check(policy.pinning_refusal(access, message))
            if message.recalled_at is not None:
                raise MessageRecalled
            if message.pinned_at is not None:
                return VisibleMessage(message, access)
            pins = await self.streams.list_pins(message.stream_id, tx)
            if pins is None:
                raise GroupNotFound
            if len(pins) >= self.limits.pinned_messages:
                raise PinLimitReached(limit=self.limits.pinned_messages)
            pinned = message.model_copy(update={"pinned_at": self.clock.now()})
            return await self._change(message, pinned, access, actor, AdminAction.POST_PINNED, tx)

        return await self.database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def unpin(self, actor: Actor, group_id: GroupId, seq: int) -> None:
        """Unpin a message; one that is not pinned stays as it is. Publishes: MessageEdited."""

        async def work(tx: Tx) -> None:
            access, message = await self.guard.find_message(actor, group_id, seq, tx)
            policy.check(policy.pinning_refusal(access, message))
            if message.pinned_at is None:
                return
            unpinned = message.model_copy(update={"pinned_at": None})
            await self._change(message, unpinned, access, actor, AdminAction.POST_UNPINNED, tx)

        await self.database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def list_pins(self, actor: Actor, group_id: GroupId) -> PinnedMessages:
        """All pinned messages, the newest pin first; they are few."""
        access = await self.guard.read_access_of(actor, group_id)
        stream_id = access.group.stream_id
        floor = policy.history_floor(access)
        pins = await self.streams.list_pins(stream_id) or []
        seqs = [seq for seq in reversed(pins) if seq > floor]
        found = await self.messages.find_some(stream_id, seqs) if seqs else {}
        # A message that was unpinned between the two reads is left out.
        messages = [found[seq] for seq in seqs if seq in found and found[seq].pinned_at]
        return PinnedMessages(messages, access)

    async def freeze_reactions(
        self, actor: Actor, group_id: GroupId, seq: int, *, frozen: bool
    ) -> VisibleMessage:
        """Stop new reactions to the message, or allow them; existing ones may be removed. Publishes: MessageEdited."""

        async def work(tx: Tx) -> VisibleMessage:
            access, message = await self.guard.find_message(actor, group_id, seq, tx)
            policy.check(policy.freezing_refusal(access, message))
            if message.recalled_at is not None:
                raise MessageRecalled
            if message.reactions_frozen == frozen:
                return VisibleMessage(message, access)
            changed = message.model_copy(update={"reactions_frozen": frozen})
            if frozen:
                # A reaction under way is committed before the freeze or sees it.
                for hook in self.reactions_closed:
                    await hook(message.stream_id, seq, tx)
            action = AdminAction.REACTIONS_FROZEN if frozen else AdminAction.REACTIONS_UNFROZEN
            return await self._change(message, changed, access, actor, action, tx)

        return await self.database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def freeze_comments(
        self, actor: Actor, group_id: GroupId, seq: int, *, frozen: bool
    ) -> VisibleMessage:
        """Stop new comments on the message, or allow them; existing ones stay. Publishes: MessageEdited.

        A comment writes the message, so one under way is committed before, or sees it.
        """

        async def work(tx: Tx) -> VisibleMessage:
            access, message = await self.guard.find_message(actor, group_id, seq, tx)
            policy.check(policy.freezing_refusal(access, message))
            if message.recalled_at is not None:
                raise MessageRecalled
            if message.comments_frozen == frozen:
                return VisibleMessage(message, access)
            changed = message.model_copy(update={"comments_frozen": frozen})
            action = AdminAction.COMMENTS_FROZEN if frozen else AdminAction.COMMENTS_UNFROZEN
            return await self._change(message, changed, access, actor, action, tx)

        return await self.database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def _change(
        self,
        before: Message,
        message: Message,
        access: AccessContext,
        actor: Actor,
        action: AdminAction,
        tx: Tx,
    ) -> VisibleMessage:
        group, now = access.group, self.clock.now()
        message = await self.changes.record(before, message, now, tx)
        await self.messages.set_marks(message, tx)
        act = AdminAct(actor, action, post_id_of(group.group_id, message.seq))
        await self.admin_log.record(tx, group, act)
        tx.publish(
            MessageEdited(
                at=now, group_id=group.group_id, is_channel=group.is_channel, message=message
            )
        )
        return VisibleMessage(message, access)
