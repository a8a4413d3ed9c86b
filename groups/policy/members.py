"""Who may come and go, and who may make others do so: joining, adding, banning, muting, appointing, inviting."""

from typing import assert_never

from groups.errors import AlreadyAdmin, Banned, JoiningNotAllowed, NotForThisType, OwnerCannotLeave
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import (
    AccessContext,
    EffectiveRole,
    Grant,
    Group,
    GroupType,
    JoinOption,
    Member,
    Role,
)
from groups.policy.access import grant_refusal


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
