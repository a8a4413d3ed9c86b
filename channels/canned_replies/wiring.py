"""Builds canned replies on channels, and the hook that deletes them."""

from collections.abc import Awaitable, Callable

from channels.canned_replies.service import CannedReplyCleanup, CannedReplyService
from channels.canned_replies.store import CannedReplyStore
from channels.limits import ChannelLimits
from channels.service.guard import ChannelGuard, InboxGuard
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.wiring import GroupChat

CANNED_REPLY_INDEXES = CannedReplyStore.INDEXES


def build_cleanup(database: Database) -> CannedReplyCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return CannedReplyCleanup(CannedReplyStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    channel: ChannelGuard,
    inbox: InboxGuard,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    limits: ChannelLimits,
    clock: Clock,
) -> CannedReplyService:
    """Build canned replies on this group chat."""
    return CannedReplyService(
        database=database,
        replies=CannedReplyStore(database),
        touch_channel=touch_channel,
        channel=channel,
        inbox=inbox,
        guard=chat.guard,
        admin_log=chat.admin_log,
        limits=limits,
        clock=clock,
    )
