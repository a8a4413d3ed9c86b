"""Builds clicks on links, and the hook that deletes them."""

from typing import Final

from channels.analytics.service.days import DayCounter
from channels.link_clicks.service import ClickCleanup, ClickService
from channels.link_clicks.store import ClickStore
from channels.service.guard import ChannelGuard
from groups.kernel.batching.group_commit import OnBatch
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat

CLICK_INDEXES: Final[tuple[Index, ...]] = ClickStore.INDEXES


def build_cleanup(database: Database) -> ClickCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return ClickCleanup(clicks=ClickStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    channel: ChannelGuard,
    counter: DayCounter,
    clock: Clock,
    *,
    on_batch: OnBatch | None = None,
) -> ClickService:
    """Build clicks on this group chat. `on_batch` is called with every group-commit batch."""
    return ClickService(
        database=database,
        clicks=ClickStore(database),
        counter=counter,
        channel=channel,
        guard=chat.guard,
        bulk_access=chat.bulk_access,
        streams=chat.streams,
        clock=clock,
        on_batch=on_batch,
    )
