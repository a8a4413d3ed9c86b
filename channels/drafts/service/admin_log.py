"""Tells the channel's admin log what one admin did to the draft of another.

Every admin reads the log, also who may not post and so sees no draft. An entry therefore names the draft, whose it was
and its hour, and keeps nothing of what it says.
"""

from dataclasses import dataclass

from channels.drafts.models import Draft
from groups.kernel.actor import Actor
from groups.kernel.clock import rfc3339
from groups.kernel.mongo import Tx
from groups.models import AdminAct, AdminAction, Group
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftAdminLog:
    """What is told of drafts."""

    admin_log: AdminLog
    guard: AccessGuard

    async def record(
        self,
        tx: Tx,
        actor: Actor,
        action: AdminAction,
        group: Group,
        draft: Draft,
        after: Draft | None = None,
    ) -> None:
        """Tell it in this transaction; nothing where the draft was the actor's own."""
        if draft.author_id != actor.user_id:
            then = _entry(after) if after is not None else {}
            act = AdminAct(actor, action, draft.draft_id, _entry(draft), then)
            await self.admin_log.record(tx, group, act)

    async def record_published(self, tx: Tx, actor: Actor, draft: Draft) -> None:
        """Tell that the actor published another's draft; one's own costs nothing.

        Raises: GroupNotFound.
        """
        if draft.author_id != actor.user_id:
            access = await self.guard.access_of(actor, draft.channel_id, tx)
            await self.record(tx, actor, AdminAction.DRAFT_PUBLISHED, access.group, draft)


def _entry(draft: Draft) -> dict[str, object]:
    at = rfc3339(draft.publish_at) if draft.publish_at else None
    return {"author_id": draft.author_id, "kind": draft.content.kind.value, "publish_at": at}
