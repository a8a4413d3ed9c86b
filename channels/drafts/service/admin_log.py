"""Records in the channel's admin log what an admin did to another admin's draft.

Admins who may not post can read the log but not the drafts. So an entry names the draft, its author, the kind of
content and its `publish_at`, but does not contain its text.
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
    """Records changes of drafts."""

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
        """Record the action in this transaction, unless the draft was the actor's own."""
        if draft.author_id != actor.user_id:
            then = _entry(after) if after is not None else {}
            act = AdminAct(actor, action, draft.draft_id, _entry(draft), then)
            await self.admin_log.record(tx, group, act)

    async def record_published(self, tx: Tx, actor: Actor, draft: Draft) -> None:
        """Record that the actor published another user's draft. Their own draft costs no query."""
        if draft.author_id != actor.user_id:
            access = await self.guard.access_of(actor, draft.channel_id, tx)
            await self.record(tx, actor, AdminAction.DRAFT_PUBLISHED, access.group, draft)


def _entry(draft: Draft) -> dict[str, object]:
    at = rfc3339(draft.publish_at) if draft.publish_at else None
    return {"author_id": draft.author_id, "kind": draft.content.kind.value, "publish_at": at}
