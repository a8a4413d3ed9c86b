"""Creates groups. The creator owns the group and is its first member.

The group, its stream, its owner and the event are stored in one transaction. `create_in` works inside the caller's
transaction, in which `channels` stores more about a group.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import Field

from groups import policy
from groups.errors import (
    BadGroupId,
    BadMemberLimit,
    CustomFieldLimitReached,
    GroupIdTaken,
    NotForThisType,
    ReservedCustomField,
)
from groups.events import MembersJoined, profile_of
from groups.kernel.actor import Actor
from groups.kernel.clock import Clock
from groups.kernel.ids import GroupId, UserId, mint_id
from groups.kernel.mongo import Database, Tx
from groups.limits import DISTINCT_REACTIONS, REACTIONS_PER_USER, GroupLimits
from groups.models import (
    CHANNEL_MARKER,
    COMMUNITY_PREFIX,
    AccessContext,
    AdminAct,
    AdminAction,
    Commenting,
    Group,
    GroupType,
    JoinOption,
    Member,
    Model,
    Posting,
    ReactionChoice,
    Role,
    Stream,
    Visibility,
    type_member_limit,
)
from groups.service.access.guard import AccessGuard
from groups.service.accounts import Accounts
from groups.service.admin_log import AdminLog
from groups.service.idempotency import Idempotency, KeyedCall, keyed_call
from groups.service.media.avatars import Avatars
from groups.service.membership.capacity import created_refusal, groups_refusal, is_near_limit
from groups.service.write_locks import user_lock
from groups.store.groups import GroupStore
from groups.store.members import MemberStore
from groups.store.restrictions import RestrictionStore
from groups.store.streams import StreamStore
from groups.store.users import UserStore


class NewGroup(Model):
    """The values of a new group; None takes the default of its type, and as its owner the actor."""

    group_id: GroupId | None = None
    owner_id: UserId | None = None
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
    comments: Commenting = Commenting.OFF
    retention_days: int = 0

    @property
    def digest_text(self) -> str:
        """The text that differs where two creations do. It lacks later fields that have their defaults."""
        later = {
            "owner_id": self.owner_id,
            "comments": self.comments is not Commenting.OFF,
            "retention_days": self.retention_days,
        }
        return self.model_dump_json(exclude={name for name, value in later.items() if not value})


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


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateService:
    """Creates groups."""

    database: Database
    groups: GroupStore
    members: MemberStore
    streams: StreamStore
    restrictions: RestrictionStore
    users: UserStore
    guard: AccessGuard
    accounts: Accounts
    avatars: Avatars
    admin_log: AdminLog
    idempotency: Idempotency
    limits: GroupLimits
    clock: Clock

    async def create(self, actor: Actor, new: NewGroup, *, key: str | None = None) -> AccessContext:
        """Create a group that the actor owns, or for the application `owner_id`; once for each `key`.

        A business account owns no chat group. Publishes: MembersJoined.
        """
        policy.check(policy.creating_refusal(actor, new.owner_id))
        if new.owner_id is None:
            policy.check(policy.person_refusal(actor.is_business))
        else:
            policy.check(policy.named_person_refusal(self.accounts.is_business(new.owner_id)))
        if new.group_id is not None:
            self._check_prefix(new.group_id, new.type)
        if CHANNEL_MARKER in new.custom:
            raise ReservedCustomField
        prefix = COMMUNITY_PREFIX if new.type is GroupType.COMMUNITY else ""
        call = keyed_call(actor, "group", key, new.digest_text)
        access, _ = await self.database.run(
            lambda tx: self.create_in(actor, new, tx, prefix=prefix, call=call),
            user_lock(new.owner_id or actor.user_id),
        )
        return access

    async def create_in(
        self,
        actor: Actor,
        new: NewGroup,
        tx: Tx,
        *,
        prefix: str,
        call: KeyedCall | None,
        profile: dict[str, object] | None = None,
    ) -> tuple[AccessContext, bool]:
        """Create a group; returns it, and False where an earlier `call` with the same key created it.

        The caller checks `policy.creating_refusal`.
        `profile` is what the caller stores about the group in the same transaction, for the event.
        """
        of_type = type_member_limit(new.type, self.limits)
        if new.member_limit is not None and not 1 <= new.member_limit <= of_type:
            raise BadMemberLimit(f"At most {of_type} members", limit=of_type)
        if len(new.custom) > self.limits.custom_fields + (CHANNEL_MARKER in new.custom):
            raise CustomFieldLimitReached(limit=self.limits.custom_fields)
        policy.check(policy.retention_refusal(new.retention_days, self.limits))
        first = await self.idempotency.find_first(call, tx)
        if first is not None:
            return await self.guard.access_of(actor, GroupId(first), tx), False
        group_id = new.group_id or GroupId(prefix + mint_id())
        of_group = self.groups.query_group(group_id)
        of_restriction = self.restrictions.query_of_users([actor.user_id])
        await self.database.fetch_together(of_group, of_restriction, tx=tx)
        restriction = policy.active_restriction(
            actor, of_restriction.result.get(actor.user_id), self.clock.now()
        )
        policy.check(policy.restricted_refusal(restriction))
        is_taken = of_group.result is not None
        if is_taken or await self.groups.is_being_cleared(group_id, tx):
            raise GroupIdTaken
        owner_id = new.owner_id or actor.user_id
        counts = await self.members.count_groups([owner_id], tx)
        is_in, most = counts.get(owner_id, 0), self.limits.groups_per_user
        policy.check(groups_refusal(is_in, most))
        is_near = is_near_limit(is_in, most)
        if CHANNEL_MARKER not in new.custom and not actor.is_app_admin:
            # The caller counts the channels of the user.
            quota = self.limits.groups_per_owner
            created = await self.groups.count_created_groups(actor.user_id, quota, tx)
            policy.check(created_refusal(created, quota))
            is_near = is_near or is_near_limit(created, quota)
        if is_near:
            self.users.touch_many([owner_id], tx)
        now = self.clock.now()
        group = self._new_group(actor, new, group_id, now)
        owner = Member(
            group_id=group_id, user_id=owner_id, role=Role.OWNER, joined_at=now, joined_seq=0
        )
        stream = Stream(stream_id=group.stream_id, is_channel=group.is_channel)
        await self.avatars.replace(actor, "", group.face_url, now, tx)
        await self.groups.insert(group, tx)
        await self.idempotency.remember(call, group_id, tx)
        await self.streams.insert(stream, tx)
        self.members.insert_many([owner], tx)
        await self.admin_log.record(tx, group, AdminAct(actor, AdminAction.CHANNEL_CREATED))
        tx.publish(
            MembersJoined(
                at=now,
                group_id=group_id,
                is_channel=group.is_channel,
                user_ids=(owner_id,),
                member_count=1,
                announce=False,
                profile=profile_of(group, profile),
            )
        )
        return policy.access_of(actor, group, owner if owner_id == actor.user_id else None), True

    async def count_channels(self, user_id: UserId, most: int, tx: Tx) -> int:
        """How many channels exist that the user created, or made of groups; counts up to `most`."""
        return await self.groups.count_created_channels(user_id, most, tx)

    def _new_group(self, actor: Actor, new: NewGroup, group_id: GroupId, now: datetime) -> Group:
        values = {
            "posting": Posting.EVERYONE,
            "join_option": _JOIN_OPTION[new.type],
            "visibility": _VISIBILITY[new.type],
            "history_visible": new.type is GroupType.MEETING,
            **new.model_dump(exclude_none=True),
            "group_id": group_id,
            "owner_id": new.owner_id or actor.user_id,
            "member_count": 1,
            "created_at": now,
            "created_by": actor.user_id,
        }
        group = Group.model_validate(values)
        if new.type is GroupType.WORK and group.join_option is not JoinOption.INVITE:
            raise NotForThisType
        return group

    @staticmethod
    def _check_prefix(group_id: GroupId, group_type: GroupType) -> None:
        if group_type is GroupType.COMMUNITY:
            if not group_id.startswith(COMMUNITY_PREFIX) or group_id == COMMUNITY_PREFIX:
                raise BadGroupId(f"The id of a Community group starts with {COMMUNITY_PREFIX}")
        elif group_id.startswith("@"):
            raise BadGroupId("An id that starts with @ is for Community groups and channels")
