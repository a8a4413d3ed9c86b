"""Builds menus on channels, and the hook that deletes them."""

from collections.abc import Callable
from typing import Final

from channels.self_service.menus.service import MenuCleanup, MenuService, Profiles
from channels.self_service.menus.store import MenuStore
from channels.service.guard import ChannelGuard
from channels.service.profiles import ProfileCache
from conversations.wiring import Conversations
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Index
from groups.wiring import GroupChat

MENU_INDEXES: Final[tuple[Index, ...]] = MenuStore.INDEXES


def build_cleanup(database: Database) -> MenuCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return MenuCleanup(MenuStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    conversations: Conversations,
    profiles: Profiles,
    cache: ProfileCache,
    channel: ChannelGuard,
    take_turn: Callable[[Actor], object],
    clock: Clock,
) -> MenuService:
    """Build menus on these services."""
    return MenuService(
        database=database,
        menus=MenuStore(database),
        profiles=profiles,
        cache=cache,
        updates=chat.updates,
        channel=channel,
        guard=chat.guard,
        dialogues=conversations.dialogues,
        permission=conversations.write_permission,
        idempotency=chat.idempotency,
        take_turn=take_turn,
        clock=clock,
    )
