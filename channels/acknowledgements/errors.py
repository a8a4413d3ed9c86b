"""The errors of acknowledgements."""

from typing import ClassVar

from groups.kernel.errors import Conflict, LimitReached


class AcknowledgementNotAsked(Conflict):
    """The message does not ask to be acknowledged."""

    code: ClassVar[str] = "acknowledgement_not_asked"
    summary: ClassVar[str] = "This message does not ask to be acknowledged"
    remedy: ClassVar[str] = "Offer to acknowledge only where a message has an `acknowledge`."


class OwnAcknowledgement(Conflict):
    """The author of a message knows it, and is not asked."""

    code: ClassVar[str] = "own_acknowledgement"
    summary: ClassVar[str] = "You wrote this message, so you are not asked to acknowledge it"
    remedy: ClassVar[str] = "Do not offer it to the author."


class TooManyToName(LimitReached):
    """The group has more members than may be named to find those who did not acknowledge."""

    code: ClassVar[str] = "too_many_to_name"
    summary: ClassVar[str] = "There are too many members to name those who have not acknowledged"
    remedy: ClassVar[str] = (
        "Show `counts`, which are always answered with `state=given`; or send a reminder."
    )


class AlreadyReminded(Conflict):
    """A message reminds once."""

    code: ClassVar[str] = "already_reminded"
    summary: ClassVar[str] = "Those who have not acknowledged were reminded already"
    remedy: ClassVar[str] = "Write to them, or post again."
