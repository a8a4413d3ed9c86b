"""A reaction, and the rules for reactions. Tallies are in `groups.models`, since messages are shown with them.

A vote in a poll is stored as a reaction is, with the text of its option (`vote_text`) in the place of the emoji. So one
engine counts both, and a page that reads what its reader holds reads their votes with it. So is an acknowledgement
(`channels.acknowledgements`). The texts of all but emoji begin with a prefix that ends with a colon (`prefix_of`).
"""

from collections.abc import Iterable, Set
from datetime import datetime
from typing import Final, Protocol

from groups.kernel.ids import UserId
from groups.models import Model, ReactionChoice, Tally

VOTE_PREFIX: Final = "vote:"
"""The start of the stored text of a vote. No emoji begins so."""
ACKNOWLEDGED: Final = "acknowledged:"
"""The stored text of an acknowledgement, which is its prefix alone."""


def prefix_of(text: str) -> str:
    """Return the text up to and with its colon, which tells what is held; empty for emoji, which have no colon."""
    return text[: text.find(":") + 1]


def vote_text(option: int) -> str:
    """Return the text under which votes for an option, by its place from 0, are stored."""
    return f"{VOTE_PREFIX}{option}"


def votes_in(held: Iterable[str]) -> tuple[int, ...]:
    """Return the options among what a user holds, in their order."""
    length = len(VOTE_PREFIX)
    return tuple(sorted(int(text[length:]) for text in held if text.startswith(VOTE_PREFIX)))


class Reaction(Model):
    """A user has held an emoji on a message, or an option of its poll, since `at`."""

    message_id: str
    """`groups.models.message_key` of the message."""
    user_id: UserId
    emoji: str
    """The emoji, or the text of the option."""
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
