"""Decides who sends broadcasts, and what a user's word to a channel means for them: pure, and only here."""

from typing import Final

from channels.broadcasts.models import Reason
from conversations.errors import ConversationNotFound, MessagesNotAccepted, NotAccepted
from groups.errors import NotAPerson
from groups.kernel.errors import DomainError
from groups.kernel.text.search.folding import fold
from groups.models import AccessContext, Content, Grant, Kind
from groups.policy import adding_anything_refusal, grant_refusal

_STOP: Final = frozenset(
    map(
        fold,
        (
            *("stop", "stopp", "stoppen", "abbestellen", "unsubscribe", "stopall"),
            *("arret", "alto", "parar", "baja", "sair", "ferma", "стоп", "dur", "停止", "退订"),
            *("退訂", "停", "توقف", "إيقاف", "قف", "중지", "やめる", "配信停止"),
        ),
    )
)
_START: Final = frozenset(
    map(
        fold,
        (
            *("start", "starten", "unstop", "iniciar", "inizia", "commencer", "старт", "başla"),
            *("开始", "開始", "订阅", "訂閱", "ابدأ", "시작", "配信開始"),
        ),
    )
)
_LONGEST: Final = 24
"""Characters of a text that may be such a word, with all that stands around it."""
_REASONS: Final = {
    NotAccepted.NOT_SUBSCRIBED: Reason.LEFT,
    NotAccepted.BLOCKED: Reason.BLOCKED,
    NotAccepted.SWITCHED_OFF: Reason.SWITCHED_OFF,
}


def broadcasting_refusal(access: AccessContext) -> DomainError | None:
    """The error of reading, creating, stopping and resuming broadcasts.

    It takes the right to post, as it reaches everybody, and the right to the inbox, in whose threads it writes.
    """
    return grant_refusal(access, Grant.POST) or grant_refusal(access, Grant.READ_INBOX)


def sending_refusal(access: AccessContext) -> DomainError | None:
    """The error for all users at once, with which a broadcast fails; None: it may go on."""
    return broadcasting_refusal(access) or adding_anything_refusal(access)


def reason_of(error: DomainError) -> Reason | None:
    """Why one user did not get the message; None where the error concerns all users."""
    if isinstance(error, MessagesNotAccepted):
        reason = error.details.get("reason")
        return _REASONS[NotAccepted(reason)] if reason else Reason.OTHER
    if isinstance(error, NotAPerson):
        return Reason.BUSINESS
    if isinstance(error, ConversationNotFound):
        return Reason.OTHER
    return None


def wants_broadcasts(content: Content | None) -> bool | None:
    """Read what a message of a user to a channel says of broadcasts: False for "stop", True for "start"; None: nothing.

    The message must be the word alone, in any case, with blanks and punctuation around it.
    """
    if content is None or content.kind is not Kind.TEXT or len(content.text) > _LONGEST:
        return None
    word = "".join(one for one in fold(content.text) if one.isalnum())
    if word in _STOP:
        return False
    return True if word in _START else None
