"""Reactions to messages as readers see them; `reactions` counts them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


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
