"""What each entry does to the picture, and when it is refused; the rights themselves are in `groups.policy`."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from groups import policy
from groups.errors import (
    Banned,
    GroupNotFound,
    JoinRequestNotFound,
    MemberNotFound,
)
from groups.events import InvitationEnd, JoinRefused, JoinRequested, LeaveReason
from groups.models import (
    AccessContext,
    AdminAction,
    EffectiveRole,
    JoinOption,
    JoinRequest,
    Role,
)
from groups.service.membership.admins import (
    answer_invitation,
    ban_from_reacting,
    grants_of,
    invite,
    log_change,
    revoke_invitation,
    transfer,
    with_role,
)
from groups.service.membership.commands import (
    Add,
    AnswerInvitation,
    Approve,
    BanFromReacting,
    Command,
    Invite,
    Join,
    Leave,
    Membership,
    Refuse,
    Remove,
    RevokeInvitation,
    Transfer,
    Unban,
    UpdateMember,
    subject_of,
)
from groups.service.membership.state import MembershipState


def apply_command(state: MembershipState, command: Command) -> Membership:
    """Apply the entry to the picture; how the membership then stands.

    Raises: the entry's refusal, with the picture as it was.
    """
    actor = command.actor
    own = state.members.get(actor.user_id)
    effective_role = policy.effective_role_of(actor, own, state.restrictions.get(actor.user_id))
    # An invitation says that the group exists; whoever has none is turned away where it is looked for.
    if not policy.may_see(state.group, effective_role) and not isinstance(
        command, AnswerInvitation
    ):
        raise GroupNotFound
    changed, is_pending = _apply_as(state, command, AccessContext(state.group, own, effective_role))
    user_id = subject_of(command)
    member, invitation = state.members.get(user_id), state.invitations.get(user_id)
    return Membership(
        state.group, member, state.stream, effective_role, changed, is_pending, invitation
    )


def _apply_as(state: MembershipState, command: Command, access: AccessContext) -> tuple[bool, bool]:
    match command:
        case Join():
            return _join(state, command, access.effective_role)
        case Add():
            return _add(state, command, access), False
        case Approve():
            return _approve(state, command, access), False
        case Refuse():
            return _refuse(state, command, access), False
        case Leave():
            return _leave(state, command), False
        case Remove():
            return _remove(state, command, access), False
        case Unban():
            return _unban(state, command, access), False
        case UpdateMember():
            return _change(state, command, access), False
        case BanFromReacting():
            return ban_from_reacting(state, command, access), False
        case Invite():
            return invite(state, command, access), False
        case RevokeInvitation():
            return revoke_invitation(state, command, access), False
        case AnswerInvitation():
            return answer_invitation(state, command, access), False
        case Transfer():
            return transfer(state, command, access.effective_role), False
        case _ as unreachable:
            assert_never(unreachable)


def _join(
    state: MembershipState, command: Join, effective_role: EffectiveRole
) -> tuple[bool, bool]:
    user_id = command.actor.user_id
    if user_id in state.members:
        return False, False
    refusal = policy.joining_refusal(state.group, effective_role)
    if refusal is not None:
        raise refusal
    asks_first = (
        state.group.join_option is JoinOption.APPROVAL and effective_role != EffectiveRole.APP_ADMIN
    )
    if not asks_first:
        state.admit(user_id)
        return True, False
    if user_id in state.requests:
        return False, True
    group_id = state.group.group_id
    state.requests.add(user_id)
    state.new_requests[user_id] = JoinRequest(
        group_id=group_id, user_id=user_id, text=command.text, requested_at=state.now
    )
    state.events.append(
        JoinRequested(
            at=state.now,
            group_id=group_id,
            user_id=user_id,
            text=command.text,
            audience=tuple(state.staff),
        )
    )
    return True, True


def _add(state: MembershipState, command: Add, access: AccessContext) -> bool:
    refusal = policy.adding_refusal(access)
    if refusal is not None:
        raise refusal
    if command.user_id in state.members:
        return False
    is_banned = state.is_banned(command.user_id)
    if is_banned and access.effective_role < EffectiveRole.ADMIN:
        raise Banned("The user is banned here")
    state.admit(command.user_id)
    if is_banned:  # only now: in a full group he stays banned
        state.lift_ban(command.user_id)
        state.log(command, AdminAction.SUBSCRIBER_UNBANNED)
    state.log(command, AdminAction.SUBSCRIBER_ADDED)
    return True


def _approve(state: MembershipState, command: Approve, access: AccessContext) -> bool:
    refusal = policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if command.user_id in state.members:
        # He came in another way while it waited.
        state.close_request(command.user_id)
        return False
    if command.user_id not in state.requests:
        raise JoinRequestNotFound
    state.admit(command.user_id)
    state.log(command, AdminAction.JOIN_REQUEST_ACCEPTED)
    return True


def _refuse(state: MembershipState, command: Refuse, access: AccessContext) -> bool:
    is_own = command.user_id == command.actor.user_id
    refusal = None if is_own else policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if command.user_id not in state.requests:
        raise JoinRequestNotFound
    state.close_request(command.user_id)
    if not is_own:
        state.log(command, AdminAction.JOIN_REQUEST_REFUSED)
        state.events.append(
            JoinRefused(at=state.now, group_id=state.group.group_id, user_id=command.user_id)
        )
    return True


def _leave(state: MembershipState, command: Leave) -> bool:
    member = state.members.get(command.actor.user_id)
    if member is None:
        return False
    refusal = policy.leaving_refusal(state.group, member)
    if refusal is not None:
        raise refusal
    if member.role is Role.OWNER:
        state.group = state.group.model_copy(update={"owner_id": None})
    state.end_membership(member, LeaveReason.LEFT)
    if member.role is Role.ADMIN:
        state.log(command, AdminAction.ADMIN_REMOVED, before=grants_of(member))
    return True


def _remove(state: MembershipState, command: Remove, access: AccessContext) -> bool:
    member = state.members.get(command.user_id)
    refusal = policy.removing_refusal(access, member) or policy.removing_owner_refusal(member)
    if refusal is not None:
        raise refusal
    newly_banned = command.ban and not state.is_banned(command.user_id)
    if newly_banned:
        state.ban(command.user_id, command.actor.user_id)
        state.end_invitation(command.user_id, InvitationEnd.REVOKED)
    if member is None and not newly_banned:
        return False
    if member is not None:
        state.end_membership(member, LeaveReason.BANNED if command.ban else LeaveReason.REMOVED)
    action = AdminAction.SUBSCRIBER_BANNED if command.ban else AdminAction.SUBSCRIBER_REMOVED
    before: dict[str, object] = {"role": member.role.value} if member is not None else {}
    state.log(command, action, before=before)
    return True


def _unban(state: MembershipState, command: Unban, access: AccessContext) -> bool:
    refusal = policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if not state.is_banned(command.user_id):
        return False
    state.lift_ban(command.user_id)
    state.log(command, AdminAction.SUBSCRIBER_UNBANNED)
    return True


def _change(state: MembershipState, command: UpdateMember, access: AccessContext) -> bool:
    member = state.members.get(command.user_id)
    is_own = command.user_id == command.actor.user_id
    # Who may not list members must not learn here who is one.
    refusal = None if is_own else policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if member is None:
        raise MemberNotFound
    changed = with_role(state, command, member, access.effective_role)
    if command.mute_seconds is not None:
        refusal = policy.muting_refusal(access, member)
        if refusal is not None:
            raise refusal
        until = state.now + timedelta(seconds=command.mute_seconds)
        muted_until = until if command.mute_seconds else None
        changed = replace(changed, muted_until=muted_until)
        state.remember_mute(command.user_id, muted_until)
    if command.name_card is not None:
        refusal = None if is_own else policy.removing_refusal(access, member)
        if refusal is not None:
            raise refusal
        changed = replace(changed, name_card=command.name_card)
    if changed == member:
        return False
    state.replace(changed)
    log_change(state, command, member, changed)
    return True
