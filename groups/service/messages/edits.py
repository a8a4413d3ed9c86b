"""What becomes of a message that is there: edited, recalled.

A recalled message loses its content and keeps its seq. Message, list preview, uploads, admin log (of what is done to
another's post) and event change in one transaction.
"""

from collections.abc import Mapping

from groups import policy
from groups.errors import MessageRecalled
from groups.events import MessageEdited
from groups.events import MessageRecalled as MessageRecalledEvent
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import AdminAct, AdminAction, Content, Group, Message, post_id_of, stream_of
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog, content_for_log
from groups.service.messages.service import Posted
from groups.service.messages.stream import StreamService
from groups.service.write_locks import message_change_locks


class EditService:
    """Changes of messages in groups."""

    def __init__(
        self,
        database: Database,
        streams: StreamService,
        guard: AccessGuard,
        admin_log: AdminLog,
        limits: GroupLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._streams = streams
        self._guard = guard
        self._admin_log = admin_log
        self._limits = limits
        self._clock = clock

    async def edit(self, actor: Actor, group_id: GroupId, seq: int, content: Content) -> Posted:
        """Replace a message's content; the same content again changes nothing.

        Publishes: MessageEdited. Raises: GroupNotFound; MessageNotFound; MessageRecalled; FieldTooLong; and whatever
        would refuse a post.
        """
        self._streams.check_bounds(content)

        async def work(tx: Tx) -> Posted:
            access, message = await self._guard.find_message(actor, group_id, seq, tx)
            now = self._clock.now()
            refusal = policy.editing_refusal(access, message, now)
            if refusal is not None:
                raise refusal
            if message.recalled_at is not None:
                raise MessageRecalled
            new = await self._streams.described(actor, message, content, tx)
            if message.content == new:
                return Posted(message, access)
            edited = message.model_copy(update={"content": new, "edited_at": now})
            media_limit = self._limits.channel_media_bytes
            await self._streams.replace(message, edited, now, tx, media_limit=media_limit)
            group = access.group
            await self._note(
                tx, actor, AdminAction.POST_EDITED, group, message, content_for_log(new)
            )
            tx.publish(
                MessageEdited(
                    at=now, group_id=group_id, is_channel=group.is_channel, message=edited
                )
            )
            return Posted(edited, access)

        return await self._database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def recall(self, actor: Actor, group_id: GroupId, seq: int) -> None:
        """Take a message back: its content goes, its seq stays. Recalling twice changes nothing.

        Publishes: MessageRecalled. Raises: GroupNotFound; MessageNotFound; PermissionRefused; RecallTooLate.
        """

        async def work(tx: Tx) -> None:
            access, message = await self._guard.find_message(actor, group_id, seq, tx)
            now = self._clock.now()
            window = self._limits.recall_seconds
            refusal = policy.recalling_refusal(access, message, now, window)
            if refusal is not None:
                raise refusal
            if message.recalled_at is not None:
                return
            recalled = message.model_copy(
                update={"content": None, "recalled_at": now, "pinned_at": None}
            )
            await self._streams.replace(message, recalled, now, tx)
            group = access.group
            await self._note(tx, actor, AdminAction.POST_DELETED, group, message, {})
            tx.publish(
                MessageRecalledEvent(
                    at=now, group_id=group_id, is_channel=group.is_channel, message=recalled
                )
            )

        await self._database.run(work, *message_change_locks(stream_of(group_id), seq))

    async def _note(
        self,
        tx: Tx,
        actor: Actor,
        action: AdminAction,
        group: Group,
        message: Message,
        after: Mapping[str, object],
    ) -> None:
        """Have the admin log tell what was done to another's post."""
        if message.sender_id == actor.user_id:
            return
        before = {"author_id": message.sender_id, **content_for_log(message.content)}
        target = post_id_of(group.group_id, message.seq)
        await self._admin_log.record(tx, group, AdminAct(actor, action, target, before, after))
