"""The life of a group: created, shown, listed, changed, disbanded.

`create_in`, `update_in` and `mark_in` work inside a caller's transaction, for `channels`, which stores more about some
groups in the same breath; the plain methods open their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from groups import policy
from groups.errors import (
    BadGroupId,
    BadMemberLimit,
    CustomFieldLimitReached,
    GroupIdTaken,
    GroupNotFound,
    GroupsPerUserReached,
    NotForThisType,
    ReservedCustomField,
)
from groups.events import GroupDisbanded, GroupUpdated, MembersJoined, profile_of
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.ids import ID_BYTES, GroupId, is_id, mint_id
from groups.kernel.mongo import Database, Tx
from groups.kernel.paging import cut_page, decode_cursor, encode_cursor
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER, GroupLimits
from groups.models import (
    CHANNEL_MARKER,
    AdminAct,
    AdminAction,
    Group,
    GroupType,
    JoinOption,
    Member,
    Model,
    Posting,
    ReactionChoice,
    Role,
    Standing,
    Stream,
    Visibility,
    stream_of,
    type_member_limit,
)
from groups.service.access import Access
from groups.service.admin_log import AdminLog
from groups.service.clearing import Clearing
from groups.service.faces import Faces
from groups.service.hooks import Hooks
from groups.service.repeats import Repeatable, Repeats, repeatable
from groups.store import GroupStore, MemberStore, MessageStore, UserStore

COMMUNITY_PREFIX: Final = "@TGS#_"  # ids of Community groups; reference product
CHANNEL_PREFIX: Final = "@TOA#_"  # ids of channels made as such; founding document, profile fields

NEAR_LIMIT: Final = 100
"""So many groups below a user's limit, his joins are made to conflict, so that racing ones cannot pass it together."""


class NewGroup(Model):
    """What a group shall be; None leaves it to the type."""

    group_id: GroupId | None = None
    type: GroupType
    name: str
    introduction: str = ""
    notification: str = ""
    face_url: str = ""
    custom: dict[str, str] = Field(default_factory=dict)
    posting: Posting | None = None
    join_option: JoinOption | None = None
    visibility: Visibility | None = None
    history_visible: bool | None = None
    member_limit: int | None = None
    reactions: ReactionChoice = "all"
    reactions_per_user: int = REACTIONS_PER_USER
    distinct_reactions: int = DISTINCT_REACTIONS


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


_JOIN_OPTION: Final = {
    GroupType.WORK: JoinOption.INVITE,
    GroupType.PUBLIC: JoinOption.APPROVAL,
    GroupType.MEETING: JoinOption.FREE,
    GroupType.COMMUNITY: JoinOption.FREE,
}
_VISIBILITY: Final = {
    GroupType.WORK: Visibility.PRIVATE,
    GroupType.PUBLIC: Visibility.PROFILE,
    GroupType.MEETING: Visibility.PROFILE,
    GroupType.COMMUNITY: Visibility.PROFILE,
}


class GroupService:
    """Groups and their profiles."""

    def __init__(
        self,
        database: Database,
        groups: GroupStore,
        members: MemberStore,
        messages: MessageStore,
        users: UserStore,
        access: Access,
        faces: Faces,
        clearing: Clearing,
        admin_log: AdminLog,
        repeats: Repeats,
        hooks: Hooks,
        limits: GroupLimits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._groups = groups
        self._members = members
        self._messages = messages
        self._users = users
        self._access = access
        self._faces = faces
        self._clearing = clearing
        self._admin_log = admin_log
        self._repeats = repeats
        self._hooks = hooks
        self._limits = limits
        self._clock = clock

    # --- create ---------------------------------------------------------------------------------------------------

    async def create(self, actor: Actor, new: NewGroup, *, key: str | None = None) -> Standing:
        """Create a group that the actor owns; with a `key`, doing it again answers the first one.

        Publishes: MembersJoined (the owner). Raises: GroupIdTaken; BadGroupId; BadMemberLimit; ReservedCustomField;
        CustomFieldLimitReached; GroupsPerUserReached; IdempotencyConflict.
        """
        if new.group_id is not None:
            self._check_prefix(new.group_id, new.type)
        if CHANNEL_MARKER in new.custom:
            raise ReservedCustomField
        prefix = COMMUNITY_PREFIX if new.type is GroupType.COMMUNITY else ""
        call = repeatable(actor, "group", key, new.model_dump_json())
        standing, _ = await self._database.run(
            lambda tx: self.create_in(actor, new, tx, prefix=prefix, call=call)
        )
        return standing

    async def create_in(
        self,
        actor: Actor,
        new: NewGroup,
        tx: Tx,
        *,
        prefix: str,
        call: Repeatable | None,
        profile: dict[str, object] | None = None,
    ) -> tuple[Standing, bool]:
        """The group, and whether this call made it (False: an earlier `call` under the same key did).

        `profile` joins the event: what the caller stores of the group in the same transaction.
        """
        of_type = type_member_limit(new.type, self._limits)
        if new.member_limit is not None and not 1 <= new.member_limit <= of_type:
            raise BadMemberLimit(f"At most {of_type} members", limit=of_type)
        if len(new.custom) > self._limits.custom_fields + (CHANNEL_MARKER in new.custom):
            raise CustomFieldLimitReached(limit=self._limits.custom_fields)
        first = await self._repeats.first(call, tx)
        if first is not None:
            return await self._access.standing(actor, GroupId(first), tx), False
        group_id = new.group_id or GroupId(prefix + mint_id())
        if await self._groups.find(group_id, tx) is not None:
            raise GroupIdTaken
        if await self._groups.is_being_cleared(group_id, tx):
            raise GroupIdTaken
        counts = await self._members.count_groups([actor.user_id], tx)
        self.check_groups_of_user(counts.get(actor.user_id, 0))
        if counts.get(actor.user_id, 0) + NEAR_LIMIT >= self._limits.groups_per_user:
            await self._users.touch(actor.user_id, tx)
        now = self._clock.now()
        group = self._new_group(actor, new, group_id, now)
        owner = Member(
            group_id=group_id, user_id=actor.user_id, role=Role.OWNER, joined_at=now, joined_seq=0
        )
        stream = Stream(stream_id=group.stream_id, is_channel=group.is_channel)
        await self._faces.replace(actor, "", group.face_url, now, tx)
        await self._groups.insert(group, tx)
        await self._repeats.note(call, group_id, tx)
        await self._messages.insert_stream(stream, tx)
        await self._members.insert_many([owner], tx)
        await self._admin_log.record(tx, group, AdminAct(actor, AdminAction.CHANNEL_CREATED))
        tx.publish(
            MembersJoined(
                at=now,
                group_id=group_id,
                is_channel=group.is_channel,
                user_ids=(actor.user_id,),
                member_count=1,
                announce=False,
                profile=profile_of(group, profile),
            )
        )
        return Standing(group=group, member=owner, rank=policy.rank_of(actor, owner, None)), True

    def _new_group(
        self,
        actor: Actor,
        new: NewGroup,
        group_id: GroupId,
        now: datetime,
    ) -> Group:
        join_option = new.join_option or _JOIN_OPTION[new.type]
        if new.type is GroupType.WORK and join_option is not JoinOption.INVITE:
            raise NotForThisType
        history = new.history_visible
        return Group(
            group_id=group_id,
            type=new.type,
            name=new.name,
            introduction=new.introduction,
            notification=new.notification,
            face_url=new.face_url,
            owner_id=actor.user_id,
            custom=new.custom,
            posting=new.posting or Posting.EVERYONE,
            join_option=join_option,
            visibility=new.visibility or _VISIBILITY[new.type],
            history_visible=new.type is GroupType.MEETING if history is None else history,
            member_limit=new.member_limit,
            member_count=1,
            reactions=new.reactions,
            reactions_per_user=new.reactions_per_user,
            distinct_reactions=new.distinct_reactions,
            created_at=now,
            created_by=actor.user_id,
        )

    def check_groups_of_user(self, groups: int) -> None:
        """Refuse one group more for a user who is in so many.

        Raises: GroupsPerUserReached.
        """
        if groups >= self._limits.groups_per_user:
            raise GroupsPerUserReached(limit=self._limits.groups_per_user)

    @staticmethod
    def _check_prefix(group_id: GroupId, group_type: GroupType) -> None:
        if group_type is GroupType.COMMUNITY:
            if not group_id.startswith(COMMUNITY_PREFIX) or group_id == COMMUNITY_PREFIX:
                raise BadGroupId(f"The id of a Community group starts with {COMMUNITY_PREFIX}")
        elif group_id.startswith("@"):
            raise BadGroupId("An id that starts with @ is for Community groups and channels")

    # --- read -----------------------------------------------------------------------------------------------------

    async def get(self, actor: Actor, group_id: GroupId) -> tuple[Standing, Stream]:
        """The group as the actor sees it, and its stream's head.

        Raises: GroupNotFound.
        """
        standing = await self._access.standing(actor, group_id)
        stream = await self._messages.find_stream(standing.group.stream_id)
        if stream is None:  # disbanded between the two reads
            raise GroupNotFound
        return standing, stream

    async def get_many(
        self, actor: Actor, group_ids: Sequence[GroupId]
    ) -> list[tuple[Standing, Stream] | DomainError]:
        """Each of the groups as the actor sees it, or its own refusal, in the order asked for."""
        asked = [group_id for group_id in group_ids if is_id(group_id, ID_BYTES)]
        groups = await self._groups.find_many(asked)
        streams = await self._messages.find_streams(stream_of(group_id) for group_id in groups)
        members = await self._members.find_of_user(actor.user_id, asked)
        found: list[tuple[Standing, Stream] | DomainError] = []
        for group_id in group_ids:
            group, stream = groups.get(group_id), streams.get(stream_of(group_id))
            member = members.get(group_id)
            rank = policy.rank_of(actor, member, None)
            if group is None or stream is None or not policy.may_see(group, rank):
                found.append(GroupNotFound())
            else:
                found.append((Standing(group=group, member=member, rank=rank), stream))
        return found

    async def list_joined(
        self, actor: Actor, *, limit: int, cursor: str | None
    ) -> tuple[list[tuple[Standing, Stream]], str | None]:
        """A page of the groups the actor is in, by id, and the cursor to the next."""
        key = decode_cursor("joined", cursor, str)
        after = str(key[0]) if key else ""
        members = await self._members.list_of_user(actor.user_id, after=after, limit=limit + 1)
        members, has_more = cut_page(members, limit)
        group_ids = [member.group_id for member in members]
        groups = await self._groups.find_many(group_ids)
        streams = await self._messages.find_streams(stream_of(group_id) for group_id in groups)
        found: list[tuple[Standing, Stream]] = []
        for member in members:
            group, stream = groups.get(member.group_id), streams.get(stream_of(member.group_id))
            if group is not None and stream is not None:
                rank = policy.rank_of(actor, member, None)
                found.append((Standing(group=group, member=member, rank=rank), stream))
        return found, encode_cursor("joined", group_ids[-1]) if has_more else None

    # --- change ---------------------------------------------------------------------------------------------------

    async def update(self, actor: Actor, group_id: GroupId, changes: GroupChanges) -> None:
        """Change profile or settings.

        Publishes: GroupUpdated, when something changed. Raises: GroupNotFound; PermissionRefused;
        ReservedCustomField; CustomFieldLimitReached; FixedInChannel; NotForThisType.
        """
        await self._database.run(lambda tx: self.update_in(actor, group_id, changes, tx))

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
    ) -> Standing:
        """Change the group; the caller changes fields of his own in the same transaction.

        `also_asked` names those that need the actor's rights too; `also_changed`, with the values they had before,
        joins the event and the admin log.
        `for_channel`: the channel's own rules stand behind the change, so what it fixes may move.
        """
        standing = await self._access.standing(actor, group_id, tx)
        group = standing.group
        fields = set(changes.model_fields_set)
        refusal = policy.updating_refusal(standing, {*fields, *also_asked}, for_channel=for_channel)
        if refusal is not None:
            raise refusal
        # Read from the model, not from JSON: enums and tuples are stored as their plain values.
        wanted = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        if changes.custom is not None:
            wanted["custom"] = self._merged_custom(group, changes.custom)
        if not for_channel and (refusal := policy.profile_refusal(group, wanted, self._limits)):
            raise refusal
        values = {name: value for name, value in wanted.items() if getattr(group, name) != value}
        changed = await self._store_changes(actor, standing, values, tx, also_changed)
        shown = group.model_dump(mode="json", include=set(values))
        now = changed.group.model_dump(mode="json", include=set(values))
        acts = _acts_of(actor, {**shown, **also_before}, {**now, **also_changed})
        await self._admin_log.record(tx, changed.group, *acts)
        return changed

    async def mark_in(
        self,
        actor: Actor,
        group_id: GroupId,
        changes: GroupChanges,
        tx: Tx,
        *,
        also_changed: dict[str, object] | None = None,
    ) -> tuple[Standing, Stream]:
        """Make a Community group that the actor owns a channel, with these settings; `also_changed` as in `update_in`.

        Publishes: GroupUpdated. Raises: GroupNotFound; PermissionRefused; NotForThisType.
        """
        standing = await self._access.standing(actor, group_id, tx)
        group = standing.group
        if policy.transferring_refusal(standing.rank) is not None:
            raise PermissionRefused("Only its owner makes a group a channel")
        if group.type is not GroupType.COMMUNITY:
            raise NotForThisType("Only a Community group becomes a channel")
        values = changes.model_dump(mode="python", exclude_unset=True, exclude={"custom"})
        values["custom"] = {**group.custom, CHANNEL_MARKER: "1"}
        also_changed = {**(also_changed or {}), "is_channel": True}
        marked = await self._store_changes(actor, standing, values, tx, also_changed)
        await self._messages.mark_stream(group.stream_id, tx)
        act = AdminAct(actor, AdminAction.CHANNEL_CREATED)
        await self._admin_log.record(tx, marked.group, act)
        stream = await self._messages.find_stream(group.stream_id, tx)
        if stream is None:
            raise GroupNotFound
        return marked, stream

    async def _store_changes(
        self,
        actor: Actor,
        standing: Standing,
        values: dict[str, Any],
        tx: Tx,
        also_changed: Mapping[str, object],
    ) -> Standing:
        group = standing.group
        if not values and not also_changed:
            return standing
        now = self._clock.now()
        if "face_url" in values:
            await self._faces.replace(actor, group.face_url, values["face_url"], now, tx)
        await self._groups.update(group.group_id, values, tx, changed_at=now)
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
        return replace(standing, group=changed)

    def _merged_custom(self, group: Group, changes: dict[str, str | None]) -> dict[str, str]:
        if CHANNEL_MARKER in changes:
            raise ReservedCustomField
        merged = {
            key: value for key, value in {**group.custom, **changes}.items() if value is not None
        }
        # The marker is ours, so it does not use up one of the application's fields.
        if len(merged) - (CHANNEL_MARKER in merged) > self._limits.custom_fields:
            raise CustomFieldLimitReached(limit=self._limits.custom_fields)
        return merged

    # --- disband --------------------------------------------------------------------------------------------------

    async def disband(self, actor: Actor, group_id: GroupId) -> None:
        """End the group for everyone; what it leaves is cleared away in the background.

        Publishes: GroupDisbanded. Raises: GroupNotFound; PermissionRefused.
        """
        await self._database.run(lambda tx: self._disband(actor, group_id, tx))
        # A crash before this line leaves the clearing to the next start of any process.
        self._clearing.start(group_id)

    async def _disband(self, actor: Actor, group_id: GroupId, tx: Tx) -> None:
        standing = await self._access.standing(actor, group_id, tx)
        group = standing.group
        refusal = policy.disbanding_refusal(group, standing.rank)
        if refusal is not None:
            raise refusal
        now = self._clock.now()
        # Group and stream go together: a join writes the one, a post the other, so both conflict with this.
        await self._groups.delete(group, now, tx)
        await self._faces.release(group.face_url, now, tx)
        await self._messages.delete_stream(group.stream_id, tx)
        for hook in self._hooks.disbanded:
            await hook(group, tx)
        tx.publish(GroupDisbanded(at=now, group_id=group_id, is_channel=group.is_channel))


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
