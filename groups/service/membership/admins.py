"""Transitions of those who run a group: roles and grants, ownership, invitations, bans from reacting.

As in `transitions`, a command that is refused leaves the state as it was; the rights are in `groups.policy`.
"""

from dataclasses import replace
from datetime import timedelta

from groups import policy
from groups.errors import (
    Banned,
    GroupNotFound,
    InvitationExpired,
    InvitationNotFound,
    MemberNotFound,
)
from groups.events import AdminInvited, InvitationEnd
from groups.kernel.clock import rfc3339
from groups.models import (
    AccessContext,
    AdminAct,
    AdminAction,
    EffectiveRole,
    Grant,
    GroupType,
    Invitation,
    Member,
    Role,
)
from groups.service.membership.commands import (
    AnswerInvitation,
    BanFromReacting,
    Invite,
    RevokeInvitation,
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
    return _as_admin(state, member, command.grants)


def _as_admin(state: MembershipState, member: Member, grants: frozenset[Grant] | None) -> Member:
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
    """Transfer the ownership, and end the invitations that the former owner made: only an owner appoints admins."""
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
        if made.invited_by == former_id and made.is_open(state.now)
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


def invite(state: MembershipState, command: Invite, access: AccessContext) -> bool:
    """Invite a user to be an admin."""
    policy.check(policy.inviting_refusal(access, state.members.get(command.user_id)))
    if state.is_banned(command.user_id):
        raise Banned("The user is banned here")
    known = state.invitations.get(command.user_id)
    is_open = known is not None and known.is_open(state.now)
    if known is not None and is_open and known.grants == command.grants:
        return False
    if not is_open:
        state.check_invitation_limit()
    invitation = Invitation(
        group_id=state.group.group_id,
        user_id=command.user_id,
        grants=command.grants,
        invited_by=command.actor.user_id,
        invited_at=state.now,
        expires_at=state.now + timedelta(seconds=state.limits.admin_invitation_seconds),
    )
    state.put_invitation(invitation)
    grants = tuple(grant for grant in Grant if grant in command.grants)
    owner_id = state.group.owner_id
    state.events.append(
        AdminInvited(
            at=state.now,
            group_id=state.group.group_id,
            is_channel=state.group.is_channel,
            user_id=command.user_id,
            group_name=state.group.name,
            grants=grants,
            expires_at=invitation.expires_at,
            audience=(command.user_id, owner_id) if owner_id else (command.user_id,),
        )
    )
    state.log(command, AdminAction.ADMIN_INVITED, after={"grants": list(grants)})
    return True


def revoke_invitation(
    state: MembershipState, command: RevokeInvitation, access: AccessContext
) -> bool:
    """Revoke an invitation."""
    policy.check(policy.inviting_refusal(access, None))
    if not state.end_invitation(command.user_id, InvitationEnd.REVOKED):
        return False
    state.log(command, AdminAction.INVITATION_REVOKED)
    return True


def answer_invitation(
    state: MembershipState, command: AnswerInvitation, access: AccessContext
) -> bool:
    """Accept or decline an invitation."""
    user_id = command.actor.user_id
    member, invitation = state.members.get(user_id), state.invitations.get(user_id)
    if invitation is None:
        if not policy.may_see(state.group, access.effective_role):
            raise GroupNotFound
        if command.accept and member is not None and member.effective_role >= EffectiveRole.ADMIN:
            return False
        if access.effective_role == EffectiveRole.BANNED:
            raise Banned
        raise InvitationNotFound
    if not command.accept:
        state.end_invitation(user_id, InvitationEnd.DECLINED)
        state.log(command, AdminAction.INVITATION_DECLINED)
        return True
    if not invitation.is_open(state.now):
        raise InvitationExpired
    if state.is_banned(user_id):
        raise Banned
    state.check_admin_limit()
    if member is None:
        state.admit(user_id)
    appointed = _as_admin(state, state.members[user_id], invitation.grants)
    state.replace(appointed)
    state.end_invitation(user_id, InvitationEnd.ACCEPTED)
    state.log(command, AdminAction.INVITATION_ACCEPTED, after=grants_of(appointed))
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
