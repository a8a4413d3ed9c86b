"""Changes groups: profile, settings, and once what the group is, when a Community group becomes a channel.

A change is checked against the actor's grants, published in one event and noted in the admin log, in one transaction.
`update_in` and `mark_in` work inside the caller's transaction, in which `channels` stores more about a group.
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
from groups.kernel.clock import Clock, rfc3339
from groups.kernel.errors import PermissionRefused
from groups.kernel.ids import GroupId
from groups.kernel.mongo import Database, Tx
from groups.limits import GroupLimits
from groups.models import (
    CHANNEL_MARKER,
    AccessContext,
    AdminAct,
    AdminAction,
    Commenting,
    Group,
    GroupType,
    JoinOption,
    Marking,
    Model,
    Posting,
    ReactionChoice,
    Visibility,
)
from groups.service.access.guard import AccessGuard
from groups.service.admin_log import AdminLog
from groups.service.media.avatars import Avatars
from groups.service.write_locks import group_lock
from groups.store.groups import GroupStore
from groups.store.streams import StreamStore


class GroupChanges(Model):
    """New values; fields that were not set stay. In `custom`, None removes a key; keys that are not named stay."""

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
    comments: Commenting | None = None
    retention_days: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateService:
    """Changes groups."""

    database: Database
    groups: GroupStore
    streams: StreamStore
    guard: AccessGuard
    avatars: Avatars
    admin_log: AdminLog
    limits: GroupLimits
    clock: Clock

    async def update(self, actor: Actor, group_id: GroupId, changes: GroupChanges) -> None:
        """Change profile or settings; a new name removes the verified badge. Publishes: GroupUpdated, on a change."""
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
        also_info: Collection[str] = (),
        also_vouched: Collection[str] = (),
        also_before: Mapping[str, object] = MappingProxyType({}),
        also_changed: Mapping[str, object] = MappingProxyType({}),
    ) -> AccessContext:
        """Change the group in a transaction in which the caller changes more fields.

        `also_asked` names the caller's fields that need the actor's rights too. `also_info` names those that belong to
        the profile (the others are settings), `also_vouched` those that a verified badge vouches for. `also_changed`
        and `also_before` are their values for the event and the admin log.
        `for_channel`: the caller enforces the rules of channels, so fields that are fixed in channels may change.
        """
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        fields = set(changes.model_fields_set)
        info_fields = {*policy.INFO_FIELDS, *also_info}
        policy.check(
            policy.updating_refusal(
                access, {*fields, *also_asked}, info_fields=info_fields, for_channel=for_channel
            )
        )
        # Read from the model, not from JSON: enums and tuples are stored as their plain values.
        wanted = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        if changes.custom is not None:
            wanted["custom"] = self._merged_custom(group, changes.custom)
        policy.check(policy.retention_refusal(wanted.get("retention_days"), self.limits))
        if not for_channel and (refusal := policy.profile_refusal(group, wanted, self.limits)):
            raise refusal
        values = {name: value for name, value in wanted.items() if getattr(group, name) != value}
        if policy.loses_badge(access, {*values, *also_changed}, also_vouched=also_vouched):
            values["verified"] = False
        changed = await self._store_changes(actor, access, values, tx, also_changed)
        shown = group.model_dump(mode="json", include=set(values))
        now = changed.group.model_dump(mode="json", include=set(values))
        acts = _acts_of(
            actor, {**shown, **also_before}, {**now, **also_changed}, info_fields=info_fields
        )
        await self.admin_log.record(tx, changed.group, *acts)
        return changed

    async def mark_in(
        self,
        actor: Actor,
        group_id: GroupId,
        changes: GroupChanges,
        tx: Tx,
        *,
        share_history: bool = False,
        also_changed: dict[str, object] | None = None,
    ) -> AccessContext:
        """Turn a Community group that the actor owns into a channel with these settings. Publishes: GroupUpdated.

        What was written before stays visible to those only who could see it (`policy.history_floor`), unless the owner
        shares it.
        """
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        if policy.transferring_refusal(access.effective_role) is not None:
            raise PermissionRefused("Only its owner makes a group a channel")
        policy.check(policy.adding_anything_refusal(access))
        if group.type is not GroupType.COMMUNITY:
            raise NotForThisType("Only a Community group becomes a channel")
        head_seq = await self.streams.mark_channel(group.stream_id, tx)
        if head_seq is None:
            raise GroupNotFound
        marking = Marking(
            at=self.clock.now(),
            by=actor.user_id,
            head_seq=head_seq,
            is_history_shared=share_history,
            was_history_visible=group.history_visible,
        )
        values = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        values |= {"custom": {**group.custom, CHANNEL_MARKER: "1"}, "marking": marking}
        marked_fields = {
            "is_channel": True,
            "public_from_seq": 1 if share_history else head_seq + 1,
            "history_shared_at": rfc3339(marking.at) if share_history else None,
        }
        marked = await self._store_changes(
            actor, access, values, tx, {**(also_changed or {}), **marked_fields}
        )
        shared = {"history_shared": True} if share_history else {}
        act = AdminAct(actor, AdminAction.CHANNEL_CREATED, after={**shared})
        await self.admin_log.record(tx, marked.group, act)
        return marked

    async def restore_marker_in(self, actor: Actor, group_id: GroupId, tx: Tx) -> None:
        """Give a channel the marker that its group lost; what is public stays so. Publishes: GroupUpdated."""
        access = await self.guard.access_of(actor, group_id, tx)
        group = access.group
        if await self.streams.mark_channel(group.stream_id, tx) is None:
            raise GroupNotFound
        values = {"custom": {**group.custom, CHANNEL_MARKER: "1"}}
        marked = await self._store_changes(actor, access, values, tx, {"is_channel": True})
        await self.admin_log.record(tx, marked.group, AdminAct(actor, AdminAction.CHANNEL_CREATED))

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
        if "retention_days" in values:
            # What is there gets its new time in the background (`retention`), which goes on after a crash.
            await self.groups.begin_redating(group.group_id, tx)
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
        all_values = {**group.custom, **changes}
        merged = {key: value for key, value in all_values.items() if value is not None}
        # The marker does not count as one of the application's fields.
        if len(merged) - (CHANNEL_MARKER in merged) > self.limits.custom_fields:
            raise CustomFieldLimitReached(limit=self.limits.custom_fields)
        return merged


def _acts_of(
    actor: Actor,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    info_fields: Collection[str],
) -> list[AdminAct]:
    """The entries for changed fields: one for the profile, one for the settings."""
    acts: list[AdminAct] = []
    actions = {True: AdminAction.INFO_CHANGED, False: AdminAction.SETTINGS_CHANGED}
    for is_info, action in actions.items():
        names = [name for name in after if (name in info_fields) is is_info]
        if names:
            were, are = ({name: side.get(name) for name in names} for side in (before, after))
            acts.append(AdminAct(actor, action, None, were, are))
    return acts
