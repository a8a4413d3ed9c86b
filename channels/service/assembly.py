"""Builds channels on group chat: the store stays inside, the services come out, and hooks and listeners are tied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from channels.limits import Limits
from channels.service.channels import ChannelService, CreatePolicy
from channels.service.extras import ExtrasCache
from channels.service.posts import PostService
from channels.service.subscribers import SubscriberService
from channels.store import ChannelStore
from groups.kernel.bus import Bus
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.service.assembly import GroupChat
from reactions.service import ReactionService

CHANNEL_INDEXES: Final[tuple[Index, ...]] = ChannelStore.INDEXES


@dataclass(frozen=True, slots=True)
class Channels:
    """The services of channels on one database."""

    channels: ChannelService
    subscribers: SubscriberService
    posts: PostService


def assemble(
    database: Database,
    chat: GroupChat,
    reactions: ReactionService,
    bus: Bus,
    limits: Limits,
    clock: Clock,
    create_policy: CreatePolicy,
    *,
    on_batch: Callable[[str, int], None] | None = None,
) -> Channels:
    """Channels on this group chat; `on_batch` hears the size of every group-commit batch."""
    store = ChannelStore(database)
    extras = ExtrasCache(store)
    channels = ChannelService(
        database,
        store,
        extras,
        chat.groups,
        chat.directory,
        chat.memberships,
        limits,
        clock,
        create_policy,
        on_batch=on_batch,
    )
    chat.hooks.disbanded.append(channels.on_disbanded)
    bus.listen(extras.on_events)
    bus.on_resync(extras.forget_all)
    return Channels(
        channels=channels,
        subscribers=SubscriberService(extras, chat.membership, chat.imports),
        posts=PostService(extras, chat.messages, reactions),
    )
