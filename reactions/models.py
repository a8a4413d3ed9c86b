"""A reaction, and the rules for one; the tally of a message is `groups.models.Tally`: messages are shown with it."""

from collections.abc import Set
from datetime import datetime
from typing import Protocol

from groups.kernel.ids import UserId
from groups.models import Model, ReactionChoice, Tally


class Reaction(Model):
    """A user holds an emoji on a message since `at`."""

    message_id: str
    """`groups.models.message_key` of the message."""
    user_id: UserId
    emoji: str
    at: datetime


class ReactionRules(Protocol):
    """What may be put on a message, as a group's settings say it."""

    @property
    def reactions(self) -> ReactionChoice:
        """Which emoji."""
        ...

    @property
    def reactions_per_user(self) -> int:
        """How many one user may hold on a message; where it is 1, a new one replaces the old."""
        ...

    @property
    def distinct_reactions(self) -> int:
        """How many different ones a message may carry."""
        ...


def mine_of(tally: Tally, own: Set[str]) -> tuple[str, ...]:
    """One's own emoji as a tally shows them."""
    # Sorted, so that a repeat answers the same. Tally and reactions may be read a moment apart: the tally decides.
    return tuple(sorted(own & tally.counts.keys()))
