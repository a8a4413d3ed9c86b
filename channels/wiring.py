"""Builds channels on group chat: first the objects behind the hooks of the packages below, then the services."""

from dataclasses import dataclass
from typing import Final

import channels.drafts.wiring as drafting
from channels.drafts.wiring import DRAFT_INDEXES, Drafting
from channels.limits import Limits
from channels.service.admins import AdminService
from channels.service.channels import ChannelService, CreatePolicy
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.disbanding import ChannelEnd
from channels.service.inbox import ChannelInbox
from channels.service.inbox_rules import ChannelInboxRules
from channels.service.post_settings import PostSettings
from channels.service.posts import PostService
from channels.service.profiles import ProfileCache
from channels.service.subscribers import SubscriberService
from channels.service.subscriptions import Subscriptions
from channels.service.timeline import TimelineService
from channels.service.verification import Verification
from channels.store import ChannelStore
from conversations.wiring import Conversations
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat, GroupCore
from reactions.service.reactions import ReactionService

CHANNEL_INDEXES: Final[tuple[Index, ...]] = (*ChannelStore.INDEXES, *DRAFT_INDEXES)


@dataclass(frozen=True, slots=True)
class Channels:
    """The services of channels on one database."""

    channels: ChannelService
    subscribers: SubscriberService
    running: AdminService
    posts: PostService
    drafting: Drafting
    extras: ProfileCache
    subscriptions: Subscriptions
    verification: Verification
    inbox: ChannelInbox
    dialogue_reactions: DialogueReactions
    timeline: TimelineService


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelCore:
    """The objects behind the hooks of the packages below, and the store that they read."""

    store: ChannelStore
    profiles: ProfileCache
    post_settings: PostSettings
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
        inbox_rules=ChannelInboxRules(
            store, groups.bulk_access, groups.guard, groups.admin_log, groups.clock
        ),
        end=ChannelEnd(channels=store, limits=limits),
    )


def assemble(
    database: Database,
    core: ChannelCore,
    chat: GroupChat,
    talks: Conversations,
    reactions: ReactionService,
    bus: EventBus,
    limits: Limits,
    clock: Clock,
    create_policy: CreatePolicy,
    *,
    on_batch: OnBatch | None = None,
) -> Channels:
    """Channels on this group chat; `on_batch` hears of every group-commit batch."""
    store, extras = core.store, core.profiles
    channels = ChannelService(
        database,
        store,
        extras,
        chat.groups,
        chat.creation,
        chat.updates,
        chat.disbanding,
        chat.directory,
        chat.idempotency,
        limits,
        clock,
        create_policy,
        on_batch=on_batch,
    )
    dialogue_reactions = DialogueReactions(
        database, talks, chat.streams, reactions.ledger, clock, on_batch=on_batch
    )
    bus.listen(extras.on_events)
    bus.on_resync(extras.forget_all)
    return Channels(
        channels=channels,
        subscribers=SubscriberService(extras, chat.membership, chat.imports),
        running=AdminService(extras, chat.membership, chat.invitations, chat.admin_log),
        posts=PostService(extras, chat, reactions),
        drafting=drafting.assemble(database, chat, bus, extras, store.touch, limits, clock),
        extras=extras,
        subscriptions=Subscriptions(
            store, chat.groups, chat.membership_reader, chat.changes, limits, clock
        ),
        verification=Verification(database, store, chat.groups, chat.updates),
        inbox=ChannelInbox(
            extras,
            chat.guard,
            talks.dialogues,
            talks.changes,
            talks.threads,
            dialogue_reactions,
        ),
        dialogue_reactions=dialogue_reactions,
        timeline=TimelineService(
            extras, chat.messages, chat.streams, talks.dialogues, dialogue_reactions
        ),
    )
