"""Conversations' rules at work, one module a life cycle; each method's first argument is the actor."""

from conversations.service.access import ConversationAccess
from conversations.service.assembly import CONVERSATION_INDEXES, Conversations, assemble
from conversations.service.conversation_groups import ConversationGroupService, Filed
from conversations.service.cursors import CursorService
from conversations.service.hooks import ConversationHooks
from conversations.service.inbox import Inbox, ListFilter
from conversations.service.settings import ConversationChanges, SettingsService

__all__ = [
    "CONVERSATION_INDEXES",
    "ConversationAccess",
    "ConversationChanges",
    "ConversationGroupService",
    "ConversationHooks",
    "Conversations",
    "CursorService",
    "Filed",
    "Inbox",
    "ListFilter",
    "SettingsService",
    "assemble",
]
