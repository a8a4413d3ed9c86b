"""Who may do what in a group: pure, total, and the only place that decides it, for every route.

Each `*_refusal` returns the error to raise, or None where the act is allowed; each `may_*` returns a bool. The guard
(`groups.service.access`) asks first whether the actor may see the group at all, and answers 404 where not.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, assert_never

from groups.errors import (
    AlreadyAdmin,
    Banned,
    FixedInChannel,
    JoiningNotAllowed,
    Muted,
    NotForThisType,
    OwnerCannotLeave,
    PostingNotAllowed,
    ReactingBanned,
    RecallTooLate,
)
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, FieldTooLong, PermissionRefused
from groups.limits import GroupLimits
from groups.models import (
    AccessContext,
    EffectiveRole,
    Grant,
    Group,
    GroupType,
    JoinOption,
    Member,
    Message,
    Posting,
    Restriction,
    Role,
    Visibility,
)


def effective_role_of(
    actor: Actor, member: Member | None, restriction: Restriction | None
) -> EffectiveRole:
    """What the actor is to the group; the application's admin outranks whatever he is as a member."""
    if actor.is_app_admin:
        return EffectiveRole.APP_ADMIN
    if member is not None:
        return member.effective_role
    if restriction is not None and restriction.banned_at is not None:
        return EffectiveRole.BANNED
    return EffectiveRole.STRANGER


def grant_refusal(access: AccessContext, grant: Grant) -> DomainError | None:
    """Acting by a right: owner and the application's admin; an admin who was granted it, else he is told which."""
    if access.holds(grant):
        return None
    if access.effective_role == EffectiveRole.ADMIN:
        return PermissionRefused(f"You were not granted {grant.value}", grant=grant.value)
    return PermissionRefused()


def may_see(group: Group, effective_role: EffectiveRole) -> bool:
    """Whether the group exists, as far as the actor may know."""
    match group.visibility:
        case Visibility.PUBLIC | Visibility.PROFILE:
            return True
        case Visibility.PRIVATE:
            return effective_role >= EffectiveRole.MEMBER
        case _ as unreachable:
            assert_never(unreachable)


def may_see_sender(group: Group, effective_role: EffectiveRole) -> bool:
    """A channel speaks with one voice: which admin wrote is for owner and admins to know."""
    return not group.is_channel or effective_role >= EffectiveRole.ADMIN


def reading_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Reading messages: members; strangers where the group is open to all; nobody who is banned."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role >= EffectiveRole.MEMBER or group.visibility is Visibility.PUBLIC:
        return None
    return PermissionRefused("Only members read here")


def history_floor(access: AccessContext) -> int:
    """The seq up to which messages are hidden from the actor: what came before he joined, where the group says so."""
    if (
        access.effective_role == EffectiveRole.APP_ADMIN
        or access.group.history_visible
        or not access.member
    ):
        return 0
    return access.member.joined_seq


def listing_refusal(access: AccessContext) -> DomainError | None:
    """Members see each other in a chat group; in a channel only those see them who manage them."""
    if access.group.is_channel:
        return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)
    return None if access.effective_role >= EffectiveRole.MEMBER else PermissionRefused()


def staff_refusal(access: AccessContext) -> DomainError | None:
    """What owner and admins know of each other, whatever they were granted: who they are, what each did."""
    return None if access.effective_role >= EffectiveRole.ADMIN else PermissionRefused()


def managing_refusal(access: AccessContext) -> DomainError | None:
    """Managing members, bans and join requests: owner and admins, by a grant."""
    return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)


def joining_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Joining by oneself; asking for approval is not joining yet."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role == EffectiveRole.APP_ADMIN:
        return None
    match group.join_option:
        case JoinOption.FREE | JoinOption.APPROVAL:
            return None
        case JoinOption.INVITE:
            return JoiningNotAllowed()
        case _ as unreachable:
            assert_never(unreachable)


def adding_refusal(access: AccessContext) -> DomainError | None:
    """Adding another user: any member of a Work group; elsewhere owner and admins, by a grant."""
    if access.group.type is GroupType.WORK:
        return None if access.effective_role >= EffectiveRole.MEMBER else PermissionRefused()
    return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)


def importing_refusal(effective_role: EffectiveRole) -> DomainError | None:
    """Bringing in users by the thousand: the application's admin, who knows them already."""
    return None if effective_role >= EffectiveRole.APP_ADMIN else PermissionRefused()


def leaving_refusal(group: Group, member: Member) -> DomainError | None:
    """Leaving: anyone but the owner, who may leave a Work group only (it is then without one)."""
    if member.role is Role.OWNER and group.type is not GroupType.WORK:
        return OwnerCannotLeave()
    return None


def removing_refusal(access: AccessContext, target: Member | None) -> DomainError | None:
    """Removing or banning: owner and admins, by a grant, and only those below themselves."""
    refusal = managing_refusal(access)
    if refusal is None and target is not None and target.effective_role >= access.effective_role:
        return PermissionRefused()
    return refusal


def removing_owner_refusal(target: Member | None) -> DomainError | None:
    """The owner is not removed by anyone, not even by the application's admin: ownership moves first."""
    if target is not None and target.role is Role.OWNER:
        return OwnerCannotLeave()
    return None


def muting_refusal(access: AccessContext, target: Member) -> DomainError | None:
    """Muting a member: owner and admins, those below themselves; a Work group knows no mute."""
    refusal = removing_refusal(access, target)
    if refusal is not None:
        return refusal
    if target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be muted")
    if access.group.type is GroupType.WORK:
        return NotForThisType()
    return None


def banning_from_reacting_refusal(
    access: AccessContext, target: Member | None
) -> DomainError | None:
    """Keeping a user from reacting: owner and admins, by a grant, those below themselves, never the owner."""
    refusal = removing_refusal(access, target)
    if refusal is None and target is not None and target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be kept from reacting")
    return refusal


def appointing_refusal(
    group: Group, effective_role: EffectiveRole, target: Member
) -> DomainError | None:
    """Making and unmaking admins: the owner; a Work group has none, and ownership is transferred, not appointed."""
    if effective_role < EffectiveRole.OWNER:
        return PermissionRefused()
    if group.type is GroupType.WORK:
        return NotForThisType()
    if target.role is Role.OWNER:
        return PermissionRefused("The owner's role changes by transfer")
    return None


def inviting_refusal(access: AccessContext, target: Member | None) -> DomainError | None:
    """Inviting an admin, seeing and revoking invitations: the owner, and nobody who runs the group already."""
    if access.effective_role < EffectiveRole.OWNER:
        return PermissionRefused()
    if access.group.type is GroupType.WORK:
        return NotForThisType()
    if target is not None and target.effective_role >= EffectiveRole.ADMIN:
        return AlreadyAdmin()
    return None


def transferring_refusal(effective_role: EffectiveRole) -> DomainError | None:
    """Giving the group to another member: the owner."""
    return None if effective_role >= EffectiveRole.OWNER else PermissionRefused()


def announces_membership(group: Group) -> bool:
    """Whether joins and leaves are told to the other members: not in a Community, which may hold a million."""
    return group.type is not GroupType.COMMUNITY


def posting_refusal(access: AccessContext, now: datetime) -> DomainError | None:
    """Writing: whoever the posting rule names, unless muted. The owner is never muted."""
    group, member, effective_role = access.group, access.member, access.effective_role
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role == EffectiveRole.APP_ADMIN:
        return None
    if member is None:
        return PostingNotAllowed()
    match group.posting:
        case Posting.OWNER_AND_ADMINS:
            if effective_role < EffectiveRole.ADMIN:
                return PostingNotAllowed()
            if not access.holds(Grant.POST):
                return PostingNotAllowed("You were not granted post", grant=Grant.POST.value)
        case Posting.EVERYONE:
            pass
        case _ as unreachable:
            assert_never(unreachable)
    if effective_role < EffectiveRole.OWNER and member.is_muted(now):
        return Muted()
    if group.muted_all and effective_role < EffectiveRole.ADMIN:
        return Muted()
    return None


def editing_refusal(access: AccessContext, message: Message, now: datetime) -> DomainError | None:
    """Editing: one's own words while one may still write; in a channel, whose posts speak for it, by a grant.

    Who was granted to edit edits all posts, his own too, though he may write no new ones.
    """
    member = access.member
    is_own = member is not None and message.sender_id == member.user_id
    if (
        access.group.is_channel
        and access.effective_role == EffectiveRole.ADMIN
        and member is not None
    ):
        refusal = grant_refusal(access, Grant.EDIT_POSTS)
        if refusal is None:
            return Muted() if member.is_muted(now) else None
        if not is_own:
            return refusal
    refusal = posting_refusal(access, now)
    if refusal is not None:
        return refusal
    if is_own or access.effective_role == EffectiveRole.APP_ADMIN:
        return None
    if access.group.is_channel and access.effective_role >= EffectiveRole.OWNER:
        return None
    return PermissionRefused("Only the sender edits a message")


def recalling_refusal(
    access: AccessContext, message: Message, now: datetime, window_seconds: int
) -> DomainError | None:
    """Recalling: owner and admins at any time, what others wrote by a grant; a sender his own, for a while."""
    is_own = access.member is not None and message.sender_id == access.member.user_id
    if access.effective_role >= EffectiveRole.ADMIN:
        return None if is_own else grant_refusal(access, Grant.DELETE_POSTS)
    if not is_own or access.group.is_channel:
        return PermissionRefused("Only its sender, the owner or an admin recalls a message")
    if (now - message.created_at).total_seconds() > window_seconds:
        return RecallTooLate()
    return None


def pinning_refusal(access: AccessContext) -> DomainError | None:
    """Pinning and unpinning: owner, and admins with that right."""
    return grant_refusal(access, Grant.PIN_POSTS)


def freezing_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Freezing the reactions to a message: owner, admins who may change what others wrote, any admin on his own."""
    is_own = access.member is not None and message.sender_id == access.member.user_id
    return grant_refusal(access, Grant.POST if is_own else Grant.EDIT_POSTS)


def reacting_refusal(
    group: Group, effective_role: EffectiveRole, member: Member | None
) -> DomainError | None:
    """Reacting: members, muted or not; it is personal, so the application's admin needs to be one too."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if member is None:
        return PermissionRefused("Only members react")
    return None


def adding_reaction_refusal(access: AccessContext) -> DomainError | None:
    """Adding a reaction, for whom `reacting_refusal` lets through: not who is banned from it."""
    return ReactingBanned() if access.is_banned_from_reacting else None


INFO_FIELDS: Final = frozenset(
    {
        *("name", "introduction", "notification", "face_url", "custom"),
        *("organization", "custom_data"),  # what `channels` adds to the profile
    }
)
"""What a group shows of itself; every other field is a setting."""

VOUCHED_FIELDS: Final = frozenset({"name", "organization"})
"""What a verified badge vouches for: who it is. Pictures and descriptions change with the seasons."""


def loses_badge(access: AccessContext, fields: Collection[str]) -> bool:
    """Whether changing these takes the badge: what was vouched for is another now, unless who vouches changed it."""
    is_ours = access.effective_role >= EffectiveRole.APP_ADMIN
    return access.group.verified and not is_ours and not VOUCHED_FIELDS.isdisjoint(fields)


def updating_refusal(
    access: AccessContext, fields: Collection[str], *, for_channel: bool = False
) -> DomainError | None:
    """Changing profile or settings: owner and admins, by their grants, within what type and channel leave open.

    `for_channel`: the channel's own rules stand behind the change, so what it fixes may move.
    """
    if access.effective_role < EffectiveRole.ADMIN:
        return PermissionRefused()
    needed = {
        Grant.CHANGE_INFO if name in INFO_FIELDS else Grant.CHANGE_SETTINGS for name in fields
    }
    for grant in sorted(needed):
        refusal = grant_refusal(access, grant)
        if refusal is not None:
            return refusal
    group, fields = access.group, set(fields)
    if for_channel:
        return None
    if group.is_channel and fields & {"posting", "join_option", "visibility", "history_visible"}:
        return FixedInChannel()
    if group.type is GroupType.WORK and fields & {"join_option", "muted_all"}:
        return NotForThisType()
    return None


def profile_refusal(
    group: Group, values: Mapping[str, object], limits: GroupLimits
) -> DomainError | None:
    """The texts whose limits, in bytes of UTF-8, are a channel's where the group is one."""
    most = {
        "name": limits.channel_name_bytes if group.is_channel else limits.group_name_bytes,
        "introduction": limits.channel_introduction_bytes
        if group.is_channel
        else limits.group_introduction_bytes,
    }
    for field, limit in most.items():
        text = values.get(field)
        if isinstance(text, str) and len(text.encode()) > limit:
            return FieldTooLong(field, limit)
    return None


def disbanding_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Disbanding: the owner; a Work group only the application's admin (reference product, group types)."""
    needed = EffectiveRole.APP_ADMIN if group.type is GroupType.WORK else EffectiveRole.OWNER
    return None if effective_role >= needed else PermissionRefused()
