"""Builds default channels: what other parts call and what runs in the background."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from channels.default_channels.events import DefaultChannelsChanged
from channels.default_channels.service.default_channels import (
    DefaultChannelCleanup,
    DefaultChannels,
)
from channels.default_channels.service.known import KnownDefaults
from channels.default_channels.service.newcomers import Newcomers
from channels.default_channels.service.sweep import Sweep
from channels.default_channels.store import DefaultChannelStore, DefaultSubscriptionStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups.events import GroupReinstated, GroupSuspended
from groups.kernel.clock import Clock
from groups.kernel.event_bus import EventBus
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Index, Tx
from groups.wiring import GroupChat

DEFAULT_CHANNEL_INDEXES: Final[tuple[Index, ...]] = (
    *DefaultChannelStore.INDEXES,
    *DefaultSubscriptionStore.INDEXES,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DefaultSubscribing:
    """The services of default channels on one database."""

    defaults: DefaultChannels
    known: KnownDefaults
    sweep: Sweep
    newcomers: Newcomers

    async def start(self) -> None:
        """Learn which channels are defaults, after the event bus has started, and go on with sweeps."""
        await self.known.load()
        self.sweep.start()

    async def close(self) -> None:
        """Stop, before the membership's queue is closed."""
        await self.sweep.close()
        await self.newcomers.close()
        await self.known.close()


def build_cleanup(database: Database, clock: Clock) -> DefaultChannelCleanup:
    """Build the hook that forgets deleted channels."""
    return DefaultChannelCleanup(channels=DefaultChannelStore(database), clock=clock)


def assemble(
    database: Database,
    chat: GroupChat,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    channel: ChannelGuard,
    bus: EventBus,
    limits: ChannelLimits,
    clock: Clock,
) -> DefaultSubscribing:
    """Build default channels on this group chat."""
    channels, subscriptions = DefaultChannelStore(database), DefaultSubscriptionStore(database)
    known = KnownDefaults(store=channels)
    bus.listen(known.on_events, DefaultChannelsChanged, GroupReinstated, GroupSuspended)
    bus.on_resync(known.reload)
    return DefaultSubscribing(
        defaults=DefaultChannels(
            database=database,
            channels=channels,
            touch_channel=touch_channel,
            channel=channel,
            guard=chat.guard,
            admin_log=chat.admin_log,
            limits=limits,
            clock=clock,
        ),
        known=known,
        sweep=Sweep(
            database=database,
            channels=channels,
            subscriptions=subscriptions,
            known=known,
            imports=chat.imports,
            users=chat.users,
            memberships=chat.membership_reader,
            clock=clock,
        ),
        newcomers=Newcomers(
            channels=channels, subscriptions=subscriptions, known=known, imports=chat.imports
        ),
    )
