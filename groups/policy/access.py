"""What an actor is to a group: his rank, what he was granted, and what he may know of it and of who is in it."""

from typing import assert_never

from groups.errors import Banned
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import (
    AccessContext,
    EffectiveRole,
    Grant,
    Group,
    Member,
    Restriction,
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
