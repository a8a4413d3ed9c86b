"""Conversation groups, the tabs of a conversation list: made, filled, renamed, deleted.

Both limits are exact under races. Who makes one writes his guard, who fills one writes its document, both in the
transaction that counted: two at once conflict, and the second counts again. Renaming and deleting remove that document,
so nobody can fill a conversation group that is just going away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conversations import policy
from conversations.errors import (
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
from conversations.models import Conversation, ConversationId, GroupTotal
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
"""For each id that a call named, in its order: None when it is as wanted, or why not."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A conversation group after a call: its totals, what became of each id, and whether the call made it."""

    total: GroupTotal
    results: Results
    is_new: bool = False


class ConversationGroupService:
    """The conversation groups that users make."""

    def __init__(
        self,
        database: Database,
        guard: ConversationGuard,
        inbox: ConversationListService,
        overlays: ConversationSettingsStore,
        groups: ConversationGroupStore,
        limits: ConversationLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._guard = guard
        self._inbox = inbox
        self._overlays = overlays
        self._groups = groups
        self._limits = limits
        self._clock = clock

    async def put(
        self, actor: Actor, name: str, conversation_ids: Sequence[ConversationId]
    ) -> Filed:
        """Make the conversation group, if it is not there, and put the conversations into it.

        Publishes: ConversationGroupCreated, or ConversationGroupChanged when conversations were added. Raises:
        BuiltInConversationGroup; ConversationGroupLimitReached; InvalidRequest for more ids than a call may name.
        """
        _check_editable(name)
        self._check_count(conversation_ids)

        async def work(tx: Tx) -> tuple[Results, bool]:
            is_new = await self._groups.find(actor.user_id, name, tx) is None
            if is_new:
                await self._insert(actor, name, tx)
            found = await self._find(actor, conversation_ids, tx)
            results, added = await self._fill(actor, name, conversation_ids, found, tx)
            if is_new:
                tx.publish(
                    ConversationGroupCreated(
                        at=self._clock.now(),
                        user_id=actor.user_id,
                        name=name,
                        conversation_ids=tuple(added),
                    )
                )
            elif added:
                self._publish_changed(actor, name, added, [], tx)
            return results, is_new

        results, is_new = await self._database.run(work, user_lock(actor.user_id))
        return Filed(await self._inbox.group_total(actor, name), results, is_new)

    async def change(
        self,
        actor: Actor,
        name: str,
        *,
        add: Sequence[ConversationId] = (),
        remove: Sequence[ConversationId] = (),
    ) -> Filed:
        """Take conversations out of the conversation group, then put others in.

        Publishes: ConversationGroupChanged, when something changed. Raises: BuiltInConversationGroup;
        ConversationGroupNotFound; InvalidRequest for more ids than a call may name.
        """
        _check_editable(name)
        self._check_count([*add, *remove])

        async def work(tx: Tx) -> Results:
            await self._check_exists(actor, name, tx)
            found = await self._find(actor, [*add, *remove], tx)
            removed = [key for key in remove if key in found and _is_in(found[key], name)]
            await self._overlays.take_out_of_group(actor.user_id, removed, name, tx)
            results, added = await self._fill(actor, name, add, found, tx)
            results |= {key: None if key in found else ConversationNotFound() for key in remove}
            if added or removed:
                self._publish_changed(actor, name, added, removed, tx)
            return results

        results = await self._database.run(work, user_lock(actor.user_id))
        return Filed(await self._inbox.group_total(actor, name), results)

    async def rename(self, actor: Actor, name: str, new_name: str) -> GroupTotal:
        """Give the conversation group another name; the same name changes nothing.

        Publishes: ConversationGroupRenamed. Raises: BuiltInConversationGroup, for either name;
        ConversationGroupNotFound; ConversationGroupTaken.
        """
        _check_editable(name)
        _check_editable(new_name)

        async def work(tx: Tx) -> None:
            group = await self._groups.find(actor.user_id, name, tx)
            if group is None:
                raise ConversationGroupNotFound
            if new_name == name:
                return
            if await self._groups.find(actor.user_id, new_name, tx) is not None:
                raise ConversationGroupTaken
            await self._groups.delete(actor.user_id, name, tx)
            await self._groups.insert(actor.user_id, new_name, group.created_at, tx)
            await self._overlays.rename_group(actor.user_id, name, new_name, tx)
            now = self._clock.now()
            tx.publish(
                ConversationGroupRenamed(
                    at=now, user_id=actor.user_id, name=name, new_name=new_name
                )
            )

        await self._database.run(work, user_lock(actor.user_id))
        return await self._inbox.group_total(actor, new_name)

    async def delete(self, actor: Actor, name: str) -> None:
        """Delete the conversation group; its conversations stay.

        Publishes: ConversationGroupDeleted. Raises: BuiltInConversationGroup; ConversationGroupNotFound.
        """
        _check_editable(name)

        async def work(tx: Tx) -> None:
            await self._check_exists(actor, name, tx)
            await self._groups.delete(actor.user_id, name, tx)
            await self._overlays.drop_group(actor.user_id, name, tx)
            now = self._clock.now()
            tx.publish(ConversationGroupDeleted(at=now, user_id=actor.user_id, name=name))

        await self._database.run(work, user_lock(actor.user_id))

    # --- what they share ------------------------------------------------------------------------------------------

    def _check_count(self, conversation_ids: Sequence[ConversationId]) -> None:
        limit = self._limits.conversations_per_call
        if len(conversation_ids) > limit:
            reason = f"at most {limit} conversations a call"
            raise InvalidRequest(reason, errors=[{"field": "conversation_ids", "reason": reason}])

    async def _check_exists(self, actor: Actor, name: str, tx: Tx) -> None:
        if await self._groups.find(actor.user_id, name, tx) is None:
            raise ConversationGroupNotFound

    async def _insert(self, actor: Actor, name: str, tx: Tx) -> None:
        limit = self._limits.conversation_groups
        if len(await self._groups.list_of_user(actor.user_id, tx)) >= limit:
            raise ConversationGroupLimitReached(limit=limit)
        await self._groups.touch_guard(actor.user_id, tx)
        await self._groups.insert(actor.user_id, name, self._clock.now(), tx)

    async def _find(
        self, actor: Actor, conversation_ids: Sequence[ConversationId], tx: Tx
    ) -> dict[ConversationId, Conversation]:
        found = await self._guard.find(actor, conversation_ids, tx)
        return {conversation.conversation_id: conversation for conversation in found}

    async def _fill(
        self,
        actor: Actor,
        name: str,
        conversation_ids: Sequence[ConversationId],
        found: dict[ConversationId, Conversation],
        tx: Tx,
    ) -> tuple[Results, list[ConversationId]]:
        """Put in those that exist, as far as there is room; what became of each, and which are new to the group."""
        wanted = list(dict.fromkeys(conversation_ids))
        new = [key for key in wanted if key in found and not _is_in(found[key], name)]
        added = new[: await self._room(actor, name, tx)] if new else []
        if added:
            await self._groups.touch(actor.user_id, name, tx)
            await self._overlays.put_into_group(actor.user_id, added, name, tx)
        refused = set(new[len(added) :])
        results: Results = {}
        for key in wanted:
            if key not in found:
                results[key] = ConversationNotFound()
            elif key in refused:
                limit = self._limits.conversations_per_group
                results[key] = ConversationsPerGroupReached(limit=limit)
            else:
                results[key] = None
        return results, added

    async def _room(self, actor: Actor, name: str, tx: Tx) -> int:
        limit = self._limits.conversations_per_group
        if not limit:
            return 0
        held = await self._overlays.list_in_group(actor.user_id, name, limit=limit, tx=tx)
        return limit - len(held)

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
                at=self._clock.now(),
                user_id=actor.user_id,
                name=name,
                added=tuple(added),
                removed=tuple(removed),
            )
        )


def _check_editable(name: str) -> None:
    refusal = policy.editing_refusal(name)
    if refusal is not None:
        raise refusal


def _is_in(conversation: Conversation, name: str) -> bool:
    return name in conversation.overlay.groups
