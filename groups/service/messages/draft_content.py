"""Content that is stored now and posted later; higher packages keep their drafts with it.

Kept content is checked like a post, and its uploads count as used, so that they do not expire. When it is posted, the
message takes the count over (`posting.LoadedContent.are_uploads_counted`); when it is dropped, `release` gives it back.
All of it happens inside the caller's transaction.
"""

from dataclasses import dataclass

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.limits import GroupLimits
from groups.models import AccessContext, Content
from groups.service.access.guard import AccessGuard
from groups.service.media.service import describe_media, media_ids_of, own_kept_media
from groups.service.messages.posting import LoadedContent, check_bounds
from groups.store.media import MediaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """Checks drafts and counts their uploads."""

    media: MediaStore
    guard: AccessGuard
    limits: GroupLimits
    clock: Clock

    async def check_may_post(
        self, actor: Actor, group_id: GroupId, tx: Tx | None = None
    ) -> AccessContext:
        """The actor's access to a group in which they may post."""
        access = await self.guard.access_of(actor, group_id, tx)
        policy.check(policy.posting_refusal(access, self.clock.now()))
        return access

    async def keep(
        self, actor: Actor, content: Content, tx: Tx, *, instead_of: Content | None = None
    ) -> Content:
        """Count the uploads of the content as used, in place of those kept before; returns it with them described.

        The uploads must be the actor's own, or have been kept before.
        """
        check_bounds(content, self.limits)
        if content.poll is not None:
            policy.check(policy.closing_time_refusal(content.poll, self.clock.now()))
        uploads, before = media_ids_of(content), media_ids_of(instead_of)
        known = await self.media.find_uploads(uploads, tx) if uploads else {}
        described = describe_media(actor, content, own_kept_media(actor, known, before))
        await self.media.use(uploads, tx)
        await self.media.release(before, self.clock.now(), tx)
        return described

    async def keep_copy(
        self, copy: LoadedContent, tx: Tx, *, instead_of: Content | None = None
    ) -> None:
        """Count the uploads of a forwarded message's copy as used, in place of those kept before."""
        await self.media.use(media_ids_of(copy.content), tx)
        await self.media.release(media_ids_of(instead_of), self.clock.now(), tx)

    async def release(self, content: Content, tx: Tx) -> None:
        """Stop counting the uploads of content that is dropped."""
        await self.media.release(media_ids_of(content), self.clock.now(), tx)
