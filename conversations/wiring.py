"""Builds conversations on a database: the stores stay inside, the services come out."""

from dataclasses import dataclass
from typing import Final

from conversations.limits import ConversationLimits
from conversations.service.blocks import BlockService
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.conversation_list import Inbox
from conversations.service.dialogue_edits import DialogueChanges
from conversations.service.dialogue_summaries import DialogueCards
from conversations.service.dialogues import DialogueService
from conversations.service.forward_sources import DialogueSources
from conversations.service.guard import ConversationAccess
from conversations.service.hooks import ConversationHooks
from conversations.service.inbox_threads import ThreadService
from conversations.service.read_cursors import CursorService
from conversations.service.settings import SettingsService
from conversations.service.write_permission import DialogueAdmission
from conversations.store import INDEXES
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import OverlayStore
from conversations.store.threads import ThreadStore
from groups.kernel.clock import Clock
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.limits import GroupLimits
from groups.wiring import GroupChat

CONVERSATION_INDEXES: Final[tuple[Index, ...]] = INDEXES


@dataclass(frozen=True, slots=True)
class Conversations:
    """The services of conversations on one database; whoever assembles them adds `hooks` to those of the groups."""

    inbox: Inbox
    cursors: CursorService
    settings: SettingsService
    conversation_groups: ConversationGroupService
    admission: DialogueAdmission
    dialogues: DialogueService
    changes: DialogueChanges
    sources: DialogueSources
    threads: ThreadService
    blocks: BlockService
    hooks: ConversationHooks

    async def close(self) -> None:
        """Let every submitted read and message end."""
        await self.cursors.close()
        await self.dialogues.close()


def assemble(
    database: Database,
    chat: GroupChat,
    limits: ConversationLimits,
    group_limits: GroupLimits,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> Conversations:
    """Conversations on this database; `on_batch` hears of every group-commit batch."""
    overlays, groups = OverlayStore(database), ConversationGroupStore(database)
    threads, blocks = ThreadStore(database), BlockStore(database)
    totals = InboxTotalStore(database)
    memberships, streams = chat.memberships, chat.streams
    access = ConversationAccess(memberships, overlays)
    cards = DialogueCards(memberships, streams, chat.users)
    inbox = Inbox(memberships, cards, access, overlays, groups)
    hooks = ConversationHooks(overlays)
    admission = DialogueAdmission(streams, overlays, blocks, groups, limits)
    dialogues = DialogueService(
        database,
        streams,
        chat.forwards,
        overlays,
        threads,
        totals,
        admission,
        on_batch=on_batch,
    )
    return Conversations(
        inbox=inbox,
        cursors=CursorService(
            database, memberships, access, overlays, groups, clock, on_batch=on_batch
        ),
        settings=SettingsService(database, access, inbox, overlays, hooks, clock),
        conversation_groups=ConversationGroupService(
            database, access, inbox, overlays, groups, limits, clock
        ),
        admission=admission,
        dialogues=dialogues,
        changes=DialogueChanges(database, streams, dialogues, admission, group_limits, clock),
        sources=DialogueSources(streams, admission),
        threads=ThreadService(database, streams, threads, totals, overlays, admission, clock),
        blocks=BlockService(database, blocks, limits, clock),
        hooks=hooks,
    )
