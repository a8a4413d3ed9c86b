"""What each entry does to the picture, and when it is refused; the rights themselves are in `groups.policy`."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from groups import policy
from groups.errors import Banned, GroupNotFound, JoinRequestNotFound, MemberNotFound
from groups.events import JoinRefused, JoinRequested, LeaveReason
from groups.kernel.errors import PermissionRefused
from groups.models import GroupType, JoinOption, JoinRequest, Rank, Role
from groups.service.roster.entries import (
    Add,
    Approve,
    Change,
    Entry,
    Join,
    Leave,
    Membership,
    Refuse,
    Remove,
    Transfer,
    Unban,
    subject_of,
)
from groups.service.roster.picture import Picture


def apply_entry(picture: Picture, entry: Entry) -> Membership:
    """Apply the entry to the picture; how the membership then stands.

    Raises: the entry's refusal, with the picture as it was.
    """
    actor = entry.actor
    rank = policy.rank_of(
        actor, picture.members.get(actor.user_id), picture.restrictions.get(actor.user_id)
    )
    if not policy.may_see(picture.group, rank):
        raise GroupNotFound
    changed, is_pending = _apply_as(picture, entry, rank)
    member = picture.members.get(subject_of(entry))
    return Membership(picture.group, member, picture.stream, rank, changed, is_pending)


def _apply_as(picture: Picture, entry: Entry, rank: Rank) -> tuple[bool, bool]:
    match entry:
        case Join():
            return _join(picture, entry, rank)
        case Add():
            return _add(picture, entry, rank), False
        case Approve():
            return _approve(picture, entry, rank), False
        case Refuse():
            return _refuse(picture, entry, rank), False
        case Leave():
            return _leave(picture, entry), False
        case Remove():
            return _remove(picture, entry, rank), False
        case Unban():
            return _unban(picture, entry, rank), False
        case Change():
            return _change(picture, entry, rank), False
        case Transfer():
            return _transfer(picture, entry, rank), False
        case _ as unreachable:
            assert_never(unreachable)


def _join(picture: Picture, entry: Join, rank: Rank) -> tuple[bool, bool]:
    user_id = entry.actor.user_id
    if user_id in picture.members:
        return False, False
    refusal = policy.joining_refusal(picture.group, rank)
    if refusal is not None:
        raise refusal
    asks_first = picture.group.join_option is JoinOption.APPROVAL and rank != Rank.APP_ADMIN
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


def _add(picture: Picture, entry: Add, rank: Rank) -> bool:
    refusal = policy.adding_refusal(picture.group, rank)
    if refusal is not None:
        raise refusal
    if entry.user_id in picture.members:
        return False
    is_banned = picture.is_banned(entry.user_id)
    if is_banned and rank < Rank.ADMIN:
        raise Banned("The user is banned here")
    picture.admit(entry.user_id)
    if is_banned:  # only now: in a full group he stays banned
        picture.lift_ban(entry.user_id)
    return True


def _approve(picture: Picture, entry: Approve, rank: Rank) -> bool:
    if not policy.may_manage_requests(rank):
        raise PermissionRefused
    if entry.user_id in picture.members:
        # He came in another way while it waited.
        picture.close_request(entry.user_id)
        return False
    if entry.user_id not in picture.requests:
        raise JoinRequestNotFound
    picture.admit(entry.user_id)
    return True


def _refuse(picture: Picture, entry: Refuse, rank: Rank) -> bool:
    is_own = entry.user_id == entry.actor.user_id
    if not is_own and not policy.may_manage_requests(rank):
        raise PermissionRefused
    if entry.user_id not in picture.requests:
        raise JoinRequestNotFound
    picture.close_request(entry.user_id)
    if not is_own:
        picture.events.append(
            JoinRefused(at=picture.now, group_id=picture.group.group_id, user_id=entry.user_id)
        )
    return True


def _leave(picture: Picture, entry: Leave) -> bool:
    member = picture.members.get(entry.actor.user_id)
    if member is None:
        return False
    refusal = policy.leaving_refusal(picture.group, member)
    if refusal is not None:
        raise refusal
    if member.role is Role.OWNER:
        picture.group = picture.group.model_copy(update={"owner_id": None})
    picture.dismiss(member, LeaveReason.LEFT)
    return True


def _remove(picture: Picture, entry: Remove, rank: Rank) -> bool:
    member = picture.members.get(entry.user_id)
    refusal = policy.removing_refusal(rank, member) or policy.removing_owner_refusal(member)
    if refusal is not None:
        raise refusal
    newly_banned = entry.ban and not picture.is_banned(entry.user_id)
    if newly_banned:
        picture.ban(entry.user_id, entry.actor.user_id)
    if member is None:
        return newly_banned
    picture.dismiss(member, LeaveReason.BANNED if entry.ban else LeaveReason.REMOVED)
    return True


def _unban(picture: Picture, entry: Unban, rank: Rank) -> bool:
    if rank < Rank.ADMIN:
        raise PermissionRefused
    if not picture.is_banned(entry.user_id):
        return False
    picture.lift_ban(entry.user_id)
    return True


def _change(picture: Picture, entry: Change, rank: Rank) -> bool:
    member = picture.members.get(entry.user_id)
    is_own = entry.user_id == entry.actor.user_id
    # Who may not list members must not learn here who is one.
    if not is_own and rank < Rank.ADMIN:
        raise PermissionRefused
    if member is None:
        raise MemberNotFound
    changed = member
    if entry.role is not None and entry.role is not member.role:
        refusal = policy.appointing_refusal(picture.group, rank, member)
        if refusal is not None:
            raise refusal
        changed = replace(changed, role=entry.role)
    if entry.mute_seconds is not None:
        refusal = policy.muting_refusal(picture.group, rank, member)
        if refusal is not None:
            raise refusal
        until = picture.now + timedelta(seconds=entry.mute_seconds)
        muted_until = until if entry.mute_seconds else None
        changed = replace(changed, muted_until=muted_until)
        picture.keep_mute(entry.user_id, muted_until)
    if entry.name_card is not None:
        if not is_own and policy.removing_refusal(rank, member) is not None:
            raise PermissionRefused
        changed = replace(changed, name_card=entry.name_card)
    if changed == member:
        return False
    picture.replace(changed)
    return True


def _transfer(picture: Picture, entry: Transfer, rank: Rank) -> bool:
    refusal = policy.transferring_refusal(rank)
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
        role = Role.MEMBER if is_work else Role.ADMIN
        picture.replace(replace(former, role=role))
    picture.keep_mute(heir.user_id, None)
    picture.replace(replace(heir, role=Role.OWNER, muted_until=None))
    picture.group = picture.group.model_copy(update={"owner_id": heir.user_id})
    return True
