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
    note_change,
    revoke_invitation,
    transfer,
    with_role,
)
from groups.service.membership.commands import (
    Add,
    AnswerInvitation,
    Approve,
    BanFromReacting,
    Change,
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
    subject_of,
)
from groups.service.membership.state import MembershipState


def apply_entry(picture: MembershipState, entry: Command) -> Membership:
    """Apply the entry to the picture; how the membership then stands.

    Raises: the entry's refusal, with the picture as it was.
    """
    actor = entry.actor
    own = picture.members.get(actor.user_id)
    effective_role = policy.effective_role_of(actor, own, picture.restrictions.get(actor.user_id))
    # An invitation says that the group exists; whoever has none is turned away where it is looked for.
    if not policy.may_see(picture.group, effective_role) and not isinstance(
        entry, AnswerInvitation
    ):
        raise GroupNotFound
    changed, is_pending = _apply_as(
        picture, entry, AccessContext(picture.group, own, effective_role)
    )
    user_id = subject_of(entry)
    member, invitation = picture.members.get(user_id), picture.invitations.get(user_id)
    return Membership(
        picture.group, member, picture.stream, effective_role, changed, is_pending, invitation
    )


def _apply_as(picture: MembershipState, entry: Command, access: AccessContext) -> tuple[bool, bool]:
    match entry:
        case Join():
            return _join(picture, entry, access.effective_role)
        case Add():
            return _add(picture, entry, access), False
        case Approve():
            return _approve(picture, entry, access), False
        case Refuse():
            return _refuse(picture, entry, access), False
        case Leave():
            return _leave(picture, entry), False
        case Remove():
            return _remove(picture, entry, access), False
        case Unban():
            return _unban(picture, entry, access), False
        case Change():
            return _change(picture, entry, access), False
        case BanFromReacting():
            return ban_from_reacting(picture, entry, access), False
        case Invite():
            return invite(picture, entry, access), False
        case RevokeInvitation():
            return revoke_invitation(picture, entry, access), False
        case AnswerInvitation():
            return answer_invitation(picture, entry, access), False
        case Transfer():
            return transfer(picture, entry, access.effective_role), False
        case _ as unreachable:
            assert_never(unreachable)


def _join(
    picture: MembershipState, entry: Join, effective_role: EffectiveRole
) -> tuple[bool, bool]:
    user_id = entry.actor.user_id
    if user_id in picture.members:
        return False, False
    refusal = policy.joining_refusal(picture.group, effective_role)
    if refusal is not None:
        raise refusal
    asks_first = (
        picture.group.join_option is JoinOption.APPROVAL
        and effective_role != EffectiveRole.APP_ADMIN
    )
    if not asks_first:
        picture.admit(user_id)
        return True, False
    if user_id in picture.requests:
        return False, True
    group_id = picture.group.group_id
    picture.requests.add(user_id)
    picture.new_requests[user_id] = JoinRequest(
        group_id=group_id, user_id=user_id, text=entry.text, requested_at=picture.now
    )
    picture.events.append(
        JoinRequested(
            at=picture.now,
            group_id=group_id,
            user_id=user_id,
            text=entry.text,
            audience=tuple(picture.staff),
        )
    )
    return True, True


def _add(picture: MembershipState, entry: Add, access: AccessContext) -> bool:
    refusal = policy.adding_refusal(access)
    if refusal is not None:
        raise refusal
    if entry.user_id in picture.members:
        return False
    is_banned = picture.is_banned(entry.user_id)
    if is_banned and access.effective_role < EffectiveRole.ADMIN:
        raise Banned("The user is banned here")
    picture.admit(entry.user_id)
    if is_banned:  # only now: in a full group he stays banned
        picture.lift_ban(entry.user_id)
        picture.note(entry, AdminAction.SUBSCRIBER_UNBANNED)
    picture.note(entry, AdminAction.SUBSCRIBER_ADDED)
    return True


def _approve(picture: MembershipState, entry: Approve, access: AccessContext) -> bool:
    refusal = policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if entry.user_id in picture.members:
        # He came in another way while it waited.
        picture.close_request(entry.user_id)
        return False
    if entry.user_id not in picture.requests:
        raise JoinRequestNotFound
    picture.admit(entry.user_id)
    picture.note(entry, AdminAction.JOIN_REQUEST_ACCEPTED)
    return True


def _refuse(picture: MembershipState, entry: Refuse, access: AccessContext) -> bool:
    is_own = entry.user_id == entry.actor.user_id
    refusal = None if is_own else policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if entry.user_id not in picture.requests:
        raise JoinRequestNotFound
    picture.close_request(entry.user_id)
    if not is_own:
        picture.note(entry, AdminAction.JOIN_REQUEST_REFUSED)
        picture.events.append(
            JoinRefused(at=picture.now, group_id=picture.group.group_id, user_id=entry.user_id)
        )
    return True


def _leave(picture: MembershipState, entry: Leave) -> bool:
    member = picture.members.get(entry.actor.user_id)
    if member is None:
        return False
    refusal = policy.leaving_refusal(picture.group, member)
    if refusal is not None:
        raise refusal
    if member.role is Role.OWNER:
        picture.group = picture.group.model_copy(update={"owner_id": None})
    picture.dismiss(member, LeaveReason.LEFT)
    if member.role is Role.ADMIN:
        picture.note(entry, AdminAction.ADMIN_REMOVED, before=grants_of(member))
    return True


def _remove(picture: MembershipState, entry: Remove, access: AccessContext) -> bool:
    member = picture.members.get(entry.user_id)
    refusal = policy.removing_refusal(access, member) or policy.removing_owner_refusal(member)
    if refusal is not None:
        raise refusal
    newly_banned = entry.ban and not picture.is_banned(entry.user_id)
    if newly_banned:
        picture.ban(entry.user_id, entry.actor.user_id)
        picture.end_invitation(entry.user_id, InvitationEnd.REVOKED)
    if member is None and not newly_banned:
        return False
    if member is not None:
        picture.dismiss(member, LeaveReason.BANNED if entry.ban else LeaveReason.REMOVED)
    action = AdminAction.SUBSCRIBER_BANNED if entry.ban else AdminAction.SUBSCRIBER_REMOVED
    before: dict[str, object] = {"role": member.role.value} if member is not None else {}
    picture.note(entry, action, before=before)
    return True


def _unban(picture: MembershipState, entry: Unban, access: AccessContext) -> bool:
    refusal = policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if not picture.is_banned(entry.user_id):
        return False
    picture.lift_ban(entry.user_id)
    picture.note(entry, AdminAction.SUBSCRIBER_UNBANNED)
    return True


def _change(picture: MembershipState, entry: Change, access: AccessContext) -> bool:
    member = picture.members.get(entry.user_id)
    is_own = entry.user_id == entry.actor.user_id
    # Who may not list members must not learn here who is one.
    refusal = None if is_own else policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    if member is None:
        raise MemberNotFound
    changed = with_role(picture, entry, member, access.effective_role)
    if entry.mute_seconds is not None:
        refusal = policy.muting_refusal(access, member)
        if refusal is not None:
            raise refusal
        until = picture.now + timedelta(seconds=entry.mute_seconds)
        muted_until = until if entry.mute_seconds else None
        changed = replace(changed, muted_until=muted_until)
        picture.keep_mute(entry.user_id, muted_until)
    if entry.name_card is not None:
        refusal = None if is_own else policy.removing_refusal(access, member)
        if refusal is not None:
            raise refusal
        changed = replace(changed, name_card=entry.name_card)
    if changed == member:
        return False
    picture.replace(changed)
    note_change(picture, entry, member, changed)
    return True
