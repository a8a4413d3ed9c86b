"""Who may write to a channel in private: pure, and the only place that says it."""

from datetime import datetime
from typing import assert_never

from channels.models import AcceptMessages
from conversations.errors import MessagesNotAccepted
from groups.errors import Banned, Muted
from groups.kernel.errors import DomainError
from groups.models import AccessContext, EffectiveRole, Grant
from groups.policy import grant_refusal


def writing_refusal(
    access: AccessContext, accepts: AcceptMessages, now: datetime
) -> DomainError | None:
    """Writing to the channel: whom its setting names, unless banned or muted. The application's admin always may."""
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
    """Reading the channel's inbox and answering in its name: who holds the right, whatever the setting is now."""
    return grant_refusal(access, Grant.READ_INBOX)
