"""Builds channels on group chat: the store stays inside, the services come out, and hooks and listeners are tied."""

from dataclasses import dataclass
from typing import Final

import channels.drafts.wiring as drafting
from channels.drafts.wiring import DRAFT_INDEXES, Drafting
from channels.limits import Limits
from channels.service.channels import ChannelService, CreatePolicy
from channels.service.dialogue_reactions import DialogueReactions
from channels.service.guard import ChannelGuard, InboxGuard
from channels.service.inbox_rules import ChannelInboxRules
from channels.service.post_settings import PostSettings
from channels.service.profiles import ProfileCache
from channels.service.subscriptions import Subscriptions
from channels.service.timeline import TimelineService
from channels.service.verified_badges import VerifiedBadges
from channels.store import ChannelStore
from conversations.wiring import Conversations
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.group_commit import OnBatch
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat
from reactions.service.reactions import ReactionService

CHANNEL_INDEXES: Final[tuple[Index, ...]] = (*ChannelStore.INDEXES, *DRAFT_INDEXES)


@dataclass(frozen=True, slots=True)
class Channels:
    """The services of channels on one database."""

    channels: ChannelService
    channel: ChannelGuard
    drafting: Drafting
    profiles: ProfileCache
    subscriptions: Subscriptions
    verified_badges: VerifiedBadges
    inbox_rules: ChannelInboxRules
    inbox: InboxGuard
    dialogue_reactions: DialogueReactions
    timeline: TimelineService


def assemble(
    database: Database,
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
    store = ChannelStore(database)
    profiles = ProfileCache(store)
    channel = ChannelGuard(profiles)
    channels = ChannelService(
        database=database,
        store=store,
        profiles=profiles,
        channel=channel,
        groups=chat.groups,
        creation=chat.founding,
        updates=chat.updating,
        disbanding=chat.disbanding,
        directory=chat.directory,
        idempotency=chat.repeats,
        limits=limits,
        clock=clock,
        create_policy=create_policy,
        on_batch=on_batch,
    )
    dialogue_reactions = DialogueReactions(
        database, talks.dialogues, talks.write_permission, chat.streams, reactions.engine
    )
    post_settings = PostSettings(profiles, store, chat.users)
    chat.hooks.disbanded.append(channels.on_disbanded)
    chat.hooks.signatures.append(post_settings.signatures)
    chat.hooks.forwarding.append(post_settings.may_forward)
    chat.hooks.profile = store.query_profile
    talks.threads.cleared.append(reactions.stream_ended)
    bus.listen(profiles.on_events)
    bus.on_resync(profiles.forget_all)
    return Channels(
        channels=channels,
        channel=channel,
        drafting=drafting.assemble(database, chat, bus, profiles, store.touch, limits, clock),
        profiles=profiles,
        subscriptions=Subscriptions(
            store=store,
            groups=chat.groups,
            memberships=chat.memberships,
            changes=chat.changes,
            limits=limits,
            clock=clock,
        ),
        verified_badges=VerifiedBadges(
            database=database, store=store, groups=chat.groups, updates=chat.updating
        ),
        inbox_rules=ChannelInboxRules(store, chat.lookup, chat.guard, chat.admin_log, clock),
        inbox=InboxGuard(channel, chat.guard),
        dialogue_reactions=dialogue_reactions,
        timeline=TimelineService(
            profiles=profiles,
            messages=chat.messages,
            streams=chat.streams,
            dialogues=talks.dialogues,
            reactions=dialogue_reactions,
        ),
    )
