"""Reactions to messages as readers see them; `reactions` counts them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

SEEN_A_COMMAND: Final = 4_000
"""Readers x messages of which one command tells who holds what: with ten emoji each, of 200 bytes, half of the 16 MB
that a document, and so an answer, may have."""


def readers_a_command(messages: int) -> int:
    """How many readers of so many messages one command may serve."""
    return max(1, SEEN_A_COMMAND // max(1, messages))


@dataclass(frozen=True, slots=True)
class Tally:
    """The reactions to one message: a count per emoji, their sum, and the actor's own."""

    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    mine: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Tallies(Mapping[int, Tally]):
    """The reactions to some messages of a stream, by seq, without those that never had one.

    `shared` is the same object for all who read these messages at once, and `mine` in it is empty; `own` is what this
    reader holds.
    """

    shared: Mapping[int, Tally] = field(default_factory=dict)
    own: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, seq: int) -> Tally:
        tally = self.shared[seq]
        mine = self.own.get(seq)
        return Tally(tally.counts, tally.total, mine) if mine else tally

    def __iter__(self) -> Iterator[int]:
        return iter(self.shared)

    def __len__(self) -> int:
        return len(self.shared)
