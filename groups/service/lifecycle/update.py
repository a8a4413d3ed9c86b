"""Changing a group: its profile, its settings, and, once, what it is: a Community group becomes a channel.

Every change is checked against the actor's grants, told in one event and in the admin log, all in one transaction.
`update_in` and `mark_in` work inside a caller's, for `channels`, which stores more about some groups in the same
breath.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from groups import policy
from groups.errors import (
    CustomFieldLimitReached,
    GroupNotFound,
    NotForThisType,
    ReservedCustomField,
)
from groups.events import GroupUpdated
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    AdminAct,
    AdminAction,
    Group,
    GroupType,
    JoinOption,
    Model,
    Posting,
    ReactionChoice,
    Stream,
    Visibility,
)
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.media.avatars import Avatars
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore


class GroupChanges(Model):
    """New values; a field that was not set stays. In `custom`, None removes a key, and keys not named stay."""

    name: str | None = None
    introduction: str | None = None
    notification: str | None = None
    face_url: str | None = None
    custom: dict[str, str | None] | None = None
    posting: Posting | None = None
    join_option: JoinOption | None = None
    visibility: Visibility | None = None
    history_visible: bool | None = None
    muted_all: bool | None = None
    verified: bool | None = None
    reactions: ReactionChoice | None = None
    reactions_per_user: int | None = None
    distinct_reactions: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateService:
    """Changes of groups."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    guard: AccessGuard
    avatars: Avatars
    admin_log: AdminLog
    limits: GroupLimits
    clock: Clock

    async def update(self, actor: Actor, group_id: GroupId, changes: GroupChanges) -> None:
        """Change profile or settings; a new name takes a verified badge.

        Publishes: GroupUpdated, when something changed. Raises: GroupNotFound; PermissionRefused;
        ReservedCustomField; CustomFieldLimitReached; FixedInChannel; NotForThisType.
        """
        await self.database.run(
            lambda tx: self.update_in(actor, group_id, changes, tx), group_lock(group_id)
        )

    async def update_in(
        self,
        actor: Actor,
        group_id: GroupId,
        changes: GroupChanges,
        tx: Tx,
        *,
        for_channel: bool = False,
        also_asked: Collection[str] = (),
        also_before: Mapping[str, object] = MappingProxyType({}),
        also_changed: Mapping[str, object] = MappingProxyType({}),
    ) -> AccessContext:
        """Change the group; the caller changes fields of his own in the same transaction.

        `also_asked` names those that need the actor's rights too; `also_changed`, with the values they had before,
        joins the event and the admin log.
        `for_channel`: the channel's own rules stand behind the change, so what it fixes may move.
        """
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        fields = set(changes.model_fields_set)
        refusal = policy.updating_refusal(access, {*fields, *also_asked}, for_channel=for_channel)
        if refusal is not None:
            raise refusal
        # Read from the model, not from JSON: enums and tuples are stored as their plain values.
        wanted = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        if changes.custom is not None:
            wanted["custom"] = self._merged_custom(group, changes.custom)
        if not for_channel and (refusal := policy.profile_refusal(group, wanted, self.limits)):
            raise refusal
        values = {name: value for name, value in wanted.items() if getattr(group, name) != value}
        if policy.loses_badge(access, {*values, *also_changed}):
            values["verified"] = False
        changed = await self._store_changes(actor, access, values, tx, also_changed)
        shown = group.model_dump(mode="json", include=set(values))
        now = changed.group.model_dump(mode="json", include=set(values))
        acts = _acts_of(actor, {**shown, **also_before}, {**now, **also_changed})
        await self.admin_log.record(tx, changed.group, *acts)
        return changed

    async def mark_in(
        self,
        actor: Actor,
        group_id: GroupId,
        changes: GroupChanges,
        tx: Tx,
        *,
        also_changed: dict[str, object] | None = None,
    ) -> tuple[AccessContext, Stream]:
        """Make a Community group that the actor owns a channel, with these settings; `also_changed` as in `update_in`.

        Publishes: GroupUpdated. Raises: GroupNotFound; PermissionRefused; NotForThisType.
        """
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        if policy.transferring_refusal(access.effective_role) is not None:
            raise PermissionRefused("Only its owner makes a group a channel")
        if group.type is not GroupType.COMMUNITY:
            raise NotForThisType("Only a Community group becomes a channel")
        values = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        values["custom"] = {**group.custom, CHANNEL_MARKER: "1"}
        also_changed = {**(also_changed or {}), "is_channel": True}
        marked = await self._store_changes(actor, access, values, tx, also_changed)
        await self.streams.mark_channel(group.stream_id, tx)
        act = AdminAct(actor, AdminAction.CHANNEL_CREATED)
        await self.admin_log.record(tx, marked.group, act)
        stream = await self.streams.find(group.stream_id, tx)
        if stream is None:
            raise GroupNotFound
        return marked, stream

    async def _store_changes(
        self,
        actor: Actor,
        access: AccessContext,
        values: dict[str, Any],
        tx: Tx,
        also_changed: Mapping[str, object],
    ) -> AccessContext:
        group = access.group
        if not values and not also_changed:
            return access
        now = self.clock.now()
        if "face_url" in values:
            await self.avatars.replace(actor, group.face_url, values["face_url"], now, tx)
        await self.groups.update(group.group_id, values, tx, changed_at=now)
        changed = group.model_copy(update={**values, "version": group.version + 1})
        shown = GroupChanges.model_construct(**values).model_dump(mode="json", exclude_unset=True)
        tx.publish(
            GroupUpdated(
                at=now,
                group_id=group.group_id,
                is_channel=changed.is_channel,
                changed={**shown, **also_changed},
                version=changed.version,
            )
        )
        return replace(access, group=changed)

    def _merged_custom(self, group: Group, changes: dict[str, str | None]) -> dict[str, str]:
        if CHANNEL_MARKER in changes:
            raise ReservedCustomField
        merged = {
            key: value for key, value in {**group.custom, **changes}.items() if value is not None
        }
        # The marker is ours, so it does not use up one of the application's fields.
        if len(merged) - (CHANNEL_MARKER in merged) > self.limits.custom_fields:
            raise CustomFieldLimitReached(limit=self.limits.custom_fields)
        return merged


def _acts_of(
    actor: Actor, before: Mapping[str, object], after: Mapping[str, object]
) -> list[AdminAct]:
    """What the admin log is told of changed fields: of the profile, and of the settings."""
    acts: list[AdminAct] = []
    for is_info, action in (
        (True, AdminAction.INFO_CHANGED),
        (False, AdminAction.SETTINGS_CHANGED),
    ):
        names = [name for name in after if (name in policy.INFO_FIELDS) is is_info]
        if names:
            were, are = ({name: side.get(name) for name in names} for side in (before, after))
            acts.append(AdminAct(actor, action, None, were, are))
    return acts
