"""The refusals of reactions."""

from typing import ClassVar

from groups.kernel.errors import InvalidInput, LimitReached, PermissionDenied


class BadEmoji(InvalidInput):
    """What was sent is not exactly one emoji."""

    code: ClassVar[str] = "bad_emoji"
    summary: ClassVar[str] = "This is not an emoji"


class ReactionNotAllowed(PermissionDenied):
    """The group's settings do not allow this emoji, or none at all."""

    code: ClassVar[str] = "reaction_not_allowed"
    summary: ClassVar[str] = "This reaction is not allowed here"


class ReactionsFrozen(PermissionDenied):
    """Nobody may react to this message any more; taking one's own reaction back is allowed."""

    code: ClassVar[str] = "reactions_frozen"
    summary: ClassVar[str] = "The reactions to this message are frozen"


class ReactionsPerUserReached(LimitReached):
    """The user already holds `limit` different emoji on the message."""

    code: ClassVar[str] = "reactions_per_user_reached"
    summary: ClassVar[str] = "You already reacted with as many emoji as one user may"


class DistinctReactionsReached(LimitReached):
    """The message already carries `limit` different emoji; each of them can still be joined in."""

    code: ClassVar[str] = "distinct_reactions_reached"
    summary: ClassVar[str] = "The message carries as many different emoji as it may"
