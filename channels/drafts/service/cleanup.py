"""Deletes the drafts of a channel whose stream has ended (a hook of `groups`)."""

from dataclasses import dataclass
from typing import Final

from channels.drafts.store import DraftStore
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Tx
from groups.models import stream_of
from groups.service.messages.draft_content import DraftContent

STEP: Final = 20  # drafts a transaction: each may hold ten uploads
_GROUP_PREFIX: Final = stream_of(GroupId(""))


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftCleanup:
    """Deletes drafts and releases their uploads."""

    drafts: DraftStore
    content: DraftContent

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        channel_id = GroupId(stream_id.removeprefix(_GROUP_PREFIX))
        drafts = await self.drafts.take_drafts(channel_id, STEP, tx)
        for draft in drafts:
            await self.content.release(draft.content, tx)
        return len(drafts)
