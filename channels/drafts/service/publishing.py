"""Publishing a draft: it is taken out of its place and posted, in one transaction, once, whoever tries.

A hand publishes at once; the scheduler publishes what is due.
"""

from datetime import datetime

from channels.drafts.errors import DraftNotFound
from channels.drafts.service.admin_log import DraftTelling
from channels.drafts.store import DraftStore
from channels.errors import channel_errors
from channels.service.profiles import ProfileCache
from groups.kernel.actor import Actor
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.service.messages.posting import LoadedContent, PostKey, digest_of
from groups.service.messages.service import MessageService, VisibleMessage


class DraftPublishing:
    """Posts drafts."""

    def __init__(
        self,
        drafts: DraftStore,
        extras: ProfileCache,
        messages: MessageService,
        telling: DraftTelling,
    ) -> None:
        self._drafts = drafts
        self._extras = extras
        self._messages = messages
        self._telling = telling

    async def publish(self, actor: Actor, channel_id: GroupId, draft_id: str) -> VisibleMessage:
        """Post the draft now, in the actor's name; doing it again answers the same post.

        Publishes: MessagePosted. Raises: ChannelNotFound; DraftNotFound; PostingNotAllowed; Muted; Banned;
        RateLimited.
        """
        await self._extras.get(channel_id)
        with channel_errors():
            posted, _ = await self.post(actor, channel_id, draft_id)
            return posted

    async def post(
        self, actor: Actor, channel_id: GroupId, draft_id: str, *, due_by: datetime | None = None
    ) -> tuple[VisibleMessage, bool]:
        """As `publish`, in the words of groups; only if it is due by then, where that is asked.

        Also whether this call took the draft; else the post was there already.
        """
        took = False

        async def take(tx: Tx) -> LoadedContent:
            nonlocal took
            draft = await self._drafts.take(channel_id, draft_id, tx, due_by=due_by)
            if draft is None:
                raise DraftNotFound
            took = True
            await self._telling.tell_published(tx, actor, draft)
            return LoadedContent(
                draft.content, draft.silent, draft.origin, are_uploads_counted=True
            )

        # The key lets a repeat by the same actor find the post; that there is one only is the taking's doing.
        key = key_of(draft_id)
        posted = await self._messages.post_loaded(actor, channel_id, take, key=key)
        return posted, took


def key_of(draft_id: str) -> PostKey:
    """The key under which the draft's post is found; a caller's own keys begin otherwise."""
    key = f"d:{draft_id}"
    return PostKey(key, digest_of(key))
