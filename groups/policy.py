"""Who may do what in a group: pure, total, and the only place that decides it, for every route.

Each `*_refusal` returns the refusal as an error to raise, or None; each `may_*` a plain answer. What an actor may not
even see is answered "not found" before any of these is asked (`service.access`).
"""

from datetime import datetime
from typing import assert_never

from groups.errors import (
    Banned,
    FixedInChannel,
    JoiningNotAllowed,
    Muted,
    NotForThisType,
    OwnerCannotLeave,
    PostingNotAllowed,
    RecallTooLate,
)
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import (
    Group,
    GroupType,
    JoinOption,
    Member,
    Message,
    Posting,
    Rank,
    Restriction,
    Role,
    Standing,
    Visibility,
)


def rank_of(actor: Actor, member: Member | None, restriction: Restriction | None) -> Rank:
    """What the actor is to the group; the application's admin outranks whatever he is as a member."""
    if actor.is_app_admin:
        return Rank.APP_ADMIN
    if member is not None:
        return member.rank
    if restriction is not None and restriction.banned_at is not None:
        return Rank.BANNED
    return Rank.STRANGER


def may_see(group: Group, rank: Rank) -> bool:
    """Whether the group exists, as far as the actor may know."""
    match group.visibility:
        case Visibility.PUBLIC | Visibility.PROFILE:
            return True
        case Visibility.PRIVATE:
            return rank >= Rank.MEMBER
        case _ as unreachable:
            assert_never(unreachable)


def reading_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Reading messages: members; strangers where the group is open to all; nobody who is banned."""
    if rank == Rank.BANNED:
        return Banned()
    if rank >= Rank.MEMBER or group.visibility is Visibility.PUBLIC:
        return None
    return PermissionRefused("Only members read here")


def history_floor(standing: Standing) -> int:
    """The seq up to which messages are hidden from the actor: what came before he joined, where the group says so."""
    if standing.rank == Rank.APP_ADMIN or standing.group.history_visible or not standing.member:
        return 0
    return standing.member.joined_seq


def may_list_members(group: Group, rank: Rank) -> bool:
    """Members see each other in a chat group; in a channel they are hidden from each other."""
    return rank >= (Rank.ADMIN if group.is_channel else Rank.MEMBER)


def may_see_sender(group: Group, rank: Rank) -> bool:
    """A channel speaks with one voice: which admin wrote is for owner and admins to know."""
    return not group.is_channel or rank >= Rank.ADMIN


def posting_refusal(
    group: Group, member: Member | None, rank: Rank, now: datetime
) -> DomainError | None:
    """Writing: whoever the posting rule names, unless muted. The owner is never muted."""
    if rank == Rank.BANNED:
        return Banned()
    if rank == Rank.APP_ADMIN:
        return None
    if member is None:
        return PostingNotAllowed()
    match group.posting:
        case Posting.OWNER_AND_ADMINS:
            if rank < Rank.ADMIN:
                return PostingNotAllowed()
        case Posting.EVERYONE:
            pass
        case _ as unreachable:
            assert_never(unreachable)
    if rank < Rank.OWNER and member.is_muted(now):
        return Muted()
    if group.muted_all and rank < Rank.ADMIN:
        return Muted()
    return None


def editing_refusal(standing: Standing, message: Message, now: datetime) -> DomainError | None:
    """Editing: one's own words while one may still write; in a channel, whose posts speak for it, any admin."""
    refusal = posting_refusal(standing.group, standing.member, standing.rank, now)
    if refusal is not None:
        return refusal
    is_own = standing.member is not None and message.sender_id == standing.member.user_id
    if is_own or standing.rank == Rank.APP_ADMIN:
        return None
    if standing.group.is_channel and standing.rank >= Rank.ADMIN:
        return None
    return PermissionRefused("Only the sender edits a message")


def recalling_refusal(
    standing: Standing, message: Message, now: datetime, window_seconds: int
) -> DomainError | None:
    """Recalling: owner and admins at any time; a sender his own, for a while."""
    if standing.rank >= Rank.ADMIN:
        return None
    is_own = standing.member is not None and message.sender_id == standing.member.user_id
    if not is_own or standing.group.is_channel:
        return PermissionRefused("Only its sender, the owner or an admin recalls a message")
    if (now - message.created_at).total_seconds() > window_seconds:
        return RecallTooLate()
    return None


def reacting_refusal(group: Group, rank: Rank, member: Member | None) -> DomainError | None:
    """Reacting: members, muted or not; it is personal, so the application's admin needs to be one too."""
    if rank == Rank.BANNED:
        return Banned()
    if member is None:
        return PermissionRefused("Only members react")
    return None


def joining_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Joining by oneself; asking for approval is not joining (`service.requests`)."""
    if rank == Rank.BANNED:
        return Banned()
    if rank == Rank.APP_ADMIN:
        return None
    match group.join_option:
        case JoinOption.FREE | JoinOption.APPROVAL:
            return None
        case JoinOption.INVITE:
            return JoiningNotAllowed()
        case _ as unreachable:
            assert_never(unreachable)


def adding_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Adding another user: any member of a Work group; elsewhere owner and admins."""
    needed = Rank.MEMBER if group.type is GroupType.WORK else Rank.ADMIN
    return None if rank >= needed else PermissionRefused()


def importing_refusal(rank: Rank) -> DomainError | None:
    """Bringing in users by the thousand: the application's admin, who knows them already."""
    return None if rank >= Rank.APP_ADMIN else PermissionRefused()


def leaving_refusal(group: Group, member: Member) -> DomainError | None:
    """Leaving: anyone but the owner, who may leave a Work group only (it is then without one)."""
    if member.role is Role.OWNER and group.type is not GroupType.WORK:
        return OwnerCannotLeave()
    return None


def removing_refusal(rank: Rank, target: Member | None) -> DomainError | None:
    """Removing or banning: owner and admins, and only those below themselves."""
    if rank < Rank.ADMIN or (target is not None and target.rank >= rank):
        return PermissionRefused()
    return None


def removing_owner_refusal(target: Member | None) -> DomainError | None:
    """The owner is not removed by anyone, not even by the application's admin: ownership moves first."""
    if target is not None and target.role is Role.OWNER:
        return OwnerCannotLeave()
    return None


def muting_refusal(group: Group, rank: Rank, target: Member) -> DomainError | None:
    """Muting a member: owner and admins, those below themselves; a Work group knows no mute."""
    refusal = removing_refusal(rank, target)
    if refusal is not None:
        return refusal
    if target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be muted")
    if group.type is GroupType.WORK:
        return NotForThisType()
    return None


def appointing_refusal(group: Group, rank: Rank, target: Member) -> DomainError | None:
    """Making and unmaking admins: the owner; a Work group has none, and ownership is transferred, not appointed."""
    if rank < Rank.OWNER:
        return PermissionRefused()
    if group.type is GroupType.WORK:
        return NotForThisType()
    if target.role is Role.OWNER:
        return PermissionRefused("The owner's role changes by transfer")
    return None


def transferring_refusal(rank: Rank) -> DomainError | None:
    """Giving the group to another member: the owner."""
    return None if rank >= Rank.OWNER else PermissionRefused()


def updating_refusal(group: Group, rank: Rank, fields: set[str]) -> DomainError | None:
    """Changing profile or settings: owner and admins, within what type and channel leave open."""
    if rank < Rank.ADMIN:
        return PermissionRefused()
    if group.is_channel and fields & {"posting", "join_option", "visibility", "history_visible"}:
        return FixedInChannel()
    if group.type is GroupType.WORK and fields & {"join_option", "muted_all"}:
        return NotForThisType()
    return None


def disbanding_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Disbanding: the owner; a Work group only the application's admin (reference product, group types)."""
    needed = Rank.APP_ADMIN if group.type is GroupType.WORK else Rank.OWNER
    return None if rank >= needed else PermissionRefused()


def may_manage_requests(rank: Rank) -> bool:
    """Seeing and answering join requests: owner and admins."""
    return rank >= Rank.ADMIN


def announces_membership(group: Group) -> bool:
    """Whether joins and leaves are told to the other members: not in a Community, which may hold a million."""
    return group.type is not GroupType.COMMUNITY
