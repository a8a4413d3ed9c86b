"""Menus: read by all who see the channel, written by those who may change its settings, used by those who may write.

Promises:
    Shown without a query: the channel's profile has the version of its menu, in the same transaction, so lists of
        channels cost nothing more, and clients learn of a change by `channel.updated`.
    Once: with an idempotency key, a selection sends one message, or announces one event.
    Ended with the channel: the menu is deleted when the channel's stream has ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from channels.errors import ChannelNotFound
from channels.models import ChannelProfile
from channels.self_service.menus.errors import MenuChanged, MenuEntryNotFound, NothingToSelect
from channels.self_service.menus.events import MenuSelected
from channels.self_service.menus.models import Menu, MenuEntry
from channels.self_service.menus.store import MenuStore
from channels.service.guard import ChannelGuard
from channels.service.profiles import ProfileCache
from conversations.models import ConversationId, Dialogue, DialogueMessage, group_of
from conversations.service.dialogues import DialogueService
from conversations.service.inbox_rules import Writer
from conversations.service.write_permission import WritePermission
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, StreamId
from groups.kernel.mongo import Database, Document, Tx
from groups.models import Action, ActionKind, Content, Kind
from groups.service.access.guard import AccessGuard
from groups.service.idempotency import Idempotency, KeyedCall, keyed_call
from groups.service.lifecycle.update import GroupChanges, UpdateService
from groups.service.write_locks import group_lock

T = TypeVar("T")

_VERSION: Final = "menu_version"


class Profiles(Protocol):
    """The stored profiles of channels, which tell the version of the menu."""

    async def find_profile(
        self, channel_id: GroupId, tx: Tx | None = None
    ) -> ChannelProfile | None:
        """The profile, if the channel exists."""

    async def update_profile(self, channel_id: GroupId, values: Document, tx: Tx) -> None:
        """Set values of the profile."""


@dataclass(frozen=True, slots=True)
class Selected:
    """An entry that was chosen. `message`: what the user sent by it; None: the back end learns of it."""

    entry: str
    action: Action
    message: DialogueMessage | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuService:
    """The menus of channels. The admin log records each change."""

    database: Database
    menus: MenuStore
    profiles: Profiles
    cache: ProfileCache
    updates: UpdateService
    channel: ChannelGuard
    guard: AccessGuard
    dialogues: DialogueService
    permission: WritePermission
    idempotency: Idempotency
    take_turn: Callable[[Actor], object]
    """Bounds the selections of a user a second. Raises: RateLimited."""
    clock: Clock

    async def get(self, actor: Actor, channel_id: GroupId) -> Menu | None:
        """The channel's menu, if it has one. Raises: ChannelNotFound."""
        async with self.channel(channel_id):
            await self.guard.access_of(actor, channel_id)
        return await self.menus.find(channel_id)

    async def put(self, actor: Actor, channel_id: GroupId, entries: tuple[MenuEntry, ...]) -> Menu:
        """Store the menu in place of the one before; the same entries change nothing.

        Publishes: GroupUpdated. Raises: PermissionRefused.
        """

        async def work(tx: Tx) -> Menu:
            before = await self.menus.find(channel_id, tx)
            now = self.clock.now()
            is_same = before is not None and before.entries == entries
            menu = Menu(
                channel_id=channel_id,
                version=_version_at(now, before),
                entries=entries,
                changed_at=now,
                changed_by=actor.user_id,
            )
            await self._change(actor, channel_id, before, before if is_same else menu, tx)
            if before is not None and is_same:
                return before
            await self.menus.put(menu, tx)
            return menu

        return await self._run(channel_id, work)

    async def delete(self, actor: Actor, channel_id: GroupId) -> None:
        """Delete the menu; without one, nothing changes. Publishes: GroupUpdated. Raises: PermissionRefused."""

        async def work(tx: Tx) -> None:
            before = await self.menus.find(channel_id, tx)
            await self._change(actor, channel_id, before, None, tx)
            await self.menus.delete(channel_id, tx)

        await self._run(channel_id, work)

    async def select(
        self,
        actor: Actor,
        channel_id: GroupId,
        entry: str,
        *,
        version: int | None = None,
        key: str | None = None,
    ) -> Selected:
        """Do what the entry at this path does: send its text as the user's message, or announce it. Once for each key.

        Publishes: DialoguePosted or MenuSelected. Raises: MenuEntryNotFound; MenuChanged, where the menu has not this
        version; NothingToSelect; RateLimited; what refuses the user's messages to the channel.
        """
        self.take_turn(actor)
        menu = await self.get(actor, channel_id)
        found = menu.entry_at(entry) if menu is not None else None
        if menu is not None and version is not None and version != menu.version:
            raise MenuChanged
        if found is None:
            raise MenuEntryNotFound
        action = found.action
        if action is None or not action.is_counted:
            raise NothingToSelect
        dialogue = Dialogue(actor.user_id, channel_id)
        if action.kind is ActionKind.REPLY:
            content = Content(kind=Kind.TEXT, text=action.value)
            message = await self.dialogues.post(actor, dialogue, content, key=key)
            return Selected(entry, action, message)
        call = keyed_call(actor, f"menu {channel_id}", key, f"{entry} {found.text} {action.value}")
        selected = MenuSelected(
            at=self.clock.now(),
            channel_id=channel_id,
            user_id=actor.user_id,
            entry=entry,
            text=found.text,
            data=action.value,
        )
        await self.database.run(lambda tx: self._announce(actor, dialogue, selected, call, tx))
        return Selected(entry, action, None)

    async def _announce(
        self,
        actor: Actor,
        dialogue: Dialogue,
        selected: MenuSelected,
        call: KeyedCall | None,
        tx: Tx,
    ) -> None:
        if await self.idempotency.find_first(call, tx) is not None:
            return
        writer = Writer(actor, is_for_channel=False)
        found = self.permission.query([{writer: dialogue}], self.clock.now())
        await self.database.fetch_together(*found.queries, tx=tx)
        refusals = await self.permission.refusals_in(found, {writer: dialogue}, tx, is_begun=True)
        refusal = refusals[writer]
        if refusal is not None:
            raise refusal
        tx.publish(selected.model_copy(update={"staff": found.staff(dialogue)}))
        await self.idempotency.remember(call, selected.entry, tx)

    async def _run(self, channel_id: GroupId, work: Callable[[Tx], Awaitable[T]]) -> T:
        async with self.channel(channel_id):
            changed = await self.database.run(work, group_lock(channel_id))
        self.cache.forget(channel_id)
        return changed

    async def _change(
        self, actor: Actor, channel_id: GroupId, before: Menu | None, after: Menu | None, tx: Tx
    ) -> None:
        """Check that the actor may change the menu, and have the channel's profile, event and log tell of it."""
        profile = await self.profiles.find_profile(channel_id, tx)
        if profile is None:
            raise ChannelNotFound
        version = after.version if after is not None else 0
        is_changed = version != profile.menu_version
        values = {_VERSION: version} if is_changed else {}
        await self.updates.update_in(
            actor,
            channel_id,
            GroupChanges(),
            tx,
            for_channel=True,
            also_asked={_VERSION},
            also_before=dict.fromkeys(values, profile.menu_version),
            also_changed=values,
        )
        if values:
            await self.profiles.update_profile(channel_id, values, tx)


def _version_at(now: datetime, before: Menu | None) -> int:
    """Milliseconds since 1970, or one more than before: it grows, also where the clock does not."""
    least = before.version + 1 if before is not None else 1
    return max(least, round(now.timestamp() * 1000))


@dataclass(frozen=True, slots=True)
class MenuCleanup:
    """Deletes the menu of a channel whose stream has ended (a hook of `groups`)."""

    menus: MenuStore

    async def delete_some(self, stream_id: StreamId, tx: Tx) -> int:
        """As `groups.service.hooks.DeleteOfStream`."""
        channel_id = group_of(ConversationId(stream_id))
        return int(channel_id is not None and await self.menus.delete(channel_id, tx))
