"""The settings that decide whether a user is notified of a message, of many users at once.

They are facts about users' own conversations, so no rights are checked: the caller notifies these users.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from conversations.models import ConversationKey, ConversationSettings
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.mongo import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationSettings:
    """Reads settings and read cursors, with one query."""

    database: Database
    settings: ConversationSettingsStore

    async def find(
        self, keys: Collection[ConversationKey]
    ) -> Mapping[ConversationKey, ConversationSettings]:
        """What is stored for these users and conversations, without drafts and custom data."""
        query = self.settings.query_settings_of_keys(keys)
        await self.database.fetch_together(query)
        return query.result
