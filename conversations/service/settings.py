"""A user's settings for one conversation: mute, pin, hide, accept, draft, custom data; and removing it from the list.

A mute that ends at an instant is stored with that instant and compared with the clock wherever it matters, so nothing
has to happen when it ends. Only those who mute for ever are counted (`ConversationHooks.muted_changed`), since nothing
would lower the count of a mute that ends by itself.

`accept` false: a channel must not write to the user. A subscriber may say so before there is a dialogue; the document
that says it then stays when they unsubscribe, so that the channel cannot undo it by removing and adding them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from conversations import policy
from conversations.errors import AcceptNotForThis, ConversationNotFound
from conversations.events import ConversationRead, ConversationUpdated
from conversations.models import (
    Conversation,
    ConversationId,
    ConversationKey,
    ConversationSettings,
    Dialogue,
    ListedConversation,
    Model,
    NotificationLevel,
    ReadMark,
    dialogue_of,
)
from conversations.service.conversation_list import ConversationListService
from conversations.service.guard import ConversationGuard
from conversations.service.hooks import ConversationHooks
from conversations.service.write_permission import WritePermission
from conversations.store.settings import ConversationSettingsStore
from conversations.store.threads import ThreadStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.ids import GroupId, UserId
from groups.kernel.mongo import Database, Tx
from groups.service.access.membership_reader import MembershipReader
from groups.service.write_locks import user_lock

_Mute = tuple[bool, datetime | None]
"""Whether a conversation is muted for ever, or until when."""


class ConversationChanges(Model):
    """New values; None leaves a setting as it is. `hidden` lasts until the next message; "" clears a text.

    `muted` is for ever, or no more. `muted_until` None that is given ends a mute with an instant.
    """

    muted: bool | None = None
    muted_until: datetime | None = None
    notifications: NotificationLevel | None = None
    accept: bool | None = None
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
    threads: ThreadStore
    permission: WritePermission
    membership_reader: MembershipReader
    hooks: ConversationHooks
    clock: Clock

    async def update_settings(
        self, actor: Actor, conversation_id: ConversationId, changes: ConversationChanges
    ) -> ListedConversation:
        """Apply the changes. A pin that is set already keeps its time. Publishes: ConversationUpdated on a change.

        Raises: ConversationNotFound; BadMutedUntil; AcceptNotForThis.
        """
        dialogue = dialogue_of(actor.user_id, conversation_id)
        channel_id = dialogue.channel_id if dialogue is not None else None
        if changes.accept is not None and channel_id is None:
            raise AcceptNotForThis
        only_accepts = changes.model_fields_set == {"accept"}

        async def work(tx: Tx) -> bool:
            found = await self.guard.find_conversations(actor, [conversation_id], tx)
            if found:
                await self._apply(actor, found[0], changes, tx)
                return True
            if dialogue is None or channel_id is None or not only_accepts:
                raise ConversationNotFound
            await self._accept_unbegun(dialogue, channel_id, accept=bool(changes.accept), tx=tx)
            return False

        if await self.database.run(work, user_lock(actor.user_id)) or dialogue is None:
            return await self.conversation_list.get_conversation(actor, conversation_id)
        return await self.conversation_list.get_unbegun(
            dialogue, ConversationSettings(accept=bool(changes.accept))
        )

    async def _accept_unbegun(
        self, dialogue: Dialogue, channel_id: GroupId, *, accept: bool, tx: Tx
    ) -> None:
        """Let a channel begin the dialogue, or not. Publishes: ConversationUpdated on a change."""
        user_id, conversation_id = dialogue.user_id, dialogue.conversation_id
        key = (user_id, conversation_id)
        stored = (await self.settings.find_settings(user_id, [conversation_id], tx)).get(
            conversation_id
        )
        # Who has switched it off may switch it on, subscribed or not.
        if stored is None and not await self.membership_reader.find_memberships(
            [(channel_id, user_id)], tx
        ):
            raise ConversationNotFound
        if accept is (stored is None or stored.accept):
            return
        if not accept:
            refusal = await self.permission.too_many_dialogues(user_id, tx)
            if refusal is not None:
                raise refusal
        await self.settings.switch_unbegun(key, accept=accept, tx=tx)
        self._publish(user_id, conversation_id, {"accept": accept}, tx)

    async def remove_from_list(self, actor: Actor, conversation_id: ConversationId) -> None:
        """Take the conversation off the list until its next message: hide and read it, clear its draft and pin.

        Membership, mute, notifications and conversation groups stay. Repeating it changes and publishes nothing.
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

    async def find_silencing(
        self, keys: Collection[ConversationKey]
    ) -> dict[ConversationKey, ConversationSettings]:
        """For delivery: the settings of these users and conversations that may keep devices from ringing, in one query.

        Where a key is absent, `DEFAULT_SETTINGS` hold. `policy.rings` decides. At most some thousand keys.
        """
        return await self.settings.find_silencing(keys) if keys else {}

    async def _apply(
        self, actor: Actor, conversation: Conversation, changes: ConversationChanges, tx: Tx
    ) -> None:
        now, settings = self.clock.now(), conversation.settings
        mute = _mute_after(settings, changes, now)
        values = _new_values(conversation, changes, mute, now)
        if not values:
            return
        user_id, conversation_id = actor.user_id, conversation.conversation_id
        await self.settings.update_settings((user_id, conversation_id), values, now, tx)
        if "muted" in values:
            more = 1 if values["muted"] else -1
            await self.hooks.muted_changed(conversation_id, user_id, more, tx)
        dialogue = dialogue_of(user_id, conversation_id)
        if "accept" in values and dialogue is not None and dialogue.channel_id is not None:
            # A message of the channel that is under way conflicts with this: none comes after the answer.
            await self.threads.touch_thread(dialogue.channel_id, user_id, tx)
        self._publish(user_id, conversation_id, _as_published(values, mute), tx)

    def _publish(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        changed: dict[str, JsonValue],
        tx: Tx,
    ) -> None:
        event = ConversationUpdated(
            at=self.clock.now(), user_id=user_id, conversation_id=conversation_id, changed=changed
        )
        tx.publish(event)


def _mute_after(
    settings: ConversationSettings, changes: ConversationChanges, now: datetime
) -> _Mute:
    """Return whether the conversation is muted for ever after the changes, or until when."""
    if changes.muted_until is not None:
        refusal = policy.muting_refusal(changes.muted_until, now)
        if refusal is not None:
            raise refusal
        return False, changes.muted_until
    if changes.muted is not None:
        return changes.muted, None
    if "muted_until" in changes.model_fields_set:
        return settings.muted, None
    return settings.muted, settings.muted_until


def _new_values(
    conversation: Conversation, changes: ConversationChanges, mute: _Mute, now: datetime
) -> dict[str, object]:
    """Return the stored fields that the changes alter, with their new values."""
    settings = conversation.settings
    values: dict[str, object] = {}
    muted, muted_until = mute
    if muted != settings.muted:
        values["muted"] = muted
    if muted_until != settings.muted_until:
        values["muted_until"] = muted_until
    if changes.notifications not in (None, settings.notifications):
        values["notifications"] = changes.notifications
    if changes.accept is not None and changes.accept != settings.accept:
        values["accept"] = changes.accept
    if changes.pinned is not None and changes.pinned != (settings.pinned_at is not None):
        values["pinned_at"] = now if changes.pinned else None
    if changes.hidden is not None and changes.hidden != conversation.is_hidden:
        values["hidden_at_seq"] = conversation.head_seq if changes.hidden else None
    if changes.draft is not None and changes.draft != settings.draft:
        values["draft"] = changes.draft
    if changes.custom_data is not None and changes.custom_data != settings.custom_data:
        values["custom_data"] = changes.custom_data
    return values


def _as_published(values: dict[str, object], mute: _Mute) -> dict[str, JsonValue]:
    """Convert stored values to those of `ConversationUpdated`: instants as text, `hidden` as a bool, no drafts.

    A mute is published with both of its fields, as the API shows them.
    """
    changed: dict[str, JsonValue] = {}
    if "muted" in values or "muted_until" in values:
        muted, muted_until = mute
        changed |= {"muted": muted or muted_until is not None, "muted_until": None}
    for name, value in values.items():
        if name == "draft":
            changed[name] = None if value else ""
        elif name == "hidden_at_seq":
            changed["hidden"] = value is not None
        elif isinstance(value, datetime):
            changed[name] = rfc3339(value)
        elif name == "muted":
            continue  # above
        elif isinstance(value, NotificationLevel):
            changed[name] = value.value
        elif value is None or isinstance(value, str | bool):
            changed[name] = value
    return changed
