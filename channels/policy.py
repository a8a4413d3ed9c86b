"""Who may write to a channel in private: pure, and the only place that says it."""

from datetime import datetime
from typing import assert_never

from channels.models import AcceptMessages
from conversations.errors import MessagesNotAccepted
from groups.errors import Banned, Muted
from groups.kernel.errors import DomainError
from groups.models import Grant, Rank, Standing
from groups.policy import grant_refusal


def writing_refusal(
    standing: Standing, accepts: AcceptMessages, now: datetime
) -> DomainError | None:
    """Writing to the channel: whom its setting names, unless banned or muted. The application's admin always may."""
    if standing.rank == Rank.APP_ADMIN:
        return None
    if standing.rank == Rank.BANNED:
        return Banned()
    match accepts:
        case AcceptMessages.EVERYONE:
            pass
        case AcceptMessages.SUBSCRIBERS:
            if standing.member is None:
                return MessagesNotAccepted()
        case AcceptMessages.NOBODY:
            return MessagesNotAccepted()
        case _ as unreachable:
            assert_never(unreachable)
    member = standing.member
    if member is not None and standing.rank < Rank.OWNER and member.is_muted(now):
        return Muted()
    return None


def inbox_refusal(standing: Standing) -> DomainError | None:
    """Reading the channel's inbox and answering in its name: who holds the right, whatever the setting is now."""
    return grant_refusal(standing, Grant.READ_INBOX)
