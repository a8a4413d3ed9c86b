"""The errors of reactions."""

from typing import ClassVar

from groups.kernel.errors import InvalidInput, LimitReached, PermissionDenied


class BadEmoji(InvalidInput):
    """The text is not exactly one emoji."""

    code: ClassVar[str] = "bad_emoji"
    summary: ClassVar[str] = "Send exactly one emoji"
    remedy: ClassVar[str] = "Send one emoji, percent-encoded in the path."


class ReactionNotAllowed(PermissionDenied):
    """The group's settings do not allow this emoji, or none at all."""

    code: ClassVar[str] = "reaction_not_allowed"
    summary: ClassVar[str] = (
        "This group does not allow this reaction; its settings list those it allows"
    )
    remedy: ClassVar[str] = "Offer only what the group's setting `reactions` allows."


class ReactionsFrozen(PermissionDenied):
    """Nobody may react to this message any more; users may still remove their own reactions."""

    code: ClassVar[str] = "reactions_frozen"
    summary: ClassVar[str] = "The reactions to this message are frozen; you can only remove yours"
    remedy: ClassVar[str] = "Show the counts without an input. Removing own reactions still works."


class ReactionsPerUserReached(LimitReached):
    """The user already holds `limit` different emoji on the message."""

    code: ClassVar[str] = "reactions_per_user_reached"
    summary: ClassVar[str] = "You have too many reactions to this message; remove one first"
    remedy: ClassVar[str] = "Remove one of the user's own reactions to this message first."


class DistinctReactionsReached(LimitReached):
    """The message already has `limit` different emoji; users may still react with one of those."""

    code: ClassVar[str] = "distinct_reactions_reached"
    summary: ClassVar[str] = "The message has too many different emoji; react with one of them"
    remedy: ClassVar[str] = "Offer only the emoji that the message has already."
