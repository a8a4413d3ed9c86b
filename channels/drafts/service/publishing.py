"""Publishes a draft once: one transaction removes it and posts it.

Users publish a draft immediately; the scheduler publishes drafts that are due.
"""

from dataclasses import dataclass
from datetime import datetime

from channels.drafts.errors import DraftNotFound
from channels.drafts.service.admin_log import DraftAdminLog
from channels.drafts.store import DraftStore
from channels.errors import in_words_of_channels
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.service.messages.batch import Prepared
from groups.service.messages.service import MessageService, Posted


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftPublishing:
    """Publishes drafts."""

    drafts: DraftStore
    profiles: ProfileCache
    messages: MessageService
    admin_log: DraftAdminLog

    async def publish(self, actor: Actor, channel_id: GroupId, draft_id: str) -> Posted:
        """Publish the draft now, in the actor's name. Repeating it returns the same post.

        Publishes: MessagePosted.
        """
        await self.profiles.get(channel_id)
        with in_words_of_channels():
            posted, _ = await self.post(actor, channel_id, draft_id)
            return posted

    async def post(
        self, actor: Actor, channel_id: GroupId, draft_id: str, *, due_by: datetime | None = None
    ) -> tuple[Posted, bool]:
        """Publish the draft, with `due_by` only if it is due by then. Raises errors of groups, not of channels.

        Returns the post, and False if it existed already.
        """
        took = False

        async def take(tx: Tx) -> Prepared:
            nonlocal took
            draft = await self.drafts.take_draft(channel_id, draft_id, tx, due_by=due_by)
            if draft is None:
                raise DraftNotFound
            took = True
            await self.admin_log.record_published(tx, actor, draft)
            return Prepared(draft.content, draft.silent, draft.origin, are_uploads_counted=True)

        # The key lets a repeat by the same actor find the post. Removing the draft makes sure that there is only one.
        key = key_of(draft_id)
        posted = await self.messages.post_taken(actor, channel_id, take, key=key, said=key)
        return posted, took


def key_of(draft_id: str) -> str:
    """Return the idempotency key of the draft's post. Keys of clients have another prefix."""
    return f"d:{draft_id}"
