"""Decides who may write to a channel in private, read its inbox and know its owner: pure, and only here."""

from datetime import datetime
from typing import assert_never

from channels.models import AcceptMessages, ChannelProfile
from conversations.errors import MessagesNotAccepted
from groups.errors import Banned, Muted
from groups.kernel.errors import DomainError
from groups.models import AccessContext, EffectiveRole, Grant
from groups.policy import grant_refusal


def writing_refusal(
    access: AccessContext, accepts: AcceptMessages, now: datetime
) -> DomainError | None:
    """The error of writing to the channel, from `accept_messages`, bans and mutes. The application always may write."""
    if access.effective_role == EffectiveRole.APP_ADMIN:
        return None
    if access.effective_role == EffectiveRole.BANNED:
        return Banned()
    match accepts:
        case AcceptMessages.EVERYONE:
            pass
        case AcceptMessages.SUBSCRIBERS:
            if access.member is None:
                return MessagesNotAccepted()
        case AcceptMessages.NOBODY:
            return MessagesNotAccepted()
        case _ as unreachable:
            assert_never(unreachable)
    member = access.member
    if member is not None and access.effective_role < EffectiveRole.OWNER and member.is_muted(now):
        return Muted()
    return None


def inbox_refusal(access: AccessContext) -> DomainError | None:
    """The error of reading the channel's inbox and answering in its name. `accept_messages` does not matter here."""
    return grant_refusal(access, Grant.READ_INBOX)


def may_know_owner(access: AccessContext, profile: ChannelProfile) -> bool:
    """Whether somebody who sees the channel may know its owner: its admins, and everyone where posts are signed."""
    return access.effective_role >= EffectiveRole.ADMIN or profile.signatures
