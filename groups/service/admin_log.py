"""The admin logs of channels, and that of the application: actor, act, target, and the values before and after.

Promises:
    True: an entry is written in the transaction of its change, so there is one for each change, and none for a change
    that was refused or rolled back.
    Lasting: an entry never expires; it is deleted with its channel.
    Small: each value before and after is shortened to `VALUE_BYTES`.

Every service that makes an administrative change calls `record` inside its transaction, or `record_of_app` for what
the application does beyond one channel. The application's log is stored as that of a group that cannot exist.
"""

import itertools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from groups import policy
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor, json_size
from groups.models import APP_LOG, AdminAct, AdminAction, AdminLogEntry, Content, Group
from groups.service.access.guard import AccessGuard
from groups.store.admin_log import AdminLogStore

VALUE_BYTES: Final = 400
"""The limit of one value, as JSON in UTF-8; a longer value becomes text that ends in an ellipsis."""
STEP: Final = 1_000  # entries a transaction when a log is cleared away

_made: Final = itertools.count()


@dataclass(frozen=True, kw_only=True, slots=True)
class AdminLog:
    """Writes and lists the admin logs of all channels; groups that are no channels have none."""

    entries: AdminLogStore
    guard: AccessGuard
    clock: Clock

    async def record(self, tx: Tx, group: Group, *acts: AdminAct) -> None:
        """Add entries for what the transaction does, in this order; nothing where the group is no channel."""
        if acts and group.is_channel:
            entries = [self._entry(group.group_id, self.next_id(), act) for act in acts]
            self.entries.insert_many(entries, tx)

    async def record_of_app(self, tx: Tx, *acts: AdminAct) -> None:
        """Add entries to the application's log, in this order."""
        self.entries.insert_many([self._entry(APP_LOG, self.next_id(), act) for act in acts], tx)

    async def record_twice(self, tx: Tx, group: Group, act: AdminAct) -> None:
        """Add an entry to the channel's log, and one to the application's, whose target is the channel."""
        await self.record(tx, group, act)
        await self.record_of_app(tx, replace(act, target_id=group.group_id))

    def next_id(self) -> str:
        """The id of a new entry: greater than earlier ids of this process, and by the clock than those of others."""
        at = round(self.clock.now().timestamp() * 1000)
        return f"{at:012x}{next(_made) % 16**6:06x}{secrets.token_hex(5)}"

    async def count_imported(
        self, tx: Tx, group: Group, entry_id: str, actor: Actor, users: int
    ) -> None:
        """Add imported users to the count in the one entry of the import, which the first call creates."""
        if group.is_channel:
            act = AdminAct(actor, AdminAction.SUBSCRIBERS_IMPORTED)
            entry = self._entry(group.group_id, entry_id, act)
            await self.entries.count_up(entry, "added", users, tx)

    def _entry(self, group_id: GroupId, entry_id: str, act: AdminAct) -> AdminLogEntry:
        return AdminLogEntry(
            entry_id=entry_id,
            group_id=group_id,
            action=act.action,
            actor_id=act.actor.user_id,
            by_app=act.actor.is_app_admin,
            target_id=act.target_id,
            before=_cut_all(act.before),
            after=_cut_all(act.after),
            at=self.clock.now(),
        )

    async def list_entries(
        self,
        actor: Actor,
        group_id: GroupId,
        *,
        action: AdminAction | None,
        actor_id: str | None,
        target_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[AdminLogEntry], str | None]:
        """A page of the entries that match all given filters, newest first (owner and admins only)."""
        access = await self.guard.access_of(actor, group_id)
        policy.check(policy.staff_refusal(access))
        return await self._page(group_id, action, actor_id, target_id, limit, cursor)

    async def list_of_app(
        self,
        actor: Actor,
        *,
        action: AdminAction | None,
        actor_id: str | None,
        target_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[AdminLogEntry], str | None]:
        """As `list_entries`, of the application's log (the application). Raises: PermissionRefused; BadCursor."""
        policy.check(policy.application_refusal(actor))
        return await self._page(APP_LOG, action, actor_id, target_id, limit, cursor)

    async def _page(
        self,
        group_id: GroupId,
        action: AdminAction | None,
        actor_id: str | None,
        target_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[AdminLogEntry], str | None]:
        key = decode_cursor("admin log", cursor, str)
        wanted = {"action": action, "actor_id": actor_id, "target_id": target_id}
        entries = await self.entries.list_entries(
            group_id,
            {name: str(value) for name, value in wanted.items() if value is not None},
            before=str(key[0]) if key else None,
            limit=limit + 1,
        )
        entries, has_more = cut_page(entries, limit, _size_of)
        return entries, encode_cursor("admin log", entries[-1].entry_id) if has_more else None

    async def clear(self, group_id: GroupId, tx: Tx) -> bool:
        """Delete some entries of a disbanded group; returns whether there may be more."""
        return await self.entries.delete_some(group_id, STEP, tx) > 0


def content_for_log(content: Content | None) -> dict[str, object]:
    """The part of a post's content that the log keeps."""
    if content is None:
        return {}
    shown = {"kind": content.kind.value, "title": content.title, "text": content.text}
    return {name: value for name, value in shown.items() if value}


def _size_of(entry: AdminLogEntry) -> int:
    """The approximate size as JSON, in bytes: the values, and 500 for ids and time."""
    return 500 + json_size(entry.before, entry.after)


def _cut_all(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _cut(value) for name, value in values.items()}


def _cut(value: object) -> object:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    encoded = text.encode()
    if len(encoded) <= VALUE_BYTES:
        return value
    ellipsis = "…"
    # A character that the cut would split is dropped.
    kept = encoded[: VALUE_BYTES - len(ellipsis.encode())].decode(errors="ignore")
    return kept + ellipsis
