"""The hooks of conversations in the transactions of groups (`groups.service.hooks`)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from conversations.models import ConversationId, conversation_of
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import Tx

MutedHook = Callable[[ConversationId, UserId, int, Tx], Awaitable[None]]
"""Called with the change of the number of users who have muted the conversation, and one of these users."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationHooks:
    """Follows memberships and posts, inside their transactions; `muted` are the hooks of packages above."""

    settings: ConversationSettingsStore
    muted: Sequence[MutedHook] = ()

    async def muted_changed(
        self, conversation_id: ConversationId, user_id: UserId, more: int, tx: Tx
    ) -> None:
        for hook in self.muted:
            await hook(conversation_id, user_id, more, tx)

    async def members_left(self, group_id: GroupId, user_ids: Sequence[UserId], tx: Tx) -> None:
        """Delete the settings of the members who left: a user who joins again starts with the defaults."""
        conversation_id = conversation_of(group_id)
        muted = await self.settings.delete_settings(conversation_id, user_ids, tx)
        if muted:
            await self.muted_changed(conversation_id, user_ids[0], -muted, tx)

    async def read_cursor(self, user_id: UserId, stream_id: StreamId) -> int:
        """Return the last message of the group that the member has read, as far as stored; 0 if nothing is."""
        conversation_id = ConversationId(stream_id)
        stored = await self.settings.find_settings(user_id, [conversation_id])
        return stored[conversation_id].read_seq if conversation_id in stored else 0

    async def messages_posted(self, newest: Sequence[tuple[UserId, StreamId, int]], tx: Tx) -> None:
        """Move the cursor of each author to their newest message: writing counts as reading."""
        self.settings.write_read_cursors(
            [((user_id, ConversationId(stream_id)), seq) for user_id, stream_id, seq in newest], tx
        )
