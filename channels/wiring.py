"""Builds channels on group chat: the store stays inside, the services come out, and hooks and listeners are tied."""

from dataclasses import dataclass
from typing import Final

import channels.canned_replies.wiring as canned_replies
import channels.drafts.wiring as drafting
from channels.canned_replies.service import CannedReplyService
from channels.drafts.wiring import DRAFT_INDEXES, Drafting
from channels.limits import Limits
from channels.policy import CreatePolicy
from channels.service.channels import ChannelEnd, ChannelService
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.guard import ChannelGuard, InboxGuard
from channels.service.inbox_batches import InboxBatches
from channels.service.inbox_rules import ChannelInboxRules
from channels.service.owners import KnownOwners
from channels.service.post_settings import PostSettings
from channels.service.profiles import ProfileCache
from channels.service.subscriptions import Subscriptions
from channels.service.sync import SyncService
from channels.service.timeline import TimelineService
from channels.service.verified_badges import VerifiedBadges
from channels.store import ChannelStore
from conversations.wiring import Conversations
from groups.events import GroupDisbanded, GroupUpdated
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat, GroupCore
from reactions.service.reactions import ReactionService

CHANNEL_INDEXES: Final[tuple[Index, ...]] = (
    *ChannelStore.INDEXES,
    *DRAFT_INDEXES,
    *canned_replies.CANNED_REPLY_INDEXES,
)


@dataclass(frozen=True, slots=True)
class Channels:
    """The services of channels on one database."""

    channels: ChannelService
    channel: ChannelGuard
    drafting: Drafting
    profiles: ProfileCache
    subscriptions: Subscriptions
    sync: SyncService
    verified_badges: VerifiedBadges
    inbox: InboxGuard
    inbox_batches: InboxBatches
    canned_replies: CannedReplyService
    dialogue_reactions: DialogueReactions
    timeline: TimelineService


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelCore:
    """The objects behind the hooks of the packages below, and the store that they read."""

    store: ChannelStore
    profiles: ProfileCache
    post_settings: PostSettings
    known_owners: KnownOwners
    inbox_rules: ChannelInboxRules
    end: ChannelEnd


def build_core(groups: GroupCore, limits: Limits) -> ChannelCore:
    """Build the objects behind the hooks."""
    store = ChannelStore(groups.database)
    profiles = ProfileCache(store)
    return ChannelCore(
        store=store,
        profiles=profiles,
        post_settings=PostSettings(profiles, store, groups.users),
        known_owners=KnownOwners(groups.directory, profiles),
        inbox_rules=ChannelInboxRules(
            store, groups.bulk_access, groups.guard, groups.admin_log, groups.clock
        ),
        end=ChannelEnd(channels=store, limits=limits),
    )


def assemble(
    database: Database,
    core: ChannelCore,
    chat: GroupChat,
    conversations: Conversations,
    reactions: ReactionService,
    bus: EventBus,
    limits: Limits,
    clock: Clock,
    create_policy: CreatePolicy,
    *,
    on_batch: OnBatch | None = None,
) -> Channels:
    """Build channels on this group chat. `on_batch` is called with every group-commit batch."""
    store, profiles = core.store, core.profiles
    channel = ChannelGuard(profiles)
    channels = ChannelService(
        database=database,
        store=store,
        profiles=profiles,
        channel=channel,
        groups=chat.groups,
        creation=chat.creation,
        updates=chat.updates,
        disbanding=chat.disbanding,
        directory=chat.directory,
        idempotency=chat.idempotency,
        blocks=conversations.blocks,
        limits=limits,
        clock=clock,
        create_policy=create_policy,
        on_batch=on_batch,
    )
    dialogue_reactions = DialogueReactions(
        database=database,
        dialogues=conversations.dialogues,
        permission=conversations.write_permission,
        streams=chat.streams,
        engine=reactions.engine,
    )
    inbox = InboxGuard(channel, chat.guard)
    bus.listen(profiles.on_events, GroupUpdated, GroupDisbanded)
    bus.on_resync(profiles.forget_all)
    return Channels(
        channels=channels,
        channel=channel,
        drafting=drafting.assemble(database, chat, bus, channel, store.touch, limits, clock),
        profiles=profiles,
        subscriptions=Subscriptions(
            store=store,
            groups=chat.groups,
            memberships=chat.membership_reader,
            changes=chat.changes,
            limits=limits,
            clock=clock,
        ),
        sync=SyncService(
            store=store,
            changes=conversations.changes,
            invitations=chat.invitations,
            limits=limits,
            clock=clock,
        ),
        verified_badges=VerifiedBadges(
            database=database, store=store, groups=chat.groups, updates=chat.updates
        ),
        inbox=inbox,
        inbox_batches=InboxBatches(dialogues=conversations.dialogues),
        canned_replies=canned_replies.assemble(
            database, chat, channel, inbox, store.touch, limits, clock
        ),
        dialogue_reactions=dialogue_reactions,
        timeline=TimelineService(
            profiles=profiles,
            messages=chat.messages,
            streams=chat.streams,
            dialogues=conversations.dialogues,
            reactions=dialogue_reactions,
        ),
    )
