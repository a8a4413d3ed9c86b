"""What a user sets on one conversation: mute, pin, hide, draft, custom data; and removing it from the list."""

from datetime import datetime

from pydantic import JsonValue

from conversations.events import ConversationRead, ConversationUpdated
from conversations.models import Conversation, ConversationId, Model, ReadMark, Shown
from conversations.service.conversation_list import ConversationListService
from conversations.service.guard import ConversationGuard
from conversations.service.hooks import ConversationHooks
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.mongo import Database, Tx
from groups.service.write_locks import user_lock


class ConversationChanges(Model):
    """New values; a field that was not set stays. `hidden` lasts until the next message; an empty text clears one."""

    muted: bool | None = None
    pinned: bool | None = None
    hidden: bool | None = None
    draft: str | None = None
    custom_data: str | None = None


class SettingsService:
    """Changes what a user set on his conversations; his other devices hear of it."""

    def __init__(
        self,
        database: Database,
        guard: ConversationGuard,
        inbox: ConversationListService,
        overlays: ConversationSettingsStore,
        hooks: ConversationHooks,
        clock: Clock,
    ) -> None:
        self._hooks = hooks
        self._database = database
        self._guard = guard
        self._inbox = inbox
        self._overlays = overlays
        self._clock = clock

    async def change(
        self, actor: Actor, conversation_id: ConversationId, changes: ConversationChanges
    ) -> Shown:
        """Set what the changes name; what is so already stays as it is, a pin's instant included.

        Publishes: ConversationUpdated, when something changed. Raises: ConversationNotFound.
        """

        async def work(tx: Tx) -> None:
            conversation = await self._guard.one(actor, conversation_id, tx)
            await self._apply(actor, conversation, changes, tx)

        await self._database.run(work, user_lock(actor.user_id))
        return await self._inbox.get(actor, conversation_id)

    async def remove(self, actor: Actor, conversation_id: ConversationId) -> None:
        """Take the conversation off the list until its next message: hidden, read, without draft and pin.

        Membership, mute and conversation groups stay. Removing twice changes nothing and publishes nothing.
        Publishes: ConversationRead and ConversationUpdated, where each is true. Raises: ConversationNotFound.
        """

        async def work(tx: Tx) -> None:
            conversation = await self._guard.one(actor, conversation_id, tx)
            if conversation.unread_count:
                head = conversation.head_seq
                await self._overlays.advance([((actor.user_id, conversation_id), head)], tx)
                mark = ReadMark(conversation_id=conversation_id, read_seq=head, unread_count=0)
                tx.publish(
                    ConversationRead(at=self._clock.now(), user_id=actor.user_id, reads=(mark,))
                )
            gone = ConversationChanges(hidden=True, pinned=False, draft="")
            await self._apply(actor, conversation, gone, tx)

        await self._database.run(work, user_lock(actor.user_id))

    async def _apply(
        self, actor: Actor, conversation: Conversation, changes: ConversationChanges, tx: Tx
    ) -> None:
        now = self._clock.now()
        values = _new_values(conversation, changes, now)
        if not values:
            return
        conversation_id = conversation.conversation_id
        await self._overlays.change((actor.user_id, conversation_id), values, tx)
        if "muted" in values:
            more = 1 if values["muted"] else -1
            await self._hooks.muted_changed(conversation_id, actor.user_id, more, tx)
        tx.publish(
            ConversationUpdated(
                at=now,
                user_id=actor.user_id,
                conversation_id=conversation_id,
                changed=_as_told(values),
            )
        )


def _new_values(
    conversation: Conversation, changes: ConversationChanges, now: datetime
) -> dict[str, object]:
    """The fields of the overlay that the changes alter, with their new values."""
    overlay = conversation.overlay
    values: dict[str, object] = {}
    if changes.muted is not None and changes.muted != overlay.muted:
        values["muted"] = changes.muted
    if changes.pinned is not None and changes.pinned != (overlay.pinned_at is not None):
        values["pinned_at"] = now if changes.pinned else None
    if changes.hidden is not None and changes.hidden != conversation.is_hidden:
        values["hidden_at_seq"] = conversation.head_seq if changes.hidden else None
    if changes.draft is not None and changes.draft != overlay.draft:
        values["draft"] = changes.draft
    if changes.custom_data is not None and changes.custom_data != overlay.custom_data:
        values["custom_data"] = changes.custom_data
    return values


def _as_told(values: dict[str, object]) -> dict[str, JsonValue]:
    """The new values as `ConversationUpdated` holds them: instants as text, hidden as yes or no, no draft's text."""
    shown: dict[str, JsonValue] = {}
    for name, value in values.items():
        if name == "draft":
            shown[name] = None if value else ""
        elif name == "hidden_at_seq":
            shown["hidden"] = value is not None
        elif isinstance(value, datetime):
            shown[name] = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        elif value is None or isinstance(value, str | bool):
            shown[name] = value
    return shown
