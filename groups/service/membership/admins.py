"""What running a group does to the picture: roles and grants, ownership, invitations, bans from reacting.

As in `rules`: a refusal leaves the picture as it was, and the rights themselves are in `groups.policy`.
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
    Change,
    Invite,
    RevokeInvitation,
    Transfer,
)
from groups.service.membership.state import MembershipState


def with_role(
    picture: MembershipState, entry: Change, member: Member, effective_role: EffectiveRole
) -> Member:
    """The member with the role and the grants that are wanted.

    Raises: PermissionRefused; NotForThisType; AdminLimitReached.
    """
    is_new = entry.role is not None and entry.role is not member.role
    if not is_new and (entry.role is not Role.ADMIN or entry.grants is None):
        return member
    refusal = policy.appointing_refusal(picture.group, effective_role, member)
    if refusal is not None:
        raise refusal
    if entry.role is not Role.ADMIN:
        return replace(member, role=Role.MEMBER, grants=None)
    return _as_admin(picture, member, entry.grants)


def _as_admin(picture: MembershipState, member: Member, grants: frozenset[Grant] | None) -> Member:
    """The member as an admin with these grants, all where they are None.

    Raises: AdminLimitReached.
    """
    if member.role is not Role.ADMIN:
        picture.check_admin_room()
    has_all = grants is None or grants >= set(Grant)
    return replace(member, role=Role.ADMIN, grants=None if has_all else grants)


def grants_of(member: Member) -> dict[str, object]:
    """The member's rights, as the admin log tells them."""
    return {"grants": [grant.value for grant in member.granted]}


def note_change(picture: MembershipState, entry: Change, before: Member, after: Member) -> None:
    """Have the admin log tell what of the member changed; an admin has no invitation open."""
    if before.role is not after.role:
        is_admin = after.role is Role.ADMIN
        if is_admin:
            # An invitation that is still open has nothing more to offer.
            picture.end_invitation(entry.user_id, InvitationEnd.ACCEPTED)
            picture.note(entry, AdminAction.ADMIN_ADDED, after=grants_of(after))
        else:
            picture.note(entry, AdminAction.ADMIN_REMOVED, before=grants_of(before))
    elif before.grants != after.grants:
        were, are = grants_of(before), grants_of(after)
        picture.note(entry, AdminAction.GRANTS_CHANGED, before=were, after=are)
    if before.muted_until != after.muted_until:
        were, are = _mute_of(before), _mute_of(after)
        is_muted = after.muted_until is not None
        action = AdminAction.SUBSCRIBER_MUTED if is_muted else AdminAction.SUBSCRIBER_UNMUTED
        picture.note(entry, action, before=were, after=are)
    if before.name_card != after.name_card and entry.actor.user_id != entry.user_id:
        were, are = {"name_card": before.name_card}, {"name_card": after.name_card}
        picture.note(entry, AdminAction.NAME_CARD_CHANGED, before={**were}, after={**are})


def _mute_of(member: Member) -> dict[str, object]:
    return {"muted_until": rfc3339(member.muted_until) if member.muted_until else None}


def transfer(picture: MembershipState, entry: Transfer, effective_role: EffectiveRole) -> bool:
    """Give the group away; the right to appoint admins goes with it, and so do the invitations it made."""
    refusal = policy.transferring_refusal(effective_role)
    if refusal is not None:
        raise refusal
    heir = picture.members.get(entry.user_id)
    if heir is None:
        raise MemberNotFound
    if heir.role is Role.OWNER:
        return False
    former_id = picture.group.owner_id
    former = picture.members.get(former_id) if former_id else None
    if former is not None:
        is_work = picture.group.type is GroupType.WORK
        if not is_work:
            # The former owner stays as admin, or the group is not given away: he would lose what he did not give.
            picture.check_admin_room(besides=heir.user_id)
        role = Role.MEMBER if is_work else Role.ADMIN
        picture.replace(replace(former, role=role, grants=None))
    picture.keep_mute(heir.user_id, None)
    picture.replace(replace(heir, role=Role.OWNER, muted_until=None, grants=None))
    picture.end_invitation(heir.user_id, InvitationEnd.REVOKED)
    # Before the owner changes, since the former owner is told too. Those that the application made stay.
    ended = [
        user_id
        for user_id, made in picture.invitations.items()
        if made.invited_by == former_id and made.is_open(picture.now)
    ]
    for user_id in ended:
        picture.end_invitation(user_id, InvitationEnd.REVOKED)
    picture.group = picture.group.model_copy(update={"owner_id": heir.user_id})
    were, are = {"owner_id": former_id}, {"owner_id": heir.user_id}
    picture.note(entry, AdminAction.OWNER_CHANGED, before={**were}, after={**are})
    for user_id in ended:
        picture.acts.append(AdminAct(entry.actor, AdminAction.INVITATION_REVOKED, user_id, {}, {}))
    return True


def invite(picture: MembershipState, entry: Invite, access: AccessContext) -> bool:
    """Ask a user to be an admin."""
    refusal = policy.inviting_refusal(access, picture.members.get(entry.user_id))
    if refusal is not None:
        raise refusal
    if picture.is_banned(entry.user_id):
        raise Banned("The user is banned here")
    known = picture.invitations.get(entry.user_id)
    is_open = known is not None and known.is_open(picture.now)
    if known is not None and is_open and known.grants == entry.grants:
        return False
    if not is_open:
        picture.check_invitation_room()
    invitation = Invitation(
        group_id=picture.group.group_id,
        user_id=entry.user_id,
        grants=entry.grants,
        invited_by=entry.actor.user_id,
        invited_at=picture.now,
        expires_at=picture.now + timedelta(seconds=picture.limits.admin_invitation_seconds),
    )
    picture.put_invitation(invitation)
    grants = tuple(grant for grant in Grant if grant in entry.grants)
    owner_id = picture.group.owner_id
    picture.events.append(
        AdminInvited(
            at=picture.now,
            group_id=picture.group.group_id,
            is_channel=picture.group.is_channel,
            user_id=entry.user_id,
            group_name=picture.group.name,
            grants=grants,
            expires_at=invitation.expires_at,
            audience=(entry.user_id, owner_id) if owner_id else (entry.user_id,),
        )
    )
    picture.note(entry, AdminAction.ADMIN_INVITED, after={"grants": list(grants)})
    return True


def revoke_invitation(
    picture: MembershipState, entry: RevokeInvitation, access: AccessContext
) -> bool:
    """Take an invitation back."""
    refusal = policy.inviting_refusal(access, None)
    if refusal is not None:
        raise refusal
    if not picture.end_invitation(entry.user_id, InvitationEnd.REVOKED):
        return False
    picture.note(entry, AdminAction.INVITATION_REVOKED)
    return True


def answer_invitation(
    picture: MembershipState, entry: AnswerInvitation, access: AccessContext
) -> bool:
    """Accept or decline an invitation."""
    user_id = entry.actor.user_id
    member, invitation = picture.members.get(user_id), picture.invitations.get(user_id)
    if invitation is None:
        if not policy.may_see(picture.group, access.effective_role):
            raise GroupNotFound
        if entry.accept and member is not None and member.effective_role >= EffectiveRole.ADMIN:
            return False
        if access.effective_role == EffectiveRole.BANNED:
            raise Banned
        raise InvitationNotFound
    if not entry.accept:
        picture.end_invitation(user_id, InvitationEnd.DECLINED)
        picture.note(entry, AdminAction.INVITATION_DECLINED)
        return True
    if not invitation.is_open(picture.now):
        raise InvitationExpired
    if picture.is_banned(user_id):
        raise Banned
    picture.check_admin_room()
    if member is None:
        picture.admit(user_id)
    appointed = _as_admin(picture, picture.members[user_id], invitation.grants)
    picture.replace(appointed)
    picture.end_invitation(user_id, InvitationEnd.ACCEPTED)
    picture.note(entry, AdminAction.INVITATION_ACCEPTED, after=grants_of(appointed))
    return True


def ban_from_reacting(
    picture: MembershipState, entry: BanFromReacting, access: AccessContext
) -> bool:
    """Keep a user from reacting, or let him again."""
    target = picture.members.get(entry.user_id)
    refusal = policy.banning_from_reacting_refusal(access, target)
    if not entry.is_banned:
        refusal = policy.managing_refusal(access)
    if refusal is not None:
        raise refusal
    restriction = picture.restriction_of(entry.user_id)
    if entry.is_banned is (restriction.reacting_banned_at is not None):
        return False
    values = {
        "reacting_banned_at": picture.now if entry.is_banned else None,
        "reacting_banned_by": entry.actor.user_id if entry.is_banned else None,
    }
    picture.restrictions[entry.user_id] = restriction.model_copy(update=values)
    picture.changed_restrictions.add(entry.user_id)
    is_banned = entry.is_banned
    action = AdminAction.REACTING_BANNED if is_banned else AdminAction.REACTING_UNBANNED
    picture.note(entry, action)
    return True
