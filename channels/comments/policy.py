"""Decides who may read, write, change and delete comments, and react to them: pure, and only here."""

from datetime import datetime
from typing import assert_never

from channels.comments.errors import CommentingBanned, CommentsFrozen, CommentsOff
from channels.comments.models import is_from_channel
from groups import policy
from groups.errors import Banned, MessageNotFound, MessageRecalled, Muted, ReactingBanned
from groups.kernel.errors import DomainError, PermissionRefused
from groups.kernel.ids import UserId
from groups.models import AccessContext, Commenting, EffectiveRole, Grant, Message


def reading_refusal(access: AccessContext, post: Message | None) -> DomainError | None:
    """Reading the comments on a post: who may read the post, where comments are on."""
    refusal = policy.reading_refusal(access.group, access.effective_role)
    if refusal is not None:
        return refusal
    if post is None or post.seq <= policy.history_floor(access):
        return MessageNotFound()
    if access.group.comments is Commenting.OFF:
        return CommentsOff()
    return MessageRecalled() if post.recalled_at is not None else None


def commenting_refusal(
    access: AccessContext, post: Message | None, now: datetime, *, as_channel: bool
) -> DomainError | None:
    """Commenting, by the setting, bans and mutes. The application always may, where comments are open.

    `as_channel`: the channel is the sender; for the owner, and admins who may post. Business accounts comment only so.
    """
    refusal = _joining_in_refusal(access, post)
    if refusal is not None:
        return refusal
    if as_channel:
        return policy.grant_refusal(access, Grant.POST) or _muted_refusal(access, now)
    if access.effective_role == EffectiveRole.APP_ADMIN:
        return None
    refusal = policy.person_refusal(access.is_business)
    if refusal is None and access.is_banned_from_commenting:
        refusal = CommentingBanned()
    return refusal or _muted_refusal(access, now)


def _joining_in_refusal(access: AccessContext, post: Message | None) -> DomainError | None:
    """Adding anything to the comments on a post, of whatever kind."""
    refusal = reading_refusal(access, post)
    if refusal is not None:
        return refusal
    assert post is not None, "it can be read"
    refusal = policy.adding_anything_refusal(access)
    if refusal is not None:
        return refusal
    match access.group.comments:
        case Commenting.OFF:
            return CommentsOff()
        case Commenting.SUBSCRIBERS:
            if access.member is None and access.effective_role != EffectiveRole.APP_ADMIN:
                return PermissionRefused("Only subscribers may comment here")
        case Commenting.EVERYONE:
            pass
        case _ as unreachable:
            assert_never(unreachable)
    if post.comments_frozen:
        return CommentsFrozen()
    return policy.closed_refusal(access.group, post)


def _muted_refusal(access: AccessContext, now: datetime) -> DomainError | None:
    member = access.member
    is_muted = member is not None and member.is_muted(now)
    return Muted() if is_muted and access.effective_role < EffectiveRole.OWNER else None


def reacting_refusal(access: AccessContext, post: Message | None) -> DomainError | None:
    """Adding a reaction to a comment: who may comment as a person, muted or not, unless banned from reacting."""
    refusal = policy.person_refusal(access.is_business) or _joining_in_refusal(access, post)
    if refusal is None and access.is_banned_from_reacting:
        return ReactingBanned()
    return refusal


def editing_refusal(
    access: AccessContext, user_id: UserId, post: Message | None, comment: Message, now: datetime
) -> DomainError | None:
    """Editing: the sender, while they may still comment; what the channel said, who may speak for it."""
    as_channel = is_from_channel(comment, access.group.group_id)
    refusal = commenting_refusal(access, post, now, as_channel=as_channel)
    if refusal is None and not as_channel and comment.sender_id != user_id:
        return PermissionRefused("Only its sender may edit a comment")
    return refusal


def deleting_refusal(
    access: AccessContext, user_id: UserId, comment: Message
) -> DomainError | None:
    """Deleting: its sender at any time, whatever they are in the channel now; all others by `delete_posts`."""
    if comment.sender_id == user_id:
        return None
    if access.effective_role == EffectiveRole.BANNED:
        return Banned()
    if access.effective_role < EffectiveRole.ADMIN:
        return PermissionRefused("Only its sender, the owner or an admin may delete a comment")
    return policy.grant_refusal(access, Grant.DELETE_POSTS)
