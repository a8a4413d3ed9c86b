"""Builds conversations on a database: the stores stay inside, the services come out."""

from dataclasses import dataclass
from typing import Final

from conversations.limits import ConversationLimits
from conversations.service.blocks import BlockService
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.conversation_list import ConversationListService
from conversations.service.dialogue_edits import DialogueEdits
from conversations.service.dialogue_summaries import DialogueSummaries
from conversations.service.dialogues import DialogueService
from conversations.service.forward_sources import ForwardSources
from conversations.service.guard import ConversationGuard
from conversations.service.hooks import ConversationHooks
from conversations.service.inbox_threads import ThreadService
from conversations.service.read_cursors import ReadCursorService
from conversations.service.settings import SettingsService
from conversations.service.write_permission import WritePermission
from conversations.store import INDEXES
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
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

    inbox: ConversationListService
    cursors: ReadCursorService
    settings: SettingsService
    conversation_groups: ConversationGroupService
    admission: WritePermission
    dialogues: DialogueService
    changes: DialogueEdits
    sources: ForwardSources
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
    overlays, groups = ConversationSettingsStore(database), ConversationGroupStore(database)
    threads, blocks = ThreadStore(database), BlockStore(database)
    totals = InboxTotalStore(database)
    memberships, streams = chat.memberships, chat.streams
    guard = ConversationGuard(memberships, overlays)
    cards = DialogueSummaries(memberships, streams, chat.users)
    inbox = ConversationListService(memberships, cards, guard, overlays, groups)
    hooks = ConversationHooks(overlays)
    admission = WritePermission(streams, overlays, blocks, groups, limits)
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
        cursors=ReadCursorService(
            database, memberships, guard, overlays, groups, clock, on_batch=on_batch
        ),
        settings=SettingsService(database, guard, inbox, overlays, hooks, clock),
        conversation_groups=ConversationGroupService(
            database, guard, inbox, overlays, groups, limits, clock
        ),
        admission=admission,
        dialogues=dialogues,
        changes=DialogueEdits(
            streams=streams,
            dialogues=dialogues,
            permission=admission,
            limits=group_limits,
            clock=clock,
        ),
        sources=ForwardSources(streams=streams, permission=admission),
        threads=ThreadService(database, streams, threads, totals, overlays, admission, clock),
        blocks=BlockService(database, blocks, limits, clock),
        hooks=hooks,
    )
