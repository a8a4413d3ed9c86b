"""The stores of conversations: users' settings, conversation groups, threads of channels, blocks.

Only these modules of the package use the database. Inside a transaction every method takes its `Tx`; without one it
reads majority-committed data.
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
