"""Builds forms on channels and one-to-one messages, and the hook that deletes them."""

from collections.abc import Awaitable, Callable

from channels.limits import ChannelLimits
from channels.self_service.forms.service import FormCleanup, FormService
from channels.self_service.forms.store import FormStore
from channels.service.guard import ChannelGuard
from conversations.service.dialogues import DialogueService
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.wiring import GroupChat

FORM_INDEXES = FormStore.INDEXES


def build_cleanup(database: Database) -> FormCleanup:
    """Build the hook that group chat calls when a channel's stream has ended."""
    return FormCleanup(FormStore(database))


def assemble(
    database: Database,
    chat: GroupChat,
    channel: ChannelGuard,
    dialogues: DialogueService,
    touch_channel: Callable[[GroupId, Tx], Awaitable[bool]],
    limits: ChannelLimits,
    clock: Clock,
) -> FormService:
    """Build forms on this group chat."""
    return FormService(
        database=database,
        forms=FormStore(database),
        touch_channel=touch_channel,
        channel=channel,
        guard=chat.guard,
        dialogues=dialogues,
        admin_log=chat.admin_log,
        limits=limits,
        clock=clock,
    )
