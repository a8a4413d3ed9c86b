"""Who may post, edit, recall, pin and react."""

from datetime import datetime
from typing import assert_never

from groups.errors import Banned, Muted, PostingNotAllowed, ReactingBanned, RecallTooLate
from groups.kernel.errors import DomainError, PermissionRefused
from groups.models import AccessContext, EffectiveRole, Grant, Group, Member, Message, Posting
from groups.policy.access import grant_refusal


def posting_refusal(access: AccessContext, now: datetime) -> DomainError | None:
    """Writing: whoever the posting rule names, unless muted. The owner is never muted."""
    group, member, effective_role = access.group, access.member, access.effective_role
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if effective_role == EffectiveRole.APP_ADMIN:
        return None
    if member is None:
        return PostingNotAllowed()
    match group.posting:
        case Posting.OWNER_AND_ADMINS:
            if effective_role < EffectiveRole.ADMIN:
                return PostingNotAllowed()
            if not access.holds(Grant.POST):
                return PostingNotAllowed("You were not granted post", grant=Grant.POST.value)
        case Posting.EVERYONE:
            pass
        case _ as unreachable:
            assert_never(unreachable)
    if effective_role < EffectiveRole.OWNER and member.is_muted(now):
        return Muted()
    if group.muted_all and effective_role < EffectiveRole.ADMIN:
        return Muted()
    return None


def editing_refusal(access: AccessContext, message: Message, now: datetime) -> DomainError | None:
    """Editing: one's own words while one may still write; in a channel, whose posts speak for it, by a grant.

    Who was granted to edit edits all posts, his own too, though he may write no new ones.
    """
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
    return PermissionRefused("Only the sender edits a message")


def recalling_refusal(
    access: AccessContext, message: Message, now: datetime, window_seconds: int
) -> DomainError | None:
    """Recalling: owner and admins at any time, what others wrote by a grant; a sender his own, for a while."""
    is_own = access.member is not None and message.sender_id == access.member.user_id
    if access.effective_role >= EffectiveRole.ADMIN:
        return None if is_own else grant_refusal(access, Grant.DELETE_POSTS)
    if not is_own or access.group.is_channel:
        return PermissionRefused("Only its sender, the owner or an admin recalls a message")
    if (now - message.created_at).total_seconds() > window_seconds:
        return RecallTooLate()
    return None


def pinning_refusal(access: AccessContext) -> DomainError | None:
    """Pinning and unpinning: owner, and admins with that right."""
    return grant_refusal(access, Grant.PIN_POSTS)


def freezing_refusal(access: AccessContext, message: Message) -> DomainError | None:
    """Freezing the reactions to a message: owner, admins who may change what others wrote, any admin on his own."""
    is_own = access.member is not None and message.sender_id == access.member.user_id
    return grant_refusal(access, Grant.POST if is_own else Grant.EDIT_POSTS)


def reacting_refusal(
    group: Group, effective_role: EffectiveRole, member: Member | None
) -> DomainError | None:
    """Reacting: members, muted or not; it is personal, so the application's admin needs to be one too."""
    if effective_role == EffectiveRole.BANNED:
        return Banned()
    if member is None:
        return PermissionRefused("Only members react")
    return None


def adding_reaction_refusal(access: AccessContext) -> DomainError | None:
    """Adding a reaction, for whom `reacting_refusal` lets through: not who is banned from it."""
    return ReactingBanned() if access.is_banned_from_reacting else None
