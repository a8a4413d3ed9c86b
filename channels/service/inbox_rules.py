"""The rules of channels as one-to-one messages ask for them (`conversations.service.inbox_rules`).

Everything is read in the transaction that stores the message: what an admin changed is in force for all that is sent
after he was answered.
"""

from collections.abc import Collection, Mapping

from channels import policy
from channels.store import ChannelStore
from conversations.errors import ConversationNotFound
from conversations.models import Said
from conversations.service.inbox_rules import Writer
from groups.errors import GroupNotFound
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction
from groups.service.access.bulk import GroupLookup
from groups.service.access.guard import Access
from groups.service.admin_log import AdminLog


class ChannelDesk:
    """Who writes to channels, who answers for them, who hears of both."""

    def __init__(
        self,
        channels: ChannelStore,
        lookup: GroupLookup,
        access: Access,
        admin_log: AdminLog,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._lookup = lookup
        self._access = access
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
        standings = await self._lookup.standings(actors, channel_id, tx)
        now = self._clock.now()
        found: dict[Writer, DomainError | None] = {}
        for writer in writers:
            standing = standings.get(writer.actor)
            if standing is None:
                found[writer] = ConversationNotFound()
            elif writer.is_for_channel:
                found[writer] = policy.inbox_refusal(standing)
            else:
                found[writer] = policy.writing_refusal(standing, extras.accept_messages, now)
        return found

    async def staff(self, channel_id: GroupId, tx: Tx) -> tuple[UserId, ...]:
        """Who reads the channel's inbox: of its owner and admins, those who hold the right."""
        return tuple(
            standing.member.user_id
            for standing in await self._lookup.staff(channel_id, tx)
            if standing.member is not None and policy.inbox_refusal(standing) is None
        )

    async def may_forward(self, channel_id: GroupId, tx: Tx) -> bool:
        """Whether what the channel says may be forwarded: in private as in its posts (`protect_content`)."""
        extras = await self._channels.find(channel_id, tx)
        return extras is not None and not extras.protect_content

    async def tell_change(self, actor: Actor, channel_id: GroupId, said: Said, tx: Tx) -> None:
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
        standing = (await self._lookup.standings({actor}, channel_id, tx)).get(actor)
        if standing is None:  # gone from him since he was let in
            raise ConversationNotFound
        act = AdminAct(actor, action, said.dialogue.user_id, before)
        await self._admin_log.record(tx, standing.group, act)

    async def check_may_see(self, actor: Actor, channel_id: GroupId) -> None:
        """Refuse who must not know of the channel.

        Raises: ConversationNotFound.
        """
        if await self._channels.find(channel_id) is None:
            raise ConversationNotFound
        try:
            await self._access.standing(actor, channel_id)
        except GroupNotFound:
            raise ConversationNotFound from None
