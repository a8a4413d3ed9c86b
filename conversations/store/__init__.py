"""Where conversations are stored: what users set on them, their conversation groups, channels' threads, blocks.

The only room of this package that knows the database. Inside a transaction every method takes its `Tx`; without one it
reads what is majority-committed.
"""

from conversations.store.blocks import BlockStore
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.inbox_totals import InboxTotalStore
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore

INDEXES = (
    *ConversationSettingsStore.INDEXES,
    *ConversationGroupStore.INDEXES,
    *ThreadStore.INDEXES,
    *InboxTotalStore.INDEXES,
    *BlockStore.INDEXES,
)
