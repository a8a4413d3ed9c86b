"""Conversations' rules at work, one module a life cycle; each method's first argument is the actor."""

from conversations.service.access import ConversationAccess
from conversations.service.assembly import CONVERSATION_INDEXES, Conversations, assemble
from conversations.service.blocks import BlockService
from conversations.service.conversation_groups import ConversationGroupService, Filed
from conversations.service.cursors import CursorService
from conversations.service.desk import Desk, Writer
from conversations.service.dialogue_changes import DialogueChanges
from conversations.service.dialogues import DialogueService
from conversations.service.hooks import ConversationHooks
from conversations.service.inbox import Inbox, ListFilter
from conversations.service.settings import ConversationChanges, SettingsService
from conversations.service.threads import ShownThread, ThreadService

__all__ = [
    "CONVERSATION_INDEXES",
    "BlockService",
    "ConversationAccess",
    "ConversationChanges",
    "ConversationGroupService",
    "ConversationHooks",
    "Conversations",
    "CursorService",
    "Desk",
    "DialogueChanges",
    "DialogueService",
    "Filed",
    "Inbox",
    "ListFilter",
    "SettingsService",
    "ShownThread",
    "ThreadService",
    "Writer",
    "assemble",
]
