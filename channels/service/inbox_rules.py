"""The rules of channels as one-to-one messages ask for them (`conversations.service.inbox_rules`).

Everything is read in the transaction that stores the message: what an admin changed is in force for all that is sent
after he was answered.
"""

from collections.abc import Collection, Mapping

from channels import policy
from channels.store import ChannelStore
from conversations.errors import ConversationNotFound
from conversations.models import DialogueMessage
from conversations.service.inbox_rules import Writer
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction
from groups.service.access.bulk import BulkAccess
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog


class ChannelInboxRules:
    """Who writes to channels, who answers for them, who hears of both."""

    def __init__(
        self,
        channels: ChannelStore,
        lookup: BulkAccess,
        guard: AccessGuard,
        admin_log: AdminLog,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._lookup = lookup
        self._guard = guard
        self._admin_log = admin_log
        self._clock = clock

    async def refusals(
        self, channel_id: GroupId, writers: Collection[Writer], tx: Tx
    ) -> Mapping[Writer, DomainError | None]:
        """Why each of them may not write; two commands for any number of them."""
        extras = await self._channels.find(channel_id, tx)
        if extras is None:
            return {writer: ConversationNotFound() for writer in writers}
        actors = {writer.actor for writer in writers}
        accesses = await self._lookup.accesses_of(actors, channel_id, tx)
        now = self._clock.now()
        found: dict[Writer, DomainError | None] = {}
        for writer in writers:
            access = accesses.get(writer.actor)
            if access is None:
                found[writer] = ConversationNotFound()
            elif writer.is_for_channel:
                found[writer] = policy.inbox_refusal(access)
            else:
                found[writer] = policy.writing_refusal(access, extras.accept_messages, now)
        return found

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        """Who reads the channel's inbox: of its owner and admins, those who hold the right."""
        return tuple(
            access.member.user_id
            for access in await self._lookup.staff(channel_id, tx)
            if access.member is not None and policy.inbox_refusal(access) is None
        )

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Whether what the channel says may be forwarded: in private as in its posts (`protect_content`)."""
        extras = await self._channels.find(channel_id, tx)
        return extras is not None and not extras.protect_content

    async def tell_change(
        self, actor: Actor, channel_id: GroupId, said: DialogueMessage, tx: Tx
    ) -> None:
        """Tell in the admin log what was done to another admin's answer; his own is his own affair.

        Every admin reads the log, also who may not read the inbox: it names the user and the message, and keeps nothing
        of what was said.
        """
        message = said.message
        if message.author_id == actor.user_id:
            return
        is_gone = message.recalled_at is not None
        action = AdminAction.ANSWER_DELETED if is_gone else AdminAction.ANSWER_EDITED
        before = {"author_id": message.author_id, "seq": message.seq}
        access = (await self._lookup.accesses_of({actor}, channel_id, tx)).get(actor)
        if access is None:  # gone from him since he was let in
            raise ConversationNotFound
        act = AdminAct(actor, action, said.dialogue.user_id, before)
        await self._admin_log.record(tx, access.group, act)

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Refuse who must not know of the channel.

        Raises: ConversationNotFound.
        """
        if await self._channels.find(channel_id) is None:
            raise ConversationNotFound
        try:
            await self._guard.access_of(actor, channel_id)
        except GroupNotFound:
            raise ConversationNotFound from None
