"""A reaction, and the rules for reactions. Tallies are in `groups.models`, since messages are shown with them."""

from collections.abc import Set
from datetime import datetime
from typing import Protocol

from groups.kernel.ids import UserId
from groups.models import Model, ReactionChoice, Tally


class Reaction(Model):
    """A user has held an emoji on a message since `at`."""

    message_id: str
    """`groups.models.message_key` of the message."""
    user_id: UserId
    emoji: str
    at: datetime


class ReactionRules(Protocol):
    """The emoji that a message may carry; the settings of a group are such rules.

    `reactions_per_user`: how many one user may hold on a message; if it is 1, a new emoji replaces the old one.
    `distinct_reactions`: how many different emoji a message may carry.
    """

    @property
    def reactions(self) -> ReactionChoice: ...
    @property
    def reactions_per_user(self) -> int: ...
    @property
    def distinct_reactions(self) -> int: ...


def mine_of(tally: Tally, own: Set[str]) -> tuple[str, ...]:
    """Return the user's own emoji as a tally shows them."""
    # Sorted, so that a repeat returns the same. If tally and reactions were read a moment apart, the tally decides.
    return tuple(sorted(own & tally.counts.keys()))
