"""Applies each command to the state, or refuses it and leaves the state as it was; rights are in `groups.policy`."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from groups import policy
from groups.errors import Banned, GroupNotFound, JoinRequestNotFound, MemberNotFound
from groups.events import JoinRefused, LeaveReason
from groups.models import (
    AccessContext,
    AdminAction,
    EffectiveRole,
    InvitationEnd,
    JoinOption,
    RequestEnd,
    Role,
)
from groups.service.membership.admins import (
    ban_from_commenting,
    ban_from_reacting,
    grants_of,
    log_change,
    transfer,
    with_role,
)
from groups.service.membership.commands import (
    Add,
    AnswerInvitation,
    Approve,
    BanFromCommenting,
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
from groups.service.membership.inviting import (
    answer_invitation,
    ask,
    invite,
    revoke_invitation,
)
from groups.service.membership.state import MembershipState


def apply_command(state: MembershipState, command: Command) -> Membership:
    """Apply the command to the state; returns the membership after it."""
    actor = command.actor
    own = state.members.get(actor.user_id)
    restriction = state.restrictions.get(actor.user_id)
    access = policy.access_of(actor, state.group, own, restriction, state.now)
    # The application may have hidden it, also from those who know its link or are invited.
    is_shown = _shows_group(command) and not state.group.is_hidden
    if not is_shown and not policy.may_see(state.group, access.effective_role):
        raise GroupNotFound
    changed = _apply(state, command, access)
    user_id = subject_of(command)
    member = state.members.get(user_id)
    return Membership(
        group=state.group,
        member=member,
        stream=state.stream,
        effective_role=access.effective_role,
        changed=changed,
        is_pending=isinstance(command, Join) and member is None,
        invitation=state.invitations.get(user_id),
    )


def _shows_group(command: Command) -> bool:
    """Whether the command is about what reveals that the group exists: it refuses users who do not have that."""
    match command:
        case AnswerInvitation():
            return True
        case Join():
            return command.code is not None
        case Refuse():
            return command.user_id == command.actor.user_id
        case _:
            return False


def _apply(state: MembershipState, command: Command, access: AccessContext) -> bool:
    """Apply the command; returns whether it changed anything."""
    match command:
        case Join():
            return _join(state, command, access)
        case Add():
            return _add(state, command, access)
        case Approve():
            return _approve(state, command, access)
        case Refuse():
            return _refuse(state, command, access)
        case Leave():
            return _leave(state, command)
        case Remove():
            return _remove(state, command, access)
        case Unban():
            return _unban(state, command, access)
        case UpdateMember():
            return _update_member(state, command, access)
        case BanFromReacting():
            return ban_from_reacting(state, command, access)
        case BanFromCommenting():
            return ban_from_commenting(state, command, access)
        case Invite():
            return invite(state, command, access)
        case RevokeInvitation():
            return revoke_invitation(state, command, access)
        case AnswerInvitation():
            return answer_invitation(state, command, access)
        case Transfer():
            return transfer(state, command, access)
        case _ as unreachable:
            assert_never(unreachable)


def _join(state: MembershipState, command: Join, access: AccessContext) -> bool:
    user_id = command.actor.user_id
    policy.check(policy.person_refusal(command.actor.is_business))
    member = state.members.get(user_id)
    if member is not None:
        if not member.has_agreed:
            state.agree(member)
        return not member.has_agreed
    link = state.invite_links.get(command.code) if command.code is not None else None
    role = access.effective_role
    if command.code is not None:
        policy.check(policy.joining_by_link_refusal(role, link, state.now))
    else:
        policy.check(policy.joining_refusal(state.group, role))
    if link is not None:
        asks_first = policy.asks_by_link(link, role)
    else:
        is_moderated = state.group.join_option is JoinOption.APPROVAL
        asks_first = is_moderated and role != EffectiveRole.APP_ADMIN
    if not asks_first:
        state.admit(user_id, by=link)
        return True
    if user_id in state.requests:
        return False
    state.ask(user_id, command.text, link)
    return True


def _add(state: MembershipState, command: Add, access: AccessContext) -> bool:
    policy.check(policy.adding_refusal(access))
    if command.user_id in state.members:
        return False
    policy.check(policy.named_person_refusal(state.is_business(command.user_id)))
    is_banned = state.is_banned(command.user_id)
    if is_banned and access.effective_role < EffectiveRole.ADMIN:
        raise Banned("The user is banned here")
    if state.must_ask(command.actor, command.user_id):
        has_changed = ask(state, command)
    else:
        has_asked = command.user_id in state.requests
        state.admit(
            command.user_id,
            has_agreed=command.actor.is_app_admin or has_asked,
            by_others=not has_asked,
            request_end=RequestEnd.APPROVED,
        )
        state.log(command, AdminAction.SUBSCRIBER_ADDED)
        has_changed = True
    if is_banned:  # only now: in a full group the user stays banned
        state.lift_ban(command.user_id)
        state.log(command, AdminAction.SUBSCRIBER_UNBANNED)
    return has_changed or is_banned


def _approve(state: MembershipState, command: Approve, access: AccessContext) -> bool:
    policy.check(policy.adding_anything_refusal(access))
    policy.check(policy.managing_refusal(access))
    if command.user_id in state.members:
        # The user joined in another way while the request waited.
        state.close_request(command.user_id, RequestEnd.JOINED)
        return False
    if command.user_id not in state.requests:
        raise JoinRequestNotFound
    policy.check(policy.named_person_refusal(state.is_business(command.user_id)))
    link = state.link_of_request(command.user_id)
    policy.check(policy.approving_refusal(link))
    counts = link is not None and link.revoked_at is None
    state.admit(command.user_id, by=link if counts else None, request_end=RequestEnd.APPROVED)
    state.log(command, AdminAction.JOIN_REQUEST_ACCEPTED)
    return True


def _refuse(state: MembershipState, command: Refuse, access: AccessContext) -> bool:
    is_own = command.user_id == command.actor.user_id
    policy.check(None if is_own else policy.managing_refusal(access))
    if command.user_id not in state.requests:
        if not policy.may_see(state.group, access.effective_role):
            raise GroupNotFound
        raise JoinRequestNotFound
    state.close_request(command.user_id, RequestEnd.WITHDRAWN if is_own else RequestEnd.REFUSED)
    if not is_own:
        state.log(command, AdminAction.JOIN_REQUEST_REFUSED)
        state.events.append(
            JoinRefused(
                at=state.now,
                group_id=state.group.group_id,
                is_channel=state.group.is_channel,
                user_id=command.user_id,
            )
        )
    return True


def _leave(state: MembershipState, command: Leave) -> bool:
    member = state.members.get(command.actor.user_id)
    if member is None:
        return False
    policy.check(policy.leaving_refusal(state.group, member))
    if member.role is Role.OWNER:
        state.group = state.group.model_copy(update={"owner_id": None})
    state.end_membership(member, LeaveReason.LEFT)
    state.remember_leaving(member.user_id)
    if member.role is Role.ADMIN:
        state.log(command, AdminAction.ADMIN_REMOVED, before=grants_of(member))
    return True


def _remove(state: MembershipState, command: Remove, access: AccessContext) -> bool:
    member = state.members.get(command.user_id)
    policy.check(policy.removing_refusal(access, member) or policy.removing_owner_refusal(member))
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
    policy.check(policy.managing_refusal(access))
    if not state.is_banned(command.user_id):
        return False
    state.lift_ban(command.user_id)
    state.log(command, AdminAction.SUBSCRIBER_UNBANNED)
    return True


def _update_member(state: MembershipState, command: UpdateMember, access: AccessContext) -> bool:
    member = state.members.get(command.user_id)
    is_own = command.user_id == command.actor.user_id
    # An actor who may not list members must not learn here who is one.
    policy.check(None if is_own else policy.managing_refusal(access))
    if member is None:
        raise MemberNotFound
    changed = with_role(state, command, member, access.effective_role)
    if command.mute_seconds is not None:
        policy.check(policy.muting_refusal(access, member))
        until = state.now + timedelta(seconds=command.mute_seconds)
        muted_until = until if command.mute_seconds else None
        changed = replace(changed, muted_until=muted_until)
        state.remember_mute(command.user_id, muted_until)
    if command.name_card is not None:
        policy.check(None if is_own else policy.removing_refusal(access, member))
        changed = replace(changed, name_card=command.name_card)
    if changed == member:
        return False
    is_dismissed = changed.role is Role.MEMBER and member.role is not Role.MEMBER
    if is_dismissed and state.is_business(command.user_id):
        # A business account runs a channel or is not in it: it does not become a subscriber.
        state.end_membership(member, LeaveReason.REMOVED)
        state.log(command, AdminAction.ADMIN_REMOVED, before=grants_of(member))
        return True
    state.replace(changed)
    log_change(state, command, member, changed)
    return True
