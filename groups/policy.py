"""The rules of access to a group: pure, total, and the only place that decides them, for every route.

Each `*_refusal` returns the error to raise, or None where the act is allowed; each `may_*` returns a bool. The guard
(`groups.service.access`) asks first whether the actor may see the group at all, and answers 404 where not.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, assert_never

from groups.errors import (
    AcknowledgementNotAllowed,
    AlreadyAdmin,
    Banned,
    BusinessAccount,
    ChannelSuspended,
    FixedInChannel,
    InviteLinkEnded,
    InviteLinkNotFound,
    JoiningNotAllowed,
    MessageNotFound,
    MessageRecalled,
    Muted,
    NotAPerson,
    NotForThisType,
    OwnerCannotLeave,
    PollClosed,
    PollFixed,
    PostingNotAllowed,
    ReactingBanned,
    RecallTooLate,
    UserRestricted,
)
from groups.kernel.actor import Actor
from groups.kernel.clock import rfc3339
from groups.kernel.errors import DomainError, FieldTooLong, InvalidRequest, PermissionRefused
from groups.kernel.ids import UserId
from groups.limits import GroupLimits
from groups.models import (
    COMMUNITY_PREFIX,
    AccessContext,
    EffectiveRole,
    Grant,
    Group,
    GroupType,
    Invitation,
    InviteLink,
    InviteLinkState,
    JoinOption,
    Marking,
    Member,
    Message,
    Poll,
    PollResults,
    Posting,
    Restriction,
    Role,
    UserRestriction,
    Visibility,
)

# --- access -----------------------------------------------------------------------------------------------------------


def check(refusal: DomainError | None) -> None:
    """Raise the refusal, if there is one."""
    if refusal is not None:
        raise refusal


def access_of(
    actor: Actor,
    group: Group,
    member: Member | None,
    restriction: Restriction | None = None,
    now: datetime | None = None,
) -> AccessContext:
    """The actor before the group, with this membership and this restriction of theirs.

    `now`: the actor may be about to write, and `restriction` was read; without it the access serves to read only.
    """
    by_app = None
    if now is not None and restriction is not None:
        by_app = active_restriction(actor, restriction.by_app, now)
    return AccessContext(
        group,
        member,
        effective_role_of(actor, member, restriction),
        is_business=actor.is_business,
        restriction=by_app,
    )


def active_restriction(
    actor: Actor, restriction: UserRestriction | None, now: datetime
) -> UserRestriction | None:
    """The restriction by which the application limits the actor now; none limits the application itself."""
    if restriction is None or actor.is_app_admin or not restriction.is_active(now):
        return None
    return restriction


def restricted_refusal(restriction: UserRestriction | None) -> DomainError | None:
    """Adding anything, anywhere: not while the application restricts the user (`active_restriction`).

    What a restricted user may always do is to read, to join and leave, and to end what they began.
    """
    if restriction is None:
        return None
    until = rfc3339(restriction.until) if restriction.until is not None else ""
    return UserRestricted(until=until, reason=restriction.reason)


def suspended_refusal(group: Group) -> DomainError | None:
    """Adding to a channel or changing it: nobody while it is suspended, not even the application."""
    suspension = group.suspension
    return None if suspension is None else ChannelSuspended(mode=suspension.mode.value)


def adding_anything_refusal(access: AccessContext) -> DomainError | None:
    """The refusal of every addition to a group: posts, edits, comments, votes, pins, invitations, changed settings."""
    return restricted_refusal(access.restriction) or suspended_refusal(access.group)


def effective_role_of(
    actor: Actor, member: Member | None, restriction: Restriction | None
) -> EffectiveRole:
    """The actor's role in the group; the application's admin outranks any role as a member."""
    if actor.is_app_admin:
        return EffectiveRole.APP_ADMIN
    if member is not None:
        return member.effective_role
    if restriction is not None and restriction.banned_at is not None:
        return EffectiveRole.BANNED
    return EffectiveRole.STRANGER


def person_refusal(is_business: bool) -> DomainError | None:
    """Acting as a person (joining, writing, reacting, creating chat groups): not for business accounts.

    What such an account may always do is to end what it began: leave, remove a reaction, delete a message.
    """
    return BusinessAccount() if is_business else None


def named_person_refusal(is_business: bool) -> DomainError | None:
    """Adding a user, or writing to them: they must be a person."""
    return NotAPerson() if is_business else None


def application_refusal(actor: Actor) -> DomainError | None:
    """What only the application's own back end does."""
    return None if actor.is_app_admin else PermissionRefused("Only the application may do this")


def grant_refusal(access: AccessContext, grant: Grant) -> DomainError | None:
    """Acting by a right: the owner, the application's admin, and admins with the grant; the error names the grant."""
    if access.holds(grant):
        return None
    if access.effective_role == EffectiveRole.ADMIN:
        return PermissionRefused(f"You do not have the right {grant.value}", grant=grant.value)
    return PermissionRefused()


def may_see(group: Group, effective_role: EffectiveRole) -> bool:
    """Whether the actor may know that the group exists; a hidden one only its owner and the application."""
    if group.is_hidden and effective_role < EffectiveRole.OWNER:
        return False
    match group.visibility:
        case Visibility.PUBLIC | Visibility.PROFILE:
            return True
        case Visibility.PRIVATE:
            return effective_role >= EffectiveRole.MEMBER
        case _ as unreachable:
            assert_never(unreachable)


def may_see_sender(group: Group, effective_role: EffectiveRole) -> bool:
    """Whether the actor may see who sent a message: in a channel only the owner and the admins."""
    return not group.is_channel or effective_role >= EffectiveRole.ADMIN


def reading_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Reading messages: members, and strangers where the group is public, but never banned users."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role >= EffectiveRole.MEMBER or group.visibility is Visibility.PUBLIC:
        return None
    return PermissionRefused("Only members may read here")


def quoting_refusal(access: AccessContext, quoted: Message | None) -> DomainError | None:
    """Why a message of the actor may not quote this one of the same group, None being one that does not exist."""
    if access.group.is_channel:
        reason = "posts quote nothing"
        return InvalidRequest(reason, errors=[{"field": "quoted_seq", "reason": reason}])
    if quoted is None or quoted.seq <= history_floor(access):
        return MessageNotFound("There is no such message to quote")
    return MessageRecalled() if quoted.recalled_at is not None else None


def history_floor(access: AccessContext) -> int:
    """The seq up to which messages are hidden from the actor: the one rule for every way to what was written.

    A group that hides its history hides what was written before the actor joined. A channel that was a group hides what
    was written there from all who joined later, and from strangers; who was a member then sees what they saw. What has
    ended (`Group.ended_seq`) nobody sees.
    """
    return max(_written_before(access), access.group.ended_seq)


def _written_before(access: AccessContext) -> int:
    group, member = access.group, access.member
    if access.effective_role == EffectiveRole.APP_ADMIN:
        return 0
    marking = group.marking
    if marking is not None and not marking.is_history_shared:
        if member is None or not _was_member(member, marking):
            return marking.head_seq
        return 0 if marking.was_history_visible else member.joined_seq
    return 0 if group.history_visible or member is None else member.joined_seq


def hides_history(group: Group) -> bool:
    """Whether some members may not read all that was written in the group (`history_floor`)."""
    marking = group.marking
    is_shared = marking is None or marking.is_history_shared
    return group.ended_seq > 0 or not (group.history_visible and is_shared)


def _was_member(member: Member, marking: Marking) -> bool:
    """Whether the member joined before the marking. Nobody joins later with an earlier time (`Group.joining_time`)."""
    if member.joined_seq == marking.head_seq:
        return member.joined_at < marking.at
    return member.joined_seq < marking.head_seq


def was_written_in_group(group: Group, message: Message) -> bool:
    """Whether a channel's message was written while the channel was a group."""
    if not was_group(group):
        return False
    # Marked by an older version, which did not note the head: each of its messages may be from before.
    return group.marking is None or message.seq <= group.marking.head_seq


def was_group(group: Group) -> bool:
    """Whether a channel was a group before, so that some of its messages may have been written there."""
    if not group.is_channel:
        return False
    return group.marking is not None or group.group_id.startswith(COMMUNITY_PREFIX)


def closed_refusal(group: Group, message: Message) -> DomainError | None:
    """Adding to a message from before the marking that stayed private: nobody, since the event would show it to all.

    Such a message can be read by those who could read it, and deleted.
    """
    if message.seq > group.private_until_seq:
        return None
    return PermissionRefused(
        "What was written before the group became a channel can only be deleted"
    )


def listing_refusal(access: AccessContext) -> DomainError | None:
    """Listing members: in a chat group its members, in a channel only owner and admins with the grant."""
    if access.group.is_channel:
        return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)
    return None if access.effective_role >= EffectiveRole.MEMBER else PermissionRefused()


def staff_refusal(access: AccessContext) -> DomainError | None:
    """Seeing the staff and what they did: the owner and the admins, with any grants."""
    return None if access.effective_role >= EffectiveRole.ADMIN else PermissionRefused()


# --- members ----------------------------------------------------------------------------------------------------------


def managing_refusal(access: AccessContext) -> DomainError | None:
    """Managing members, bans and join requests: the owner, and admins with the grant."""
    return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)


def joining_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Joining without being added; asking for approval counts too."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role == EffectiveRole.APP_ADMIN:
        return None
    match group.join_option:
        case JoinOption.FREE | JoinOption.APPROVAL:
            return None
        case JoinOption.INVITE:
            return JoiningNotAllowed()
        case _ as unreachable:
            assert_never(unreachable)


def joining_by_link_refusal(
    effective_role: EffectiveRole, link: InviteLink | None, now: datetime
) -> DomainError | None:
    """Joining by an invite link, whatever the group's own rule of joining says.

    A link that is gone or was revoked, and any link before a banned user, is as if there were none.
    """
    if link is None or link.revoked_at is not None or effective_role == EffectiveRole.BANNED:
        return InviteLinkNotFound()
    state = link.state(now)
    return None if state is InviteLinkState.OPEN else InviteLinkEnded(state)


def asks_by_link(link: InviteLink, effective_role: EffectiveRole) -> bool:
    """Whether who joins by the link waits for approval. The application's admin does not."""
    return link.approval and effective_role != EffectiveRole.APP_ADMIN


def approving_refusal(link: InviteLink | None) -> DomainError | None:
    """Approving a request that was made by this link, if it is still there: it counts as a use.

    A request outlives its link: one that expired meanwhile refuses nothing. One that was revoked counts no more.
    """
    if link is None or link.revoked_at is not None or not link.is_used_up:
        return None
    return InviteLinkEnded(InviteLinkState.USED_UP)


def adding_refusal(access: AccessContext) -> DomainError | None:
    """Adding another user: any member of a Work group; elsewhere the owner, and admins with the grant."""
    refusal = adding_anything_refusal(access)
    if refusal is not None:
        return refusal
    if access.group.type is GroupType.WORK:
        return None if access.effective_role >= EffectiveRole.MEMBER else PermissionRefused()
    return grant_refusal(access, Grant.MANAGE_SUBSCRIBERS)


def adds_at_once(group: Group) -> bool:
    """Whether a user whom a member adds is in the group at once. A Community invites them instead.

    A Community is a channel, or may become one, whose members are then its subscribers.
    """
    return group.type is not GroupType.COMMUNITY


def importing_refusal(effective_role: EffectiveRole) -> DomainError | None:
    """Importing users: the application's admin."""
    return None if effective_role >= EffectiveRole.APP_ADMIN else PermissionRefused()


def leaving_refusal(group: Group, member: Member) -> DomainError | None:
    """Leaving: everyone but the owner, who may leave only a Work group, which then has no owner."""
    if member.role is Role.OWNER and group.type is not GroupType.WORK:
        return OwnerCannotLeave()
    return None


def removing_refusal(access: AccessContext, target: Member | None) -> DomainError | None:
    """Removing or banning: the owner, and admins with the grant, and only users with a lower role."""
    refusal = managing_refusal(access)
    if refusal is None and target is not None and target.effective_role >= access.effective_role:
        return PermissionRefused()
    return refusal


def removing_owner_refusal(target: Member | None) -> DomainError | None:
    """Nobody removes the owner, not even the application's admin: the ownership is transferred first."""
    if target is not None and target.role is Role.OWNER:
        return OwnerCannotLeave()
    return None


def muting_refusal(access: AccessContext, target: Member) -> DomainError | None:
    """Muting a member: as removing, but never the owner; a Work group has no mutes."""
    refusal = removing_refusal(access, target)
    if refusal is not None:
        return refusal
    if target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be muted")
    if access.group.type is GroupType.WORK:
        return NotForThisType()
    return None


def banning_from_reacting_refusal(
    access: AccessContext, target: Member | None
) -> DomainError | None:
    """Banning a user from reacting: as removing, but never the owner."""
    refusal = removing_refusal(access, target)
    if refusal is None and target is not None and target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be banned from reacting")
    return refusal


def banning_from_commenting_refusal(
    access: AccessContext, target: Member | None
) -> DomainError | None:
    """Banning a user from commenting: as removing, but never the owner."""
    refusal = removing_refusal(access, target)
    if refusal is None and target is not None and target.role is Role.OWNER:
        return PermissionRefused("The owner cannot be banned from commenting")
    return refusal


def appointing_refusal(
    group: Group, effective_role: EffectiveRole, target: Member
) -> DomainError | None:
    """Appointing and dismissing admins: the owner. A Work group has no admins; ownership is transferred instead."""
    if effective_role < EffectiveRole.OWNER:
        return PermissionRefused()
    if group.type is GroupType.WORK:
        return NotForThisType()
    if target.role is Role.OWNER:
        return PermissionRefused("The owner's role changes by transfer")
    return None


def inviting_refusal(access: AccessContext, target: Member | None) -> DomainError | None:
    """Inviting an admin: the owner, and no user who is an admin already."""
    refusal = adding_anything_refusal(access)
    if refusal is not None:
        return refusal
    if access.effective_role < EffectiveRole.OWNER:
        return PermissionRefused()
    if access.group.type is GroupType.WORK:
        return NotForThisType()
    if target is not None and target.effective_role >= EffectiveRole.ADMIN:
        return AlreadyAdmin()
    return None


def revoking_refusal(access: AccessContext, invitation: Invitation | None) -> DomainError | None:
    """Revoking an invitation: as inviting an admin; of a member whoever manages members, or invited them."""
    if invitation is None or invitation.ended is not None:
        return managing_refusal(access)
    if invitation.role is Role.ADMIN:
        return None if access.effective_role >= EffectiveRole.OWNER else PermissionRefused()
    member = access.member
    is_own = member is not None and member.user_id == invitation.invited_by
    return None if is_own else managing_refusal(access)


def transferring_refusal(effective_role: EffectiveRole) -> DomainError | None:
    """Transferring the ownership: the owner."""
    return None if effective_role >= EffectiveRole.OWNER else PermissionRefused()


def announces_membership(group: Group) -> bool:
    """Whether the members are notified of joins and leaves: not in a Community, which may hold a million."""
    return group.type is not GroupType.COMMUNITY


# --- messages ---------------------------------------------------------------------------------------------------------


def posting_refusal(access: AccessContext, now: datetime) -> DomainError | None:
    """Posting: those that the group's `posting` rule allows, unless muted. The owner is never muted.

    A business account posts in channels only.
    """
    refusal = adding_anything_refusal(access)
    if refusal is not None:
        return refusal
    group, member, effective_role = access.group, access.member, access.effective_role
    if access.is_business and not group.is_channel:
        return BusinessAccount()
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role == EffectiveRole.APP_ADMIN:
        return None
    match group.posting:
        case Posting.OWNER_AND_ADMINS:
            if member is None or effective_role < EffectiveRole.ADMIN:
                return PostingNotAllowed("Only the owner and admins may post here")
            if not access.holds(Grant.POST):
                return PostingNotAllowed("You do not have the right post", grant=Grant.POST.value)
        case Posting.EVERYONE:
            if member is None:
                return PostingNotAllowed("Only members may post here")
        case _ as unreachable:
            assert_never(unreachable)
    if effective_role < EffectiveRole.OWNER and member.is_muted(now):
        return Muted()
    if group.muted_all and effective_role < EffectiveRole.ADMIN:
        return Muted()
    return None


def asking_refusal(access: AccessContext) -> DomainError | None:
    """Asking the readers of a message to acknowledge it, besides `posting_refusal`: the owner and the admins."""
    return None if access.effective_role >= EffectiveRole.ADMIN else AcknowledgementNotAllowed()


def editing_refusal(access: AccessContext, message: Message, now: datetime) -> DomainError | None:
    """Editing: the sender, while they may still post; in a channel also the owner, and admins with the grant.

    Admins with `edit_posts` edit all posts, their own too, even if they may not publish new ones.
    """
    refused = adding_anything_refusal(access) or closed_refusal(access.group, message)
    if refused is not None:
        return refused
    member = access.member
    is_own = member is not None and message.sender_id == member.user_id
    if (
        access.group.is_channel
        and access.effective_role == EffectiveRole.ADMIN
        and member is not None
    ):
        refusal = grant_refusal(access, Grant.EDIT_POSTS)
        if refusal is None:
            return Muted() if member.is_muted(now) else None
        if not is_own:
            return refusal
    refusal = posting_refusal(access, now)
    if refusal is not None:
        return refusal
    if is_own or access.effective_role == EffectiveRole.APP_ADMIN:
        return None
    if access.group.is_channel and access.effective_role >= EffectiveRole.OWNER:
        return None
    return PermissionRefused("Only the sender may edit a message")


def may_always_recall(group: Group, message: Message, user_id: UserId) -> bool:
    """Whether the user may recall the message at any time, whatever they are in the group now, also as a stranger.

    They may where they wrote it before the group became a channel.
    """
    return message.sender_id == user_id and was_written_in_group(group, message)


def recalling_refusal(
    access: AccessContext, message: Message, now: datetime, window_seconds: int
) -> DomainError | None:
    """Recalling: the owner and admins at any time, with the grant for messages of others; senders for a while.

    What `may_always_recall` allows is not asked here.
    """
    is_own = access.member is not None and message.sender_id == access.member.user_id
    if access.effective_role >= EffectiveRole.ADMIN:
        return None if is_own else grant_refusal(access, Grant.DELETE_POSTS)
    if not is_own or access.group.is_channel:
        return PermissionRefused("Only its sender, the owner or an admin may recall a message")
    if (now - message.created_at).total_seconds() > window_seconds:
        return RecallTooLate()
    return None


def pinning_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Pinning and unpinning: the owner, and admins with the grant."""
    return (
        adding_anything_refusal(access)
        or grant_refusal(access, Grant.PIN_POSTS)
        or closed_refusal(access.group, message)
    )


def freezing_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Freezing reactions or comments: the owner; admins with `post` on their own posts, with `edit_posts` on others."""
    is_own = access.member is not None and message.sender_id == access.member.user_id
    grant = Grant.POST if is_own else Grant.EDIT_POSTS
    return grant_refusal(access, grant) or closed_refusal(access.group, message)


def reacting_refusal(
    group: Group, effective_role: EffectiveRole, member: Member | None
) -> DomainError | None:
    """Reacting: members, muted or not; also the application's admin must be a member."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if member is None:
        return PermissionRefused("Only members may react")
    return None


def adding_reaction_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Adding a reaction, besides `reacting_refusal`: users who are not banned from reacting, nor restricted."""
    refusal = restricted_refusal(access.restriction)
    if refusal is not None:
        return refusal
    if access.is_banned_from_reacting:
        return ReactingBanned()
    return closed_refusal(access.group, message)


# --- polls ------------------------------------------------------------------------------------------------------------


def voting_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Voting, besides `reacting_refusal`: as reacting, and not while the channel is suspended."""
    return suspended_refusal(access.group) or adding_reaction_refusal(access, message)


def sees_all_results(access: AccessContext) -> bool:
    """Whether the actor sees how every poll stands: the owner and the admins of a channel, and the application.

    In a chat group, owner and admins vote like everybody, and see the results when everybody does.
    """
    needed = EffectiveRole.ADMIN if access.group.is_channel else EffectiveRole.APP_ADMIN
    return access.effective_role >= needed


def sees_results(access: AccessContext, poll: Poll, now: datetime, *, has_voted: bool) -> bool:
    """Whether the actor sees how many chose each option."""
    if poll.are_results_public(now) or sees_all_results(access):
        return True
    return has_voted and poll.results is PollResults.AFTER_VOTE


def listing_voters_refusal(
    access: AccessContext, poll: Poll, now: datetime, *, has_voted: bool
) -> DomainError | None:
    """Listing who chose an option: members of a chat group who see the results. In a channel nobody may."""
    if access.group.is_channel:
        return PermissionRefused("Votes in channels are secret")
    refusal = listing_refusal(access)
    if refusal is None and not sees_results(access, poll, now, has_voted=has_voted):
        return PermissionRefused("The results of this poll are not shown yet")
    return refusal


def poll_editing_refusal(
    before: Poll | None, after: Poll | None, now: datetime
) -> DomainError | None:
    """An edit may change only this in a poll: when it closes, while it is open, to a later time than now.

    Everything else was voted for. So no edit makes a poll of another message either.
    """
    if before is None or after is None:
        return None if before is after else PollFixed()
    if not before.is_same_question(after):
        return PollFixed()
    if before.closes_at == after.closes_at:
        return None
    return PollClosed() if before.is_closed(now) else closing_time_refusal(after, now)


def closing_time_refusal(poll: Poll, now: datetime) -> DomainError | None:
    """A poll that nobody could vote in is not posted."""
    if not poll.is_closed(now):
        return None
    reason = "must be in the future"
    return InvalidRequest(
        f"closes_at {reason}", errors=[{"field": "poll.closes_at", "reason": reason}]
    )


# --- groups -----------------------------------------------------------------------------------------------------------


def creating_refusal(actor: Actor, owner_id: UserId | None) -> DomainError | None:
    """Creating a group or channel: everyone for themselves, the application also for another owner."""
    if owner_id is None or actor.is_app_admin:
        return None
    return PermissionRefused("Only the application creates groups and channels for others")


INFO_FIELDS: Final = frozenset({"name", "introduction", "notification", "face_url", "custom"})
"""The fields of a group's profile; every other field is a setting."""

VOUCHED_FIELDS: Final = frozenset({"name"})
"""The fields that a verified badge vouches for: the identity. Pictures and descriptions may change."""


def loses_badge(
    access: AccessContext, fields: Collection[str], *, also_vouched: Collection[str] = ()
) -> bool:
    """Whether a change of these fields removes the badge: of a vouched field, and not by the application."""
    is_ours = access.effective_role >= EffectiveRole.APP_ADMIN
    return (
        access.group.verified
        and not is_ours
        and not {*VOUCHED_FIELDS, *also_vouched}.isdisjoint(fields)
    )


def updating_refusal(
    access: AccessContext,
    fields: Collection[str],
    *,
    info_fields: Collection[str] = INFO_FIELDS,
    for_channel: bool = False,
) -> DomainError | None:
    """Changing profile or settings: the owner, and admins with the grants, where type and channel allow it.

    `info_fields` need the right `change_info`, all others `change_settings`. `for_channel`: the caller enforces the
    rules of channels, so fields that are fixed in channels may change.
    """
    if access.effective_role < EffectiveRole.ADMIN:
        return PermissionRefused()
    # The badge alone is the application's to change, whatever the state of the channel.
    if set(fields) - {"verified"} and (refusal := adding_anything_refusal(access)):
        return refusal
    needed = {
        Grant.CHANGE_INFO if name in info_fields else Grant.CHANGE_SETTINGS for name in fields
    }
    for grant in sorted(needed):
        refusal = grant_refusal(access, grant)
        if refusal is not None:
            return refusal
    if "retention_days" in fields and access.effective_role < EffectiveRole.OWNER:
        return PermissionRefused("Only the owner may change how long messages are kept")
    group, fields = access.group, set(fields)
    if for_channel:
        return None
    if group.is_channel and fields & {"posting", "join_option", "visibility", "history_visible"}:
        return FixedInChannel()
    if group.type is GroupType.WORK and fields & {"join_option", "muted_all"}:
        return NotForThisType()
    return None


def retention_refusal(days: object, limits: GroupLimits) -> DomainError | None:
    """Keeping messages longer than the deployment does."""
    most = limits.retention_days
    if not isinstance(days, int) or not most or days <= most:
        return None
    reason = f"this deployment keeps messages for at most {most} days"
    return InvalidRequest(reason, errors=[{"field": "retention_days", "reason": reason}])


def profile_refusal(
    group: Group, values: Mapping[str, object], limits: GroupLimits
) -> DomainError | None:
    """Texts whose limits (bytes of UTF-8) differ between channels and other groups."""
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


def suspending_refusal(access: AccessContext) -> DomainError | None:
    """Suspending a channel, and lifting it: the application."""
    is_ours = access.effective_role >= EffectiveRole.APP_ADMIN
    return None if is_ours else PermissionRefused("Only the application suspends channels")


def may_see_suspension_reason(access: AccessContext) -> bool:
    """Whether the actor may read why the channel is suspended: its owner, its admins, and the application."""
    return access.effective_role >= EffectiveRole.ADMIN


def disbanding_refusal(group: Group, effective_role: EffectiveRole) -> DomainError | None:
    """Disbanding: the owner; for a Work group only the application's admin (reference product, group types)."""
    needed = EffectiveRole.APP_ADMIN if group.type is GroupType.WORK else EffectiveRole.OWNER
    return None if effective_role >= needed else PermissionRefused()
