"""Publishes a draft once: one transaction removes it and posts it.

Users publish a draft immediately; the scheduler publishes drafts that are due.
"""

from dataclasses import dataclass
from datetime import datetime

from channels.drafts.errors import DraftNotFound
from channels.drafts.service.admin_log import DraftAdminLog
from channels.drafts.store import DraftStore
from channels.service.guard import ChannelGuard
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.service.messages.posting import LoadedContent, PostKey, digest_of
from groups.service.messages.service import MessageService, VisibleMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftPublishing:
    """Publishes drafts."""

    drafts: DraftStore
    channel: ChannelGuard
    messages: MessageService
    admin_log: DraftAdminLog

    async def publish(self, actor: Actor, channel_id: GroupId, draft_id: str) -> VisibleMessage:
        """Publish the draft now, in the actor's name. Repeating it returns the same post.

        Publishes: MessagePosted.
        """
        async with self.channel(channel_id):
            posted, _ = await self.post(actor, channel_id, draft_id)
            return posted

    async def post(
        self, actor: Actor, channel_id: GroupId, draft_id: str, *, due_by: datetime | None = None
    ) -> tuple[VisibleMessage, bool]:
        """Publish the draft, with `due_by` only if it is due by then. Raises errors of groups, not of channels.

        Returns the post, and False if it existed already.
        """
        took = False

        async def take(tx: Tx) -> LoadedContent:
            nonlocal took
            draft = await self.drafts.take_draft(channel_id, draft_id, tx, due_by=due_by)
            if draft is None:
                raise DraftNotFound
            took = True
            await self.admin_log.record_published(tx, actor, draft)
            return LoadedContent(
                draft.content, draft.silent, draft.origin, are_uploads_counted=True
            )

        # The key lets a repeat by the same actor find the post. Removing the draft makes sure that there is only one.
        key = key_of(draft_id)
        posted = await self.messages.post_loaded(actor, channel_id, take, key=key)
        return posted, took


def key_of(draft_id: str) -> PostKey:
    """The idempotency key of the draft's post. Keys of clients have another prefix."""
    key = f"d:{draft_id}"
    return PostKey(key, digest_of(key))
