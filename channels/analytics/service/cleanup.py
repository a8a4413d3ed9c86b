"""Deletes what analytics keeps about a channel whose stream has ended (hooks of `groups`)."""

from dataclasses import dataclass
from typing import Final

from channels.analytics.store.days import DayStore
from channels.analytics.store.views import ViewStore
from conversations.models import ConversationId, group_of
from groups.kernel.ids import StreamId
from groups.kernel.mongo import Tx

STEP: Final = 1_000  # documents a transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalyticsCleanup:
    """Deletes views first, then days: a batch that counts views on a day has also written one of the views."""

    views: ViewStore
    days: DayStore

    async def delete_views(self, stream_id: StreamId, tx: Tx) -> int:
        return await self.views.delete_some(stream_id, STEP, tx)

    async def delete_days(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = group_of(ConversationId(stream_id))
        return 0 if channel_id is None else await self.days.delete_some(channel_id, STEP, tx)
