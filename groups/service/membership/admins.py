"""Transitions of those who run a group: roles and grants, ownership, bans from reacting.

As in `transitions`, a command that is refused leaves the state as it was; the rights are in `groups.policy`.
"""

from dataclasses import replace

from groups import policy
from groups.errors import MemberNotFound
from groups.kernel.clock import rfc3339
from groups.models import (
    AccessContext,
    AdminAct,
    AdminAction,
    EffectiveRole,
    Grant,
    GroupType,
    InvitationEnd,
    Member,
    Role,
)
from groups.service.membership.commands import (
    BanFromCommenting,
    BanFromReacting,
    Transfer,
    UpdateMember,
)
from groups.service.membership.state import MembershipState


def with_role(
    state: MembershipState, command: UpdateMember, member: Member, effective_role: EffectiveRole
) -> Member:
    """The member with the role and the grants of the command."""
    is_new = command.role is not None and command.role is not member.role
    if not is_new and (command.role is not Role.ADMIN or command.grants is None):
        return member
    policy.check(policy.appointing_refusal(state.group, effective_role, member))
    if command.role is not Role.ADMIN:
        return replace(member, role=Role.MEMBER, grants=None)
    return as_admin(state, member, command.grants)


def as_admin(state: MembershipState, member: Member, grants: frozenset[Grant] | None) -> Member:
    """The member as an admin with these grants; None means all."""
    if member.role is not Role.ADMIN:
        state.check_admin_limit()
    has_all = grants is None or grants >= set(Grant)
    return replace(member, role=Role.ADMIN, grants=None if has_all else grants)


def grants_of(member: Member) -> dict[str, object]:
    """The member's grants, for the admin log."""
    return {"grants": [grant.value for grant in member.granted]}


def log_change(
    state: MembershipState, command: UpdateMember, before: Member, after: Member
) -> None:
    """Log each change of the member, and end the open invitation of a new admin."""
    if before.role is not after.role:
        is_admin = after.role is Role.ADMIN
        if is_admin:
            state.end_invitation(command.user_id, InvitationEnd.ACCEPTED)
            state.log(command, AdminAction.ADMIN_ADDED, after=grants_of(after))
        else:
            state.log(command, AdminAction.ADMIN_REMOVED, before=grants_of(before))
    elif before.grants != after.grants:
        were, are = grants_of(before), grants_of(after)
        state.log(command, AdminAction.GRANTS_CHANGED, before=were, after=are)
    if before.muted_until != after.muted_until:
        were, are = _mute_of(before), _mute_of(after)
        is_muted = after.muted_until is not None
        action = AdminAction.SUBSCRIBER_MUTED if is_muted else AdminAction.SUBSCRIBER_UNMUTED
        state.log(command, action, before=were, after=are)
    if before.name_card != after.name_card and command.actor.user_id != command.user_id:
        were, are = {"name_card": before.name_card}, {"name_card": after.name_card}
        state.log(command, AdminAction.NAME_CARD_CHANGED, before={**were}, after={**are})


def _mute_of(member: Member) -> dict[str, object]:
    return {"muted_until": rfc3339(member.muted_until) if member.muted_until else None}


def transfer(state: MembershipState, command: Transfer, access: AccessContext) -> bool:
    """Transfer the ownership, and end the former owner's invitations of admins: only an owner appoints admins."""
    policy.check(policy.transferring_refusal(access.effective_role))
    heir = state.members.get(command.user_id)
    if heir is None:
        raise MemberNotFound
    if heir.role is Role.OWNER:
        return False
    former_id = state.group.owner_id
    former = state.members.get(former_id) if former_id else None
    if former is not None:
        is_work = state.group.type is GroupType.WORK
        if not is_work:
            # The former owner becomes an admin. Without room for them there is no transfer.
            state.check_admin_limit(besides=heir.user_id)
        role = Role.MEMBER if is_work else Role.ADMIN
        state.replace(replace(former, role=role, grants=None))
    state.remember_mute(heir.user_id, None)
    state.replace(replace(heir, role=Role.OWNER, muted_until=None, grants=None))
    state.end_invitation(heir.user_id, InvitationEnd.REVOKED)
    # Before the owner changes, so that the former owner is notified too. Invitations by the application stay.
    ended = [
        user_id
        for user_id, made in state.invitations.items()
        if made.role is Role.ADMIN and made.invited_by == former_id and made.is_open(state.now)
    ]
    for user_id in ended:
        state.end_invitation(user_id, InvitationEnd.REVOKED)
    state.group = state.group.model_copy(update={"owner_id": heir.user_id})
    were, are = {"owner_id": former_id}, {"owner_id": heir.user_id}
    state.log(command, AdminAction.OWNER_CHANGED, before={**were}, after={**are})
    for user_id in ended:
        act = AdminAct(command.actor, AdminAction.INVITATION_REVOKED, user_id)
        state.admin_acts.append(act)
    return True


def ban_from_reacting(
    state: MembershipState, command: BanFromReacting, access: AccessContext
) -> bool:
    """Ban a user from reacting, or lift that ban."""
    target = state.members.get(command.user_id)
    policy.check(
        policy.banning_from_reacting_refusal(access, target)
        if command.is_banned
        else policy.managing_refusal(access)
    )
    user_id, is_banned = command.user_id, command.is_banned
    if is_banned is (state.restriction_of(user_id).reacting_banned_at is not None):
        return False
    state.restrict(
        user_id,
        reacting_banned_at=state.now if is_banned else None,
        reacting_banned_by=command.actor.user_id if is_banned else None,
    )
    state.log(command, AdminAction.REACTING_BANNED if is_banned else AdminAction.REACTING_UNBANNED)
    return True


def ban_from_commenting(
    state: MembershipState, command: BanFromCommenting, access: AccessContext
) -> bool:
    """Ban a user from commenting, or lift that ban."""
    target = state.members.get(command.user_id)
    policy.check(
        policy.banning_from_commenting_refusal(access, target)
        if command.is_banned
        else policy.managing_refusal(access)
    )
    user_id, is_banned = command.user_id, command.is_banned
    if is_banned is (state.restriction_of(user_id).commenting_banned_at is not None):
        return False
    state.restrict(
        user_id,
        commenting_banned_at=state.now if is_banned else None,
        commenting_banned_by=command.actor.user_id if is_banned else None,
    )
    action = AdminAction.COMMENTING_BANNED if is_banned else AdminAction.COMMENTING_UNBANNED
    state.log(command, action)
    return True
