"""Transitions of invitations: to be an admin, or a member; answered, revoked.

As in `transitions`, a command that is refused leaves the state as it was; the rights are in `groups.policy`.

Promises:
    A stranger's devices are told of one invitation from a group in the time that an invitation is open, however often
    it is revoked, expires or is made again.
    A user who blocks the inviter or the group, or declined not long ago, is not told and sees nothing. The inviter
    gets the answer of any other invitation, so blocks and refusals stay the user's secret.
"""

from datetime import timedelta

from groups import policy
from groups.errors import Banned, GroupNotFound, InvitationExpired, InvitationNotFound
from groups.events import AdminInvited, MemberInvited
from groups.models import (
    AccessContext,
    AdminAction,
    EffectiveRole,
    Grant,
    Invitation,
    InvitationEnd,
    Role,
)
from groups.service.membership.admins import as_admin, grants_of
from groups.service.membership.capacity import invitation_time
from groups.service.membership.commands import Add, AnswerInvitation, Invite, RevokeInvitation
from groups.service.membership.state import MembershipState, invitation_audience


def invite(state: MembershipState, command: Invite, access: AccessContext) -> bool:
    """Invite a user to be an admin, in place of an invitation to be a member."""
    policy.check(policy.inviting_refusal(access, state.members.get(command.user_id)))
    if state.is_banned(command.user_id):
        raise Banned("The user is banned here")
    known = state.invitations.get(command.user_id)
    if (
        known is not None
        and known.is_open(state.now)
        and known.role is Role.ADMIN
        and known.grants == command.grants
    ):
        return _show_again(state, command, known)
    invitation = _put(state, command, Role.ADMIN, command.grants)
    log = {"grants": [grant for grant in Grant if grant in invitation.grants]}
    state.log(command, AdminAction.ADMIN_INVITED, after={**log})
    return True


def ask(state: MembershipState, command: Add) -> bool:
    """Invite a user, who is no member, to be one. An open invitation stays as it is."""
    policy.check(state.capacity.full_refusal())
    known = state.invitations.get(command.user_id)
    if known is not None and known.is_open(state.now):
        return _show_again(state, command, known)
    _put(state, command, Role.MEMBER, frozenset())
    state.log(command, AdminAction.SUBSCRIBER_INVITED)
    return True


def revoke_invitation(
    state: MembershipState, command: RevokeInvitation, access: AccessContext
) -> bool:
    """Revoke an invitation."""
    invitation = state.invitations.get(command.user_id)
    policy.check(policy.revoking_refusal(access, invitation))
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
    if invitation is None or invitation.hidden or invitation.ended is not None:
        was_accepted = invitation is not None and invitation.ended is InvitationEnd.ACCEPTED
        if not policy.may_see(state.group, access.effective_role):
            raise GroupNotFound
        is_admin = member is not None and member.effective_role >= EffectiveRole.ADMIN
        if command.accept and (is_admin or (was_accepted and member is not None)):
            return False
        if access.effective_role == EffectiveRole.BANNED:
            raise Banned
        raise InvitationNotFound
    is_for_admin = invitation.role is Role.ADMIN
    if not command.accept:
        state.end_invitation(user_id, InvitationEnd.DECLINED)
        if is_for_admin:
            state.log(command, AdminAction.INVITATION_DECLINED)
        else:
            state.remember_leaving(user_id)
        return True
    if not is_for_admin:
        policy.check(policy.person_refusal(command.actor.is_business))
    if not invitation.is_open(state.now):
        raise InvitationExpired
    if state.is_banned(user_id):
        raise Banned
    if is_for_admin:
        state.check_admin_limit()
    if member is None:
        state.admit(user_id)
    if is_for_admin:
        appointed = as_admin(state, state.members[user_id], invitation.grants)
        state.replace(appointed)
        state.log(command, AdminAction.INVITATION_ACCEPTED, after=grants_of(appointed))
    # `admit` has ended one to be a member.
    state.end_invitation(user_id, InvitationEnd.ACCEPTED)
    return True


def _show_again(state: MembershipState, command: Add | Invite, known: Invitation) -> bool:
    """Show the user an open invitation that was hidden from them, if nothing hides it any more."""
    if not known.hidden or _is_hidden(state, command, known):
        return False
    _publish(state, known.model_copy(update={"hidden": False}), known)
    return True


def _put(
    state: MembershipState, command: Add | Invite, role: Role, grants: frozenset[Grant]
) -> Invitation:
    user_id = command.user_id
    known = state.invitations.get(user_id)
    if known is None or not known.is_open(state.now) or known.role is not role:
        state.check_invitation_limits(user_id, role)
    invitation = Invitation(
        group_id=state.group.group_id,
        user_id=user_id,
        role=role,
        grants=grants,
        invited_by=command.actor.user_id,
        invited_at=state.now,
        expires_at=state.now + invitation_time(state.limits, role),
        hidden=_is_hidden(state, command, known),
        declined_at=known.declined_at if known else None,
    )
    return _publish(state, invitation, known)


def _publish(
    state: MembershipState, invitation: Invitation, known: Invitation | None
) -> Invitation:
    """Store the invitation, and tell its user, unless it is hidden or they were told a short time ago."""
    group, user_id = state.group, invitation.user_id
    audience = invitation_audience(invitation, group)
    if not invitation.hidden and _was_told(state, invitation.role, known):
        audience = tuple(each for each in audience if each != user_id)
    told_at = state.now if user_id in audience else known.told_at if known else None
    invitation = invitation.model_copy(update={"told_at": told_at})
    state.put_invitation(invitation)
    about = {"at": state.now, "group_id": group.group_id, "is_channel": group.is_channel}
    about |= {"user_id": user_id, "group_name": group.name, "audience": audience}
    about |= {"expires_at": invitation.expires_at}
    if invitation.role is Role.ADMIN:
        grants = tuple(grant for grant in Grant if grant in invitation.grants)
        state.events.append(AdminInvited.model_validate({**about, "grants": grants}))
    else:
        state.events.append(MemberInvited.model_validate(about))
    return invitation


def _was_told(state: MembershipState, role: Role, known: Invitation | None) -> bool:
    """Whether the devices of a stranger were told of an invitation to this group a short time ago."""
    if known is None or known.told_at is None or known.ended is InvitationEnd.ACCEPTED:
        return False
    quiet = invitation_time(state.limits, role)
    return known.user_id not in state.members and state.now < known.told_at + quiet


def _is_hidden(state: MembershipState, command: Add | Invite, known: Invitation | None) -> bool:
    """Whether the user sees nothing of it: they block the inviter or the group, or are a stranger who declined."""
    if state.is_blocked(command.actor, command.user_id):
        return True
    if known is None or known.declined_at is None or command.user_id in state.members:
        return False
    quiet = timedelta(seconds=state.limits.declined_invitation_seconds)
    return state.now < known.declined_at + quiet
