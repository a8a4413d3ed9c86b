"""Builds conversations on a database: the stores stay inside, the services come out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from conversations.limits import ConversationLimits
from conversations.service.access import ConversationAccess
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.cursors import CursorService
from conversations.service.hooks import ConversationHooks
from conversations.service.inbox import Inbox
from conversations.service.settings import SettingsService
from conversations.store import INDEXES, ConversationGroupStore, OverlayStore
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.service import MembershipReader

CONVERSATION_INDEXES: Final[tuple[Index, ...]] = INDEXES


@dataclass(frozen=True, slots=True)
class Conversations:
    """The services of conversations on one database; whoever assembles them adds `hooks` to those of the groups."""

    inbox: Inbox
    cursors: CursorService
    settings: SettingsService
    conversation_groups: ConversationGroupService
    hooks: ConversationHooks

    async def close(self) -> None:
        """Let every submitted read end."""
        await self.cursors.close()


def assemble(
    database: Database,
    memberships: MembershipReader,
    limits: ConversationLimits,
    clock: Clock,
    *,
    on_batch: Callable[[str, int], None] | None = None,
) -> Conversations:
    """Conversations on this database; `on_batch` hears the size of every group-commit batch."""
    overlays, groups = OverlayStore(database), ConversationGroupStore(database)
    access = ConversationAccess(memberships, overlays)
    inbox = Inbox(memberships, access, overlays, groups)
    return Conversations(
        inbox=inbox,
        cursors=CursorService(
            database, memberships, access, overlays, groups, clock, on_batch=on_batch
        ),
        settings=SettingsService(database, access, inbox, overlays, clock),
        conversation_groups=ConversationGroupService(
            database, access, inbox, overlays, groups, limits, clock
        ),
        hooks=ConversationHooks(overlays),
    )
