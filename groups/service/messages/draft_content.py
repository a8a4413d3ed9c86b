"""Content that is kept now and posted later, as higher packages do with drafts: checked, described, its uploads held.

Kept content is checked as a post is, and its uploads count as used, so that they do not expire. When it is posted the
count passes to the message (`posting.LoadedContent.are_uploads_counted`); when it is dropped, `release` gives it back.
Everything happens inside a caller's transaction.
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
from groups.service.media.service import attached, kept_as_own, media_ids_of
from groups.service.messages.posting import LoadedContent, check_bounds
from groups.store.media import MediaStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """Keeps content for those who may post."""

    media: MediaStore
    guard: AccessGuard
    limits: GroupLimits
    clock: Clock

    async def writing(self, actor: Actor, group_id: GroupId, tx: Tx | None = None) -> AccessContext:
        """The actor before a group in which he may post.

        Raises: GroupNotFound; PostingNotAllowed; Muted; Banned.
        """
        access = await self.guard.access_of(actor, group_id, tx)
        now = self.clock.now()
        refusal = policy.posting_refusal(access, now)
        if refusal is not None:
            raise refusal
        return access

    async def keep(
        self, actor: Actor, content: Content, tx: Tx, *, instead_of: Content | None = None
    ) -> Content:
        """The content with its uploads described and counted, in place of what was kept before.

        The uploads are the actor's own, or were kept before. Raises: InvalidRequest; FieldTooLong; MediaNotFound;
        WrongMediaKind.
        """
        check_bounds(content, self.limits)
        uploads, before = media_ids_of(content), media_ids_of(instead_of)
        known = await self.media.find_many(uploads, tx) if uploads else {}
        described = attached(actor, content, kept_as_own(actor, known, before))
        await self.media.use(uploads, tx)
        await self.media.release(before, self.clock.now(), tx)
        return described

    async def keep_copy(
        self, copy: LoadedContent, tx: Tx, *, instead_of: Content | None = None
    ) -> None:
        """Count the uploads of a forwarded message's copy as used, in place of what was kept before."""
        await self.media.use(media_ids_of(copy.content), tx)
        await self.media.release(media_ids_of(instead_of), self.clock.now(), tx)

    async def release(self, content: Content, tx: Tx) -> None:
        """Give back the uploads of what is dropped."""
        await self.media.release(media_ids_of(content), self.clock.now(), tx)
