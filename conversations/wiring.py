"""Builds conversations on a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conversations.limits import ConversationLimits
from conversations.service.blocks import BlockService
from conversations.service.changes import ConversationChangeReader
from conversations.service.conversation_groups import ConversationGroupService
from conversations.service.conversation_list import ConversationListService
from conversations.service.dialogue_edits import DialogueEdits
from conversations.service.dialogue_endings import DialogueEndings
from conversations.service.dialogues import DialogueService, UserWroteHook
from conversations.service.forward_sources import ForwardSources
from conversations.service.guard import ConversationGuard
from conversations.service.hooks import ConversationHooks, MutedHook
from conversations.service.inbox_rules import InboxRules
from conversations.service.inbox_threads import ThreadService
from conversations.service.list_reader import ConversationListReader
from conversations.service.notification_settings import NotificationSettings
from conversations.service.read_cursors import ReadCursorService
from conversations.service.settings import SettingsService
from conversations.service.thread_tags import ThreadTagService
from conversations.service.write_permission import WritePermission
from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.inbox_tags import InboxTagStore
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.limits import GroupLimits
from groups.service.hooks import DeleteOfStream
from groups.wiring import GroupChat, GroupCore

CONVERSATION_INDEXES: Final[tuple[Index, ...]] = (
    *ConversationSettingsStore.INDEXES,
    *ConversationGroupStore.INDEXES,
    *ThreadStore.INDEXES,
    *InboxTotalStore.INDEXES,
    *InboxTagStore.INDEXES,
    *BlockStore.INDEXES,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationCore:
    """The objects behind the hooks of group chat, and the stores that they need."""

    settings: ConversationSettingsStore
    conversation_groups: ConversationGroupStore
    thread_store: ThreadStore
    blocks: BlockStore
    totals: InboxTotalStore
    tags: InboxTagStore
    write_permission: WritePermission
    hooks: ConversationHooks
    forward_sources: ForwardSources
    threads: ThreadService
    endings: DialogueEndings


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversations:
    """The services of conversations on one database."""

    conversation_list: ConversationListService
    changes: ConversationChangeReader
    read_cursors: ReadCursorService
    settings: SettingsService
    conversation_groups: ConversationGroupService
    write_permission: WritePermission
    dialogues: DialogueService
    dialogue_edits: DialogueEdits
    threads: ThreadService
    thread_tags: ThreadTagService
    blocks: BlockService
    notification_settings: NotificationSettings

    async def close(self) -> None:
        await self.read_cursors.close()
        await self.dialogues.close()


def build_core(
    groups: GroupCore,
    limits: ConversationLimits,
    inbox_rules: InboxRules,
    *,
    muted: Sequence[MutedHook] = (),
    delete_of_stream: Sequence[DeleteOfStream] = (),
) -> ConversationCore:
    """Build the objects behind the hooks of group chat. The arguments after `limits` come from packages above."""
    database, streams, clock = groups.database, groups.streams, groups.clock
    settings = ConversationSettingsStore(database, groups.membership_reader.hold)
    own_groups = ConversationGroupStore(database)
    threads, blocks = ThreadStore(database), BlockStore(database)
    totals, tags = InboxTotalStore(database), InboxTagStore(database)
    permission = WritePermission(
        database=database,
        streams=streams,
        settings=settings,
        blocks=blocks,
        groups=own_groups,
        threads=threads,
        limits=limits,
        is_business=groups.accounts.is_business,
        restrictions=groups.restrictions,
        inbox_rules=inbox_rules,
    )
    return ConversationCore(
        settings=settings,
        conversation_groups=own_groups,
        thread_store=threads,
        blocks=blocks,
        totals=totals,
        tags=tags,
        write_permission=permission,
        hooks=ConversationHooks(settings=settings, muted=muted),
        forward_sources=ForwardSources(streams=streams, permission=permission),
        threads=ThreadService(
            database=database,
            streams=streams,
            threads=threads,
            totals=totals,
            tags=tags,
            settings=settings,
            write_permission=permission,
            departures=groups.departures,
            clock=clock,
            delete_of_stream=delete_of_stream,
        ),
        endings=DialogueEndings(
            database=database,
            streams=streams,
            threads=threads,
            totals=totals,
            tags=tags,
            settings=settings,
            clock=clock,
            delete_of_stream=delete_of_stream,
        ),
    )


def assemble(
    database: Database,
    core: ConversationCore,
    chat: GroupChat,
    limits: ConversationLimits,
    group_limits: GroupLimits,
    clock: Clock,
    *,
    user_wrote: UserWroteHook | None = None,
    on_batch: OnBatch | None = None,
) -> Conversations:
    """Build conversations on this database; `on_batch` is called with every group-commit batch."""
    settings, groups = core.settings, core.conversation_groups
    reader, streams = chat.membership_reader, chat.streams
    guard = ConversationGuard(membership_reader=reader, settings=settings)
    conversation_list = ConversationListService(
        membership_reader=reader,
        guard=guard,
        reader=ConversationListReader(
            database=database,
            membership_reader=reader,
            users=chat.users,
            settings=settings,
            guard=guard,
        ),
        settings=settings,
        groups=groups,
        clock=clock,
    )
    dialogues = DialogueService(
        database=database,
        streams=streams,
        forwards=chat.forwards,
        settings=settings,
        threads=core.thread_store,
        totals=core.totals,
        permission=core.write_permission,
        user_wrote=user_wrote,
        on_batch=on_batch,
    )
    return Conversations(
        conversation_list=conversation_list,
        changes=ConversationChangeReader(
            database=database,
            changes=chat.changes,
            memberships=reader,
            users=chat.users,
            restrictions=chat.restrictions,
            settings=settings,
            groups=groups,
            clock=clock,
        ),
        read_cursors=ReadCursorService(
            database=database,
            membership_reader=reader,
            guard=guard,
            settings=settings,
            groups=groups,
            clock=clock,
            on_batch=on_batch,
        ),
        settings=SettingsService(
            database=database,
            guard=guard,
            conversation_list=conversation_list,
            settings=settings,
            threads=core.thread_store,
            permission=core.write_permission,
            membership_reader=reader,
            hooks=core.hooks,
            clock=clock,
        ),
        conversation_groups=ConversationGroupService(
            database=database,
            guard=guard,
            conversation_list=conversation_list,
            settings=settings,
            groups=groups,
            limits=limits,
            clock=clock,
        ),
        write_permission=core.write_permission,
        dialogues=dialogues,
        dialogue_edits=DialogueEdits(
            streams=streams,
            dialogues=dialogues,
            permission=core.write_permission,
            limits=group_limits,
            clock=clock,
        ),
        threads=core.threads,
        thread_tags=ThreadTagService(
            database=database,
            streams=streams,
            threads=core.thread_store,
            tags=core.tags,
            write_permission=core.write_permission,
            limits=limits,
            clock=clock,
        ),
        blocks=BlockService(
            database=database,
            blocks=core.blocks,
            threads=core.thread_store,
            limits=limits,
            clock=clock,
        ),
        notification_settings=NotificationSettings(database=database, settings=settings),
    )
