"""Builds tags on channels: the services, the consumer of departures, and the hook that deletes them with a channel."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from channels.subscriber_tags.service.departures import (
    NAME,
    DepartureCleanup,
    SubscriberTagCleanup,
    wants,
)
from channels.subscriber_tags.service.segments import SegmentReader
from channels.subscriber_tags.service.tags import SubscriberTags
from channels.subscriber_tags.service.withdrawal import TagWithdrawal
from channels.subscriber_tags.store import SubscriberTagStore
from groups.kernel.event_log.log import EventLog
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.wiring import GroupChat

SUBSCRIBER_TAG_INDEXES = SubscriberTagStore.INDEXES


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberTagging:
    """The services of tags on one database."""

    tags: SubscriberTags
    segments: SegmentReader
    withdrawal: TagWithdrawal


def build_cleanup(database: Database) -> SubscriberTagCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return SubscriberTagCleanup(SubscriberTagStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    log: EventLog,
    channel: ChannelGuard,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    limits: ChannelLimits,
) -> SubscriberTagging:
    """Build tags on this group chat; the event log starts the consumer."""
    store = SubscriberTagStore(database)
    cleanup = DepartureCleanup(store=store, memberships=chat.membership_reader)
    consumer = log.consumer(NAME, cleanup.handle, wants=wants)
    return SubscriberTagging(
        tags=SubscriberTags(
            database=database,
            store=store,
            touch_channel=touch_channel,
            channel=channel,
            guard=chat.guard,
            memberships=chat.membership_reader,
            membership=chat.membership,
            activate=consumer.activate,
            limits=limits,
        ),
        segments=SegmentReader(store=store, memberships=chat.membership_reader),
        withdrawal=TagWithdrawal(database=database, departures=cleanup),
    )
