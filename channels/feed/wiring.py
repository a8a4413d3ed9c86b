"""Builds the feed on the event log."""

from channels.feed.recent import RecentEvents
from channels.feed.service import FeedService
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard
from groups.kernel.event_log.log import EventLog
from groups.wiring import GroupChat


def build_feed(
    event_log: EventLog, chat: GroupChat, channel: ChannelGuard, limits: ChannelLimits
) -> FeedService:
    """Build the feed of one process."""
    return FeedService(
        event_log=event_log,
        recent=RecentEvents(event_log),
        channel=channel,
        guard=chat.guard,
        limits=limits,
    )
