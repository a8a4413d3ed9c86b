"""Where conversations are stored: what users set on them, and their conversation groups.

The only room of this package that knows the database. Inside a transaction every method takes its `Tx`; without one it
reads what is majority-committed.
"""

from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.overlays import OverlayStore

INDEXES = (*OverlayStore.INDEXES, *ConversationGroupStore.INDEXES)

__all__ = ["INDEXES", "ConversationGroupStore", "OverlayStore"]
