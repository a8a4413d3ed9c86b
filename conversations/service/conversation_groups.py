"""Conversation groups, the tabs of a conversation list: create, fill, rename, delete.

Both limits are exact under races. Creating a group writes the user's guard document and filling one writes the group's
document, in the transaction that counted: two at once conflict, and the second counts again. Renaming and deleting
remove that document, so a group that is being removed cannot be filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conversations.errors import (
    BuiltInConversationGroup,
    ConversationGroupLimitReached,
    ConversationGroupNotFound,
    ConversationGroupTaken,
    ConversationNotFound,
    ConversationsPerGroupReached,
)
from conversations.events import (
    ConversationGroupChanged,
    ConversationGroupCreated,
    ConversationGroupDeleted,
    ConversationGroupRenamed,
)
from conversations.limits import ConversationLimits
from conversations.models import RESERVED_NAMES, Conversation, ConversationId, GroupTotal
from conversations.service.conversation_list import ConversationListService
from conversations.service.guard import ConversationGuard
from conversations.store.conversation_groups import ConversationGroupStore
from conversations.store.settings import ConversationSettingsStore
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, InvalidRequest
from groups.kernel.mongo import Database, Tx
from groups.service.write_locks import user_lock

Results = dict[ConversationId, DomainError | None]
"""The outcome for each id of a call, in its order: None for success, or the error."""


@dataclass(frozen=True, slots=True)
class ChangedConversationGroup:
    """A conversation group after a call: its totals, the outcome for each id, and whether the call created it."""

    total: GroupTotal
    results: Results
    is_new: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationGroupService:
    """The conversation groups that users create."""

    database: Database
    guard: ConversationGuard
    conversation_list: ConversationListService
    settings: ConversationSettingsStore
    groups: ConversationGroupStore
    limits: ConversationLimits
    clock: Clock

    async def put(
        self, actor: Actor, name: str, conversation_ids: Sequence[ConversationId]
    ) -> ChangedConversationGroup:
        """Create the conversation group unless it exists, and add the conversations.

        Publishes: ConversationGroupCreated, or ConversationGroupChanged if conversations were added.
        """
        _check_editable(name)
        self._check_count(conversation_ids)

        async def work(tx: Tx) -> tuple[Results, bool]:
            is_new = await self.groups.find_group(actor.user_id, name, tx) is None
            if is_new:
                await self._insert(actor, name, tx)
            found = await self._find_conversations(actor, conversation_ids, tx)
            results, added = await self._fill(actor, name, conversation_ids, found, tx)
            if is_new:
                tx.publish(
                    ConversationGroupCreated(
                        at=self.clock.now(),
                        user_id=actor.user_id,
                        name=name,
                        conversation_ids=tuple(added),
                    )
                )
            elif added:
                self._publish_changed(actor, name, added, [], tx)
            return results, is_new

        results, is_new = await self.database.run(work, user_lock(actor.user_id))
        return ChangedConversationGroup(
            await self.conversation_list.group_total(actor, name), results, is_new
        )

    async def change(
        self,
        actor: Actor,
        name: str,
        *,
        add: Sequence[ConversationId] = (),
        remove: Sequence[ConversationId] = (),
    ) -> ChangedConversationGroup:
        """Remove conversations, then add others. Publishes: ConversationGroupChanged, if something changed."""
        _check_editable(name)
        self._check_count([*add, *remove])

        async def work(tx: Tx) -> Results:
            await self._check_exists(actor, name, tx)
            found = await self._find_conversations(actor, [*add, *remove], tx)
            removed = [key for key in remove if key in found and name in found[key].settings.groups]
            now = self.clock.now()
            await self.settings.remove_from_group(actor.user_id, removed, name, now, tx)
            results, added = await self._fill(actor, name, add, found, tx)
            results |= {key: None if key in found else ConversationNotFound() for key in remove}
            if added or removed:
                self._publish_changed(actor, name, added, removed, tx)
            return results

        results = await self.database.run(work, user_lock(actor.user_id))
        return ChangedConversationGroup(
            await self.conversation_list.group_total(actor, name), results
        )

    async def rename(self, actor: Actor, name: str, new_name: str) -> GroupTotal:
        """Rename the conversation group; the same name changes nothing. Publishes: ConversationGroupRenamed."""
        _check_editable(name)
        _check_editable(new_name)

        async def work(tx: Tx) -> None:
            group = await self.groups.find_group(actor.user_id, name, tx)
            if group is None:
                raise ConversationGroupNotFound
            if new_name == name:
                return
            if await self.groups.find_group(actor.user_id, new_name, tx) is not None:
                raise ConversationGroupTaken
            await self.groups.delete(actor.user_id, name, tx)
            await self.groups.insert(actor.user_id, new_name, group.created_at, tx)
            now, user_id = self.clock.now(), actor.user_id
            await self.settings.rename_group(user_id, name, new_name, now, tx)
            tx.publish(
                ConversationGroupRenamed(at=now, user_id=user_id, name=name, new_name=new_name)
            )

        await self.database.run(work, user_lock(actor.user_id))
        return await self.conversation_list.group_total(actor, new_name)

    async def delete(self, actor: Actor, name: str) -> None:
        """Delete the conversation group; its conversations stay. Publishes: ConversationGroupDeleted."""
        _check_editable(name)

        async def work(tx: Tx) -> None:
            await self._check_exists(actor, name, tx)
            await self.groups.delete(actor.user_id, name, tx)
            now = self.clock.now()
            await self.settings.remove_group(actor.user_id, name, now, tx)
            tx.publish(ConversationGroupDeleted(at=now, user_id=actor.user_id, name=name))

        await self.database.run(work, user_lock(actor.user_id))

    def _check_count(self, conversation_ids: Sequence[ConversationId]) -> None:
        limit = self.limits.conversations_per_call
        if len(conversation_ids) > limit:
            reason = f"at most {limit} conversations a call"
            raise InvalidRequest(reason, errors=[{"field": "conversation_ids", "reason": reason}])

    async def _check_exists(self, actor: Actor, name: str, tx: Tx) -> None:
        if await self.groups.find_group(actor.user_id, name, tx) is None:
            raise ConversationGroupNotFound

    async def _insert(self, actor: Actor, name: str, tx: Tx) -> None:
        limit = self.limits.conversation_groups
        if len(await self.groups.list_groups(actor.user_id, tx)) >= limit:
            raise ConversationGroupLimitReached(limit=limit)
        await self.groups.touch_guard(actor.user_id, tx)
        await self.groups.insert(actor.user_id, name, self.clock.now(), tx)

    async def _find_conversations(
        self, actor: Actor, conversation_ids: Sequence[ConversationId], tx: Tx
    ) -> dict[ConversationId, Conversation]:
        found = await self.guard.find_conversations(actor, conversation_ids, tx)
        return {conversation.conversation_id: conversation for conversation in found}

    async def _fill(
        self,
        actor: Actor,
        name: str,
        conversation_ids: Sequence[ConversationId],
        found: dict[ConversationId, Conversation],
        tx: Tx,
    ) -> tuple[Results, list[ConversationId]]:
        """Add those that exist, as far as there is room. Returns the outcome for each, and which were added."""
        wanted = list(dict.fromkeys(conversation_ids))
        new = [key for key in wanted if key in found and name not in found[key].settings.groups]
        limit = self.limits.conversations_per_group
        held: Sequence[ConversationId] = ()
        if new and limit:
            held = await self.settings.list_in_group(actor.user_id, name, limit=limit, tx=tx)
        added = new[: limit - len(held)]
        if added:
            await self.groups.touch(actor.user_id, name, tx)
            await self.settings.add_to_group(actor.user_id, added, name, self.clock.now(), tx)
        refused = set(new[len(added) :])
        results: Results = {}
        for key in wanted:
            if key not in found:
                results[key] = ConversationNotFound()
            elif key in refused:
                results[key] = ConversationsPerGroupReached(limit=limit)
            else:
                results[key] = None
        return results, added

    def _publish_changed(
        self,
        actor: Actor,
        name: str,
        added: Sequence[ConversationId],
        removed: Sequence[ConversationId],
        tx: Tx,
    ) -> None:
        tx.publish(
            ConversationGroupChanged(
                at=self.clock.now(),
                user_id=actor.user_id,
                name=name,
                added=tuple(added),
                removed=tuple(removed),
            )
        )


def _check_editable(name: str) -> None:
    if name in RESERVED_NAMES:
        raise BuiltInConversationGroup
