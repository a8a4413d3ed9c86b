"""The hooks of conversations in the transactions of groups (`groups.service.hooks`)."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conversations.models import ConversationId, ConversationKey, conversation_of
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.ids import GroupId, StreamId, UserId
from groups.kernel.mongo import BatchedQuery, Tx

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

    def query_leaving(
        self, users: Mapping[GroupId, Collection[UserId]]
    ) -> BatchedQuery[dict[ConversationKey, bool]]:
        """Query the settings of members who may leave; mostly nothing is stored, and then nothing is deleted."""
        return self.settings.query_stored(_keys(users))

    async def members_left(
        self,
        users: Mapping[GroupId, Collection[UserId]],
        stored: Mapping[ConversationKey, bool],
        tx: Tx,
    ) -> None:
        """Delete the settings of the members who left: a user who joins again starts with the defaults."""
        left = [key for key in _keys(users) if key in stored]
        if not left:
            return
        self.settings.delete_stored(left, tx)
        muted: dict[ConversationId, list[UserId]] = {}
        for user_id, conversation_id in left:
            if stored[user_id, conversation_id]:
                muted.setdefault(conversation_id, []).append(user_id)
        for conversation_id, user_ids in muted.items():
            await self.muted_changed(conversation_id, user_ids[0], -len(user_ids), tx)

    def read_cursor(self, user_id: UserId, stream_id: StreamId) -> BatchedQuery[int]:
        """Query the last message of the group that the member has read, as far as stored; 0 if nothing is."""
        return self.settings.query_read_cursor(user_id, ConversationId(stream_id))

    async def messages_posted(self, read: Sequence[tuple[UserId, StreamId, int]], tx: Tx) -> None:
        """Store how far authors have read, which their streams do not tell any more: writing counts as reading."""
        self.settings.write_read_cursors(
            [((user_id, ConversationId(stream_id)), seq) for user_id, stream_id, seq in read], tx
        )


def _keys(users: Mapping[GroupId, Collection[UserId]]) -> Iterator[ConversationKey]:
    for group_id, user_ids in users.items():
        conversation_id = conversation_of(group_id)
        for user_id in user_ids:
            yield user_id, conversation_id
