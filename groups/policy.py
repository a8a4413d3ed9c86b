"""Who may do what in a group: pure, total, and the only place that decides it, for every route.

Each `*_refusal` returns the refusal as an error to raise, or None; each `may_*` a plain answer. What an actor may not
even see is answered "not found" before any of these is asked (`service.access`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, assert_never

from groups.errors import (
    AlreadyAdmin,
    Banned,
    FixedInChannel,
    JoiningNotAllowed,
    Muted,
    NotForThisType,
    OwnerCannotLeave,
    PostingNotAllowed,
    ReactingBanned,
    RecallTooLate,
)
from groups.kernel.actor import Actor
from groups.kernel.errors import DomainError, FieldTooLong, PermissionRefused
from groups.limits import GroupLimits
from groups.models import (
    Grant,
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

INFO_FIELDS: Final = frozenset(
    {
        *("name", "introduction", "notification", "face_url", "custom"),
        *("organization", "custom_data"),  # what `channels` adds to the profile
    }
)
"""What a group shows of itself; every other field is a setting."""


def grant_refusal(standing: Standing, grant: Grant) -> DomainError | None:
    """Acting by a right: owner and the application's admin; an admin who was granted it, else he is told which."""
    if standing.holds(grant):
        return None
    if standing.rank == Rank.ADMIN:
        return PermissionRefused(f"You were not granted {grant.value}", grant=grant.value)
    return PermissionRefused()


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


def listing_refusal(standing: Standing) -> DomainError | None:
    """Members see each other in a chat group; in a channel only those see them who manage them."""
    if standing.group.is_channel:
        return grant_refusal(standing, Grant.MANAGE_SUBSCRIBERS)
    return None if standing.rank >= Rank.MEMBER else PermissionRefused()


def staff_refusal(standing: Standing) -> DomainError | None:
    """What owner and admins know of each other, whatever they were granted: who they are, what each did."""
    return None if standing.rank >= Rank.ADMIN else PermissionRefused()


def may_see_sender(group: Group, rank: Rank) -> bool:
    """A channel speaks with one voice: which admin wrote is for owner and admins to know."""
    return not group.is_channel or rank >= Rank.ADMIN


def posting_refusal(standing: Standing, now: datetime) -> DomainError | None:
    """Writing: whoever the posting rule names, unless muted. The owner is never muted."""
    group, member, rank = standing.group, standing.member, standing.rank
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
            if not standing.holds(Grant.POST):
                return PostingNotAllowed("You were not granted post", grant=Grant.POST.value)
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
    """Editing: one's own words while one may still write; in a channel, whose posts speak for it, by a grant.

    Who was granted to edit edits all posts, his own too, though he may write no new ones.
    """
    member = standing.member
    is_own = member is not None and message.sender_id == member.user_id
    if standing.group.is_channel and standing.rank == Rank.ADMIN and member is not None:
        refusal = grant_refusal(standing, Grant.EDIT_POSTS)
        if refusal is None:
            return Muted() if member.is_muted(now) else None
        if not is_own:
            return refusal
    refusal = posting_refusal(standing, now)
    if refusal is not None:
        return refusal
    if is_own or standing.rank == Rank.APP_ADMIN:
        return None
    if standing.group.is_channel and standing.rank >= Rank.OWNER:
        return None
    return PermissionRefused("Only the sender edits a message")


def recalling_refusal(
    standing: Standing, message: Message, now: datetime, window_seconds: int
) -> DomainError | None:
    """Recalling: owner and admins at any time, what others wrote by a grant; a sender his own, for a while."""
    is_own = standing.member is not None and message.sender_id == standing.member.user_id
    if standing.rank >= Rank.ADMIN:
        return None if is_own else grant_refusal(standing, Grant.DELETE_POSTS)
    if not is_own or standing.group.is_channel:
        return PermissionRefused("Only its sender, the owner or an admin recalls a message")
    if (now - message.created_at).total_seconds() > window_seconds:
        return RecallTooLate()
    return None


def pinning_refusal(standing: Standing) -> DomainError | None:
    """Pinning and unpinning: owner, and admins with that right."""
    return grant_refusal(standing, Grant.PIN_POSTS)


def freezing_refusal(standing: Standing, message: Message) -> DomainError | None:
    """Freezing the reactions to a message: owner, admins who may change what others wrote, any admin on his own."""
    is_own = standing.member is not None and message.sender_id == standing.member.user_id
    return grant_refusal(standing, Grant.POST if is_own else Grant.EDIT_POSTS)


def reacting_refusal(group: Group, rank: Rank, member: Member | None) -> DomainError | None:
    """Reacting: members, muted or not; it is personal, so the application's admin needs to be one too."""
    if rank == Rank.BANNED:
        return Banned()
    if member is None:
        return PermissionRefused("Only members react")
    return None


def adding_reaction_refusal(standing: Standing) -> DomainError | None:
    """Adding a reaction, for whom `reacting_refusal` lets through: not who is banned from it."""
    return ReactingBanned() if standing.is_banned_from_reacting else None


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


def adding_refusal(standing: Standing) -> DomainError | None:
    """Adding another user: any member of a Work group; elsewhere owner and admins, by a grant."""
    if standing.group.type is GroupType.WORK:
        return None if standing.rank >= Rank.MEMBER else PermissionRefused()
    return grant_refusal(standing, Grant.MANAGE_SUBSCRIBERS)


def importing_refusal(rank: Rank) -> DomainError | None:
    """Bringing in users by the thousand: the application's admin, who knows them already."""
    return None if rank >= Rank.APP_ADMIN else PermissionRefused()


def leaving_refusal(group: Group, member: Member) -> DomainError | None:
    """Leaving: anyone but the owner, who may leave a Work group only (it is then without one)."""
    if member.role is Role.OWNER and group.type is not GroupType.WORK:
        return OwnerCannotLeave()
    return None


def removing_refusal(standing: Standing, target: Member | None) -> DomainError | None:
    """Removing or banning: owner and admins, by a grant, and only those below themselves."""
    refusal = managing_refusal(standing)
    if refusal is None and target is not None and target.rank >= standing.rank:
        return PermissionRefused()
    return refusal


def removing_owner_refusal(target: Member | None) -> DomainError | None:
    """The owner is not removed by anyone, not even by the application's admin: ownership moves first."""
    if target is not None and target.role is Role.OWNER:
        return OwnerCannotLeave()
    return None


def muting_refusal(standing: Standing, target: Member) -> DomainError | None:
    """Muting a member: owner and admins, those below themselves; a Work group knows no mute."""
    refusal = removing_refusal(standing, target)
    if refusal is not None:
        return refusal
    if target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be muted")
    if standing.group.type is GroupType.WORK:
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


def banning_from_reacting_refusal(standing: Standing, target: Member | None) -> DomainError | None:
    """Keeping a user from reacting: owner and admins, by a grant, those below themselves, never the owner."""
    refusal = removing_refusal(standing, target)
    if refusal is None and target is not None and target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be kept from reacting")
    return refusal


def inviting_refusal(standing: Standing, target: Member | None) -> DomainError | None:
    """Inviting an admin, seeing and revoking invitations: the owner, and nobody who runs the group already."""
    if standing.rank < Rank.OWNER:
        return PermissionRefused()
    if standing.group.type is GroupType.WORK:
        return NotForThisType()
    if target is not None and target.rank >= Rank.ADMIN:
        return AlreadyAdmin()
    return None


def transferring_refusal(rank: Rank) -> DomainError | None:
    """Giving the group to another member: the owner."""
    return None if rank >= Rank.OWNER else PermissionRefused()


def updating_refusal(
    standing: Standing, fields: Collection[str], *, for_channel: bool = False
) -> DomainError | None:
    """Changing profile or settings: owner and admins, by their grants, within what type and channel leave open.

    `for_channel`: the channel's own rules stand behind the change, so what it fixes may move.
    """
    if standing.rank < Rank.ADMIN:
        return PermissionRefused()
    needed = {
        Grant.CHANGE_INFO if name in INFO_FIELDS else Grant.CHANGE_SETTINGS for name in fields
    }
    for grant in sorted(needed):
        refusal = grant_refusal(standing, grant)
        if refusal is not None:
            return refusal
    group, fields = standing.group, set(fields)
    if for_channel:
        return None
    if group.is_channel and fields & {"posting", "join_option", "visibility", "history_visible"}:
        return FixedInChannel()
    if group.type is GroupType.WORK and fields & {"join_option", "muted_all"}:
        return NotForThisType()
    return None


def profile_refusal(
    group: Group, values: Mapping[str, object], limits: GroupLimits
) -> DomainError | None:
    """The texts whose limits, in bytes of UTF-8, are a channel's where the group is one."""
    most = {
        "name": limits.channel_name_bytes if group.is_channel else limits.group_name_bytes,
        "introduction": limits.channel_introduction_bytes
        if group.is_channel
        else limits.group_introduction_bytes,
    }
    for field, limit in most.items():
        text = values.get(field)
        if isinstance(text, str) and len(text.encode()) > limit:
            return FieldTooLong(field, limit)
    return None


def disbanding_refusal(group: Group, rank: Rank) -> DomainError | None:
    """Disbanding: the owner; a Work group only the application's admin (reference product, group types)."""
    needed = Rank.APP_ADMIN if group.type is GroupType.WORK else Rank.OWNER
    return None if rank >= needed else PermissionRefused()


def managing_refusal(standing: Standing) -> DomainError | None:
    """Managing members, bans and join requests: owner and admins, by a grant."""
    return grant_refusal(standing, Grant.MANAGE_SUBSCRIBERS)


def announces_membership(group: Group) -> bool:
    """Whether joins and leaves are told to the other members: not in a Community, which may hold a million."""
    return group.type is not GroupType.COMMUNITY
