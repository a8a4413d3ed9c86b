"""A user's settings for one conversation: mute, pin, hide, draft, custom data; and removing it from the list."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from conversations.events import ConversationRead, ConversationUpdated
from conversations.models import Conversation, ConversationId, ListedConversation, Model, ReadMark
from conversations.service.conversation_list import ConversationListService
from conversations.service.guard import ConversationGuard
from conversations.service.hooks import ConversationHooks
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.mongo import Database, Tx
from groups.service.write_locks import user_lock


class ConversationChanges(Model):
    """New values; None leaves a setting as it is. `hidden` lasts until the next message; "" clears a text."""

    muted: bool | None = None
    pinned: bool | None = None
    hidden: bool | None = None
    draft: str | None = None
    custom_data: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsService:
    """Changes a user's settings of conversations and publishes the changes to all devices of the user."""

    database: Database
    guard: ConversationGuard
    conversation_list: ConversationListService
    settings: ConversationSettingsStore
    hooks: ConversationHooks
    clock: Clock

    async def update_settings(
        self, actor: Actor, conversation_id: ConversationId, changes: ConversationChanges
    ) -> ListedConversation:
        """Apply the changes. A pin that is set already keeps its time. Publishes: ConversationUpdated on a change."""

        async def work(tx: Tx) -> None:
            conversation = await self.guard.get_conversation(actor, conversation_id, tx)
            await self._apply(actor, conversation, changes, tx)

        await self.database.run(work, user_lock(actor.user_id))
        return await self.conversation_list.get_conversation(actor, conversation_id)

    async def remove_from_list(self, actor: Actor, conversation_id: ConversationId) -> None:
        """Take the conversation off the list until its next message: hide and read it, clear its draft and pin.

        Membership, mute and conversation groups stay. Repeating it changes and publishes nothing.
        Publishes: ConversationRead if it was unread; ConversationUpdated if a setting changed.
        """

        async def work(tx: Tx) -> None:
            conversation = await self.guard.get_conversation(actor, conversation_id, tx)
            if conversation.unread_count:
                head, now = conversation.head_seq, self.clock.now()
                await self.settings.advance_read_cursors(
                    [((actor.user_id, conversation_id), head)], tx, at=now
                )
                mark = ReadMark(conversation_id=conversation_id, read_seq=head, unread_count=0)
                tx.publish(ConversationRead(at=now, user_id=actor.user_id, reads=(mark,)))
            changes = ConversationChanges(hidden=True, pinned=False, draft="")
            await self._apply(actor, conversation, changes, tx)

        await self.database.run(work, user_lock(actor.user_id))

    async def _apply(
        self, actor: Actor, conversation: Conversation, changes: ConversationChanges, tx: Tx
    ) -> None:
        now = self.clock.now()
        values = _new_values(conversation, changes, now)
        if not values:
            return
        conversation_id = conversation.conversation_id
        await self.settings.update_settings((actor.user_id, conversation_id), values, now, tx)
        if "muted" in values:
            more = 1 if values["muted"] else -1
            await self.hooks.muted_changed(conversation_id, actor.user_id, more, tx)
        tx.publish(
            ConversationUpdated(
                at=now,
                user_id=actor.user_id,
                conversation_id=conversation_id,
                changed=_as_published(values),
            )
        )


def _new_values(
    conversation: Conversation, changes: ConversationChanges, now: datetime
) -> dict[str, object]:
    """Return the stored fields that the changes alter, with their new values."""
    settings = conversation.settings
    values: dict[str, object] = {}
    if changes.muted is not None and changes.muted != settings.muted:
        values["muted"] = changes.muted
    if changes.pinned is not None and changes.pinned != (settings.pinned_at is not None):
        values["pinned_at"] = now if changes.pinned else None
    if changes.hidden is not None and changes.hidden != conversation.is_hidden:
        values["hidden_at_seq"] = conversation.head_seq if changes.hidden else None
    if changes.draft is not None and changes.draft != settings.draft:
        values["draft"] = changes.draft
    if changes.custom_data is not None and changes.custom_data != settings.custom_data:
        values["custom_data"] = changes.custom_data
    return values


def _as_published(values: dict[str, object]) -> dict[str, JsonValue]:
    """Convert stored values to those of `ConversationUpdated`: instants as text, `hidden` as a bool, no drafts."""
    changed: dict[str, JsonValue] = {}
    for name, value in values.items():
        if name == "draft":
            changed[name] = None if value else ""
        elif name == "hidden_at_seq":
            changed["hidden"] = value is not None
        elif isinstance(value, datetime):
            changed[name] = rfc3339(value)
        elif value is None or isinstance(value, str | bool):
            changed[name] = value
    return changed
