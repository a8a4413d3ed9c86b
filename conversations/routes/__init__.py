"""The HTTP face of conversations: what it takes and answers (`views`), and the calls."""

from conversations.routes.blocks import BlockRoutes
from conversations.routes.conversation_groups import ConversationGroupRoutes
from conversations.routes.conversations import ConversationRoutes
from conversations.routes.unread import UnreadRoutes

__all__ = ["BlockRoutes", "ConversationGroupRoutes", "ConversationRoutes", "UnreadRoutes"]
